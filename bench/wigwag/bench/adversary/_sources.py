"""Where connections come from: many addresses of this machine's own loopback net.

On Linux all of 127.0.0.0/8 is local, so one machine can be many strangers. Bounds by
address hold for each of them.
"""

import itertools
import threading

# Addresses of an attack that is repeated: a herd, not one laptop alone. So many that a
# whole run stays below what an address may fail and register; what one may do is small.
HERD = 250


class Sources:
    """Gives out source addresses; threads may share it.

    Attributes:
        given: How many were given out: connections, or tries at one.

    Args:
        net: Second byte of the addresses, 1 to 254: who is who in a log.
        count: So many, in turn; None: a new one each time.
    """

    def __init__(self, net: int, count: int | None = None) -> None:
        self._net = net
        self.given = 0
        self._lock = threading.Lock()
        self._numbers = (
            itertools.count() if count is None else itertools.cycle(range(count))
        )

    def next(self) -> str:
        """Return the next address."""
        with self._lock:
            number = next(self._numbers)
            self.given += 1
        return f"127.{self._net}.{number // 250 % 250}.{number % 250 + 1}"
