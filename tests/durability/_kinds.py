"""The kinds of fault: what a share of each runs, and how much the short and long forms.

A share is run in a process of its own, so it is named by numbers alone.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass

from tests.durability._tally import Tally, Violation


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    Attributes:
        run: Runs `count` units from a seed.
        unit: What is counted.
        quick: Units in `make test`.
        full: Units in the long form.
        share: Units that one process takes at a time.
    """

    run: Callable[[int, int], Tally]
    unit: str
    quick: int
    full: int
    share: int


def _power(seed: int, count: int) -> Tally:
    from tests.durability import _power_disk  # the disk comes before all else

    disk = _power_disk.installed()
    from tests.durability._power import CUTS_PER_CHAIN, run_chain

    tally = Tally()
    for number in range(-(-count // CUTS_PER_CHAIN)):
        run_chain(seed + number, disk, tally)
    return tally


def _power_client(seed: int, count: int) -> Tally:
    from tests.durability import _power_disk

    disk = _power_disk.installed()
    from tests.durability._power_client import CUTS_PER_CHAIN, run_client_chain

    tally = Tally()
    for number in range(-(-count // CUTS_PER_CHAIN)):
        run_client_chain(seed + number, disk, tally)
    return tally


def _power_process(seed: int, count: int) -> Tally:
    from tests.durability._power_process import run

    return run(seed, count)


def _kill(seed: int, count: int) -> Tally:
    from tests.durability._kill import run

    return run(seed, count)


def _crash(seed: int, count: int) -> Tally:
    from tests.durability._crash import run

    return run(seed, count)


def _io(seed: int, count: int) -> Tally:
    from tests.durability._io import run

    return run(seed, count)


def _full(seed: int, count: int) -> Tally:
    from tests.durability._full import run

    return run(seed, count)


def _kill_client(seed: int, count: int) -> Tally:
    from tests.durability._kill_client import run

    return run(seed, count)


def _rot(seed: int, count: int) -> Tally:
    from tests.durability._rot import run

    return run(seed, count)


KINDS: dict[str, Kind] = {
    "power": Kind(_power, "cuts", 150, 4_000, 48),
    "power-client": Kind(_power_client, "cuts", 60, 1_000, 60),
    "power-process": Kind(_power_process, "cuts", 1, 5, 5),
    "kill": Kind(_kill, "kills", 20, 300, 20),
    "kill-client": Kind(_kill_client, "kills", 6, 60, 15),
    "crash": Kind(_crash, "crashes", 0, 88, 44),
    "io": Kind(_io, "faults", 200, 100_000, 100_000),
    "full": Kind(_full, "disks", 1, 2, 2),
    "rot": Kind(_rot, "flips", 120, 3_000, 60),
}


def run_share(name: str, seed: int, count: int) -> Tally:
    """Run one share; what it raises is a violation too, and gets across a process."""
    try:
        return KINDS[name].run(seed, count)
    except Exception:
        replay = f"python -m tests.durability {name} --seed {seed} --count {count}"
        return Tally(violations=[Violation("crashed", traceback.format_exc(), replay)])
