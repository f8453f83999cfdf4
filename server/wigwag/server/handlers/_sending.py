"""SEND: into the log, and its one final answer."""

from struct import Struct

from wigwag.server._counts import Counts
from wigwag.server._pending import Pending
from wigwag.server._session import Session, round_up_ms
from wigwag.server.core import Answer, Dropped, Refusal, Refused, Sequenced
from wigwag.server.core import DevicesStale as StaleFound
from wigwag.server.core import Send as SendRequest
from wigwag.wire import (
    DRAFT,
    DevicesStale,
    ErrorCode,
    Outcome,
    Received,
    Send,
    encode_frame,
)
from wigwag.wire import DeviceRef as DeviceRefRecord
from wigwag.wire import Refused as RefusedMessage
from wigwag.wire import Sequenced as SequencedMessage

# Promised for 99.99 % of valid SENDs; later ones count against the error budget.
SEQUENCED_SECONDS = 5.0
# How long a client waits before it offers again what a full disk refused.
SPACE_LOW_RETRY_SECONDS = 10.0

# SEQUENCED is written out: one for every message. A test holds it, byte for byte, to
# the codec at every revision. The header but for its corr; then corr and the fields.
_HEAD = encode_frame(SequencedMessage(b"\1" * 16, 1, 1, 1), DRAFT, 1)[:8]
_REST = Struct(">I 16s B Q Q x")


def build_sequenced(answer: Sequenced, corr: int) -> bytes:
    """Build the SEQUENCED frame that answers a SEND."""
    return _HEAD + _REST.pack(
        corr, answer.client_msg_id, answer.attempt, answer.chat_seq, answer.ts
    )


def send(session: Session, event: Received) -> None:
    """Append a message; a refusal that was decided here goes along as a mark.

    The mark is applied after the log has looked for a copy it already holds: a known
    id is answered with what is stored, whatever the limits say (R-SEND-001).
    """
    message = event.message
    identity = session.identity
    assert isinstance(message, Send)
    assert identity is not None, "SEND is legal in READY alone"
    services = session.services
    services.hub.counts.sends += 1
    marked: Refusal | None = None
    wait = services.request_limits.send(identity.device, session.now)
    session.flow.is_over_its_rate = wait > 0
    if wait:
        marked = Refusal.RATE_LIMITED
    elif services.engine.is_space_low:
        marked = Refusal.UNAVAILABLE
        wait = SPACE_LOW_RETRY_SECONDS
    request = SendRequest(
        identity.device,
        identity.registration_id,
        identity.generation,
        message.chat,
        message.client_msg_id,
        message.attempt,
        message.after,
        message.class_,
        message.users,
        message.envelopes,
        marked,
        round_up_ms(wait) if wait else 0,
    )
    session.ask(request, event, _told)


def _told(pending: Pending, answer: Answer) -> None:
    session = pending.session
    counts = session.services.hub.counts
    if type(answer) is Sequenced:
        _count_sequenced(counts, session, pending)
        session.answer_frame(build_sequenced(answer, pending.corr), pending.corr)
    elif type(answer) is Refused:
        counts.refusals[answer.code.value] += 1
        session.answer(_refused(answer), pending.corr)
    elif type(answer) is not Dropped:
        pending.otherwise(answer)


def _count_sequenced(counts: Counts, session: Session, pending: Pending) -> None:
    counts.sequenced += 1
    if session.services.hub.monotonic() - pending.taken_at > SEQUENCED_SECONDS:
        counts.sequenced_late += 1


def _refused(answer: Refused) -> RefusedMessage:
    return RefusedMessage(
        client_msg_id=answer.client_msg_id,
        attempt=answer.attempt,
        code=ErrorCode[answer.code.value],
        outcome=Outcome.NONE,
        retry_after_ms=answer.retry_after_ms,
        last_id=answer.last_id,
        devices=None if answer.devices is None else _stale(answer.devices),
        chat_seq=answer.chat_seq,
    )


def _stale(found: StaleFound) -> DevicesStale:
    missing, extra, stale = (
        tuple(
            DeviceRefRecord(
                user=ref.user, device=ref.device, registration_id=ref.registration_id
            )
            for ref in refs
        )
        for refs in (found.missing, found.extra, found.stale)
    )
    return DevicesStale(missing=missing, extra=extra, stale=stale, more=found.more)
