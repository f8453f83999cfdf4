"""Fold 2, per user: deliveries become one dense numbered inbox for each device.

Every entry carries `prev`, the device's preceding position. Nothing here refuses:
what changed since admission is said, as MISSED to a listed device that has no
envelope and as UNDELIVERED to the sender's devices for an envelope that has no
device. UNDELIVERED is an entry like any other, and it is in the same commit as
the delivered mark that passes its message.
"""

from collections.abc import Sequence

from wigwag.server.core._draft import Draft
from wigwag.server.core._events import ReceiptMoved
from wigwag.server.core._frames import (
    DELIVER,
    MISSED,
    UNDELIVERED,
    build_deliver,
    build_missed,
    build_undelivered,
)
from wigwag.server.core._marks import add_pending, clear_pending, mark_of
from wigwag.server.core._refusals import UndeliveredReason
from wigwag.server.core._requests import Send
from wigwag.server.core._rows import (
    HEADS,
    MARKS,
    AnyEntry,
    HeadRow,
    MarkRow,
    RosterRow,
)
from wigwag.server.core._values import (
    USER_BYTES,
    Chat,
    Device,
    EnvelopeLike,
    InboxEntry,
    MessageId,
    Position,
    User,
    device_of,
    next_position,
)

_NO_MARK = MarkRow(0, 0, ())
_GONE = UndeliveredReason.DEVICE_GONE
_REREGISTERED = UndeliveredReason.REREGISTERED


def deliver(
    draft: Draft, send: Send, chat_seq: Position, rosters: Sequence[RosterRow]
) -> None:
    """Put a sequenced message into the inboxes of the users it names.

    Users, and envelopes by user and device, are sorted (R-VALUE-009): they are walked
    side by side.

    Args:
        draft: The record's view.
        send: The message.
        chat_seq: Its position in the chat; 0 for classes 3 and 4.
        rosters: The reachable devices of each user.
    """
    own = send.sender[:USER_BYTES]
    lost: list[tuple[EnvelopeLike, UndeliveredReason]] = []
    envelopes = send.envelopes
    at, end = 0, len(envelopes)
    for user, roster in zip(send.users, rosters, strict=True):
        first = at
        while at < end and envelopes[at].user == user:
            at += 1
        if first == at and user == own and _is_alone(roster, send.sender):
            continue  # nothing is for him
        key = send.chat + user
        row = draft.get(MARKS, key) or _NO_MARK
        if draft.source <= row.source:
            continue  # a replay: this delivery was folded before
        is_stored = False
        unserved = dict(roster)
        for one in envelopes[first:at]:
            if unserved.get(one.device) != one.registration_id:
                # A session of an older registration: its device is still there.
                is_listed = one.device in unserved
                lost.append((one, _REREGISTERED if is_listed else _GONE))
                continue
            del unserved[one.device]
            if _store(draft, send, chat_seq, one):
                is_stored = True
            else:
                lost.append((one, UndeliveredReason.SUSPENDED))
        if chat_seq and unserved:
            for number in unserved:
                device = device_of(user, number)
                if device != send.sender:
                    _store_stub(draft, send, chat_seq, device)
        if chat_seq and is_stored and user != own:
            row = MarkRow(draft.source, chat_seq, add_pending(row.pending, chat_seq))
        else:
            row = MarkRow(draft.source, row.top, row.pending)
        draft.put(MARKS, key, row)
    assert at == end, "an envelope is of no user named, or out of order"
    for one, reason in lost:
        report_undelivered(
            draft, own, send.chat, send.client_msg_id, one.user, one.device, reason
        )


def _is_alone(roster: RosterRow, device: Device) -> bool:
    """Whether no other device than this one of its user is reachable."""
    return not roster or (len(roster) == 1 and roster[0][0] == device[USER_BYTES])


def _store(draft: Draft, send: Send, chat_seq: Position, one: EnvelopeLike) -> bool:
    """Append a DELIVER; False when the device is suspended."""
    device = device_of(one.user, one.device)
    head = draft.must_get(HEADS, device)
    if head.is_suspended:
        return False
    place = next_position(head.last, draft.epoch)
    frame = build_deliver(
        place,
        head.last,
        send.chat,
        chat_seq,
        send.class_,
        send.sender,
        send.registration_id,
        send.client_msg_id,
        draft.now_ms,
        one.ciphertext,
    )
    _append(
        draft,
        device,
        head,
        InboxEntry(
            place,
            head.last,
            DELIVER,
            frame,
            send.chat,
            chat_seq,
            send.sender,
            send.client_msg_id,
            draft.now_ms,
            draft.state.revision,
        ),
    )
    return True


