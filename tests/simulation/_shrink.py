"""Makes a failing run shorter: fewer hours, then fewer faults, within a time.

Delta debugging (Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input,
2002) on the list of faults. A shorter run counts if it breaks the same invariant; it
need not be the same message.
"""

import time
from collections.abc import Callable
from typing import Final

from tests.simulation._run import Verdict
from tests.simulation._violation import Violation

AFTER_HOURS: Final = 0.002
"""What a run goes on for after the moment at which the violation was seen."""

HOURS_DIGITS: Final = 4
"""A third of a second: nobody types more."""

Rerun = Callable[[float, frozenset[int] | None], Verdict]
"""Runs the seed again for some hours, with some of its faults."""


def shrink(verdict: Verdict, rerun: Rerun, seconds_max: float) -> Verdict:
    """Return the shortest run found that breaks what a run broke first.

    Args:
        verdict: Of the run; violates something.
        rerun: Runs its seed again.
        seconds_max: Real time after which no further run begins.
    """
    return _Shrinker(verdict, rerun, seconds_max).shrink()


class _Shrinker:
    def __init__(self, verdict: Verdict, rerun: Rerun, seconds_max: float) -> None:
        self._best = verdict
        self._invariant = verdict.violations[0].invariant
        self._rerun = rerun
        self._until = time.monotonic() + seconds_max

    def shrink(self) -> Verdict:
        self._cut_hours()
        self._drop_faults()
        self._cut_hours()
        return self._best

    @property
    def _has_time(self) -> bool:
        return time.monotonic() < self._until

    def _cut_hours(self) -> None:
        """End soon after the violation; what is seen at the end alone: by halves."""
        seen = min((one.time for one in self._mine()), default=0.0)
        hours = round(seen / 3600 + AFTER_HOURS, HOURS_DIGITS)
        if seen and hours < self._best.hours:
            self._try(hours, self._best.kept)
        while self._has_time:
            hours = round(self._best.hours / 2, HOURS_DIGITS)
            if hours < AFTER_HOURS or not self._try(hours, self._best.kept):
                return

    def _drop_faults(self) -> None:
        numbers = sorted(self._best.kept or range(1, self._best.fault_count + 1))
        if not self._try(self._best.hours, frozenset()):
            parts = 2
            while len(numbers) >= 2 and self._has_time:
                size = -(-len(numbers) // parts)
                for at in range(0, len(numbers), size):
                    left = numbers[:at] + numbers[at + size :]
                    if self._try(self._best.hours, frozenset(left)):
                        numbers, parts = left, max(parts - 1, 2)
                        break
                else:
                    if size == 1:
                        return
                    parts = min(2 * parts, len(numbers))

    def _try(self, hours: float, kept: frozenset[int] | None) -> bool:
        """Run again; whether it is a shorter run of the same failure."""
        if not self._has_time:
            return False
        verdict = self._rerun(hours, kept)
        mine = [one for one in verdict.violations if one.invariant == self._invariant]
        if mine:
            self._best = verdict
        return bool(mine)

    def _mine(self) -> list[Violation]:
        return [
            one for one in self._best.violations if one.invariant == self._invariant
        ]
