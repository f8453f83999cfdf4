"""RECEIPTS_GET: how far messages were delivered."""

from wigwag.server._pending import Pending
from wigwag.server._session import Session
from wigwag.server.core import Answer, Marks
from wigwag.server.core import ReceiptsGet as GetRequest
from wigwag.wire import ErrorCode, Mark, Receipts, ReceiptsGet, Received


def receipts_get(session: Session, event: Received) -> None:
    """Find the delivered marks of chats that the account takes part in."""
    message = event.message
    identity = session.identity
    assert isinstance(message, ReceiptsGet)
    assert identity is not None
    wait = session.services.request_limits.receipts(identity.device, session.now)
    if wait:
        session.refuse_event(event, ErrorCode.RATE_LIMITED, wait)
        return
    session.ask(GetRequest(user=identity.user, chats=message.chats), event, _told)


def _told(pending: Pending, answer: Answer) -> None:
    match answer:
        case Marks(marks):
            records = tuple(
                Mark(chat=mark.chat, user=mark.user, mark=mark.mark) for mark in marks
            )
            pending.session.answer(Receipts(marks=records), pending.corr)
        case _:
            pending.otherwise(answer)
