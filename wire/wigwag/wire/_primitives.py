"""What the generated codecs share: struct readers, order, tag sections, faults."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from operator import lt
from typing import Any

from wigwag.wire._decode_fault import TAG_HEADER_BYTES
from wigwag.wire._decode_fault import TAGS_MAX as TAGS_MAX
from wigwag.wire._decode_fault import UNKNOWN_TAGS_BYTES_MAX as UNKNOWN_TAGS_BYTES_MAX
from wigwag.wire._decode_fault import find_fault as find_fault
from wigwag.wire._encode_fault import find_record_fault as find_record_fault

UnknownTags = tuple[tuple[int, bytes], ...]

# What reading a wrong body or writing a wrong record runs into. Each is answered by
# naming the fault, so none of them leaves the codec.
DECODE_FAULTS = (struct.error, IndexError, ValueError, KeyError)
ENCODE_FAULTS = (struct.error, ValueError, TypeError, AttributeError)

Struct = struct.Struct
_TAG_HEADER = Struct(">HI")
unpack_tag = _TAG_HEADER.unpack_from
_pack_tag = _TAG_HEADER.pack

NO_TAGS = b"\0"
NO_KNOWN: frozenset[int] = frozenset()


def rising(keys: Sequence[Any]) -> bool:
    """Say whether each key is greater than the one before it."""
    return all(map(lt, keys, keys[1:]))


def skip_tags(body: bytes, pos: int, count: int) -> int:
    """Skip a tag section of a record that knows no tag and keeps none.

    Args:
        body: The body.
        pos: Where the first entry begins.
        count: How many entries there are.

    Returns:
        Where the section ends.

    Raises:
        ValueError: The section breaks a rule; the caller names the fault.
    """
    return keep_tags(body, pos, count)[1]


def keep_tags(body: bytes, pos: int, count: int) -> tuple[UnknownTags, int]:
    """Read a tag section of a record that knows no tag.

    Returns:
        The entries, and where the section ends.

    Raises:
        ValueError: The section breaks a rule; the caller names the fault.
    """
    kept: list[tuple[int, bytes]] = []
    previous, start = 0, pos
    for _ in range(count):
        tag, size = unpack_tag(body, pos)
        value = pos + TAG_HEADER_BYTES
        pos = value + size
        if tag <= previous or not tag & 1 or pos > len(body):
            raise ValueError
        previous = tag
        kept.append((tag, body[value:pos]))
    if count > TAGS_MAX or pos - start > UNKNOWN_TAGS_BYTES_MAX:
        raise ValueError
    return tuple(kept), pos


def tag_section(
    entries: list[tuple[int, bytes]], unknown: UnknownTags, known: frozenset[int]
) -> bytes:
    """Write a tag section.

    Args:
        entries: The known tags that are present, encoded.
        unknown: Kept or greased ones; one that the layout knows is left out, since its
            bytes were never judged.
        known: The tags that the layout knows.

    Raises:
        ValueError: Too many or too long, not odd, or one twice; the caller names it.
    """
    if unknown:
        size = 0
        for tag, value in unknown:
            if not tag & 1:
                raise ValueError
            if tag not in known:
                entries.append((tag, value))
                size += TAG_HEADER_BYTES + len(value)
        numbers = {tag for tag, _ in unknown}
        if size > UNKNOWN_TAGS_BYTES_MAX or len(numbers) != len(unknown):
            raise ValueError
        entries.sort()
    if len(entries) > TAGS_MAX:
        raise ValueError
    parts = [bytes((len(entries),))]
    for tag, value in entries:
        parts += (_pack_tag(tag, len(value)), value)
    return b"".join(parts)
