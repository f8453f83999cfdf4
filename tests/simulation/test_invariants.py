"""Every invariant has something that holds it, and a bug that breaks it."""

from pathlib import Path

import pytest
from tests.simulation._checkers import CHECKS
from tests.simulation._invariants import INVARIANTS
from tests.simulation._mutants import MUTANTS

TESTS = Path(__file__).parents[1]

PLANTED_MIN = 20


@pytest.mark.parametrize("name", INVARIANTS)
def test_what_holds_an_invariant_is_there(name: str) -> None:
    """A table that names what was renamed or deleted is a false promise."""
    holder = INVARIANTS[name]
    assert bool(holder.waits_for) != bool(holder.checkers or holder.tests)
    assert set(holder.checkers) <= set(CHECKS)
    for path in holder.tests:
        found = TESTS / path
        assert found.is_file() or list(found.glob("test_*.py")), path


def test_the_table_has_every_invariant_and_every_checker() -> None:
    """I1 to I25; and no checker that holds nothing."""
    assert list(INVARIANTS) == [f"I{number}" for number in range(1, 26)]
    used = {name for holder in INVARIANTS.values() for name in holder.checkers}
    assert used == set(CHECKS) - {"alarm"}


def test_every_checked_invariant_has_a_planted_bug() -> None:
    """An invariant whose violation was never found may be one that can't be."""
    caught = {name for mutant in MUTANTS.values() for name in mutant.catches}
    checked = {name for name, holder in INVARIANTS.items() if holder.checkers}
    assert checked <= caught
    assert len(MUTANTS) >= PLANTED_MIN
