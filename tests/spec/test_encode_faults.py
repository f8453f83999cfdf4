"""An encoder refuses what its own decoder would, and names the field."""

# ruff: noqa: ANN401 - wrong values are of any type

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.spec.codecs import trial
from tests.spec.test_evolution import changed, codec_at, record

from wigwag.wire import EncodeError, NotExpressible
from wigwag.wire._decode_fault import find_fault
from wigwag.wire._encode_fault import find_record_fault

WRONG: list[tuple[str, str, Any, str]] = [
    ("SCALARS", "small", 0, "outside 1..255"),
    ("SCALARS", "small", 256, "outside 1..255"),
    ("SCALARS", "small", 1.5, "not a number"),
    ("SCALARS", "short", 0, "zero"),
    ("SCALARS", "word", 70001, "outside"),
    ("SCALARS", "long", -1, "outside"),
    ("SCALARS", "signed", 0, "zero"),
    ("SCALARS", "below", 0, "outside"),
    ("SCALARS", "fixed", 5, "outside"),
    ("SCALARS", "id", bytes(16), "zeros"),
    ("SCALARS", "id", b"short", "not 16 bytes"),
    ("SCALARS", "maybe_id", "0" * 16, "not 16 bytes"),
    ("SCALARS", "at", None, "not a number"),
    ("SCALARS", "key", b"four", "not 3 bytes"),
    ("SCALARS", "color", 256, "outside"),
    ("SCALARS", "class_", 7, "no such value"),
    ("SCALARS", "class_", [], "not a number"),
    ("SCALARS", "marks", 2, "no such flag"),
    ("SCALARS", "marks", "", "not a number"),
    ("SCALARS", "data", bytes(301), "301 bytes, outside 0..300"),
    ("SCALARS", "data", 5, "not bytes"),
    ("SCALARS", "data", "text", "not bytes"),
    ("SCALARS", "cell", b"", "0 bytes, outside 5..5"),
    ("SCALARS", "text", "a\0b", "a text with NUL"),
    ("SCALARS", "text", "\ud800", "a text with surrogates"),
    ("SCALARS", "text", b"raw", "not a text"),
    ("SCALARS", "text", "x" * 70001, "70001 bytes, outside"),
    ("SCALARS", "point", None, "has no x"),
    ("SCALARS", "unknown", 7, "not a tuple"),
    ("ARRAYS", "bytes_of", (1, 2, 3, 4, 5), "5 elements, outside"),
    ("ARRAYS", "bytes_of", (256,), "outside"),
    ("ARRAYS", "bytes_of", 7, "not a tuple"),
    ("ARRAYS", "nonzero_bytes", (1, 0), "zero"),
    ("ARRAYS", "shorts", (), "0 elements, outside"),
    ("ARRAYS", "shorts", (0,), "zero"),
    ("ARRAYS", "shorts", (5, 4), "not in rising order"),
    ("ARRAYS", "shorts", (5, 5), "not in rising order"),
    ("ARRAYS", "signed", (0,), "zero"),
    ("ARRAYS", "ids", (bytes(16),), "zeros"),
    ("ARRAYS", "ids", (b"\1" * 15,), "not 16 bytes"),
    ("ARRAYS", "modes", (9,), "no such value"),
    ("ARRAYS", "marks", (2,), "no such flag"),
    ("ARRAYS", "points", (), "0 elements, outside 2..2"),
    ("ARRAYS", "leaves", (None,), "has no id"),
    ("KEPT", "unknown", ((2, b""),), "not an odd tag"),
    ("KEPT", "unknown", ((1, "x"),), "not an odd tag"),
    ("KEPT", "unknown", (7,), "not an odd tag"),
    ("KEPT", "unknown", ((70001, b""),), "not an odd tag"),
    ("KEPT", "unknown", ((1, b""), (1, b"")), "a tag is there twice"),
    ("KEPT", "unknown", ((1, bytes(1019)),), "unknown tags are too long"),
    ("KEPT", "unknown", tuple((2 * n + 1, b"") for n in range(65)), "too many tags"),
    ("RELAYED", "unknown", ((1, b""), (2, b"")), "not an odd tag"),
    ("CHANGING", "level", 65536, "outside"),
    ("CHANGING", "words", "0123456789", "10 bytes, outside"),
    ("CHANGING", "raw", b"1", "not 2 bytes"),
]


@pytest.mark.parametrize(("name", "attribute", "value", "reason"), WRONG)
def test_a_wrong_field_is_refused_by_name(
    name: str, attribute: str, value: Any, reason: str
) -> None:
    """`struct` cuts and pads bytes in silence; what leaves must be what was meant."""
    with pytest.raises(EncodeError, match=reason) as caught:
        codec_at(name, 4).encode(changed(name, **{attribute: value}))
    assert caught.value.path.startswith(attribute)
    assert caught.value.reason in str(caught.value)


def test_a_fault_deep_inside_has_its_whole_path() -> None:
    """Which of five hundred envelopes it was is the whole question."""
    good = record("ARRAYS")
    leaf = msgspec.structs.replace(good.leaves[1], label="")
    with pytest.raises(EncodeError) as caught:
        codec_at("ARRAYS", 4).encode(changed("ARRAYS", leaves=(good.leaves[0], leaf)))
    assert caught.value.path == "leaves[1].label"
    swapped = changed("ARRAYS", leaves=good.leaves[::-1])
    with pytest.raises(EncodeError) as caught:
        codec_at("ARRAYS", 4).encode(swapped)
    assert caught.value.path == "leaves[1]"
    branch = msgspec.structs.replace(record("Branch"), note="x" * 21)
    with pytest.raises(EncodeError) as caught:
        codec_at("SCALARS", 4).encode(changed("SCALARS", branch=branch))
    assert caught.value.path == "branch.note"


def test_too_many_tags_of_both_kinds_are_refused() -> None:
    """The reader counts known and unknown ones together."""
    many = tuple((2 * n + 3001, b"") for n in range(60))
    with pytest.raises(EncodeError, match="too many tags"):
        codec_at("CHANGING", 4).encode(changed("CHANGING", unknown=many))


def test_another_record_is_refused() -> None:
    """Encoding by the wrong table must not make bytes that look right."""
    with pytest.raises(EncodeError, match="has no n"):
        codec_at("KEPT", 4).encode(record("OLD", 1))
    absent = SimpleNamespace(number=1, note=None, unknown=())
    with pytest.raises(EncodeError, match="has no leaf"):
        codec_at("Branch", 1).encode(absent)


def test_an_error_holds_no_value() -> None:
    """It reaches a log, and the value may be a key."""
    words = "very private words"
    with pytest.raises(EncodeError) as caught:
        codec_at("CHANGING", 4).encode(changed("CHANGING", words=words))
    assert words not in str(caught.value)


def test_a_refusal_without_a_fault_is_our_bug() -> None:
    """A fault finder that shrugs would turn a codec's bug into a peer's."""
    shapes = __import__("trial_codec.shapes", fromlist=["KEPT_1"])
    with pytest.raises(AssertionError, match="without a fault"):
        find_fault(shapes.KEPT_1, codec_at("KEPT", 4).encode(record("KEPT")))
    with pytest.raises(AssertionError, match="without a fault"):
        find_record_fault(shapes.KEPT_1, record("KEPT"))


def test_not_expressible_is_an_encode_error() -> None:
    """Who only asks whether it could be sent catches one class."""
    assert issubclass(NotExpressible, EncodeError)
    assert trial().name == "trial"
