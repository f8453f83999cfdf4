"""The sweeper: every deadline on time, and none before it, on a fake clock."""

import math
import weakref

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from wigwag.server._sweeper import GRID_SECONDS, Sweeper


@pytest.fixture
def autojump_clock() -> MockClock:
    """Time that passes as soon as everybody waits."""
    return MockClock(autojump_threshold=0)


class Alarm:
    """Something with a deadline that notes when it was told."""

    def __init__(self, deadline: float | None) -> None:
        self.armed_at = math.inf
        self.deadline = deadline
        self.told: list[float] = []
        self.repeats = False

    def next_deadline(self) -> float | None:
        """The deadline as it stands."""
        return self.deadline

    def tick(self, now: float) -> None:
        """Note the time."""
        self.told.append(now)
        if not self.repeats:
            self.deadline = None


def nothing() -> None:
    """Does nothing around a round of ticks."""


async def test_each_is_told_once_and_soon_after_its_deadline(
    autojump_clock: MockClock,
) -> None:
    """Late by no more than the grid."""
    start = trio.current_time()
    alarms = [Alarm(start + after) for after in (3.0, 1.0, 2.0)]
    rounds: list[str] = []
    sweeper = Sweeper(lambda: rounds.append("begin"), lambda: rounds.append("end"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sweeper.run)
        for alarm in alarms:
            sweeper.arm(alarm)
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    for alarm, after in zip(alarms, (3.0, 1.0, 2.0), strict=True):
        assert len(alarm.told) == 1
        assert 0 <= alarm.told[0] - start - after <= 2 * GRID_SECONDS
    assert rounds == ["begin", "end"] * 3


async def test_an_earlier_deadline_interrupts_the_sleep(
    autojump_clock: MockClock,
) -> None:
    """A handshake's ten seconds don't wait for somebody's idle minute."""
    start = trio.current_time()
    late, early = Alarm(start + 60), Alarm(start + 1)
    sweeper = Sweeper(nothing, nothing)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sweeper.run)
        sweeper.arm(late)
        await wait_all_tasks_blocked()
        sweeper.arm(early)
        await trio.sleep(2)
        assert len(early.told) == 1
        assert not late.told
        nursery.cancel_scope.cancel()


async def test_a_deadline_that_moved_away_is_not_told(
    autojump_clock: MockClock,
) -> None:
    """It moves with almost every frame, and nobody says so."""
    start = trio.current_time()
    alarm = Alarm(start + 1)
    sweeper = Sweeper(nothing, nothing)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sweeper.run)
        sweeper.arm(alarm)
        alarm.deadline = start + 5
        await trio.sleep(4)
        assert not alarm.told
        await trio.sleep(2)
        assert len(alarm.told) == 1
        nursery.cancel_scope.cancel()


async def test_a_deadline_left_in_the_past_does_not_spin(
    autojump_clock: MockClock,
) -> None:
    """A bug in one tick must not take the processor away from all."""
    start = trio.current_time()
    alarm = Alarm(start)
    alarm.repeats = True
    sweeper = Sweeper(nothing, nothing)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sweeper.run)
        sweeper.arm(alarm)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert 1 < len(alarm.told) <= 1 / GRID_SECONDS + 1


async def test_who_has_no_deadline_any_more_is_forgotten(
    autojump_clock: MockClock,
) -> None:
    """A connection that is gone must not be kept alive by its deadlines."""
    alarm = Alarm(None)
    sweeper = Sweeper(nothing, nothing)
    sweeper.arm(alarm)
    assert alarm.armed_at == math.inf
    gone = Alarm(trio.current_time() + 1)
    sweeper.arm(gone)
    gone.deadline = None
    sweeper.sweep(trio.current_time() + 2)
    assert gone.armed_at == math.inf
    assert not gone.told


def test_whoever_is_gone_is_not_kept_until_his_deadline() -> None:
    """Else connections that come and go would pile up with all their buffers."""
    sweeper = Sweeper(nothing, nothing)
    alarm = Alarm(1_000.0)
    sweeper.arm(alarm)
    gone = weakref.ref(alarm)
    del alarm
    assert gone() is None
    sweeper.sweep(2_000.0)
