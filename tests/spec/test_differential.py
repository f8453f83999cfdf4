"""The generated codec against the reference: same values, same errors, same offsets."""

# ruff: noqa: ANN401 - values are of any type of the specification

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.spec.codecs import Case, all_cases, plain
from tests.spec.strategies import nearly_right, values

from wigwag.spec._layout import TAG_HEADER_BYTES, layout_at
from wigwag.spec._reference import Refusal
from wigwag.spec._values import Sampler, from_json
from wigwag.wire import DecodeError, Malformed, RequestRefused

CASES = all_cases()
VECTORS = Path(__file__).parents[2] / "spec" / "wigwag" / "spec" / "vectors"
each_layout = pytest.mark.parametrize("case", CASES, ids=str)
quick = settings(deadline=None, max_examples=25)


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
    assert case.fast.decode(body) == record
    assert strict(plain(case.fast.decode(body))) == strict(value)
    again = case.codec.reference.decode(case.name, case.revision, body)
    assert strict(again) == strict(value)
    assert case.fast.body_bytes_min <= len(body) <= case.fast.body_bytes_max


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
