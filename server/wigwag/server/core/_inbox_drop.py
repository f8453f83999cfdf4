"""Dropping what an inbox holds: a new registration, a removal, age, suspension.

A record drops a portion at most. What is left of an inbox that goes as a whole is
*doomed*: never read again, reported and deleted by the following ticks.
"""

from wigwag.server.core._answers import Answer, Ticked
from wigwag.server.core._draft import Draft, doomed_key, expired_key, portion_key
from wigwag.server.core._events import Doomed
from wigwag.server.core._inbox_fold import report_dropped
from wigwag.server.core._inbox_read import put_gaps
from wigwag.server.core._limits import (
    DROP_ENTRIES_MAX,
    RETENTION_DAYS,
    TICK_DEVICES_MAX,
)
from wigwag.server.core._refusals import GapReason, UndeliveredReason
from wigwag.server.core._requests import Tick
from wigwag.server.core._rows import (
    DELETED,
    HEADS,
    SCANS,
    AnyEntry,
    HeadRow,
    ScanKey,
)
from wigwag.server.core._values import DAY_MS, USER_BYTES, Device, Gap, Position

RETENTION_MS = RETENTION_DAYS * DAY_MS


def drop_inbox(
    draft: Draft, device: Device, reason: int
) -> tuple[Position, Position] | None:
    """Drop everything an inbox holds; its cursor moves to its end.

    Returns:
        First and last position that will not be delivered; None: it was empty.
    """
    head = draft.must_get(HEADS, device)
    if head.last <= head.acked:
        return None
    found = draft.slice_of(portion_key(device, DROP_ENTRIES_MAX))
    entries = [entry for entry in found.entries if entry.position > head.floor]
    rest = not found.is_whole
    upto = found.entries[-1].position if rest else head.last
    draft.trims.append((device, head.doomed, upto))
    draft.put_head(
        device,
        HeadRow(
            head.last,
            head.last,
            0,
            head.contact_ms,
            head.is_suspended,
            head.last if rest or head.doomed else 0,
            reason,
            (),
        ),
    )
    report_dropped(draft, device, entries, reason)
    if rest:
        draft.events.append(Doomed(device))
    return head.acked + 1, head.last


def scan_key(tick: Tick, now_ms: int) -> ScanKey:
    """Return the key of the devices that a tick has to look at."""
    return ScanKey(tick.after, now_ms - RETENTION_MS, TICK_DEVICES_MAX)


def fold_tick(draft: Draft, tick: Tick) -> Answer:
    """Expire, suspend and report, device by device, a portion at most."""
    scan = draft.must_get(SCANS, scan_key(tick, draft.now_ms))
    dropped = suspended = 0
    after = tick.after
    for device in scan.devices:
        if dropped >= DROP_ENTRIES_MAX:
            return Ticked(after, dropped, suspended)
        count, is_suspended, is_done = _look_at(draft, device)
        dropped += count
        suspended += is_suspended
        if not is_done:
            return Ticked(after, dropped, suspended)
        after = device
    if scan.next is None:
        draft.tick_ms = draft.now_ms
    return Ticked(scan.next, dropped, suspended)


def _look_at(draft: Draft, device: Device) -> tuple[int, bool, bool]:
    """Drop a portion of one inbox: entries dropped, suspended now, nothing is left."""
    head = draft.must_get(HEADS, device)
    before_ms = draft.now_ms - RETENTION_MS
    is_suspended = False
    if not head.doomed:
        found = draft.slice_of(expired_key(device, before_ms, DROP_ENTRIES_MAX))
        entries = [entry for entry in found.entries if entry.position > head.floor]
        if not entries:
            return 0, False, True
        if head.contact_ms >= before_ms:
            _expire(draft, device, head, entries)
            return len(entries), False, found.is_whole
        head = _suspend(draft, device, head)
        is_suspended = True
        is_done = False  # younger entries may follow: look again
    else:
        key = doomed_key(device, head.doomed, DROP_ENTRIES_MAX)
        found = draft.slice_of(key)
        entries = list(found.entries)
        is_done = found.is_whole
    if entries:
        draft.trims.append((device, 0, entries[-1].position))
    reason = head.doomed_reason
    if is_done:
        is_deleted = draft.get(DELETED, device[:USER_BYTES]) is not None
        draft.put(HEADS, device, None if is_deleted else _undoomed(head))
    report_dropped(draft, device, entries, reason)
    return len(entries), is_suspended, is_done


def _expire(
    draft: Draft, device: Device, head: HeadRow, entries: list[AnyEntry]
) -> None:
    gap = Gap(entries[0].position, entries[-1].position, GapReason.EXPIRED)
    size = head.size - sum(entry.size for entry in entries)
    draft.trims.append((device, head.doomed, gap.last))
    put_gaps(draft, device, head, size, (gap,))
    report_dropped(draft, device, entries, UndeliveredReason.EXPIRED)


def _suspend(draft: Draft, device: Device, head: HeadRow) -> HeadRow:
    """Doom a whole inbox whose device has not been seen for the retention time."""
    gap = Gap(head.floor + 1, head.last, GapReason.SUSPENDED)
    suspended = HeadRow(
        head.acked,
        head.last,
        0,
        head.contact_ms,
        True,
        head.last,
        UndeliveredReason.SUSPENDED,
        (*head.gaps, gap),
    )
    draft.put_head(device, suspended)
    return suspended


def _undoomed(head: HeadRow) -> HeadRow:
    return HeadRow(
        head.acked,
        head.last,
        head.size,
        head.contact_ms,
        head.is_suspended,
        0,
        0,
        head.gaps,
    )
