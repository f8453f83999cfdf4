"""The disk: real SQL on real files, at simulated times.

Work runs inline, then the disk takes its time, then the COMMIT happens; a process
that dies in between leaves the database as the last COMMIT left it. Most commits are
quick. A disk that is slow now and then is what finds an acknowledgement before the
commit, which random crashes alone hit too rarely (RELIABILITY.md §1).

The server's executor is handed the whole transaction, COMMIT included, so its time
passes before the work. The client's executor is handed work and COMMIT apart.

Here a COMMIT is durable: what an operating system loses when the power goes is
another test's business.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, Generic, TypeVar

import trio
from tests.simulation._world import Process

Result = TypeVar("Result")

QUICK_SECONDS: Final = (0.0003, 0.003)
"""An fsync of a good disk."""

SLOW_SECONDS: Final = (0.05, 4.0)
"""One of a disk that is busy, or worn."""

BACK_SECONDS: Final = (0.0, 0.001)
"""From the COMMIT until the event loop hears of it."""


@dataclass
class Disk:
    """How long commits take; may be changed at any time.

    Attributes:
        random: Its stream.
        slow_share: Which share of commits is slow.
        crash_share: Which share of slow commits kills the process: before the COMMIT
            or right after it, half and half.
        commits: Made so far.
    """

    random: Random
    slow_share: float = 0.0
    crash_share: float = 0.0
    commits: int = 0

    def draw(self) -> tuple[float, float, bool | None]:
        """Draw a commit.

        Returns:
            Seconds before it, seconds after it, and whether the process dies: False:
            before, True: after, None: not at all.
        """
        self.commits += 1
        is_slow = self.random.random() < self.slow_share
        before = self.random.uniform(*(SLOW_SECONDS if is_slow else QUICK_SECONDS))
        after = self.random.uniform(*BACK_SECONDS)
        dies_after: bool | None = None
        if is_slow and self.random.random() < self.crash_share:
            dies_after = self.random.random() < 0.5
        return before, after, dies_after

    def clear(self) -> None:
        """Be a good disk from now on."""
        self.slow_share = 0.0
        self.crash_share = 0.0


class ServerJob(Generic[Result]):
    """Work that was handed over; the `Job` port."""

    def __init__(self, executor: "ServerExecutor", work: Callable[[], Result]) -> None:
        self._executor = executor
        self._work = work
        self._outcome: Callable[[], Result] | None = None

    @property
    def is_done(self) -> bool:
        """Whether the work has run."""
        return self._outcome is not None

    async def result(self) -> Result:
        """Have everything up to this work run, and return what it returned."""
        await self._executor.run_until(self)
        assert self._outcome is not None
        return self._outcome()

    def run_now(self) -> None:
        """Run the work; what it raises is kept for whoever waits."""
        try:
            value = self._work()
        except Exception as error:
            failure = error

            def outcome() -> Result:
                raise failure

            self._outcome = outcome
        else:
            self._outcome = lambda: value


class ServerExecutor:
    """The server's `Executor` port: one piece at a time, in the order of `start`."""

    def __init__(self, process: Process, disk: Disk) -> None:
        self._process = process
        self._disk = disk
        self._waiting: deque[ServerJob[object]] = deque()
        self._lock = trio.Lock()

    def start(self, work: Callable[[], Result]) -> ServerJob[Result]:
        """Hand work over without waiting."""
        self._process.must_live()
        job = ServerJob(self, work)
        self._waiting.append(job)  # type: ignore[arg-type] # only run, never read
        return job

    async def run(self, work: Callable[[], Result]) -> Result:
        """Hand work over and wait for it."""
        return await self.start(work).result()

    async def run_until(self, job: ServerJob[Result]) -> None:
        """Run what waits, in order, until a job is done."""
        # A thread isn't interrupted by whoever waits for it; death interrupts.
        with trio.CancelScope(shield=True):
            while not job.is_done:
                async with self._lock:
                    if not job.is_done:
                        await self._run_next()

    async def _run_next(self) -> None:
        before, after, dies_after = self._disk.draw()
        await self._process.sleep(before)
        if dies_after is False:
            self._process.kill()
        self._process.must_live()
        self._waiting.popleft().run_now()
        if dies_after is True:
            self._process.kill()
        await self._process.sleep(after)


class ClientExecutor:
    """The client's `Executor` port: the disk's time passes between work and COMMIT."""

    def __init__(self, process: Process, disk: Disk) -> None:
        self._process = process
        self._disk = disk
        self._lock = trio.Lock()

    async def run(
        self,
        work: Callable[[], Result],
        commit: Callable[[], None],
        rollback: Callable[[], None],
    ) -> Result:
        """Run `work`, then `commit`; `rollback` if either raises or death comes."""
        # A caller that is cancelled must not take a half-run transaction for none.
        results: list[Result] = []
        with trio.CancelScope(shield=True):
            async with self._lock:
                self._process.must_live()
                try:
                    results.append(work())
                    before, after, dies_after = self._disk.draw()
                    await self._process.sleep(before)
                    if dies_after is False:
                        self._process.kill()
                        self._process.must_live()
                    commit()
                except BaseException:
                    rollback()
                    raise
                if dies_after is True:
                    self._process.kill()
                await self._process.sleep(after)
        return results[0]
