"""Same seed, same trace: also in another process, under another hash seed."""

from pathlib import Path

import pytest
from tests.simulation._command import run_command
from tests.simulation._run import run_seed

HOURS = 0.05


@pytest.mark.parametrize("seed", [1001, 1002])
def test_two_processes_make_the_same_trace(seed: int, tmp_path: Path) -> None:
    """A failing seed must fail on every machine that runs it.

    Sets of bytes are ordered by the hash seed, which differs between processes: an
    iteration over one shows here.
    """
    traces: list[str] = []
    for hash_seed in ("1", "2"):
        path = tmp_path / hash_seed
        found = run_command(
            *("--seed", str(seed), "--hours", str(HOURS), "--trace", str(path)),
            hash_seed=hash_seed,
        )
        assert found.returncode == 0, found.stdout + found.stderr
        traces.append(path.read_text())
    first, second = (trace.splitlines() for trace in traces)
    assert len(first) > 500
    for number, (one, two) in enumerate(zip(first, second, strict=True)):
        assert one == two, f"line {number + 1} differs"


def test_a_run_does_not_depend_on_the_runs_before_it() -> None:
    """A seed of a sweep must replay on its own."""
    alone = run_seed(1003, HOURS / 2).digest
    run_seed(1004, HOURS / 2)
    assert run_seed(1003, HOURS / 2).digest == alone
