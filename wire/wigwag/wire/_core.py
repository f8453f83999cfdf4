"""What the sending and the receiving half of a connection share: state and its end."""

from typing import Final, NamedTuple

from wigwag.wire._config import ConnectionConfig
from wigwag.wire._errors import LocalProtocolError, RemoteProtocolError
from wigwag.wire._faults import Fault
from wigwag.wire._generated import (
    ERRORS,
    LIMITS,
    Error,
    ErrorCode,
    Goaway,
    Message,
    Outcome,
    Pong,
)
from wigwag.wire._grease import Grease
from wigwag.wire._handshake import Negotiation
from wigwag.wire._header import HEADER, RESPONSE
from wigwag.wire._requests import RequestLedger
from wigwag.wire._rules import ERROR, GOAWAY, PONG, RuleBook, rule_book
from wigwag.wire._states import Role, State
from wigwag.wire._timers import Timers
from wigwag.wire._writer import UNKNOWN_REQUEST, FrameWriter

BEFORE_AUTH_BYTES_MAX: Final = LIMITS["frame_bytes_before_auth_max"].value

CALM_RETRY_MS: Final = LIMITS["reconnect_last_ms"].value
"""Whoever floods waits as long as anybody ever does."""

_OUTCOMES = {"none": Outcome.NONE, "unknown": Outcome.UNKNOWN}
_SPEAKING = frozenset({State.AUTH, State.READY, State.LINKING, State.DRAINING})


class Failure(NamedTuple):
    """How the peer made the connection end; made into an error for each call."""

    fault: Fault
    message_type: int
    offset: int
    explanation: str | None

    def error(self) -> RemoteProtocolError:
        """Returns a fresh error: a kept one would keep the frames of its traceback."""
        return RemoteProtocolError(
            self.fault.code,
            self.fault.requirement,
            reason=self.fault.reason,
            message_type=self.message_type,
            offset=self.offset,
            explanation=self.explanation,
        )


def make_error(code: int, message_type: int, retry_after_ms: int = 0) -> Error:
    """Builds an ERROR; the outcome is the specification's for the code.

    Args:
        code: Error code; of an unknown one the outcome is unknown.
        message_type: Type of the frame in question; 0: none.
        retry_after_ms: Earliest time to try again; 0: not said.
    """
    info = ERRORS.get(code)
    return Error(
        code=code,
        outcome=_OUTCOMES[info.outcome] if info is not None else Outcome.UNKNOWN,
        frame_type=message_type,
        retry_after_ms=retry_after_ms,
    )


