"""Signing in: generation, cursor, and what a cursor proves.

The cursor that AUTH brings is the device's truth and counts as its ACK. It can
also prove that this data folder was put back from an older copy: a device can't
have stored a position that was never handed out. Then the server says
GAP(SERVER_RESTORED), raises the alarm, hands out no older one-time prekey
again, and takes the cursor as it is, so that what comes next joins it:

* in an epoch that this log knows, up to the cursor both histories are the same;
* in an unknown epoch, or in the running one, nothing is known: whatever the inbox
  still holds is renumbered above the cursor. The device drops what it already
  has by its server_msg_id.
"""

from wigwag.server.core._answers import Answer, Connected, Failed, RolledBack
from wigwag.server.core._draft import Draft, whole_key
from wigwag.server.core._events import Displaced, RestoreProven
from wigwag.server.core._frames import move_frame
from wigwag.server.core._inbox_fold import acknowledge
from wigwag.server.core._inbox_read import set_aside
from wigwag.server.core._limits import EPOCH_AHEAD_SECONDS_MAX, MOVE_ENTRIES_MAX
from wigwag.server.core._prekeys import count_left
from wigwag.server.core._refusals import GapReason, Refusal
from wigwag.server.core._requests import Connect
from wigwag.server.core._rows import (
    ACCOUNTS,
    DEVICES,
    HEADS,
    PREKEYS,
    SENDERS,
    HeadRow,
    SenderRow,
)
from wigwag.server.core._state import State
from wigwag.server.core._values import (
    USER_BYTES,
    Device,
    Gap,
    InboxEntry,
    Position,
    epoch_at,
    epoch_of,
    next_position,
)

# UndeliveredReason of entries that a restored inbox could not keep.
_OTHER = 0


def fold_connect(draft: Draft, request: Connect) -> Answer:
    """Sign a device in, or say why not."""
    device = request.device
    keys = draft.get(DEVICES, device)
    sender = draft.get(SENDERS, device)
    if keys is None or sender is None or keys.is_revoked:
        return Failed(Refusal.AUTH_FAILED)
    if (
        sender.registration_id != request.registration_id
        or request.generation <= sender.generation
    ):
        return RolledBack()
    # A clock that was years ahead has opened epochs that are years ahead: what was
    # opened here is no nonsense. What is above that doesn't add up from one forged
    # cursor to the next.
    farthest = epoch_at(0, draft.now_ms) + EPOCH_AHEAD_SECONDS_MAX
    if epoch_of(request.cursor) > max(draft.epoch, farthest):
        return Failed(Refusal.PROTOCOL_ERROR)
    draft.put(
        SENDERS,
        device,
        SenderRow(
            sender.registration_id,
            request.generation,
            sender.high,
            sender.last_id,
            sender.last_attempt,
        ),
    )
    told = take_cursor(draft, device, request.cursor)
    draft.events.append(Displaced(device, request.generation))
    return connected(draft, device, told)


def take_cursor(draft: Draft, device: Device, cursor: Position) -> tuple[Gap, ...]:
    """Take the cursor of a device that signs in; return what it must be told now."""
    head = draft.must_get(HEADS, device)
    _touch(draft, device, head)
    if cursor <= head.acked:
        if cursor == head.acked:
            return ()
        return (Gap(cursor + 1, head.acked, GapReason.ALREADY_ACKED),)
    if is_handed_out(draft, device, head, cursor):
        acknowledge(draft, device, cursor)
        return ()
    first = min(max(head.last, head.acked) + 1, cursor)
    gap = Gap(first, cursor, GapReason.SERVER_RESTORED)
    draft.events.append(RestoreProven(device, cursor))
    told: tuple[Gap, ...] = (gap,)
    if must_move(draft.state, cursor):
        told = (gap, *head.gaps)  # their numbers end here
        _move(draft, device, cursor)
    else:
        acknowledge(draft, device, cursor)
    if draft.epoch > draft.state.void_below:
        draft.void_below = draft.epoch
    return told


def is_handed_out(
    draft: Draft, device: Device, head: HeadRow, cursor: Position
) -> bool:
    """Whether this history gave the device `cursor`, a position above its acked."""
    if cursor > head.last:
        return False
    if cursor <= head.doomed or any(
        gap.first <= cursor <= gap.last for gap in head.gaps
    ):
        return True
    entries = draft.entries_upto(device, head, cursor)
    return bool(entries) and entries[-1].position == cursor


def must_move(state: State, cursor: Position) -> bool:
    """Whether unread entries may hide below a cursor that was not handed out here."""
    epoch = epoch_of(cursor)
    return epoch not in state.epochs or epoch >= state.epoch


def _touch(draft: Draft, device: Device, head: HeadRow) -> None:
    """Note the contact; a suspended device takes part again."""
    draft.put(
        HEADS,
        device,
        HeadRow(
            head.acked,
            head.last,
            head.size,
            draft.now_ms,
            False,
            head.doomed,
            head.doomed_reason,
            head.gaps,
        ),
    )


def _move(draft: Draft, device: Device, cursor: Position) -> None:
    """Renumber what an inbox holds into an epoch above the cursor's."""
    head = draft.must_get(HEADS, device)
    found = draft.slice_of(whole_key(device, MOVE_ENTRIES_MAX))
    newest = max(epoch_of(cursor), epoch_of(head.last))
    if newest >= draft.epoch:  # else positions of the running epoch are all free
        draft.epoch = epoch_at(newest, draft.now_ms)
    last = cursor
    size = 0
    floor = moved_upto = head.floor
    for entry in found.entries:
        assert isinstance(entry, InboxEntry)
        if entry.position <= floor:
            continue
        moved_upto = entry.position
        moved = _renumber(entry, next_position(last, draft.epoch), last)
        draft.entries.append((device, moved))
        last = moved.position
        size += moved.size
    draft.trims.append((device, head.doomed, moved_upto))
    is_beyond = not found.is_whole
    draft.put_head(
        device,
        HeadRow(
            cursor,
            last,
            size,
            draft.now_ms,
            False,
            head.last if is_beyond else head.doomed,
            _OTHER if is_beyond else head.doomed_reason,
            (),
        ),
    )
    set_aside(draft, device, found.damaged)


def _renumber(entry: InboxEntry, place: Position, prev: Position) -> InboxEntry:
    """Give an entry another position, in its frame too."""
    return InboxEntry(
        place,
        prev,
        entry.kind,
        move_frame(entry.frame, place, prev),
        entry.chat,
        entry.chat_seq,
        entry.sender,
        entry.client_msg_id,
        entry.ts,
        entry.revision,
    )


def connected(draft: Draft, device: Device, told: tuple[Gap, ...]) -> Connected:
    """Build the answer to a sign-in."""
    head = draft.must_get(HEADS, device)
    sender = draft.must_get(SENDERS, device)
    account = draft.must_get(ACCOUNTS, device[:USER_BYTES])
    ec_left, kem_left = count_left(draft, draft.must_get(PREKEYS, device))
    return Connected(
        head.acked,
        head.last,
        sender.last_id,
        sender.last_attempt,
        ec_left,
        kem_left,
        account.list_seq,
        (*told, *head.gaps),
    )
