"""Run seeds: `python -m tests.simulation --seeds 100 --hours 0.1`."""

import argparse
import contextlib
import secrets
import sys
import time
from pathlib import Path

from tests.simulation._mutants import MUTANTS
from tests.simulation._run import Verdict, run_seed

SEED_BITS = 32


def main() -> int:
    """Run what the command line asks for; 1: something was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds")
    parser.add_argument(
        "--hours", type=float, default=0.1, help="simulated hours of each seed"
    )
    parser.add_argument("--seed", type=int, help="the first seed; else a random one")
    parser.add_argument("--trace", type=Path, help="write the trace to this file")
    parser.add_argument(
        "--mutant", choices=sorted(MUTANTS), help="plant this bug; 1 if it is not found"
    )
    asked = parser.parse_args()
    first = secrets.randbits(SEED_BITS) if asked.seed is None else asked.seed
    verdicts: list[Verdict] = []
    with contextlib.ExitStack() as stack:
        trace = stack.enter_context(asked.trace.open("w")) if asked.trace else None
        if asked.mutant:
            stack.enter_context(MUTANTS[asked.mutant].planted())
        for seed in range(first, first + asked.seeds):
            began = time.monotonic()
            verdict = run_seed(seed, asked.hours, trace)
            verdicts.append(verdict)
            _print(verdict, time.monotonic() - began, asked.mutant)
            if asked.mutant and _is_caught(verdict, asked.mutant):
                break
    return _sum_up(verdicts, asked.mutant)


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
        f" {verdict.steps} steps, trace {verdict.digest[:16]}, {seconds:.1f} s"
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
    print(
        f"{len(verdicts)} seeds, {hours:.2f} hours that count, {sequenced} messages,"
        f" {faults} faults, {bad} seeds with violations"
    )
    if mutant:
        is_caught = any(_is_caught(verdict, mutant) for verdict in verdicts)
        print(f"{mutant}: {'caught' if is_caught else 'NOT CAUGHT'}")
        return 0 if is_caught else 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