class ConnectionCore:
    """State of a connection, how it moves, and how it ends."""

    __slots__ = (
        "_book",
        "_config",
        "_failure",
        "_is_stopped",
        "_ledger",
        "_length_max",
        "_negotiation",
        "_now",
        "_out",
        "_role",
        "_rules",
        "_state",
        "_timers",
        "_writer",
        "frames_sent",
    )

    def __init__(
        self,
        role: Role,
        config: ConnectionConfig,
        *,
        now: float,
        grease_seed: int | None = None,
    ) -> None:
        self._role = role
        self._config = config
        self._now = now
        # Until there is a revision only the invariants are known.
        self._book: RuleBook = rule_book(role, 0)
        self._ledger = RequestLedger()
        self._negotiation = Negotiation()
        self._writer = FrameWriter(None if grease_seed is None else Grease(grease_seed))
        self._timers = Timers(
            now,
            auth_seconds=config.auth_seconds,
            frame_seconds=config.frame_seconds,
            idle_seconds=config.idle_seconds,
            pong_seconds=config.pong_seconds,
        )
        self._out: list[bytes] = []
        self._failure: Failure | None = None
        self._is_stopped = False
        self._length_max = BEFORE_AUTH_BYTES_MAX
        self._enter(State.HELLO)
        self.frames_sent: int = 0
        """Frames queued so far, for metrics."""

    # Facts

    @property
    def role(self) -> Role:
        """Which side we are."""
        return self._role

    @property
    def state(self) -> State:
        """Where the connection is."""
        return self._state

    @property
    def config(self) -> ConnectionConfig:
        """Facts and bounds; a client's are those of WELCOME once that has come."""
        return self._config

    @property
    def revision(self) -> int:
        """The revision agreed on (a draft: 0x8000 | build); 0: none yet."""
        return self._negotiation.revision

    @property
    def features(self) -> frozenset[int]:
        """Features that both sides named; empty before WELCOME."""
        return self._negotiation.features

    @property
    def transcript_hash(self) -> bytes:
        """SHA-256 of the raw HELLO and WELCOME frames, 32 bytes.

        Raises:
            LocalProtocolError: WELCOME has not passed yet.
        """
        if not self._negotiation.transcript_hash:
            raise LocalProtocolError("the transcript ends with WELCOME, which is due")
        return self._negotiation.transcript_hash

    @property
    def session_id(self) -> bytes:
        """The session id of WELCOME, 16 bytes; b"" before."""
        return self._negotiation.session_id

    @property
    def frame_length_max(self) -> int:
        """Largest frame `length` now, in bytes, the same both ways."""
        return self._length_max

    @property
    def requests_in_flight(self) -> int:
        """Requests of the peer that we have not answered yet."""
        return len(self._ledger.in_flight) - self._ledger.barriers

    @property
    def requests_awaited(self) -> int:
        """Requests of ours that the peer has not answered yet."""
        return sum(
            request is not UNKNOWN_REQUEST for request in self._ledger.awaited.values()
        )

    @property
    def is_drained(self) -> bool:
        """Nobody owes an answer: a DRAINING connection may end."""
        return not self.requests_in_flight and not self.requests_awaited

    # Output

    def data_to_send(self) -> bytes:
        """Returns what is to be written, once, in one piece."""
        out = self._out
        if not out:
            return b""
        grease = self._writer.grease
        if (
            grease is not None
            and self._now >= grease.frame_due_at
            and self._state is State.READY
            and grease.frame_is_due(self._now)
        ):
            self._queue_unknown_frame(grease)
        data = b"".join(out) if len(out) > 1 else out[0]
        out.clear()
        return data

    def _queue(self, frame: bytes) -> None:
        self._out.append(frame)
        self.frames_sent += 1

    def _queue_plain(self, type_: int, message: Message, corr: int, flags: int) -> None:
        """Queues a message of ours that no caller asked for; never greased."""
        body = self._book.known[type_].encode(message)
        self._queue(HEADER.pack(len(body), type_, flags, 0, corr) + body)

    def _queue_pong(self, corr: int, token: int) -> None:
        self._queue_plain(PONG, Pong(token=token), corr, RESPONSE)

    def _queue_error(self, error: Error, corr: int) -> None:
        """Queues an ERROR: an answer if there is a corr, else why we end."""
        self._queue_plain(ERROR, error, corr, RESPONSE if corr else 0)

    def _queue_goaway(self, code: int, retry_after_ms: int, home: str | None) -> None:
        """Queues GOAWAY with the last request that was handled (R-STATE-005)."""
        message = Goaway(
            code=code,
            last_corr=self._ledger.last_received,
            retry_after_ms=retry_after_ms,
            home=home,
        )
        self._queue_plain(GOAWAY, message, 0, 0)

    def _queue_unknown_frame(self, grease: Grease) -> None:
        """Adds a frame of an unknown type to what goes out."""
        corr = 0
        awaited = self._ledger.awaited
        # One at a time: a peer that never answers it must not make the ledger grow.
        if grease.is_request() and UNKNOWN_REQUEST not in awaited.values():
            corr = self._ledger.fresh_corr()
            awaited[corr] = UNKNOWN_REQUEST
        self._queue(self._writer.unknown_frame(corr))

    # State

    def _enter(self, state: State) -> None:
        """Moves to a state: its rules, its limit, its clocks."""
        self._state = state
        self._rules = self._book.inbound[state]
        timers = self._timers
        timers.watches_silence = state is State.READY
        if state not in (State.HELLO, State.AUTH):
            timers.auth_deadline = None
        if state is State.READY:
            self._length_max = self._config.frame_bytes_max
        elif state is State.DRAINING:
            if timers.drain_deadline is None:
                timers.drain_deadline = self._now + self._config.drain_seconds
        elif state is State.CLOSED:
            timers.drain_deadline = None
            self._is_stopped = True

    def _say_end(
        self, code: int, message_type: int, retry_after_ms: int, home: str | None
    ) -> None:
        """Queues the last words: ERROR, then GOAWAY.

        In HELLO nothing is said: a server that answers noise helps who scans for it
        (R-SHAKE-002), and to a client's words no server would listen. What is
        nobody's fault is no ERROR.
        """
        if self._state not in _SPEAKING:
            return
        info = ERRORS.get(code)
        if info is None or info.fault != "nobody":
            self._queue_error(make_error(code, message_type, retry_after_ms), 0)
        self._queue_goaway(code, retry_after_ms, home)

    def _end(
        self,
        fault: Fault,
        message_type: int = 0,
        offset: int = -1,
        explanation: str | None = None,
    ) -> None:
        """Ends the connection by the peer's fault; `next_event` raises it."""
        self._failure = Failure(fault, message_type, offset, explanation)
        retry_after_ms = CALM_RETRY_MS if fault.code == ErrorCode.ENHANCE_CALM else 0
        self._say_end(fault.code, message_type, retry_after_ms, None)
        self._enter(State.CLOSED)
