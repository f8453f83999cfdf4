"""What the server holds for its clients, against a budget that an operator names.

    connections      TLS and session, by a fixed charge: more once large records came
    received bytes   reads, half-read frames
    requests         taken and not answered; the engine's queue is these
    output           answers and deliveries that the peer has not taken
    engine           rows and inbox tails in memory, looked at once a second

At PAUSE_SHARE of the budget whoever holds more than a fair part of the rest is not
read from any more; who holds little goes on, so that a crowd of hoarders doesn't
silence those beside them. At the budget itself nobody is read. If that lasts, those
who hold most are sent away (`Hub.shed`): a half-read frame of theirs would else stay
for ever, since nobody may finish it.

What Python and the libraries take before the first client comes isn't counted.
"""

PAUSE_SHARE = 0.8
"""Reading pauses at this share of the budget."""

CONNECTION_BYTES = 32_768
"""Charge of a connection: TLS, session, task. Idle ones were measured at 22 KiB."""

GROWN_BYTES = 49_152
"""Charge besides, once a large record has passed. Python's memory BIOs never shrink:
a third more than a record of 16 KiB each way, and OpenSSL's own buffer."""


class Memory:
    """The account of one process; whoever takes and gives back says so.

    Args:
        budget_bytes: Most that may be held.

    Attributes:
        held_bytes: All that is held now.
        engine_bytes: Of it, what the engine held when it was last asked.
        connections: Connections that are charged.
        grown: Of these, how many for buffers that have grown.
    """

    __slots__ = (
        "budget_bytes",
        "connections",
        "engine_bytes",
        "grown",
        "held_bytes",
        "pause_bytes",
    )

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self.pause_bytes = int(budget_bytes * PAUSE_SHARE)
        self.held_bytes = 0
        self.engine_bytes = 0
        self.connections = 0
        self.grown = 0

    @property
    def has_room(self) -> bool:
        """Whether anybody may be read from, whatever he holds."""
        return self.held_bytes < self.pause_bytes

    @property
    def may_open(self) -> bool:
        """Whether there is memory for one more connection."""
        return self.held_bytes + CONNECTION_BYTES <= self.budget_bytes

    @property
    def charges_bytes(self) -> int:
        """The fixed charges of all connections."""
        return self.connections * CONNECTION_BYTES + self.grown * GROWN_BYTES

    @property
    def traffic_bytes(self) -> int:
        """Requests, received bytes and output of all connections."""
        return self.held_bytes - self.charges_bytes - self.engine_bytes

    def may_hold(self, own_bytes: int) -> bool:
        """Whether a connection that holds this much may be read from.

        Args:
            own_bytes: Its requests, received bytes and output, charges aside.
        """
        held = self.held_bytes
        if held < self.pause_bytes:
            return True
        rest_bytes = self.budget_bytes - self.pause_bytes
        return (
            held < self.budget_bytes
            and own_bytes * max(1, self.connections) < rest_bytes
        )

    def open(self) -> None:
        """Charge a new connection."""
        self.connections += 1
        self.held_bytes += CONNECTION_BYTES

    def grow(self) -> None:
        """Charge a connection for buffers that have grown."""
        self.grown += 1
        self.held_bytes += GROWN_BYTES

    def close(self, *, has_grown: bool) -> None:
        """Give back a connection's charges."""
        self.connections -= 1
        self.grown -= has_grown
        self.held_bytes -= CONNECTION_BYTES + GROWN_BYTES * has_grown

    def look_at_engine(self, engine_bytes: int) -> None:
        """Take note of what the engine holds."""
        self.held_bytes += engine_bytes - self.engine_bytes
        self.engine_bytes = engine_bytes


class Account:
    """What one connection's received bytes and output are booked with."""

    __slots__ = ("_booked_bytes", "_is_closed", "_memory")

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._booked_bytes = 0
        self._is_closed = False

    def book(self, held_bytes: int) -> None:
        """Book what is held now, instead of what was."""
        if held_bytes != self._booked_bytes and not self._is_closed:
            self._memory.held_bytes += held_bytes - self._booked_bytes
            self._booked_bytes = held_bytes

    def close(self) -> None:
        """Give everything back; nothing is booked any more."""
        self.book(0)
        self._is_closed = True
