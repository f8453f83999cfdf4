"""A disk that fills up or breaks, under the real database file.

An APSW VFS in front of the system's: it counts what the files of a folder take,
and fails reads and syncs when told to. SQLite itself meets the error, so what it
does about it is real.
"""

from pathlib import Path
from typing import Any

import apsw

from wigwag.server.engines import checked_vfs, prepare


class SmallDisk(apsw.VFS):
    """A file system of so many bytes.

    Attributes:
        bytes_max: What all files of the folder may take together.
        is_sync_broken: Syncs fail with an I/O error.
        is_read_broken: Reads fail with an I/O error.
    """

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, base=checked_vfs())
        self.name = name
        self.folder = folder
        self.bytes_max = 1 << 40
        self.is_sync_broken = False
        self.is_read_broken = False

    def used(self) -> int:
        """Return what the files take."""
        return sum(one.stat().st_size for one in self.folder.iterdir())

    def xOpen(self, name: Any, flags: Any) -> "SmallFile":  # noqa: N802, ANN401 - apsw
        """Open a file of this disk."""
        return SmallFile(self, name, flags)

    def open(self, path: Path) -> apsw.Connection:
        """Open a database on this disk, as the engine's seam wants it."""
        connection = apsw.Connection(str(path), vfs=self.name)
        prepare(connection)
        return connection


class SmallFile(apsw.VFSFile):
    """A file of a SmallDisk."""

    def __init__(self, disk: SmallDisk, name: Any, flags: Any) -> None:  # noqa: ANN401
        super().__init__(checked_vfs(), name, flags)
        self._disk = disk

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802, ANN401 - apsw
        """Write if there is room."""
        grown = max(0, offset + len(data) - self.xFileSize())
        if self._disk.used() + grown > self._disk.bytes_max:
            raise apsw.FullError("the small disk is full")
        super().xWrite(data, offset)  # pyright: ignore[reportUnknownMemberType]  # apsw

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw
        """Sync unless broken."""
        if self._disk.is_sync_broken:
            raise apsw.IOError("the small disk is broken")
        super().xSync(flags)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - apsw
        """Read unless broken."""
        if self._disk.is_read_broken:
            raise apsw.IOError("the small disk is broken")
        return super().xRead(amount, offset)
