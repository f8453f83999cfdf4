"""TCP in memory: ordered bytes with a delay, bounded buffers, cuts and resets.

Each client has a `Route` to the servers, which says how its weather is: latency, how
the stream is cut into segments, how much fits on the way, and until when one or both
directions hold everything back (a cut: TCP repeats what was lost, so bytes come late
or, when the connection breaks first, never). All of it can change at any time.

A connection is two `Pipe`s. Nothing here knows what the bytes mean.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final, TypeAlias

import trio
from tests.simulation._history import RUDE
from tests.simulation._world import Process

BUFFER_BYTES: Final = 64 * 1024
"""What fits between two ends: socket buffers of RELIABILITY.md §4."""

FOREVER: Final = float("inf")

DRIBBLED_BYTES_MAX: Final = 400
"""Segments of one byte, per connection and direction: they cost an event each, and a
handshake's worth of them shows all that a million would."""


RESET_SHARE: Final = 0.5
"""A killed process's connections end in a reset if there was unread data, else what
it wrote still arrives and then the end. Both happen; half and half finds most."""


class ConnectionBrokenError(Exception):
    """The connection was reset."""


class NobodyListensError(Exception):
    """Nobody listens there."""


class Direction(Enum):
    """Which way bytes go."""

    UP = "up"
    """From the client to the server."""
    DOWN = "down"


@dataclass(slots=True)
class Weather:
    """What a route is like; may be changed while connections use it.

    Attributes:
        latency_seconds: Least and most delay of a segment.
        segment_bytes_max: Longest segment; 0: the stream isn't cut.
        dribbles: The first bytes come one by one.
        buffer_bytes: What fits on the way.
    """

    latency_seconds: tuple[float, float] = (0.005, 0.03)
    segment_bytes_max: int = 0
    dribbles: bool = False
    buffer_bytes: int = BUFFER_BYTES


class Route:
    """The way between one client and the servers.

    Attributes:
        name: Of the client.
        weather: What it is like.
    """

    def __init__(self, name: str, random: Random) -> None:
        self.name = name
        self.weather = Weather()
        self._random = random
        self._held_until = {Direction.UP: 0.0, Direction.DOWN: 0.0}
        self._links: list[Link] = []
        self._cleared = trio.lowlevel.ParkingLot()

    def hold(self, direction: Direction, until: float) -> None:
        """Let nothing through in a direction until a time."""
        self._held_until[direction] = max(self._held_until[direction], until)

    def clear(self) -> None:
        """Let everything through again, under good weather."""
        self.weather = Weather()
        self._held_until = dict.fromkeys(Direction, 0.0)
        self._cleared.unpark_all()
        for link in self._links:
            link.wake()

    async def opened(self, direction: Direction) -> None:
        """Wait until a direction lets something through."""
        while self._held_until[direction] > trio.current_time():
            with trio.move_on_at(self._held_until[direction]):
                await self._cleared.park()

    def held_until(self, direction: Direction) -> float:
        """Return until when a direction holds everything back."""
        return self._held_until[direction]

    def reset(self) -> int:
        """Break every connection; return how many there were."""
        links = list(self._links)
        for link in links:
            link.reset()
        return len(links)

    def tear(self, until: float) -> int:
        """Break every connection for the client alone; return how many there were."""
        links = list(self._links)
        for link in links:
            link.tear(until)
        return len(links)

    def latency(self) -> float:
        """Draw the delay of a segment."""
        return self._random.uniform(*self.weather.latency_seconds)

    def draw_abruptness(self) -> bool:
        """Draw whether a dying process's kernel resets (unread data) or just ends."""
        return self._random.random() < RESET_SHARE

    def segment_bytes(self) -> int:
        """Draw the length of a segment; 0: all there is."""
        longest = self.weather.segment_bytes_max
        return self._random.randint(1, longest) if longest else 0

    def add(self, link: "Link") -> None:
        """Take note of a connection."""
        self._links.append(link)

    def remove(self, link: "Link") -> None:
        """Forget a connection."""
        if link in self._links:
            self._links.remove(link)


