"""A server of the protocol whose answers a test writes, behind the `Net` port.

It speaks real frames through `wigwag.wire.Connection`; only what it says is up to
the test. So a client meets servers that no honest program would be.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from tests.client.worlds import ports

from wigwag.client import (
    Address,
    ConnectionLost,
    Dialled,
    Join,
    Ports,
    Session,
    Trust,
    open_session,
    register,
)
from wigwag.client._clock import SystemEntropy
from wigwag.client.crypto import (
    AccountKey,
    DeviceKeys,
    LocalDevice,
    list_device,
    make_kem_prekeys,
    make_signed_prekey,
    sign_first_list,
)
from wigwag.wire import (
    NEED_DATA,
    Auth,
    AuthOk,
    Bundle,
    Connection,
    ConnectionClosed,
    ConnectionConfig,
    DeviceList,
    DeviceListGet,
    DeviceListPublish,
    DeviceListPublished,
    DeviceLists,
    Error,
    ErrorCode,
    Hello,
    Message,
    Outcome,
    PrekeysStored,
    PrekeysUpload,
    Receipts,
    ReceiptsGet,
    Received,
    Register,
    ReRegister,
    Role,
    State,
    UsernameClaim,
    UsernameOf,
    UsernameResolve,
    UsernameResolved,
    decode_struct,
    suite1,
)

NOW_MS = 1_800_000_000_000
AUTHORITY = b"authority"
PIN = bytes(32)

READY = AuthOk(
    acked=0,
    last=0,
    last_stored_id=bytes(16),
    last_stored_attempt=0,
    ec_left=100,
    kem_left=50,
    list_seq=1,
)

STOCKED = PrekeysStored(
    ec_left=100,
    kem_left=50,
    ec_highest=100,
    kem_highest=51,
    signed_id=1,
    last_resort_id=1,
)

Kind = TypeVar("Kind")

Answer = Callable[[Message], Message | None]


class _Stream:
    """One end of a connection in memory."""

    def __init__(
        self,
        sending: MemoryObjectSendStream[bytes],
        receiving: MemoryObjectReceiveStream[bytes],
    ) -> None:
        self._sending = sending
        self._receiving = receiving

    async def receive(self, bytes_max: int) -> bytes:
        """Waits for bytes."""
        try:
            return await self._receiving.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            return b""

    async def send(self, data: bytes) -> None:
        """Writes."""
        try:
            await self._sending.send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise ConnectionLost("The connection broke.") from error

    async def aclose(self) -> None:
        """Closes both ways."""
        self._sending.close()
        self._receiving.close()


@dataclass
class Peer:
    """An account that exists only in signed lists."""

    name: str
    user: bytes
    key: AccountKey
    keys: DeviceKeys

    @classmethod
    def make(cls, name: str, seed: int) -> "Peer":
        """Makes one whose keys depend on the seed alone."""
        fixed = bytes([seed])
        return cls(
            name,
            fixed * 16,
            AccountKey.from_secret(fixed * 32),
            DeviceKeys.from_secret(fixed * 64),
        )

    def lists(self) -> DeviceLists:
        """Returns his device list."""
        device = LocalDevice(self.user, self.key.public, 1, 7, self.keys)
        signed = sign_first_list(
            self.key, self.user, [list_device(device)], now_ms=NOW_MS
        )
        return DeviceLists(
            user=self.user, account_key=self.key.public, lists=(signed,), more=False
        )

    def bundle(self, registration_id: int) -> Bundle:
        """Returns a bundle of his device in some registration."""
        device = LocalDevice(self.user, self.key.public, 1, registration_id, self.keys)
        entropy = SystemEntropy()
        signed = make_signed_prekey(device, 1, entropy=entropy, now_ms=NOW_MS)
        (kem,) = make_kem_prekeys(device, 1, 1, is_last_resort=True, entropy=entropy)
        return Bundle(
            suite=suite1.SUITE,
            device=1,
            registration_id=registration_id,
            signed_prekey=signed.offer(),
            one_time=(),
            kem=kem.offer(),
        )


class Line:
    """The server's end of one connection."""

    def __init__(self, server: "ScriptedServer", stream: _Stream) -> None:
        self._server = server
        self._stream = stream
        # Says nothing more, as a machine that lost its power.
        self.is_mute = False
        self.connection = Connection(
            Role.SERVER, ConnectionConfig(), now=anyio.current_time()
        )

    async def run(self) -> None:
        """Answers until the connection ends."""
        connection = self.connection
        while connection.state is not State.CLOSED:
            event = connection.next_event()
            match event:
                case Received():
                    self._server.hear(event.message)
                    self._take(event)
                case ConnectionClosed():
                    break
                case _ if event is NEED_DATA:
                    await self.flush()
                    data = await self._stream.receive(65536)
                    connection.receive_data(data, anyio.current_time())
                case _:
                    continue
        await self.flush()
        await self._stream.aclose()

    async def tell(self, *messages: Message) -> None:
        """Sends events."""
        for message in messages:
            self.connection.send(message)
        await self.flush()

    async def close(self, code: ErrorCode, retry_after_ms: int = 0) -> None:
        """Ends the connection with a reason."""
        self.connection.close_with(code, retry_after_ms=retry_after_ms)
        await self.flush()
        await self._stream.aclose()

    async def flush(self) -> None:
        """Writes what is to be written."""
        data = self.connection.data_to_send()
        if data and not self.is_mute:
            try:
                await self._stream.send(data)
            except ConnectionLost:
                return

    def _take(self, event: Received) -> None:
        message = event.message
        if isinstance(message, Hello):
            if self._server.rejects_with is not None:
                self.connection.reject(self._server.rejects_with)
                return
            self.connection.accept(
                server_nonce=bytes(32),
                session_id=bytes(16),
                server_time_ms=self._server.time_ms(),
            )
            return
        answer = self._server.answers.get(type(message))
        said = answer(message) if answer is not None else None
        if said is not None:
            self.connection.send(said, corr=event.corr)


