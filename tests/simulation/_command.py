"""The simulation's command, run as a process of its own by the tests.

Branch coverage would make the runs twice as slow and measures nothing in them that
the unit tests don't; and a process of its own is what a developer starts.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PORTIONS = ("wire", "server", "client", "spec", "bench", ".")

SECONDS_MAX = 900
"""For one command; a run that hangs in simulated time ends by itself."""


def run_command(
    *arguments: str, hash_seed: str = "random"
) -> subprocess.CompletedProcess[str]:
    """Run `python -m tests.simulation` and return what came of it.

    Args:
        arguments: Of the command.
        hash_seed: PYTHONHASHSEED: orders sets of bytes and text.
    """
    paths = os.pathsep.join(str(ROOT / portion) for portion in PORTIONS)
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": paths,
    }
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
