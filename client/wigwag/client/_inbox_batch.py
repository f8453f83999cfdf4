"""What of a batch of entries is to be stored: decided by their numbers, no I/O."""

from collections.abc import Iterable

from wigwag.client._inbox import (
    POSITION_MAX,
    Hole,
    Inbox,
    Verdict,
    explain,
    judge,
)
from wigwag.wire import Deliver, Gap, Missed, Undelivered, Unreadable

Entry = Deliver | Missed | Undelivered | Unreadable
Delivered = Entry | Gap

Judged = list[tuple[Delivered, Hole | None]]
"""What to store, in order; with a hole that must be told before it."""


def judge_batch(
    inbox: Inbox, batch: Iterable[Delivered]
) -> tuple[Judged, Inbox, Verdict]:
    """Decide by their numbers which entries to store.

    Args:
        inbox: The value before the batch.
        batch: Entries and gaps of one connection, in the order of arrival.

    Returns:
        What to store, the value once that is taken, and TAKE; or RECONNECT or
        BROKEN if the connection ends behind what is to be stored.
    """
    judged: Judged = []
    for entry in batch:
        hole: Hole | None = None
        if isinstance(entry, Gap):
            inbox, verdict = explain(inbox, entry.first, entry.last)
        elif _has_absurd_numbers(entry):
            verdict = Verdict.BROKEN
        else:
            inbox, verdict, hole = judge(inbox, entry.inbox_seq, entry.prev)
        match verdict:
            case Verdict.TAKE | Verdict.TAKE_AFTER_HOLE:
                judged.append((entry, hole))
            case Verdict.DROP:
                continue
            case Verdict.RECONNECT | Verdict.BROKEN:
                return judged, inbox, verdict
    return judged, inbox, Verdict.TAKE


def _has_absurd_numbers(entry: Entry) -> bool:
    """Say whether a number in an entry overflows a signed 64-bit column."""
    match entry:
        case Deliver() | Missed():
            return entry.chat_seq > POSITION_MAX or entry.sent_at > POSITION_MAX
        case Undelivered() | Unreadable():
            return False
