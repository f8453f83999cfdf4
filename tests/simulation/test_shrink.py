"""A failing seed is made shorter: the least that somebody has to read."""

from collections.abc import Callable

from tests.simulation._run import Verdict
from tests.simulation._shrink import shrink
from tests.simulation._violation import Violation
from tests.simulation.test_run import verdict

HOURS = 0.1


def failing(hours: float, kept: frozenset[int] | None, time: float = 0.0) -> Verdict:
    """Make a verdict of a run that breaks I1."""
    broken = [Violation("I1", time, "it happened")]
    return verdict(hours=hours, kept=kept, fault_count=20, violations=broken)


def rerun(needed: set[int], hours_min: float) -> Callable[..., Verdict]:
    """Make a world that fails with certain faults and after some hours."""

    def run(hours: float, kept: frozenset[int] | None) -> Verdict:
        happened = set(range(1, 21)) if kept is None else kept
        if needed <= happened and hours >= hours_min:
            return failing(hours, kept)
        other = [Violation("I2", 0.0, "something else")]
        return verdict(hours=hours, kept=kept, fault_count=20, violations=other)

    return run


def test_only_the_faults_that_matter_are_left() -> None:
    """Two of twenty, far from each other."""
    found = shrink(failing(HOURS, None), rerun({3, 17}, 0.02), 60)
    assert found.kept == frozenset({3, 17})
    assert 0.02 <= found.hours < 0.04


def test_a_run_that_needs_no_fault_keeps_none() -> None:
    """The commonest case: a plain bug."""
    found = shrink(failing(HOURS, None), rerun(set(), 0.05), 60)
    assert found.kept == frozenset()


def test_another_violation_is_not_the_same_failure() -> None:
    """A shorter run that breaks something else explains nothing."""
    found = shrink(failing(HOURS, None), rerun({3}, HOURS), 60)
    assert found.violations[0].invariant == "I1"
    assert found.hours == HOURS


def test_without_time_the_run_stays_as_it_is() -> None:
    """Looking for less is bounded."""
    first = failing(HOURS, None)
    assert shrink(first, rerun(set(), 0.0), 0) is first
