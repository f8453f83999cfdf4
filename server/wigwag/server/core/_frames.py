"""The frames of inbox entries, built once when the entry is made.

A delivery is then nothing but writing stored bytes. The three layouts are written
out here because this is the server's hottest line; a test holds each, byte for
byte, to the generated codec. Every entry begins with its position and `prev`, so
renumbering an entry replaces sixteen bytes.
"""

from struct import Struct

from wigwag.server.core._values import (
    Chat,
    Device,
    MessageId,
    Position,
    User,
)

DELIVER = 96
MISSED = 100
UNDELIVERED = 102

HEADER_BYTES = 12
_PLACE_END = HEADER_BYTES + 16

# The header (length, type, flags, ext_len, corr), then the fields in order.
_DELIVER = Struct(">IHBBI QQ 16s Q B 16s B I 16s Q H")
_MISSED = Struct(">IHBBI QQ 16s Q B 16s B 16s Q")
_UNDELIVERED = Struct(">IHBBI QQ 16s 16s 16s B B")
_PLACE = Struct(">QQ")
_NO_TAGS = b"\0"
_DELIVER_FIXED = _DELIVER.size - HEADER_BYTES + len(_NO_TAGS)
_MISSED_LENGTH = _MISSED.size - HEADER_BYTES + len(_NO_TAGS)
_UNDELIVERED_LENGTH = _UNDELIVERED.size - HEADER_BYTES + len(_NO_TAGS)


def build_deliver(
    place: Position,
    prev: Position,
    chat: Chat,
    chat_seq: Position,
    class_: int,
    sender: Device,
    registration_id: int,
    message_id: MessageId,
    ts: int,
    ciphertext: bytes,
) -> bytes:
    """Build a DELIVER frame."""
    size = len(ciphertext)
    fixed = _DELIVER.pack(
        _DELIVER_FIXED + size,
        DELIVER,
        0,
        0,
        0,
        place,
        prev,
        chat,
        chat_seq,
        class_,
        sender,  # 16s takes the user's part
        sender[16],
        registration_id,
        message_id,
        ts,
        size,
    )
    return fixed + ciphertext + _NO_TAGS


def build_missed(
    place: Position,
    prev: Position,
    chat: Chat,
    chat_seq: Position,
    class_: int,
    sender: Device,
    message_id: MessageId,
    ts: int,
) -> bytes:
    """Build a MISSED frame."""
    fixed = _MISSED.pack(
        _MISSED_LENGTH,
        MISSED,
        0,
        0,
        0,
        place,
        prev,
        chat,
        chat_seq,
        class_,
        sender,
        sender[16],
        message_id,
        ts,
    )
    return fixed + _NO_TAGS


def build_undelivered(
    place: Position,
    prev: Position,
    chat: Chat,
    message_id: MessageId,
    user: User,
    device: int,
    reason: int,
) -> bytes:
    """Build an UNDELIVERED frame."""
    fixed = _UNDELIVERED.pack(
        _UNDELIVERED_LENGTH,
        UNDELIVERED,
        0,
        0,
        0,
        place,
        prev,
        chat,
        message_id,
        user,
        device,
        reason,
    )
    return fixed + _NO_TAGS


def move_frame(frame: bytes, place: Position, prev: Position) -> bytes:
    """Give an entry's frame another position."""
    return frame[:HEADER_BYTES] + _PLACE.pack(place, prev) + frame[_PLACE_END:]
