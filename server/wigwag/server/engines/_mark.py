"""The mark: how far the log was durable, told outside the log.

SQLite finds the end of its WAL by a chain of checksums. A flipped bit or a cut in the
WAL ends that chain early, and everything behind it is gone without a word, although
it was fsynced and answered. So the place of the last group (epoch and ordinal, which
every group writes into the database too) is also written into a file of its own, after
the COMMIT has returned. A database that ends before its mark has lost commits.

The mark is a lower bound and never claims too much: it is written after the fsync of
what it names. It is not fsynced itself but with every checkpoint: one `pwrite` of 12
bytes costs the writer about 2 µs a group, an fsync would cost as much as the group.
After a kill, or damage on a running machine, it is exact. After a power cut it may be
as old as the kernel's write-back (about 30 s); damage to what was committed within that
time, on top of a power cut, is found by the devices, whose cursors prove it at their
sign-in as they do for a restored folder.

A mark that is missing or unreadable proves nothing and prevents nothing.
"""

import os
from contextlib import suppress
from pathlib import Path
from struct import Struct
from zlib import crc32

from wigwag.server.core import Position

MARK_SUFFIX = ".mark"
_MODE = 0o600
_PLACE = Struct(">Q")
_WHOLE = Struct(">QI")


def mark_path(database: Path) -> Path:
    """Return where the mark of a database lies."""
    return database.with_name(database.name + MARK_SUFFIX)


class Mark:
    """An open mark.

    Args:
        path: Its file; made with the first `write`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def read(self) -> Position:
        """Return the place that the database must reach; 0: nothing is proven."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return 0
        if len(data) != _WHOLE.size:
            return 0
        place, checksum = _WHOLE.unpack(data)
        return place if checksum == _checksum(place) else 0

    def write(self, place: Position) -> None:
        """Note that everything up to a place is durable.

        A disk that refuses leaves an older mark, which proves less but nothing wrong.
        """
        with suppress(OSError):
            if self._descriptor < 0:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                self._descriptor = os.open(self._path, flags, _MODE)
            os.pwrite(self._descriptor, _WHOLE.pack(place, _checksum(place)), 0)

    def sync(self) -> None:
        """Make the mark itself durable."""
        with suppress(OSError):
            if self._descriptor >= 0:
                os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def forget_mark(database: Path) -> None:
    """Take the mark of a database away that is about to be replaced by an older one."""
    mark_path(database).unlink(missing_ok=True)


def _checksum(place: Position) -> int:
    return crc32(_PLACE.pack(place))
