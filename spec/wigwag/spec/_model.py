"""The declared specification: each construct of the IR beside the table it came from.

The tables are what gives a mistake found later its file and line.
"""

from __future__ import annotations

from dataclasses import dataclass

from wigwag.spec._ir import (
    Draft,
    Enumeration,
    ErrorKind,
    Feature,
    Field,
    FlagSet,
    Limit,
    Message,
    Protocol,
    Release,
    Requirement,
    State,
    Structure,
    Timeout,
    Tombstone,
    Transition,
    Value,
)
from wigwag.spec._locate import Table


@dataclass(frozen=True, slots=True)
class DeclaredField:
    """A field and its table."""

    item: Field
    table: Table


@dataclass(frozen=True, slots=True)
class DeclaredTombstone:
    """A tombstone and its table."""

    item: Tombstone
    table: Table


@dataclass(frozen=True, slots=True)
class DeclaredMessage:
    """A message and the tables of it and its parts."""

    item: Message
    table: Table
    fields: tuple[DeclaredField, ...]
    tombstones: tuple[DeclaredTombstone, ...]


@dataclass(frozen=True, slots=True)
class DeclaredStruct:
    """A struct and the tables of it and its parts."""

    item: Structure
    table: Table
    fields: tuple[DeclaredField, ...]
    tombstones: tuple[DeclaredTombstone, ...]


@dataclass(frozen=True, slots=True)
class DeclaredValue:
    """An enum's value or a flagset's bit and its table."""

    item: Value
    table: Table


@dataclass(frozen=True, slots=True)
class DeclaredEnum:
    """An enum and its tables."""

    item: Enumeration
    table: Table
    values: tuple[DeclaredValue, ...]


@dataclass(frozen=True, slots=True)
class DeclaredFlagSet:
    """A flagset and its tables."""

    item: FlagSet
    table: Table
    bits: tuple[DeclaredValue, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """What the root files and the requirements declare."""

    protocol: Protocol
    releases: tuple[tuple[Release, Table], ...]
    draft: tuple[Draft, Table] | None
    features: tuple[tuple[Feature, Table], ...]
    errors: tuple[tuple[ErrorKind, Table], ...]
    limits: tuple[tuple[Limit, Table], ...]
    states: tuple[tuple[State, Table], ...]
    transitions: tuple[tuple[Transition, Table], ...]
    timeouts: tuple[tuple[Timeout, Table], ...]
    requirements: tuple[tuple[Requirement, Table], ...]

    def limit(self, name: str, default: int) -> int:
        """Return a limit's value, or a default if nobody declared it."""
        return next(
            (limit.value for limit, _ in self.limits if limit.name == name), default
        )

    @property
    def newest_revision(self) -> int:
        """The highest revision declared, the draft's included."""
        numbers = [release.number for release, _ in self.releases]
        return max(numbers + ([self.draft[0].number] if self.draft else []), default=1)


@dataclass(frozen=True, slots=True)
class Model:
    """A whole specification as declared."""

    tables: Tables
    enums: tuple[DeclaredEnum, ...]
    flagsets: tuple[DeclaredFlagSet, ...]
    structs: tuple[DeclaredStruct, ...]
    messages: tuple[DeclaredMessage, ...]
