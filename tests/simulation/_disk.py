"""The disk: real SQL on real files, at simulated times.

Work runs inline, then the disk takes its time, then the COMMIT happens; a process
that dies in between leaves the database as the last COMMIT left it. Most commits are
quick. A disk that is slow now and then is what finds an acknowledgement before the
commit, which random crashes alone hit too rarely (RELIABILITY.md §1).

The server's executor is handed the whole transaction, COMMIT included, so its time
passes before the work. The client's executor is handed work and COMMIT apart.

A full disk is SQLite's own: the file may not grow any further. An error of the disk
leaves open whether the COMMIT happened. What the operating system loses when the
power goes is the end of a log that was never synced: nothing, unless the database
was told not to sync, plus a torn write behind it.
"""

import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from random import Random
from typing import Final, Generic, NoReturn, TypeVar

import apsw
import trio
from tests.simulation._sql import run_sql
from tests.simulation._world import Process

from wigwag.server.ports import CommitUncertainError

Result = TypeVar("Result")

QUICK_SECONDS: Final = (0.0003, 0.003)
"""An fsync of a good disk."""

SLOW_SECONDS: Final = (0.05, 4.0)
"""One of a disk that is busy, or worn."""

BACK_SECONDS: Final = (0.0, 0.001)
"""From the COMMIT until the event loop hears of it."""

LATE_SECONDS: Final = (0.05, 2.0)
"""The same when the thread is late; the slow-disk knob turns both."""

PAGES_MAX: Final = 0xFFFF_FFFE
"""SQLite's own bound of a file that is not bounded."""

SYNC_FULL: Final = 2
"""PRAGMA synchronous: every COMMIT is synced from here on."""

TORN_BYTES_MAX: Final = 8192
"""Of a write that the power cut found under way: a page and its header."""


class Fate(Enum):
    """What a commit meets."""

    FINE = auto()
    DIES_BEFORE = auto()
    DIES_AFTER = auto()
    FAILS_BEFORE = auto()
    FAILS_AFTER = auto()
    """An error, although the COMMIT happened."""


@dataclass
class Disk:
    """How long commits take; may be changed at any time.

    Attributes:
        random: Its stream.
        slow_share: Which share of commits is slow.
        crash_share: Which share of slow commits kills the process: before the COMMIT
            or right after it, half and half.
        error_share: Which share of commits fails, with an unknown outcome.
        is_full: Files may not grow.
        has_been_full: They might not, at some time.
        has_failed: An error was given out; whoever ends then has a reason.
        is_synced: Whether the database asks for every COMMIT to be synced.
        commits: Made so far.
    """

    random: Random
    slow_share: float = 0.0
    crash_share: float = 0.0
    error_share: float = 0.0
    is_full: bool = False
    has_been_full: bool = False
    has_failed: bool = False
    is_synced: bool = True
    commits: int = 0
    _bounded: list[apsw.Connection] = field(default_factory=list[apsw.Connection])

    def draw(self) -> tuple[float, float, Fate]:
        """Draw a commit: seconds before it, seconds after it, and what it meets."""
        self.commits += 1
        random = self.random
        is_slow = random.random() < self.slow_share
        before = random.uniform(*(SLOW_SECONDS if is_slow else QUICK_SECONDS))
        is_late = is_slow and random.random() < 0.5
        after = random.uniform(*(LATE_SECONDS if is_late else BACK_SECONDS))
        fate = Fate.FINE
        if is_slow and random.random() < self.crash_share:
            fate = random.choice((Fate.DIES_BEFORE, Fate.DIES_AFTER))
        elif random.random() < self.error_share:
            fate = random.choice((Fate.FAILS_BEFORE, Fate.FAILS_AFTER))
        return before, after, fate

    def bound(self, connections: list[apsw.Connection]) -> None:
        """Keep a process's files from growing while the disk is full."""
        if not self.is_full and not self._bounded:
            return
        pages = 1 if self.is_full else PAGES_MAX
        known = [] if self.is_full else self._bounded
        wanted = connections if self.is_full else known
        for connection in wanted:
            if self.is_full and connection in self._bounded:
                continue
            try:
                run_sql(connection, f"PRAGMA max_page_count = {pages}")
            except apsw.ConnectionClosedError:
                continue
        self._bounded = list(connections) if self.is_full else []

    def fail(self) -> None:
        """Note that an error is given out."""
        self.has_failed = True

    def clear(self) -> None:
        """Be a good disk from now on."""
        self.slow_share = 0.0
        self.crash_share = 0.0
        self.error_share = 0.0
        self.is_full = False

    def lose_power(self, path: Path) -> None:
        """Leave of a database's log what a power cut leaves; nobody has it open."""
        log = path.with_name(path.name + "-wal")
        if not log.exists():
            return
        if not self.is_synced:
            length = log.stat().st_size
            with log.open("r+b") as file:
                file.truncate(int(length * self.random.random()))
        torn = self.random.randbytes(self.random.randint(0, TORN_BYTES_MAX))
        with log.open("ab") as file:
            file.write(torn)


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

    def fail(self, error: Exception) -> None:
        """Raise an error for whoever waits, whatever the work did."""

        def outcome() -> Result:
            raise error

        self._outcome = outcome

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
        self._has_noted_sync = False
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
        disk, process = self._disk, self._process
        before, after, fate = disk.draw()
        await process.sleep(before)
        if fate is Fate.DIES_BEFORE:
            process.kill()
        process.must_live()
        disk.bound(process.connections)
        job = self._waiting.popleft()
        if fate is not Fate.FAILS_BEFORE:
            job.run_now()
        if fate in {Fate.FAILS_BEFORE, Fate.FAILS_AFTER}:
            disk.fail()
            job.fail(CommitUncertainError("the disk failed"))
        if fate is Fate.DIES_AFTER:
            process.kill()
        self._note_sync()
        await process.sleep(after)

    def _note_sync(self) -> None:
        """Note, once a process, what its database asks of the disk."""
        if self._has_noted_sync or not self._process.connections:
            return
        self._has_noted_sync = True
        # The last one: others were opened to look at the file.
        connection = self._process.connections[-1]
        with contextlib.suppress(apsw.ConnectionClosedError):
            ((level,),) = run_sql(connection, "PRAGMA synchronous")
            self._disk.is_synced = level >= SYNC_FULL


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
                    self._disk.bound(self._process.connections)
                    changes = self._changes()
                    results.append(work())
                    if self._changes() == changes:
                        # Nothing to sync: SQLite writes nothing at this COMMIT.
                        commit()
                        await trio.lowlevel.checkpoint()
                        self._process.must_live()
                        return results[0]
                    before, after, fate = self._disk.draw()
                    await self._process.sleep(before)
                    if fate is Fate.DIES_BEFORE:
                        self._process.kill()
                        self._process.must_live()
                    if fate is Fate.FAILS_BEFORE:
                        self._fail()
                    commit()
                    if fate is Fate.FAILS_AFTER:
                        self._fail()
                except BaseException:
                    rollback()
                    raise
                if fate is Fate.DIES_AFTER:
                    self._process.kill()
                await self._process.sleep(after)
        return results[0]

    def _fail(self) -> NoReturn:
        self._disk.fail()
        raise apsw.IOError("the disk failed")

    def _changes(self) -> int:
        """Count the rows that the process's open connections have changed so far."""
        changes = 0
        for connection in list(self._process.connections):
            try:
                changes += connection.total_changes()
            except apsw.ConnectionClosedError:
                self._process.connections.remove(connection)
        return changes
