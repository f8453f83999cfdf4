"""How state becomes bytes for the store: msgpack arrays that begin with a version."""

from typing import TypeVar

import msgspec

from wigwag.client.crypto._errors import StateDamaged

STATE_VERSION = 1
"""First element of every stored state; a newer build reads older ones."""

T = TypeVar("T")


def pack_state(*values: object) -> bytes:
    """Write values, behind the version, as one msgpack array."""
    return msgspec.msgpack.encode((STATE_VERSION, *values))


def unpack_state(what: str, data: bytes, shape: type[T]) -> T:
    """Read what `pack_state` wrote.

    Args:
        what: Kind of state, for the error.
        data: The stored bytes.
        shape: A `tuple[int, …]` type; its first element is the version.

    Raises:
        StateDamaged: If the bytes don't have this shape and version.
    """
    try:
        values = msgspec.msgpack.decode(data, type=shape)
    except msgspec.DecodeError as error:
        raise StateDamaged(what) from error
    assert isinstance(values, tuple)  # every shape is one
    if values[0] != STATE_VERSION:
        raise StateDamaged(what)
    return values
