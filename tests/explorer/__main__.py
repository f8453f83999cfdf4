"""Explore: `python -m tests.explorer [NAME ...] [--deep] [-v]`."""

import argparse
import sys
from collections.abc import Iterable
from typing import NamedTuple

from tests.explorer._planted import (
    PLANTED,
    SECOND_LINES,
    Planted,
    scenario_with,
)
from tests.explorer._scenarios import (
    DEEP_STATES_MAX,
    SCENARIOS,
    STATES_MAX,
)
from tests.explorer._search import Found, explore

GROUPS = {
    "scenarios": tuple(SCENARIOS),
    "lines": tuple(SECOND_LINES),
    "mutants": tuple(PLANTED),
    "all": (*SCENARIOS, *SECOND_LINES, *PLANTED),
}


class Run(NamedTuple):
    """What one name came to.

    Attributes:
        name: Of a scenario, a second line or a planted bug.
        found: What the exploration came to.
        is_expected: Clean where it must be, and a planted bug found as what it is.
    """

    name: str
    found: Found
    is_expected: bool


def run(name: str, *, is_deep: bool = False) -> Run:
    """Explore what a name stands for."""
    planted = {**PLANTED, **SECOND_LINES}.get(name) or Planted(name, "")
    scenario = scenario_with(planted, is_deep=is_deep)
    states_max = DEEP_STATES_MAX if is_deep else STATES_MAX
    with planted.planted():
        found = explore(scenario, states_max)
    if name in PLANTED:
        return Run(name, found, planted.violation in found.violation)
    return Run(name, found, not found.violation and (found.is_whole or is_deep))


def main() -> int:
    """Explore what the command line names; 1: something isn't as it must be."""
    names, is_deep, is_verbose = _read_command_line()
    runs: list[Run] = []
    for name in names:
        one = run(name, is_deep=is_deep)
        runs.append(one)
        _print(one, is_deep=is_deep, is_verbose=is_verbose)
    states = sum(one.found.states for one in runs)
    steps = sum(one.found.transitions for one in runs)
    folds = sum(one.found.folds for one in runs)
    seconds = sum(one.found.seconds for one in runs)
    bad = [one.name for one in runs if not one.is_expected]
    verdict = f"NOT as expected: {', '.join(bad)}" if bad else "as expected"
    print(
        f"{len(runs)} explorations, {states} states, {steps} steps, {folds} folds,"
        f" {seconds:.1f} s of CPU: {verdict}"
    )
    return 1 if bad else 0


def _read_command_line() -> tuple[list[str], bool, bool]:
    parser = argparse.ArgumentParser(
        prog="python -m tests.explorer",
        description="Drive the real decisions through every interleaving of small"
        " scenarios.",
        epilog=f"Groups: {', '.join(GROUPS)}. Names: {', '.join(GROUPS['all'])}.",
    )
    parser.add_argument(
        "name",
        nargs="*",
        default=["all"],
        help="a scenario, a planted bug, or a group (all)",
    )
    parser.add_argument("--deep", action="store_true", help="larger bounds (minutes)")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="tell every story found"
    )
    asked = parser.parse_args()
    names: list[str] = []
    for name in asked.name:
        if name not in GROUPS and name not in GROUPS["all"]:
            parser.error(f"there is no {name!r}; --help lists the names")
        names += GROUPS.get(name, (name,))
    return names, asked.deep, asked.verbose


def _print(one: Run, *, is_deep: bool, is_verbose: bool) -> None:
    found = one.found
    scenario = "" if one.name in SCENARIOS else f" ({_scenario_of(one.name)})"
    verdict = found.violation or "clean"
    if not found.is_whole:
        verdict += " as far as it was explored"
    print(
        f"{one.name + scenario:42} {found.states:8} states {found.transitions:8} steps"
        f" depth {found.depth:3} {found.seconds:6.1f} s  {verdict}"
        f"{'' if one.is_expected else '  <-- NOT as expected'}",
        flush=True,
    )
    if found.violation and (is_verbose or not one.is_expected):
        tell(found.story)
        deep = " --deep" if is_deep else ""
        print(f"  again: python -m tests.explorer {one.name} -v{deep}", flush=True)


def _scenario_of(name: str) -> str:
    return {**PLANTED, **SECOND_LINES}[name].scenario


def tell(story: Iterable[str]) -> None:
    """Print a story, a step a line."""
    for place, step in enumerate(story, 1):
        print(f"  {place:3}. {step}")


if __name__ == "__main__":
    sys.exit(main())
