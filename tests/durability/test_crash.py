"""Every named place where the process may end is reached, and nothing answered goes."""

import pytest
from tests.durability._crash import PASS, PASS_OTHERS, run_point
from tests.durability._tally import Tally

from wigwag.server.engines import CRASH_POINTS


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_nothing_answered_is_lost_by_a_crash(point: str) -> None:
    """I1, I2, I9, I20: after the crash every answer still holds, and only once."""
    tally = Tally()
    run_point(point, PASS.get(point, PASS_OTHERS), tally)
    assert not tally.violations
    assert tally.counts["crashes"] == 1, "the point was never reached"


def test_every_pass_belongs_to_a_point() -> None:
    """A point that is renamed must not lose its crash."""
    assert set(PASS) <= set(CRASH_POINTS)
