"""What is wrong with a frame, as far as its header and form tell.

The order of the checks is part of the behaviour: everything that the twelve bytes of
the header can show is judged before a byte of the body is waited for, so that the
outcome does not depend on how the stream was cut.
"""

from enum import Enum
from typing import Final, NamedTuple

from wigwag.wire._generated import LIMITS, ErrorCode
from wigwag.wire._header import (
    FLAGS_RESERVED,
    LENGTH_TOP_BIT,
    MORE,
    PADDED,
    PADDING_TRAILER_BYTES,
    RESPONSE,
    body_end,
    extension_is_valid,
)
from wigwag.wire._receive_buffer import Header
from wigwag.wire._requests import RequestLedger
from wigwag.wire._rules import ANSWER, ERROR, HELLO, PONG, REQUEST, Rule, RuleBook
from wigwag.wire._states import State

UNKNOWN_FRAME_BYTES_MAX: Final = LIMITS["unknown_frame_bytes_max"].value


class Fault(NamedTuple):
    """Why the peer is at fault.

    Attributes:
        code: Error code that is said to it.
        requirement: The broken requirement.
        reason: One sentence for our log.
    """

    code: int
    requirement: str
    reason: str


class Treatment(Enum):
    """What becomes of a frame that may come."""

    TAKE = "take"
    SKIP = "skip"
    IGNORE = "ignore"


BAD_LENGTH: Final = Fault(
    ErrorCode.MALFORMED, "R-FRAME-001", "the length has its top bit set"
)
TOO_LARGE: Final = Fault(
    ErrorCode.FRAME_TOO_LARGE,
    "R-FRAME-002",
    "the frame is longer than the state allows",
)
TOO_LARGE_FOR_TYPE: Final = Fault(
    ErrorCode.FRAME_TOO_LARGE, "R-FRAME-002", "the frame is longer than its type allows"
)
UNKNOWN_TOO_LARGE: Final = Fault(
    ErrorCode.FRAME_TOO_LARGE, "R-FRAME-007", "a frame of an unknown type is too long"
)
RESERVED_FLAG: Final = Fault(
    ErrorCode.MALFORMED, "R-FRAME-003", "a reserved flag is set"
)
EXTENSION_TOO_LONG: Final = Fault(
    ErrorCode.MALFORMED, "R-FRAME-011", "the header extension is longer than the frame"
)
BAD_EXTENSION: Final = Fault(
    ErrorCode.MALFORMED, "R-FRAME-011", "the extension's entries do not fill it exactly"
)
BAD_PADDING: Final = Fault(
    ErrorCode.MALFORMED,
    "R-FRAME-012",
    "the padding is not n zero bytes and their number",
)
UNKNOWN_EVEN: Final = Fault(
    ErrorCode.UNSUPPORTED, "R-FRAME-006", "an unknown type that must be understood"
)
SIGNED_NOT_BARE: Final = Fault(
    ErrorCode.MALFORMED, "R-FRAME-016", "a signed message has an extension or padding"
)
NOT_ALLOWED: Final = Fault(
    ErrorCode.PROTOCOL_ERROR, "R-STATE-001", "the message is not legal here"
)
BAD_CORR: Final = Fault(
    ErrorCode.PROTOCOL_ERROR, "R-FRAME-009", "RESPONSE or corr do not fit the type"
)
CORR_REUSED: Final = Fault(
    ErrorCode.PROTOCOL_ERROR,
    "R-FRAME-009",
    "the corr of a request is in flight already",
)
CORR_UNKNOWN: Final = Fault(
    ErrorCode.PROTOCOL_ERROR,
    "R-FRAME-009",
    "an answer to a request that is not awaited",
)
WRONG_REPLY: Final = Fault(
    ErrorCode.PROTOCOL_ERROR, "R-FRAME-009", "the request has no such answer"
)
BAD_MORE: Final = Fault(
    ErrorCode.PROTOCOL_ERROR, "R-FRAME-010", "MORE on what does not answer a stream"
)
CONTROL_FLOOD: Final = Fault(
    ErrorCode.ENHANCE_CALM, "R-FRAME-014", "too many control frames"
)
ACK_FLOOD: Final = Fault(ErrorCode.ENHANCE_CALM, "R-FRAME-014", "too many ACK a second")
NO_COMMON_REVISION: Final = Fault(
    ErrorCode.NO_COMMON_REVISION, "R-SHAKE-006", "no common revision"
)
NOT_OFFERED: Final = Fault(
    ErrorCode.PROTOCOL_ERROR, "R-SHAKE-005", "WELCOME names a revision we did not offer"
)
AUTH_MISSED: Final = Fault(
    ErrorCode.HANDSHAKE_TIMEOUT, "", "the handshake took too long"
)
FRAME_MISSED: Final = Fault(
    ErrorCode.FRAME_TIMEOUT, "R-FRAME-013", "a frame did not arrive whole in time"
)
PEER_SILENT: Final = Fault(
    ErrorCode.PEER_TIMEOUT, "R-PING-001", "the peer did not answer its pings"
)


