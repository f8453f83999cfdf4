"""The border to apsw, whose stubs name a type that Python 3.11 doesn't have."""

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol, cast

import apsw

SQLiteValue = None | int | float | bytes | str

SQLiteRow = tuple[SQLiteValue, ...]


class Cursor(Protocol):
    """A statement's result."""

    def fetchall(self) -> list[SQLiteRow]:
        """Return all rows."""
        ...

    def fetchone(self) -> SQLiteRow | None:
        """Return the next row, or None."""
        ...


class Database(Protocol):
    """What we use of `apsw.Connection`."""

    in_transaction: bool

    def execute(self, statements: str, bindings: SQLiteRow = (), /) -> Cursor:
        """Run one statement with values, or several without."""
        ...

    def executemany(self, statements: str, rows: Sequence[SQLiteRow], /) -> Cursor:
        """Run a statement for each row of values."""
        ...

    def pragma(self, name: str, value: int | str | None = None, /) -> SQLiteValue:
        """Set or read a pragma."""
        ...

    def changes(self) -> int:
        """Return how many rows the last statement changed."""
        ...

    def close(self, force: bool = False, /) -> None:
        """Close, rolling back; `force`: whatever the disk says."""
        ...


def close(db: Database) -> None:
    """Close a database, also when its disk fails: what was committed is in its log."""
    try:
        db.close()
    except apsw.Error:
        with suppress(apsw.Error):
            db.close(True)


def connect(path: str, vfs: str | None) -> Database:
    """Open a database file, made for its owner's eyes only; raises `apsw.Error`."""
    if vfs:
        return cast("Database", apsw.Connection(path, vfs=vfs))
    # SQLite would make it readable for everybody; its WAL takes the file's mode.
    with suppress(OSError):  # apsw says it better
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    return cast("Database", apsw.Connection(path))
