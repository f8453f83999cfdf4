"""Bytes ↔ records: the entry points of the codec.

Hot paths take a whole table once (`decoders`, `encoders`) and call its functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast

from msgspec import Struct

from wigwag.wire._codec_errors import CodecError
from wigwag.wire._generated import ERRORS, INFO_BY_RECORD, MESSAGES, STRUCTS, Message
from wigwag.wire._message_info import Layout

AnyStruct = TypeVar("AnyStruct", bound=Struct)

# The high nibble of a code; what an unknown code still says (R-ERR-001).
_CLASSES = {
    1: "connection_fatal",
    2: "permanent",
    3: "retryable",
    4: "auth",
    5: "slow_down",
}
_CLASS_SHIFT = 12
# As many tables as a process can meet: every released revision and the draft.
_TABLES_MAX = 64


class NoLayout(CodecError):  # noqa: N818 - a fact, as the others
    """The message or struct does not exist at the revision."""


def _message_layout(type_: int, revision: int) -> Layout:
    info = MESSAGES.get(type_)
    layout = None if info is None else info.layout(revision)
    if layout is None:
        raise NoLayout(f"type {type_} does not exist at revision {revision:#x}")
    return layout


def decode_message(type_: int, revision: int, body: bytes) -> Message:
    """Return the record of a body.

    Args:
        type_: From the frame header.
        revision: As negotiated, a draft's wire number included; 0 for invariants
            before there is one.
        body: Without extension and padding.

    Raises:
        NoLayout: There is no such type at that revision.
        Malformed: The bytes are none of its; the connection can't go on.
        RequestRefused: The request asks for what this side does not take.
    """
    return cast("Message", _message_layout(type_, revision).decode(body))


def encode_message(record: Message, revision: int) -> bytes:
    """Return the body of a message at a revision.

    Raises:
        NoLayout: The message does not exist at that revision.
        NotExpressible: It says more than the revision can.
        EncodeError: It breaks its own layout: our bug.
    """
    return _message_layout(INFO_BY_RECORD[type(record)].type, revision).encode(record)


def _struct_layout(cls: type[Struct], revision: int) -> Layout:
    layout = STRUCTS.get(cls, {}).get(revision)
    if layout is None:
        raise NoLayout(f"{cls.__name__} does not exist at revision {revision:#x}")
    return layout


def decode_struct(cls: type[AnyStruct], data: bytes, revision: int = 0) -> AnyStruct:
    """Return the struct that `data` holds alone, such as a signed document.

    Args:
        cls: Its record class.
        data: All of its bytes and no more.
        revision: As negotiated; 0 is the newest, which documents are the same in.

    Raises:
        NoLayout: The struct does not exist at that revision.
        DecodeError: The bytes are none of its.
    """
    return cast("AnyStruct", _struct_layout(cls, revision).decode(data))


def encode_struct(record: Struct, revision: int = 0) -> bytes:
    """Return the bytes of a struct alone.

    Raises:
        NoLayout: The struct does not exist at that revision.
        NotExpressible: It says more than the revision can.
        EncodeError: It breaks its own layout: our bug.
    """
    return _struct_layout(type(record), revision).encode(record)


@lru_cache(maxsize=_TABLES_MAX)
def decoders(revision: int) -> Mapping[int, Callable[[bytes], Any]]:
    """Return the decode functions of all types at a revision, cached."""
    found = ((type_, info.layout(revision)) for type_, info in MESSAGES.items())
    return {type_: layout.decode for type_, layout in found if layout is not None}


@lru_cache(maxsize=_TABLES_MAX)
def encoders(revision: int) -> Mapping[type[Struct], Callable[[Any], bytes]]:
    """Return the encode functions of all records at a revision, cached."""
    found = ((info.record, info.layout(revision)) for info in MESSAGES.values())
    return {record: layout.encode for record, layout in found if layout is not None}


def error_class(code: int) -> str:
    """Return the class of an error code, known or not, by its high nibble.

    An unknown nibble counts as permanent: repeating would not help (R-ERR-001).
    """
    known = ERRORS.get(code)
    return (
        known.class_
        if known is not None
        else _CLASSES.get(code >> _CLASS_SHIFT, "permanent")
    )
