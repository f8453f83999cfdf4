"""The delivered mark: runs of pending positions against plain sets."""

from itertools import pairwise

import hypothesis.strategies as st
from hypothesis import given

from wigwag.server.core import rows
from wigwag.server.core._marks import Runs, add_pending, clear_pending, mark_of

POSITIONS = st.sets(st.integers(1, 40))


def runs_of(positions: set[int]) -> Runs:
    """Build runs the way messages come: one after the other."""
    runs: Runs = ()
    for position in sorted(positions):
        runs = add_pending(runs, position)
    return runs


def positions_of(runs: Runs) -> set[int]:
    """Spread runs out again."""
    return {one for first, last in runs for one in range(first, last + 1)}


@given(pending=POSITIONS, stored=POSITIONS)
def test_runs_say_the_same_as_a_set(pending: set[int], stored: set[int]) -> None:
    """A lost or invented position would show a message as delivered that is not."""
    runs = clear_pending(runs_of(pending), sorted(stored))
    assert positions_of(runs) == pending - stored
    assert all(left[1] + 1 < right[0] for left, right in pairwise(runs)), (
        "runs stay rising and apart"
    )


@given(pending=POSITIONS)
def test_neighbours_are_one_run(pending: set[int]) -> None:
    """A user who is offline for a month costs one run, not a row a message."""
    starts = {one for one in pending if one - 1 not in pending}
    assert len(runs_of(pending)) == len(starts)


def test_the_mark_stops_below_the_oldest_pending() -> None:
    """Delivered means everything up to it, not the newest acknowledged."""
    assert mark_of(rows.MarkRow(1, 9, ((4, 5), (8, 8)))) == 3


def test_with_nothing_pending_the_mark_is_the_newest_addressed() -> None:
    """A chat in which all is stored shows double checks up to its end."""
    assert mark_of(rows.MarkRow(1, 9, ())) == 9
