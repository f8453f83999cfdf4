"""Planted bugs are found: a sweep that finds none of them would prove nothing."""

import pytest
from tests.simulation._mutants import MUTANTS
from tests.simulation._run import run_seed

HOURS = 0.1

SEEDS = 100
"""Each bug must be found within so many seeds."""

FIRST_SEEDS = dict.fromkeys(MUTANTS, 20_000)
"""Where to begin, so that it doesn't take long; any hundred seeds would do."""


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_planted_bug_is_found(name: str) -> None:
    """The invariant that the bug breaks is the one that is reported."""
    mutant = MUTANTS[name]
    first = FIRST_SEEDS[name]
    found: set[str] = set()
    with mutant.planted():
        for seed in range(first, first + SEEDS):
            verdict = run_seed(seed, HOURS)
            found |= {violation.invariant for violation in verdict.violations}
            if found & mutant.catches:
                break
    assert found & mutant.catches, f"not caught; found: {sorted(found)}"
