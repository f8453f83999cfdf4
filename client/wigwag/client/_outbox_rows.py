"""The outbox as a value: rows, bases, window, and the effects of decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

from wigwag.client._ids import ZERO_ID
from wigwag.wire import LIMITS, Outcome

ALLOWANCE_MAX: Final = 4096
"""Stands for no allowance: the window's highest value."""


class Device(NamedTuple):
    """A device in one registration: what an envelope is made for."""

    user: bytes
    number: int
    registration_id: int


class Phase(Enum):
    """Where a row stands on this connection."""

    UNSEALED = "unsealed"
    """It has no ciphertexts that count: the driver must seal it."""
    READY = "ready"
    """To be offered."""
    IN_FLIGHT = "in flight"
    """Offered on this connection; no outcome yet."""
    WAITING = "waiting"
    """Refused for now; not before `due`."""


@dataclass(frozen=True, slots=True)
class Row:
    """A message that the server hasn't taken yet.

    Attributes:
        id: Its client_msg_id.
        chat: Chat id.
        is_ordered: Whether it takes a place in the chat (class 1 and 2).
        expires_ms: When it ends unanswered, server-corrected time.
        attempt: Number of its newest ciphertexts; 0: never sealed.
        size_bytes: Of its envelopes.
        covers: Devices of each attempt in this registration, oldest first.
        is_offered: Whether any copy of it may ever have left; durable.
        phase: Where it stands.
        copy: Number of its newest copy; 0: none in this process.
        after: What the newest copy named.
        due: Time of the newest copy (IN_FLIGHT), or before which nothing is to be
            done (WAITING, UNSEALED); seconds of the driver's steady clock.
        refusals: Retryable refusals in a row.
    """

    id: bytes
    chat: bytes
    is_ordered: bool
    expires_ms: int
    attempt: int = 0
    size_bytes: int = 0
    covers: tuple[tuple[int, frozenset[Device]], ...] = ()
    is_offered: bool = False
    phase: Phase = Phase.UNSEALED
    copy: int = 0
    after: bytes = ZERO_ID
    due: float = 0.0
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """How much may be in flight: WELCOME's values.

    Attributes:
        rows_max: SENDs without an answer.
        bytes_max: Their envelopes' bytes.
    """

    rows_max: int = LIMITS["in_flight_max"].value
    bytes_max: int = LIMITS["in_flight_bytes_max"].value


@dataclass(frozen=True, slots=True)
class Outbox:
    """Everything that isn't sequenced yet. Never changed in place.

    Attributes:
        rows: By id, in the order they were written.
        bases: By chat: what the chat's oldest row goes after. Only of chats with
            rows; the driver keeps them all.
        held: Chats in which nothing is sent: the peer's key changed.
        window: Bounds of this connection; None: there is none.
        copies: Copies offered so far; numbers them.
        allowance: Rows that may be in flight, within the window: one after a
            RATE_LIMITED, one more with each SEQUENCED.
        paused_until: RATE_LIMITED counts for the device: nothing is offered before,
            steady clock, in seconds.
    """

    rows: Mapping[bytes, Row] = field(default_factory=dict[bytes, Row])
    bases: Mapping[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    held: frozenset[bytes] = frozenset()
    window: Window | None = None
    copies: int = 0
    allowance: int = ALLOWANCE_MAX
    paused_until: float = 0.0

    def key(self) -> tuple[object, ...]:
        """Return the whole value as something hashable, for explorers."""
        return (
            tuple(self.rows.values()),
            tuple(sorted(self.bases.items())),
            self.held,
            self.window,
            self.copies,
            self.allowance,
            self.paused_until,
        )


class EndState(Enum):
    """How a row ended."""

    SEQUENCED = "SEQUENCED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Offer:
    """Send this copy.

    Attributes:
        id: The row.
        copy: Number of the copy; give it back with the answer.
        attempt: For the SEND.
        after: For the SEND.
        is_first: The row's "offered" mark must be durable before it leaves.
    """

    id: bytes
    copy: int
    attempt: int
    after: bytes
    is_first: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """Make a row's end durable and tell the user.

    Attributes:
        row: As it was.
        state: How it ended.
        code: Error code, of REJECTED; 0: none.
        is_unknown: It may have been stored all the same (EXPIRED).
        attempt: The stored attempt, of SEQUENCED; else the newest.
        copies_for: Devices that only a newer attempt covered: each needs a signal
            with a copy (`copy_of`).
    """

    row: Row
    state: EndState
    code: int = 0
    is_unknown: bool = False
    attempt: int = 0
    copies_for: frozenset[Device] = frozenset()


@dataclass(frozen=True, slots=True)
class BaseMoved:
    """Make the base of a chat durable.

    Attributes:
        chat: The chat.
        base: What its oldest row goes after from now on.
    """

    chat: bytes
    base: bytes


Effect = Ended | BaseMoved


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a REFUSED, or an ERROR to a SEND, says.

    Attributes:
        code: Error code.
        attempt: The attempt that it answers.
        outcome: Whether it may have been stored.
        retry_after_seconds: As told; 0: not said.
        last_id: OUT_OF_ORDER: the last id that the server has; zeros: none.
    """

    code: int
    attempt: int
    outcome: Outcome
    retry_after_seconds: float = 0.0
    last_id: bytes = ZERO_ID
