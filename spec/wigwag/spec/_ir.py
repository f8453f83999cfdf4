"""The resolved specification (IR): what every generator, checker and reader uses.

It is plain data with one canonical JSON text, so that two builds of the same source
give the same bytes and a digest names a protocol.
"""

from __future__ import annotations

import keyword
from hashlib import sha256
from typing import Literal, cast

import msgspec

Kind = Literal["request", "response", "event", "oneway"]
Direction = Literal["client", "server", "both"]
Presence = Literal["required", "asymmetric", "optional"]
Default = bool | int | str | None
TypeKind = Literal[
    "integer", "bool", "raw", "bytes", "text", "array", "enum", "flagset", "struct"
]

# Keys that explain and do not bind: changing them changes no byte and no behaviour.
_WORDS_ONLY = frozenset(
    {"doc", "action", "summary", "requirements", "text", "level", "side"}
)


class RevisionRange(msgspec.Struct, frozen=True):
    """Revisions `first` to `last`, both included; no last means for ever."""

    first: int
    last: int | None = None

    def holds(self, revision: int) -> bool:
        """Say whether the revision lies in the range."""
        return self.first <= revision and (self.last is None or revision <= self.last)

    def covers(self, other: RevisionRange) -> bool:
        """Say whether every revision of the other range lies in this one."""
        if self.last is None:
            return self.first <= other.first
        return (
            self.first <= other.first
            and other.last is not None
            and other.last <= self.last
        )

    def overlaps(self, other: RevisionRange) -> bool:
        """Say whether some revision lies in both."""
        return (other.last is None or self.first <= other.last) and (
            self.last is None or other.first <= self.last
        )

    def __str__(self) -> str:
        if self.last is None:
            return f"{self.first}+"
        return (
            f"{self.first}" if self.last == self.first else f"{self.first}-{self.last}"
        )


ALWAYS = RevisionRange(1)


class Type(msgspec.Struct, frozen=True):
    """A field's type.

    Attributes:
        kind: What the bytes are.
        text: As the source writes it.
        width: Bytes, if every value takes the same number of them; else 0.
        signed: Whether an integer is signed.
        name: Name of the enum, flagset or struct.
        element: Type of an array's elements.
    """

    kind: TypeKind
    text: str
    width: int = 0
    signed: bool = False
    name: str = ""
    element: Type | None = None


class Field(msgspec.Struct, frozen=True):
    """A field over one range of revisions.

    A field whose bounds or presence change has one of these per range, under one
    name and number.

    Attributes:
        number: `ord` of a positional field, else the tag id.
        is_tag: Whether it lives in the tag section.
        low: Least value of an integer, least length in bytes, or least count.
        high: The greatest one; of bytes and text in bytes.
        prefix: Width in bytes of the length or count before the value, or 0.
        nonzero: Whether zeros are refused (in arrays: of each element).
        default: Value of an absent tag and of a revision that lacks the field;
            raw bytes as hexadecimal digits, an enum's as its number.
        has_default: Whether there is a default.
        key: Element fields by which an array is sorted and unique; ("." ,) for the
            element itself.
    """

    name: str
    number: int
    is_tag: bool
    type: Type
    revisions: RevisionRange
    presence: Presence
    low: int = 0
    high: int = 0
    prefix: int = 0
    nonzero: bool = False
    default: Default = None
    has_default: bool = False
    lossy_ok: bool = False
    sensitive: bool = False
    key: tuple[str, ...] = ()
    doc: str = ""

    @property
    def attribute(self) -> str:
        """Name in a record: Python's own words get an underscore."""
        return f"{self.name}_" if keyword.iskeyword(self.name) else self.name


class Tombstone(msgspec.Struct, frozen=True):
    """A number that once was a field and never is again."""

    name: str
    number: int
    is_tag: bool
    reason: str
    revisions: RevisionRange


class Value(msgspec.Struct, frozen=True):
    """A named value of an enum or a named bit of a flagset (0 = lowest)."""

    name: str
    value: int
    revisions: RevisionRange
    doc: str


class Enumeration(msgspec.Struct, frozen=True):
    """A set of numbers with names; an open one may hold others, read as `fallback`."""

    name: str
    width: int
    open: bool
    fallback: str
    values: tuple[Value, ...]
    doc: str


class FlagSet(msgspec.Struct, frozen=True):
    """A number whose bits have names; an open one may have others set."""

    name: str
    width: int
    open: bool
    bits: tuple[Value, ...]
    doc: str


class Structure(msgspec.Struct, frozen=True):
    """A record inside messages; a document is also encoded alone."""

    name: str
    open: bool
    document: bool
    fields: tuple[Field, ...]
    tombstones: tuple[Tombstone, ...]
    doc: str


