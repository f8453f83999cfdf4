"""Power cuts: nothing acknowledged goes; a bug that loses something is caught."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.durability._crash import environment

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 300

# Names only: what they change is loaded in the process that has the disk.
MUTANTS = (
    "synchronous_normal",
    "answer_before_commit",
    "no_folder_fsync",
    "mark_before_commit",
    "stamp_told_too_early",
    "client_synchronous_normal",
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of this folder as a process: its disk must come before all else."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


@pytest.mark.parametrize("kind", ["power", "power-client"])
def test_nothing_acknowledged_is_lost_by_a_power_cut(kind: str) -> None:
    """I1: the real schema, commits and recovery, upon a disk that forgets."""
    ended = run("tests.durability", kind, "--quick", "--jobs", "1")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "lost 0, doubled 0, reordered 0" in ended.stdout


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_planted_bug_is_caught(mutant: str) -> None:
    """Else a green run would mean nothing."""
    ended = run("tests.durability._power_mutants", mutant)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "caught after" in ended.stdout
