"""Open what was delivered and store what it brings, inside one transaction."""

from dataclasses import dataclass, field
from typing import Final

from wigwag.client._content import (
    ContentRefused,
    KnownContent,
    ReadReceipt,
    Resent,
    Retry,
    Text,
    UnknownContent,
    decode_content,
)
from wigwag.client._device import Device
from wigwag.client._events import EventKind
from wigwag.client._inbox import POSITION_MAX, Held, Placement, place
from wigwag.client._message import MessageState
from wigwag.client._resend import (
    MISSED,
    NOT_REPAIRABLE,
    RESEND_OF,
    answer_retry_txn,
    leave_registration_txn,
    original_of_txn,
    send_copy_txn,
)
from wigwag.client._store_account import Account
from wigwag.client._store_events import add_event_txn
from wigwag.client._store_messages import (
    MessageRow,
    fill_stub_txn,
    held_txn,
    insert_message_txn,
    is_above_txn,
    read_mark_txn,
    undelivered_txn,
)
from wigwag.client._store_outbox import ORDERED_CLASSES
from wigwag.client._store_peers import Peer, open_chat_txn, peer_txn
from wigwag.client._store_prekeys import PrekeyRows, use_prekeys_txn
from wigwag.client._txn import Txn
from wigwag.client.crypto import (
    Forgery,
    ListComparison,
    OpenedPlaintext,
    Undecryptable,
    compare_lists,
    decrypt,
    open_plaintext,
)
from wigwag.wire import (
    Deliver,
    MessageClass,
    Missed,
    Undelivered,
    UndeliveredReason,
    suite1,
)

REPAIRED: Final = "repaired"
ABOVE: Final = "above"
"""Words in an event's reason that `MessageReceived` shows as flags."""

UNLISTED: Final = "unlisted_device"
"""Reason: the sender's signed list doesn't name the device."""

