"""Small worlds are explored whole: the rules hold, and each rule is needed.

A random sweep finds what is likely; these few devices and messages are taken
through everything that can happen to them.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.explorer.__main__ import run
from tests.explorer._planted import HOLES, PLANTED, SECOND_LINES
from tests.explorer._scenarios import SCENARIOS

ROOT = Path(__file__).parents[2]

SECONDS_MAX = 300


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_violated_in_any_interleaving(name: str) -> None:
    """Every order of steps and faults keeps the promise and settles in the end."""
    one = run(name)
    assert one.is_expected, "\n".join((one.found.violation, *one.found.story))
    assert one.found.is_whole


@pytest.mark.parametrize("name", SECOND_LINES)
def test_the_second_line_holds_by_itself(name: str) -> None:
    """Two rules stand against one danger; either may fail some day."""
    one = run(name)
    assert one.is_expected, "\n".join((one.found.violation, *one.found.story))


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(name: str) -> None:
    """An exploration that finds no planted bug would prove nothing."""
    one = run(name)
    assert one.is_expected, one.found.violation or "nothing was found"
    assert one.found.story, "a violation has a story"


def test_every_hole_of_the_earlier_rules_is_planted() -> None:
    """The design's model lists nine; none of them may come back unseen."""
    assert len(HOLES) == 9


def test_the_command_says_what_is_not_as_expected() -> None:
    """What `make torture` runs must fail when something is violated."""
    found = run_command("ckpt", "no_epoch", "-v", hash_seed="1")
    assert found.returncode == 0, found.stderr
    assert "again: python -m tests.explorer no_epoch -v" in found.stdout
    assert found.stdout.rstrip().endswith("as expected")
    unknown = run_command("nothing", hash_seed="1")
    assert unknown.returncode == 2
    assert "there is no 'nothing'" in unknown.stderr


def test_two_runs_explore_the_same() -> None:
    """A story can be told again: no order of a set, no clock, no chance is in it."""
    names = ("ckpt", "mark_not_durable", "delete_before_ack", "-v")
    runs = {
        tuple(
            line
            for line in run_command(*names, hash_seed=seed).stdout.splitlines()
            if "CPU" not in line and " s  " not in line
        )
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def run_command(*arguments: str, hash_seed: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m tests.explorer` and return what came of it.

    Args:
        arguments: Of the command.
        hash_seed: PYTHONHASHSEED: orders sets of bytes and text.
    """
    return subprocess.run(
        [sys.executable, "-m", "tests.explorer", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
