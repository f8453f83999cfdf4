"""Deadlines of a connection, as plain numbers that somebody's sweeper compares.

None of them is armed or cancelled per message: receiving stores one time, and
everything else is computed when it is asked for.
"""

from enum import Enum
from typing import Final

from wigwag.wire._generated import LIMITS

FRAME_BYTES_PER_SECOND: Final = 8 * 1024
"""Slowest sender that is waited for: a frame gets a second more for each of these
(slowloris). 2G modems manage it."""

PINGS_MISSED_MAX: Final = LIMITS["pings_missed_max"].value


class Due(Enum):
    """What a deadline asks for."""

    AUTH_MISSED = "auth missed"
    FRAME_MISSED = "frame missed"
    PING = "ping"
    PEER_SILENT = "peer silent"
    DRAINED = "drained"


class Timers:
    """When what is due.

    Attributes:
        received_at: When the peer was last heard of; set by every read.
        auth_deadline: Absolute end of the handshake, not renewed by anything; None
            once it is over.
        drain_deadline: Absolute end of DRAINING, or None.
        watches_silence: The state is one in which silence is answered by PING.
        frame_seconds: Time for one frame.
        idle_seconds: Silence before a PING.
        pong_seconds: Time to answer it.

    All in seconds on the caller's clock.
    """

    __slots__ = (
        "_missed",
        "_paused_at",
        "_ping_at",
        "_started_at",
        "auth_deadline",
        "drain_deadline",
        "frame_seconds",
        "idle_seconds",
        "pong_seconds",
        "received_at",
        "watches_silence",
    )

    def __init__(
        self,
        now: float,
        *,
        auth_seconds: float,
        frame_seconds: float,
        idle_seconds: float,
        pong_seconds: float,
    ) -> None:
        self._started_at = now
        self.received_at = now
        self.auth_deadline: float | None = now + auth_seconds
        self.drain_deadline: float | None = None
        self.watches_silence = False
        self.frame_seconds = frame_seconds
        self.idle_seconds = idle_seconds
        self.pong_seconds = pong_seconds
        self._ping_at: float | None = None
        self._missed = 0
        self._paused_at: float | None = None

    def retune(
        self,
        *,
        auth_seconds: float,
        frame_seconds: float,
        idle_seconds: float,
        pong_seconds: float,
    ) -> None:
        """Takes over what WELCOME says, in the midst of the handshake."""
        self.auth_deadline = self._started_at + auth_seconds
        self.frame_seconds = frame_seconds
        self.idle_seconds = idle_seconds
        self.pong_seconds = pong_seconds

    def next_deadline(
        self, partial_since: float | None, partial_bytes: int
    ) -> float | None:
        """Returns the earliest deadline, or None.

        Args:
            partial_since: When the frame that is arriving began, or None.
            partial_bytes: Its length as far as it is known.
        """
        earliest = self.auth_deadline
        drain = self.drain_deadline
        if drain is not None and (earliest is None or drain < earliest):
            earliest = drain
        frame = self._frame_deadline(partial_since, partial_bytes)
        if frame is not None and (earliest is None or frame < earliest):
            earliest = frame
        silence = self._silence_deadline()
        if silence is not None and (earliest is None or silence < earliest):
            earliest = silence
        return earliest

    def due(
        self, now: float, partial_since: float | None, partial_bytes: int
    ) -> Due | None:
        """Returns what is due at `now`, one thing a call, or None."""
        if self.auth_deadline is not None and now >= self.auth_deadline:
            return Due.AUTH_MISSED
        frame_deadline = self._frame_deadline(partial_since, partial_bytes)
        if frame_deadline is not None and now >= frame_deadline:
            return Due.FRAME_MISSED
        if self.drain_deadline is not None and now >= self.drain_deadline:
            return Due.DRAINED
        silence_deadline = self._silence_deadline()
        if silence_deadline is None or now < silence_deadline:
            return None
        if self._ping_at is not None:
            self._missed += 1
            if self._missed >= PINGS_MISSED_MAX:
                return Due.PEER_SILENT
        self._ping_at = now
        return Due.PING

    def pause(self, now: float) -> None:
        """Stops the clocks that need the peer's bytes: we don't read them."""
        if self._paused_at is None:
            self._paused_at = now

    def resume(self, now: float) -> float:
        """Lets them run again; returns for how many seconds they stood still."""
        if self._paused_at is None:
            return 0.0
        paused_seconds = now - self._paused_at
        self._paused_at = None
        self.received_at = now
        return paused_seconds

    def _frame_deadline(
        self, partial_since: float | None, partial_bytes: int
    ) -> float | None:
        if partial_since is None or self._paused_at is not None:
            return None
        return (
            partial_since + self.frame_seconds + partial_bytes / FRAME_BYTES_PER_SECOND
        )

    def _silence_deadline(self) -> float | None:
        """Returns when to ping, or when a ping counts as missed."""
        if not self.watches_silence or self._paused_at is not None:
            return None
        # Any byte shows that the peer is there, not its PONG alone: a PONG waits
        # behind the answers to what we asked before.
        if self._ping_at is not None and self.received_at >= self._ping_at:
            self._ping_at = None
            self._missed = 0
        if self._ping_at is not None:
            return self._ping_at + self.pong_seconds
        return self.received_at + self.idle_seconds
