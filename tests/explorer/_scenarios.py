"""The scenarios: those of the design's state model, and what the real code adds."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from tests.explorer._scenario import Scenario

SCENARIOS: Final[dict[str, Scenario]] = {
    "pipeline": Scenario(
        (0, 0, 0), window=3, budget={"drop": 2, "crash": 1, "block": 2}
    ),
    "stale": Scenario(
        (0, 0), changes=("add", "remove"), budget={"drop": 2, "crash": 1}
    ),
    "mixed": Scenario(
        (0, 0),
        changes=("add",),
        budget={"drop": 2, "crash": 1, "block": 2, "cancel": 1},
    ),
    "twochats": Scenario(
        (0, 1, 0), window=3, budget={"drop": 2, "crash": 1, "block": 1}
    ),
    "twosenders": Scenario((0, 0), senders=2, budget={"drop": 1, "crash": 1}),
    "receive": Scenario(
        (0, 0), receivers=1, budget={"drop": 1, "receiver_drop": 2, "crash": 1}
    ),
    "copy": Scenario(
        (0, 0),
        receivers=2,
        changes=("add",),
        budget={"drop": 1},
    ),
    "rereg": Scenario(
        (0, 0),
        receivers=1,
        changes=("renew",),
        has_own_inbox=True,
        budget={"receiver_drop": 1},
    ),
    "restore": Scenario(
        (0, 0),
        receivers=1,
        budget={"receiver_drop": 1, "backup": 1, "restore": 1},
    ),
    "restore2": Scenario(
        (0, 0),
        receivers=1,
        window=1,
        budget={"crash": 1, "backup": 1, "restore": 1},
    ),
    "profile": Scenario(
        (0, 0, 0),
        is_lazy=True,
        budget={"drop": 1, "failed_connect": 1, "copy": 1, "put_back": 1},
    ),
    "profile2": Scenario(
        (0, 1),
        changes=("add",),
        is_lazy=True,
        budget={"drop": 1, "copy": 1, "put_back": 1},
    ),
    "ckpt": Scenario((0, 0), budget={"drop": 1, "crash": 2}),
    # Beyond the model: copies that are sent again without a new connection, and a
    # device that registers anew twice.
    "late": Scenario((0, 0), budget={"drop": 1, "late": 1, "block": 2}),
    "rereg2": Scenario(
        (0,),
        receivers=1,
        changes=("renew", "renew"),
        has_own_inbox=True,
        budget={"receiver_drop": 1, "drop": 1},
    ),
}
"""Name → what fits a test."""

_DEEPER: Final[dict[str, Mapping[str, Any]]] = {
    "pipeline": {"budget": {"drop": 3, "crash": 2, "block": 2}},
    "stale": {"chats": (0, 0, 0), "window": 3},
    "mixed": {"chats": (0, 0, 0), "window": 3},
    "twochats": {"budget": {"drop": 2, "crash": 1, "block": 2, "cancel": 1}},
    "twosenders": {"budget": {"drop": 1, "crash": 1, "block": 1}},
    "receive": {"budget": {"drop": 2, "receiver_drop": 2, "crash": 2}},
    "copy": {"budget": {"drop": 2, "receiver_drop": 2, "crash": 1}},
    "rereg": {"budget": {"drop": 1, "receiver_drop": 1, "crash": 1}},
    "restore": {"budget": {"drop": 1, "receiver_drop": 1, "backup": 1, "restore": 1}},
    "restore2": {"chats": (0, 0, 0)},
    "profile": {
        "budget": {"drop": 2, "crash": 1, "failed_connect": 1, "copy": 1, "put_back": 1}
    },
    "profile2": {"chats": (0, 1, 0)},
    "ckpt": {"chats": (0, 0, 0), "window": 3},
    "rereg2": {"budget": {"drop": 1, "receiver_drop": 1, "crash": 1}},
    "late": {"budget": {"drop": 2, "crash": 1, "late": 2, "block": 2}},
}

STATES_MAX: Final = 400_000
"""None of the scenarios is cut short by it; a change that makes one larger is."""

DEEP_STATES_MAX: Final = 4_000_000
"""A world takes about 300 bytes of memory while it is remembered."""


def scenario_of(name: str, *, is_deep: bool = False) -> Scenario:
    """Return a scenario, in larger bounds if asked."""
    scenario = SCENARIOS[name]
    return replace(scenario, **_DEEPER[name]) if is_deep else scenario
