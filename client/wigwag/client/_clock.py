"""The operating system's clock and randomness (adapters)."""

import secrets
import time


class SystemClock:
    """The time of day, as the operating system has it."""

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000


class SystemEntropy:
    """The operating system's random bytes."""

    def token(self, n: int) -> bytes:
        """Return `n` unpredictable bytes."""
        return secrets.token_bytes(n)
