"""The real writer thread, clock and entropy."""

import queue
import secrets
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

import trio

Result = TypeVar("Result")

# A larger step of the wall clock isn't followed until the operator confirms it.
STEP_MS_MAX = 60_000


class ThreadJob(Generic[Result]):
    """Work on its way through the writer thread; it wakes the event loop once."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._done = trio.Event()
        self._token = trio.lowlevel.current_trio_token()
        self._value: Result | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do the work; called on the writer thread."""
        try:
            self._value = self._work()
        except BaseException as error:
            self._error = error
        try:
            self._token.run_sync_soon(self._done.set)
        except trio.RunFinishedError:
            return  # nobody is left to wait for it

    async def result(self) -> Result:
        """Wait for the work and return or raise what came of it."""
        await self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set unless _error is


class ThreadExecutor:
    """One thread that does what it is given, in order. A context manager."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="wigwag writer")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            work()

    def start(self, work: Callable[[], Result]) -> ThreadJob[Result]:
        """Hand work over without waiting."""
        job = ThreadJob(work)
        self._queue.put(job.run)
        return job

    async def run(self, work: Callable[[], Result]) -> Result:
        """Hand work over and wait for it."""
        return await self.start(work).result()


class SystemClock:
    """The wall clock, held against the clock that no one sets.

    A step of more than 60 s isn't followed (rule 12): until `accept` the time goes
    on as if it had not happened. Smaller steps and drift are followed.
    """

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        boot_ns: Callable[[], int] | None = None,
    ) -> None:
        self._wall_ns = wall_ns
        self._boot_ns = boot_ns or _boot_ns
        self._offset_ms = self._measure()

    def _measure(self) -> int:
        return (self._wall_ns() - self._boot_ns()) // 1_000_000

    @property
    def step_ms(self) -> int:
        """How far the wall clock is from the time that is told; 0: it is followed."""
        step = self._measure() - self._offset_ms
        return step if abs(step) > STEP_MS_MAX else 0

    def now_ms(self) -> int:
        """Return ms since the Unix epoch."""
        offset = self._measure()
        if abs(offset - self._offset_ms) <= STEP_MS_MAX:
            self._offset_ms = offset
        return self._offset_ms + self._boot_ns() // 1_000_000

    def accept(self) -> None:
        """Follow the wall clock as it is now."""
        self._offset_ms = self._measure()


def _boot_ns() -> int:
    """Return the time since boot, sleep included where the system tells it."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock)


class SystemEntropy:
    """The operating system's random bytes."""

    def token(self, count: int) -> bytes:
        """Return `count` random bytes."""
        return secrets.token_bytes(count)
