"""The inbox: positions, holes, gaps, acknowledgements."""

from hypothesis import given
from hypothesis import strategies as st

from wigwag.client import _inbox as logic
from wigwag.client._inbox import (
    ACK_ENTRIES,
    ACK_INTERVAL_SECONDS,
    POSITION_MAX,
    Held,
    Hole,
    Inbox,
    Placement,
    Verdict,
)


def at(cursor: int, covered: int = 0, before: Inbox | None = None) -> Inbox:
    """Makes the inbox of a new connection."""
    return logic.connect(before or Inbox(), cursor=cursor, covered=covered)


EPOCH = 20_000_000 << 32


def test_an_entry_behind_the_last_is_taken() -> None:
    """The ordinary case, also across a change of epoch."""
    inbox = at(7)
    inbox, verdict, _ = logic.judge(inbox, EPOCH + 1, 7)
    assert verdict is Verdict.TAKE
    assert inbox.taken == EPOCH + 1
    assert inbox.cursor == 7


def test_an_entry_at_or_below_the_cursor_is_dropped() -> None:
    """It was stored; a resurrected row must not show twice (rule 4)."""
    inbox = at(7)
    assert logic.judge(inbox, 7, 6)[1] is Verdict.DROP
    assert logic.judge(inbox, 6, 5)[1] is Verdict.DROP


def test_a_hole_makes_us_connect_anew_once() -> None:
    """A new connection starts at the cursor, which heals a mistake in delivery."""
    inbox = at(7)
    inbox, verdict, _ = logic.judge(inbox, 10, 9)
    assert verdict is Verdict.RECONNECT
    assert inbox.taken == 7
    inbox, verdict, hole = logic.judge(at(7, before=inbox), 10, 9)
    assert verdict is Verdict.TAKE_AFTER_HOLE
    assert hole == Hole(8, 9)
    assert inbox.taken == 10


def test_a_gap_explains_what_is_missing() -> None:
    """What the server says it dropped is no hole."""
    inbox = at(7)
    inbox, verdict = logic.explain(inbox, 8, 9)
    assert verdict is Verdict.TAKE
    assert logic.judge(inbox, 10, 9)[1] is Verdict.TAKE


def test_a_lower_predecessor_is_no_hole() -> None:
    """A restored server knows less than the device has."""
    inbox = at(7)
    assert logic.judge(inbox, 10, 3)[1] is Verdict.TAKE


def test_numbers_that_no_server_sends_end_the_connection() -> None:
    """A column of 64 bits with a sign must never overflow."""
    inbox = at(7)
    assert logic.judge(inbox, POSITION_MAX + 1, 7)[1] is Verdict.BROKEN
    assert logic.judge(inbox, 8, 8)[1] is Verdict.BROKEN
    assert logic.explain(inbox, 9, 8)[1] is Verdict.BROKEN
    assert logic.explain(inbox, 9, POSITION_MAX + 1)[1] is Verdict.BROKEN


def test_nothing_is_acknowledged_before_it_is_stored() -> None:
    """After the ACK the server deletes it (R-INBOX-002)."""
    inbox = at(7)
    inbox, _, _ = logic.judge(inbox, 8, 7)
    assert logic.to_ack(inbox, 0.0) is None
    inbox = logic.store(inbox, 8, 1)
    assert logic.to_ack(inbox, 0.0) == 8


def test_acknowledgements_are_paced() -> None:
    """One for each 50 ms or 64 entries (RELIABILITY.md §4)."""
    inbox = logic.ack(logic.store(at(0), 1, 1), 100.0)
    inbox = logic.store(inbox, 2, 1)
    assert logic.to_ack(inbox, 100.0) is None
    assert logic.next_ack(inbox) == 100.0 + ACK_INTERVAL_SECONDS
    assert logic.to_ack(inbox, 100.0 + ACK_INTERVAL_SECONDS) == 2
    inbox = logic.store(inbox, 2 + ACK_ENTRIES, ACK_ENTRIES)
    assert logic.to_ack(inbox, 100.0) == 2 + ACK_ENTRIES
    assert logic.next_ack(logic.ack(inbox, 100.0)) is None


def test_a_message_is_stored_once_and_a_stub_is_filled() -> None:
    """Two copies may come: `copy_of`, `resend_of`, a restored server (R-INBOX-003)."""
    assert logic.place(Held.NOTHING, True) is Placement.INSERT
    assert logic.place(Held.NOTHING, False) is Placement.INSERT
    assert logic.place(Held.STUB, True) is Placement.FILL
    assert logic.place(Held.STUB, False) is Placement.KEEP
    assert logic.place(Held.READABLE, True) is Placement.KEEP
    assert logic.place(Held.READABLE, False) is Placement.KEEP


@given(
    kept=st.lists(st.booleans(), min_size=1, max_size=40),
    cuts=st.sets(st.integers(0, 40)),
)
def test_every_position_is_stored_or_told(kept: list[bool], cuts: set[int]) -> None:
    """I5 and I6 by numbers: nothing is skipped in silence, nothing taken twice."""
    inbox = at(0)
    stored: list[int] = []
    told: set[int] = set()
    entries = [n for n, is_kept in enumerate(kept, 1) if is_kept]
    tries = covered = 0
    while entries and tries < 200:
        tries += 1
        position = entries[0]
        inbox, verdict, hole = logic.judge(inbox, position, position - 1)
        if verdict is Verdict.RECONNECT:
            inbox = at(inbox.cursor, covered, inbox)
            continue
        if tries in cuts:
            # The connection breaks before the entry is stored.
            inbox = at(inbox.cursor, covered, inbox)
            continue
        if hole is not None:
            told |= set(range(hole.first, hole.last + 1))
        covered = inbox.covered
        if verdict is not Verdict.DROP:
            stored.append(position)
            inbox = logic.store(inbox, position, 1)
        entries.pop(0)
    assert not entries
    assert stored == sorted(set(stored))
    assert set(stored) | told == set(range(1, (stored[-1] if stored else 0) + 1))
