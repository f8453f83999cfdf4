# pyright: reportPrivateUsage=false
# A planted bug replaces what is inside; that is what it is for.
"""Bugs planted in the folds, each at the seam that the rest goes through."""

from collections.abc import Sequence

import msgspec

from wigwag.server.core import (
    Answer,
    Connect,
    Device,
    DevicesStale,
    Entries,
    InboxRead,
    Position,
    Refusal,
    Refused,
    ReRegister,
    Send,
    State,
    _admission,
    _chat_fold,
    _connect,
    _directory,
    _inbox_read,
    epoch_at,
    rows,
)
from wigwag.server.core._chat_fold import digest_of
from wigwag.server.core._draft import Draft
from wigwag.server.core._values import NO_MESSAGE

_real_send = _chat_fold.fold_send
_real_read = _inbox_read.fold_inbox_read
_real_connect = _connect.fold_connect
_real_re_register = _directory.fold_re_register
_real_judge = _admission.judge
_real_apply = Draft.apply

GENERATION_ENDLESS = (1 << 31) - 1


def _known(draft: Draft, send: Send) -> rows.SentRow | None:
    """Return what is stored under an id; a new one is looked up by nobody."""
    sender = draft.get(rows.SENDERS, send.sender)
    if sender is None or send.client_msg_id > sender.high:
        return None
    key = rows.sent_key(send.sender, send.client_msg_id, send.chat)
    return draft.get(rows.SENT, key)


def _tail(draft: Draft, send: Send) -> bytes:
    """Return the last stored id of the sender's chain."""
    chat = draft.get(rows.CHATS, send.chat)
    if chat is None:
        return NO_MESSAGE
    registration, last_id = chat.tails.get(send.sender, (0, NO_MESSAGE))
    return last_id if registration == send.registration_id else NO_MESSAGE


def send_without_dedupe(draft: Draft, send: Send) -> Answer:
    """Take a known id for a new one."""
    known = _known(draft, send)
    if known is None:
        return _real_send(draft, send)
    key = rows.sent_key(send.sender, send.client_msg_id, send.chat)
    draft.put(rows.SENT, key, None)
    answer = _real_send(draft, send)
    if isinstance(answer, Refused):
        draft.put(rows.SENT, key, known)
    return answer


def send_without_after(draft: Draft, send: Send) -> Answer:
    """Take a message whatever it is to go after."""
    after = _tail(draft, send)
    return _real_send(draft, msgspec.structs.replace(send, after=after))


def send_without_dedupe_and_after(draft: Draft, send: Send) -> Answer:
    """Take a known id for a new one, whatever it is to go after."""
    after = _tail(draft, send)
    return send_without_dedupe(draft, msgspec.structs.replace(send, after=after))


def send_skipping(draft: Draft, send: Send) -> Answer:
    """Take a message that goes after one that isn't stored yet."""
    if send.after > _tail(draft, send):
        return send_without_after(draft, send)
    return _real_send(draft, send)


def send_refused_before_look_up(draft: Draft, send: Send) -> Answer:
    """Refuse what admission marked without looking whether it is stored."""
    if send.marked is not None:
        return Refused(send.client_msg_id, send.attempt, send.marked)
    return _real_send(draft, send)


def send_of_any_generation(draft: Draft, send: Send) -> Answer:
    """Take what an older connection of the device sent."""
    send = msgspec.structs.replace(send, generation=GENERATION_ENDLESS)
    return _real_send(draft, send)


def send_in_conflict(draft: Draft, send: Send) -> Answer:
    """Call an attempt of an older registration the same attempt."""
    known = _known(draft, send)
    is_same = known is not None and known.attempt == send.attempt
    if known is not None and is_same and known.digest != digest_of(send):
        return Refused(send.client_msg_id, send.attempt, Refusal.CONFLICT)
    return _real_send(draft, send)


def judge_without_devices(
    draft: Draft,
    send: Send,
    rosters: Sequence[rows.RosterRow],
    *,
    is_opening: bool,
) -> tuple[Refusal, DevicesStale | None] | None:
    """Take a message whatever devices it is for."""
    found = _real_judge(draft, send, rosters, is_opening=is_opening)
    return None if found is not None and found[0] is Refusal.DEVICES_STALE else found


def read_and_delete(draft: Draft, request: InboxRead) -> Answer:
    """Delete an entry when it is sent, not when it is acknowledged."""
    answer = _real_read(draft, request)
    if isinstance(answer, Entries) and answer.entries:
        position = answer.entries[-1].position
        head = draft.must_get(rows.HEADS, request.device)
        draft.trims.append((request.device, 0, position))
        deleted = msgspec.structs.replace(head, acked=position)
        draft.put(rows.HEADS, request.device, deleted)
    return answer


def connect_without_cursor(draft: Draft, request: Connect) -> Answer:
    """Deliver from what was acknowledged on, whatever cursor AUTH brings."""
    head = draft.get(rows.HEADS, request.device)
    if head is not None and head.acked < request.cursor <= head.last:
        request = msgspec.structs.replace(request, cursor=head.acked)
    return _real_connect(draft, request)


def re_register_with_old_mark(draft: Draft, request: ReRegister) -> Answer:
    """Keep the newest SEND of the registration before."""
    before = draft.must_get(rows.SENDERS, request.device)
    answer = _real_re_register(draft, request)
    row = draft.must_get(rows.SENDERS, request.device)
    kept = msgspec.structs.replace(
        row, last_id=before.last_id, last_attempt=before.last_attempt
    )
    draft.put(rows.SENDERS, request.device, kept)
    return answer


def apply_without_sent_index(self: Draft) -> None:
    """Keep the sent index in memory and never write it."""
    _real_apply(self)
    self.state.changes.rows[rows.SENT.index].clear()


def covers_everything(
    self: State, device: Device, head: rows.HeadRow, above: Position
) -> bool:
    """Take memory for all there is of an inbox."""
    del self, device, head, above
    return True


def epoch_of_before(last_epoch: int, now_ms: int) -> int:
    """Go on in the epoch of the start before."""
    return last_epoch or epoch_at(last_epoch, now_ms)


def epoch_after_last(last_epoch: int, now_ms: int) -> int:
    """Count epochs, whatever the clock says."""
    return last_epoch + 1 if last_epoch else epoch_at(last_epoch, now_ms)


def must_never_move(state: State, cursor: Position) -> bool:
    """Never believe that a cursor proves a restore."""
    del state, cursor
    return False
