"""Rows of events and of those who consume them."""

from typing import Final, NamedTuple

from wigwag.client._events import EventKind
from wigwag.client._txn import Txn

EVENT_LIFE_MS: Final = 62 * 24 * 3600 * 1000
"""A consumer that was away for two months begins with what is left."""


class EventRow(NamedTuple):
    """An event as stored."""

    seq: int
    kind: int
    message: bytes | None
    user: bytes | None
    state: int
    first: int
    last: int
    reason: str


def add_event_txn(
    txn: Txn,
    kind: EventKind,
    now_ms: int,
    *,
    message: bytes | None = None,
    user: bytes | None = None,
    state: int = 0,
    first: int = 0,
    last: int = 0,
    reason: str = "",
) -> None:
    """Tell something to every consumer, once this is committed."""
    txn.do(
        "INSERT INTO event (kind, message, user, state, first, last, reason, made_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        kind,
        message,
        user,
        state,
        first,
        last,
        reason,
        now_ms,
    )
    txn.changes.has_events = True


def events_above_txn(txn: Txn, seq: int, count_max: int) -> list[EventRow]:
    """Return the next events after one."""
    return txn.all(
        EventRow,
        "SELECT seq, kind, message, user, state, first, last, reason FROM event"
        " WHERE seq > ? ORDER BY seq LIMIT ?",
        seq,
        count_max,
    )


def consumer_seq_txn(txn: Txn, name: str) -> int:
    """Return the last event that a consumer is done with; 0: none."""
    return txn.value(int, "SELECT seq FROM consumer WHERE name = ?", name) or 0


def consumer_done_txn(txn: Txn, name: str, seq: int) -> None:
    """Note that a consumer is done with an event and all before it."""
    txn.do(
        "INSERT INTO consumer VALUES (?, ?)"
        " ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)",
        name,
        seq,
    )


def drop_old_events_txn(txn: Txn, now_ms: int) -> None:
    """Delete events that are too old to be told."""
    txn.do("DELETE FROM event WHERE made_ms < ?", now_ms - EVENT_LIFE_MS)


def add_gap_txn(
    txn: Txn, first: int, last: int, reason: int, word: str, now_ms: int
) -> None:
    """Tell a gap, once, however often the server says it."""
    txn.do("INSERT OR IGNORE INTO gap VALUES (?, ?, ?)", first, last, reason)
    if txn.changed():
        add_event_txn(txn, EventKind.GAP, now_ms, first=first, last=last, reason=word)
