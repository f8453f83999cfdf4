"""Run seeds: `python -m tests.simulation --seeds 100 --hours 0.1`."""

import argparse
import contextlib
import multiprocessing
import secrets
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.simulation._mutants import MUTANTS
from tests.simulation._run import Verdict
from tests.simulation._sweep import run_one

SEED_BITS = 32


def main() -> int:
    """Run what the command line asks for; 1: something was violated."""
    asked = _read_command_line()
    first = secrets.randbits(SEED_BITS) if asked.seed is None else asked.seed
    seeds = range(first, first + asked.seeds)
    run = partial(run_one, hours=asked.hours, mutant=asked.mutant, trace=asked.trace)
    verdicts: list[Verdict] = []
    with contextlib.ExitStack() as stack:
        runs: Iterator[tuple[Verdict, float]] = map(run, seeds)
        if asked.jobs > 1:
            # Fresh interpreters: a run may leave nothing for the next one.
            context = multiprocessing.get_context("spawn")
            pool = stack.enter_context(context.Pool(asked.jobs))
            runs = pool.imap(run, seeds)
        for verdict, seconds in runs:
            verdicts.append(verdict)
            _print(verdict, seconds, asked.mutant)
            if asked.mutant and _is_caught(verdict, asked.mutant):
                break
    return _sum_up(verdicts, asked.mutant)


def _read_command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation", description="Run seeds of the simulation."
    )
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds")
    parser.add_argument(
        "--hours", type=float, default=0.1, help="simulated hours of each seed"
    )
    parser.add_argument("--seed", type=int, help="the first seed; else a random one")
    parser.add_argument("--jobs", type=int, default=1, help="seeds run at a time")
    parser.add_argument("--trace", type=Path, help="write a seed's trace there")
    parser.add_argument(
        "--mutant", choices=sorted(MUTANTS), help="plant this bug; 1 if it is not found"
    )
    asked = parser.parse_args()
    if asked.trace and asked.seeds > 1:
        parser.error("--trace is for one seed")
    return asked


def _is_caught(verdict: Verdict, mutant: str) -> bool:
    found = {violation.invariant for violation in verdict.violations}
    return bool(found & MUTANTS[mutant].catches)


def replay_command(verdict: Verdict, mutant: str | None) -> str:
    """Return the command that runs a seed again."""
    command = f"python -m tests.simulation --seed {verdict.seed}"
    command += f" --hours {verdict.hours} --trace trace.txt"
    return f"{command} --mutant {mutant}" if mutant else command


def _print(verdict: Verdict, seconds: float, mutant: str | None) -> None:
    faults = sum(verdict.faults.values())
    print(
        f"seed {verdict.seed}: {verdict.sequenced} messages, {faults} faults of"
        f" {len(verdict.faults)} kinds, {len(verdict.plan.names)} clients,"
        f" {verdict.steps} steps, trace {verdict.digest[:16]}, {seconds:.1f} s of CPU"
        f"{'' if verdict.counts else ' (does not count)'}",
        flush=True,
    )
    if verdict.violations:
        print(verdict.report(replay_command(verdict, mutant)), flush=True)


def _sum_up(verdicts: list[Verdict], mutant: str | None) -> int:
    hours = sum(verdict.hours for verdict in verdicts if verdict.counts)
    bad = sum(bool(verdict.violations) for verdict in verdicts)
    sequenced = sum(verdict.sequenced for verdict in verdicts)
    faults = sum(sum(verdict.faults.values()) for verdict in verdicts)
    kinds = {kind for verdict in verdicts for kind in verdict.faults}
    print(
        f"{len(verdicts)} seeds, {hours:.2f} hours that count, {sequenced} messages,"
        f" {faults} faults of {len(kinds)} kinds, {bad} seeds with violations"
    )
    if mutant:
        is_caught = any(_is_caught(verdict, mutant) for verdict in verdicts)
        print(f"{mutant}: {'caught' if is_caught else 'NOT CAUGHT'}")
        return 0 if is_caught else 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
