"""Values that nobody knows, so that peers stay able to skip what they don't know.

An extension point that is never used rusts shut (RFC 8701). A sender with grease
uses all of them from the first revision: ids whose low five bits are 11011 stay
unassigned for ever. Decoders know nothing of this: to them it is just unknown.

Error codes and values of open enums can be made here as well; a connection does not
put them into messages by itself, since they would change what a message means.
"""

import math
from typing import Final

import msgspec

from wigwag.wire._generated import (
    GREASE_LOW_BITS,
    GREASE_MASK,
    LIMITS,
    VENDOR_IDS_FROM,
)
from wigwag.wire._header import EXTENSION_BYTES_MAX, FLAGS_IGNORED, extension

FRAME_SECONDS_MIN: Final = 5.0
"""Between two unknown frames. They count as control frames at the peer, which takes
20 a second: a fifth of a frame a second leaves the budget to PING."""

ONE_IN: Final = 8
"""How many messages go untouched for one that is greased, on average."""

_VALUE_BYTES_MAX = 16
_U64 = (1 << 64) - 1


def is_grease(number: int) -> bool:
    """Tells whether an id is one of those that are never assigned."""
    return number & GREASE_MASK == GREASE_LOW_BITS


class Grease:
    """A seeded source of unknown values; the same seed gives the same ones.

    Not for secrets: the generator is SplitMix64 (Steele, Lea, Flood 2014), small
    enough to be here, since this package draws no randomness of its own.

    Args:
        seed: Any number; another one for each connection.
    """

    __slots__ = ("_state", "frame_due_at")

    def __init__(self, seed: int) -> None:
        self._state = seed & _U64
        self.frame_due_at = -math.inf
        """When the next unknown frame may go out, in seconds on the caller's clock."""

    def _below(self, bound: int) -> int:
        """Returns a number from 0 to bound - 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _U64
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _U64
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _U64
        return (mixed ^ (mixed >> 31)) % bound

    def _value(self) -> bytes:
        return bytes(self._below(256) for _ in range(self._below(_VALUE_BYTES_MAX + 1)))

    def is_due(self) -> bool:
        """Draws whether the next message is greased."""
        return self._below(ONE_IN) == 0

    def id(self) -> int:
        """Draws an unknown id below the vendors': of a type, tag, feature, entry."""
        return self._below(VENDOR_IDS_FROM >> 5) << 5 | GREASE_LOW_BITS

    def error_code(self, error_class: int) -> int:
        """Draws an unknown error code.

        Args:
            error_class: 1 to 5, the high nibble.
        """
        return error_class << 12 | self._below(1 << 7) << 5 | GREASE_LOW_BITS

    def enum_value(self, width_bytes: int = 1) -> int:
        """Draws an unknown value of an open enum.

        Args:
            width_bytes: Of the enum's base, 1 or 2.
        """
        return self._below(1 << (8 * width_bytes - 5)) << 5 | GREASE_LOW_BITS

    def flags(self) -> int:
        """Draws a non-empty set of ignorable flags."""
        return (1 + self._below(3)) << 6 & FLAGS_IGNORED

    def extension(self) -> bytes:
        """Draws a header extension of one or two entries."""
        entries = tuple((self.id(), self._value()) for _ in range(1 + self._below(2)))
        encoded = extension(entries)
        assert len(encoded) <= EXTENSION_BYTES_MAX
        return encoded

    def features(self, features: tuple[int, ...]) -> tuple[int, ...]:
        """Adds an unknown feature to a rising list."""
        return tuple(sorted({*features, self.id()}))

    def tagged(self, message: msgspec.Struct) -> msgspec.Struct:
        """Returns the message with an unknown odd tag added.

        Messages that carry unknown tags on already (relayed ones) stay as they are.
        """
        if getattr(message, "unknown", None) != ():
            return message
        return msgspec.structs.replace(message, unknown=((self.id(), self._value()),))

    def frame_is_due(self, now: float) -> bool:
        """Tells whether an unknown frame may go out now, and notes that one does."""
        if now < self.frame_due_at:
            return False
        self.frame_due_at = now + FRAME_SECONDS_MIN
        return True

    def body(self) -> bytes:
        """Draws the body of an unknown frame."""
        body = self._value()
        assert len(body) <= LIMITS["unknown_frame_bytes_max"].value
        return body

    def is_request(self) -> bool:
        """Draws whether an unknown frame is a request, which gets an ERROR."""
        return self._below(2) == 0
