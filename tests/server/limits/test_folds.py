"""Bounds of folds and engine, each at n - 1, n and n + 1."""

from pathlib import Path

import msgspec
import pytest
import trio
from tests.contracts.harness import Lab, ask, ask_all, settle
from tests.server.core.world import (
    ALICE,
    ALICE_1,
    BOB,
    BOB_1,
    REGISTRATION,
    World,
    envelope,
    kem_prekeys,
    message_id,
)

from wigwag.server import Limits
from wigwag.server.core import (
    Ack,
    DeviceListGet,
    DeviceListPublish,
    DeviceListPublished,
    DeviceLists,
    EcPrekey,
    EngineLimits,
    Failed,
    PrekeysClaim,
    PrekeysHeld,
    PrekeysLow,
    PrekeysUpload,
    Refusal,
    Refused,
    Sequenced,
    Status,
    Tick,
    Ticked,
    rows,
)
from wigwag.server.core import _limits as bounds
from wigwag.server.core._state import Cache
from wigwag.server.engines._schema import SENT_PREFIX
from wigwag.wire import LIMITS

AROUND = (-1, 0, 1)
DAY_MS = 86_400_000


def two(limits: EngineLimits | None = None) -> World:
    """Return a world with Alice and Bob, one device each."""
    world = World(limits)
    world.register(ALICE_1)
    world.register(BOB_1)
    return world


# What an operator may set


@pytest.mark.parametrize("beside", AROUND)
def test_device_bytes_max(beside: int) -> None:
    """A full inbox refuses; nothing is trimmed."""
    world = two(EngineLimits(device_bytes_max=1_000))
    answer = world.ask(world.send(envelope(BOB_1, bytes(1_000 + beside))))
    if beside > 0:
        assert isinstance(answer, Refused)
        assert answer.code is Refusal.RECIPIENT_FULL
    else:
        assert isinstance(answer, Sequenced)
    assert len(world.read(BOB_1)) == (beside <= 0)


@pytest.mark.parametrize("beside", AROUND)
def test_sender_bytes_max(beside: int) -> None:
    """One account's share of a stranger's inbox."""
    world = two(EngineLimits(sender_bytes_max=1_000))
    answer = world.ask(world.send(envelope(BOB_1, bytes(1_000 + beside))))
    assert isinstance(answer, Refused) is (beside > 0)


@pytest.mark.parametrize("beside", AROUND)
async def test_group_records_max(beside: int, tmp_path: Path) -> None:
    """One more waits for the next commit."""
    lab = Lab(tmp_path)
    lab.limits = EngineLimits(group_records_max=4)
    assert await groups(lab, 4 + beside) == ([4, 1] if beside > 0 else [4 + beside])


async def groups(lab: Lab, count: int) -> list[int]:
    """Ask so many things at once; return the sizes of the groups."""
    async with lab.engine() as engine:
        done: list[object] = []
        lab.ears.heard.clear()
        for _ in range(count):
            engine.append(Status(), done.append)
        while len(done) < count:
            await trio.lowlevel.checkpoint()
    return [records for records, _, _ in lab.ears.of("committed")]


@pytest.mark.parametrize("beside", AROUND)
async def test_group_bytes_max(beside: int, tmp_path: Path) -> None:
    """Two messages fit to the byte; what reaches beyond waits for the next commit."""
    lab = Lab(tmp_path)
    lab.limits = EngineLimits(group_bytes_max=200)
    world = two()
    first = world.send(envelope(BOB_1, bytes(100)))
    second = world.send(envelope(BOB_1, bytes(100 + beside)), after=first.client_msg_id)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        lab.ears.heard.clear()
        answers = await ask_all(engine, first, second)
    assert all(isinstance(one, Sequenced) for one in answers)
    sizes = [records for records, _, _ in lab.ears.of("committed")]
    assert sizes == ([1, 1] if beside > 0 else [2])


@pytest.mark.parametrize("beside", AROUND)
def test_cache_rows_max(beside: int) -> None:
    """Above it the less used half goes with the next round."""
    cache = Cache(8)
    for key in range(8 + beside):
        cache.put(key, key)
    cache.age()
    assert (not cache.young) is (beside > 0)
    cache.age()
    assert len(cache) == 8 + beside


