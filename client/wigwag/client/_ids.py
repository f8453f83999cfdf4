"""Message ids: UUIDv7 in server-corrected time (RFC 9562 §5.7)."""

from typing import Final

from wigwag.client._ports import Entropy

ID_BYTES: Final = 16

ZERO_ID: Final = bytes(ID_BYTES)
"""Stands for "none"."""

_RANDOM_A_BITS: Final = 12
_RANDOM_B_BITS: Final = 62


BACK_MS_MAX: Final = 3600 * 1000
"""A clock that goes back further was wrong before. The server refuses ids that are a
day ahead of it, so rising from there on would be the end of all sending."""


def mint_message_id(last: bytes, now_ms: int, entropy: Entropy) -> bytes:
    """Make an id that is above every earlier one of this device.

    A server knows an id above the device's highest for new without a look-up, so
    ids rise even when the clock stands still or goes back (RFC 9562 §6.2,
    method 2: the random bits count on). When it goes back by more than an hour they
    begin anew; the server then looks each id up.

    Args:
        last: The id made before; zeros: none.
        now_ms: Server-corrected time, milliseconds since the Unix epoch.
        entropy: Source of the 74 random bits.
    """
    random = int.from_bytes(entropy.token(10), "big")
    random_bits = _RANDOM_A_BITS + _RANDOM_B_BITS
    tail = random & ((1 << random_bits) - 1)
    last_ms, last_tail = _split(last)
    if now_ms <= last_ms <= now_ms + BACK_MS_MAX:
        # Steps of up to 2³² leave the next id as hard to guess as it need be.
        now_ms = last_ms
        tail = last_tail + 1 + (random & 0xFFFF_FFFF)
        if tail >= 1 << random_bits:
            now_ms += 1
            tail &= (1 << random_bits) - 1
    return _join(now_ms, tail)


def id_time_ms(message_id: bytes) -> int:
    """Return the time in an id, milliseconds since the Unix epoch."""
    return int.from_bytes(message_id[:6], "big")


def _split(message_id: bytes) -> tuple[int, int]:
    value = int.from_bytes(message_id, "big")
    high = (value >> 64) & 0xFFF
    low = value & ((1 << _RANDOM_B_BITS) - 1)
    return value >> 80, high << _RANDOM_B_BITS | low


def _join(time_ms: int, tail: int) -> bytes:
    high = tail >> _RANDOM_B_BITS
    low = tail & ((1 << _RANDOM_B_BITS) - 1)
    value = time_ms << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low
    return value.to_bytes(ID_BYTES, "big")
