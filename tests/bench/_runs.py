"""Runs `wigwag bench` as a person does: in a process of its own."""

import json
import subprocess
import sys
from typing import Any, cast

WAIT_SECONDS_MAX = 120

Json = dict[str, Any]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `wigwag bench` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "wigwag", "bench", *arguments],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS_MAX,
        check=False,
    )


def run_of(*arguments: str) -> Json:
    """Returns what `wigwag bench … --json -` printed; the run must have succeeded."""
    done = bench(*arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    return cast("Json", json.loads(done.stdout))


def figures_of(run: Json, work: str) -> dict[str, Json]:
    """Returns the figures of a work item."""
    return cast("dict[str, Json]", run["works"][work]["figures"])
