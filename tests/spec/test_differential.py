"""The generated codec against the reference: same values, same errors, same offsets."""

# ruff: noqa: ANN401 - values are of any type of the specification

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.spec.codecs import Case, all_cases, plain
from tests.spec.strategies import nearly_right, values

from wigwag.spec._layout import TAG_HEADER_BYTES, layout_at
from wigwag.spec._reference import Refusal
from wigwag.spec._strict import Unwritable, Window
from wigwag.spec._values import Sampler, from_json
from wigwag.wire import DecodeError, EncodeError, Malformed, RequestRefused

CASES = all_cases()
VECTORS = Path(__file__).parents[2] / "spec" / "wigwag" / "spec" / "vectors"
each_layout = pytest.mark.parametrize("case", CASES, ids=str)
# A machine that is busy with the other tests is slow, which says nothing of the codec.
quick = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)


def reference_outcome(case: Case, body: bytes) -> Any:
    """Return the reference's value, or what it says of the fault."""
    try:
        return case.codec.reference.decode(case.name, case.revision, body)
    except Refusal as refusal:
        kind = Malformed if refusal.closes else RequestRefused
        return kind, refusal.code, refusal.offset


def fast_outcome(case: Case, body: bytes) -> Any:
    """Return the generated codec's value, or what it says of the fault."""
    try:
        return plain(case.fast.decode(body))
    except DecodeError as error:
        return type(error), error.code, error.offset


@each_layout
@quick
@given(data=st.data())
def test_values_make_the_same_bytes_and_come_back(
    case: Case, data: st.DataObject
) -> None:
    """Two codecs that disagree on one value are two protocols."""
    value = data.draw(values(case.layout.layout))
    body = case.codec.reference.encode(case.name, case.revision, value)
    record = case.codec.record(case.name, value)
    assert case.fast.encode(record) == body
    if not case.layout.layout.keeps_unknown:
        value = without_unknown(value)
    assert case.fast.decode(body) == case.codec.record(case.name, value)
    assert strict(plain(case.fast.decode(body))) == strict(value)
    again = case.codec.reference.decode(case.name, case.revision, body)
    assert strict(again) == strict(value)
    assert case.fast.body_bytes_min <= len(body) <= case.fast.body_bytes_max


def without_unknown(value: Any) -> Any:
    """Return a value as a reader has it that keeps no unknown tag, at any depth."""
    match value:
        case dict():
            items = cast("dict[str, Any]", value)
            return {
                key: () if key == "unknown" else without_unknown(item)
                for key, item in items.items()
            }
        case tuple():
            return tuple(map(without_unknown, cast("Sequence[Any]", value)))
        case _:
            return value


def strict(value: Any) -> str:
    """Return a text that tells True from 1 and doesn't depend on the order of keys."""
    match value:
        case dict():
            items = cast("dict[str, Any]", value)
            return repr(sorted((key, strict(item)) for key, item in items.items()))
        case tuple():
            return repr([strict(item) for item in cast("Sequence[Any]", value)])
        case _:
            return repr(value)


@each_layout
@quick
@given(data=st.data())
def test_wrong_bytes_get_the_same_verdict(case: Case, data: st.DataObject) -> None:
    """The connection acts on class and code, a person on the offset; both must hold."""
    body = data.draw(nearly_right(case))
    expected = reference_outcome(case, body)
    assert fast_outcome(case, body) == expected
    if isinstance(expected, dict):
        again = cast("dict[str, Any]", expected)
        rewritten = case.fast.encode(case.codec.record(case.name, again))
        assert rewritten == case.codec.reference.encode(case.name, case.revision, again)
        # Skipped tags are the only thing that reading may drop.
        assert rewritten == body or len(rewritten) < len(body)


@each_layout
@quick
@given(body=st.binary(max_size=200))
def test_noise_gets_the_same_verdict(case: Case, body: bytes) -> None:
    """Any bytes at all are a value or a typed error."""
    assert fast_outcome(case, body) == reference_outcome(case, body)


