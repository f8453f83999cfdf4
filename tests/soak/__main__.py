"""`python -m tests.soak`: everything at once, for minutes or days; see `--help`."""

import argparse
import json
import os
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tests.soak._soak import PEOPLE, Result, run

EPILOG = """examples:
  python -m tests.soak
  python -m tests.soak --minutes 60 --json soak.json
  python -m tests.soak --seed 17 --minutes 0.5 --people 4

The seed decides what goes wrong when; what meets what is up to the machine.
Server folder, profiles and logs are searched for secrets; --keep leaves them there.
"""
FINDINGS_TOLD_MAX = 20
TOLD = ("lost", "doubled", "reordered", "leaked")


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description="Let people talk through a real server while servers and people "
        "are killed and stopped, connections cut, delayed and stalled, attackers at "
        "work and a disk full; then compare what everybody holds. Status 1: something "
        "was lost, doubled, reordered or leaked.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="default: 5")
    parser.add_argument("--seed", type=int, help="decides the plan; default: new")
    parser.add_argument(
        "--people", type=int, default=PEOPLE, help=f"even; default: {PEOPLE}"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument(
        "--keep", type=Path, help="a new folder for all that is left behind"
    )
    options = parser.parse_args(arguments)
    if options.people < 2 or options.people % 2:
        parser.error("--people: people talk in pairs, so give an even number from 2")
    if options.keep and options.keep.exists():
        parser.error("--keep: give a folder that doesn't exist yet")
    if options.minutes <= 0:
        parser.error("--minutes: give more than 0")
    return options


def line(result: Result) -> str:
    """Return the figures in one line."""
    broken = Counter(one.what for one in result.findings)
    words = [f"{result.seconds:.0f} s"]
    words += [f"{name} {count:,}" for name, count in sorted(result.counts.items())]
    words += [f"{name} {broken.pop(name, 0)}" for name in TOLD]
    words += [f"{name} {count}" for name, count in sorted(broken.items())]
    words.append(f"descriptors {result.descriptors[0]} to {result.descriptors[1]}")
    words.append(f"peak {result.peak_kib / 1024:.0f} MiB")
    drift = result.drift
    words.append(
        "memory drift: too short to say"
        if drift is None
        else f"memory {drift.from_kib / 1024:.1f} to {drift.to_kib / 1024:.1f} MiB in "
        f"{drift.seconds:.0f} s: {drift.percent:+.1f} %, {drift.percent_per_hour:+.0f} "
        "%/h"
    )
    if result.search is not None:
        words.append(
            f"{result.search.needles:,} secrets searched in {result.search.files} "
            f"files, {result.search.data_bytes / 2**20:.0f} MiB"
        )
    return f"soak: {', '.join(words)}, seed {result.seed}"


def figures(result: Result) -> dict[str, object]:
    """Return the figures as a machine reads them."""
    drift, searched = result.drift, result.search
    return {
        "seed": result.seed,
        "seconds": result.seconds,
        "counts": {str(name): count for name, count in result.counts.items()},
        "findings": [asdict(one) for one in result.findings],
        "memory": None
        if drift is None
        else {
            **asdict(drift),
            "percent": drift.percent,
            "percent_per_hour": drift.percent_per_hour,
        },
        "peak_kib": result.peak_kib,
        "descriptors": result.descriptors,
        "search": None if searched is None else asdict(searched),
    }


def main(arguments: list[str]) -> int:
    """Run it; return the exit status."""
    options = parse(arguments)
    seed = options.seed
    if seed is None:
        seed = int.from_bytes(os.urandom(4))
    result = run(seed, options.minutes * 60, options.people, options.keep)
    print(line(result), flush=True)
    for one in result.findings[:FINDINGS_TOLD_MAX]:
        print(f"  {one.what}: {one.detail}", flush=True)
    if result.findings:
        print(
            f"  again: python -m tests.soak --seed {seed} --minutes {options.minutes} "
            f"--people {options.people}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(figures(result), indent=1) + "\n", "utf-8")
    return 1 if result.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
