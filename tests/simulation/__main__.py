"""Run seeds: `python -m tests.simulation --hours-total 10 --jobs 2`."""

import argparse
import contextlib
import itertools
import multiprocessing
import multiprocessing.pool
import secrets
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.simulation._mutants import MUTANTS
from tests.simulation._run import Verdict
from tests.simulation._shrink import shrink
from tests.simulation._sweep import run_one

SEED_BITS = 32

SHRINK_SECONDS = 60.0
"""Real time to find a shorter run of the first failure."""


@dataclass
class Sums:
    """What all runs came to.

    Attributes:
        hours: Simulated with faults.
        counted: Of them, those in which enough happened.
        seeds: Runs.
        sequenced: Messages.
        faults: By kind.
        failed: Seeds that violated something.
    """

    hours: float = 0.0
    counted: float = 0.0
    seeds: int = 0
    sequenced: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])
    failed: list[int] = field(default_factory=list[int])

    def add(self, verdict: Verdict) -> None:
        """Add a run."""
        self.hours += verdict.hours
        self.counted += verdict.hours if verdict.counts else 0.0
        self.seeds += 1
        self.sequenced += verdict.sequenced
        self.faults.update(verdict.faults)
        if verdict.violations:
            self.failed.append(verdict.seed)

    def __str__(self) -> str:
        by_count = self.faults.most_common()
        kinds = ", ".join(f"{kind} {count}" for kind, count in by_count)
        return (
            f"simulation: {self.hours:.1f} hours, {self.counted:.1f} hours that count,"
            f" {self.seeds} seeds, {self.sequenced} messages,"
            f" {self.faults.total()} faults of {len(self.faults)} kinds ({kinds}),"
            f" {len(self.failed)} seeds with violations"
        )


def main() -> int:
    """Run what the command line asks for; 1: something was violated."""
    asked = _read_command_line()
    first = secrets.randbits(SEED_BITS) if asked.seed is None else asked.seed
    seeds: Iterator[int] = itertools.count(first)
    if not asked.hours_total:
        seeds = iter(range(first, first + asked.seeds))
    run = partial(
        run_one,
        hours=asked.hours,
        mutant=asked.mutant,
        trace=asked.trace,
        kept=_numbers(asked.faults),
    )
    sums = Sums()
    is_caught = False
    with contextlib.ExitStack() as stack:
        runs: Iterator[tuple[Verdict, float]] = map(run, seeds)
        if asked.jobs > 1:
            # Fresh interpreters: a run may leave nothing for the next one.
            context = multiprocessing.get_context("spawn")
            pool = stack.enter_context(context.Pool(asked.jobs))
            # A pool's imap would take endless seeds at once.
            runs = _side_by_side(pool, run, seeds, asked.jobs)
        for verdict, seconds in runs:
            sums.add(verdict)
            _print(verdict, seconds, asked, is_first=len(sums.failed) == 1)
            if asked.mutant and _is_caught(verdict, asked.mutant):
                is_caught = True
                break
            if asked.hours_total and sums.counted >= asked.hours_total - 1e-6:
                break
    print(sums)
    if asked.mutant:
        print(f"{asked.mutant}: {'caught' if is_caught else 'NOT CAUGHT'}")
        return 0 if is_caught else 1
    return 1 if sums.failed else 0


def _side_by_side(
    pool: multiprocessing.pool.Pool,
    run: partial[tuple[Verdict, float]],
    seeds: Iterable[int],
    jobs: int,
) -> Iterator[tuple[Verdict, float]]:
    """Run seeds in a pool, twice as many at a time as it has processes."""
    waiting = [
        pool.apply_async(run, (seed,)) for seed in itertools.islice(seeds, 2 * jobs)
    ]
    for seed in seeds:
        yield waiting.pop(0).get()
        waiting.append(pool.apply_async(run, (seed,)))
    for one in waiting:
        yield one.get()


def _read_command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description="Run the whole system from seeds, and judge what happened.",
        epilog="examples: --hours-total 500 --jobs 2; --seed 4711 --trace trace.txt",
    )
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds")
    parser.add_argument(
        "--hours-total",
        type=float,
        default=0.0,
        help="run seeds until so many simulated hours count; instead of --seeds",
    )
    parser.add_argument(
        "--hours", type=float, default=0.1, help="simulated hours of each seed"
    )
    parser.add_argument("--seed", type=int, help="the first seed; else a random one")
    parser.add_argument("--jobs", type=int, default=1, help="seeds run at a time")
    parser.add_argument("--trace", type=Path, help="write a seed's trace there")
    parser.add_argument(
        "--faults", help="numbers of the faults that happen, as 3,17; none: 0"
    )
    parser.add_argument(
        "--shrink-seconds",
        type=float,
        help="real time to look for a shorter run of the first failure; 0: none"
        f" (default: {SHRINK_SECONDS:.0f}; with --mutant: 0)",
    )
    parser.add_argument("--quiet", action="store_true", help="no line for each seed")
    parser.add_argument(
        "--mutant", choices=sorted(MUTANTS), help="plant this bug; 1 if it is not found"
    )
    asked = parser.parse_args()
    if asked.trace and (asked.seeds > 1 or asked.hours_total):
        parser.error("--trace is for one seed")
    if asked.shrink_seconds is None:
        asked.shrink_seconds = 0.0 if asked.mutant else SHRINK_SECONDS
    return asked


def _numbers(text: str | None) -> frozenset[int] | None:
    return None if text is None else frozenset(int(one) for one in text.split(","))


def _is_caught(verdict: Verdict, mutant: str) -> bool:
    found = {violation.invariant for violation in verdict.violations}
    return bool(found & MUTANTS[mutant].catches)


def replay_command(verdict: Verdict, mutant: str | None) -> str:
    """Return the command that runs a seed again."""
    command = f"python -m tests.simulation --seed {verdict.seed}"
    command += f" --hours {verdict.hours}"
    if verdict.kept is not None:
        numbers = ",".join(str(number) for number in sorted(verdict.kept))
        command += f" --faults {numbers or 0}"
    command += " --trace trace.txt"
    return f"{command} --mutant {mutant}" if mutant else command


def _print(
    verdict: Verdict, seconds: float, asked: argparse.Namespace, *, is_first: bool
) -> None:
    faults = sum(verdict.faults.values())
    if verdict.violations or not asked.quiet:
        print(
            f"seed {verdict.seed}: {verdict.sequenced} messages, {faults} faults of"
            f" {len(verdict.faults)} kinds, {len(verdict.plan.names)} clients,"
            f" {verdict.steps} steps, trace {verdict.digest[:16]}, {seconds:.1f} s of"
            f" CPU{'' if verdict.counts else ' (does not count)'}",
            flush=True,
        )
    if not verdict.violations:
        return
    print(verdict.report(replay_command(verdict, asked.mutant)), flush=True)
    if is_first and asked.shrink_seconds:

        def rerun(hours: float, kept: frozenset[int] | None) -> Verdict:
            return run_one(verdict.seed, hours, asked.mutant, None, kept)[0]

        shortest = shrink(verdict, rerun, asked.shrink_seconds)
        if shortest is not verdict:
            print("the shortest run found that breaks the same:")
            print(shortest.report(replay_command(shortest, asked.mutant)), flush=True)


if __name__ == "__main__":
    sys.exit(main())