@dataclass
class ScriptedServer:
    """What the server answers, and what it heard.

    Attributes:
        answers: By request; None: no answer at all.
        received: Everything that clients said.
        lines: Connections, in order.
        rejects_with: Code of REJECT to every HELLO; None: WELCOME.
        time_ms: The server's clock.
        enrolled: What `alice` said when she registered.
    """

    answers: dict[type[Message], Answer] = field(
        default_factory=dict[type[Message], Answer]
    )
    received: list[Message] = field(default_factory=list[Message])
    lines: list[Line] = field(default_factory=list[Line])
    rejects_with: ErrorCode | None = None
    time_ms: Callable[[], int] = lambda: NOW_MS
    enrolled: list[Message] = field(default_factory=list[Message])
    _tasks: TaskGroup | None = None
    _line_added: anyio.Event = field(default_factory=anyio.Event)
    _heard: anyio.Event = field(default_factory=anyio.Event)

    async def dial(self, address: Address, trust: Trust) -> Dialled:
        """Connects a client."""
        assert self._tasks is not None
        to_server = anyio.create_memory_object_stream[bytes](1000)
        to_client = anyio.create_memory_object_stream[bytes](1000)
        line = Line(self, _Stream(to_client[0], to_server[1]))
        self.lines.append(line)
        self._tasks.start_soon(line.run)
        self._line_added.set()
        self._line_added = anyio.Event()
        return Dialled(_Stream(to_server[0], to_client[1]), bytes(32), AUTHORITY)

    async def line(self, number: int) -> Line:
        """Waits for a connection by its number, from 1."""
        while len(self.lines) < number:
            await self._line_added.wait()
        return self.lines[number - 1]

    def hear(self, message: Message) -> None:
        """Notes what a client said."""
        self.received.append(message)
        self._heard.set()
        self._heard = anyio.Event()

    def said(self, shape: type[Kind]) -> list[Kind]:
        """Returns everything of one kind that was received."""
        return [message for message in self.received if isinstance(message, shape)]

    async def heard(self, shape: type[Kind], count: int = 1) -> list[Kind]:
        """Waits until so many of one kind were received; returns them."""
        while len(self.said(shape)) < count:
            await self._heard.wait()
        return self.said(shape)

    def knows(self, *peers: Peer) -> None:
        """Makes the directory know people."""
        by_name = {peer.name: peer for peer in peers}
        by_user = {peer.user: peer for peer in peers}
        own = self.answers[DeviceListGet]

        def resolve(message: Message) -> Message:
            assert isinstance(message, UsernameResolve)
            found = by_name.get(message.name)
            if found is None:
                return error(ErrorCode.NOT_FOUND)
            return UsernameResolved(user=found.user, name=found.name)

        def name_of(message: Message) -> Message:
            assert isinstance(message, UsernameOf)
            found = by_user.get(message.user)
            if found is None:
                return error(ErrorCode.NOT_FOUND)
            return UsernameResolved(user=found.user, name=found.name)

        def lists(message: Message) -> Message | None:
            assert isinstance(message, DeviceListGet)
            found = by_user.get(message.user)
            return own(message) if found is None else found.lists()

        self.answers[UsernameResolve] = resolve
        self.answers[UsernameOf] = name_of
        self.answers[DeviceListGet] = lists


def error(code: ErrorCode, outcome: Outcome = Outcome.NONE) -> Error:
    """Makes an ERROR."""
    return Error(code=code, outcome=outcome, frame_type=0, retry_after_ms=0)


def _claimed(message: Message) -> Message:
    assert isinstance(message, UsernameClaim)
    return UsernameResolved(user=b"u" * 16, name=message.name)


def _published(message: Message) -> Message:
    assert isinstance(message, DeviceListPublish)
    return DeviceListPublished(
        list_seq=decode_struct(DeviceList, message.list.blob).seq
    )


def _friendly() -> dict[type[Message], Answer]:
    return {
        Register: lambda _: READY,
        Auth: lambda _: READY,
        ReRegister: lambda _: READY,
        PrekeysUpload: lambda _: STOCKED,
        UsernameClaim: _claimed,
        DeviceListPublish: _published,
        DeviceListGet: lambda _: error(ErrorCode.NOT_FOUND),
        ReceiptsGet: lambda _: Receipts(marks=()),
    }


@asynccontextmanager
async def scripted() -> AsyncGenerator[ScriptedServer, None]:
    """Runs a server that is friendly until a test says otherwise."""
    async with anyio.create_task_group() as tasks:
        server = ScriptedServer(_friendly(), _tasks=tasks)
        yield server
        tasks.cancel_scope.cancel()


async def enrol(
    server: ScriptedServer, folder: Path, world: Ports | None = None
) -> Path:
    """Registers `alice` at a scripted server; returns the profile."""
    join = Join(Address("scripted", 1), PIN, "invite")
    world = world or ports(net=server)
    await register("alice", join, profile=folder / "alice", ports=world)
    server.lines.clear()
    server.enrolled = list(server.received)
    server.received.clear()
    return folder / "alice"


@asynccontextmanager
async def alice_at(
    server: ScriptedServer, folder: Path, world: Ports | None = None
) -> AsyncGenerator[Session, None]:
    """Registers `alice` and opens her session."""
    profile = await enrol(server, folder, world)
    async with open_session(profile, ports=world or ports(net=server)) as session:
        await session.wait_online(10)
        yield session
