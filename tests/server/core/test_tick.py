"""Expiry, suspension, and dropping in portions."""

import pytest
from tests.server.core.world import (
    ALICE_1,
    BOB,
    BOB_1,
    CAROL_1,
    CHAT,
    DAY_MS,
    EPOCH,
    REGISTRATION,
    World,
    envelope,
    signed_prekey,
)

from wigwag.server.core import (
    Ack,
    Gap,
    GapOpened,
    GapReason,
    ReceiptMoved,
    ReRegister,
    Tick,
    Ticked,
    UndeliveredReason,
    rows,
)
from wigwag.wire import suite1

MONTH_MS = 30 * DAY_MS


@pytest.fixture(params=[False, True], ids=["remembering", "forgetful"])
def world(request: pytest.FixtureRequest) -> World:
    """Alice writes to Bob, who is away."""
    world = World(is_forgetful=request.param)
    world.register(ALICE_1)
    world.register(BOB_1)
    return world


def tick(world: World) -> tuple[int, int]:
    """Tick until all devices were looked at: expired, suspended."""
    after: bytes | None = b""
    expired = suspended = rounds = 0
    while after is not None:
        answer = world.expect(Ticked, Tick(after))
        expired += answer.expired
        suspended += answer.suspended
        after = answer.after
        rounds += 1
        assert rounds < 50
    return expired, suspended


def reports(world: World) -> list[tuple[bytes, int]]:
    """Return what Alice was told: id and reason."""
    return [(one.client_msg_id, one.frame[-2]) for one in world.read(ALICE_1)]


def test_an_entry_expires_after_thirty_days_and_both_are_told(world: World) -> None:
    """GAP to the device, UNDELIVERED to the sender, then the mark passes."""
    old, older = world.sent(), world.sent()
    world.now_ms += MONTH_MS
    world.ask(Ack(BOB_1, REGISTRATION, 0))
    world.connect(BOB_1, 0)
    young = world.sent()
    assert tick(world) == (0, 0)
    world.now_ms += 1
    assert tick(world) == (2, 0)
    gap = Gap(EPOCH << 32 | 1, EPOCH << 32 | 2, GapReason.EXPIRED)
    assert GapOpened(BOB_1, gap) in world.events
    assert reports(world) == [
        (old.client_msg_id, UndeliveredReason.EXPIRED),
        (older.client_msg_id, UndeliveredReason.EXPIRED),
    ]
    assert ReceiptMoved(ALICE_1[:16], CHAT, BOB, older.chat_seq) in world.events
    (entry,) = world.read(BOB_1)
    assert entry.client_msg_id == young.client_msg_id
    assert world.connect(BOB_1, 0).gaps == (gap,)
    assert world.connect(BOB_1, gap.last).gaps == ()
    assert world.head(BOB_1).size == entry.size


def test_a_device_not_seen_for_thirty_days_is_suspended(world: World) -> None:
    """Its inbox is dropped whole; it is told at its next sign-in, and goes on."""
    first = world.sent()
    world.now_ms += MONTH_MS
    second = world.sent()
    world.now_ms += 1
    assert tick(world) == (2, 1)
    assert world.head(BOB_1).is_suspended
    assert not world.inboxes[BOB_1]
    third = world.sent()
    assert reports(world) == [
        (first.client_msg_id, UndeliveredReason.SUSPENDED),
        (second.client_msg_id, UndeliveredReason.SUSPENDED),
        (third.client_msg_id, UndeliveredReason.SUSPENDED),
    ]
    gap = Gap(1, EPOCH << 32 | 2, GapReason.SUSPENDED)
    answer = world.connect(BOB_1, 0)
    assert answer.gaps == (gap,)
    assert not world.head(BOB_1).is_suspended
    world.sent()
    assert [one.prev for one in world.read(BOB_1)] == [gap.last]
    assert world.connect(BOB_1, gap.last).gaps == ()
    assert not [one for one in world.events if type(one).__name__ == "RestoreProven"]


def test_a_suspended_sender_gets_no_reports(world: World) -> None:
    """Nothing is queued for a device that nobody has seen for a month."""
    world.sent()
    world.sent(
        envelope(ALICE_1),
        sender=BOB_1,
        users=(ALICE_1[:16],),
    )
    world.now_ms += MONTH_MS + 1
    # Alice is first; Bob's inbox gets her report, and goes with it.
    assert tick(world) == (3, 2)
    assert not world.inboxes[ALICE_1]
    assert not world.inboxes[BOB_1]
    assert [world.head(one).size for one in (ALICE_1, BOB_1)] == [0, 0]


def test_large_inboxes_go_in_portions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No group's folds may hold up the others; between portions nothing is read."""
    for module in ("_inbox_drop", "_wanted"):
        monkeypatch.setattr(f"wigwag.server.core.{module}.DROP_ENTRIES_MAX", 2)
    ids = [world.sent().client_msg_id for _ in range(7)]
    world.now_ms += MONTH_MS + 1
    first = world.expect(Ticked, Tick())
    assert first == Ticked(b"", 2, 1)
    assert world.read(BOB_1) == ()
    assert tick(world) == (5, 0)
    assert [one for one, _ in reports(world)] == ids
    assert world.head(BOB_1).doomed == 0
    assert tick(world) == (0, 0)


