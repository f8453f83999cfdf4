"""Asking for messages again, and sending them again (rule 7, E2EE.md §4)."""

from typing import Final

from wigwag.client._compose import (
    CONTENT_BYTES_MAX,
    compose_signal_txn,
)
from wigwag.client._content import Resent, Retry, decode_content, encode_content
from wigwag.client._device import Device
from wigwag.client._store_messages import (
    MessageRow,
    message_row_txn,
    set_retry_txn,
)
from wigwag.client._store_outbox import (
    Letter,
    Sent,
    letter_txn,
    letters_for_txn,
    sent_txn,
    was_sent_to_txn,
)
from wigwag.client._store_peers import (
    Peer,
    peer_txn,
    reset_time_txn,
    set_reset_time_txn,
)
from wigwag.client._txn import DeviceKey, Txn
from wigwag.client.crypto import archive_active
from wigwag.wire import MessageClass

TRIES_MAX: Final = 5
"""A message is asked for at most this often."""

RETRY_AFTER_MS: Final = (30_000, 300_000, 3_600_000, 21_600_000)
"""Wait after each time it was asked for: the sender may be offline for hours."""

RESET_INTERVAL_MS: Final = 3600 * 1000
"""At most one session begun anew an hour and device: a peer must not be able to
drain the other's one-time prekeys by sending garbage."""

MISSED: Final = "missed"
"""Reason: the sender made no envelope for this device."""

COPY_OF: Final = "copy_of"
RESEND_OF: Final = "resend_of"

NOT_REPAIRABLE: Final = frozenset({"duplicate", "replayed"})
"""What was opened before isn't asked for: a server that repeats it gains nothing."""


def ask_again_txn(txn: Txn, device: Device, stub: MessageRow, now_ms: int) -> None:
    """Ask the sender of a placeholder for the message, if there is one to ask."""
    peer = peer_txn(txn, stub.sender)
    if peer is None or peer.pin.device(stub.sender_device) is None:
        set_retry_txn(txn, stub.id, stub.tries, None)
        return
    tries = stub.tries + 1
    is_last = tries >= TRIES_MAX
    next_ms = None if is_last else now_ms + RETRY_AFTER_MS[tries - 1]
    set_retry_txn(txn, stub.id, tries, next_ms)
    target = (stub.sender, stub.sender_device)
    if stub.reason != MISSED:
        _reset_session_txn(txn, target, now_ms)
    content = encode_content(
        Retry(
            client_msg_id=stub.client_msg_id,
            attempt=tries,
            reason=stub.reason or "unknown",
        )
    )
    compose_signal_txn(
        txn,
        device,
        peer,
        stub.chat,
        content,
        class_=MessageClass.SIGNAL,
        target=target,
        now_ms=now_ms,
    )


def answer_retry_txn(
    txn: Txn,
    device: Device,
    peer: Peer,
    asking: DeviceKey,
    chat: bytes,
    retry: Retry,
    now_ms: int,
) -> None:
    """Send a message again that a device asks for.

    Only what was really sent to that device; or, if the server made it a MISSED
    entry, to another device of the same account: its account key vouches for it.
    """
    user, number = asking
    sent = sent_txn(txn, chat, retry.client_msg_id)
    if sent is None:
        return
    any_device = None if retry.reason == MISSED else number
    if not was_sent_to_txn(txn, retry.client_msg_id, user, any_device):
        return
    send_again_txn(
        txn, device, peer, asking, retry.client_msg_id, sent, RESEND_OF, now_ms
    )


def send_copy_txn(
    txn: Txn,
    device: Device,
    peer: Peer,
    target: DeviceKey,
    client_msg_id: bytes,
    message: bytes,
    reason: str,
    now_ms: int,
) -> None:
    """Send a message of ours to one more device, or once more to a device."""
    row = message_row_txn(txn, message)
    if row is None or row.content is None:
        return
    sent = Sent(
        message=message,
        chat=row.chat,
        content=row.content,
        chat_seq=row.chat_seq or 0,
        sent_at_ms=row.sent_at_ms,
    )
    send_again_txn(txn, device, peer, target, client_msg_id, sent, reason, now_ms)


def send_again_txn(
    txn: Txn,
    device: Device,
    peer: Peer,
    target: DeviceKey,
    client_msg_id: bytes,
    sent: Sent,
    reason: str,
    now_ms: int,
) -> None:
    """Compose the signal that stands for a message of ours."""
    assert len(sent.content) <= CONTENT_BYTES_MAX, "it fitted when it was sent"
    content = encode_content(
        Resent(
            client_msg_id=client_msg_id,
            reason=reason,
            content=sent.content,
            chat_seq=sent.chat_seq,
            sent_at=sent.sent_at_ms,
        )
    )
    if letters_for_txn(txn, target, content):
        return
    compose_signal_txn(
        txn,
        device,
        peer,
        sent.chat,
        content,
        class_=MessageClass.SIGNAL,
        target=target,
        now_ms=now_ms,
    )


def original_of_txn(txn: Txn, client_msg_id: bytes) -> bytes:
    """Return the message of ours that a SEND of ours was for, by client_msg_id.

    That is itself, unless it was the signal that stands for a message.
    """
    letter = letter_txn(txn, client_msg_id)
    if letter is not None:
        return copied_id(letter) or client_msg_id
    found = txn.value(
        bytes,
        "SELECT client_msg_id FROM sent JOIN message ON message.id = sent.message"
        " WHERE sent.id = ?",
        client_msg_id,
    )
    return found or client_msg_id


def copied_id(letter: Letter) -> bytes | None:
    """Return the client_msg_id of the message that a letter stands for, if any."""
    if letter.message is not None or letter.class_ is not MessageClass.SIGNAL:
        return None
    content = decode_content(letter.content)
    return content.client_msg_id if isinstance(content, Resent) else None


def leave_registration_txn(txn: Txn, client_msg_id: bytes, target: DeviceKey) -> None:
    """Stop using the session that a message was sent in: the device re-registered.

    A session that is of another registration is the new one, and stays.
    """
    # The report may be here before the answer: the row is in the outbox then.
    old = txn.value(
        int,
        "SELECT registration_id FROM sent_device"
        " WHERE id = ?1 AND user = ?2 AND device = ?3"
        " UNION ALL SELECT registration_id FROM (SELECT * FROM cover"
        " WHERE id = ?1 AND user = ?2 AND device = ?3 ORDER BY attempt LIMIT 1)",
        client_msg_id,
        *target,
    )
    sessions = txn.sessions(*target)
    if old is not None and sessions.registration_id == old:
        archived = archive_active(sessions)
        txn.put_sessions(*target, archived.sessions, archived.skipped)


def _reset_session_txn(txn: Txn, target: DeviceKey, now_ms: int) -> None:
    """Begin the sessions with a device anew, once an hour at most."""
    sessions = txn.sessions(*target)
    if not sessions.has_active:
        return
    if now_ms - reset_time_txn(txn, *target) < RESET_INTERVAL_MS:
        return
    archived = archive_active(sessions)
    txn.put_sessions(*target, archived.sessions, archived.skipped)
    txn.save()
    set_reset_time_txn(txn, *target, now_ms)
