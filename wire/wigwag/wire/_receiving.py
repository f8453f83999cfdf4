"""The receiving half of a connection: bytes in, events out."""

from typing import Final, NoReturn

from wigwag.wire._budget import FrameBudget
from wigwag.wire._codec_errors import DecodeError, Malformed, RequestRefused
from wigwag.wire._config import ConnectionConfig
from wigwag.wire._core import make_error
from wigwag.wire._errors import LocalProtocolError
from wigwag.wire._events import (
    NEED_DATA,
    ConnectionClosed,
    Event,
    PeerError,
    PeerGoingAway,
    Received,
    RefusalSent,
)
from wigwag.wire._faults import (
    ACK_FLOOD,
    CONTROL_FLOOD,
    NO_COMMON_REVISION,
    NOT_OFFERED,
    Fault,
    Treatment,
    content_fault,
    judge_header,
)
from wigwag.wire._generated import (
    LIMITS,
    Error,
    ErrorCode,
    Goaway,
    Hello,
    Message,
    Ping,
    Pong,
    Welcome,
)
from wigwag.wire._handshake import agreed_revision, told_config, was_offered
from wigwag.wire._header import (
    HEADER,
    HEADER_BYTES,
    MORE,
    PADDED,
    RESPONSE,
    body_end,
)
from wigwag.wire._receive_buffer import READ_BYTES_MAX, Header, ReceiveBuffer
from wigwag.wire._rules import (
    ANSWER,
    ERROR,
    GOAWAY,
    HELLO,
    PING,
    PONG,
    REQUEST,
    SOLO,
    WELCOME,
    Rule,
    rule_book,
)
from wigwag.wire._sending import SendingSide
from wigwag.wire._states import Role, State
from wigwag.wire._writer import PADDING_FEATURE, UNKNOWN_REQUEST

CONTROL_PER_SECOND: Final = LIMITS["control_per_second"].value
CONTROL_BURST: Final = LIMITS["control_burst"].value
ACK_PER_SECOND_MAX: Final = LIMITS["ack_per_second_max"].value

_UNUSUAL = -1
_COUNTED = frozenset({GOAWAY, ERROR})
"""Beside PING: what says nothing new the second time."""


