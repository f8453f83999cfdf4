"""Who still owes whom an answer: one number space for each direction."""

from typing import Final

from wigwag.wire._rules import Asked

CORR_MAX: Final = 0xFFFF_FFFF


class RequestLedger:
    """Requests without an answer, ours and the peer's.

    A PING of the peer's that overtakes requests waits here in their midst: its
    PONG may leave when everything before it has been answered (R-PING-001), which
    makes PING a barrier.

    Args:
        first_corr: The number of our first request.

    Attributes:
        awaited: Our requests by number; the peer owes the answer.
        in_flight: The peer's requests by number, oldest first; we owe the answer.
        last_received: The peer's newest request; 0: none yet.
    """

    __slots__ = ("_next_corr", "_pongs", "awaited", "in_flight", "last_received")

    def __init__(self, first_corr: int = 1) -> None:
        self.awaited: dict[int, Asked] = {}
        self.in_flight: dict[int, Asked] = {}
        self.last_received = 0
        self._next_corr = first_corr
        self._pongs: dict[int, int] = {}

    @property
    def barriers(self) -> int:
        """PINGs of the peer's that wait for earlier requests."""
        return len(self._pongs)

    def fresh_corr(self) -> int:
        """Returns a number that is not in use, 1 to 2^32 - 1."""
        corr = self._next_corr
        while corr in self.awaited:
            corr = corr + 1 if corr < CORR_MAX else 1
        self._next_corr = corr + 1 if corr < CORR_MAX else 1
        return corr

    def add_barrier(self, corr: int, rule: Asked, token: int) -> None:
        """Lets a PING wait for every request received before it.

        Args:
            corr: The PING's number, which is taken while it waits.
            rule: That of PING.
            token: Goes back in the PONG.
        """
        self.in_flight[corr] = rule
        self._pongs[corr] = token

    def answered(self, corr: int) -> list[tuple[int, int]]:
        """Ends a request of the peer's.

        Returns:
            (corr, token) of each PING that has nothing left to wait for, in order.

        Raises:
            KeyError: There is no such request.
        """
        del self.in_flight[corr]
        if not self._pongs:
            return []
        due: list[tuple[int, int]] = []
        while self._pongs:
            oldest = next(iter(self.in_flight))
            if oldest not in self._pongs:
                break
            due.append((oldest, self._pongs.pop(oldest)))
            del self.in_flight[oldest]
        return due