_CLASSES: Final[dict[type[KnownContent], MessageClass]] = {
    Text: MessageClass.MESSAGE,
    ReadReceipt: MessageClass.RECEIPT,
    Retry: MessageClass.SIGNAL,
    Resent: MessageClass.SIGNAL,
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a message belongs, and what it stands for."""

    message: bytes
    chat: bytes
    chat_seq: int
    client_msg_id: bytes
    sent_at_ms: int


@dataclass(slots=True)
class Opening:
    """One batch of entries on its way into the store.

    Attributes:
        device: This device.
        account: Ourselves, as of this batch.
        peers: The senders in it, looked up before.
        now_ms: Server-corrected time.
        to_refresh: Senders whose newest list we don't know.
    """

    device: Device
    account: Account
    peers: dict[bytes, Peer]
    now_ms: int
    to_refresh: set[bytes] = field(default_factory=set[bytes])

    def deliver_txn(self, txn: Txn, entry: Deliver) -> None:
        """Store a message, act on a signal, or leave a placeholder."""
        where = self._place(entry)
        is_message = entry.class_ in ORDERED_CLASSES
        if is_message and held_txn(txn, where.message) is Held.READABLE:
            return
        peer = self.peers.get(entry.sender)
        opened = self._open_txn(txn, entry, peer)
        if isinstance(opened, str):
            if is_message:
                self._stub_txn(txn, entry, opened)
            return
        assert peer is not None, "nothing is opened without a pin"
        chat = open_chat_txn(txn, self.account.user, peer.user)
        if entry.chat != chat:
            self._stub_txn(txn, entry, "wrong_chat")
            return
        self._compare_txn(txn, opened, peer)
        try:
            content = decode_content(opened.content)
        except ContentRefused:
            self._stub_txn(txn, entry, "malformed_content")
            return
        self._act_txn(txn, entry, peer, content, opened.content)

    def missed_txn(self, txn: Txn, entry: Missed) -> None:
        """Leave a placeholder for a message that has no envelope for us."""
        if entry.class_ in ORDERED_CLASSES:
            self._stub_txn(txn, entry, MISSED)

    def undelivered_txn(self, txn: Txn, entry: Undelivered) -> None:
        """Show at a message of ours that it didn't reach a device; send it again."""
        account = self.account
        # What didn't arrive may have been sent again before.
        original = original_of_txn(txn, entry.client_msg_id)
        message = suite1.server_msg_id(
            entry.chat, account.user, account.device, original
        )
        reason = UndeliveredReason.from_wire(entry.reason)
        undelivered_txn(txn, message, reason.name.lower(), self.now_ms)
        peer = peer_txn(txn, entry.user)
        if reason is not UndeliveredReason.REREGISTERED or peer is None:
            return
        # Its registration is another one now: the old session reaches nobody.
        target = (entry.user, entry.device)
        if peer.pin.device(entry.device) is None:
            return
        leave_registration_txn(txn, entry.client_msg_id, target)
        send_copy_txn(
            txn,
            self.device,
            peer,
            target,
            original,
            message,
            RESEND_OF,
            self.now_ms,
        )

    # Steps

    def _open_txn(
        self, txn: Txn, entry: Deliver, peer: Peer | None
    ) -> OpenedPlaintext | str:
        """Decrypt an entry; a word says why that can't be done."""
        sender = None if peer is None else peer.pin.device(entry.sender_device)
        if sender is None:
            return UNLISTED
        try:
            opened = decrypt(
                self.account.local,
                sender,
                txn.sessions(entry.sender, entry.sender_device),
                PrekeyRows(txn),
                entry.ciphertext,
                entropy=self.device.entropy,
                now_ms=self.now_ms,
            )
        except Undecryptable as error:
            return error.reason.value
        txn.put_sessions(
            entry.sender, entry.sender_device, opened.sessions, opened.skipped
        )
        use_prekeys_txn(txn, opened.used, self.now_ms)
        try:
            return open_plaintext(
                opened.plaintext,
                chat_id=entry.chat,
                client_msg_id=entry.client_msg_id,
                message_class=entry.class_,
            )
        except Forgery as error:
            # The message key is used: the state stays, the message doesn't.
            return f"forged_{error.reason.value}"

    def _compare_txn(self, txn: Txn, opened: OpenedPlaintext, peer: Peer) -> None:
        found = compare_lists(
            opened.head.own_list_hash,
            opened.head.peer_list_hash,
            peer.pin,
            self.account.list_pin,
        )
        match found:
            case ListComparison.AGREE:
                return
            case ListComparison.SENDER_LIST_UNKNOWN:
                self.to_refresh.add(peer.user)
            case ListComparison.OWN_LIST_UNKNOWN:
                add_event_txn(
                    txn,
                    EventKind.LISTS_DIFFER,
                    self.now_ms,
                    user=peer.user,
                    reason=found.value,
                )

    def _act_txn(
        self,
        txn: Txn,
        entry: Deliver,
        peer: Peer,
        content: KnownContent | UnknownContent,
        data: bytes,
    ) -> None:
        if not isinstance(content, UnknownContent):
            if _CLASSES[type(content)] != entry.class_:
                self._stub_txn(txn, entry, "wrong_class")
                return
        elif entry.class_ not in ORDERED_CLASSES:
            return
        match content:
            case Text() | UnknownContent():
                self._put_txn(txn, entry, self._place(entry), data)
            case ReadReceipt(up_to=up_to):
                if up_to <= POSITION_MAX:
                    read_mark_txn(txn, entry.chat, up_to, self.now_ms)
            case Retry():
                asking = (entry.sender, entry.sender_device)
                answer_retry_txn(
                    txn, self.device, peer, asking, entry.chat, content, self.now_ms
                )
            case Resent():
                self._put_txn(txn, entry, _stands_for(entry, content), content.content)

    def _put_txn(self, txn: Txn, entry: Deliver, where: _Place, data: bytes) -> None:
        """Store a message where it belongs, once."""
        placement = place(held_txn(txn, where.message), is_readable=True)
        words: list[str] = []
        match placement:
            case Placement.KEEP:
                return
            case Placement.FILL:
                words.append(REPAIRED)
                fill_stub_txn(
                    txn, where.message, data, where.chat_seq, where.sent_at_ms
                )
            case Placement.INSERT:
                if is_above_txn(txn, where.chat, where.chat_seq):
                    words.append(ABOVE)
                row = self._row(entry, where, MessageState.RECEIVED)
                insert_message_txn(txn, row._replace(content=data))
        add_event_txn(
            txn,
            EventKind.MESSAGE_RECEIVED,
            self.now_ms,
            message=where.message,
            reason=" ".join(words),
        )

    def _stub_txn(self, txn: Txn, entry: Deliver | Missed, reason: str) -> None:
        """Leave a placeholder, and ask for the message where that helps.

        Signals leave none: whoever needs one asks again by his own timer.
        """
        if entry.class_ not in ORDERED_CLASSES:
            return
        where = self._place(entry)
        if held_txn(txn, where.message) is not Held.NOTHING:
            return
        chat = suite1.direct_chat_id(self.account.user, entry.sender)
        if peer_txn(txn, entry.sender) is None or where.chat != chat:
            # Nobody vouches for the sender: there is no chat to show it in.
            reason = f"unverified_{reason}"
        else:
            open_chat_txn(txn, self.account.user, entry.sender)
        can_ask = reason not in NOT_REPAIRABLE and not reason.startswith(
            ("forged", "wrong", "malformed_c", "unverified")
        )
        row = self._row(entry, where, MessageState.UNREADABLE)
        insert_message_txn(
            txn,
            row._replace(reason=reason, next_try_ms=self.now_ms if can_ask else None),
        )
        add_event_txn(
            txn,
            EventKind.UNREADABLE,
            self.now_ms,
            message=where.message,
            reason=reason,
        )

    def _row(
        self, entry: Deliver | Missed, where: _Place, state: MessageState
    ) -> MessageRow:
        return MessageRow(
            id=where.message,
            chat=where.chat,
            chat_seq=where.chat_seq or None,
            sender=entry.sender,
            sender_device=entry.sender_device,
            client_msg_id=where.client_msg_id,
            is_own=0,
            content=None,
            state=state,
            reason="",
            undelivered="",
            sent_at_ms=where.sent_at_ms,
            tries=0,
            next_try_ms=None,
        )

    def _place(self, entry: Deliver | Missed) -> _Place:
        return _Place(
            message=suite1.server_msg_id(
                entry.chat, entry.sender, entry.sender_device, entry.client_msg_id
            ),
            chat=entry.chat,
            chat_seq=entry.chat_seq,
            client_msg_id=entry.client_msg_id,
            sent_at_ms=entry.sent_at,
        )


def _stands_for(entry: Deliver, content: Resent) -> _Place:
    """Say which message a signal stands for: always one of the same device's."""
    return _Place(
        message=suite1.server_msg_id(
            entry.chat, entry.sender, entry.sender_device, content.client_msg_id
        ),
        chat=entry.chat,
        chat_seq=min(content.chat_seq, POSITION_MAX),
        client_msg_id=content.client_msg_id,
        sent_at_ms=min(content.sent_at, POSITION_MAX),
    )