@each_layout
@pytest.mark.parametrize("full", [True, False], ids=["full", "least"])
def test_every_cut_and_every_byte_gets_the_same_verdict(case: Case, full: bool) -> None:
    """Chance misses single bytes; this does not."""
    value = Sampler(case.codec.specification, full).record(case.layout.layout)
    body = case.codec.reference.encode(case.name, case.revision, value)
    step = max(1, len(body) // 200)
    for place in range(0, len(body), step):
        changed = [body[:place], body[:place] + b"\xff" + body[place:]]
        changed += [
            body[:place] + bytes((byte,)) + body[place + 1 :] for byte in (0, 1, 2, 255)
        ]
        for wrong in changed:
            assert fast_outcome(case, wrong) == reference_outcome(case, wrong), (
                place,
                wrong.hex(),
            )


def entry(number: int, data: bytes, size: int | None = None) -> bytes:
    """Return a tag's entry, perhaps with a length that is wrong."""
    length = len(data) if size is None else size
    return number.to_bytes(2, "big") + length.to_bytes(4, "big") + data


UNKNOWN = 0x7001
SECTIONS = {
    "one": b"\1" + entry(UNKNOWN, b"x"),
    "empty-value": b"\1" + entry(UNKNOWN, b""),
    "two": b"\2" + entry(UNKNOWN, b"x") + entry(UNKNOWN + 2, b"y"),
    "twice": b"\2" + entry(UNKNOWN, b"x") + entry(UNKNOWN, b"y"),
    "falling": b"\2" + entry(UNKNOWN + 2, b"x") + entry(UNKNOWN, b"y"),
    "critical": b"\1" + entry(UNKNOWN + 1, b"x"),
    "critical-and-too-long": b"\1" + entry(UNKNOWN + 1, b"", 9),
    "zero": b"\1" + entry(0, b""),
    "too-long": b"\1" + entry(UNKNOWN, b"x", 2),
    "half-header": b"\1\x70\x01",
    "fewer-than-counted": b"\2" + entry(UNKNOWN, b"x"),
    "more-than-counted": b"\1" + entry(UNKNOWN, b"x") + entry(UNKNOWN + 2, b"y"),
    "most-bytes": b"\1" + entry(UNKNOWN, bytes(1018)),
    "too-many-bytes": b"\1" + entry(UNKNOWN, bytes(1019)),
    "too-many-bytes-in-two": b"\2"
    + entry(UNKNOWN, bytes(600))
    + entry(UNKNOWN + 2, bytes(600)),
    "most": b"\x40" + b"".join(entry(UNKNOWN + 2 * n, b"") for n in range(64)),
    "too-many": b"\x41" + b"".join(entry(UNKNOWN + 2 * n, b"") for n in range(65)),
}


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.layout.layout.has_tags], ids=str
)
def test_every_tag_situation_gets_the_same_verdict(case: Case) -> None:
    """Other protocols' readers treat a known tag in an unknown place in three ways."""
    layout = case.layout.layout
    value = Sampler(case.codec.specification, full=False).record(layout)
    body = case.codec.reference.encode(case.name, case.revision, value)
    has_none = all(tag.field.presence == "optional" for tag in layout.tags)
    before = body[:-1] if has_none else body
    for label, section in SECTIONS.items():
        outcome = fast_outcome(case, before + section)
        assert outcome == reference_outcome(case, before + section), label
        if has_none and label in ("one", "empty-value", "two", "most", "most-bytes"):
            assert isinstance(outcome, dict), label
            kept = cast("dict[str, Any]", outcome)["unknown"]
            assert bool(kept) is layout.keeps_unknown
        else:
            assert isinstance(outcome, tuple), label


NUMBERS: tuple[Any, ...] = (-1, 0, 1, 2**63, 2**70)
RAWS: tuple[Any, ...] = (b"", bytes(16), b"\1" * 16, bytes(70_000))
TEXTS: tuple[Any, ...] = ("", "\0", "\ud800", "x" * 70_000)
LISTS: tuple[Any, ...] = (
    (),
    (None,),
    (0,),
    (2, 1),
    (1, 1),
    (-1,),
    (b"",),
    (bytes(16),),
)
ODD_ONES: tuple[Any, ...] = (None, object(), tuple(range(1025)))
WRONG_VALUES = NUMBERS + RAWS + TEXTS + LISTS + ODD_ONES


def fast_written(case: Case, name: str, record: Any) -> bytes | None:
    """Return the bytes of a record, None if it is refused by the attribute's name."""
    try:
        return bytes(case.fast.encode(record))
    except EncodeError as error:
        return None if error.path.startswith(name) else error.path.encode()


def reference_written(case: Case, value: dict[str, Any]) -> bytes | None:
    """Return the bytes of a value, None if it is refused."""
    try:
        return case.codec.reference.encode(case.name, case.revision, value)
    except Unwritable:
        return None


