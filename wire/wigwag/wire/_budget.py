"""Counts per window: what a peer may send in a second, whatever its size.

A size limit alone lets a peer keep us busy with frames that cost it nothing
(rapid reset, CVE-2023-44487), so cheap frames are counted as well (R-FRAME-014).
What was spent is never given back.
"""


class FrameBudget:
    """Control frames (PING, GOAWAY, unknown odd types, stray PONG) and ACK.

    Args:
        control_per_second: Sustained rate of control frames.
        control_burst: How many may come at once.
        ack_per_second_max: Most ACK within one second.
    """

    __slots__ = (
        "_ack_per_second_max",
        "_acks",
        "_acks_since",
        "_control_burst",
        "_control_per_second",
        "_tokens",
        "_tokens_at",
    )

    def __init__(
        self, control_per_second: int, control_burst: int, ack_per_second_max: int
    ) -> None:
        self._control_per_second = control_per_second
        self._control_burst = control_burst
        self._ack_per_second_max = ack_per_second_max
        self._tokens = float(control_burst)
        self._tokens_at = 0.0
        self._acks = 0
        self._acks_since = 0.0

    def control_fits(self, now: float) -> bool:
        """Counts a control frame; False: it was one too many."""
        earned = (now - self._tokens_at) * self._control_per_second
        self._tokens = min(self._tokens + max(0.0, earned), self._control_burst)
        self._tokens_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def ack_fits(self, now: float) -> bool:
        """Counts an ACK; False: it was one too many within a second."""
        if now - self._acks_since >= 1.0:
            self._acks_since = now
            self._acks = 0
        self._acks += 1
        return self._acks <= self._ack_per_second_max
