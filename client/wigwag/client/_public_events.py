"""From stored events to those that a program is told."""

from collections.abc import Awaitable, Callable

from wigwag.client._events import (
    AnyEvent,
    EventKind,
    Gap,
    ListsDiffer,
    MessageReceived,
    MessageStateChanged,
    MessageUndelivered,
    MessageUnreadable,
    PeerKeyChanged,
)
from wigwag.client._message import Message, MessageState
from wigwag.client._opening import ABOVE, REPAIRED
from wigwag.client._store_events import EventRow, events_above_txn
from wigwag.client._store_messages import (
    UNKNOWN_PEER,
    message_row_txn,
    public_message_txn,
)
from wigwag.client._store_peers import peer_txn
from wigwag.client._txn import Txn

Acknowledge = Callable[[int], Awaitable[None]]


def public_events_txn(
    txn: Txn, above: int, count_max: int, acknowledge: Acknowledge
) -> list[AnyEvent]:
    """Return the next events after one, as a program is told them."""
    return [
        _public(txn, row, acknowledge)
        for row in events_above_txn(txn, above, count_max)
    ]


def _public(txn: Txn, row: EventRow, acknowledge: Acknowledge) -> AnyEvent:
    kind = EventKind(row.kind)
    match kind:
        case EventKind.MESSAGE_RECEIVED:
            words = row.reason.split()
            return MessageReceived(
                row.seq,
                acknowledge,
                _message(txn, row),
                is_above=ABOVE in words,
                is_repaired=REPAIRED in words,
            )
        case EventKind.STATE_CHANGED:
            state = MessageState(row.state)
            return MessageStateChanged(row.seq, acknowledge, _message(txn, row), state)
        case EventKind.UNDELIVERED:
            return MessageUndelivered(
                row.seq, acknowledge, _message(txn, row), row.reason
            )
        case EventKind.UNREADABLE:
            return MessageUnreadable(
                row.seq, acknowledge, _message(txn, row), row.reason
            )
        case EventKind.GAP:
            return Gap(row.seq, acknowledge, row.first, row.last, row.reason)
        case EventKind.PEER_CHANGED:
            return PeerKeyChanged(row.seq, acknowledge, _label(txn, row), row.reason)
        case EventKind.LISTS_DIFFER:
            return ListsDiffer(row.seq, acknowledge, _label(txn, row), row.reason)


def _message(txn: Txn, row: EventRow) -> Message:
    found = message_row_txn(txn, row.message or b"")
    assert found is not None, "messages are never deleted"
    return public_message_txn(txn, found)


def _label(txn: Txn, row: EventRow) -> str:
    peer = peer_txn(txn, row.user or b"")
    return UNKNOWN_PEER if peer is None else peer.label
