"""Rows of messages: each once, by the server_msg_id that it stands for."""

from typing import Final, NamedTuple

from wigwag.client._content import ContentRefused, Text, decode_content
from wigwag.client._events import EventKind
from wigwag.client._inbox import Held
from wigwag.client._message import Message, MessageState
from wigwag.client._store_events import add_event_txn
from wigwag.client._txn import Txn

UNKNOWN_PEER: Final = "somebody"
"""Of a message whose peer's row isn't there: only in a damaged store."""


class MessageRow(NamedTuple):
    """A message as stored."""

    id: bytes
    chat: bytes
    chat_seq: int | None
    sender: bytes
    sender_device: int
    client_msg_id: bytes
    is_own: int
    content: bytes | None
    state: int
    reason: str
    undelivered: str
    sent_at_ms: int
    tries: int
    next_try_ms: int | None


_COLUMNS: Final = ", ".join(MessageRow._fields)

_INSERT: Final = (
    f"INSERT INTO message ({_COLUMNS}) VALUES"  # noqa: S608 - our names
    " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def message_row_txn(txn: Txn, message_id: bytes) -> MessageRow | None:
    """Return a message."""
    return txn.one(
        MessageRow,
        f"SELECT {_COLUMNS} FROM message WHERE id = ?",  # noqa: S608 - our names
        message_id,
    )


def held_txn(txn: Txn, message_id: bytes) -> Held:
    """Say what is stored under an id."""
    state = txn.value(int, "SELECT state FROM message WHERE id = ?", message_id)
    if state is None:
        return Held.NOTHING
    return Held.STUB if state == MessageState.UNREADABLE else Held.READABLE


def insert_message_txn(txn: Txn, row: MessageRow) -> None:
    """Store a new message, or a placeholder."""
    txn.do(_INSERT, *row)
    txn.changes.messages.add(row.id)


def is_above_txn(txn: Txn, chat: bytes, chat_seq: int) -> bool:
    """Say whether a message at this place belongs above one that was shown."""
    found = txn.value(
        int, "SELECT 1 FROM message WHERE chat = ? AND chat_seq > ?", chat, chat_seq
    )
    return found is not None


def fill_stub_txn(
    txn: Txn, message_id: bytes, content: bytes, chat_seq: int, sent_at_ms: int
) -> None:
    """Put a message in its placeholder's place."""
    txn.do(
        "UPDATE message SET content = ?, state = ?, reason = '', next_try_ms = NULL,"
        " chat_seq = coalesce(chat_seq, nullif(?, 0)),"
        " sent_at_ms = CASE WHEN sent_at_ms = 0 THEN ? ELSE sent_at_ms END"
        " WHERE id = ?",
        content,
        MessageState.RECEIVED,
        chat_seq,
        sent_at_ms,
        message_id,
    )
    txn.changes.messages.add(message_id)


def stubs_to_retry_txn(txn: Txn, now_ms: int, count_max: int) -> list[MessageRow]:
    """Return placeholders that are to be asked for now."""
    return txn.all(
        MessageRow,
        f"SELECT {_COLUMNS} FROM message"  # noqa: S608 - our names
        " WHERE next_try_ms <= ? ORDER BY next_try_ms LIMIT ?",
        now_ms,
        count_max,
    )


def next_retry_ms_txn(txn: Txn) -> int | None:
    """Return when the next placeholder is to be asked for."""
    return txn.value(
        int, "SELECT min(next_try_ms) FROM message WHERE next_try_ms IS NOT NULL"
    )


def set_retry_txn(
    txn: Txn, message_id: bytes, tries: int, next_try_ms: int | None
) -> None:
    """Note that a placeholder was asked for, and when to do so again."""
    txn.do(
        "UPDATE message SET tries = ?, next_try_ms = ? WHERE id = ?",
        tries,
        next_try_ms,
        message_id,
    )


def sequenced_txn(
    txn: Txn, message_id: bytes, chat_seq: int, sent_at_ms: int, now_ms: int
) -> None:
    """Note that the server has a message of ours, and what its marks say of it."""
    txn.do(
        "UPDATE message SET chat_seq = ?, sent_at_ms = ? WHERE id = ?",
        chat_seq,
        sent_at_ms,
        message_id,
    )
    move_state_txn(txn, message_id, MessageState.SEQUENCED, "", now_ms)
    marks = txn.one(
        tuple[bytes, int, int],
        "SELECT chat.chat, delivered_mark, read_mark FROM chat"
        " JOIN message USING (chat) WHERE id = ?",
        message_id,
    )
    if marks is not None:
        # A hint may have come before the answer.
        chat, delivered, read = marks
        _raise_states_txn(txn, chat, delivered, MessageState.DELIVERED, now_ms)
        _raise_states_txn(txn, chat, read, MessageState.READ, now_ms)


def move_state_txn(
    txn: Txn, message_id: bytes, state: MessageState, reason: str, now_ms: int
) -> None:
    """Move a message of ours on from QUEUED, SEQUENCED or DELIVERED, never back."""
    txn.do(
        "UPDATE message SET state = ?, reason = ?"
        " WHERE id = ? AND is_own = 1 AND state < ? AND state <= ?",
        state,
        reason,
        message_id,
        state,
        MessageState.DELIVERED,
    )
    if txn.changed():
        _tell_state_txn(txn, message_id, state, reason, now_ms)


def queue_again_txn(txn: Txn, message_id: bytes, now_ms: int) -> None:
    """Take a message's place back: the server that gave it has lost it.

    The only way back that there is; without it a mark of the server as it is now
    would pass the old place.
    """
    txn.do(
        "UPDATE message SET state = ?, chat_seq = NULL WHERE id = ? AND state = ?",
        MessageState.QUEUED,
        message_id,
        MessageState.SEQUENCED,
    )
    if txn.changed():
        _tell_state_txn(txn, message_id, MessageState.QUEUED, "", now_ms)


def delivered_mark_txn(txn: Txn, chat: bytes, mark: int, now_ms: int) -> None:
    """Note how far a chat is delivered; marks never go back (I23)."""
    txn.do(
        "UPDATE chat SET delivered_mark = ? WHERE chat = ? AND delivered_mark < ?",
        mark,
        chat,
        mark,
    )
    if txn.changed():
        _raise_states_txn(txn, chat, mark, MessageState.DELIVERED, now_ms)


def read_mark_txn(txn: Txn, chat: bytes, mark: int, now_ms: int) -> None:
    """Note how far the peer says that he read a chat."""
    txn.do(
        "UPDATE chat SET read_mark = ? WHERE chat = ? AND read_mark < ?",
        mark,
        chat,
        mark,
    )
    if txn.changed():
        _raise_states_txn(txn, chat, mark, MessageState.READ, now_ms)


def undelivered_txn(txn: Txn, message_id: bytes, reason: str, now_ms: int) -> None:
    """Note that a message of ours didn't reach a device."""
    txn.do(
        "UPDATE message SET undelivered = ? WHERE id = ? AND is_own = 1",
        reason,
        message_id,
    )
    if txn.changed():
        txn.changes.messages.add(message_id)
        add_event_txn(
            txn, EventKind.UNDELIVERED, now_ms, message=message_id, reason=reason
        )


def chats_underway_txn(txn: Txn, count_max: int) -> list[bytes]:
    """Return chats with messages of ours that are sequenced and not delivered."""
    rows = txn.all(
        tuple[bytes],
        "SELECT DISTINCT chat FROM message INDEXED BY message_underway"
        " WHERE is_own = 1 AND state IN (2, 3) AND state = 2 AND undelivered = ''"
        " LIMIT ?",
        count_max,
    )
    return [chat for (chat,) in rows]


def history_txn(txn: Txn, chat: bytes, limit: int) -> list[Message]:
    """Return the last messages of a chat, oldest first."""
    # In these words the order is the index's own: nothing of a long chat is sorted.
    rows = txn.all(
        MessageRow,
        f"SELECT {_COLUMNS} FROM message WHERE chat = ?"  # noqa: S608 - our names
        " ORDER BY chat_seq DESC NULLS FIRST, rowid DESC LIMIT ?",
        chat,
        limit,
    )
    return [public_message_txn(txn, row) for row in reversed(rows)]


def public_message_txn(txn: Txn, row: MessageRow) -> Message:
    """Return a message as a program sees it."""
    name = txn.one(
        tuple[str | None, bytes],
        "SELECT name, peer.user FROM chat JOIN peer ON peer.user = chat.peer"
        " WHERE chat.chat = ?",
        row.chat,
    )
    label = UNKNOWN_PEER
    if name is not None:
        label = name[0] or f"account {name[1].hex()[:8]}"
    return Message(
        id=row.id.hex(),
        peer=label,
        is_own=bool(row.is_own),
        text=_text(row.content),
        state=MessageState(row.state),
        reason=row.undelivered or row.reason,
        chat_seq=row.chat_seq or 0,
        sent_at_ms=row.sent_at_ms,
    )


def _text(content: bytes | None) -> str | None:
    if content is None:
        return None
    try:
        decoded = decode_content(content)
    except ContentRefused:
        return None
    return decoded.text if isinstance(decoded, Text) else None


def _raise_states_txn(
    txn: Txn, chat: bytes, mark: int, state: MessageState, now_ms: int
) -> None:
    rows = txn.all(
        tuple[bytes],
        "SELECT id FROM message WHERE chat = ? AND chat_seq <= ? AND is_own = 1"
        " AND state IN (2, 3) AND state < ? AND (undelivered = '' OR ? = 4)"
        " ORDER BY chat_seq",
        chat,
        mark,
        state,
        state,
    )
    for (message_id,) in rows:
        move_state_txn(txn, message_id, state, "", now_ms)


def _tell_state_txn(
    txn: Txn, message_id: bytes, state: MessageState, reason: str, now_ms: int
) -> None:
    txn.changes.messages.add(message_id)
    add_event_txn(
        txn,
        EventKind.STATE_CHANGED,
        now_ms,
        message=message_id,
        state=state,
        reason=reason,
    )
