"""Floods: what wears a server down by its number, each single one being allowed.

A flood paces itself: it gets CPU_SHARE_MAX of a core, so that what honest pairs feel
is the server's work and not the attacker's.
"""

from wigwag.bench.adversary.floods._connections import FLOODS as CONNECTION_FLOODS
from wigwag.bench.adversary.floods._frames import FLOODS as FRAME_FLOODS
from wigwag.bench.adversary.floods._requests import FLOODS as REQUEST_FLOODS
from wigwag.bench.adversary.floods._slow import FLOODS as SLOW_FLOODS

FLOODS = (*CONNECTION_FLOODS, *SLOW_FLOODS, *FRAME_FLOODS, *REQUEST_FLOODS)
"""All floods, as `wigwag bench adversary` runs them."""

__all__ = ["FLOODS"]
