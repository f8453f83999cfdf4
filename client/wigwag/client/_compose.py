"""Write a letter and seal it: plaintext, ratchet, ciphertext, row, one transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from wigwag.client._content import KnownContent, encode_content
from wigwag.client._device import Device
from wigwag.client._errors import MessageTooLong
from wigwag.client._message import MessageState
from wigwag.client._outbox import OUTBOX_LIFE_MS
from wigwag.client._outbox import Device as Target
from wigwag.client._store_account import Account
from wigwag.client._store_messages import MessageRow, insert_message_txn
from wigwag.client._store_outbox import (
    Letter,
    add_letter_txn,
    envelopes_txn,
    save_attempt_txn,
    unmark_offered_txn,
)
from wigwag.client._store_peers import Peer, chat_base_txn
from wigwag.client._txn import DeviceKey, Txn
from wigwag.client.crypto import PlaintextHead, SkippedChange, encrypt, seal_plaintext
from wigwag.wire import Envelope, MessageClass, suite1

CONTENT_BYTES_MAX: Final = 13 * 1024
"""With head, padding, agreement header and tag an envelope stays under its 16 KiB;
longer text goes as an attachment."""


class Seal(Enum):
    """Why there are no new ciphertexts."""

    LACKS_SESSION = "lacks session"
    """A device has no active session: claim a bundle."""
    UNCHANGED = "unchanged"
    """They would be the same devices in the same registrations."""
    OUTDATED = "outdated"
    """The row ended, or the registration is another one."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """New ciphertexts of a letter.

    Attributes:
        envelopes: One a device, in SEND's order.
        attempt: Their number.
    """

    envelopes: tuple[Envelope, ...]
    attempt: int

    @property
    def cover(self) -> frozenset[Target]:
        """The devices they are for."""
        return frozenset(
            Target(item.user, item.device, item.registration_id)
            for item in self.envelopes
        )

    @property
    def size_bytes(self) -> int:
        """Bytes of all ciphertexts."""
        return sum(len(item.ciphertext) for item in self.envelopes)


@dataclass(frozen=True, slots=True)
class Composed:
    """A letter that is in the outbox now.

    Attributes:
        letter: The letter.
        users: Whose device lists its SEND names.
        sealed: Its ciphertexts; None: a session is missing.
        is_offered: Whether it counts as offered already.
        base: The chat's base, as the store has it.
    """

    letter: Letter
    users: tuple[bytes, ...]
    sealed: Sealed | None
    is_offered: bool
    base: bytes


def encode_bounded(content: KnownContent) -> bytes:
    """Encode content that must fit in an envelope.

    Raises:
        MessageTooLong: It doesn't.
    """
    data = encode_content(content)
    if len(data) > CONTENT_BYTES_MAX:
        raise MessageTooLong(
            f"The message has {len(data)} bytes; {CONTENT_BYTES_MAX} fit."
        )
    return data


def compose_message_txn(
    txn: Txn,
    device: Device,
    peer: Peer,
    chat: bytes,
    content: bytes,
    *,
    now_ms: int,
    is_offered: bool,
) -> Letter:
    """Put a message that people read into chat and outbox.

    Args:
        txn: The transaction.
        device: This device.
        peer: The other person.
        chat: The chat with him.
        content: Encoded content.
        now_ms: Server-corrected time.
        is_offered: Whether it may leave right after the commit (rule 10).
    """
    account = device.account
    client_msg_id = device.mint_id_txn(txn, now_ms)
    message = suite1.server_msg_id(chat, account.user, account.device, client_msg_id)
    insert_message_txn(
        txn,
        MessageRow(
            id=message,
            chat=chat,
            chat_seq=None,
            sender=account.user,
            sender_device=account.device,
            client_msg_id=client_msg_id,
            is_own=1,
            content=content,
            state=MessageState.QUEUED,
            reason="",
            undelivered="",
            sent_at_ms=now_ms,
            tries=0,
            next_try_ms=None,
        ),
    )
    letter = Letter(
        id=client_msg_id,
        chat=chat,
        class_=MessageClass.MESSAGE,
        content=content,
        message=message,
        target=None,
        expires_ms=now_ms + OUTBOX_LIFE_MS,
    )
    _post_txn(txn, device, peer, letter, is_offered=is_offered)
    return letter


def compose_signal_txn(
    txn: Txn,
    device: Device,
    peer: Peer,
    chat: bytes,
    content: bytes,
    *,
    class_: MessageClass,
    target: DeviceKey | None,
    now_ms: int,
) -> None:
    """Put a signal or a read receipt into the outbox.

    Args:
        txn: The transaction.
        device: This device.
        peer: The other person of the chat.
        chat: The chat.
        content: Encoded content.
        class_: SIGNAL or RECEIPT.
        target: The one device it is for; None: all.
        now_ms: Server-corrected time.
    """
    letter = Letter(
        id=device.mint_id_txn(txn, now_ms),
        chat=chat,
        class_=class_,
        content=content,
        message=None,
        target=target,
        expires_ms=now_ms + OUTBOX_LIFE_MS,
    )
    _post_txn(txn, device, peer, letter, is_offered=False)


def seal_txn(
    txn: Txn,
    account: Account,
    peer: Peer,
    letter: Letter,
    *,
    attempt: int,
    anew: frozenset[DeviceKey] = frozenset(),
) -> Sealed | Seal:
    """Make the ciphertexts of a letter's next attempt, and store them.

    Envelopes for devices whose session is the same registration's stay byte for
    byte as they are.

    Args:
        txn: The transaction.
        account: Ourselves.
        peer: The other person; his pinned list says which devices there are.
        letter: What to seal.
        attempt: Number of the new attempt.
        anew: Devices whose envelope must not be kept.
    """
    registration_id = txn.value(int, "SELECT registration_id FROM account")
    if registration_id != account.registration_id:
        return Seal.OUTDATED
    targets = _targets(account, peer, letter)
    if not all(txn.sessions(*target).has_active for target in targets):
        return Seal.LACKS_SESSION
    before = envelopes_txn(txn, letter.id)
    registrations = {key: txn.sessions(*key).registration_id for key in targets}
    kept = keep_envelopes(before, registrations, anew)
    if len(kept) == len(targets) == len(before):
        return Seal.UNCHANGED
    envelopes = [
        kept.get(target) or _encrypt_txn(txn, account, peer, letter, target)
        for target in targets
    ]
    save_attempt_txn(txn, letter.id, attempt, envelopes)
    return Sealed(tuple(envelopes), attempt)


def keep_envelopes(
    before: Iterable[Envelope],
    registrations: Mapping[DeviceKey, int | None],
    anew: frozenset[DeviceKey] = frozenset(),
) -> dict[DeviceKey, Envelope]:
    """Return the envelopes of an attempt that stay byte for byte in the next one.

    Args:
        before: Of the attempt.
        registrations: The devices that the next one is for, and the registration
            that the session with each is of.
        anew: Devices whose envelope must not be kept.
    """
    return {
        key: item
        for item in before
        if (key := (item.user, item.device)) in registrations
        and key not in anew
        and item.registration_id == registrations[key]
    }


def send_users(account: Account, peer: Peer, letter: Letter) -> tuple[bytes, ...]:
    """Return the users whose lists a SEND names: completeness is judged for them."""
    if letter.target is not None:
        return (letter.target[0],)
    return tuple(sorted({user for user, _ in _targets(account, peer, letter)}))


def _post_txn(
    txn: Txn, device: Device, peer: Peer, letter: Letter, *, is_offered: bool
) -> None:
    """Put a letter into the outbox's table, and into its memory after the commit."""
    sealed: Sealed | Seal = Seal.LACKS_SESSION
    add_letter_txn(txn, letter, is_offered=is_offered)
    if not peer.change:
        sealed = seal_txn(txn, device.account, peer, letter, attempt=1)
    if is_offered and not isinstance(sealed, Sealed):
        # It can't leave yet: whoever ends it may still say that it never did.
        is_offered = False
        unmark_offered_txn(txn, letter.id)
    composed = Composed(
        letter=letter,
        users=send_users(device.account, peer, letter),
        sealed=sealed if isinstance(sealed, Sealed) else None,
        is_offered=is_offered,
        base=chat_base_txn(txn, letter.chat),
    )
    txn.changes.after.append(lambda: device.post(composed))