def test_expiry_goes_in_portions_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One device after the other, one portion after the other."""
    for module in ("_inbox_drop", "_wanted"):
        monkeypatch.setattr(f"wigwag.server.core.{module}.DROP_ENTRIES_MAX", 2)
    world.register(CAROL_1)
    chat = suite1.direct_chat_id(ALICE_1[:16], CAROL_1[:16])
    for _ in range(3):
        world.sent()
        world.sent(envelope(CAROL_1), chat=chat)
    world.now_ms += MONTH_MS + 1
    for device in (BOB_1, CAROL_1):
        world.connect(device, 0)
    assert tick(world) == (6, 0)
    assert not world.inboxes[BOB_1]
    assert not world.inboxes[CAROL_1]
    assert len(world.head(BOB_1).gaps) == 2


def test_many_devices_are_looked_at_in_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tick's record has a bound; the next goes on behind it."""
    monkeypatch.setattr("wigwag.server.core._inbox_drop.TICK_DEVICES_MAX", 1)
    world.register(CAROL_1)
    chat = suite1.direct_chat_id(ALICE_1[:16], CAROL_1[:16])
    world.sent()
    world.sent(envelope(CAROL_1), chat=chat)
    world.now_ms += MONTH_MS + 1
    for device in (BOB_1, CAROL_1):
        world.connect(device, 0)
    assert world.expect(Ticked, Tick()) == Ticked(BOB_1, 1, 0)
    assert world.changes.tick_ms == 0
    assert world.expect(Ticked, Tick(BOB_1)) == Ticked(None, 1, 0)
    assert world.changes.tick_ms == world.now_ms


def test_what_a_new_registration_left_is_reported_by_ticks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device goes on at once; its new mail is not touched."""
    for module in ("_inbox_drop", "_wanted"):
        monkeypatch.setattr(f"wigwag.server.core.{module}.DROP_ENTRIES_MAX", 2)
    ids = [world.sent().client_msg_id for _ in range(5)]
    world.ask(ReRegister(BOB_1, 8, 2, signed_prekey(2)))
    new = world.sent(envelope(BOB_1, registration=8))
    assert [one.client_msg_id for one in world.read(BOB_1)] == [new.client_msg_id]
    last = world.head(BOB_1).last
    world.ask(Ack(BOB_1, 8, last))
    assert len(world.inboxes[BOB_1]) == 3
    assert tick(world) == (3, 0)
    assert [one for one, _ in reports(world)] == ids
    assert {reason for _, reason in reports(world)} == {UndeliveredReason.REREGISTERED}
    assert not world.inboxes[BOB_1]
    mark = world.tables[rows.MARKS][CHAT + BOB]
    assert mark.pending == ()


def test_a_second_registration_before_the_first_is_reported(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Doomed entries stay doomed until they are said."""
    for module in ("_inbox_drop", "_wanted"):
        monkeypatch.setattr(f"wigwag.server.core.{module}.DROP_ENTRIES_MAX", 2)
    for _ in range(5):
        world.sent()
    world.ask(ReRegister(BOB_1, 8, 2, signed_prekey(2)))
    world.sent(envelope(BOB_1, registration=8))
    world.ask(ReRegister(BOB_1, 9, 3, signed_prekey(3)))
    assert world.read(BOB_1) == ()
    assert tick(world)[0] == 3
    assert len(reports(world)) == 6
    assert not world.inboxes[BOB_1]


def test_a_tick_whose_expired_entries_were_acknowledged_in_its_group(
    world: World,
) -> None:
    """The tick was read for before the acknowledgement was folded."""
    world.sent()
    world.now_ms += MONTH_MS + 1
    last = world.head(BOB_1).last
    answers = world.group(Ack(BOB_1, REGISTRATION, last), Tick())
    assert answers[1] == Ticked(None, 0, 0)
    assert reports(world) == []


def test_a_portion_may_end_with_a_device(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next record begins with the next device."""
    for module in ("_inbox_drop", "_wanted"):
        monkeypatch.setattr(f"wigwag.server.core.{module}.DROP_ENTRIES_MAX", 2)
    world.register(CAROL_1)
    chat = suite1.direct_chat_id(ALICE_1[:16], CAROL_1[:16])
    for _ in range(2):
        world.sent()
        world.sent(envelope(CAROL_1), chat=chat)
    world.now_ms += MONTH_MS + 1
    for device in (BOB_1, CAROL_1):
        world.connect(device, 0)
    assert world.expect(Ticked, Tick()) == Ticked(BOB_1, 2, 0)
    assert tick(world) == (2, 0)


def test_a_cursor_among_doomed_entries_is_believed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are dropped but not reported yet: no proof of anything."""
    for module in ("_inbox_drop", "_wanted"):
        monkeypatch.setattr(f"wigwag.server.core.{module}.DROP_ENTRIES_MAX", 2)
    for _ in range(5):
        world.sent()
    world.now_ms += MONTH_MS + 1
    world.expect(Ticked, Tick())
    inside = EPOCH << 32 | 4
    answer = world.connect(BOB_1, inside)
    assert answer.acked == inside
    assert answer.gaps == (Gap(1, inside + 1, GapReason.SUSPENDED),)
    assert tick(world) == (3, 0)
    assert len(reports(world)) == 5
    assert not [one for one in world.events if type(one).__name__ == "RestoreProven"]
