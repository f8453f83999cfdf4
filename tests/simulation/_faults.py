"""Makes the world worse, one fault after another, until it is told to stop.

Whom a fault hits, and for how long, is drawn from the seed. Every fault is written
into the history; `clear` ends all that last.
"""

from collections.abc import Callable
from random import Random
from typing import Final, Literal, Protocol, assert_never

import trio
from tests.simulation._disk import Disk
from tests.simulation._history import Fault
from tests.simulation._network import Direction, Link, Network, Weather
from tests.simulation._plan import FaultKind, Plan
from tests.simulation._rude import RudePeople
from tests.simulation._world import SimulatedClock, World

CUT_SECONDS: Final = (0.5, 90.0)
"""From a lost packet to what both sides' keep-alives must find out."""

DOWN_SECONDS: Final = (0.05, 15.0)
"""How long a killed process stays away."""

OFFLINE_SECONDS: Final = (10.0, 300.0)
"""How long a client is off."""

LATE_SECONDS: Final = (0.3, 20.0)
"""How late the frames of a torn connection arrive."""

SIGN_IN_SECONDS: Final = (0.0, 0.15)
"""A handshake and a sign-in on a usual route."""

SLOW_SECONDS: Final = (5.0, 60.0)
"""How long a network or a disk stays slow."""

SLOW_SHARES: Final = (0.05, 0.3, 1.0)
"""Share of slow commits of a slow disk."""

CRASH_SHARES: Final = (0.0, 0.2, 0.5)
"""Share of slow commits that kill the process, where crashes are among the faults."""

FULL_SECONDS: Final = (1.0, 90.0)
"""How long a disk stays full: past a checkpoint, at which the server looks again."""

ERROR_SHARES: Final = (0.02, 0.2, 1.0)
"""Share of commits of a bad disk that fail."""

ERROR_SECONDS: Final = (0.5, 10.0)
"""How long a disk stays bad."""

COPY_SHARE: Final = 0.6
"""How often a new copy is made although there is one."""

COPY_SECONDS: Final = (1.0, 120.0)
"""How old a copy is when it is put back for the first time."""

STEP_SECONDS: Final = (0.5, 86_400.0)
"""How far a clock is set, either way."""

FLOOD_SECONDS: Final = (1.0, 10.0)
"""How long somebody from outside makes trouble."""


class Machine(Protocol):
    """A process that can be killed and stopped, and comes back."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def disk(self) -> Disk:
        """Its disk."""
        ...

    @property
    def clock(self) -> SimulatedClock:
        """Its time of day."""
        ...

    def copy(self) -> bool:
        """Copy its disk; False: there is nothing on it."""
        ...

    def restore(self, down_seconds: float) -> bool:
        """Kill it and put the copy back; False: there is none."""
        ...

    def cut_power(self, down_seconds: float) -> bool:
        """Kill it, with what was not synced; False: it isn't running."""
        ...

    def crash(self, down_seconds: float) -> bool:
        """Kill it; False: it isn't running."""
        ...

    def stop(self, off_seconds: float) -> bool:
        """End it in good order, for a while; False: it isn't running."""
        ...

    def leave(self) -> None:
        """Have its owner leave for good; it isn't copied or put back any more."""
        ...


