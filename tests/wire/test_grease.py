"""Grease: unknown values that change nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.wire import (
    ERRORS,
    FEATURES,
    MESSAGES,
    Grease,
    Ping,
    error_class,
    is_grease,
)
from wigwag.wire._generated import VENDOR_IDS_FROM
from wigwag.wire._grease import FRAME_SECONDS_MIN
from wigwag.wire._header import FLAGS_IGNORED, extension_is_valid

SEEDS = st.integers(0, 2**64 - 1)


@given(SEEDS)
def test_ids_are_odd_unassigned_and_not_the_vendors(seed: int) -> None:
    """Only what may be skipped is sent, and never what could get a meaning."""
    grease = Grease(seed)
    for _ in range(20):
        number = grease.id()
        assert is_grease(number)
        assert number % 2 == 1
        assert 0 < number < VENDOR_IDS_FROM


def test_nothing_assigned_is_a_grease_id() -> None:
    """The specification keeps them free."""
    assert not [number for number in MESSAGES if is_grease(number)]
    assert not [number for number in ERRORS if is_grease(number)]
    assert not [number for number in FEATURES if is_grease(number)]


@given(SEEDS)
def test_extensions_are_valid_and_flags_ignorable(seed: int) -> None:
    """A receiver must be able to skip them by the rules it has."""
    grease = Grease(seed)
    encoded = grease.extension()
    assert 0 < len(encoded) <= 255
    assert extension_is_valid(encoded, len(encoded))
    flags = grease.flags()
    assert flags & FLAGS_IGNORED == flags != 0


@given(SEEDS, st.integers(1, 5))
def test_error_codes_keep_their_class(seed: int, class_: int) -> None:
    """R-ERR-001: an unknown code behaves as its class."""
    code = Grease(seed).error_code(class_)
    assert code >> 12 == class_
    assert is_grease(code)
    assert code not in ERRORS
    assert error_class(code) == error_class(class_ << 12 | 1)


@pytest.mark.parametrize("width", [1, 2])
def test_enum_values_fit_their_width(width: int) -> None:
    """A value that can't be encoded greases nothing."""
    values = {Grease(seed).enum_value(width) for seed in range(200)}
    assert max(values) < 1 << 8 * width
    assert len(values) > 1
    assert all(is_grease(value) for value in values)


def test_features_stay_rising() -> None:
    """The array has a key: disorder would be MALFORMED."""
    for seed in range(50):
        features = Grease(seed).features((1, 0x7000))
        assert list(features) == sorted(set(features))
        assert {1, 0x7000} < set(features)


def test_a_message_that_relays_unknown_tags_is_left_alone() -> None:
    """What is relayed belongs to somebody else."""
    grease = Grease(1)
    tagged = grease.tagged(Ping(token=1))
    assert isinstance(tagged, Ping)
    assert len(tagged.unknown) == 1
    assert grease.tagged(tagged) is tagged


def test_unknown_frames_are_rare() -> None:
    """They are control frames at the peer, which takes 20 a second."""
    grease = Grease(1)
    assert grease.frame_is_due(0.0)
    assert not grease.frame_is_due(FRAME_SECONDS_MIN - 0.1)
    assert grease.frame_is_due(FRAME_SECONDS_MIN)


def test_the_same_seed_gives_the_same_values() -> None:
    """A failing run must be repeatable from its seed."""

    def draw(seed: int) -> list[object]:
        grease = Grease(seed)
        return [
            grease.id(),
            grease.extension(),
            grease.flags(),
            grease.is_due(),
            grease.is_request(),
            grease.body(),
        ]

    assert draw(7) == draw(7)
    assert draw(7) != draw(8)
