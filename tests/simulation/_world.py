"""From one seed, everything that could differ between two runs.

- trio's scheduler shuffles its batches from the seed, and the clock jumps to the next
  deadline when nothing can run, so no real time enters.
- Every purpose has a `Random` of its own, made from the seed and the purpose's name:
  a draw more in one place doesn't move every other draw.
- The garbage collector runs at simulated times only. Finalizers that close things
  would otherwise run when the number of allocations says so, which differs between
  a process that ran other seeds before and one that didn't.

A `Process` is what a crash ends. Its ports stop at once: what its tasks still do while
they are cancelled reaches neither network nor disk, as after `kill -9`.
"""

import contextlib
import gc
import hashlib
from collections.abc import Awaitable, Callable, Generator
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final, NoReturn, TextIO, TypeVar

import apsw
import trio
from tests.simulation._history import Event, History, Killed, Started, Stopped, shown
from trio._core import _run as trio_run  # pyright: ignore[reportPrivateUsage] # trio's own test hook

Result = TypeVar("Result")

START_MS: Final = 1_790_000_000_000
"""The time of day at which every world begins (2026-09-21T14:13:20Z)."""

COLLECT_SECONDS: Final = 300.0
"""Simulated time between two garbage collections; bounds memory, not more."""


class ProcessKilled(BaseException):
    """Raised out of a port that a dead process still calls.

    Not an `Exception`: nothing that catches errors may go on after a crash.
    """


class ServerEntropy:
    """Random bytes that the seed decides; the server's `Entropy` port."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def token(self, count: int) -> bytes:
        """Return `count` bytes."""
        return self._random.randbytes(count)


class ClientEntropy:
    """Random bytes that the seed decides; the client's `Entropy` port."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def token(self, n: int) -> bytes:
        """Return `n` bytes."""
        return self._random.randbytes(n)


class SimulatedClock:
    """A machine's time of day; both `WallClock` ports fit.

    Args:
        skew_ms: How far this machine's clock is off.
    """

    def __init__(self, skew_ms: int = 0) -> None:
        self._skew_ms = skew_ms

    def now_ms(self) -> int:
        """Return ms since the Unix epoch."""
        return START_MS + self._skew_ms + round(trio.current_time() * 1000)

    def now_ns(self) -> int:
        """Return ns since the Unix epoch."""
        return self.now_ms() * 1_000_000

    def step(self, seconds: float) -> None:
        """Be set to another time."""
        self._skew_ms += round(seconds * 1000)


def boot_ns() -> int:
    """Return ns on the clock that nobody sets."""
    return round(trio.current_time() * 1_000_000_000)


