"""The sweep: nothing lost, doubled or reordered in all the hours of its seeds.

Fixed seeds, so that the outcome is the same everywhere: 40 of a tenth of an hour. The
command draws new seeds each time and is meant to be run often, and for longer:

    python -m tests.simulation --seeds 1000 --hours 0.1
"""

import re

import pytest
from tests.simulation._command import run_command
from tests.simulation._plan import FaultKind

FIRST_SEED = 20_000

CHUNKS = 4

SEEDS_PER_CHUNK = 10

HOURS = 0.1
"""Of each seed: long enough for several crashes, short enough for many plans."""

COUNTED_SHARE_MIN = 0.7
"""A seed that keeps everybody offline sends too little to count; few do."""


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_seeds_violate_nothing(chunk: int, capsys: pytest.CaptureFixture[str]) -> None:
    """I1-I10, I23 and I25 hold under whatever the seeds do to the system."""
    first = FIRST_SEED + chunk * SEEDS_PER_CHUNK
    found = run_command(
        *("--seed", str(first), "--seeds", str(SEEDS_PER_CHUNK)),
        *("--hours", str(HOURS)),
    )
    assert found.returncode == 0, found.stdout + found.stderr
    summary = found.stdout.splitlines()[-1]
    counted = re.search(r"([0-9.]+) hours that count", summary)
    assert counted is not None, summary
    assert float(counted[1]) >= COUNTED_SHARE_MIN * SEEDS_PER_CHUNK * HOURS
    assert f"of {len(FaultKind)} kinds" in summary
    with capsys.disabled():
        print(f"\nsimulation: {summary}")
