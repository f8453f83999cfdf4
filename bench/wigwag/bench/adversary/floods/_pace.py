"""How fast a flood goes: as fast as its share of a core allows, until time is up."""

import time
from collections.abc import Callable

from wigwag.bench.adversary._attack import (
    CPU_SHARE_MAX,
    Seen,
    Tally,
    Target,
    TurnedAwayError,
    UnexpectedError,
)


class Pace:
    """The clock of one flood, of one thread."""

    def __init__(self, seconds: float) -> None:
        self._began = time.monotonic()
        self._used = time.thread_time()
        self.until = self._began + seconds

    @property
    def is_over(self) -> bool:
        """Whether time is up."""
        return time.monotonic() >= self.until

    @property
    def left_seconds(self) -> float:
        """How much time is left, at least 0."""
        return max(0.0, self.until - time.monotonic())

    def rest(self, seconds_min: float = 0.0) -> None:
        """Sleep until the share of a core isn't exceeded, and at least so long."""
        used = time.thread_time() - self._used
        elapsed = time.monotonic() - self._began
        due = max(used / CPU_SHARE_MAX - elapsed, seconds_min)
        time.sleep(min(max(0.0, due), self.left_seconds))


def again_and_again(
    once: Callable[[Target], Seen],
    expected: Seen,
    *,
    actions: int,
) -> Callable[[Target, int, float], Tally]:
    """Return a flood that does something over and over, on one connection at a time.

    Args:
        once: Does it, on a connection of its own. Raises as `Row.run`.
        expected: What must come of it.
        actions: What is thrown each time.
    """

    def flood(target: Target, connections: int, seconds: float) -> Tally:
        assert connections == 1, "one connection at a time"
        tally, pace = Tally(), Pace(seconds)
        while not pace.is_over:
            try:
                seen = once(target)
            except TurnedAwayError:
                tally.turned_away += 1
            except (UnexpectedError, OSError) as error:
                tally.surprise(str(error) or type(error).__name__)
            else:
                tally.actions += actions
                if seen == expected:
                    tally.as_expected += 1
                else:
                    tally.surprise(f"expected: {expected}; came: {seen}")
            tally.runs += 1
            pace.rest()
        return tally

    return flood
