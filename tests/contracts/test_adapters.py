"""The real thread, clock and entropy."""

import threading

import pytest
import trio

from wigwag.server.engines import SystemClock, SystemEntropy, ThreadExecutor
from wigwag.server.engines._crash import Countdown, crash_point, go_on

SECOND_NS = 1_000_000_000


class Hands:
    """A wall clock and a boot clock that are set by hand."""

    def __init__(self) -> None:
        self.wall_seconds = 1_800_000_000.0
        self.boot_seconds = 100.0

    def clock(self) -> SystemClock:
        """Make a clock of them."""
        return SystemClock(
            lambda: int(self.wall_seconds * SECOND_NS),
            lambda: int(self.boot_seconds * SECOND_NS),
        )

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass for both."""
        self.wall_seconds += seconds
        self.boot_seconds += seconds


def test_time_passes() -> None:
    """Both clocks agree: the wall clock is told."""
    hands = Hands()
    clock = hands.clock()
    hands.pass_seconds(5)
    assert clock.now_ms() == 1_800_000_005_000
    assert clock.step_ms == 0


@pytest.mark.parametrize("step_seconds", [-60, 60])
def test_a_small_step_is_followed(step_seconds: int) -> None:
    """Time servers correct clocks."""
    hands = Hands()
    clock = hands.clock()
    hands.wall_seconds += step_seconds
    assert clock.now_ms() == 1_800_000_000_000 + step_seconds * 1_000


@pytest.mark.parametrize("step_seconds", [-61, 61, 86_400 * 40])
def test_a_large_step_is_not_followed_until_it_is_accepted(step_seconds: int) -> None:
    """Rule 12: it would expire everybody's mail, or nobody's."""
    hands = Hands()
    clock = hands.clock()
    hands.wall_seconds += step_seconds
    hands.pass_seconds(10)
    assert clock.now_ms() == 1_800_000_010_000
    assert clock.step_ms == step_seconds * 1_000
    clock.accept()
    assert clock.now_ms() == 1_800_000_010_000 + step_seconds * 1_000
    assert clock.step_ms == 0


def test_drift_is_followed_however_far_it_goes() -> None:
    """Small steps add up; each is measured against the last."""
    hands = Hands()
    clock = hands.clock()
    for _ in range(10):
        hands.pass_seconds(1)
        hands.wall_seconds += 30
        clock.now_ms()
    assert clock.now_ms() == 1_800_000_310_000


def test_the_real_clocks_tell_the_real_time() -> None:
    """Without hands it is the system's."""
    clock = SystemClock()
    assert clock.now_ms() > 1_600_000_000_000
    assert clock.step_ms == 0


def test_entropy_is_as_long_as_asked_and_never_the_same() -> None:
    """Invites and ids come from it."""
    entropy = SystemEntropy()
    assert len(entropy.token(32)) == 32
    assert entropy.token(32) != entropy.token(32)


async def test_work_runs_in_order_on_one_other_thread() -> None:
    """SQLite's connection is used by one thread at a time."""
    seen: list[tuple[int, str]] = []

    def note(number: int) -> int:
        seen.append((number, threading.current_thread().name))
        return number * 2

    with ThreadExecutor() as executor:
        jobs = [executor.start(lambda n=n: note(n)) for n in range(5)]  # type: ignore[misc]
        doubled = [await job.result() for job in reversed(jobs)]
        assert await executor.run(lambda: note(9)) == 18
    assert doubled == [8, 6, 4, 2, 0]
    assert [number for number, _ in seen] == [0, 1, 2, 3, 4, 9]
    assert {name for _, name in seen} == {"wigwag writer"}


async def test_an_error_of_the_work_is_raised_where_it_is_waited_for() -> None:
    """The engine decides what it means."""
    with ThreadExecutor() as executor:
        job = executor.start(lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            await job.result()
        assert await executor.run(lambda: 7) == 7


def test_work_that_outlives_the_event_loop_wakes_nobody() -> None:
    """A process that ends while its last commit runs ends quietly."""
    started, may_end = threading.Event(), threading.Event()

    def slow() -> None:
        started.set()
        may_end.wait(10)

    executor = ThreadExecutor()

    async def hand_over() -> None:
        executor.start(slow)
        started.wait(10)
        await trio.lowlevel.checkpoint()

    with executor:
        trio.run(hand_over)
        may_end.set()
    assert started.is_set()


def test_crash_points_cost_nothing_and_have_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A misspelt name would test nothing."""
    assert crash_point is go_on
    crash_point("store.after_commit")
    with pytest.raises(ValueError, match="names no crash point"):
        Countdown("store.after_comit")
    killed: list[tuple[int, int]] = []

    def kill(process: int, number: int) -> None:
        killed.append((process, number))

    monkeypatch.setattr("os.kill", kill)
    countdown = Countdown("store.after_commit:2")
    countdown("store.after_commit")
    countdown("store.before_commit")
    assert not killed
    countdown("store.after_commit")
    assert len(killed) == 1
