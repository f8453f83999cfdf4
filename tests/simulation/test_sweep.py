"""The sweep: nothing lost, doubled or reordered in all the hours of its seeds.

Fixed seeds, so that the outcome is the same everywhere: ten hours that count, a tenth
of an hour each. The command draws new seeds and is meant to be run often and long:

    python -m tests.simulation --hours-total 500 --jobs 2
"""

import re

import pytest
from tests.simulation._command import run_command
from tests.simulation._plan import LEAVING, FaultKind

FIRST_SEED = 20_000

CHUNKS = 4
"""Run side by side where there are cores."""

SEEDS_APART = 1000

HOURS_PER_CHUNK = 2.5

HOURS = 0.1
"""Of each seed: long enough for several crashes, short enough for many plans."""

WASTE_MAX = 1.3
"""Hours run for one that counts: a seed that keeps everybody offline sends too little;
few do."""


OPEN_SEED = 22_015
"""Breaks I1: a server put back from a copy and a profile, too; it isn't known yet
whether server, client or checker is wrong. A chunk begins behind it."""


@pytest.mark.xfail(strict=True, reason="open: a device isn't told of a restore")
def test_the_open_seed_violates_nothing() -> None:
    """Goes red when it is mended, so that it can't be forgotten here."""
    found = run_command("--seed", str(OPEN_SEED), "--hours", str(HOURS))
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_seeds_violate_nothing(chunk: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Every invariant with a checker holds, whatever the seeds do to the system."""
    first = FIRST_SEED + chunk * SEEDS_APART
    if first <= OPEN_SEED < first + SEEDS_APART:
        first = OPEN_SEED + 1
    found = run_command(
        *("--seed", str(first)),
        *("--hours-total", str(HOURS_PER_CHUNK), "--hours", str(HOURS)),
    )
    assert found.returncode == 0, found.stdout + found.stderr
    summary = found.stdout.splitlines()[-1]
    figures = re.search(r"([0-9.]+) hours, ([0-9.]+) hours that count", summary)
    assert figures is not None, summary
    hours, counted = map(float, figures.groups())
    assert counted >= HOURS_PER_CHUNK
    assert hours <= WASTE_MAX * counted
    assert all(kind.value in summary for kind in FaultKind if kind not in LEAVING)
    assert any(kind.value in summary for kind in LEAVING)
    with capsys.disabled():
        print(f"\n{summary}")