class Pipe:
    """One direction of a connection."""

    def __init__(self, route: Route, direction: Direction) -> None:
        self.held_until = 0.0
        """Until when this pipe alone lets nothing through."""
        self._route = route
        self._direction = direction
        # b"" stands for the end of the stream.
        self._segments: deque[tuple[float, bytes]] = deque()
        self._bytes = 0
        self._last_arrival = 0.0
        self._dribbled = 0
        self._is_broken = False
        self._has_ended = False
        self._changed = trio.lowlevel.ParkingLot()

    async def send(self, data: bytes) -> None:
        """Put bytes on the way, waiting for room.

        Raises:
            ConnectionBrokenError: The connection was reset or this end closed.
        """
        await trio.lowlevel.checkpoint()
        while data:
            if self._is_broken or self._has_ended:
                raise ConnectionBrokenError
            room = self._route.weather.buffer_bytes - self._bytes
            if room <= 0:
                await self._changed.park()
                continue
            for segment in self._cut(data[:room]):
                self._put(segment)
            data = data[room:]

    async def receive(self, bytes_max: int) -> bytes:
        """Wait for what arrives next; b"" is the end.

        Raises:
            ConnectionBrokenError: The connection was reset.
        """
        await trio.lowlevel.checkpoint()
        while True:
            if self._is_broken:
                raise ConnectionBrokenError
            due = self._due()
            if due <= trio.current_time():
                return self._take(bytes_max)
            with trio.move_on_at(due):
                await self._changed.park()

    def end(self) -> None:
        """Say that nothing more comes; what is on the way still arrives."""
        if not self._has_ended:
            self._has_ended = True
            self._put(b"")

    def break_off(self) -> None:
        """Lose what is on the way."""
        self._is_broken = True
        self._segments.clear()
        self.wake()

    def wake(self) -> None:
        """Have both ends look again."""
        self._changed.unpark_all()

    def _due(self) -> float:
        if not self._segments:
            return FOREVER
        return max(
            self._segments[0][0],
            self.held_until,
            self._route.held_until(self._direction),
        )

    def _take(self, bytes_max: int) -> bytes:
        """Take what has arrived; a reader gets at most one segment of a cut stream."""
        now = trio.current_time()
        is_cut = self._route.weather.segment_bytes_max or self._route.weather.dribbles
        parts: list[bytes] = []
        left = bytes_max
        while self._segments and left and self._segments[0][0] <= now:
            arrival, segment = self._segments[0]
            if not segment:
                break
            self._segments.popleft()
            if len(segment) > left:
                self._segments.appendleft((arrival, segment[left:]))
                segment = segment[:left]
            parts.append(segment)
            left -= len(segment)
            if is_cut:
                break
        data = b"".join(parts)
        self._bytes -= len(data)
        self.wake()
        return data

    def _cut(self, data: bytes) -> list[bytes]:
        segments: list[bytes] = []
        if self._route.weather.dribbles and self._dribbled < DRIBBLED_BYTES_MAX:
            count = min(DRIBBLED_BYTES_MAX - self._dribbled, len(data))
            self._dribbled += count
            segments = [data[at : at + 1] for at in range(count)]
            data = data[count:]
        while data:
            size = self._route.segment_bytes() or len(data)
            segments.append(data[:size])
            data = data[size:]
        return segments

    def _put(self, segment: bytes) -> None:
        arrival = trio.current_time() + self._route.latency()
        # TCP is FIFO: a quick segment waits for the slow one before it.
        self._last_arrival = max(self._last_arrival, arrival)
        self._segments.append((self._last_arrival, segment))
        self._bytes += len(segment)
        self.wake()


class Link:
    """A connection: two pipes that break together."""

    def __init__(self, route: Route, number: int) -> None:
        self.number = number
        self._open_ends = 2
        self.up = Pipe(route, Direction.UP)
        self.down = Pipe(route, Direction.DOWN)
        self.route = route
        route.add(self)

    def reset(self) -> None:
        """Break it at both ends."""
        self.up.break_off()
        self.down.break_off()
        self.route.remove(self)

    def tear(self, until: float) -> None:
        """Break it for the client alone; what is on the way up arrives late.

        The server still takes the connection for alive and finds frames on it that
        left before those of the client's next connection.
        """
        self.up.held_until = until
        self.up.end()
        self.down.break_off()

    @property
    def is_held(self) -> bool:
        """Whether a reset would not get through either."""
        return self.up.held_until > trio.current_time()

    def note_closed(self) -> None:
        """Take it off its route once both ends are done."""
        self._open_ends -= 1
        if not self._open_ends:
            self.route.remove(self)

    def wake(self) -> None:
        """Have all ends look again."""
        self.up.wake()
        self.down.wake()


