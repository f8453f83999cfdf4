"""Rows of the outbox, their ciphertexts, and what was sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from wigwag.client._outbox import Device, Phase, Row
from wigwag.client._txn import Txn
from wigwag.wire import Envelope, MessageClass

SENT_KEPT_MS: Final = 62 * 24 * 3600 * 1000
"""What was sent serves retries this long: outbox 30 days, inbox 30, margin."""

KNOWN_KEPT: Final = 1024
"""Ids of ended SENDs kept however old: the server may name the newest it has."""

ORDERED_CLASSES: Final = frozenset({MessageClass.MESSAGE, MessageClass.OPERATION})


@dataclass(frozen=True, slots=True)
class Letter:
    """What a row of the outbox is to say, and to whom.

    Attributes:
        id: Its client_msg_id.
        chat: Chat id.
        class_: Class of the SEND.
        content: Encoded content.
        message: server_msg_id of the message row that it is; None: a signal.
        target: The one device it is for; None: all devices of both accounts.
        expires_ms: End of its life, server-corrected time.
    """

    id: bytes
    chat: bytes
    class_: MessageClass
    content: bytes
    message: bytes | None
    target: tuple[bytes, int] | None
    expires_ms: int

    @property
    def is_ordered(self) -> bool:
        """Whether it takes a place in the chat."""
        return self.class_ in ORDERED_CLASSES


class _LetterRow(NamedTuple):
    id: bytes
    chat: bytes
    class_: int
    target_user: bytes | None
    target_device: int | None
    content: bytes
    message: bytes | None
    attempt: int
    is_offered: int
    expires_ms: int


_LETTERS: Final = (
    "SELECT id, chat, class, target_user, target_device, content, message, attempt,"
    " is_offered, expires_ms FROM outbox"
)


def add_letter_txn(txn: Txn, letter: Letter, *, is_offered: bool) -> None:
    """Put a letter at the end of the outbox."""
    user, device = letter.target or (None, None)
    txn.do(
        "INSERT INTO outbox (id, chat, class, target_user, target_device, content,"
        " message, attempt, is_offered, expires_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
        letter.id,
        letter.chat,
        letter.class_,
        user,
        device,
        letter.content,
        letter.message,
        is_offered,
        letter.expires_ms,
    )


def put_first_txn(
    txn: Txn,
    letters: Sequence[tuple[bytes, bytes, int, bytes, bytes, int, int]],
) -> None:
    """Put letters that had ended before all others, in this order.

    Args:
        txn: The transaction.
        letters: Of each: id, chat, class, content, message, attempt, expires_ms.
    """
    first = txn.value(int, "SELECT min(position) FROM outbox") or 1
    txn.do_many(
        "INSERT INTO outbox (position, id, chat, class, content, message, attempt,"
        " is_offered, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)",
        [
            (first - len(letters) + index, *letter)
            for index, letter in enumerate(letters)
        ],
    )


def letter_txn(txn: Txn, id_: bytes) -> Letter | None:
    """Return a letter; None: it has ended."""
    row = txn.one(_LetterRow, _LETTERS + " WHERE id = ?", id_)
    return None if row is None else _letter(row)


def outbox_rows_txn(txn: Txn) -> list[Row]:
    """Return every row as the outbox's logic wants it, in order."""
    covers = covers_txn(txn)
    sizes = dict(
        txn.all(
            tuple[bytes, int],
            "SELECT id, sum(length(ciphertext)) FROM envelope GROUP BY id",
        )
    )
    return [
        Row(
            id=row.id,
            chat=row.chat,
            is_ordered=row.class_ in ORDERED_CLASSES,
            expires_ms=row.expires_ms,
            attempt=row.attempt,
            size_bytes=sizes.get(row.id, 0),
            covers=covers.get(row.id, ()),
            is_offered=bool(row.is_offered),
            phase=Phase.READY if row.id in sizes else Phase.UNSEALED,
        )
        for row in txn.all(_LetterRow, _LETTERS + " ORDER BY position")
    ]


def covers_txn(
    txn: Txn,
) -> dict[bytes, tuple[tuple[int, frozenset[Device]], ...]]:
    """Return the devices of every row's attempts."""
    gathered: dict[bytes, dict[int, list[Device]]] = {}
    for id_, attempt, user, device, registration_id in txn.all(
        tuple[bytes, int, bytes, int, int],
        "SELECT id, attempt, user, device, registration_id FROM cover"
        " ORDER BY id, attempt",
    ):
        attempts = gathered.setdefault(id_, {})
        attempts.setdefault(attempt, []).append(Device(user, device, registration_id))
    return {
        id_: tuple((attempt, frozenset(found)) for attempt, found in attempts.items())
        for id_, attempts in gathered.items()
    }


def envelopes_txn(txn: Txn, id_: bytes) -> list[Envelope]:
    """Return the ciphertexts of a row's newest attempt, as SEND wants them."""
    rows = txn.all(
        tuple[bytes, int, int, bytes],
        "SELECT user, device, registration_id, ciphertext FROM envelope"
        " WHERE id = ? ORDER BY user, device",
        id_,
    )
    return [
        Envelope(
            user=user,
            device=device,
            registration_id=registration_id,
            ciphertext=ciphertext,
        )
        for user, device, registration_id, ciphertext in rows
    ]


