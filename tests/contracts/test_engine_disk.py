"""Full and broken disks: refuse and go on, or stop; never guess."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import trio
from tests.contracts.harness import Lab, ask, ask_all, settle
from tests.contracts.small_disk import SmallDisk
from tests.contracts.test_engine_order import sends
from tests.server.core.world import (
    ALICE,
    ALICE_1,
    BOB_1,
    CAROL_1,
    REGISTRATION,
    register,
)
from trio.testing import MockClock, wait_all_tasks_blocked

from wigwag.server.core import (
    Ack,
    Acked,
    Answer,
    Entries,
    Failed,
    InboxRead,
    Refusal,
    Refused,
    Send,
    Sequenced,
    Status,
    UsernameClaim,
)
from wigwag.server.engines import EmbeddedEngine
from wigwag.server.engines._embedded import CHECKPOINT_SECONDS
from wigwag.server.engines._reserve import Reserve
from wigwag.server.ports import CommitUncertainError, ReadFailedError

RESERVE_BYTES = 300_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk under the test's folder."""
    disk = SmallDisk(f"small-{tmp_path.name}", tmp_path)
    yield disk
    disk.unregister()


@pytest.fixture
def lab(tmp_path: Path, disk: SmallDisk) -> Lab:
    """An engine's folder on the small disk."""
    lab = Lab(tmp_path)
    lab.reserve_bytes = RESERVE_BYTES
    return lab


async def fill(engine: EmbeddedEngine, messages: list[Send]) -> list[Answer]:
    """Send until the disk is full; return all answers, the refusal last."""
    answers: list[Answer] = []
    for message in messages:
        answers.append(await ask(engine, message))
        if isinstance(answers[-1], Refused):
            return answers
    raise AssertionError("the disk never filled up")


async def test_a_full_disk_refuses_sends_and_still_takes_acknowledgements(
    lab: Lab, disk: SmallDisk
) -> None:
    """Rule 11: roll back, say UNAVAILABLE with outcome none, live from the reserve."""
    messages = sends(200, size=4_000)
    async with lab.engine(open_database=disk.open) as engine:
        await settle(engine, ALICE_1, BOB_1)
        disk.bytes_max = disk.used() + 200_000
        answers = await fill(engine, messages)
        count = len(answers) - 1
        refused = answers[-1]
        assert isinstance(refused, Refused)
        assert refused.code is Refusal.UNAVAILABLE
        assert engine.is_space_low
        assert lab.ears.of("space_low") == [(True,)]
        reserve = lab.path.with_name("wigwag.db.reserve")
        assert not reserve.exists()
        # Known ids are still answered; what only adds is refused without trying.
        assert await ask(engine, messages[0]) == answers[0]
        again = await ask(engine, messages[count])
        assert isinstance(again, Refused)
        assert again.code is Refusal.UNAVAILABLE
        unavailable = Failed(Refusal.UNAVAILABLE)
        assert await ask(engine, UsernameClaim(ALICE, "alice")) == unavailable
        assert await ask(engine, register(CAROL_1)) == unavailable
        # Reading and acknowledging go on.
        found = await ask(engine, InboxRead(BOB_1, 0, 1_000, 1 << 30))
        assert isinstance(found, Entries)
        assert len(found.entries) == count
        last = found.entries[-1].position
        assert await ask(engine, Ack(BOB_1, REGISTRATION, last)) == Acked(last)
    async with lab.engine() as engine:
        rest = await ask_all(engine, *messages[:count])
        assert rest == answers[:-1]


async def test_what_waits_behind_a_full_disk_is_refused_with_it(
    lab: Lab, disk: SmallDisk
) -> None:
    """Nothing hangs; every request is answered, and nothing of them is stored."""
    messages = sends(60, size=16_000)
    async with lab.engine(open_database=disk.open) as engine:
        await settle(engine, ALICE_1, BOB_1)
        disk.bytes_max = disk.used() + 100_000
        answers = await ask_all(engine, *messages, Status())
        assert len(answers) == 61
        stored = [one for one in answers if isinstance(one, Sequenced)]
        found = await ask(engine, InboxRead(BOB_1, 0, 1_000, 1 << 30))
        assert isinstance(found, Entries)
        assert len(found.entries) == len(stored)
        assert isinstance(answers[-1], Failed)


async def test_space_that_is_back_is_noticed(
    lab: Lab, disk: SmallDisk, mock_clock: MockClock
) -> None:
    """The reserve is filled again first; then SENDs are taken."""
    messages = sends(200, size=4_000)
    async with lab.engine(open_database=disk.open) as engine:
        await settle(engine, ALICE_1, BOB_1)
        disk.bytes_max = disk.used() + 200_000
        answers = await fill(engine, messages)
        disk.bytes_max = 1 << 40
        mock_clock.jump(CHECKPOINT_SECONDS + 1)
        await wait_all_tasks_blocked()
        assert not engine.is_space_low
        assert lab.ears.of("space_low") == [(True,), (False,)]
        assert lab.path.with_name("wigwag.db.reserve").stat().st_size == RESERVE_BYTES
        again = await ask(engine, messages[len(answers) - 1])
        assert isinstance(again, Sequenced)


