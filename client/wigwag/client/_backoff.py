"""When to connect again: full jitter, doubling, reset by stability."""

from dataclasses import dataclass, replace
from typing import Final

from wigwag.client._ports import Entropy
from wigwag.wire import LIMITS

FIRST_SECONDS: Final = LIMITS["reconnect_first_ms"].value / 1000
LAST_SECONDS: Final = LIMITS["reconnect_last_ms"].value / 1000
RESET_SECONDS: Final[float] = LIMITS["reconnect_reset_seconds"].value

TOLD_SECONDS_MAX: Final = 3600.0
"""A server's retry_after beyond an hour is not believed: a client that is told to
come back in a month has been cut off by a mistake."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long the next wait may be.

    Attributes:
        ceiling_seconds: Upper end of the next random wait.
    """

    ceiling_seconds: float = FIRST_SECONDS

    def next(
        self, *, uptime_seconds: float, told_seconds: float, jitter: float
    ) -> tuple["Backoff", float]:
        """Decide the wait after a connection that ended, or that never came about.

        Args:
            uptime_seconds: How long it was READY; 0: never.
            told_seconds: The server's retry_after; 0: not said.
            jitter: Uniform in [0, 1).

        Returns:
            The next state, and the wait in seconds. Full jitter (Brooker, "Exponential
            Backoff And Jitter", 2015); what the server told is a floor.
        """
        ceiling = FIRST_SECONDS
        if uptime_seconds < RESET_SECONDS:
            ceiling = self.ceiling_seconds
        told = min(told_seconds, TOLD_SECONDS_MAX)
        grown = replace(self, ceiling_seconds=min(ceiling * 2, LAST_SECONDS))
        return grown, told + ceiling * jitter


def draw_jitter(entropy: Entropy) -> float:
    """Draw a number uniform in [0, 1)."""
    return int.from_bytes(entropy.token(6), "big") / (1 << 48)