class JumpingClock(trio.abc.Clock):
    """trio's clock: when nothing can run, it is the time of the next deadline.

    What `MockClock(autojump_threshold=0)` does in two turns of the scheduler and with a
    look at all its statistics; time passes some thirty thousand times an hour.
    """

    def __init__(self) -> None:
        self._now = 0.0

    def start_clock(self) -> None:
        """Nothing starts by itself."""

    def current_time(self) -> float:
        """Return simulated seconds since the world began."""
        return self._now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Jump to a deadline: it is asked for when nothing can run."""
        runner: Any = vars(trio_run.GLOBAL_RUN_CONTEXT)["runner"]
        if runner.waiting_for_idle:
            # Somebody waits for this moment, not for the next one.
            return deadline - self._now
        # Without one trio is about to start or to end; `run_world` always has one.
        if deadline < float("inf"):
            self._now = max(self._now, deadline)
        return 0.0


class Process:
    """A process of the simulated system, from its start to its end.

    Attributes:
        name: Stays the same over restarts.
        died: Set when it is killed.
        connections: Every SQLite connection that it opened.
    """

    def __init__(self, world: "World", name: str) -> None:
        self.name = name
        self.died = trio.Event()
        self.connections: list[apsw.Connection] = []
        self._world = world
        self._scope = trio.CancelScope()
        self._at_death: list[Callable[[], None]] = []

    @property
    def is_alive(self) -> bool:
        """Whether nothing has killed it."""
        return not self.died.is_set()

    def must_live(self) -> None:
        """Refuse a dead process's call of a port.

        Raises:
            ProcessKilled: It is dead.
        """
        if not self.is_alive:
            raise ProcessKilled(self.name)

    def at_death(self, action: Callable[[], None]) -> None:
        """Have something done by the operating system when the process is killed."""
        self._at_death.append(action)

    async def sleep(self, seconds: float) -> None:
        """Wait, whatever is cancelled, but not longer than the process lives.

        Raises:
            ProcessKilled: It died meanwhile.
        """
        deadline = trio.current_time() + seconds
        with trio.CancelScope(shield=True, deadline=deadline):
            await self.died.wait()
        self.must_live()

    def kill(self) -> None:
        """End it as SIGKILL does: nothing that it still does has an effect."""
        if self.is_alive:
            self._world.record(Killed(trio.current_time(), self.name))
            self.died.set()
            for action in self._at_death:
                action()
            self._scope.cancel()

    async def run(self, main: Callable[[], Awaitable[object]]) -> None:
        """Run `main` until it ends or the process is killed.

        Whatever a killed process raises while it unwinds is dropped; an error of a
        live one is raised.
        """
        token = current_process.set(self)
        self._world.record(Started(trio.current_time(), self.name))
        try:
            with self._scope:
                await main()
        except BaseException:
            if self.is_alive:
                raise
        finally:
            current_process.reset(token)
            self._drop_connections()
        if self.is_alive:
            self._world.record(Stopped(trio.current_time(), self.name))

    def _drop_connections(self) -> None:
        for connection in self.connections:
            # The files stay as the last COMMIT left them: a crash checkpoints nothing.
            with contextlib.suppress(apsw.Error):
                connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            connection.close(force=True)
        self.connections.clear()


current_process: ContextVar[Process] = ContextVar("current_process")


class World:
    """What one run of the simulation consists of.

    Attributes:
        seed: Decides everything.
        folder: Where the files of its processes are.
        history: What has happened.
        steps: Trace lines so far.
    """

    def __init__(
        self, seed: int, folder: Path, trace_file: TextIO | None = None
    ) -> None:
        self.seed = seed
        self.folder = folder
        self.history = History()
        self.steps = 0
        self._digest = hashlib.sha256()
        self._trace_file = trace_file

    def random(self, purpose: str) -> Random:
        """Make the random stream of a purpose; the same one each time."""
        name = f"{self.seed} {purpose}".encode()
        return Random(hashlib.sha256(name).digest())  # noqa: S311 - replays, by design

    def record(self, event: Event) -> None:
        """Write an event into the history and the trace."""
        self.history.append(event)
        self.trace(shown(event))

    def trace(self, line: str) -> None:
        """Write a line into the trace: ids, lengths and times, no ciphertext."""
        self.steps += 1
        line = f"{trio.current_time():.6f} {line}\n"
        self._digest.update(line.encode())
        if self._trace_file is not None:
            self._trace_file.write(line)

    @property
    def trace_digest(self) -> str:
        """SHA-256 of the trace so far, in hex."""
        return self._digest.hexdigest()


@contextlib.contextmanager
def _determined(seed: int) -> Generator[None]:
    """Let the seed decide the scheduler, and the clock the garbage collector."""
    was_allowed = trio_run._ALLOW_DETERMINISTIC_SCHEDULING  # pyright: ignore[reportPrivateUsage]
    scheduler = trio_run._r  # pyright: ignore[reportPrivateUsage]
    was_state = scheduler.getstate()
    gc.collect()
    gc.disable()
    trio_run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc] # trio's own test hook  # pyright: ignore[reportConstantRedefinition]
    scheduler.seed(seed)
    apsw.connection_hooks.append(_note_connection)
    try:
        yield
    finally:
        apsw.connection_hooks.remove(_note_connection)
        trio_run._ALLOW_DETERMINISTIC_SCHEDULING = was_allowed  # type: ignore[misc] # as above  # pyright: ignore[reportConstantRedefinition]
        scheduler.setstate(was_state)
        gc.enable()


def _note_connection(connection: apsw.Connection) -> None:
    process = current_process.get(None)
    if process is not None:
        process.must_live()
        process.connections.append(connection)


async def _collect() -> None:
    while True:
        await trio.sleep(COLLECT_SECONDS)
        gc.collect()


def run_world(
    world: World,
    main: Callable[[World], Awaitable[Result]],
    *,
    seconds_max: float,
) -> Result:
    """Run `main` in a world of its own, under its clock and scheduler.

    Args:
        world: The world; used once.
        main: The whole run.
        seconds_max: Simulated time after which the run counts as hung.

    Raises:
        trio.TooSlowError: It hung.
    """

    async def bounded() -> Result:
        with trio.fail_after(seconds_max):
            return await main(world)

    async def whole() -> Result:
        outcome: Callable[[], Result]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_collect)
            try:
                value = await bounded()
            except Exception as error:
                # Out of the nursery as it is, not in a group.
                outcome = partial(_raise, error)
            else:
                outcome = partial(_return, value)
            nursery.cancel_scope.cancel()
        return outcome()

    with _determined(world.seed):
        return trio.run(whole, clock=JumpingClock(), strict_exception_groups=True)


def _raise(error: Exception) -> NoReturn:
    raise error


def _return(value: Result) -> Result:
    return value