@pytest.mark.parametrize("beside", AROUND)
def test_tail_entries_max(beside: int) -> None:
    """A device that is away costs a window at most."""
    world = two(EngineLimits(tail_entries_max=4))
    for _ in range(4 + beside):
        world.sent()
    tail = world.tail(BOB_1)
    assert tail is not None
    assert len(tail.entries) == min(4, 4 + beside)


@pytest.mark.parametrize("beside", AROUND)
def test_tail_bytes_max(beside: int) -> None:
    """All tails together; who was first in memory goes first."""
    probe = two()
    probe.sent()
    size = probe.state.tail_bytes
    world = two(EngineLimits(tail_bytes_max=3 * size + beside))
    for _ in range(3):
        world.sent()
    assert world.state.tail_bytes == (0 if beside < 0 else 3 * size)


def test_every_engine_bound_can_be_set() -> None:
    """group_bytes_max and all others: what an operator writes is what the folds get."""
    fields = EngineLimits.__struct_fields__
    names = {"device_bytes_max": "device_backlog_bytes_max"}
    names["sender_bytes_max"] = "sender_backlog_bytes_max"
    assert Limits().engine == EngineLimits()
    for field in fields:
        name = names.get(field, field)
        value = getattr(Limits(), name) - 1
        engine = Limits(**{name: value}).engine
        assert getattr(engine, field) == value
        assert engine == msgspec.structs.replace(EngineLimits(), **{field: value})


# What every copy of a log must share


def test_what_both_sides_know_has_one_home() -> None:
    """ID_AGE_DAYS_MAX and the like are the specification's."""
    assert LIMITS["id_age_days_max"].value == bounds.ID_AGE_DAYS_MAX
    assert LIMITS["id_ahead_days_max"].value == bounds.ID_AHEAD_DAYS_MAX
    assert LIMITS["retention_days"].value == bounds.RETENTION_DAYS
    assert LIMITS["devices_per_account_max"].value == bounds.DEVICES_MAX
    # An id may be a day ahead, and is then known for the whole horizon.
    assert LIMITS["dedupe_days"].value + 1 == bounds.SENT_INDEX_DAYS


@pytest.mark.parametrize("beside_ms", AROUND)
def test_id_age_days_max(beside_ms: int) -> None:
    """To the millisecond; whatever is taken is known for as long as it is offered."""
    world = two()
    age_ms = bounds.ID_AGE_DAYS_MAX * DAY_MS + beside_ms
    send = world.send(client_msg_id=message_id(world.now_ms - age_ms, 1))
    assert isinstance(world.ask(send), Sequenced) is (beside_ms <= 0)


@pytest.mark.parametrize("beside_ms", AROUND)
def test_id_ahead_days_max(beside_ms: int) -> None:
    """A badly set clock is a day off at most."""
    world = two()
    ahead_ms = bounds.ID_AHEAD_DAYS_MAX * DAY_MS + beside_ms
    send = world.send(client_msg_id=message_id(world.now_ms + ahead_ms, 1))
    assert isinstance(world.ask(send), Sequenced) is (beside_ms <= 0)


@pytest.mark.parametrize("beside_ms", AROUND)
def test_retention_days(beside_ms: int) -> None:
    """An entry is kept for thirty days, to the millisecond."""
    world = two()
    world.sent()
    world.now_ms += 1_000
    world.ask(Ack(BOB_1, REGISTRATION, 0))
    world.now_ms += bounds.RETENTION_DAYS * DAY_MS - 1_000 + beside_ms
    world.connect(BOB_1, 0)
    world.expect(Ticked, Tick())
    assert len(world.inboxes[BOB_1]) == (beside_ms <= 0)


