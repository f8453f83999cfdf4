"""A copy of the running database, some pages at a time, between two commits.

SQLite's backup interface copies through the engine's own connection, the only one
that may look at the file. What commits meanwhile is written into the copied pages
as well, so the copy is the database as it stands when the last page is done. The
writer is held up for one step at most: a step is made as long as `STEP_SECONDS`
allows, and between two of them the writer is free for as long again.
"""

import os
import time
from pathlib import Path

import apsw
import msgspec

from wigwag.server.engines._checked import checked_vfs
from wigwag.server.engines._sql import Database, PageCopy, copy_pages
from wigwag.server.ports import CopyFailedError

# What a message may wait for a step: a few times the fsync that it waits for anyway.
STEP_SECONDS = 0.004
STEP_PAGES_MIN = 8
STEP_PAGES_MAX = 2_048
# Between steps the writer is free at least this long.
PAUSE_SECONDS_MIN = 0.001
FILE_MODE = 0o600


class Step(msgspec.Struct, frozen=True):
    """What a step did.

    Attributes:
        pages: Pages copied so far.
        pages_all: Pages that the database has now.
        seconds: How long the writer was held up.
        is_last: The copy is complete.
    """

    pages: int
    pages_all: int
    seconds: float
    is_last: bool


class DatabaseCopy:
    """A copy under way; every method runs on the executor."""

    def __init__(self, source: Database, target: Path) -> None:
        try:
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
            self._copy: PageCopy | None = copy_pages(source, target, checked_vfs())
        except (apsw.Error, OSError) as error:
            raise CopyFailedError(str(error)) from error
        self._pages = STEP_PAGES_MIN

    def step(self) -> Step:
        """Copy some pages.

        Raises:
            CopyFailedError: The target's disk refused, or the database was closed.
        """
        copy = self._copy
        if copy is None:
            raise CopyFailedError("the server ends")
        started = time.perf_counter()
        try:
            is_last = copy.step(self._pages)
        except apsw.Error as error:
            raise CopyFailedError(str(error)) from error
        seconds = time.perf_counter() - started
        factor = 2.0 if seconds < STEP_SECONDS / 2 else STEP_SECONDS / seconds
        pages = int(self._pages * min(factor, 2.0))
        self._pages = max(STEP_PAGES_MIN, min(STEP_PAGES_MAX, pages))
        left, pages_all = copy.left, copy.pages
        return Step(pages_all - left, pages_all, seconds, is_last)

    def close(self) -> None:
        """Let the database go; what was copied is whole only after the last step.

        Raises:
            CopyFailedError: The target's disk refused.
        """
        copy, self._copy = self._copy, None
        if copy is None:
            return
        try:
            copy.close()
        except apsw.Error as error:
            raise CopyFailedError(str(error)) from error
