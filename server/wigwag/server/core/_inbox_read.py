"""Reading an inbox, and what happens to entries that turn out to be damaged."""

from collections.abc import Sequence

from wigwag.server.core._answers import Acked, Answer, Dropped, Entries, Failed
from wigwag.server.core._draft import Draft, read_key
from wigwag.server.core._events import EntryCorrupt, GapOpened
from wigwag.server.core._inbox_fold import acknowledge, report_dropped
from wigwag.server.core._refusals import GapReason, Refusal, UndeliveredReason
from wigwag.server.core._requests import Ack, InboxRead
from wigwag.server.core._rows import HEADS, SENDERS, SLICES, EntryHead, HeadRow
from wigwag.server.core._values import Device, Gap, InboxEntry, Position


def fold_ack(draft: Draft, request: Ack) -> Answer:
    """Take a device's cursor."""
    sender = draft.get(SENDERS, request.device)
    if sender is None or sender.registration_id != request.registration_id:
        return Dropped()
    head = draft.must_get(HEADS, request.device)
    if request.position > head.last:
        return Failed(Refusal.PROTOCOL_ERROR)
    return Acked(acknowledge(draft, request.device, request.position))


def fold_inbox_read(draft: Draft, request: InboxRead) -> Answer:
    """Read entries above a position: from memory, or from the table and then memory."""
    head = draft.get(HEADS, request.device)
    if head is None:
        return Entries((), (), 0)
    above = max(request.above, head.floor)
    if draft.state.covers(request.device, head, above):
        return Entries(_from_tail(draft, request, above, (), 0), (), head.last)
    # With the floor of now: what this group acknowledged takes no room in it.
    key = read_key(request.device, above, request.count_max, request.bytes_max)
    found = draft.must_get(SLICES, key)
    entries = [
        entry
        for entry in found.entries
        if isinstance(entry, InboxEntry) and entry.position > above
    ]
    gaps = set_aside(draft, request.device, found.damaged)
    if found.is_whole:
        # What this group added is in memory only.
        seen = max(
            (one.position for one in (*found.entries, *found.damaged)), default=above
        )
        size = sum(entry.size for entry in entries)
        entries += _from_tail(draft, request, max(seen, above), entries, size)
    head = draft.must_get(HEADS, request.device)
    return Entries(tuple(entries), gaps, head.last)


def _from_tail(
    draft: Draft,
    request: InboxRead,
    above: Position,
    before: Sequence[InboxEntry],
    size: int,
) -> tuple[InboxEntry, ...]:
    """Return what memory holds above a position, as far as the request has room."""
    tail = draft.state.tails.get(request.device)
    if tail is None:
        return ()
    taken: list[InboxEntry] = []
    room = request.count_max - len(before)
    for entry in tail.entries:
        if entry.position <= above:
            continue
        size += len(entry.frame)
        if len(taken) >= room or (size > request.bytes_max and (taken or before)):
            break
        taken.append(entry)
    return tuple(taken)


def set_aside(
    draft: Draft, device: Device, damaged: Sequence[EntryHead]
) -> tuple[Gap, ...]:
    """Put damaged entries into quarantine, and say so to everybody concerned."""
    head = draft.must_get(HEADS, device)
    told = {gap.first for gap in head.gaps if gap.reason == GapReason.CORRUPT}
    damaged = [one for one in damaged if one.position not in told]
    if not damaged:
        return ()
    gaps = tuple(Gap(one.position, one.position, GapReason.CORRUPT) for one in damaged)
    for one in damaged:
        draft.quarantined.append((device, one.position))
        draft.events.append(EntryCorrupt(device, one.position))
    report_dropped(draft, device, damaged, UndeliveredReason.CORRUPT)
    head = draft.must_get(HEADS, device)
    size = head.size - sum(one.size for one in damaged)
    put_gaps(draft, device, head, max(size, 0), gaps)
    return gaps


def put_gaps(
    draft: Draft, device: Device, head: HeadRow, size: int, gaps: Sequence[Gap]
) -> None:
    """Keep gaps until the device's cursor has passed them; hint at them now."""
    draft.put_head(
        device,
        HeadRow(
            head.acked,
            head.last,
            size,
            head.contact_ms,
            head.is_suspended,
            head.doomed,
            head.doomed_reason,
            (*head.gaps, *gaps),
        ),
    )
    for gap in gaps:
        draft.events.append(GapOpened(device, gap))
