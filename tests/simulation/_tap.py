"""Reads along a connection: whole frames out of a stream of bytes.

The tap has its own reading of the frame header (specification: frame), so that a
fault in `Connection` isn't repeated here. It decodes bodies with the codec, which is
tested on its own.
"""

import struct
from collections.abc import Iterator
from typing import Final

import msgspec

from wigwag.wire import DRAFT, MESSAGES, decode_message

HEADER: Final = struct.Struct(">IHBBI")
PADDED: Final = 0x08
TRAILER: Final = struct.Struct(">I")


class Tap:
    """Collects one direction of a connection into messages."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, msgspec.Struct]]:
        """Take bytes; yield (corr, message) of each frame that they complete.

        Unknown types (grease) are passed over.
        """
        self._data += data
        while len(self._data) >= HEADER.size:
            length, type_, flags, ext_len, corr = HEADER.unpack_from(self._data)
            end = HEADER.size + length
            if len(self._data) < end:
                return
            content = bytes(self._data[HEADER.size : end])
            del self._data[:end]
            if flags & PADDED:
                (zeros,) = TRAILER.unpack(content[-TRAILER.size :])
                content = content[: -TRAILER.size - zeros]
            if type_ in MESSAGES:
                yield corr, decode_message(type_, DRAFT, content[ext_len:])