def save_attempt_txn(
    txn: Txn, id_: bytes, attempt: int, envelopes: Iterable[Envelope]
) -> None:
    """Replace a row's ciphertexts by those of a new attempt."""
    envelopes = list(envelopes)
    txn.do("UPDATE outbox SET attempt = ? WHERE id = ?", attempt, id_)
    txn.do("DELETE FROM envelope WHERE id = ?", id_)
    txn.do_many(
        "INSERT INTO envelope VALUES (?, ?, ?, ?, ?)",
        [
            (id_, item.user, item.device, item.registration_id, item.ciphertext)
            for item in envelopes
        ],
    )
    txn.do_many(
        "INSERT INTO cover VALUES (?, ?, ?, ?, ?)",
        [
            (id_, attempt, item.user, item.device, item.registration_id)
            for item in envelopes
        ],
    )


def mark_offered_txn(txn: Txn, ids: Iterable[bytes]) -> None:
    """Note that copies of these rows are about to leave (rule 10)."""
    txn.do_many("UPDATE outbox SET is_offered = 1 WHERE id = ?", [(i,) for i in ids])


def unmark_offered_txn(txn: Txn, id_: bytes) -> None:
    """Note that no copy of this row is about to leave after all."""
    txn.do("UPDATE outbox SET is_offered = 0 WHERE id = ?", id_)


def end_letter_txn(txn: Txn, id_: bytes, attempt: int, now_ms: int) -> None:
    """Delete a row that ended; its id stays known."""
    for table in ("outbox", "envelope", "cover"):
        txn.do(f"DELETE FROM {table} WHERE id = ?", id_)  # noqa: S608 - our names
    txn.do("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", id_, attempt, now_ms)


def forget_ciphertexts_txn(txn: Txn) -> None:
    """Delete all ciphertexts: they are of an older registration's sessions."""
    txn.do("DELETE FROM envelope")
    txn.do("DELETE FROM cover")


class Made(NamedTuple):
    """What a store says of a SEND.

    Attributes:
        is_known: Its row has ended here.
        attempt: Of its row, if that hasn't ended; 0: there is none.
    """

    is_known: bool
    attempt: int


def made_txn(txn: Txn, id_: bytes) -> Made:
    """Return what this store says of a SEND."""
    known = txn.value(int, "SELECT 1 FROM known WHERE id = ?", id_)
    attempt = txn.value(int, "SELECT attempt FROM outbox WHERE id = ?", id_)
    return Made(known is not None, attempt or 0)


def is_old_copy(last_attempt: int, made: Made) -> bool:
    """Say whether a store didn't make the newest SEND that the server has of it.

    It is an old copy then, whose message keys are used (R-AUTH-005). A row that has
    ended is known whatever its attempt: its answer came here.

    Args:
        last_attempt: Attempt of that SEND, as AUTH_OK says.
        made: What the store says of it.
    """
    return not made.is_known and made.attempt < last_attempt


def save_sent_txn(
    txn: Txn, id_: bytes, message: bytes, devices: Iterable[Device], now_ms: int
) -> None:
    """Note what was really sent to whom; serves retries."""
    txn.do("INSERT OR REPLACE INTO sent VALUES (?, ?, ?)", id_, message, now_ms)
    txn.do_many(
        "INSERT OR REPLACE INTO sent_device VALUES (?, ?, ?, ?)",
        [(id_, *device) for device in devices],
    )


class Sent(NamedTuple):
    """A message of ours that was sent.

    Attributes:
        message: Its server_msg_id.
        chat: Chat id.
        content: Encoded content.
        chat_seq: Its place in the chat.
        sent_at_ms: The server's time for it.
    """

    message: bytes
    chat: bytes
    content: bytes
    chat_seq: int
    sent_at_ms: int


def sent_txn(txn: Txn, chat: bytes, id_: bytes) -> Sent | None:
    """Return a message of ours by its client_msg_id; None: never sent, or too old."""
    return txn.one(
        Sent,
        "SELECT message.id, chat, content, coalesce(chat_seq, 0), sent_at_ms FROM sent"
        " JOIN message ON message.id = sent.message"
        " WHERE sent.id = ? AND chat = ? AND content IS NOT NULL",
        id_,
        chat,
    )


def was_sent_to_txn(txn: Txn, id_: bytes, user: bytes, device: int | None) -> bool:
    """Say whether a message had an envelope for a device; None: for any of a user."""
    found = txn.value(
        int,
        "SELECT 1 FROM sent_device"
        " WHERE id = ? AND user = ? AND device = ifnull(?, device)",
        id_,
        user,
        device,
    )
    return found is not None


def drop_old_sent_txn(txn: Txn, now_ms: int) -> None:
    """Delete what retries can't ask for any more."""
    before_ms = now_ms - SENT_KEPT_MS
    txn.do(
        "DELETE FROM sent_device WHERE id IN (SELECT id FROM sent WHERE ended_ms < ?)",
        before_ms,
    )
    txn.do("DELETE FROM sent WHERE ended_ms < ?", before_ms)
    txn.do(
        "DELETE FROM known WHERE ended_ms < ? AND id NOT IN"
        " (SELECT id FROM known ORDER BY ended_ms DESC LIMIT ?)",
        before_ms,
        KNOWN_KEPT,
    )


def letters_for_txn(txn: Txn, target: tuple[bytes, int], content: bytes) -> bool:
    """Say whether the same signal already waits for the same device."""
    found = txn.value(
        int,
        "SELECT 1 FROM outbox WHERE target_user = ? AND target_device = ?"
        " AND content = ?",
        *target,
        content,
    )
    return found is not None


def _letter(row: _LetterRow) -> Letter:
    target = None
    if row.target_user is not None and row.target_device is not None:
        target = (row.target_user, row.target_device)
    return Letter(
        id=row.id,
        chat=row.chat,
        class_=MessageClass(row.class_),
        content=row.content,
        message=row.message,
        target=target,
        expires_ms=row.expires_ms,
    )
