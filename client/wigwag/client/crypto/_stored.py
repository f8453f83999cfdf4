"""How state becomes bytes for the store: msgpack arrays that begin with a version."""

from typing import TypeVar

import msgspec

from wigwag.client.crypto._errors import StateDamaged

STATE_VERSION = 1
"""First element of every stored state; a newer build reads older ones."""


class Stored(
    msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False
):
    """Base of the shapes in which state is stored; they may hold secrets."""

    version: int

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


S = TypeVar("S", bound=Stored)


def pack_state(stored: Stored) -> bytes:
    """Write a stored state as one msgpack array."""
    return msgspec.msgpack.encode(stored)


def unpack_state(what: str, data: bytes, shape: type[S]) -> S:
    """Read what `pack_state` wrote.

    Args:
        what: Kind of state, for the error.
        data: The stored bytes.
        shape: What was stored.

    Raises:
        StateDamaged: If the bytes don't have this shape and version.
    """
    try:
        stored = msgspec.msgpack.decode(data, type=shape)
    except msgspec.DecodeError as error:
        raise StateDamaged(what) from error
    if stored.version != STATE_VERSION:
        raise StateDamaged(what)
    return stored
