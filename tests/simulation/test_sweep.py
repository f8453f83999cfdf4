"""The sweep: nothing lost, doubled or reordered in all the hours of its seeds.

Fixed seeds, so that this outcome is the same everywhere; `python -m tests.simulation`
draws new ones each time and is meant to be run often.
"""

import pytest
from tests.simulation.__main__ import replay_command
from tests.simulation._run import run_seed

FIRST_SEED = 20_000

SEEDS = 20

HOURS = 0.1
"""Of each seed: long enough for several crashes, short enough for many plans."""


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
def test_a_seed_violates_nothing(seed: int) -> None:
    """I1-I10, I23 and I25 hold under whatever the seed does to the system."""
    verdict = run_seed(seed, HOURS)
    assert not verdict.violations, verdict.report(replay_command(verdict, None))
    assert verdict.counts, f"{verdict.sequenced} messages, faults: {verdict.faults}"
