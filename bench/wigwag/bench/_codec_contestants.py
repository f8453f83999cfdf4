"""Four ways to write and read the same message.

All start from plain values and end with values that can be read: making a record,
a list or a protobuf message counts, and so does reading its fields.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgpack  # pyright: ignore[reportMissingTypeStubs]  # there are none

from wigwag.spec import Reference, product_reference
from wigwag.wire import (
    DRAFT,
    INFO_BY_RECORD,
    Deliver,
    Envelope,
    MessageClass,
    Send,
    decode_message,
    encode_message,
)

BODY_BYTES = 200
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to write and read one message.

    Attributes:
        name: As the table has it.
        encode: Values to bytes.
        decode: Bytes to values, every field read.
        encoded: What `encode` makes.
    """

    name: str
    encode: Callable[[], bytes]
    decode: Callable[[], object]
    encoded: bytes


def sample_send() -> Send:
    """Returns a SEND with one envelope of 200 bytes."""
    alice, bob = bytes([1]) * 16, bytes([2]) * 16
    return Send(
        bytes([3]) * 16,
        bytes(range(1, 17)),
        1,
        bytes(range(17, 33)),
        MessageClass.MESSAGE,
        (alice, bob),
        (Envelope(bob, 1, 0x1234_5678, bytes([7]) * BODY_BYTES),),
    )


def sample_deliver() -> Deliver:
    """Returns the DELIVER of that message."""
    return Deliver(
        1_700_000_000 << 32 | 42,
        1_700_000_000 << 32 | 41,
        bytes([3]) * 16,
        42,
        MessageClass.MESSAGE,
        bytes([1]) * 16,
        1,
        0x1234_5678,
        bytes(range(1, 17)),
        1_700_000_000_123,
        bytes([7]) * BODY_BYTES,
    )


def fast(message: Send | Deliver) -> Contestant:
    """The generated codec, what production runs."""
    type_ = INFO_BY_RECORD[type(message)].type
    encoded = encode_message(message, DRAFT)
    if isinstance(message, Send):
        (envelope,) = message.envelopes
        inner = _arguments(envelope)
        chat, id_, attempt, after, class_, users = _arguments(message)[:6]

        def encode() -> bytes:
            envelopes = (Envelope(*inner),)
            return encode_message(
                Send(chat, id_, attempt, after, class_, users, envelopes), DRAFT
            )
    else:
        values = _arguments(message)

        def encode() -> bytes:
            return encode_message(Deliver(*values), DRAFT)

    return Contestant(
        "fast", encode, lambda: decode_message(type_, DRAFT, encoded), encoded
    )


def reference(message: Send | Deliver) -> Contestant:
    """The interpreted specification, what explains and judges."""
    judge: Reference = product_reference()
    name = INFO_BY_RECORD[type(message)].name
    encoded = encode_message(message, DRAFT)
    values = judge.decode(name, DRAFT, encoded)
    return Contestant(
        "reference",
        lambda: judge.encode(name, DRAFT, values),
        lambda: judge.decode(name, DRAFT, encoded),
        encoded,
    )


def messagepack(message: Send | Deliver) -> Contestant:
    """The fields in an array: MessagePack without names, its shortest form."""
    values: list[object] = list(_arguments(message))
    if isinstance(message, Send):
        values[-1] = [list(_arguments(one)) for one in message.envelopes]
    pack = cast("Callable[[object], bytes]", msgpack.packb)  # pyright: ignore[reportUnknownMemberType]
    unpack = cast("Callable[[bytes], object]", msgpack.unpackb)  # pyright: ignore[reportUnknownMemberType]
    encoded = pack(values)
    return Contestant("msgpack", lambda: pack(values), lambda: unpack(encoded), encoded)


def _arguments(record: Send | Deliver | Envelope) -> tuple[Any, ...]:
    """Returns a record's fields without what it doesn't know."""
    names = [name for name in record.__struct_fields__ if name != "unknown"]
    return tuple(getattr(record, name) for name in names)
