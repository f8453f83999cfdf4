"""The work items of `wigwag bench server`, by name."""

from collections.abc import Callable
from dataclasses import replace

import msgspec

from wigwag.bench._crowd_jobs import CONNECTIONS
from wigwag.bench._figures import WorkReport
from wigwag.bench._idle import run_idle
from wigwag.bench._logins import LOGINS, run_logins
from wigwag.bench._offline import MESSAGES, run_offline
from wigwag.bench._storm import run_storm
from wigwag.bench._traffic import PAIRS, SINGLE, WIDE, Traffic, run_traffic
from wigwag.bench._worker import Say


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes that the command line decides; None: the work item's own.

    Attributes:
        repeat: How often each figure is measured.
        seconds: Length of one measurement, where time is what is given.
        pairs: Pairs of `pairs` and `wide`.
        messages: That `offline` queues and drains.
        logins: Sign-ins of each kind.
        connections: Of `idle` and `storm`.
        processes: Load processes that share the work.
    """

    repeat: int = 5
    seconds: float | None = None
    pairs: int | None = None
    messages: int = MESSAGES
    logins: int = LOGINS
    connections: int = CONNECTIONS
    processes: int = 1


QUICK = Plan(repeat=1, seconds=3.0, logins=300, connections=500)
TRAFFIC_SECONDS = 8.0
IDLE_SECONDS = 10.0

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


def _offline(plan: Plan, say: Say) -> WorkReport:
    return run_offline(repeat=plan.repeat, messages=plan.messages, say=say)


def _logins(plan: Plan, say: Say) -> WorkReport:
    return run_logins(repeat=plan.repeat, logins=plan.logins, say=say)


def _idle(plan: Plan, say: Say) -> WorkReport:
    return run_idle(
        repeat=plan.repeat,
        connections=plan.connections,
        seconds=plan.seconds or IDLE_SECONDS,
        say=say,
    )


def _storm(plan: Plan, say: Say) -> WorkReport:
    return run_storm(repeat=plan.repeat, connections=plan.connections, say=say)


WORKS: dict[str, Run] = {
    "pairs": _traffic(PAIRS),
    "wide": _traffic(WIDE),
    "single": _traffic(SINGLE),
    "offline": _offline,
    "logins": _logins,
    "idle": _idle,
    "storm": _storm,
}
