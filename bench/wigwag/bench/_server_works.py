"""The work items of `wigwag bench server`, by name."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from wigwag.bench._figures import WorkReport
from wigwag.bench._traffic import PAIRS, SINGLE, WIDE, Traffic, run_traffic
from wigwag.bench._worker import Say


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes that the command line decides; None: the work item's own.

    Attributes:
        repeat: How often each figure is measured.
        seconds: Length of one measurement, where time is what is given.
        pairs: Pairs of `pairs` and `wide`.
        processes: Load processes that share the work.
    """

    repeat: int = 5
    seconds: float | None = None
    pairs: int | None = None
    processes: int = 1


QUICK = Plan(repeat=1, seconds=3.0)
TRAFFIC_SECONDS = 8.0

Run = Callable[[Plan, Say], WorkReport]


def _traffic(traffic: Traffic) -> Run:
    def run(plan: Plan, say: Say) -> WorkReport:
        pairs = traffic.pairs
        if plan.pairs is not None and pairs > 1:
            pairs = plan.pairs
        return run_traffic(
            replace(traffic, pairs=pairs, processes=min(plan.processes, pairs)),
            repeat=plan.repeat,
            seconds=plan.seconds or TRAFFIC_SECONDS,
            say=say,
        )

    return run


WORKS: dict[str, Run] = {
    "pairs": _traffic(PAIRS),
    "wide": _traffic(WIDE),
    "single": _traffic(SINGLE),
}
