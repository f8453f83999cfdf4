"""What the client's tests stand on: ports without Argon2, profiles, people."""

import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.lowlevel

from wigwag.client import (
    Address,
    ByteStream,
    ConnectionLost,
    DialFailed,
    Dialled,
    MessageReceived,
    Net,
    Ports,
    Session,
    Trust,
    default_ports,
    open_session,
    register,
)
from wigwag.client._net import TLSNet
from wigwag.client._store import open_database
from wigwag.wire import DRAFT, HEADER_BYTES, MessageType, Send, decode_message

KEY = bytes(range(32))

Result = TypeVar("Result")


class PlainKeys:
    """A fixed database key: Argon2 is tested once, not with every profile."""

    async def create(self, folder: Path) -> bytes:
        """Return the key."""
        return KEY

    async def unlock(self, folder: Path) -> bytes:
        """Return the key."""
        return KEY


class InlineExecutor:
    """Runs the store's work in place, so that simulated time can jump.

    Attributes:
        failure: Raised instead of the next commits; None: they succeed.
    """

    def __init__(self) -> None:
        self.failure: Exception | None = None

    async def run(
        self,
        work: Callable[[], Result],
        commit: Callable[[], None],
        rollback: Callable[[], None],
    ) -> Result:
        """Runs it whole."""
        await anyio.lowlevel.checkpoint()
        try:
            result = work()
            if self.failure is not None:
                raise self.failure
            commit()
        except BaseException:
            rollback()
            raise
        return result


class SimulatedClock:
    """The time of day, going with the event loop's clock.

    Attributes:
        offset_ms: How far it was set forward.
    """

    def __init__(self, start_ms: int) -> None:
        self.offset_ms = start_ms

    def now_ms(self) -> int:
        """Returns milliseconds since the Unix epoch."""
        return self.offset_ms + int(anyio.current_time() * 1000)


def timeless(net: Net, start_ms: int) -> Ports:
    """Returns a world in which time may jump."""
    return replace(
        ports(net=net), executor=InlineExecutor(), clock=SimulatedClock(start_ms)
    )


def ports(*, has_handover: bool = False, net: Net | None = None) -> Ports:
    """Returns the real outside world with a fixed key."""
    world = replace(default_ports(keys=PlainKeys()), has_handover=has_handover)
    return world if net is None else replace(world, net=net)


async def join(name: str, join_string: str, folder: Path) -> Path:
    """Registers somebody; returns the profile."""
    await register(name, join_string, profile=folder / name, ports=ports())
    return folder / name


@asynccontextmanager
async def at(
    profile: Path, *, has_handover: bool = False, net: Net | None = None
) -> AsyncGenerator[Session, None]:
    """Opens a profile."""
    world = ports(has_handover=has_handover, net=net)
    async with open_session(profile, ports=world) as session:
        yield session


async def texts(session: Session, count: int, consumer: str = "test") -> list[str]:
    """Waits for messages, says that they are handled, returns their texts."""
    received: list[str] = []
    async for event in session.events(consumer):
        if isinstance(event, MessageReceived):
            received.append(event.message.text or "")
        await event.done()
        if len(received) == count:
            break
    return received


def edit(profile: Path, statements: str, *values: int | bytes | str) -> None:
    """Runs SQL on a closed profile's database: what a fault would leave there."""
    db = open_database(profile / "wigwag.db", KEY, None)
    db.execute(statements, values)
    db.close()


def look(profile: Path, query: str) -> object:
    """Returns one value from a closed profile's database."""
    db = open_database(profile / "wigwag.db", KEY, None)
    row = db.execute(query).fetchone()
    db.close()
    assert row is not None
    return row[0]


@dataclass
class Tap:
    """A network that can be watched and cut, around the real one.

    Attributes:
        sent: Whole frames that clients sent, in order.
        is_down: Nobody can be reached.
        is_deaf: Nothing that the server says arrives.
    """

    net: Net = field(default_factory=TLSNet)
    sent: list[bytes] = field(default_factory=list[bytes])
    is_down: bool = False
    is_deaf: bool = False
    streams: list["TappedStream"] = field(default_factory=list["TappedStream"])

    async def dial(self, address: Address, trust: Trust) -> Dialled:
        """Dials, and listens in."""
        if self.is_down:
            raise DialFailed("The network is down.")
        dialled = await self.net.dial(address, trust)
        stream = TappedStream(self, dialled.stream)
        self.streams.append(stream)
        return replace(dialled, stream=stream)

    def cut(self) -> None:
        """Ends every connection; neither side is told why."""
        for stream in self.streams:
            stream.over.set()
        self.streams.clear()

    def sends(self) -> list[Send]:
        """Returns every SEND that left."""
        found: list[Send] = []
        for frame in self.sent:
            type_, flags, extension = struct.unpack_from(">HBB", frame, 4)
            if type_ != MessageType.SEND:
                continue
            body = frame[HEADER_BYTES + extension :]
            if flags & PADDED:
                body = body[: -4 - int.from_bytes(body[-4:], "big")]
            message = decode_message(MessageType.SEND, DRAFT, body)
            assert isinstance(message, Send)
            found.append(message)
        return found


class TappedStream:
    """One connection of a `Tap`."""

    def __init__(self, tap: Tap, stream: ByteStream) -> None:
        self._tap = tap
        self._stream = stream
        self._pending = b""
        self.over = anyio.Event()

    async def receive(self, bytes_max: int) -> bytes:
        """Waits for bytes, or for the cut."""
        box: list[bytes] = []
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                await self.over.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            data = await self._stream.receive(bytes_max)
            if self._tap.is_deaf:
                await anyio.sleep_forever()
            box.append(data)
            tasks.cancel_scope.cancel()
        return box[0] if box else b""

    async def send(self, data: bytes) -> None:
        """Writes, and notes whole frames."""
        self._pending += data
        while len(self._pending) >= HEADER_BYTES:
            length = HEADER_BYTES + int.from_bytes(self._pending[:4], "big")
            if len(self._pending) < length:
                break
            self._tap.sent.append(self._pending[:length])
            self._pending = self._pending[length:]
        if self.over.is_set():
            raise ConnectionLost("The network was cut.")
        await self._stream.send(data)

    async def aclose(self) -> None:
        """Closes."""
        await self._stream.aclose()


PADDED = 1 << 3
"""Flag b3 of a frame: padding follows the body."""
