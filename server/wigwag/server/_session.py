"""One connection, without its socket: bytes in, bytes out, time as an argument.

A transport drives it. The pump does over TLS, the simulation over a pipe:

    session = Session(services, peer, number=1, now=now)
    session.transport = transport         # its flush() is called when there is output
    session.receive(data, now)            # all whole frames are handled at once
    socket.write(session.outgoing())      # in transport.flush()
    ...                                   # until session.closed, then session.ended()

Flow control is here, too. No request is taken while too many wait for their answer,
while the peer leaves too much unread, or while a sign-in is under way: the session
then stops taking frames, and `wants_reading` tells the transport to stop reading.

No method waits. A failure of ours anywhere in a session ends that session: every
entrance from outside goes through `guarded` or does the same itself.
"""

from collections.abc import Callable
from typing import ParamSpec, Protocol

from wigwag.server._breach import code_name, note_breach
from wigwag.server._flow import Flow
from wigwag.server._inbox_feed import InboxFeed
from wigwag.server._memory import Account
from wigwag.server._peer import Identity, Peer
from wigwag.server._pending import Pending
from wigwag.server._receipt_hints import GATHER_SECONDS, ReceiptHints
from wigwag.server._services import Services
from wigwag.server.core import Answer, Position, Request, User
from wigwag.server.ports import EngineClosedError
from wigwag.wire import (
    NEED_DATA,
    Connection,
    ConnectionClosed,
    ErrorCode,
    Mark,
    Message,
    Outcome,
    PeerError,
    PeerGoingAway,
    PrekeysLow,
    Receipt,
    Received,
    RefusalSent,
    RemoteProtocolError,
    Role,
    State,
    encode_frame,
)
from wigwag.wire import Error as ErrorMessage

Arguments = ParamSpec("Arguments")

# Between GOAWAY and the end, for acknowledgements that are on their way.
DRAIN_ACK_SECONDS = 2.0
GREASE_SEED_BYTES = 8


class Transport(Protocol):
    """What carries a session's bytes."""

    def flush(self) -> None:
        """Write `outgoing()`, then look at `wants_reading` and `closed`."""
        ...


