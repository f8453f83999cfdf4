"""The sending half of a connection: messages in, frames queued."""

from typing import Final

from wigwag.wire._core import ConnectionCore, make_error
from wigwag.wire._errors import LocalProtocolError
from wigwag.wire._generated import Message
from wigwag.wire._handshake import make_hello, make_reject, make_welcome, told_config
from wigwag.wire._header import MORE
from wigwag.wire._rules import (
    ANSWER,
    ERROR,
    GOAWAY,
    HELLO,
    PONG,
    REJECT,
    REQUEST,
    WELCOME,
    Rule,
    rule_book,
)
from wigwag.wire._states import Role, State
from wigwag.wire._writer import PADDING_FEATURE

_OWN_METHODS: Final[dict[int, str]] = {
    HELLO: "send_hello",
    WELCOME: "accept",
    REJECT: "reject",
    GOAWAY: "drain or close_with",
    PONG: "nothing: PING is answered inside",
}
_OVER = frozenset({State.DRAINING, State.CLOSED})


class SendingSide(ConnectionCore):
    """What may be said, and how."""

    __slots__ = ()

    def send(self, message: Message, *, corr: int = 0, more: bool = False) -> int:
        """Queues a message.

        Args:
            message: A record of the specification.
            corr: Of a response: the request's. Of others: 0.
            more: Another response to this request follows (stream requests).

        Returns:
            The number of a request, to know its answer by; else `corr`.

        Raises:
            LocalProtocolError: Not legal in this state, for this role or request, or
                too large. Answers and events that come when the connection drains or
                has ended are dropped instead: whoever makes them can't know.
            EncodeError: The record breaks its layout.
        """
        rule = self._book.outbound.get(type(message))
        if rule is None:
            raise LocalProtocolError(
                f"{type(message).__name__} is not ours to send at this revision"
            )
        if rule.type in _OWN_METHODS:
            raise LocalProtocolError(f"use {_OWN_METHODS[rule.type]}")
        if self._state not in rule.states:
            if self._state in _OVER and rule.kind != REQUEST:
                return corr
            raise LocalProtocolError(
                f"{rule.info.name} is not legal in {self._state.name}"
            )
        flags = rule.flags
        if rule.kind == ANSWER:
            self._check_answer(rule, corr, more)
            if more:
                flags |= MORE
        elif corr or more:
            raise LocalProtocolError(f"{rule.info.name} answers nothing")
        elif rule.kind == REQUEST:
            corr = self._ledger.fresh_corr()
        self._queue(self._writer.frame(rule, message, flags, corr, self._length_max))
        if rule.kind == REQUEST:
            self._ledger.awaited[corr] = rule
        elif rule.kind == ANSWER and not more:
            self._answered(corr)
        next_state = rule.next_states.get(self._state)
        if next_state is not None:
            self._enter(next_state)
        return corr

    def refuse(self, corr: int, code: int, *, retry_after_ms: int = 0) -> None:
        """Answers a request with ERROR; the connection stays.

        Args:
            corr: The request's number.
            code: Error code; the specification says its outcome.
            retry_after_ms: Earliest time to try again; 0: not said.

        Raises:
            LocalProtocolError: There is no such request.
        """
        if self._state is State.CLOSED:
            return
        request = self._ledger.in_flight.get(corr)
        if request is None:
            raise LocalProtocolError("no such request is in flight")
        self._queue_error(make_error(code, request.type, retry_after_ms), corr)
        self._answered(corr)

    def send_answer_frame(self, frame: bytes, corr: int) -> None:
        """Queues a built answer to one request and ends that request (hot path).

        Args:
            frame: One whole frame with RESPONSE and this `corr` (`encode_frame`).
            corr: The request's number.

        Raises:
            LocalProtocolError: There is no such request. After the end the frame is
                dropped instead.
        """
        if self._is_stopped:
            return
        ledger = self._ledger
        if corr not in ledger.in_flight:
            raise LocalProtocolError("no such request is in flight")
        self._out.append(frame)
        self.frames_sent += 1
        due = ledger.answered(corr)
        if due:
            for pong_corr, token in due:
                self._queue_pong(pong_corr, token)

    def send_frames(self, frames: bytes, count: int = 1) -> None:
        """Queues built event frames, such as stored inbox entries (hot path).

        After GOAWAY they are dropped: the next connection gets them.

        Args:
            frames: Whole frames that are legal in READY; not checked.
            count: How many there are, for metrics.

        Raises:
            LocalProtocolError: Before READY.
        """
        if self._state is not State.READY:
            if self._state in _OVER:
                return
            raise LocalProtocolError("inbox entries need a device that is signed in")
        self._out.append(frames)
        self.frames_sent += count

    # Handshake

    def send_hello(self, client_nonce: bytes) -> None:
        """Opens the connection (client).

        Args:
            client_nonce: 32 fresh random bytes.

        Raises:
            LocalProtocolError: On a server, or a second time.
        """
        negotiation = self._negotiation
        if (
            self._role is not Role.CLIENT
            or self._state is not State.HELLO
            or negotiation.hello is not None
        ):
            raise LocalProtocolError("HELLO is a client's first frame, and only that")
        hello = make_hello(self._config, client_nonce, self._writer.grease)
        corr = self._ledger.fresh_corr()
        rule = self._book.known[HELLO]
        frame = self._writer.hello_frame(rule, hello, corr)
        self._ledger.awaited[corr] = rule
        negotiation.begin(hello, frame)
        self._queue(frame)

    def accept(
        self,
        *,
        server_nonce: bytes,
        session_id: bytes,
        server_time_ms: int,
        home: str | None = None,
    ) -> None:
        """Answers HELLO with WELCOME (server); the state is AUTH.

        Args:
            server_nonce: 32 fresh random bytes.
            session_id: 16 random bytes, or those of the session that goes on.
            server_time_ms: Milliseconds since the Unix epoch.
            home: Another address that serves this client better, HOST:PORT.

        Raises:
            LocalProtocolError: No HELLO waits for an answer.
        """
        hello = self._negotiation.hello
        if not self._hello_waits() or hello is None:
            raise LocalProtocolError("WELCOME answers a HELLO, and none waits")
        welcome = make_welcome(
            self._config,
            hello,
            revision=self._negotiation.revision,
            server_nonce=server_nonce,
            session_id=session_id,
            server_time_ms=server_time_ms,
            home=home,
            grease=self._writer.grease,
        )
        corr = self._ledger.last_received
        frame = self._writer.hello_frame(self._book.known[WELCOME], welcome, corr)
        self._queue(frame)
        self._ledger.answered(corr)
        self._negotiation.settle(self._config, welcome, frame)
        self._config = told_config(self._config, welcome)
        self._book = rule_book(self._role, self._negotiation.revision)
        self._writer.pads = PADDING_FEATURE in self.features
        self._is_stopped = False
        self._enter(State.AUTH)

    def reject(
        self, code: int, *, retry_after_ms: int = 0, home: str | None = None
    ) -> None:
        """Refuses the connection (server, before AUTH_OK); the state is CLOSED.

        Before a valid HELLO nothing is said; after it REJECT; after WELCOME ERROR and
        GOAWAY.

        Args:
            code: Error code.
            retry_after_ms: Earliest time to try again; 0: the client's own back-off.
            home: Another address to try, HOST:PORT.

        Raises:
            LocalProtocolError: On a client, or after AUTH_OK.
        """
        if self._role is not Role.SERVER or self._state not in (
            State.HELLO,
            State.AUTH,
            State.CLOSED,
        ):
            raise LocalProtocolError("only a server rejects, and before AUTH_OK")
        self.close_with(code, retry_after_ms=retry_after_ms, home=home)

    # End

    def drain(
        self,
        code: int,
        *,
        now: float,
        retry_after_ms: int = 0,
        home: str | None = None,
    ) -> None:
        """Says GOAWAY: no new requests are taken, answers still pass.

        In HELLO, where there is nothing to drain, it is `close_with`.

        Args:
            code: Why (GOING_AWAY, REPLACED).
            now: Seconds; DRAINING lasts `drain_seconds` from here at most.
            retry_after_ms: Earliest time to come back; 0: own back-off.
            home: Another address to go to, HOST:PORT.
        """
        if self._state in (State.HELLO, State.CLOSED):
            self.close_with(code, retry_after_ms=retry_after_ms, home=home)
            return
        self._now = now
        self._queue_goaway(code, retry_after_ms, home)
        self._enter(State.DRAINING)

    def close_with(
        self, code: int, *, retry_after_ms: int = 0, home: str | None = None
    ) -> None:
        """Ends the connection; says why as far as the state allows. Then CLOSED.

        REJECT if a HELLO waits; ERROR (unless it is nobody's fault) and GOAWAY after
        WELCOME; else nothing. Does nothing if the end has come already.

        Args:
            code: Error code.
            retry_after_ms: Earliest time to try again; 0: not said.
            home: Another address to go to, HOST:PORT.
        """
        if self._state is State.CLOSED:
            return
        if self._hello_waits():
            self._queue_reject(code, retry_after_ms, home)
        else:
            self._say_end(code, 0, retry_after_ms, home)
        self._enter(State.CLOSED)

    def _hello_waits(self) -> bool:
        """A server has a valid HELLO and has not answered it."""
        return (
            self._role is Role.SERVER
            and self._state is State.HELLO
            and self._negotiation.hello is not None
        )

    def _queue_reject(self, code: int, retry_after_ms: int, home: str | None) -> None:
        message = make_reject(self._config, code, retry_after_ms, home)
        corr = self._ledger.last_received
        self._queue(self._writer.hello_frame(self._book.known[REJECT], message, corr))

    def _check_answer(self, rule: Rule, corr: int, more: bool) -> None:
        """Refuses an answer that belongs to no request of the peer's."""
        request = self._ledger.in_flight.get(corr)
        if request is None:
            raise LocalProtocolError(
                "no such request is in flight"
                if rule.type != ERROR or corr
                else "use close_with"
            )
        if rule.type not in request.replies:
            raise LocalProtocolError(f"{rule.info.name} does not answer this request")
        if more and not request.is_stream:
            raise LocalProtocolError("only stream requests have more than one answer")

    def _answered(self, corr: int) -> None:
        """Ends a request of the peer's; PINGs that waited for it get their PONG."""
        for pong_corr, token in self._ledger.answered(corr):
            self._queue_pong(pong_corr, token)
