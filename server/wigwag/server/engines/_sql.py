"""apsw's connection as far as the engine uses it, with types.

apsw's own annotations name a type that this Python does not have, so nothing
that touches them can be checked. This is the one place that converts.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import apsw

Bindings = Sequence[Any]


class Found(Protocol):
    """The rows of a statement; iterating reads them one by one."""

    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...
    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, or None."""
        ...

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all further rows."""
        ...

    def close(self) -> None:
        """Read no further."""
        ...


class Database(Protocol):
    """A database connection; used by one thread at a time."""

    def execute(self, statements: str, bindings: Bindings = (), /) -> Found:
        """Run statements; the rows come as they are read."""
        ...

    def executemany(self, statements: str, bindings: Iterable[Bindings], /) -> Found:
        """Run a statement once for each of the bindings."""
        ...

    def wal_checkpoint(self, dbname: str | None, mode: int, /) -> tuple[int, int]:
        """Copy the WAL into the database."""
        ...

    def set_wal_hook(self, hook: Callable[[Any, str, int], int], /) -> None:
        """Call `hook` after each commit with the frames in the WAL."""
        ...

    def close(self, force: bool = False, /) -> None:
        """Close; `force` leaves out what a crash would."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...


def typed(connection: apsw.Connection) -> Database:
    """Return a connection under its checked type."""
    return cast("Database", connection)


def fetch_one(
    database: Database, statement: str, bindings: Bindings = ()
) -> tuple[Any, ...]:
    """Return the row of a statement that always has one."""
    row = database.execute(statement, bindings).fetchone()
    assert row is not None, "the statement has one row by construction"
    return row


class PageCopy:
    """A copy of a database into a file, page by page. Made by `copy_pages`."""

    def __init__(self, target: Any, backup: Any) -> None:  # noqa: ANN401 - apsw's
        self._target = target
        self._backup = backup

    @property
    def left(self) -> int:
        """Pages still to copy, as of the last step."""
        return cast("int", self._backup.remaining)

    @property
    def pages(self) -> int:
        """Pages of the source, as of the last step."""
        return cast("int", self._backup.page_count)

    def step(self, pages_max: int) -> bool:
        """Copy some pages; True: these were the last."""
        return cast("bool", self._backup.step(pages_max))

    def close(self) -> None:
        """Finish the copy and close the target."""
        try:
            self._backup.finish()
        finally:
            self._target.close()


def copy_pages(source: Database, target: Path, vfs: str) -> PageCopy:
    """Begin to copy a database into an empty file.

    The target isn't fsynced: the caller does that, away from the source's thread.
    """
    connection = apsw.Connection(str(target), vfs=vfs)
    database = typed(connection)
    for pragma in ("synchronous = OFF", "locking_mode = EXCLUSIVE"):
        database.execute(f"PRAGMA {pragma}").fetchall()
    # The checksum VFS knows by its first page whether a file has checksums. Without one
    # from the start, pages that leave the cache before it would have wrong ones: those
    # of a copy larger than the cache, written to meanwhile.
    reserved = cast("Any", source).reserve_bytes(None)
    cast("Any", connection).reserve_bytes(None, reserved)
    database.execute("PRAGMA user_version = 1").fetchall()
    backup = connection.backup("main", cast("apsw.Connection", source), "main")
    return PageCopy(connection, backup)
