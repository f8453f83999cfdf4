"""What one connection makes the server hold, and whether it may ask for more."""

from wigwag.server._limits import Limits


class Flow:
    """Unanswered requests and unread output of one connection.

    Attributes:
        is_busy: A request is being worked on in pieces: nothing else is taken.
        requests: Requests that wait for their answer.
        request_bytes: Memory that they hold.
        queued_bytes: Output that the transport has not fetched.
        backlog_bytes: Output that the peer's side has not taken.
        is_over_its_rate: The newest SEND was over the device's rate: few are taken at
            once, so that a flood has a small part of each commit.
    """

    __slots__ = (
        "_limits",
        "backlog_bytes",
        "is_busy",
        "is_over_its_rate",
        "queued_bytes",
        "request_bytes",
        "requests",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.is_busy = False
        self.requests = 0
        self.request_bytes = 0
        self.queued_bytes = 0
        self.backlog_bytes = 0
        self.is_over_its_rate = False

    def hold(self, size: int) -> None:
        """Count a request that was taken."""
        self.requests += 1
        self.request_bytes += size

    def release(self, size: int) -> None:
        """Count its answer."""
        self.requests -= 1
        self.request_bytes -= size

    @property
    def may_take(self) -> bool:
        """Whether one more request may be taken."""
        limits = self._limits
        most = limits.in_flight_max
        if self.is_over_its_rate:
            most = min(most, limits.in_flight_over_rate_max)
        return (
            self.requests < most
            and self.request_bytes < limits.in_flight_bytes_max
            and self.queued_bytes + self.backlog_bytes < limits.write_buffer_bytes_max
            and not self.is_busy
        )

    @property
    def output_bytes(self) -> int:
        """Output that the peer's side has not taken."""
        return self.queued_bytes + self.backlog_bytes

    @property
    def is_drowning(self) -> bool:
        """Whether more answers wait than a peer that reads would let wait."""
        return self.output_bytes > self._limits.output_bytes_max

    @property
    def room_bytes(self) -> int:
        """How many bytes the write buffer still takes."""
        return self._limits.write_buffer_bytes_max - self.output_bytes
