"""What the generated tables hold about messages, structs, errors and limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

# `type` is a field of MessageInfo, so its annotations need another word for it.
RecordType: TypeAlias = type[msgspec.Struct]


class Layout(msgspec.Struct, frozen=True):
    """One byte layout and its straight-line codec.

    Attributes:
        decode: Body → record. Raises `DecodeError`.
        encode: Record → body. Raises `EncodeError`.
        body_bytes_min: Fewest bytes of a body.
        body_bytes_max: Most bytes of a body, by its fields alone; the limits of the
            state may allow less.
    """

    # One codec takes one record class; the table that holds all of them can't say so.
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]
    body_bytes_min: int
    body_bytes_max: int


class MessageInfo(msgspec.Struct, frozen=True):
    """A message as the specification declares it.

    Attributes:
        type: Number in the frame header.
        replies: Types that answer it.
        errors: Error codes it may be answered with.
        sensitive: Whether some field must never reach a log or a report.
        stored: Whether the server keeps it in an inbox.
        unsolicited: Whether this response may also come without a request.
        record: Its record class.
        layouts: Layout by negotiated revision, a draft's wire number included;
            invariants are under 0 too, for before there is a revision.
    """

    name: str
    type: int
    kind: Literal["request", "response", "event", "oneway"]
    direction: Literal["client", "server", "both"]
    states: frozenset[str]
    replies: tuple[int, ...]
    errors: tuple[int, ...]
    rate_class: str
    idempotency: str
    relay: Literal["opaque", "reencode"]
    stream: bool
    padding: bool
    invariant: bool
    stored: bool
    unsolicited: bool
    sensitive: bool
    requirements: tuple[str, ...]
    record: RecordType
    layouts: Mapping[int, Layout]

    def layout(self, revision: int) -> Layout | None:
        """Return the layout at a negotiated revision, or None if it has none there."""
        return self.layouts.get(revision)


class ErrorInfo(msgspec.Struct, frozen=True):
    """An error code: its class, and what whoever gets it may do."""

    name: str
    code: int
    class_: str
    scope: str
    retry: str
    outcome: str
    fault: str
    doc: str
    action: str


class LimitInfo(msgspec.Struct, frozen=True):
    """A bound that a peer can see, and the range an operator may choose from."""

    name: str
    value: int
    min: int
    max: int
    unit: str
    doc: str


class StateInfo(msgspec.Struct, frozen=True):
    """A connection state and the limit on its frames."""

    name: str
    frame_limit: str
    doc: str


class TimeoutInfo(msgspec.Struct, frozen=True):
    """How long a role stays in a state, and the code it ends with."""

    state: str
    role: Literal["client", "server"]
    limit: str
    error: int


class FeatureInfo(msgspec.Struct, frozen=True):
    """A behaviour that both sides may agree on."""

    name: str
    id: int
    depends: tuple[int, ...]
    doc: str