class FaultInjector:
    """Draws and injects faults.

    Args:
        world: Where.
        plan: Which kinds, and how often.
        network: Of the world.
        server: The server's machine.
        clients: The clients' machines.
        kept: Numbers of the faults that happen; None: all. Each fault draws from a
            stream of its own, so that those that are left stay what they were.

    Attributes:
        count: Faults drawn so far.
    """

    def __init__(
        self,
        world: World,
        plan: Plan,
        network: Network,
        server: Machine,
        clients: list[Machine],
        kept: frozenset[int] | None = None,
    ) -> None:
        self.count = 0
        self._kept = kept
        self._world = world
        self._plan = plan
        self._network = network
        self._server = server
        self._clients = clients
        self._random = world.random("faults")
        self._to_tear: set[str] = set()
        self._rude = RudePeople(world, network)
        self._lasting: list[Callable[[], None]] = []
        self._nursery: trio.Nursery

    async def run(self) -> None:
        """Inject faults until cancelled."""
        random = self._random
        async with trio.open_nursery() as self._nursery:
            nursery = self._nursery

            def dialled(client: str, link: Link) -> None:
                if client in self._to_tear:
                    self._to_tear.remove(client)
                    nursery.start_soon(self._tear_soon, client, link)

            self._network.on_dial = dialled
            if self._plan.leaver:
                nursery.start_soon(self._see_off)
            while True:
                await trio.sleep(random.expovariate(1 / self._plan.fault_gap_seconds))
                self.count += 1
                kind = random.choice(self._plan.kinds)
                if self._kept is None or self.count in self._kept:
                    self._random = self._world.random(f"fault {self.count}")
                    self._inject(kind)

    def clear(self) -> None:
        """End everything that lasts."""
        for end in self._lasting:
            end()
        self._lasting.clear()
        self._to_tear.clear()
        for route in self._network.routes:
            route.clear()
        for machine in (self._server, *self._clients):
            machine.disk.clear()

    def _inject(self, kind: FaultKind) -> None:
        random = self._random
        client = random.choice(self._clients)
        route = self._network.route(client.name)
        now = trio.current_time()
        match kind:
            case FaultKind.SERVER_CRASH:
                seconds = _skewed(random, DOWN_SECONDS)
                if self._server.crash(seconds):
                    self._note(kind, self._server.name, seconds)
            case FaultKind.CLIENT_CRASH:
                seconds = _skewed(random, DOWN_SECONDS)
                if client.crash(seconds):
                    self._note(kind, client.name, seconds)
            case FaultKind.CLIENT_OFFLINE:
                seconds = _skewed(random, OFFLINE_SECONDS)
                if client.stop(seconds):
                    self._note(kind, client.name, seconds)
            case FaultKind.RESET:
                if route.reset():
                    self._note(kind, client.name)
            case FaultKind.TEAR:
                seconds = _skewed(random, LATE_SECONDS)
                if route.tear(now + seconds):
                    self._note(kind, client.name, seconds)
            case FaultKind.TEAR_SIGN_IN:
                # Noted when it happens: to the connection that comes next.
                self._to_tear.add(client.name)
                route.reset()
            case FaultKind.CUT_UP | FaultKind.CUT_DOWN | FaultKind.CUT_BOTH:
                seconds = _skewed(random, CUT_SECONDS)
                for direction in _directions(kind):
                    route.hold(direction, now + seconds)
                self._note(kind, client.name, seconds)
            case FaultKind.SLOW_NETWORK:
                seconds = _skewed(random, SLOW_SECONDS)
                route.weather = _draw_weather(random)
                self._last(seconds, lambda: self.calm(route.name))
                self._note(kind, client.name, seconds)
            case FaultKind.FLOOD:
                seconds = _skewed(random, FLOOD_SECONDS)
                self._nursery.start_soon(self._rude.make_trouble, seconds)
                self._note(kind, "world", seconds)
            case _:
                self._inject_below(kind, client)

    def _inject_below(
        self,
        kind: Literal[
            FaultKind.SLOW_SERVER_DISK,
            FaultKind.SLOW_CLIENT_DISK,
            FaultKind.SERVER_DISK_FULL,
            FaultKind.CLIENT_DISK_FULL,
            FaultKind.SERVER_DISK_ERROR,
            FaultKind.CLIENT_DISK_ERROR,
            FaultKind.SERVER_POWER_CUT,
            FaultKind.SERVER_CLOCK_STEP,
            FaultKind.CLIENT_CLOCK_STEP,
            FaultKind.SERVER_RESTORED,
            FaultKind.CLIENT_RESTORED,
            FaultKind.DEVICE_REMOVED,
            FaultKind.ACCOUNT_DELETED,
        ],
        client: Machine,
    ) -> None:
        """Harm a disk or a clock, or put something back from a copy."""
        match kind:
            case FaultKind.SLOW_SERVER_DISK:
                self._slow(kind, self._server, FaultKind.SERVER_CRASH)
            case FaultKind.SLOW_CLIENT_DISK:
                self._slow(kind, client, FaultKind.CLIENT_CRASH)
            case FaultKind.SERVER_DISK_FULL:
                self._fill(kind, self._server)
            case FaultKind.CLIENT_DISK_FULL:
                self._fill(kind, client)
            case FaultKind.SERVER_DISK_ERROR:
                self._spoil(kind, self._server)
            case FaultKind.CLIENT_DISK_ERROR:
                self._spoil(kind, client)
            case FaultKind.SERVER_POWER_CUT:
                seconds = _skewed(self._random, DOWN_SECONDS)
                if self._server.cut_power(seconds):
                    self._note(kind, self._server.name, seconds)
            case FaultKind.SERVER_CLOCK_STEP:
                self._step(kind, self._server)
            case FaultKind.CLIENT_CLOCK_STEP:
                self._step(kind, client)
            case FaultKind.SERVER_RESTORED:
                self._restore(kind, self._server)
            case FaultKind.CLIENT_RESTORED:
                self._restore(kind, client)
            case FaultKind.DEVICE_REMOVED | FaultKind.ACCOUNT_DELETED:
                raise AssertionError("drawn apart")
            case _:
                assert_never(kind)

    async def _see_off(self) -> None:
        """Have somebody leave, once."""
        plan = self._plan
        await trio.sleep(plan.leaving_seconds)
        leaver = next(one for one in self._clients if one.name == plan.leaver)
        self._note(plan.leaving, leaver.name)
        leaver.leave()

    async def _tear_soon(self, client: str, link: Link) -> None:
        """Tear a connection while it signs in."""
        await trio.sleep(self._random.uniform(*SIGN_IN_SECONDS))
        seconds = _skewed(self._random, LATE_SECONDS)
        link.tear(trio.current_time() + seconds)
        self._note(FaultKind.TEAR_SIGN_IN, client, seconds)

    def _slow(self, kind: FaultKind, machine: Machine, crash: FaultKind) -> None:
        random = self._random
        seconds = _skewed(random, SLOW_SECONDS)
        disk = machine.disk
        disk.slow_share = random.choice(SLOW_SHARES)
        crash_share = random.choice(CRASH_SHARES)
        disk.crash_share = crash_share if crash in self._plan.kinds else 0.0
        self._last(seconds, disk.clear)
        self._note(kind, machine.name, seconds)

    def _fill(self, kind: FaultKind, machine: Machine) -> None:
        seconds = _skewed(self._random, FULL_SECONDS)
        machine.disk.is_full = machine.disk.has_been_full = True
        self._last(seconds, machine.disk.clear)
        self._note(kind, machine.name, seconds)

    def _spoil(self, kind: FaultKind, machine: Machine) -> None:
        seconds = _skewed(self._random, ERROR_SECONDS)
        machine.disk.error_share = self._random.choice(ERROR_SHARES)
        self._last(seconds, machine.disk.clear)
        self._note(kind, machine.name, seconds)

    def _step(self, kind: FaultKind, machine: Machine) -> None:
        seconds = _skewed(self._random, STEP_SECONDS)
        seconds *= self._random.choice((-1, 1))
        machine.clock.step(seconds)
        self._world.record(
            Fault(trio.current_time(), machine.name, kind.value, f"by {seconds:.1f}")
        )

    def _restore(self, kind: FaultKind, machine: Machine) -> None:
        """Make a copy now and put it back later, or put an older one back now."""
        is_new = self._random.random() < COPY_SHARE
        seconds = _skewed(self._random, DOWN_SECONDS)
        if is_new or not machine.restore(seconds):
            age_seconds = _skewed(self._random, COPY_SECONDS)
            if machine.copy():
                self._nursery.start_soon(
                    self._restore_later, kind, machine, age_seconds, seconds
                )
            return
        self._note(kind, machine.name, seconds)

    async def _restore_later(
        self, kind: FaultKind, machine: Machine, age_seconds: float, seconds: float
    ) -> None:
        await trio.sleep(age_seconds)
        if machine.restore(seconds):
            self._note(kind, machine.name, seconds)

    def _last(self, seconds: float, end: Callable[[], None]) -> None:
        """Have something end after a time; `clear` ends it at once."""
        self._lasting.append(end)
        self._nursery.start_soon(_end_later, seconds, end)

    def calm(self, name: str) -> None:
        """Give a route its usual weather."""
        weather = Weather(dribbles=name in self._plan.dribbling)
        self._network.route(name).weather = weather

    def _note(self, kind: FaultKind, name: str, seconds: float = 0.0) -> None:
        detail = f"{seconds:.3f}" if seconds else ""
        self._world.record(Fault(trio.current_time(), name, kind.value, detail))


async def _end_later(seconds: float, end: Callable[[], None]) -> None:
    await trio.sleep(seconds)
    end()


def _directions(kind: FaultKind) -> tuple[Direction, ...]:
    match kind:
        case FaultKind.CUT_UP:
            return (Direction.UP,)
        case FaultKind.CUT_DOWN:
            return (Direction.DOWN,)
        case _:
            return tuple(Direction)


def _draw_weather(random: Random) -> Weather:
    slowest = random.choice((0.3, 1.0, 4.0))
    return Weather(
        latency_seconds=(slowest / 10, slowest),
        segment_bytes_max=random.choice((0, 40, 1400)),
        buffer_bytes=random.choice((2_000, 16_000, 64_000)),
    )


def _skewed(random: Random, bounds: tuple[float, float]) -> float:
    """Draw from a range so that every order of magnitude is equally likely."""
    low, high = bounds
    fraction = random.random()
    return float(low * (high / low) ** fraction)