class ReceivingSide(SendingSide):
    """What has come, judged and decoded."""

    __slots__ = ("_budget", "_buffer", "_is_at_end", "_last_event", "_ping")

    def __init__(
        self,
        role: Role,
        config: ConnectionConfig,
        *,
        now: float,
        grease_seed: int | None = None,
    ) -> None:
        super().__init__(role, config, now=now, grease_seed=grease_seed)
        self._buffer = ReceiveBuffer()
        self._budget = FrameBudget(
            CONTROL_PER_SECOND, CONTROL_BURST, ACK_PER_SECOND_MAX
        )
        self._is_at_end = False
        self._last_event: Event | None = None
        # (corr, token) of our own PING; a newer one takes its place.
        self._ping = (0, 0)

    def receive_data(self, data: bytes, now: float) -> None:
        """Takes what the transport read; b"" is the end of the stream.

        Call `next_event` until NEED_DATA before the next call. After CLOSED all is
        dropped.

        Args:
            data: Bytes, at most 64 KiB at once.
            now: Seconds.

        Raises:
            LocalProtocolError: More than a frame and a read lie here already: events
                were not taken; or data after the end.
        """
        if self._is_at_end:
            raise LocalProtocolError("data after the end of the stream")
        self._now = now
        self._timers.received_at = now
        if not data:
            self._is_at_end = True
        elif self._state is not State.CLOSED:
            if len(self._buffer) > HEADER_BYTES + self._length_max + READ_BYTES_MAX:
                raise LocalProtocolError("take the events before feeding more")
            self._buffer.append(data, now)

    def next_event(self) -> Event:
        """Returns the next thing that happened, or NEED_DATA.

        Raises:
            RemoteProtocolError: The peer broke the protocol or kept silent. The state
                is CLOSED; write `data_to_send()`, then close. Each further call
                raises it again.
        """
        if self._is_stopped:
            return self._stopped_event()
        buffer = self._buffer
        ledger = self._ledger
        while True:
            header = buffer.header()
            if header is None:
                return self._starved()
            length, type_, flags, ext_len, corr = header
            rule = self._rules.get(type_)
            kind = _UNUSUAL
            if (
                rule is not None
                and rule.is_plain
                and flags == rule.flags
                and not ext_len
                and length <= rule.length_max
                and length <= self._length_max
            ):
                kind = rule.kind
            if kind == REQUEST:
                fits = corr != 0 and corr not in ledger.in_flight
            elif kind == ANSWER:
                request = ledger.awaited.get(corr)
                fits = request is not None and type_ in request.replies
            else:
                fits = kind == SOLO and corr == 0
            if not fits or rule is None:
                event = self._next_unusual(header)
                if event is None:
                    continue
                return event
            body = buffer.content(length)
            if body is None:
                return self._starved()
            if rule.is_ack and not self._budget.ack_fits(self._now):
                self._fail(ACK_FLOOD, type_)
            try:
                message = rule.decode(body)
            except DecodeError as error:
                return self._undecodable(error, rule, corr, body)
            if kind == REQUEST:
                ledger.in_flight[corr] = rule
                ledger.last_received = corr
            elif kind == ANSWER:
                del ledger.awaited[corr]
            return Received(message, type_, corr, body, False)

    # Off the fast path

    def _next_unusual(self, header: Header) -> Event | None:
        """Takes a frame with every check in its order; None: it was skipped."""
        length, type_, flags, ext_len, corr = header
        verdict = judge_header(
            header,
            state=self._state,
            length_max=self._length_max,
            book=self._book,
            ledger=self._ledger,
        )
        if isinstance(verdict, Fault):
            self._fail(verdict, type_)
        content = self._buffer.content(length)
        if content is None:
            return self._starved()
        fault = content_fault(content, flags, ext_len)
        if fault is not None:
            self._fail(fault, type_)
        if verdict is Treatment.SKIP:
            self._skip(type_, flags, corr)
            return None
        if verdict is Treatment.IGNORE:
            return None
        end = body_end(content, ext_len) if flags & PADDED else len(content)
        return self._take(header, content, content[ext_len:end])

    def _skip(self, type_: int, flags: int, corr: int) -> None:
        """Drops a frame of an unknown odd type; a request is told (R-FRAME-007)."""
        self._count_control(type_)
        if corr and not flags & RESPONSE and self._state is not State.HELLO:
            self._queue_error(make_error(ErrorCode.UNSUPPORTED, type_), corr)

    def _take(self, header: Header, content: bytes, body: bytes) -> Event | None:
        """Decodes a legal frame and does what its type asks for."""
        _, type_, flags, _, corr = header
        rule = self._rules[type_]
        if type_ == PING or (not corr and type_ in _COUNTED):
            self._count_control(type_)
        elif rule.is_ack and not self._budget.ack_fits(self._now):
            self._fail(ACK_FLOOD, type_)
        try:
            message = rule.decode(body)
        except DecodeError as error:
            return self._undecodable(error, rule, corr, body)
        match message:
            case Ping(token=token):
                self._on_ping(corr, rule, token)
                return None
            case Pong():
                return self._on_pong(message, corr, body)
            case Hello():
                return self._on_hello(
                    message, corr, body, HEADER.pack(*header) + content
                )
            case Goaway():
                self._enter(State.DRAINING)
                return PeerGoingAway(
                    message.code,
                    message.last_corr,
                    message.retry_after_ms,
                    message.home,
                )
            case Error() if not corr:
                return PeerError(
                    message.code, message.frame_type, message.retry_after_ms
                )
            case Welcome():
                self._on_welcome(message, HEADER.pack(*header) + content)
            case _:
                pass
        return self._deliver(message, rule, corr, flags, body)

    def _deliver(
        self, message: Message, rule: Rule, corr: int, flags: int, body: bytes
    ) -> Event | None:
        """Notes who awaits what and hands the message over."""
        ledger = self._ledger
        more = bool(flags & MORE)
        if rule.kind == REQUEST:
            ledger.in_flight[corr] = rule
            ledger.last_received = corr
        elif rule.kind == ANSWER:
            if ledger.awaited[corr] is UNKNOWN_REQUEST:
                del ledger.awaited[corr]
                return None
            if not more:
                del ledger.awaited[corr]
        next_state = rule.next_states.get(self._state)
        if next_state is not None:
            self._enter(next_state)
            if next_state is State.CLOSED:  # REJECT: nothing follows it
                self._last_event = ConnectionClosed(by_peer=True, is_truncated=False)
        return Received(message, rule.type, corr, body, more)

    def _on_ping(self, corr: int, rule: Rule, token: int) -> None:
        """Answers at once, or after the requests that came before (R-PING-001)."""
        ledger = self._ledger
        if not ledger.in_flight:
            self._queue_pong(corr, token)
            return
        # PINGs that arrive while nothing is answered must not pile up without end.
        if ledger.barriers >= CONTROL_BURST:
            self._fail(CONTROL_FLOOD, PING)
        ledger.add_barrier(corr, rule, token)

    def _on_pong(self, message: Pong, corr: int, body: bytes) -> Event | None:
        """Takes the answer to a PING; any other is ignored and counted (R-PING-002)."""
        rule = self._rules[PONG]
        if (corr, message.token) == self._ping:
            self._ping = (0, 0)
            return None
        request = self._ledger.awaited.get(corr)
        if request is not None and request.type == PING:
            del self._ledger.awaited[corr]
            return Received(message, rule.type, corr, body, False)
        self._count_control(rule.type)
        return None

    def _on_hello(self, hello: Hello, corr: int, body: bytes, frame: bytes) -> Received:
        """Notes the offer and waits for `accept` or `reject`."""
        ledger = self._ledger
        ledger.in_flight[corr] = self._rules[HELLO]
        ledger.last_received = corr
        self._negotiation.begin(hello, frame)
        revision = agreed_revision(self._config, hello)
        if revision is None:
            self._queue_reject(ErrorCode.NO_COMMON_REVISION, 0, None)
            self._fail(NO_COMMON_REVISION, HELLO)
        self._negotiation.revision = revision
        self._is_stopped = True
        return Received(hello, HELLO, corr, body, False)

    def _on_welcome(self, welcome: Welcome, frame: bytes) -> None:
        """Takes over what the server says."""
        if not was_offered(self._config, welcome.revision):
            self._fail(NOT_OFFERED, WELCOME)
        config = told_config(self._config, welcome)
        self._negotiation.settle(config, welcome, frame)
        self._config = config
        self._timers.retune(
            auth_seconds=config.auth_seconds,
            frame_seconds=config.frame_seconds,
            idle_seconds=config.idle_seconds,
            pong_seconds=config.pong_seconds,
        )
        self._book = rule_book(self._role, welcome.revision)
        self._writer.pads = PADDING_FEATURE in self.features

    def _undecodable(
        self, error: DecodeError, rule: Rule, corr: int, body: bytes
    ) -> Event:
        """Answers a request that can't be read; anything else ends the connection."""
        if (
            isinstance(error, RequestRefused)
            and rule.kind == REQUEST
            and self._state not in (State.HELLO, State.AUTH)
        ):
            self._ledger.last_received = corr
            self._queue_error(make_error(error.code, rule.type), corr)
            return RefusalSent(rule.type, corr, error.code, error.offset)
        explanation = None
        if isinstance(error, Malformed) and self._config.explain is not None:
            explanation = self._config.explain(
                rule.type, self._negotiation.revision, body, self._now
            )
        fault = Fault(error.code, "", f"{rule.info.name}: {error.reason}")
        return self._fail(fault, rule.type, error.offset, explanation)

    def _count_control(self, type_: int) -> None:
        if not self._budget.control_fits(self._now):
            self._fail(CONTROL_FLOOD, type_)

    def _starved(self) -> Event:
        """The buffer holds no whole frame: more must come, or it was the end."""
        if not self._is_at_end:
            return NEED_DATA
        self._last_event = ConnectionClosed(
            by_peer=True, is_truncated=len(self._buffer) > 0
        )
        self._buffer.clear()
        self._enter(State.CLOSED)
        return self._last_event

    def _stopped_event(self) -> Event:
        """What there is to say once nothing is read any more."""
        if self._failure is not None:
            self._buffer.clear()
            raise self._failure.error()
        if self._state is not State.CLOSED:
            return self._starved() if self._is_at_end else NEED_DATA
        if self._last_event is None:
            self._buffer.clear()
            self._last_event = ConnectionClosed(by_peer=False, is_truncated=False)
        return self._last_event

    def _fail(
        self,
        fault: Fault,
        message_type: int,
        offset: int = -1,
        explanation: str | None = None,
    ) -> NoReturn:
        """Ends the connection by the peer's fault and raises it."""
        self._end(fault, message_type, offset, explanation)
        self._buffer.clear()
        assert self._failure is not None
        raise self._failure.error()
