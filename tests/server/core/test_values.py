"""Positions, epochs, times in ids."""

from wigwag.server.core import day_of, device_of, epoch_at, minted_ms
from wigwag.server.core._values import (
    EPOCH_ZERO_MS,
    epoch_of,
    next_position,
    position,
)


def test_an_epoch_is_new_whatever_the_clock_says() -> None:
    """Rule 2: max(last + 1, seconds since 2026-01-01)."""
    assert epoch_at(0, EPOCH_ZERO_MS + 90_000) == 90
    assert epoch_at(90, EPOCH_ZERO_MS + 90_000) == 91
    assert epoch_at(7, EPOCH_ZERO_MS - 5_000) == 8


def test_positions_are_dense_from_one_in_each_epoch() -> None:
    """A hole within an epoch is a loss."""
    first = next_position(0, 9)
    assert first == position(9, 1)
    assert next_position(first, 9) == position(9, 2)
    assert next_position(position(8, 400), 9) == first
    assert epoch_of(first) == 9


def test_ids_and_days_carry_time() -> None:
    """UUIDv7: the first 48 bits are milliseconds since 1970."""
    assert minted_ms(bytes.fromhex("0190a0b0c0d070008000000000000001")) == (
        0x0190_A0B0_C0D0
    )
    assert day_of(86_400_000 * 3 - 1) == 2


def test_a_device_is_its_user_and_a_number() -> None:
    """17 bytes; the number is the last."""
    assert device_of(b"u" * 16, 127) == b"u" * 16 + b"\x7f"
