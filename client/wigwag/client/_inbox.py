"""What to do with what the server delivers: decisions alone, no I/O.

An `Inbox` is a value; each function returns the next one and a decision. The
rules (ARCHITECTURE.md §2-§3, R-INBOX-*):

- The cursor is the highest position that is stored. An entry at or below it was
  stored before and is dropped.
- Every entry names the position before it. A name above what is known is a hole:
  the connection is dropped once, since a new one starts at the cursor; if the
  hole is still there the entry is taken, and the hole told as a gap.
- GAP says which positions don't come; it precedes the entry behind them.
- ACK only what is durable: at most one for each 50 ms or 64 entries.
- A message is stored once, by the server_msg_id it stands for: a stub is filled in
  place, another readable copy is dropped.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from wigwag.wire import LIMITS

POSITION_MAX: Final = (1 << 63) - 1
"""Positions are epoch << 32 | n with an epoch of seconds: this is never reached,
and a signed 64-bit column holds it."""

ACK_INTERVAL_SECONDS: Final = LIMITS["ack_interval_ms"].value / 1000
ACK_ENTRIES: Final = LIMITS["ack_entries"].value


@dataclass(frozen=True, slots=True)
class Inbox:
    """How far the inbox is taken, stored and acknowledged.

    Attributes:
        cursor: Highest position stored; durable.
        covered: Up to here missing positions are explained by GAPs; durable.
        taken: Highest position taken on this connection, stored or not yet.
        acked: Highest position acknowledged on this connection.
        unacked: Entries stored since the last ACK.
        acked_at: When the last ACK left, steady clock, in seconds.
        hole: Cursor at which a hole already made us connect anew; None: none did.
    """

    cursor: int = 0
    covered: int = 0
    taken: int = 0
    acked: int = 0
    unacked: int = 0
    acked_at: float = float("-inf")
    hole: int | None = None


class Verdict(Enum):
    """What to do with an entry."""

    TAKE = "take"
    """Store what it brings."""
    TAKE_AFTER_HOLE = "take after a hole"
    """Tell the hole as a gap, then store what it brings."""
    DROP = "drop"
    """It was stored before."""
    RECONNECT = "reconnect"
    """A hole: drop it and everything behind it, and connect anew."""
    BROKEN = "broken"
    """No server of this protocol sends such numbers: end the connection."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Positions that were neither delivered nor explained.

    Attributes:
        first: The first one.
        last: The last one.
    """

    first: int
    last: int


def connect(inbox: Inbox, *, cursor: int, covered: int) -> Inbox:
    """Begin a connection: delivery starts above the cursor, which AUTH acknowledges.

    Args:
        inbox: The value of the connection before; it remembers a hole.
        cursor: Highest position stored, from the store.
        covered: Highest position that a stored GAP explains, from the store.
    """
    return Inbox(
        cursor=cursor, covered=covered, taken=cursor, acked=cursor, hole=inbox.hole
    )


def judge(inbox: Inbox, position: int, prev: int) -> tuple[Inbox, Verdict, Hole | None]:
    """Judge an entry by its numbers.

    Args:
        inbox: The value.
        position: Its `inbox_seq`.
        prev: The position that the server says precedes it; 0: none.
    """
    if not prev < position <= POSITION_MAX:
        return inbox, Verdict.BROKEN, None
    if position <= inbox.taken:
        return inbox, Verdict.DROP, None
    known = max(inbox.taken, inbox.covered)
    if prev <= known:
        return replace(inbox, taken=position), Verdict.TAKE, None
    if inbox.hole != inbox.cursor:
        return replace(inbox, hole=inbox.cursor), Verdict.RECONNECT, None
    hole = Hole(known + 1, prev)
    inbox = replace(inbox, taken=position, covered=max(inbox.covered, prev))
    return inbox, Verdict.TAKE_AFTER_HOLE, hole


def explain(inbox: Inbox, first: int, last: int) -> tuple[Inbox, Verdict]:
    """Take a GAP: positions that will not be delivered.

    Args:
        inbox: The value.
        first: First of them.
        last: Last of them.
    """
    if not 0 <= first <= last <= POSITION_MAX:
        return inbox, Verdict.BROKEN
    return replace(inbox, covered=max(inbox.covered, last)), Verdict.TAKE


def store(inbox: Inbox, position: int, entries: int) -> Inbox:
    """Note that everything up to a position is durable.

    Args:
        inbox: The value.
        position: The highest of them.
        entries: How many they were.
    """
    return replace(
        inbox,
        cursor=max(inbox.cursor, position),
        unacked=inbox.unacked + entries,
    )


def to_ack(inbox: Inbox, now: float) -> int | None:
    """Return the position to acknowledge now, or None."""
    if inbox.cursor <= inbox.acked:
        return None
    is_due = now >= inbox.acked_at + ACK_INTERVAL_SECONDS
    return inbox.cursor if is_due or inbox.unacked >= ACK_ENTRIES else None


def ack(inbox: Inbox, now: float) -> Inbox:
    """Note that `to_ack` was sent."""
    return replace(inbox, acked=inbox.cursor, unacked=0, acked_at=now)


def next_ack(inbox: Inbox) -> float | None:
    """Return when `to_ack` has something at the latest, or None."""
    if inbox.cursor <= inbox.acked:
        return None
    return inbox.acked_at + ACK_INTERVAL_SECONDS


class Held(Enum):
    """What the store holds under a server_msg_id."""

    NOTHING = "nothing"
    STUB = "stub"
    READABLE = "readable"


class Placement(Enum):
    """What to do with what arrived."""

    INSERT = "insert"
    """Store it as a new message, or as a new stub."""
    FILL = "fill"
    """Put it in the stub's place."""
    KEEP = "keep"
    """Drop it: the store holds as much or more."""


def place(held: Held, is_readable: bool) -> Placement:
    """Decide where a message goes (R-INBOX-003).

    Args:
        held: What the store holds under the id that it stands for.
        is_readable: Whether what arrived is a message rather than a stub.
    """
    match held:
        case Held.NOTHING:
            return Placement.INSERT
        case Held.STUB:
            return Placement.FILL if is_readable else Placement.KEEP
        case Held.READABLE:
            return Placement.KEEP
