"""Names the first fault in a body, after the straight-line decoder met one.

The rules, the same in the reference (`wigwag.spec`) and in every other implementation:

- Fields are judged in wire order, each wholly before the next (R-VALUE-014). The offset
  is where the field, its length prefix, the array's element or the tag's entry begins.
- Too few bytes, a bool that is neither 0 nor 1, zeros where an id is due, disorder, a
  duplicate, a default that is present, a required tag that is not, too many or too long
  tags, and leftover bytes are MALFORMED.
- A number, length or count outside its bounds is LIMIT, judged before the bytes that it
  counts are looked for; an unknown value of a closed enum or flagset is UNSUPPORTED;
  bad text is INVALID_TEXT. These three concern one request.
- An unknown even tag is UNKNOWN_CRITICAL, judged before its length.
"""

from __future__ import annotations

from typing import NoReturn, assert_never

from wigwag.wire._codec_errors import DecodeError, Malformed, RequestRefused
from wigwag.wire._generated.errors import ErrorCode
from wigwag.wire._generated.limits import LIMITS
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
    Tag,
    Whole,
)

TAGS_MAX = LIMITS["tags_max"].value
UNKNOWN_TAGS_BYTES_MAX = LIMITS["unknown_tags_bytes_max"].value
TAG_HEADER_BYTES = 6


def find_fault(shape: Record, body: bytes) -> DecodeError:
    """Return the error for a body that the decoder of this shape refused."""
    try:
        end = _Walk(body).record(shape, 0, len(body))
        if end != len(body):
            _malformed(end, "bytes are left over")
    except DecodeError as error:
        return error
    raise AssertionError(f"{shape.name}: the decoder refused a body without a fault")


def _malformed(offset: int, reason: str) -> NoReturn:
    raise Malformed(ErrorCode.MALFORMED, offset, reason)


def _refuse(code: ErrorCode, offset: int, reason: str) -> NoReturn:
    raise RequestRefused(code, offset, reason)


class _Walk:
    """One pass over a body; every method returns where the next value begins."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def _number(self, offset: int, width: int, end: int, signed: bool = False) -> int:
        if offset + width > end:
            _malformed(offset, "the body ends within a value")
        return int.from_bytes(self._body[offset : offset + width], "big", signed=signed)

    def record(self, record: Record, offset: int, end: int) -> int:
        for shape in record.fields:
            offset = self._shape(shape, offset, end)
        return offset if record.tags is None else self._tags(record.tags, offset, end)

    def _shape(self, shape: Shape, offset: int, end: int) -> int:
        match shape:
            case Whole() | Flag() | Choice() | Bits() | Raw():
                return self._fixed(shape, offset, end)
            case Blob():
                return self._blob(shape, offset, end)
            case Items():
                return self._items(shape, offset, end)
            case Nested(record=record):
                return self.record(record, offset, end)
            case _:
                assert_never(shape)

    def _fixed(
        self, shape: Whole | Flag | Choice | Bits | Raw, offset: int, end: int
    ) -> int:
        match shape:
            case Whole(width=width):
                value = self._number(offset, width, end, shape.signed)
                if shape.nonzero and not value:
                    _malformed(offset, "zero where it must not be")
                if not shape.low <= value <= shape.high:
                    _refuse(ErrorCode.LIMIT, offset, "a number is out of bounds")
            case Flag():
                width = 1
                if self._number(offset, 1, end) > 1:
                    _malformed(offset, "a bool is neither 0 nor 1")
            case Choice(width=width):
                if self._number(offset, width, end) not in shape.values:
                    _refuse(ErrorCode.UNSUPPORTED, offset, "an unknown value")
            case Bits(width=width):
                if self._number(offset, width, end) & ~shape.mask:
                    _refuse(ErrorCode.UNSUPPORTED, offset, "an unknown flag")
            case Raw(width=width):
                if not self._number(offset, width, end) and shape.nonzero:
                    _malformed(offset, "zeros where an id or key is due")
            case _:
                assert_never(shape)
        return offset + width

    def _size(self, shape: Blob | Items, offset: int, end: int) -> int:
        size = self._number(offset, shape.prefix, end)
        if not shape.low <= size <= shape.high:
            _refuse(ErrorCode.LIMIT, offset, "a length or count is out of bounds")
        return size

    def _blob(self, shape: Blob, offset: int, end: int) -> int:
        start = offset + shape.prefix
        following = start + self._size(shape, offset, end)
        if following > end:
            _malformed(offset, "a length runs past the end")
        if shape.is_text:
            try:
                text = self._body[start:following].decode()
            except UnicodeDecodeError:
                text = "\0"
            if "\0" in text:
                _refuse(ErrorCode.INVALID_TEXT, offset, "not UTF-8 without NUL")
        return following

    def _items(self, shape: Items, offset: int, end: int) -> int:
        count = self._size(shape, offset, end)
        offset += shape.prefix
        previous: tuple[bytes, ...] | None = None
        for _ in range(count):
            following = self._shape(shape.element, offset, end)
            if shape.key:
                key = self._key(shape, offset, following)
                if previous is not None and key <= previous:
                    _malformed(offset, "elements are not in rising order")
                previous = key
            offset = following
        return offset

    def _key(self, shape: Items, offset: int, following: int) -> tuple[bytes, ...]:
        """Return an element's key as bytes, which sort like the values they encode."""
        if not isinstance(shape.element, Nested):
            return (self._body[offset:following],)
        parts: dict[str, bytes] = {}
        for field in shape.element.record.fields:
            end = self._shape(field, offset, following)
            parts[field.name] = self._body[offset:end]
            offset = end
        return tuple(parts[name] for name in shape.key)

    def _tags(self, tags: tuple[Tag, ...], offset: int, end: int) -> int:
        start = offset
        count = self._number(offset, 1, end)
        if count > TAGS_MAX:
            _malformed(offset, "too many tags")
        offset += 1
        known = {tag.tag: tag for tag in tags}
        seen: set[int] = set()
        previous, unknown_bytes = -1, 0
        for _ in range(count):
            self._number(offset, TAG_HEADER_BYTES, end)
            number = self._number(offset, 2, end)
            if number <= previous:
                _malformed(offset, "tags are not in rising order")
            if number not in known and number % 2 == 0:
                raise Malformed(
                    ErrorCode.UNKNOWN_CRITICAL, offset, "an unknown critical tag"
                )
            value = offset + TAG_HEADER_BYTES
            following = value + self._number(offset + 2, 4, end)
            if following > end:
                _malformed(offset + 2, "a tag runs past the end")
            if number in known:
                self._tag(known[number], value, following)
            else:
                unknown_bytes += following - offset
                if unknown_bytes > UNKNOWN_TAGS_BYTES_MAX:
                    _malformed(offset, "unknown tags are too long")
            seen.add(number)
            previous, offset = number, following
        if any(tag.must and tag.tag not in seen for tag in tags):
            _malformed(start, "a required tag is missing")
        return offset

    def _tag(self, tag: Tag, offset: int, end: int) -> None:
        following = self._shape(tag.shape, offset, end)
        if following != end:
            _malformed(following, "bytes are left over in a tag")
        if self._body[offset:end] == tag.default_bytes:
            _malformed(offset, "a default value is present")
