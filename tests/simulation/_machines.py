"""Machines: what is killed and comes back. The server's, and each client's.

A machine runs one process after the other on the same disk. `crash` kills the present
one, `stop` ends it in good order; `finish` ends it for good.
"""

import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Final

import trio
from tests.simulation._disk import Disk
from tests.simulation._history import Alarm
from tests.simulation._network import Network
from tests.simulation._server import HOST, SimulatedServer
from tests.simulation._world import Process, World

from wigwag.server._limits import Limits

RESTART_SECONDS: Final = (0.05, 5.0)
"""How long a process stays away that a commit killed."""


class Machine:
    """Runs processes of one name until it is finished.

    Attributes:
        name: Of its processes.
        disk: Its disk.
        ended: Set when it has finished.
    """

    def __init__(
        self,
        world: World,
        name: str,
        boot: Callable[[int], tuple[Process, Callable[[], Awaitable[None]]]],
    ) -> None:
        self.name = name
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
                    # Our bug, which no fault excuses; the operator starts it again.
                    self._raise_alarm(error)
            self._scope = None
            self._process = None
            seconds = self._down_seconds
            if seconds is None:
                seconds = self._random.uniform(*RESTART_SECONDS)
            if not self._is_finished:
                with trio.move_on_after(seconds):
                    await self._finishing.wait()
        self.ended.set()

    def _raise_alarm(self, error: Exception) -> None:
        lines = "".join(traceback.format_exception(error))
        now = trio.current_time()
        self._world.record(Alarm(now, self.name, f"ended by itself: {lines}"))


def server_machine(
    world: World, network: Network, path: Path, limits: Limits | None = None
) -> Machine:
    """Make the server's machine; without limits it has the default ones."""
    kept = limits or Limits.for_profile("default")
    machine: Machine

    def boot(number: int) -> tuple[Process, Callable[[], Awaitable[None]]]:
        server = SimulatedServer(world, network, machine.disk, path, kept, number)
        return server.process, server.run

    machine = Machine(world, HOST, boot)
    return machine
