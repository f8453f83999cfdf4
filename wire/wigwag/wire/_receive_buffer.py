"""Cuts the byte stream into frames, in linear time, whatever the segments.

A read that holds whole frames only (the rule on a busy connection) is sliced
where it lies: each frame is copied once, into its body. The rest of a read
waits as `_data`; what arrives for it gathers in `_pending` until the frame, whose
size its header told, is whole, and only then are the two joined. So each byte is
copied a constant number of times even when every segment holds one byte.
"""

from typing import Final, TypeAlias

from wigwag.wire._header import HEADER, HEADER_BYTES

Header: TypeAlias = tuple[int, int, int, int, int]
"""length, type, flags, ext_len, corr"""

READ_BYTES_MAX: Final = 64 * 1024
"""The most a transport hands over at once: four TLS records of 16 KiB."""

_unpack_from = HEADER.unpack_from


class ReceiveBuffer:
    """Bytes that have arrived and not been taken yet.

    Take frames with `header` and `content` in turn. The bound is the caller's:
    it compares `len` with a frame and a read before it appends.
    """

    __slots__ = ("_appended_at", "_data", "_offset", "_pending", "partial_since")

    def __init__(self) -> None:
        self._data = b""
        self._offset = 0
        self._pending: bytearray = bytearray()
        self._appended_at = 0.0
        self.partial_since: float | None = None
        """When the first byte of the frame at the front arrived, if the frame was
        asked for and is not whole. Seconds on the caller's clock."""

    def __len__(self) -> int:
        return len(self._data) - self._offset + len(self._pending)

    @property
    def held_bytes(self) -> int:
        """Bytes of memory that are kept alive; at least `len`."""
        return len(self._data) + len(self._pending)

    def append(self, data: bytes, now: float) -> None:
        """Adds what was read at `now` (seconds)."""
        self._appended_at = now
        if self._offset == len(self._data) and not self._pending:
            self._data = data
            self._offset = 0
        else:
            self._pending.extend(data)

    def header(self) -> Header | None:
        """Returns the header of the frame at the front, or None if it is not whole."""
        data = self._data
        if len(data) - self._offset < HEADER_BYTES:
            # The common end of a wake-up: nothing is left.
            if self._offset == len(data) and not self._pending:
                self._data = b""
                self._offset = 0
                return None
            if not self._join(HEADER_BYTES):
                return None
            data = self._data
        header: Header = _unpack_from(data, self._offset)
        return header

    def content(self, length: int) -> bytes | None:
        """Takes the frame at the front; returns what follows its header.

        Args:
            length: As its header says.

        Returns:
            Extension, body and padding, or None if the frame is not whole yet.
        """
        data = self._data
        start = self._offset + HEADER_BYTES
        end = start + length
        if end > len(data):
            if not self._join(HEADER_BYTES + length):
                return None
            data = self._data
            start = HEADER_BYTES
            end = start + length
        self._offset = end
        self.partial_since = None
        return data[start:end]

    def trim(self) -> None:
        """Lets go of the bytes that were taken, for a pause of unknown length."""
        if self._offset:
            self._data = self._data[self._offset :]
            self._offset = 0

    def clear(self) -> None:
        """Drops everything."""
        self._data = b""
        self._offset = 0
        self._pending = bytearray()
        self.partial_since = None

    def _join(self, wanted_bytes: int) -> bool:
        """Makes `_data` hold this many bytes from the front, if they have arrived."""
        rest = len(self._data) - self._offset
        arrived = rest + len(self._pending)
        if arrived < wanted_bytes:
            if self.partial_since is None:
                self.partial_since = self._appended_at
            if self._offset:
                # A waiting piece of a frame must not keep the whole read alive.
                self._data = self._data[self._offset :]
                self._offset = 0
            return False
        self._data = b"".join((memoryview(self._data)[self._offset :], self._pending))
        self._offset = 0
        self._pending = bytearray()
        return True
