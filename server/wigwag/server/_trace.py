"""Every frame of every connection in a file: for development, and off by default.

What a server could read is exactly what is in this file, so whoever doubts that it
reads no messages can look for one here. It holds who talks to whom and when, for
ever, which is why a public server must not have it.

One JSON object a line: time, connection, direction ("in": as decoded from the
client), message type, flags, corr, and everything after the header in hexadecimal,
extension and padding included.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from wigwag.server._errors import StorageError
from wigwag.server._peer import Peer
from wigwag.server._services import Services
from wigwag.server._session import Session
from wigwag.wire import HEADER_BYTES, MESSAGES


class FrameTrace:
    """The file, shared by all connections.

    Args:
        path: The file; it is added to.
        now_ms: The time of day, milliseconds since the Unix epoch.

    Raises:
        StorageError: It can't be written.
    """

    def __init__(self, path: Path, now_ms: Callable[[], int]) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror or error}") from error
        # Unbuffered: a killed server has written what it had read.
        self._file: IO[bytes] = os.fdopen(descriptor, "ab", buffering=0)
        self._now_ms = now_ms

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def write(self, connection: int, direction: str, frame: bytes) -> None:
        """Write one whole frame."""
        type_ = int.from_bytes(frame[4:6])
        info = MESSAGES.get(type_)
        line = {
            "at_ms": self._now_ms(),
            "connection": connection,
            "direction": direction,
            "message": info.name if info else f"0x{type_:04x}",
            "flags": frame[6],
            "corr": int.from_bytes(frame[8:HEADER_BYTES]),
            "content": frame[HEADER_BYTES:].hex(),
        }
        self._file.write(json.dumps(line).encode() + b"\n")


class FrameSplitter:
    """Cuts one direction of one connection into frames by their headers alone.

    Args:
        write: Takes each whole frame.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take what was read or is to be written."""
        self._buffer += data
        while len(self._buffer) >= HEADER_BYTES:
            end = HEADER_BYTES + int.from_bytes(self._buffer[:4])
            if len(self._buffer) < end:
                return
            self._write(bytes(self._buffer[:end]))
            del self._buffer[:end]


class TracedSession(Session):
    """A session whose frames are written to a trace."""

    def __init__(
        self,
        services: Services,
        peer: Peer,
        *,
        number: int,
        now: float,
        trace: FrameTrace,
    ) -> None:
        super().__init__(services, peer, number=number, now=now)
        self._incoming = FrameSplitter(lambda frame: trace.write(number, "in", frame))
        self._sent = FrameSplitter(lambda frame: trace.write(number, "out", frame))

    def receive(self, data: bytes, now: float) -> None:
        """Write the frames before they are handled, then handle them."""
        if not self.is_over:
            self._incoming.feed(data)
        super().receive(data, now)

    def outgoing(self) -> bytes:
        """Write the frames that go out."""
        data = super().outgoing()
        self._sent.feed(data)
        return data
