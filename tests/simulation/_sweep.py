"""One seed of a sweep, as any process of the sweep runs it."""

import contextlib
import time
from pathlib import Path

from tests.simulation._mutants import MUTANTS
from tests.simulation._run import Verdict, run_seed


def run_one(
    seed: int,
    hours: float,
    mutant: str | None,
    trace: Path | None,
    kept: frozenset[int] | None = None,
) -> tuple[Verdict, float]:
    """Run a seed; return what it came to and the seconds of CPU that it took.

    Args:
        seed: The seed.
        hours: Simulated hours with faults.
        mutant: Bug to plant; None: none.
        trace: File for the trace; None: nowhere.
        kept: Numbers of the faults that happen; None: all.
    """
    began = time.process_time()
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(trace.open("w")) if trace else None
        if mutant:
            stack.enter_context(MUTANTS[mutant].planted())
        verdict = run_seed(seed, hours, file, kept)
    return verdict, time.process_time() - began
