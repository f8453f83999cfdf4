"""Hypothesis strategies for values of a layout and for bodies that are nearly right."""

# ruff: noqa: ANN401 - values are of any type of the specification

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from tests.spec.codecs import Case

from wigwag.spec._ir import Type
from wigwag.spec._layout import Part, RecordLayout
from wigwag.spec._reference import default_value, number_range

# Enough to meet every branch; more only makes the run longer.
_COUNT_MAX = 4
_BYTES_MAX = 24


def _numbers(low: int, high: int, nonzero: bool) -> st.SearchStrategy[int]:
    edges = [number for number in (low, high, 0, 1) if low <= number <= high]
    numbers = st.one_of(st.integers(low, high), st.sampled_from(edges))
    return numbers.filter(bool) if nonzero else numbers


def _scalar(part: Part, type_: Type, low: int, high: int) -> st.SearchStrategy[Any]:
    if type_.kind == "bool":
        return st.booleans()
    if type_.kind == "raw":
        raw = st.binary(min_size=type_.width, max_size=type_.width)
        return (
            raw.filter(any)
            if part.field.nonzero
            else st.one_of(raw, st.just(bytes(type_.width)))
        )
    if type_.kind == "struct":
        assert part.inner is not None
        return values(part.inner)
    if part.values is not None:
        return st.sampled_from(part.values)
    if part.mask is not None:
        mask = part.mask
        return st.integers(0, 256**type_.width - 1).map(lambda number: number & mask)
    if type_.kind != "integer":
        low, high = number_range(type_)
    return _numbers(low, high, part.field.nonzero)


def _key(part: Part, item: Any, attributes: dict[str, str]) -> Any:
    if part.field.key == (".",):
        return item
    return tuple(item[attributes[name]] for name in part.field.key)


def _array(part: Part) -> st.SearchStrategy[Any]:
    field, element = part.field, part.field.type.element
    assert element is not None
    low, high = number_range(element)
    attributes = (
        {}
        if part.inner is None
        else {inner.field.name: inner.field.attribute for inner in part.inner.parts}
    )
    items = st.lists(
        _scalar(part, element, low, high),
        min_size=field.low,
        max_size=min(field.high, max(field.low, _COUNT_MAX)),
        unique_by=(lambda item: _key(part, item, attributes)) if field.key else None,
    )
    if field.key:
        items = items.map(
            lambda found: sorted(found, key=lambda item: _key(part, item, attributes))
        )
    return items.map(tuple)


def _fit(text: str, low: int, high: int) -> str:
    while len(text.encode()) > high:
        text = text[:-1]
    return text + "." * (low - len(text.encode()))


def value_of(part: Part) -> st.SearchStrategy[Any]:
    """Return values of one field."""
    field, type_ = part.field, part.field.type
    if type_.kind == "array":
        return _array(part)
    top = min(field.high, max(field.low, _BYTES_MAX))
    if type_.kind == "bytes":
        return st.binary(min_size=field.low, max_size=top)
    if type_.kind == "text":
        letters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
        return st.text(letters, max_size=top).map(
            lambda text: _fit(text, field.low, top)
        )
    return _scalar(part, type_, field.low, field.high)


def values(layout: RecordLayout) -> st.SearchStrategy[dict[str, Any]]:
    """Return values of a record as the reference has them."""
    parts: dict[str, st.SearchStrategy[Any]] = {
        field.attribute: st.just(default_value(field)) for field in layout.absent
    }
    parts |= {part.field.attribute: value_of(part) for part in layout.parts}
    for tag in layout.tags:
        value = value_of(tag)
        if tag.field.presence == "optional":
            value = st.one_of(st.just(default_value(tag.field)), value)
        parts[tag.field.attribute] = value
    if layout.has_tags:
        known = {tag.field.number for tag in layout.tags}
        numbers = (
            st.integers(0, 0x7FFF)
            .map(lambda n: 2 * n + 1)
            .filter(lambda n: n not in known)
        )
        entries = st.dictionaries(numbers, st.binary(max_size=9), max_size=2)
        parts["unknown"] = entries.map(lambda found: tuple(sorted(found.items())))
    return st.fixed_dictionaries(parts)


def _change(body: bytes, kind: str, place: int, data: bytes) -> bytes:
    at = place % (len(body) + 1)
    match kind:
        case "set":
            return body[:at] + data[:1] + body[at + 1 :]
        case "insert":
            return body[:at] + data + body[at:]
        case "remove":
            return body[:at] + body[at + len(data) :]
        case "cut":
            return body[:at]
        case "zero":
            return body[:at] + bytes(16) + body[at + 16 :]
        case _:
            return body[:at] + body[at : at + 24] + body[at:]


changes = st.tuples(
    st.sampled_from(["set", "insert", "remove", "cut", "zero", "repeat"]),
    st.integers(0, 2000),
    st.one_of(
        st.sampled_from([b"\0", b"\1", b"\2", b"\x7f", b"\x80", b"\xff"]),
        st.binary(min_size=1, max_size=8),
    ),
)


@st.composite
def nearly_right(draw: st.DrawFn, case: Case) -> bytes:
    """Return a body of a layout with one to three changes."""
    value = draw(values(case.layout.layout))
    body = case.codec.reference.encode(case.name, case.revision, value)
    for kind, place, data in draw(st.lists(changes, min_size=1, max_size=3)):
        body = _change(body, kind, place, data)
    return body
