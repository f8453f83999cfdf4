"""Layouts as data, for naming a fault after the straight-line code met one.

The generated functions only find out *that* bytes or a record are wrong. These shapes,
generated beside them, let one walker say *where*, at no cost to the good case.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Whole(msgspec.Struct, frozen=True):
    """An integer, time, open enum or open flagset: low..high in `width` bytes."""

    name: str
    width: int
    low: int
    high: int
    signed: bool = False
    nonzero: bool = False


class Flag(msgspec.Struct, frozen=True):
    """A bool: one byte, 0 or 1."""

    name: str


class Choice(msgspec.Struct, frozen=True):
    """A closed enum: one of `values`."""

    name: str
    width: int
    values: frozenset[int]


class Bits(msgspec.Struct, frozen=True):
    """A closed flagset: no bit outside `mask`."""

    name: str
    width: int
    mask: int


class Raw(msgspec.Struct, frozen=True):
    """Exactly `width` bytes."""

    name: str
    width: int
    nonzero: bool


class Blob(msgspec.Struct, frozen=True):
    """Length of `prefix` bytes, then low..high bytes; text is UTF-8 without NUL."""

    name: str
    prefix: int
    low: int
    high: int
    is_text: bool


class Items(msgspec.Struct, frozen=True):
    """Count of `prefix` bytes, then low..high elements, strictly rising by `key`.

    `key` is empty for an array in any order, and holds "." for elements that are
    their own key.
    """

    name: str
    prefix: int
    low: int
    high: int
    element: Shape
    key: tuple[str, ...]


class Tag(msgspec.Struct, frozen=True):
    """A known tag: `must` be in bytes read, be `needed` in records written."""

    tag: int
    shape: Shape
    must: bool = False
    needed: bool = False
    default_bytes: bytes | None = None
    default: object = None


class Absent(msgspec.Struct, frozen=True):
    """A field that the revision lacks, and the value that costs nothing to lose."""

    name: str
    default: object
    lossy_ok: bool


class Record(msgspec.Struct, frozen=True):
    """A message or struct; `tags` is None where it has no tag section."""

    name: str
    fields: tuple[Shape, ...]
    tags: tuple[Tag, ...] | None
    absent: tuple[Absent, ...] = ()


class Nested(msgspec.Struct, frozen=True):
    """A struct inside another."""

    name: str
    record: Record


Shape: TypeAlias = Whole | Flag | Choice | Bits | Raw | Blob | Items | Nested