class Message(msgspec.Struct, frozen=True):
    """A message; its meaning is in WIRE.md §2."""

    name: str
    type: int
    kind: Kind
    direction: Direction
    revisions: RevisionRange
    states: tuple[str, ...]
    replies: tuple[str, ...]
    errors: tuple[str, ...]
    rate_class: str
    idempotency: str
    relay: Literal["opaque", "reencode"]
    stream: bool
    padding: bool
    invariant: bool
    stored: bool
    unsolicited: bool
    requirements: tuple[str, ...]
    fields: tuple[Field, ...]
    tombstones: tuple[Tombstone, ...]
    doc: str


class ErrorKind(msgspec.Struct, frozen=True):
    """An error code and what whoever gets it may do."""

    name: str
    code: int
    class_: str
    scope: str
    retry: str
    outcome: str
    fault: str
    doc: str
    action: str


class Limit(msgspec.Struct, frozen=True):
    """A bound that a peer can see, with the range an operator may choose from."""

    name: str
    value: int
    min: int
    max: int
    unit: str
    doc: str


class State(msgspec.Struct, frozen=True):
    """A connection state."""

    name: str
    frame_limit: str
    doc: str


class Transition(msgspec.Struct, frozen=True):
    """The state after a message in a state, where it changes."""

    state: str
    message: str
    next: str


class Timeout(msgspec.Struct, frozen=True):
    """How long a role stays in a state, and what it says after that."""

    state: str
    role: Literal["client", "server"]
    limit: str
    error: str


class Feature(msgspec.Struct, frozen=True):
    """A behaviour that both sides may agree on."""

    name: str
    id: int
    depends: tuple[str, ...]
    doc: str


class Requirement(msgspec.Struct, frozen=True):
    """One statement that one side must fulfil."""

    id: str
    level: str
    side: Literal["sender", "receiver"]
    text: str


class Release(msgspec.Struct, frozen=True):
    """A frozen revision."""

    number: int
    date: str
    digest: str
    summary: str


class Draft(msgspec.Struct, frozen=True):
    """The revision being worked on; the wire says 0x8000 | build.

    Attributes:
        digest: `digest` of the specification when the build got its number, or "" to
            leave it unwatched.
    """

    number: int
    build: int
    summary: str
    digest: str = ""


class Protocol(msgspec.Struct, frozen=True):
    """What the protocol is called and what never changes."""

    name: str
    alpn: str
    header_bytes: int
    support_window_revisions: int
    grease_low_bits: int
    grease_mask: int
    vendor_ids_from: int
    doc: str


class Specification(msgspec.Struct, frozen=True):
    """A whole protocol, resolved."""

    protocol: Protocol
    releases: tuple[Release, ...]
    draft: Draft | None
    features: tuple[Feature, ...]
    errors: tuple[ErrorKind, ...]
    limits: tuple[Limit, ...]
    states: tuple[State, ...]
    transitions: tuple[Transition, ...]
    timeouts: tuple[Timeout, ...]
    enums: tuple[Enumeration, ...]
    flagsets: tuple[FlagSet, ...]
    structs: tuple[Structure, ...]
    messages: tuple[Message, ...]
    requirements: tuple[Requirement, ...]

    @property
    def newest_revision(self) -> int:
        """The highest revision there is, the draft's number included."""
        numbers = [release.number for release in self.releases]
        return max(numbers + ([self.draft.number] if self.draft else []), default=1)

    @property
    def revisions(self) -> range:
        """All revisions, the draft's number included."""
        return range(1, self.newest_revision + 1)

    def enum(self, name: str) -> Enumeration:
        """Return the enum of that name."""
        return next(enum for enum in self.enums if enum.name == name)

    def flagset(self, name: str) -> FlagSet:
        """Return the flagset of that name."""
        return next(flags for flags in self.flagsets if flags.name == name)

    def struct(self, name: str) -> Structure:
        """Return the struct of that name."""
        return next(struct for struct in self.structs if struct.name == name)

    def message(self, name: str) -> Message:
        """Return the message of that name."""
        return next(message for message in self.messages if message.name == name)

    def limit(self, name: str) -> Limit:
        """Return the limit of that name."""
        return next(limit for limit in self.limits if limit.name == name)

    def error(self, name: str) -> ErrorKind:
        """Return the error of that name."""
        return next(error for error in self.errors if error.name == name)


def canonical_json(specification: Specification) -> bytes:
    """Return the one JSON text of a specification: sorted keys, no spaces."""
    return msgspec.json.encode(specification, order="sorted")


def _binding_part(value: object) -> object:
    if isinstance(value, dict):
        items = cast("dict[str, object]", value)
        return {
            key: _binding_part(item)
            for key, item in items.items()
            if key not in _WORDS_ONLY
        }
    if isinstance(value, list):
        elements = cast("list[object]", value)
        return [_binding_part(item) for item in elements]
    return value


def digest(specification: Specification) -> str:
    """Return SHA-256 (hexadecimal) over all that binds: everything but explanations.

    The draft's build number and digest are left out too, since they follow this one.
    """
    built = msgspec.json.decode(canonical_json(specification))
    if built["draft"] is not None:
        del built["draft"]["build"], built["draft"]["digest"]
    return sha256(msgspec.json.encode(_binding_part(built), order="sorted")).hexdigest()