def _store_stub(draft: Draft, send: Send, chat_seq: Position, device: Device) -> None:
    """Append a MISSED stub to a listed device that has no envelope."""
    head = draft.must_get(HEADS, device)
    if head.is_suspended:
        return
    place = next_position(head.last, draft.epoch)
    frame = build_missed(
        place,
        head.last,
        send.chat,
        chat_seq,
        send.class_,
        send.sender,
        send.client_msg_id,
        draft.now_ms,
    )
    _append(
        draft,
        device,
        head,
        InboxEntry(
            place,
            head.last,
            MISSED,
            frame,
            send.chat,
            chat_seq,
            send.sender,
            send.client_msg_id,
            draft.now_ms,
            draft.state.revision,
        ),
    )


def report_undelivered(
    draft: Draft,
    to_user: User,
    chat: Chat,
    message_id: MessageId,
    user: User,
    device: int,
    reason: int,
) -> None:
    """Append an UNDELIVERED to every device of the message's sender."""
    for number, _ in draft.roster(to_user):
        target = device_of(to_user, number)
        head = draft.must_get(HEADS, target)
        if head.is_suspended:
            continue
        place = next_position(head.last, draft.epoch)
        frame = build_undelivered(
            place, head.last, chat, message_id, user, device, reason
        )
        _append(
            draft,
            target,
            head,
            InboxEntry(
                place,
                head.last,
                UNDELIVERED,
                frame,
                chat,
                0,
                b"",
                message_id,
                draft.now_ms,
                draft.state.revision,
            ),
        )


def _append(draft: Draft, device: Device, head: HeadRow, entry: InboxEntry) -> None:
    draft.entries.append((device, entry))
    if entry.sender:
        draft.count_share(device, entry.sender[:USER_BYTES], len(entry.frame))
    draft.put(
        HEADS,
        device,
        HeadRow(
            head.acked,
            entry.position,
            head.size + len(entry.frame),
            head.contact_ms,
            False,
            head.doomed,
            head.doomed_reason,
            head.gaps,
        ),
    )


def acknowledge(draft: Draft, device: Device, upto: Position) -> Position:
    """Move a device's cursor, never back; delete, and raise the delivered marks.

    Args:
        draft: The record's view.
        device: Whose inbox.
        upto: The new cursor; the caller has judged it.

    Returns:
        Where the cursor stands now.
    """
    head = draft.must_get(HEADS, device)
    if upto <= head.acked:
        return head.acked
    entries = draft.entries_upto(device, head, upto)
    size = head.size
    is_shared = draft.peek_shares(device) is not None
    for entry in entries:
        size -= entry.size
        if is_shared and entry.sender:
            draft.count_share(device, entry.sender[:USER_BYTES], -entry.size)
    gaps = tuple(gap for gap in head.gaps if gap.last > upto) if head.gaps else ()
    draft.trims.append((device, head.doomed, upto))
    draft.put_head(
        device,
        HeadRow(
            upto,
            max(head.last, upto),
            size,
            draft.now_ms,
            False,
            head.doomed,
            head.doomed_reason,
            gaps,
        ),
    )
    settle_marks(draft, device[:USER_BYTES], entries)
    return upto


def settle_marks(draft: Draft, user: User, entries: Sequence[AnyEntry]) -> None:
    """Take entries that a device has stored, or that were reported, out of pending."""
    settled: dict[Chat, list[Position]] = {}
    senders: dict[Chat, dict[User, None]] = {}
    for entry in entries:
        sender = entry.sender[:USER_BYTES]
        if entry.kind == DELIVER and entry.chat_seq and sender != user:
            settled.setdefault(entry.chat, []).append(entry.chat_seq)
            senders.setdefault(entry.chat, {})[sender] = None
    for chat, seqs in settled.items():
        row = draft.must_get(MARKS, chat + user)
        pending = clear_pending(row.pending, seqs)
        if pending == row.pending:
            continue  # another device of his was first
        moved = MarkRow(row.source, row.top, pending)
        draft.put(MARKS, chat + user, moved)
        mark = mark_of(moved)
        if mark > mark_of(row):
            for sender in senders[chat]:
                draft.events.append(ReceiptMoved(sender, chat, user, mark))


def report_dropped(
    draft: Draft, device: Device, entries: Sequence[AnyEntry], reason: int
) -> None:
    """Say UNDELIVERED for dropped entries, then let the marks pass them."""
    user = device[:USER_BYTES]
    for entry in entries:
        if entry.kind == DELIVER:
            report_undelivered(
                draft,
                entry.sender[:USER_BYTES],
                entry.chat,
                entry.client_msg_id,
                user,
                device[USER_BYTES],
                reason,
            )
    settle_marks(draft, user, entries)