def _targets(account: Account, peer: Peer, letter: Letter) -> list[DeviceKey]:
    """List the devices a letter is for, by rising user and number."""
    if letter.target is not None:
        return [letter.target]
    targets = [(peer.user, item.number) for item in peer.pin.devices]
    # Own other devices get a sent copy (E2EE.md §4).
    targets += [
        (account.user, item.number)
        for item in account.list_pin.devices
        if item.number != account.device
    ]
    return sorted(targets)


def _encrypt_txn(
    txn: Txn, account: Account, peer: Peer, letter: Letter, target: DeviceKey
) -> Envelope:
    user, number = target
    recipient = account.list_pin if user == account.user else peer.pin
    head = PlaintextHead(
        chat_id=letter.chat,
        client_msg_id=letter.id,
        message_class=letter.class_,
        own_list_hash=account.list_pin.hash_prefix,
        peer_list_hash=recipient.hash_prefix,
    )
    sessions = txn.sessions(user, number)
    sealed = encrypt(sessions, seal_plaintext(head, letter.content))
    txn.put_sessions(user, number, sealed.sessions, SkippedChange())
    registration_id = sealed.sessions.registration_id
    assert registration_id is not None, "it was encrypted with the active session"
    return Envelope(
        user=user,
        device=number,
        registration_id=registration_id,
        ciphertext=sealed.envelope,
    )
