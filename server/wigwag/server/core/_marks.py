"""The delivered mark: how far a user has received a chat.

The mark is the highest chat_seq up to which everything that was addressed to the
user is stored by at least one of his devices, or was reported UNDELIVERED. So
what counts is the oldest chat_seq that is still pending. Pending positions are
kept as runs: a user who is offline has one run, whatever its length.
"""

from collections.abc import Iterable, Sequence

from wigwag.server.core._rows import MarkRow
from wigwag.server.core._values import Position

Runs = tuple[tuple[Position, Position], ...]


def mark_of(row: MarkRow) -> Position:
    """Return the delivered mark."""
    return row.pending[0][0] - 1 if row.pending else row.top


def add_pending(runs: Runs, seq: Position) -> Runs:
    """Add a position above all others."""
    if runs:
        first, last = runs[-1]
        if last == seq - 1:
            return (*runs[:-1], (first, seq))
    return (*runs, (seq, seq))


def clear_pending(runs: Runs, seqs: Sequence[Position]) -> Runs:
    """Take rising positions out of the runs; those that aren't in them don't matter."""
    kept = list(runs)
    index = 0
    for first, last in _joined(seqs):
        while index < len(kept) and kept[index][1] < first:
            index += 1
        while index < len(kept) and kept[index][0] <= last:
            left, right = kept[index]
            pieces: list[tuple[Position, Position]] = []
            if left < first:
                pieces.append((left, first - 1))
            if last < right:
                pieces.append((last + 1, right))
            kept[index : index + 1] = pieces
            if left < first:
                index += 1
    return tuple(kept)


def _joined(seqs: Iterable[Position]) -> list[tuple[Position, Position]]:
    """Join neighbours among rising positions to runs."""
    runs: list[tuple[Position, Position]] = []
    for seq in seqs:
        if runs and runs[-1][1] == seq - 1:
            runs[-1] = (runs[-1][0], seq)
        else:
            runs.append((seq, seq))
    return runs
