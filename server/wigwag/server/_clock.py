"""The time of day, and randomness: the real adapters of two ports.

A machine's clock may be set by a careless hand or a wrong time server, and record
times decide what expires. So a step of more than STEP_SECONDS_MAX against the clock
that counts since boot isn't followed until the operator says that it is right.
"""

import os
import time
from collections.abc import Callable

STEP_SECONDS_MAX = 60
_NS_PER_MS = 1_000_000


def _boot_ms() -> int:
    """Milliseconds since boot, sleep included: nobody can set this clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock) // _NS_PER_MS


def _wall_ms() -> int:
    return time.time_ns() // _NS_PER_MS


class SystemClock:
    """The machine's clock without its steps; implements `ports.WallClock`.

    Args:
        wall_ms: The machine's time of day, ms since the Unix epoch.
        boot_ms: A clock that never steps.
    """

    def __init__(
        self,
        wall_ms: Callable[[], int] = _wall_ms,
        boot_ms: Callable[[], int] = _boot_ms,
    ) -> None:
        self._wall_ms = wall_ms
        self._boot_ms = boot_ms
        self._offset_ms = wall_ms() - boot_ms()
        self.is_suspect = False
        """The machine's clock stepped and isn't followed."""

    def now_ms(self) -> int:
        """Return ms since the Unix epoch."""
        wall, boot = self._wall_ms(), self._boot_ms()
        offset = wall - boot
        if abs(offset - self._offset_ms) <= STEP_SECONDS_MAX * 1000:
            self._offset_ms = offset
            self.is_suspect = False
            return wall
        self.is_suspect = True
        return boot + self._offset_ms

    def accept(self) -> int:
        """Follow the machine's clock wherever it stands; return by how many ms."""
        step_ms = self._wall_ms() - self._boot_ms() - self._offset_ms
        self._offset_ms += step_ms
        self.is_suspect = False
        return step_ms


class SystemEntropy:
    """The kernel's random bytes; implements `ports.Entropy`."""

    def token(self, count: int) -> bytes:
        """Return `count` random bytes."""
        return os.urandom(count)