@pytest.mark.parametrize("beside_days", AROUND)
async def test_sent_index_days(beside_days: int, tmp_path: Path) -> None:
    """dedupe_days: a day's ids go once none of them can be offered again."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask(engine, two().send())
        first = sent_tables(lab)
        lab.clock.ms += (bounds.SENT_INDEX_DAYS + beside_days) * DAY_MS
        tick: Tick | None = Tick()
        while tick is not None:
            ticked = await ask(engine, tick)
            assert isinstance(ticked, Ticked)
            tick = None if ticked.after is None else Tick(after=ticked.after)
        left = sent_tables(lab)
    assert len(first) == 1
    assert (left == first) is (beside_days <= 0)


def sent_tables(lab: Lab) -> list[str]:
    """Return the tables of the sent index, one for each day."""
    found = lab.query("SELECT name FROM sqlite_master WHERE type = 'table'")
    return sorted(name for (name,) in found if name.startswith(SENT_PREFIX))


@pytest.mark.parametrize("beside", AROUND)
def test_devices_stale_max(beside: int) -> None:
    """The answer's arrays are bounded; that there is more is said."""
    world = two()
    count = bounds.DEVICES_STALE_MAX + beside
    world.tables[rows.ROSTERS][BOB] = tuple((n, 1) for n in range(1, count + 1))
    world.state.forget_everything()
    answer = world.expect(Refused, world.send(users=(BOB,), envelopes=()))
    assert answer.devices is not None
    assert len(answer.devices.missing) == min(count, bounds.DEVICES_STALE_MAX)
    assert answer.devices.more is (beside > 0)


@pytest.mark.parametrize("beside", AROUND)
def test_prekeys_max(beside: int) -> None:
    """A client that uploads in a loop can't fill the disk."""
    world = two()
    keys = tuple(
        EcPrekey(n, b"k" * 32) for n in range(2, 2 + bounds.PREKEYS_MAX + beside)
    )
    answer = world.ask(PrekeysUpload(BOB_1, REGISTRATION, keys, ()))
    if beside > 0:
        assert answer == Failed(Refusal.QUOTA)
    else:
        assert isinstance(answer, PrekeysHeld)
        assert answer.ec_left == len(keys)


@pytest.mark.parametrize("beside", AROUND)
def test_prekeys_low(beside: int) -> None:
    """Below it the device is asked for more, in time."""
    world = two()
    left = bounds.PREKEYS_LOW + beside
    keys = tuple(EcPrekey(n, b"k" * 32) for n in range(2, 3 + left))
    kem = kem_prekeys(*range(2, 60))
    world.ask(PrekeysUpload(BOB_1, REGISTRATION, keys, kem))
    world.ask(PrekeysClaim(ALICE_1, BOB))
    hints = [event for event in world.events if isinstance(event, PrekeysLow)]
    assert [hint.ec_left for hint in hints] == ([left] if beside < 0 else [])


def publish(world: World, seq: int, *numbers: int) -> object:
    """Publish a list of Bob's."""
    return world.ask(
        DeviceListPublish(
            BOB_1,
            seq,
            b"1" * 32 if seq == 2 else bytes((seq - 1,)) * 32,
            bytes((seq,)) * 32,
            b"list %d" % seq,
            b"l" * 64,
            numbers,
        )
    )


@pytest.mark.parametrize("beside", AROUND)
def test_devices_max(beside: int) -> None:
    """devices_per_account_max: each costs every sender an envelope."""
    numbers = range(1, bounds.DEVICES_MAX + beside + 1)
    answer = publish(two(), 2, *numbers)
    expected = Failed(Refusal.QUOTA) if beside > 0 else DeviceListPublished(2)
    assert answer == expected


@pytest.mark.parametrize("beside", AROUND)
def test_chats_opened_max(beside: int) -> None:
    """chats_per_account_max: the last that fits is opened, the next is refused."""
    world = two()
    world.tables[rows.OPENED][ALICE] = bounds.CHATS_OPENED_MAX - 1 + beside
    answer = world.ask(world.send())
    if beside > 0:
        assert isinstance(answer, Refused)
        assert answer.code is Refusal.QUOTA
    else:
        assert isinstance(answer, Sequenced)
        assert world.tables[rows.OPENED][ALICE] == bounds.CHATS_OPENED_MAX + beside


@pytest.mark.parametrize("beside", AROUND)
def test_lists_max(beside: int) -> None:
    """More lists than fit come with the next request."""
    world = two()
    for seq in range(2, bounds.LISTS_MAX + beside + 2):
        assert publish(world, seq, 1) == DeviceListPublished(seq)
    found = world.expect(DeviceLists, DeviceListGet(ALICE, BOB, 1))
    assert len(found.lists) == min(bounds.LISTS_MAX, bounds.LISTS_MAX + beside)
    assert found.more is (beside > 0)
