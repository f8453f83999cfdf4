"""`python -m tests.durability`: proves durability by faults; see `--help`."""

import argparse
import json
import os
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from tests.durability._kinds import KINDS, Kind, run_share
from tests.durability._tally import VIOLATIONS_TOLD_MAX, Tally

EPILOG = """examples:
  python -m tests.durability --quick
  python -m tests.durability power --count 5000 --jobs 2
  python -m tests.durability power --seed 17 --count 1
  python -m tests.durability crash --point store.after_commit:40
"""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.durability",
        description="Break what a store stands on, and show that nothing acknowledged "
        "is lost, doubled or reordered. Status 1: something was.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "kind",
        nargs="?",
        choices=[*KINDS, "all"],
        default="all",
        help="power cuts, kill -9, crash points, I/O errors, full disks, bit rot",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--quick", action="store_true", help="the share of `make test` (the default)"
    )
    length.add_argument(
        "--full", action="store_true", help="the share of `make torture`"
    )
    parser.add_argument("--count", type=int, help="how many, instead of these shares")
    parser.add_argument("--seed", type=int, help="decides everything; default: new")
    parser.add_argument("--jobs", type=int, default=2, help="processes side by side")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--point", help="with `crash`: one point alone, NAME[:PASS]")
    return parser.parse_args(arguments)


def run_kind(name: str, kind: Kind, count: int, seed: int, jobs: int) -> Tally:
    """Run one kind in shares, side by side."""
    tally = Tally()
    # Spawned, since a share may have to put its disk below SQLite before all else.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        shares: list[Future[Tally]] = []
        left = count
        while left > 0 or not shares:
            units = min(left, kind.share) if left else 0
            shares.append(
                pool.submit(run_share, name, seed + len(shares) * 10_000, units)
            )
            left -= kind.share
        for done, share in enumerate(as_completed(shares), 1):
            tally.add(share.result())
            if sys.stderr.isatty():
                print(f"\r{name}: {done}/{len(shares)}", end="\r", file=sys.stderr)
    return tally


def run_point(setting: str) -> Tally:
    """Crash at one point alone."""
    from tests.durability._crash import PASS, PASS_OTHERS
    from tests.durability._crash import run_point as crash_at

    point, _, passes = setting.partition(":")
    tally = Tally()
    crash_at(point, int(passes or PASS.get(point, PASS_OTHERS)), tally)
    return tally


def main(arguments: list[str]) -> int:
    """Run what was asked for; return the exit status."""
    options = parse(arguments)
    seed = options.seed
    if seed is None:
        seed = int.from_bytes(os.urandom(4))
    names = list(KINDS) if options.kind == "all" else [options.kind]
    figures: dict[str, object] = {}
    is_broken = False
    for name in names:
        kind = KINDS[name]
        started = time.monotonic()
        if options.point:
            tally = run_point(options.point)
        else:
            count = kind.full if options.full else kind.quick
            count = count if options.count is None else options.count
            tally = run_kind(name, kind, count, seed, options.jobs)
        seconds = time.monotonic() - started
        print(f"{tally.line(name, seed)}, {seconds:.0f} s", flush=True)
        for one in tally.violations[:VIOLATIONS_TOLD_MAX]:
            is_broken = True
            print(f"  {one.what}: {one.detail}\n  again: {one.replay}", flush=True)
        figures[name] = {
            "seed": seed,
            "seconds": round(seconds, 1),
            **tally.counts,
            "violations": [
                {"what": one.what, "detail": one.detail, "replay": one.replay}
                for one in tally.violations
            ],
        }
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if is_broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
