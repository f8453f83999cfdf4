"""What goes wrong when: decided by the seed alone, not by what happens meanwhile."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

KILLS_UNTIL = 0.55
"""No server is killed after this share of the time: its last life is long enough to
see whether its memory grows."""
CALM_FROM = 0.95
"""From this share of the time on nothing new goes wrong."""
FULL_DISK_SECONDS = 15.0
FULL_DISK_FROM_SECONDS = 150.0
"""A server that saw a full disk looks again once a minute; shorter soaks leave it."""


class Action(enum.StrEnum):
    """One thing that goes wrong, or that an operator does."""

    KILL_SERVER = "server killed"
    STOP_SERVER = "server stopped and continued"
    KILL_CLIENT = "client killed"
    STOP_CLIENT = "client stopped and continued"
    CUT = "connections reset"
    DELAY = "delay"
    DRIBBLE = "1-byte segments"
    STALL_UP = "nothing gets to the server"
    STALL_DOWN = "nothing comes from the server"
    SLOW_READER = "slow reader"
    ATTACK = "attack"
    BACKUP = "backup"
    CERTIFICATE = "new certificate"
    FULL_DISK = "full disk"


@dataclass(frozen=True, slots=True)
class Step:
    """One action.

    Attributes:
        at: When, in seconds after the start.
        action: What.
        who: Which person or pair, where it is done to one.
        seconds: How long it lasts, where it lasts.
        attack: Id of the attack.
    """

    at: float
    action: Action
    who: int = 0
    seconds: float = 0.0
    attack: str = ""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How often something happens, and how long it lasts.

    Attributes:
        every_seconds: Once in so many seconds.
        count_min: At least so often, however short the soak is.
        seconds: Bounds of its length.
        until: Share of the time after which none begins.
    """

    every_seconds: float
    count_min: int
    seconds: tuple[float, float] = (0.0, 0.0)
    until: float = CALM_FROM


_KINDS = {
    Action.KILL_SERVER: _Kind(18, 1, (0.0, 1.5), KILLS_UNTIL),
    Action.STOP_SERVER: _Kind(60, 0, (0.5, 4.0)),
    Action.KILL_CLIENT: _Kind(12, 1, (0.0, 2.0)),
    Action.STOP_CLIENT: _Kind(30, 0, (0.5, 6.0)),
    Action.CUT: _Kind(6, 1),
    Action.DELAY: _Kind(20, 0, (2.0, 8.0)),
    Action.DRIBBLE: _Kind(20, 1, (1.0, 5.0)),
    Action.STALL_UP: _Kind(30, 0, (1.0, 12.0)),
    Action.STALL_DOWN: _Kind(30, 0, (1.0, 12.0)),
    Action.SLOW_READER: _Kind(40, 0, (3.0, 10.0)),
    Action.ATTACK: _Kind(10, 1, (2.0, 8.0)),
    Action.BACKUP: _Kind(75, 1),
    Action.CERTIFICATE: _Kind(90, 1),
}


def make_plan(
    seed: int, seconds: float, people: int, attacks: Sequence[str]
) -> tuple[Step, ...]:
    """Return what happens, in order.

    Args:
        seed: Decides everything.
        seconds: Length of the soak.
        people: How many there are, 2 or more.
        attacks: Ids of the attacks to choose from.
    """
    pick = Random(seed)  # noqa: S311 - a plan, no secret
    steps: list[Step] = []
    for action, kind in _KINDS.items():
        count = max(kind.count_min, int(seconds * kind.until / kind.every_seconds))
        steps += [
            Step(
                at=pick.uniform(0.05, kind.until) * seconds,
                action=action,
                who=pick.randrange(people),
                seconds=pick.uniform(*kind.seconds),
                attack=pick.choice(attacks) if action is Action.ATTACK else "",
            )
            for _ in range(count)
        ]
    if seconds >= FULL_DISK_FROM_SECONDS:
        at = pick.uniform(0.1, 0.3) * seconds
        steps.append(Step(at, Action.FULL_DISK, seconds=FULL_DISK_SECONDS))
    return tuple(sorted(steps, key=lambda step: step.at))
