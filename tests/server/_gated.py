"""An engine whose answers the test gives, and a session with a client in memory.

`GatedEngine` implements `ports.Engine` for tests of the session alone: it signs
anybody in and keeps everything else until the test releases it. It holds no rows and
judges nothing; whether real answers are right is tested with the real engine.
"""

import io
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from os import urandom

from tests.server._peer import Account

from wigwag.server import (
    HANDLERS,
    Admission,
    Config,
    Counts,
    Handler,
    Hub,
    Limits,
    Memory,
    Peer,
    RequestLimits,
    Services,
    Session,
    connection_config,
    make_log,
    make_verifiers,
)
from wigwag.server.core import (
    Ack,
    Acked,
    Answer,
    Connect,
    Connected,
    Device,
    DeviceFound,
    DeviceLookup,
    Entries,
    InboxRead,
    Request,
    Send,
    Sequenced,
)
from wigwag.server.ports import EngineClosedError, Watcher
from wigwag.wire import (
    NEED_DATA,
    Auth,
    Connection,
    ConnectionConfig,
    Event,
    Explainer,
    Role,
    encode_message,
    suite1,
)

CERTIFICATE = urandom(32)
NO_ID = bytes(16)
ALL_WELL = Connected(0, 0, NO_ID, 0, 50, 50, 1, ())


class FixedClock:
    """A time of day that stands still."""

    def now_ms(self) -> int:
        """2026-06-01."""
        return 1_780_272_000_000


class RealEntropy:
    """The kernel's random bytes."""

    def token(self, count: int) -> bytes:
        """Return random bytes."""
        return urandom(count)


@dataclass
class GatedEngine:
    """Answers sign-ins at once and the rest when told to."""

    account: Account
    waiting: deque[tuple[Request, Callable[[Answer], None]]] = field(
        default_factory=deque[tuple[Request, Callable[[Answer], None]]]
    )
    watchers: dict[Device, Watcher] = field(default_factory=dict[Device, Watcher])
    is_space_low: bool = False
    is_closed: bool = False
    connects_with: Answer = ALL_WELL

    @property
    def depth(self) -> int:
        """Requests that wait."""
        return len(self.waiting)

    @property
    def memory_bytes(self) -> int:
        """It keeps no rows."""
        return 0

    def append(self, request: Request, answer: Callable[[Answer], None], /) -> None:
        """Keep a request, or answer a sign-in."""
        if self.is_closed:
            raise EngineClosedError
        account = self.account
        match request:
            case DeviceLookup():
                answer(
                    DeviceFound(
                        account.registration_id,
                        account.signing_public,
                        account.account_public,
                    )
                )
            case Connect():
                answer(self.connects_with)
            case _:
                self.waiting.append((request, answer))

    def watch(self, device: Device, watcher: Watcher, /) -> None:
        """Keep the watcher."""
        self.watchers[device] = watcher

    def unwatch(self, device: Device, watcher: Watcher, /) -> None:
        """Forget the watcher."""
        if self.watchers.get(device) is watcher:
            del self.watchers[device]

    def release(self, count: int) -> None:
        """Answer the oldest requests as if all were well."""
        for _ in range(count):
            request, answer = self.waiting.popleft()
            match request:
                case Send():
                    answer(Sequenced(request.client_msg_id, request.attempt, 1, 1))
                case Ack():
                    answer(Acked(request.position))
                case InboxRead():
                    answer(Entries((), (), request.above))
                case _:
                    raise AssertionError(f"no answer prepared for {request}")


class Bench:
    """A session, its engine, and a client at the other end of a pipe."""

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        handlers: dict[int, Handler] | None = None,
    ) -> None:
        self.now = 1_000.0
        self.account = Account(generation=1)
        self.engine = GatedEngine(self.account)
        self.limits = limits or Limits.for_profile("bench")
        self.log = io.StringIO()
        self.hub = Hub(
            counts=Counts(),
            log=make_log("json", "debug", self.log),
            entropy=RealEntropy(),
            monotonic=lambda: self.now,
            memory=Memory(self.limits.memory_bytes_max),
        )
        self.services = Services(
            engine=self.engine,
            hub=self.hub,
            limits=self.limits,
            connection_config=connection_config(
                self.limits, finalized=1, drain_seconds=25, explain=Explainer()
            ),
            admission=Admission(self.limits),
            request_limits=RequestLimits(self.limits),
            verifiers=make_verifiers(Config()),
            handlers={**HANDLERS, **(handlers or {})},
            clock=FixedClock(),
            entropy=RealEntropy(),
        )
        self.session, self.client = self.connect()
        self.takes = True
        """Whether the client's side takes what the session writes."""
        self.unwritten = b""
        self.events: list[Event] = []

    def connect(self) -> tuple[Session, Connection]:
        """Open a session with a client."""
        session = Session(
            self.services, Peer("192.0.2.1", CERTIFICATE), number=1, now=self.now
        )
        client = Connection(
            Role.CLIENT, ConnectionConfig(client_name="bench"), now=self.now
        )
        session.transport = self
        return session, client

    def flush(self) -> None:
        """Carry what the session writes (the transport's side)."""
        self.unwritten += self.session.outgoing()
        if self.takes:
            data, self.unwritten = self.unwritten, b""
            for start in range(0, len(data), 65_536):
                self.client.receive_data(data[start : start + 65_536], self.now)
                while (event := self.client.next_event()) is not NEED_DATA:
                    self.events.append(event)
                    if len(self.events) > 10_000:
                        raise AssertionError("events without end")
        self.session.backlog(len(self.unwritten))

    def carry(self) -> None:
        """Carry what the client writes, as one wake-up."""
        data = self.client.data_to_send()
        for start in range(0, len(data), 65_536):
            self.hub.begin()
            self.session.guarded(
                self.session.receive, data[start : start + 65_536], self.now
            )
            self.hub.flush()

    def sign_in(self) -> None:
        """Shake hands and sign in; what came of it is forgotten."""
        self.sign_in_keeping_events()
        self.events.clear()

    def sign_in_keeping_events(self) -> None:
        """Shake hands and ask to be signed in."""
        self.client.send_hello(urandom(32))
        self.carry()
        account = self.account
        unsigned = Auth(
            signature=bytes(64),
            user=account.user,
            device=account.number,
            registration_id=account.registration_id,
            generation=account.generation,
            cursor=0,
        )
        signed = encode_message(unsigned, self.client.revision)[64:]
        signature = account.device_key.sign(
            suite1.auth_transcript(self.client.transcript_hash, CERTIFICATE, signed)
        )
        self.client.send(
            Auth(
                signature=signature,
                user=account.user,
                device=account.number,
                registration_id=account.registration_id,
                generation=account.generation,
                cursor=0,
            )
        )
        self.carry()