class Session:
    """The server's side of one connection.

    Attributes:
        number: Of the connection since the server started; for logs.
        now: Monotonic time of what is being handled, in seconds.
        identity: Who signed in; None: nobody yet.
        claimed: Whose signature was verified last; the device is the session's own
            from then on.
        inbox: What of the device's inbox is sent.
        flow: What this connection makes the server hold.
        is_authenticating: A sign-in waits for the engine: nothing else is taken.
        auth_failures: Failed sign-ins on this connection.
        transport: What carries the bytes; set once by whoever drives the session.
        has_new_deadline: `next_deadline` may have become earlier; the transport tells
            the sweeper and takes it back.
    """

    def __init__(
        self, services: Services, peer: Peer, *, number: int, now: float
    ) -> None:
        self.services = services
        self.peer = peer
        self.number = number
        self.now = now
        self.identity: Identity | None = None
        self.claimed: Identity | None = None
        self.is_authenticating = False
        self.auth_failures = 0
        self.transport: Transport | None = None
        self.has_new_deadline = False
        self.connection = Connection(
            Role.SERVER,
            services.connection_config,
            now=now,
            grease_seed=int.from_bytes(services.entropy.token(GREASE_SEED_BYTES)),
        )
        self._hub = services.hub
        self._memory = services.hub.memory
        self._account = Account(self._memory)
        self._counts = services.hub.counts
        self.inbox = InboxFeed(self)
        self.flow = Flow(services.limits)
        self._is_paused = False
        self._is_marked = False
        self._receipts = ReceiptHints()
        self._drain_until: float | None = None
        self.is_over = False
        """Nothing is handled any more; what is queued may still go out."""
        self._hub.add(self)

    # The seam to a transport

    def receive(self, data: bytes, now: float) -> None:
        """Handle what the peer sent; b"" is the end of the stream."""
        self.now = now
        if self.is_over:
            return
        self._counts.bytes_in += len(data)
        self.mark()
        self.connection.receive_data(data, now)
        self._advance()

    def outgoing(self) -> bytes:
        """Return what is to be written, once."""
        data = self.connection.data_to_send()
        self.flow.queued_bytes = 0
        self._counts.bytes_out += len(data)
        return data

    @property
    def wants_reading(self) -> bool:
        """Whether the transport should read on."""
        return not self._is_paused and not self.is_over

    @property
    def closed(self) -> bool:
        """Whether the connection is to be closed once `outgoing` was written."""
        return self.is_over

    @property
    def held_bytes(self) -> int:
        """What this connection makes the server hold, fixed charges aside."""
        flow = self.flow
        return self.connection.buffered_bytes + flow.request_bytes + flow.output_bytes

    def backlog(self, unwritten_bytes: int) -> None:
        """Be told how much the peer's side has not taken yet."""
        was_full = self.flow.room_bytes <= 0
        self.flow.backlog_bytes = unwritten_bytes
        self._book()
        if was_full and self.flow.room_bytes > 0:
            self.mark()

    def next_deadline(self) -> float | None:
        """Return when `tick` must be called at the latest."""
        if self.is_over:
            return None
        earliest = self.connection.next_deadline()
        for time in (self.inbox.retry_at, self._drain_until):
            if time is not None and (earliest is None or time < earliest):
                earliest = time
        return earliest

    def tick(self, now: float) -> None:
        """Do what is due."""
        self.now = now
        if self.is_over:
            return
        self.inbox.tick(now)
        self.connection.handle_timer(now)
        self._advance()
        self.mark()

    def flush(self, now: float) -> None:
        """Settle, then have the transport write (the hub calls this)."""
        self._is_marked = False
        self.now = now
        self._settle(now)
        if self.transport is not None:
            self.transport.flush()
        self._book()
        if self.flow.is_drowning and not self.is_over:
            self._counts.slow_readers += 1
            self.close_with(ErrorCode.OVERLOADED)

    def ended(self) -> None:
        """Be told that the transport is gone: whatever was held is given back."""
        self.is_over = True
        self.inbox.close()
        if self.identity is not None:
            self._counts.signed_in -= 1
        # Also one that ended before its sign-in was answered holds the device.
        self._hub.remove(self)
        self._account.close()
        self.connection.abandon()
        self.identity = None

    def mark(self) -> None:
        """Have the hub flush it at the end of the wake-up."""
        if not self._is_marked:
            self._is_marked = True
            self._hub.mark(self)

    def guarded(
        self,
        function: Callable[Arguments, None],
        /,
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> None:
        """Call something of its own; a failure ends it alone."""
        try:
            function(*args, **kwargs)
        except Exception as error:
            self.crash(error)

    def crash(self, error: Exception) -> None:
        """End the connection for a fault of ours, under an error id."""
        self._hub.failed("session_failed", error, connection=self.number)
        self._end(ErrorCode.UNAVAILABLE)

    # Taking frames

    def _advance(self) -> None:
        """Take events until there are none, or none may be taken."""
        connection = self.connection
        handlers = self.services.handlers
        while not self.is_over:
            if not self._may_take():
                self._pause()
                return
            try:
                event = connection.next_event()
            except RemoteProtocolError as error:
                self._peer_failed(error)
                return
            if isinstance(event, Received):
                handlers[event.type](self, event)
            elif event is NEED_DATA:
                if connection.is_frame_arriving:
                    self.has_new_deadline = True
                if not self._may_hold():
                    self._pause()
                return
            else:
                self._note(event)

    def _may_take(self) -> bool:
        flow = self.flow
        return (
            flow.may_take
            and not self.is_authenticating
            and (self._memory.has_room or self._may_hold() or not flow.requests)
        )

    def _may_hold(self) -> bool:
        """Whether there is memory for more, if need be for those who hold little."""
        memory = self._memory
        return memory.has_room or memory.may_hold(self.held_bytes)

    def _pause(self) -> None:
        if self._is_paused:
            return
        self._is_paused = True
        self.connection.reading_paused(self.now)
        if not self._memory.has_room:
            self._hub.starve(self)

    def _note(
        self, event: RefusalSent | PeerGoingAway | PeerError | ConnectionClosed
    ) -> None:
        match event:
            case RefusalSent(code=code):
                self._counts.refusals[code_name(code)] += 1
            case PeerGoingAway():
                self._begin_drain(self.now)
            case PeerError():
                return  # GOAWAY or the end follows
            case ConnectionClosed():
                self.is_over = True

    def _peer_failed(self, error: RemoteProtocolError) -> None:
        note_breach(self._hub, self.number, self.peer.address, error)
        self.is_over = True

    # Requests and answers

    def ask(
        self,
        request: Request,
        event: Received,
        on_answer: Callable[[Pending, Answer], None],
    ) -> None:
        """Append a request to the log; hold its memory until it is answered.

        Args:
            request: What is asked.
            event: The frame that asks it.
            on_answer: Called with the answer, unless the session has ended.
        """
        pending = Pending(self, event, on_answer)
        try:
            self.services.engine.append(request, pending)
        except EngineClosedError:
            self._end(ErrorCode.UNAVAILABLE)
            return
        self.flow.hold(pending.size)
        self._memory.held_bytes += pending.size

    def hold(self, size: int) -> None:
        """Count what a request holds before it is asked; `release` gives it back."""
        self.flow.hold(size)
        self._memory.held_bytes += size

    def release(self, size: int) -> None:
        """Give back what an answered request held."""
        self.flow.release(size)
        self._memory.held_bytes -= size
        if self._is_paused or self._drain_until is not None:
            self.mark()

    def answer(self, message: Message, corr: int) -> None:
        """Queue the answer to a request."""
        self.answer_frame(encode_frame(message, self.connection.revision, corr), corr)

    def answer_frame(self, frame: bytes, corr: int) -> None:
        """Queue a built answer (hot path)."""
        self.connection.send_answer_frame(frame, corr)
        self.flow.queued_bytes += len(frame)
        self.mark()

    def refuse(
        self, corr: int, frame_type: int, code: ErrorCode, retry_after_ms: int = 0
    ) -> None:
        """Queue an ERROR to a request that had no effect."""
        self._counts.refusals[code.name] += 1
        self.answer(
            ErrorMessage(
                code=code,
                outcome=Outcome.NONE,
                frame_type=frame_type,
                retry_after_ms=retry_after_ms,
            ),
            corr,
        )

    def refuse_event(
        self, event: Received, code: ErrorCode, wait_seconds: float = 0.0
    ) -> None:
        """Queue an ERROR to a request that wasn't asked of the engine."""
        self.refuse(event.corr, event.type, code, round_up_ms(wait_seconds))

    def close_with(self, code: ErrorCode, wait_seconds: float = 0.0) -> None:
        """Say why, and end the connection."""
        if not self.is_over:
            self.connection.close_with(code, retry_after_ms=round_up_ms(wait_seconds))
        self.is_over = True
        self.mark()

    def reject(self, code: ErrorCode, wait_seconds: float = 0.0) -> None:
        """Refuse the connection before sign-in."""
        self.connection.reject(code, retry_after_ms=round_up_ms(wait_seconds))
        self.is_over = True
        self.mark()

    # Sign-in

    @property
    def generation(self) -> int:
        """The generation that this connection signs in with; 0: none yet."""
        return self.claimed.generation if self.claimed else 0

    def sign_in(self, identity: Identity, *, acked: Position, last: Position) -> None:
        """Take the device's inbox up; AUTH_OK is queued, GAPs come next."""
        if self.identity is None:
            self._counts.signed_in += 1
        self.identity = identity
        if self.peer.place is not None:
            self.services.admission.authenticated(self.peer.place, self.now)
        self.inbox.open(identity.device, acked=acked, last=last)
        self.mark()

    def displace(self) -> None:
        """Give way to a newer connection of the device: unread frames are dropped."""
        self.close_with(ErrorCode.REPLACED)

    def revoke(self) -> None:
        """End: the account removed this device, or was deleted (R-ACCOUNT-005)."""
        self.close_with(ErrorCode.DEVICE_REMOVED)

    def drain(self, wait_seconds: float) -> None:
        """Take nothing new; end when what was taken is answered and acknowledged."""
        self.now = self._hub.monotonic()
        match self.connection.state:
            case State.HELLO | State.AUTH | State.LINKING:
                self.reject(ErrorCode.GOING_AWAY, wait_seconds)
            case State.READY:
                self.connection.drain(
                    ErrorCode.GOING_AWAY,
                    now=self.now,
                    retry_after_ms=round_up_ms(wait_seconds),
                )
                self._begin_drain(self.now)
            case State.DRAINING | State.CLOSED:
                return

    # Hints

    def say_prekeys_low(self, ec_left: int, kem_left: int) -> None:
        """Queue PREKEYS_LOW."""
        self.event(PrekeysLow(ec_left=ec_left, kem_left=kem_left))

    def note_receipt(self, chat: bytes, user: User, mark: Position) -> None:
        """Gather a delivered mark; it is sent a moment later."""
        if self._receipts.note(chat, user, mark):
            self._hub.gather(self, self._hub.monotonic() + GATHER_SECONDS)

    def send_receipts(self) -> None:
        """Queue the delivered marks that were gathered (the hub calls this)."""
        if self.is_over:
            return
        for (chat, user), mark in self._receipts.take().items():
            self.event(Receipt(mark=Mark(chat=chat, user=user, mark=mark)))
            self._counts.receipts_sent += 1

    def event(self, message: Message) -> None:
        """Queue an event, if the connection can still carry it."""
        if self.connection.state is State.READY:
            self.connection.send(message)
            self.mark()

    # Inside

    def _book(self) -> None:
        """Book received bytes and output; requests are booked one by one."""
        self._account.book(self.connection.buffered_bytes + self.flow.output_bytes)

    def _settle(self, now: float) -> None:
        if self.is_over:
            return
        if self._is_paused:
            self._resume(now)
        self.inbox.settle()
        if self._drain_until is not None:
            self._end_drain(now)

    def _resume(self, now: float) -> None:
        """Read on if what it waited for is there; else say what it waits for now."""
        if self._may_take():
            self._is_paused = False
            self.has_new_deadline = True
            self.connection.reading_resumed(now)
            self._advance()
        elif not self._memory.has_room:
            self._hub.starve(self)

    def _begin_drain(self, now: float) -> None:
        if self._drain_until is None:
            self._drain_until = now + DRAIN_ACK_SECONDS
            self.has_new_deadline = True
        self.inbox.stop()
        self.mark()

    def _end_drain(self, now: float) -> None:
        """End once every taken request is answered and every entry acknowledged."""
        assert self._drain_until is not None
        if self.flow.requests:
            self._drain_until = max(self._drain_until, now + DRAIN_ACK_SECONDS)
            return
        if self.inbox.unacked == 0 or now >= self._drain_until:
            self.close_with(ErrorCode.GOING_AWAY)

    def _end(self, code: ErrorCode) -> None:
        """End without trusting the connection's state, which a fault may have left."""
        if self.is_over:
            return
        self.is_over = True
        self.mark()
        if self.connection.state is not State.CLOSED:
            self.connection.close_with(code)


def round_up_ms(seconds: float) -> int:
    """Return a wait in whole milliseconds, never shorter than it is."""
    return int(seconds * 1000) + 1 if seconds > 0 else 0
