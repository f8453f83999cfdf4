"""What `Connection.next_event` tells."""

from enum import Enum
from typing import Final, Literal, TypeAlias

import msgspec

from wigwag.wire._generated import Message


class Received(msgspec.Struct, frozen=True, gc=False):
    """A message that is legal now, whole and well formed.

    Attributes:
        message: The record; dispatch on its class or on `type`.
        type: Message type number.
        corr: Of a request: pass it back with the answer. Of a response: what
            `send` returned for the request. 0: event or oneway.
        body: The body as it came, without extension and padding: signatures
            of AUTH and REGISTER cover a part of it.
        more: Another response with this `corr` follows.
    """

    message: Message
    type: int
    corr: int
    body: bytes
    more: bool


class RefusalSent(msgspec.Struct, frozen=True, gc=False):
    """A request could not be read, was answered with ERROR; the connection stays.

    For counting only: nothing is left to be done (R-ERR-002).

    Attributes:
        type: Message type number of the request.
        corr: Its number.
        code: Error code that was sent.
        offset: Where in the body, in bytes; -1: not in a body.
    """

    type: int
    corr: int
    code: int
    offset: int


class PeerGoingAway(msgspec.Struct, frozen=True, gc=False):
    """The peer takes no new requests; answers still come. The state is DRAINING.

    Attributes:
        code: Why.
        last_corr: Our last request that the peer handled; later ones were not.
        retry_after_ms: Earliest time to come back; 0: own back-off.
        home: Another address to go to, HOST:PORT, or None.
    """

    code: int
    last_corr: int
    retry_after_ms: int
    home: str | None


class PeerError(msgspec.Struct, frozen=True, gc=False):
    """The peer says why it ends the connection. GOAWAY and the end follow.

    Attributes:
        code: Error code; an unknown one behaves as its class (R-ERR-001).
        message_type: Type of our frame in question; 0: none.
        retry_after_ms: Earliest time to try again; 0: not said.
    """

    code: int
    message_type: int
    retry_after_ms: int


class ConnectionClosed(msgspec.Struct, frozen=True, gc=False):
    """Nothing more comes. The state is CLOSED.

    Attributes:
        by_peer: The stream ended; else we closed (`close_with`, `reject`).
        is_truncated: The stream ended within a frame, which is dropped
            (R-FRAME-015).
    """

    by_peer: bool
    is_truncated: bool


class NeedData(Enum):
    """The one-valued type of `NEED_DATA`."""

    NEED_DATA = "need data"

    def __repr__(self) -> str:
        return "NEED_DATA"


NEED_DATA: Final[Literal[NeedData.NEED_DATA]] = NeedData.NEED_DATA
"""Feed `receive_data`, or answer the HELLO, before anything more can come."""

Event: TypeAlias = (
    Received
    | RefusalSent
    | PeerGoingAway
    | PeerError
    | ConnectionClosed
    | Literal[NeedData.NEED_DATA]
)