async def test_a_checkpoint_on_a_full_disk_loses_nothing(
    lab: Lab, disk: SmallDisk, mock_clock: MockClock
) -> None:
    """The WAL stays as it is and is copied another time."""
    messages = sends(20, size=4_000)
    async with lab.engine(open_database=disk.open) as engine:
        await settle(engine, ALICE_1, BOB_1)
        answers = await ask_all(engine, *messages)
        disk.bytes_max = 0
        mock_clock.jump(CHECKPOINT_SECONDS + 1)
        await wait_all_tasks_blocked()
        disk.bytes_max = 1 << 40
        assert await ask_all(engine, *messages) == answers
    async with lab.engine() as engine:
        assert await ask_all(engine, *messages) == answers


async def until_it_stops(
    lab: Lab, disk: SmallDisk, use: Callable[[EmbeddedEngine], Awaitable[object]]
) -> None:
    """Use an engine on the small disk until it fails."""
    async with lab.engine(open_database=disk.open) as engine:
        await use(engine)
        await trio.sleep_forever()


async def test_a_failed_sync_stops_the_engine_without_an_answer(
    lab: Lab, disk: SmallDisk
) -> None:
    """After a failed fsync nothing is known: only a new start can tell."""
    first, second = sends(2)
    answers: list[Answer] = []
    refused: list[Answer] = []

    async def use(engine: EmbeddedEngine) -> None:
        await settle(engine, ALICE_1, BOB_1)
        answers.append(await ask(engine, first))
        disk.is_sync_broken = True
        engine.append(second, refused.append)

    with pytest.raises(CommitUncertainError, match="a commit failed"):
        await until_it_stops(lab, disk, use)
    assert refused == []
    disk.is_sync_broken = False
    async with lab.engine() as engine:
        assert await ask(engine, first) == answers[0]
        assert isinstance(await ask(engine, second), Sequenced)


async def test_a_failed_checkpoint_stops_the_engine(
    lab: Lab, disk: SmallDisk, mock_clock: MockClock
) -> None:
    """It syncs the database itself: the same rule."""

    async def use(engine: EmbeddedEngine) -> None:
        await settle(engine, ALICE_1, BOB_1)
        disk.is_sync_broken = True
        mock_clock.jump(CHECKPOINT_SECONDS + 1)

    with pytest.raises(CommitUncertainError, match="a checkpoint failed"):
        await until_it_stops(lab, disk, use)


async def test_a_failed_read_stops_the_engine(lab: Lab, disk: SmallDisk) -> None:
    """I22: what can't be read is never made up."""
    messages = sends(40, size=3_000)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask_all(engine, *messages)

    async def use(engine: EmbeddedEngine) -> None:
        disk.is_read_broken = True
        engine.append(InboxRead(BOB_1, 0, 40, 1 << 20), print)

    with pytest.raises(ReadFailedError, match="could not be read"):
        await until_it_stops(lab, disk, use)


async def test_a_failing_engine_goes_before_its_users_error(
    lab: Lab, disk: SmallDisk
) -> None:
    """The storage error is what the operator must see."""
    (message,) = sends(1)

    async def use(engine: EmbeddedEngine) -> None:
        await settle(engine, ALICE_1, BOB_1)
        disk.is_sync_broken = True
        engine.append(message, print)
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            raise ZeroDivisionError from None

    with pytest.raises(CommitUncertainError):
        await until_it_stops(lab, disk, use)


def test_a_reserve_that_does_not_fit_is_not_half_there(tmp_path: Path) -> None:
    """/dev/full has no room; a half-written reserve would be no reserve."""
    full = Reserve(Path("/dev/full"), 10)
    released: list[bool] = []
    full.release = lambda: released.append(True)  # type: ignore[method-assign]  # a device
    assert not full.fill()
    assert released == [True]
    reserve = Reserve(tmp_path / "reserve", 3_000_000)
    assert reserve.fill()
    assert reserve.fill()
    assert (tmp_path / "reserve").stat().st_size == 3_000_000
    reserve.release()
    assert not (tmp_path / "reserve").exists()
    reserve.release()
    with pytest.raises(OSError, match="No such file"):
        Reserve(tmp_path / "no" / "reserve", 5).fill()


def test_requests_are_values() -> None:
    """A request marked for a full disk is another value; the first is untouched."""
    (send,) = sends(1)
    marked = msgspec.structs.replace(send, marked=Refusal.UNAVAILABLE)
    assert send.marked is None
    assert marked.marked is Refusal.UNAVAILABLE
