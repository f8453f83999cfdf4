"""Values of the reference as JSON, and sample values made from a layout alone."""

# ruff: noqa: ANN401 - values are of any type of the specification

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, cast

from wigwag.spec._ir import Specification, Type
from wigwag.spec._layout import Part, RecordLayout
from wigwag.spec._reference import default_value, number_range

# Two of each are enough to see order and separation.
_SAMPLE_COUNT = 2
_SAMPLE_BYTES = 12


def to_json(layout: RecordLayout, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value with bytes as hexadecimal digits; absent fields are left out."""
    shown: dict[str, Any] = {
        part.field.attribute: _item_to_json(part, value[part.field.attribute])
        for part in (*layout.parts, *layout.tags)
        if value[part.field.attribute] is not None
    }
    if value.get("unknown"):
        shown["unknown"] = [[number, data.hex()] for number, data in value["unknown"]]
    return shown


def _item_to_json(part: Part, value: Any) -> Any:
    if part.field.type.kind == "array":
        return [_scalar_to_json(part, item) for item in value]
    return _scalar_to_json(part, value)


def _scalar_to_json(part: Part, value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        assert part.inner is not None
        return to_json(part.inner, cast("Mapping[str, Any]", value))
    return value


def from_json(layout: RecordLayout, shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value that `to_json` wrote."""
    value: dict[str, Any] = {
        field.attribute: default_value(field) for field in layout.absent
    }
    for part in (*layout.parts, *layout.tags):
        name = part.field.attribute
        value[name] = (
            _item_from_json(part, shown[name])
            if name in shown
            else default_value(part.field)
        )
    if layout.has_tags:
        unknown = cast("list[tuple[int, str]]", shown.get("unknown", []))
        value["unknown"] = tuple(
            (number, bytes.fromhex(data)) for number, data in unknown
        )
    return value


def _item_from_json(part: Part, shown: Any) -> Any:
    type_ = part.field.type
    if type_.element is not None:
        return tuple(_scalar_from_json(part, type_.element, item) for item in shown)
    return _scalar_from_json(part, type_, shown)


def _scalar_from_json(part: Part, type_: Type, shown: Any) -> Any:
    if type_.kind in ("raw", "bytes"):
        return bytes.fromhex(shown)
    if type_.kind == "struct":
        assert part.inner is not None
        return from_json(part.inner, shown)
    return shown


def _digest(path: str) -> bytes:
    return sha256(path.encode()).digest()


def _bytes(path: str, size: int) -> bytes:
    blocks = (_digest(f"{path}#{block}") for block in range(size // 32 + 1))
    return b"".join(blocks)[:size]


class Sampler:
    """Makes the same sample of a layout each time: all fields, or the fewest bytes."""

    def __init__(self, specification: Specification, full: bool) -> None:
        self._specification = specification
        self._full = full

    def record(self, layout: RecordLayout, path: str = "") -> dict[str, Any]:
        """Return a value of a record."""
        value: dict[str, Any] = {
            field.attribute: default_value(field) for field in layout.absent
        }
        for part in layout.parts:
            value[part.field.attribute] = self._value(part, f"{path}.{part.field.name}")
        for tag in layout.tags:
            present = self._full or tag.field.presence != "optional"
            sample = self._value(tag, f"{path}.{tag.field.name}") if present else None
            default = default_value(tag.field)
            value[tag.field.attribute] = default if sample is None else sample
        if layout.has_tags:
            known = {tag.field.number for tag in layout.tags}
            keeps = layout.keeps_unknown and self._full
            later = ((max(known, default=0) | 1) + 2, b"later")
            value["unknown"] = (later,) if keeps else ()
        return value

    def _value(self, part: Part, path: str) -> Any:
        field, type_ = part.field, part.field.type
        if type_.kind == "bytes":
            return _bytes(path, self._size(field.low, field.high))
        if type_.kind == "text":
            return _digest(path).hex()[: self._size(field.low, field.high)]
        if type_.element is None:
            return self._scalar(part, type_, path, field.low, field.high)
        element = type_.element
        low, high = number_range(element)
        wanted = (
            min(field.high, max(field.low, _SAMPLE_COUNT)) if self._full else field.low
        )
        items = [
            self._scalar(part, element, f"{path}[{index}]", low, high)
            for index in range(wanted)
        ]
        return tuple(self._ordered(part, items))

    def _ordered(self, part: Part, items: list[Any]) -> Iterable[Any]:
        key = part.field.key
        if not key:
            return items
        if key == (".",):
            return sorted(items)
        element = part.field.type.element
        assert element is not None
        fields = {
            field.name: field.attribute
            for field in self._specification.struct(element.name).fields
        }
        return sorted(items, key=lambda item: tuple(item[fields[name]] for name in key))

    def _size(self, low: int, high: int) -> int:
        return min(high, max(low, _SAMPLE_BYTES)) if self._full else low

    def _scalar(self, part: Part, type_: Type, path: str, low: int, high: int) -> Any:
        number = int.from_bytes(_digest(path), "big")
        if type_.kind == "raw":
            return _bytes(path, type_.width)
        if type_.kind == "bool":
            return self._full
        if type_.kind == "struct":
            assert part.inner is not None
            return self.record(part.inner, path)
        if part.values is not None:
            return part.values[number % len(part.values)]
        if part.mask is not None:
            return number & part.mask
        if type_.kind != "integer":
            return self._named(type_, number)
        value = low + number % (high - low + 1)
        return value or 1 if part.field.nonzero else value

    def _named(self, type_: Type, number: int) -> int:
        if type_.kind == "flagset":
            bits = self._specification.flagset(type_.name).bits
            return 1 << bits[number % len(bits)].value
        values = self._specification.enum(type_.name).values
        return values[number % len(values)].value
