"""Machines: what is killed and comes back. The server's, and each client's.

A machine runs one process after the other on the same disk. `crash` kills the present
one, `stop` ends it in good order; `finish` ends it for good.
"""

import shutil
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Final, cast

import trio
from tests.simulation._disk import Disk
from tests.simulation._history import Alarm, Copied, Restored
from tests.simulation._network import Network
from tests.simulation._secure import Secure
from tests.simulation._server import HOST, SimulatedServer
from tests.simulation._world import Process, SimulatedClock, World

from wigwag.client import StoreError
from wigwag.server._limits import Limits
from wigwag.server.ports import StorageError

RESTART_SECONDS: Final = (0.05, 5.0)
"""How long a process stays away that a commit killed."""


TRACEBACK_PARTS: Final = 4
"""Of an error that ended a process: where it came from, and what it said."""


class Machine:
    """Runs processes of one name until it is finished.

    Attributes:
        name: Of its processes.
        disk: Its disk.
        clock: Its time of day.
        on_power_cut: What its disk loses before it starts again.
        on_leave: What its owner does to leave for good.
        files: What its processes have on its disk.
        ended: Set when it has finished.
    """

    def __init__(
        self,
        world: World,
        name: str,
        boot: Callable[[int], tuple[Process, Callable[[], Awaitable[None]]]],
        skew_ms: int = 0,
    ) -> None:
        self.name = name
        self.clock = SimulatedClock(skew_ms)
        self.on_power_cut: Callable[[], None] = _lose_nothing
        self._has_lost_power = False
        self.files: Callable[[], list[Path]] = _no_files
        self._copied_at: float | None = None
        self._is_restoring = False
        self.on_leave: Callable[[], None] = _lose_nothing
        self._has_left = False
        self.disk = Disk(world.random(f"disk {name}"))
        self._world = world
        self._random: Random = world.random(f"machine {name}")
        self._boot = boot
        self._process: Process | None = None
        self._scope: trio.CancelScope | None = None
        self._down_seconds: float | None = None
        self._is_finished = False
        self._finishing = trio.Event()
        self.ended = trio.Event()

    @property
    def is_running(self) -> bool:
        """Whether there is a live process."""
        return self._process is not None and self._process.is_alive

    def crash(self, down_seconds: float) -> bool:
        """Kill the process; False: there is none."""
        if self._process is None or not self._process.is_alive:
            return False
        self._down_seconds = down_seconds
        self._process.kill()
        return True

    def cut_power(self, down_seconds: float) -> bool:
        """Kill the process, and let the disk lose what was not synced."""
        self._has_lost_power = self.crash(down_seconds)
        return self._has_lost_power

    def leave(self) -> None:
        """Have the owner leave for good; copies are worth nothing from now on."""
        self._has_left = True
        self._copied_at = None
        self._is_restoring = False
        self.on_leave()

    def copy(self) -> bool:
        """Copy what is on the disk; False: there is nothing."""
        found = [] if self._has_left else self.files()
        if not found:
            return False
        self._copy_folder.mkdir(exist_ok=True)
        for path in self._copy_folder.iterdir():
            path.unlink()
        for path in found:
            shutil.copy2(path, self._copy_folder / path.name)
        self._copied_at = trio.current_time()
        self._world.record(Copied(self._copied_at, self.name))
        return True

    def restore(self, down_seconds: float) -> bool:
        """Kill the process and put the copy in place; False: there is none."""
        if self._copied_at is None or not self.crash(down_seconds):
            return False
        self._is_restoring = True
        now = trio.current_time()
        self._world.record(Restored(now, self.name, self._copied_at))
        return True

    @property
    def _copy_folder(self) -> Path:
        return self._world.folder / f"copy of {self.name}"

    def _put_back(self) -> None:
        self._is_restoring = False
        present = self.files()
        folder = present[0].parent
        for path in present:
            path.unlink()
        for path in self._copy_folder.iterdir():
            shutil.copy2(path, folder / path.name)

    def stop(self, off_seconds: float) -> bool:
        """End the process in good order, for a while; False: there is none."""
        if self._scope is None or not self.is_running:
            return False
        self._down_seconds = off_seconds
        self._scope.cancel()
        return True

    def wake(self) -> None:
        """Come back now, if it is away."""
        self._finishing.set()
        self._finishing = trio.Event()

    def finish(self, *, is_orderly: bool) -> None:
        """End the process and don't come back."""
        self._is_finished = True
        if is_orderly:
            self.stop(0)
        else:
            self.crash(0)
        self.wake()

    async def run(self) -> None:
        """Run processes until finished."""
        number = 0
        while not self._is_finished:
            number += 1
            self._down_seconds = None
            process, main = self._boot(number)
            with trio.CancelScope() as self._scope:
                self._process = process
                try:
                    await main()
                except Exception as error:
                    # The operator starts it again; our bug is told.
                    if not self._is_excused(error):
                        self._raise_alarm(error)
            if self._has_lost_power:
                self._has_lost_power = False
                self.on_power_cut()
            if self._is_restoring:
                self._put_back()
            self.disk.has_failed = False
            self._scope = None
            self._process = None
            seconds = self._down_seconds
            if seconds is None:
                seconds = self._random.uniform(*RESTART_SECONDS)
            if not self._is_finished:
                with trio.move_on_after(seconds):
                    await self._finishing.wait()
        self.ended.set()

    def _is_excused(self, error: Exception) -> bool:
        """Whether it says that the disk failed, and the disk did fail."""
        if isinstance(error, ExceptionGroup):
            group = cast("ExceptionGroup[Exception]", error)
            return all(self._is_excused(one) for one in group.exceptions)
        is_bad = self.disk.has_failed or self.disk.is_full
        return is_bad and isinstance(error, StorageError | StoreError)

    def _raise_alarm(self, error: Exception) -> None:
        lines = "".join(traceback.format_exception(error)[-TRACEBACK_PARTS:])
        now = trio.current_time()
        self._world.record(Alarm(now, self.name, f"ended by itself: {lines}"))


def server_machine(
    world: World,
    network: Network,
    path: Path,
    limits: Limits | None = None,
    secure: Secure | None = None,
) -> Machine:
    """Make the server's machine; without limits it has the default ones."""
    kept = limits or Limits.for_profile("default")
    machine: Machine

    def boot(number: int) -> tuple[Process, Callable[[], Awaitable[None]]]:
        server = SimulatedServer(world, network, machine, path, kept, number, secure)
        return server.process, server.run

    machine = Machine(world, HOST, boot)
    machine.on_power_cut = lambda: machine.disk.lose_power(path)
    machine.files = lambda: database_files(path)
    return machine


def database_files(path: Path) -> list[Path]:
    """Return a server's database and all that lies beside it."""
    return sorted(path.parent.glob(f"{path.name}*"))


def _no_files() -> list[Path]:
    """Have nothing that could be copied."""
    return []


def _lose_nothing() -> None:
    """Lose nothing: a client's disk is tried by crashes alone."""
