"""What a client does when its server turns out to be an older copy of itself.

AUTH_OK names the newest SEND of this device that the server has. If the store knows
one that the server had answered after it, the server was put back from a backup and
has lost everything since. Whoever got those messages keeps them; the others would
never get them, though we were told SEQUENCED. So every message of ours that isn't
known to be delivered is offered again: under its own id, so that a server which does
have it says so, and a reader who does have it drops it.

The same is done when this device registers anew: by STORE_ROLLED_BACK it can't tell
whether its own store is the older copy or the server's folder is.
"""

from typing import NamedTuple

from wigwag.client._events import EventKind
from wigwag.client._ids import ZERO_ID
from wigwag.client._message import MessageState
from wigwag.client._outbox import OUTBOX_LIFE_MS
from wigwag.client._store_events import add_event_txn
from wigwag.client._store_messages import move_state_txn, queue_again_txn
from wigwag.client._store_outbox import put_first_txn
from wigwag.client._txn import Txn
from wigwag.wire import MessageClass

REASON = "server_restored"
"""Of the gap that is told: the word of GAP(SERVER_RESTORED)."""


class _Lost(NamedTuple):
    """A message that the server may have lost."""

    message: bytes
    client_msg_id: bytes
    chat: bytes
    content: bytes
    attempt: int


def note_sequenced_txn(txn: Txn, id_: bytes) -> None:
    """Note a SEQUENCED; answers come in the order of the server's log.

    A repeated answer to a row that had to be sealed again may come after that of a
    newer row in another chat. The worst of it is that messages are offered in vain.
    """
    txn.do("INSERT OR REPLACE INTO counter VALUES ('newest_sequenced', ?)", id_)


def forget_sequenced_txn(txn: Txn) -> None:
    """Forget the newest SEQUENCED: another registration begins."""
    txn.do("DELETE FROM counter WHERE name = 'newest_sequenced'")


def has_server_lost_txn(txn: Txn, last_stored_id: bytes) -> bool:
    """Say whether a server has lost what it had answered.

    Args:
        txn: The transaction.
        last_stored_id: The newest SEND that it has of this registration; zeros: none.
    """
    waits = txn.value(int, "SELECT 1 FROM outbox WHERE id = ?", last_stored_id)
    return has_server_lost(
        _newest_txn(txn), last_stored_id, is_waiting=waits is not None
    )


def has_server_lost(
    newest_id: bytes | None, last_stored_id: bytes, *, is_waiting: bool
) -> bool:
    """Judge what a server says is the newest SEND that it has.

    Args:
        newest_id: The newest SEND that was answered; None: none was.
        last_stored_id: What the server says; zeros: none.
        is_waiting: Whether that one still waits for its answer here.
    """
    if newest_id is None or newest_id == last_stored_id:
        return False
    # A SEND of ours whose answer got lost is newer than the newest answer.
    return last_stored_id == ZERO_ID or not is_waiting


def offer_again_txn(txn: Txn, now_ms: int) -> int:
    """Put what may be lost back to the head of the outbox.

    Returns:
        How many messages there are.
    """
    lost = txn.all(
        _Lost,
        "SELECT message.id, client_msg_id, message.chat, message.content,"
        " coalesce(known.attempt, 0) FROM message INDEXED BY message_underway"
        " LEFT JOIN known ON known.id = client_msg_id"
        " WHERE is_own = 1 AND state IN (2, 3) AND state = 2 AND undelivered = ''"
        " AND message.content IS NOT NULL ORDER BY chat_seq",
    )
    again = [one for one in lost if _expires_ms(one) > now_ms]
    put_first_txn(
        txn,
        [
            (
                one.client_msg_id,
                one.chat,
                MessageClass.MESSAGE,
                one.content,
                one.message,
                one.attempt,
                _expires_ms(one),
            )
            for one in again
        ],
    )
    for one in again:
        queue_again_txn(txn, one.message, now_ms)
    for one in lost:
        if one not in again:
            move_state_txn(txn, one.message, MessageState.EXPIRED, "unknown", now_ms)
    # Until something new is answered, nothing more can be proven.
    forget_sequenced_txn(txn)
    return len(again)


def tell_restored_txn(txn: Txn, now_ms: int) -> None:
    """Tell that the server was put back, and that something may be missing."""
    add_event_txn(txn, EventKind.GAP, now_ms, reason=REASON)


def _newest_txn(txn: Txn) -> bytes | None:
    return txn.value(bytes, "SELECT value FROM counter WHERE name = 'newest_sequenced'")


def _expires_ms(one: _Lost) -> int:
    """Return the end of the message's life, by the time in its id."""
    return int.from_bytes(one.client_msg_id[:6], "big") + OUTBOX_LIFE_MS
