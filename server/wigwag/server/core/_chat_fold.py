"""Fold 1, per chat: requests get their place, or a reason why not.

The order of the checks is the protocol:

1. Dedupe, before everything: a known (chat, sender device, client_msg_id) is
   answered with what is stored, whatever else is wrong with this copy of it.
2. A request of a displaced connection or an old registration is dropped.
3. What admission decided, EXPIRED, the chat's id, devices and quotas.
4. The chain: `after` must name the device's last sequenced message in the chat.
   So a pipeline can't reorder around a refusal.

Only then is anything written: the sent-index entry, the chat's head and tail, the
sender's highest id, of a first message the count of chats that its account opened
(R-SEND-009), and, through the inbox fold, the deliveries.
"""

from hashlib import sha256
from struct import Struct

from wigwag.server.core._admission import judge
from wigwag.server.core._answers import Answer, Dropped, Refused, Sequenced
from wigwag.server.core._draft import Draft
from wigwag.server.core._inbox_fold import deliver
from wigwag.server.core._limits import ID_AGE_DAYS_MAX, ID_AHEAD_DAYS_MAX
from wigwag.server.core._refusals import Refusal
from wigwag.server.core._requests import Send
from wigwag.server.core._rows import (
    CHATS,
    OPENED,
    SENDERS,
    SENT,
    ChatRow,
    LogRow,
    SenderRow,
    SentRow,
    sent_key,
)
from wigwag.server.core._values import (
    CLASS_OPERATION,
    DAY_MS,
    NO_MESSAGE,
    USER_BYTES,
    User,
    minted_ms,
    next_position,
)
from wigwag.wire import suite1

_AGE_MS_MAX = ID_AGE_DAYS_MAX * DAY_MS
_ONE_ENVELOPE = Struct(">I13sIBIHI16sBIII")
_NO_SHARED_BODY = bytes(4)
_AHEAD_MS_MAX = ID_AHEAD_DAYS_MAX * DAY_MS


def fold_send(draft: Draft, send: Send) -> Answer:
    """Sequence a message, or say why not."""
    sender = draft.get(SENDERS, send.sender)
    if sender is None:
        return Dropped()
    # Ids of one device rise, so one above its highest is new without a look-up.
    if send.client_msg_id <= sender.high:
        key = sent_key(send.sender, send.client_msg_id, send.chat)
        known = draft.get(SENT, key)
        if known is not None:
            return _repeat(send, known)
    if (
        send.registration_id != sender.registration_id
        or send.generation < sender.generation
    ):
        return Dropped()
    if send.marked is not None:
        return Refused(
            send.client_msg_id,
            send.attempt,
            send.marked,
            retry_after_ms=send.retry_after_ms,
        )
    age_ms = draft.now_ms - minted_ms(send.client_msg_id)
    if age_ms > _AGE_MS_MAX or age_ms < -_AHEAD_MS_MAX:
        return Refused(send.client_msg_id, send.attempt, Refusal.EXPIRED)
    chat = draft.get(CHATS, send.chat)
    users = chat.users if chat is not None else None
    if not _is_direct(send, users):
        return Refused(send.client_msg_id, send.attempt, Refusal.NOT_FOUND)
    rosters = [draft.roster(user) for user in send.users]
    is_opening = chat is None and send.class_ <= CLASS_OPERATION
    refusal = judge(draft, send, rosters, is_opening=is_opening)
    if refusal is not None:
        code, devices = refusal
        return Refused(send.client_msg_id, send.attempt, code, devices=devices)
    chat_seq = 0
    if send.class_ <= CLASS_OPERATION:
        if chat is None:
            both = {send.sender[:USER_BYTES], *send.users}
            chat = ChatRow(tuple(sorted(both)), 0, {})
        registration, last_id = chat.tails.get(send.sender, (0, NO_MESSAGE))
        if registration != send.registration_id:
            last_id = NO_MESSAGE
        if send.after != last_id:
            return Refused(
                send.client_msg_id, send.attempt, Refusal.OUT_OF_ORDER, last_id=last_id
            )
        chat_seq = _take_place(draft, send, chat)
        if is_opening:
            own = send.sender[:USER_BYTES]
            draft.put(OPENED, own, (draft.get(OPENED, own) or 0) + 1)
    _remember(draft, send, sender, chat_seq)
    deliver(draft, send, chat_seq, rosters)
    return Sequenced(send.client_msg_id, send.attempt, chat_seq, draft.now_ms)


def _remember(draft: Draft, send: Send, sender: SenderRow, chat_seq: int) -> None:
    """Note the answer under the message's id, and that it is the device's newest."""
    draft.put(
        SENT,
        sent_key(send.sender, send.client_msg_id, send.chat),
        SentRow(
            chat_seq,
            draft.now_ms,
            send.attempt,
            send.registration_id,
            digest_of(send),
        ),
    )
    draft.put(
        SENDERS,
        send.sender,
        SenderRow(
            sender.registration_id,
            sender.generation,
            max(sender.high, send.client_msg_id),
            send.client_msg_id,
            send.attempt,
        ),
    )


def _repeat(send: Send, known: SentRow) -> Answer:
    """Answer a known id with what is stored.

    CONFLICT, a client's bug, only within one registration and attempt: a device
    that lost its state may honestly reuse an attempt for other bytes.
    """
    if (
        known.attempt == send.attempt
        and known.registration_id == send.registration_id
        and known.digest != digest_of(send)
    ):
        return Refused(
            send.client_msg_id,
            send.attempt,
            Refusal.CONFLICT,
            chat_seq=known.chat_seq,
        )
    return Sequenced(send.client_msg_id, known.attempt, known.chat_seq, known.ts)


def digest_of(send: Send) -> bytes:
    """Return the suite's digest of what a SEND carries.

    One envelope, the usual case, is written out; a test holds it to the suite.
    """
    if len(send.envelopes) == 1:
        (one,) = send.envelopes
        text = one.ciphertext
        head = _ONE_ENVELOPE.pack(
            13,
            b"wigwag/1 send",
            1,
            send.class_,
            2,
            1,
            17,
            one.user,
            one.device,
            4,
            one.registration_id,
            len(text),
        )
        return sha256(head + text + _NO_SHARED_BODY).digest()
    return suite1.send_digest(
        send.class_,
        [
            (one.user, one.device, one.registration_id, one.ciphertext)
            for one in send.envelopes
        ],
    )


def _is_direct(send: Send, users: tuple[User, ...] | None) -> bool:
    """Whether the chat is the direct one of the sender and the one other user named.

    A stored chat (`users`) had its id proven when it was made.
    """
    own = send.sender[:USER_BYTES]
    if send.users == users:
        return own in send.users
    others = [user for user in send.users if user != own]
    if len(others) != 1:
        return False
    if users is not None:
        return own in users and others[0] in users
    return suite1.direct_chat_id(own, others[0]) == send.chat


def _take_place(draft: Draft, send: Send, chat: ChatRow) -> int:
    """Give the message the chat's next position and make it the device's tail."""
    chat_seq = next_position(chat.head, draft.epoch)
    tails = {
        **chat.tails,
        send.sender: (send.registration_id, send.client_msg_id),
    }
    draft.put(CHATS, send.chat, ChatRow(chat.users, chat_seq, tails))
    draft.log.append(
        LogRow(
            draft.source,
            send.chat,
            chat_seq,
            send.class_,
            send.sender,
            send.client_msg_id,
            draft.now_ms,
        )
    )
    return chat_seq