class End:
    """One end of a connection.

    Attributes:
        number: Of the connection in its network.
        address: The client's host.
    """

    def __init__(self, link: Link, incoming: Pipe, outgoing: Pipe, host: str) -> None:
        self.number = link.number
        self.address = host
        self._link = link
        self._incoming = incoming
        self._outgoing = outgoing
        self._is_closed = False

    async def receive(self, bytes_max: int) -> bytes:
        """Wait for bytes; b"" is the end. Raises `ConnectionBrokenError`."""
        return await self._incoming.receive(bytes_max)

    async def send(self, data: bytes) -> None:
        """Send all of it, waiting for room. Raises `ConnectionBrokenError`."""
        await self._outgoing.send(data)

    def close(self) -> None:
        """Say that nothing more comes, and take nothing more."""
        if self._is_closed:
            return
        self._is_closed = True
        self._outgoing.end()
        # What still comes is nobody's: as with a closed socket it fills nothing.
        self._incoming.break_off()
        self._link.note_closed()

    def reset(self) -> None:
        """Break the connection at both ends."""
        self._link.reset()

    def abandon(self) -> None:
        """End it as the kernel does for a process that was killed."""
        if self._is_closed:
            return
        if not self._link.is_held and self._link.route.draw_abruptness():
            self.reset()
        else:
            self.close()


Accept: TypeAlias = Callable[[End], Awaitable[None]]
"""Serves one connection at the server's end; runs in the listener's nursery."""


RUDE_ADDRESS: Final = "192.0.2.1"
"""Of whoever makes trouble; the others have one each below 10/8. Limits go by the
address, and nobody shares his with an attacker here."""


class Network:
    """Hosts that can be dialled, and the routes to them.

    Args:
        random_of: Makes the random stream of a route.
    """

    def __init__(self, random_of: Callable[[str], Random]) -> None:
        self._random_of = random_of
        self._routes: dict[str, Route] = {}
        self._listeners: dict[str, trio.MemorySendChannel[End]] = {}
        self._connections = 0
        self.on_dial: Callable[[str, Link], None] = _ignore
        """Told of each new connection: the client, and the link."""

    def route(self, client: str) -> Route:
        """Return the route of a client."""
        if client not in self._routes:
            self._routes[client] = Route(client, self._random_of(f"route {client}"))
        return self._routes[client]

    def address(self, client: str) -> str:
        """Return the IP address of a client."""
        if client == RUDE:
            return RUDE_ADDRESS
        number = list(self._routes).index(client)
        return f"10.0.{number >> 8}.{number & 255}"

    @property
    def routes(self) -> list[Route]:
        """All routes, in the order of their first use."""
        return list(self._routes.values())

    async def dial(self, client: str, host: str) -> End:
        """Connect; waits while the route holds everything back.

        Raises:
            NobodyListensError: Nobody listens there.
        """
        route = self.route(client)
        for direction in Direction:
            await trio.sleep(route.latency())
            await route.opened(direction)
        listener = self._listeners.get(host)
        if listener is None:
            raise NobodyListensError(host)
        self._connections += 1
        link = Link(route, self._connections)
        self.on_dial(client, link)
        address = self.address(client)
        try:
            await listener.send(End(link, link.up, link.down, address))
        except trio.BrokenResourceError as error:
            raise NobodyListensError(host) from error
        return End(link, link.down, link.up, address)

    async def serve(self, host: str, accept: Accept, process: Process) -> None:
        """Take connections to a host until cancelled or until the process is killed.

        Args:
            host: Whose connections.
            accept: Serves one; the connection is closed when it returns.
            process: The server; its death abandons all connections at once.
        """
        sender, receiver = trio.open_memory_channel[End](0)
        assert host not in self._listeners, f"{host} is taken"
        self._listeners[host] = sender
        ends: list[End] = []

        def stop() -> None:
            if self._listeners.get(host) is sender:
                del self._listeners[host]
            receiver.close()
            for end in ends:
                end.abandon()
            ends.clear()

        process.at_death(stop)
        try:
            async with trio.open_nursery() as nursery:
                while True:
                    end = await receiver.receive()
                    ends.append(end)
                    nursery.start_soon(_serve_one, accept, end, ends)
        finally:
            stop()


def _ignore(client: str, link: Link) -> None:
    """Take no note of a connection."""


async def _serve_one(accept: Accept, end: End, ends: list[End]) -> None:
    await accept(end)
    end.close()
    if end in ends:
        ends.remove(end)