@each_layout
@pytest.mark.parametrize("full", [True, False], ids=["full", "least"])
def test_wrong_records_are_refused_as_the_reference_refuses_values(
    case: Case, full: bool
) -> None:
    """What an encoder lets pass, the peer's decoder answers by closing."""
    value = Sampler(case.codec.specification, full).record(case.layout.layout)
    good = case.codec.record(case.name, value)
    arrays = {
        field.attribute for field in case.owner.fields if field.type.kind == "array"
    }
    for name in value:
        for wrong in WRONG_VALUES:
            # Bytes are a sequence of numbers, which is enough for an array, and no tags
            # may be said in many ways. A type checker sees both.
            if name in arrays and isinstance(wrong, bytes | str):
                continue
            same = wrong or () if name == "unknown" else wrong
            record = msgspec.structs.replace(good, **{name: wrong})
            expected = reference_written(case, {**value, name: same})
            assert fast_written(case, name, record) == expected, (name, wrong)


def spoilt(value: Any) -> Iterator[Any]:
    """Yield values that are wrong somewhere inside, at every depth."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            for wrong in spoilt(getattr(value, name)):
                yield msgspec.structs.replace(value, **{name: wrong})
    elif isinstance(value, tuple) and value:
        items = tuple(cast("Sequence[Any]", value))
        yield items[::-1]
        yield (items[0],) * len(items)
        for wrong in spoilt(items[-1]):
            yield (*items[:-1], wrong)
    yield from (None, 0, b"", bytes(16), 2**64)


@each_layout
def test_records_that_are_wrong_inside_are_refused_or_right(case: Case) -> None:
    """The deepest field of the last element counts as much as the first."""
    value = Sampler(case.codec.specification, full=True).record(case.layout.layout)
    good = case.codec.record(case.name, value)
    for wrong in spoilt(good):
        if not isinstance(wrong, msgspec.Struct):
            continue
        try:
            body = case.fast.encode(wrong)
        except EncodeError:
            continue
        # What was written can be read, so no wrong value was.
        assert isinstance(fast_outcome(case, body), dict)


@each_layout
def test_every_value_spoilt_in_place_gets_the_same_verdict(case: Case) -> None:
    """Zeros, ones and an element's bytes in its neighbour: ids, bounds, keys."""
    value = Sampler(case.codec.specification, full=True).record(case.layout.layout)
    body = case.codec.reference.encode(case.name, case.revision, value)
    window = Window(body)
    case.codec.reference.construct(case.name, case.revision).parse_stream(window)
    wrongs = [
        body[:first] + filling * (last - first) + body[last:]
        for first, last, _ in window.spans
        for filling in (b"\0", b"\xff")
    ]
    elements = {
        path[: path.rindex("]") + 1] for *_, path in window.spans if "]" in path
    }
    for element in elements:
        first, last = extent(window, element)
        near = extent(window, element.removesuffix("[1]") + "[0]")
        wrongs.append(body[:first] + body[near[0] : near[1]] + body[last:])
    for wrong in wrongs:
        assert fast_outcome(case, wrong) == reference_outcome(case, wrong), wrong.hex()


def extent(window: Window, element: str) -> tuple[int, int]:
    """Return where an element's values begin and end; nowhere if there is none."""
    spans = [span for span in window.spans if span[2].startswith(element)]
    return min((span[0] for span in spans), default=0), max(
        (span[1] for span in spans), default=0
    )


@each_layout
def test_layout_sizes_are_those_of_the_specification(case: Case) -> None:
    """A frame is refused from its header by the largest size, so it must be right."""
    layout = layout_at(case.owner, case.revision, case.codec.specification)
    assert (case.fast.body_bytes_min, case.fast.body_bytes_max) == (
        layout.smallest,
        layout.largest,
    )
    least = Sampler(case.codec.specification, full=False).record(layout)
    written = len(case.codec.reference.encode(case.name, case.revision, least))
    # What writers must send and readers may lack is not in the smallest body read.
    lacking = sum(
        TAG_HEADER_BYTES + tag.smallest
        for tag in layout.tags
        if tag.field.presence == "asymmetric"
    )
    assert written == layout.smallest + lacking


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.codec.name == "product"], ids=str
)
def test_golden_vectors_hold(case: Case) -> None:
    """What was once agreed stays what the bytes mean."""
    name = case.codec.catalogue.layout_name(case.layout.layout).rsplit("_", 1)[0]
    content = json.loads((VECTORS / f"{name}.json").read_text())
    for layout in content["layouts"]:
        assert layout["vectors"]
        for vector in layout["vectors"]:
            body = bytes.fromhex(vector["wire"])
            outcome = fast_outcome(case, body)
            if vector["result"] == "valid":
                value = from_json(case.layout.layout, vector["value"])
                assert outcome == value
                assert case.fast.encode(case.codec.record(case.name, value)) == body
            else:
                kind = Malformed if vector["closes"] else RequestRefused
                assert outcome == (kind, vector["code"], vector["offset"])
