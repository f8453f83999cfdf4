"""Same seed, same trace: also in another process, under another hash seed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.simulation._run import run_seed

ROOT = Path(__file__).parents[2]

HOURS = 0.05

SCRIPT = """
import sys
from tests.simulation._run import run_seed
print(run_seed(int(sys.argv[1]), float(sys.argv[2])).digest)
"""


def digest_in_another_process(seed: int, hash_seed: str) -> str:
    """Run a seed in a process of its own and return its trace's digest."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    paths = ["wire", "server", "client", "spec", "bench", "."]
    environment["PYTHONPATH"] = os.pathsep.join(str(ROOT / path) for path in paths)
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(seed), str(HOURS)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@pytest.mark.parametrize("seed", [1001, 1002])
def test_two_processes_make_the_same_trace(seed: int) -> None:
    """A failing seed must fail on every machine that runs it.

    Sets of bytes are ordered by the hash seed, which differs between processes: an
    iteration over one shows here.
    """
    first = digest_in_another_process(seed, "1")
    assert first == digest_in_another_process(seed, "2")


def test_a_run_does_not_depend_on_the_runs_before_it() -> None:
    """A seed of a sweep must replay on its own."""
    alone = run_seed(1003, HOURS).digest
    run_seed(1004, HOURS)
    assert run_seed(1003, HOURS).digest == alone
