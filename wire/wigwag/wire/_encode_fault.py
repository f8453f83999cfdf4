"""Names the first fault in a record, after the straight-line encoder met one."""

# ruff: noqa: ANN401 - a wrong record may hold anything

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never, cast

from wigwag.wire._codec_errors import EncodeError, NotExpressible
from wigwag.wire._decode_fault import TAG_HEADER_BYTES, TAGS_MAX, UNKNOWN_TAGS_BYTES_MAX
from wigwag.wire._shapes import (
    Bits,
    Blob,
    Choice,
    Flag,
    Items,
    Nested,
    Raw,
    Record,
    Shape,
    Whole,
)

UNKNOWN = "unknown"


def find_record_fault(shape: Record, record: object) -> EncodeError:
    """Return the error for a record that the encoder of this shape refused."""
    try:
        _check_record(shape, record, "")
    except EncodeError as error:
        return error
    raise AssertionError(f"{shape.name}: the encoder refused a record without a fault")


def _attribute(record: object, name: str, path: str) -> Any:
    try:
        return getattr(record, name)
    except AttributeError:
        raise EncodeError(
            path or name, f"a {type(record).__name__} has no {name}"
        ) from None


def _check_record(shape: Record, record: object, path: str) -> None:
    before = f"{path}." if path else ""
    for absent in shape.absent:
        value = _attribute(record, absent.name, path)
        if value != absent.default and not absent.lossy_ok:
            raise NotExpressible(
                f"{before}{absent.name}", "the revision has no such field"
            )
    for field in shape.fields:
        _check(field, _attribute(record, field.name, path), f"{before}{field.name}")
    for tag in shape.tags or ():
        name = tag.shape.name
        value = _attribute(record, name, path)
        if value is None and not tag.needed and tag.default_bytes is None:
            continue
        if tag.default_bytes is None or value != tag.default:
            _check(tag.shape, value, f"{before}{name}")
    if shape.tags is not None:
        _check_unknown(
            shape, _attribute(record, UNKNOWN, path), record, f"{before}{UNKNOWN}"
        )


def _check_unknown(shape: Record, unknown: object, record: object, path: str) -> None:
    if not isinstance(unknown, tuple | list):
        raise EncodeError(path, "not a tuple of (tag, bytes)")
    entries = cast("Sequence[object]", unknown)
    known = {tag.tag for tag in shape.tags or ()}
    count, size, seen = 0, 0, set[int]()
    for entry in entries:
        match entry:
            case (int(number), bytes(value)) if number % 2 and 0 < number <= 0xFFFF:
                if number in seen:
                    raise EncodeError(path, "a tag is there twice")
                seen.add(number)
                if number not in known:
                    count += 1
                    size += TAG_HEADER_BYTES + len(value)
            case _:
                raise EncodeError(path, "not an odd tag and its bytes")
    if size > UNKNOWN_TAGS_BYTES_MAX:
        raise EncodeError(path, "unknown tags are too long")
    for tag in shape.tags or ():
        value = getattr(record, tag.shape.name)
        count += (
            value != tag.default if tag.default_bytes is not None else value is not None
        )
    if count > TAGS_MAX:
        raise EncodeError(path, "too many tags")


def _check(shape: Shape, value: object, path: str) -> None:
    match shape:
        case Whole():
            if not isinstance(value, int):
                raise EncodeError(path, "not a number")
            if not shape.low <= value <= shape.high or (shape.nonzero and not value):
                raise EncodeError(path, f"outside {shape.low}..{shape.high} or zero")
        case Flag():
            if not isinstance(value, bool):
                raise EncodeError(path, "not a bool")
        case Choice():
            if not isinstance(value, int):
                raise EncodeError(path, "not a number")
            if value not in shape.values:
                raise NotExpressible(path, "the revision has no such value")
        case Bits():
            if not isinstance(value, int):
                raise EncodeError(path, "not a number")
            if value & ~shape.mask:
                raise NotExpressible(path, "the revision has no such flag")
        case Raw():
            if not isinstance(value, bytes) or len(value) != shape.width:
                raise EncodeError(path, f"not {shape.width} bytes")
            if shape.nonzero and not any(value):
                raise EncodeError(path, "zeros")
        case Blob():
            _check_blob(shape, value, path)
        case Items():
            _check_items(shape, value, path)
        case Nested(record=record):
            _check_record(record, value, path)
        case _:
            assert_never(shape)


def _check_blob(shape: Blob, value: object, path: str) -> None:
    if shape.is_text:
        if not isinstance(value, str):
            raise EncodeError(path, "not a text")
        try:
            value = value.encode()
        except UnicodeEncodeError:
            raise EncodeError(path, "a text with surrogates") from None
        if b"\0" in value:
            raise EncodeError(path, "a text with NUL")
    if not isinstance(value, bytes):
        raise EncodeError(path, "not bytes")
    if not shape.low <= len(value) <= shape.high:
        raise EncodeError(
            path, f"{len(value)} bytes, outside {shape.low}..{shape.high}"
        )


def _check_items(shape: Items, value: object, path: str) -> None:
    if not isinstance(value, tuple | list):
        raise EncodeError(path, "not a tuple")
    items = cast("Sequence[object]", value)
    if not shape.low <= len(items) <= shape.high:
        raise EncodeError(
            path, f"{len(items)} elements, outside {shape.low}..{shape.high}"
        )
    keys: list[Any] = []
    for index, item in enumerate(items):
        _check(shape.element, item, f"{path}[{index}]")
        if shape.key:
            whole = shape.key == (".",)
            keys.append(
                item if whole else tuple(getattr(item, name) for name in shape.key)
            )
            if index and not keys[-2] < keys[-1]:
                raise EncodeError(f"{path}[{index}]", "not in rising order")