def judge_header(
    header: Header,
    *,
    state: State,
    length_max: int,
    book: RuleBook,
    ledger: RequestLedger,
) -> Fault | Treatment:
    """Judges a frame by its header alone.

    Args:
        header: As it came.
        state: Of the connection.
        length_max: Largest `length` now.
        book: Rules of the revision.
        ledger: Who awaits what.

    Returns:
        The fault, or what to do once the frame is whole.
    """
    length, type_, flags, ext_len, corr = header
    if length >= LENGTH_TOP_BIT:
        return BAD_LENGTH
    if length > length_max:
        return TOO_LARGE
    if flags & FLAGS_RESERVED:
        return RESERVED_FLAG
    if ext_len > length:
        return EXTENSION_TOO_LONG
    if flags & PADDED and length - ext_len < PADDING_TRAILER_BYTES:
        return BAD_PADDING
    rule = book.known.get(type_)
    if rule is None:
        if state is State.HELLO and HELLO in book.inbound[state]:
            return NOT_ALLOWED  # a server: nothing comes before HELLO
        return _judge_unknown(header, ledger)
    if not flags & PADDED and length - ext_len > rule.length_max:
        return TOO_LARGE_FOR_TYPE
    if rule.is_signed and (ext_len or flags & PADDED):
        return SIGNED_NOT_BARE
    if (fault := _correlation_fault(rule, flags, corr)) is not None:
        return fault
    if type_ not in book.inbound[state]:
        return _judge_misplaced(type_, state, book)
    if rule.kind == REQUEST:
        return CORR_REUSED if corr in ledger.in_flight else Treatment.TAKE
    if rule.kind == ANSWER and corr:
        return _judge_answer(rule, flags, corr, ledger)
    return Treatment.TAKE


def content_fault(content: bytes, flags: int, ext_len: int) -> Fault | None:
    """Judges extension and padding of a whole frame whose header has passed."""
    if ext_len and not extension_is_valid(content, ext_len):
        return BAD_EXTENSION
    if flags & PADDED and body_end(content, ext_len) < 0:
        return BAD_PADDING
    return None


def _judge_unknown(header: Header, ledger: RequestLedger) -> Fault | Treatment:
    """Judges a type that this revision does not have."""
    length, type_, flags, _, corr = header
    if not type_ & 1:
        return UNKNOWN_EVEN
    if length > UNKNOWN_FRAME_BYTES_MAX:
        return UNKNOWN_TOO_LARGE
    if not flags & RESPONSE:
        if flags & MORE:
            return BAD_MORE
        return CORR_REUSED if corr in ledger.in_flight else Treatment.SKIP
    request = ledger.awaited.get(corr)
    if request is None:
        return CORR_UNKNOWN
    if flags & MORE and not request.is_stream:
        return BAD_MORE
    return Treatment.SKIP


def _correlation_fault(rule: Rule, flags: int, corr: int) -> Fault | None:
    """Judges RESPONSE, MORE and whether corr is zero (R-FRAME-008)."""
    answers = bool(flags & RESPONSE)
    if rule.kind == ANSWER:
        fits = answers == (corr != 0) and (answers or rule.type == ERROR)
    else:
        fits = not answers and (corr != 0) == (rule.kind == REQUEST)
    if not fits:
        return BAD_CORR
    if flags & MORE and not answers:
        return BAD_MORE
    return None


def _judge_misplaced(type_: int, state: State, book: RuleBook) -> Fault | Treatment:
    """Judges a type that the state or the direction does not allow.

    What crossed our GOAWAY, or follows the peer's own, was legal before it
    (R-STATE-006).
    """
    if state is State.DRAINING and any(
        type_ in book.inbound[earlier]
        for earlier in (State.AUTH, State.READY, State.LINKING)
    ):
        return Treatment.IGNORE
    return NOT_ALLOWED


def _judge_answer(
    rule: Rule, flags: int, corr: int, ledger: RequestLedger
) -> Fault | Treatment:
    """Judges which request an answer belongs to."""
    if rule.type == PONG:
        return BAD_MORE if flags & MORE else Treatment.TAKE
    request = ledger.awaited.get(corr)
    if request is None:
        return CORR_UNKNOWN
    if rule.type not in request.replies:
        return WRONG_REPLY
    if flags & MORE and not request.is_stream:
        return BAD_MORE
    return Treatment.TAKE
