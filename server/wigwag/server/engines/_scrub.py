"""Reading what nobody asks for: damage is found while there still is a good backup.

A page is compared when it is read (`_checked`), and an inbox may lie unread for weeks.
So after each minute's checkpoint, when the log is empty and the file is all there is,
the next pages of the file are read past SQLite's cache and compared: 512 pages take the
writer about 3 ms a minute and go through 1 GiB in nine hours.
"""

import os
from pathlib import Path

from wigwag.server.engines._sql import Database, fetch_one

PAGES_A_STEP = 512


class Scrub:
    """Goes through a database's file, round after round.

    Args:
        path: The file.
        page_bytes: Size of a page.
    """

    def __init__(self, path: Path, page_bytes: int) -> None:
        self._path = path
        self._page_bytes = page_bytes
        self._next = 0
        self._told: set[int] = set()
        # Kept open: closing it would drop SQLite's locks on the same file.
        self._descriptor = -1

    def step(self, database: Database) -> list[int]:
        """Compare the next pages; return damaged ones not told before, from 1."""
        size = self._page_bytes
        first = self._next
        try:
            if self._descriptor < 0:
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            data = os.pread(self._descriptor, PAGES_A_STEP * size, first * size)
        except OSError:
            data = bytes((1,)) * size  # a page that can't be read is a damaged one
        count = len(data) // size
        self._next = first + count if count == PAGES_A_STEP else 0
        damaged = [
            first + number + 1
            for number in range(count)
            if not _is_whole(database, data[number * size : (number + 1) * size])
        ]
        found = [page for page in damaged if page not in self._told]
        self._told.update(found)
        return found

    def close(self) -> None:
        """Close the file; the database must be closed before."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _is_whole(database: Database, page: bytes) -> bool:
    return fetch_one(database, "SELECT verify_checksum(?)", (page,)) == (1,)
