"""ACK: a device has stored its inbox up to a position."""

from wigwag.server._pending import Pending
from wigwag.server._session import Session
from wigwag.server.core import Ack as AckRequest
from wigwag.server.core import Acked, Answer, Failed, Refusal
from wigwag.wire import Ack, ErrorCode, Received


def ack(session: Session, event: Received) -> None:
    """Move the device's cursor and free its window."""
    message = event.message
    identity = session.identity
    assert isinstance(message, Ack)
    assert identity is not None, "ACK is legal after sign-in alone"
    session.services.hub.counts.acks += 1
    session.inbox.acknowledged(message.position)
    request = AckRequest(
        device=identity.device,
        registration_id=identity.registration_id,
        position=message.position,
    )
    session.ask(request, event, _told)


def _told(pending: Pending, answer: Answer) -> None:
    match answer:
        case Acked():
            return
        case Failed(Refusal.PROTOCOL_ERROR):
            # Above the inbox's last position (R-INBOX-007).
            pending.session.close_with(ErrorCode.PROTOCOL_ERROR)
        case Failed():
            # Not taken; the cursor of the next AUTH says it again.
            return
        case _:
            pending.otherwise(answer)
