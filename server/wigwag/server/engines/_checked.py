"""Checksums of pages: what lies in the file is what was written, or nothing is read.

SQLite trusts its disk. SQLite's own checksum VFS puts eight bytes of checksum into
every page as it is written and compares them as it is read, in C and in a time that
can't be measured beside the rest of a commit. A damaged page then fails to be read
with SQLITE_IOERR_DATA instead of being taken for true. The pages' file stays a
plain SQLite database.

What was not taken: an authenticating cipher (the same guarantee for 2 to 3 µs a page,
and a file that no tool opens), and a checksum column in every table (2 µs a row, in
Python).
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import apsw
import apsw.sqlite_extra

from wigwag.server.engines._sql import Database

# The name under which the extension registers itself.
CHECKED_VFS = "cksmvfs"
# Reserved at the end of each page; the VFS works on no other number.
CHECKSUM_BYTES = 8


def checked_vfs() -> str:
    """Return the name of the checksum VFS; the first call of a process loads it.

    It lies upon the VFS that is the default at that moment, which stays the default.
    """
    names = apsw.vfs_names()
    if CHECKED_VFS not in names:
        connection = apsw.Connection(":memory:")
        try:
            apsw.sqlite_extra.load(connection, "cksumvfs")
        finally:
            connection.close()
        apsw.set_default_vfs(names[0])
    return CHECKED_VFS


def is_checksum_fault(error: apsw.Error) -> bool:
    """Whether a read failed since a page is not what was written."""
    code = getattr(error, "extendedresult", 0)
    return isinstance(error, apsw.IOError) and code == apsw.SQLITE_IOERR_DATA


def is_damage(error: apsw.Error) -> bool:
    """Whether an error means that the file is not what was written."""
    return is_checksum_fault(error) or isinstance(
        error, (apsw.CorruptError, apsw.NotADBError)
    )


def damage_reason(error: apsw.Error) -> str:
    """Say what an error that `is_damage` has found."""
    return "a checksum is wrong" if is_checksum_fault(error) else str(error)


def reserve_checksums(connection: apsw.Connection) -> None:
    """Leave room for checksums in the pages of a database that has none yet."""
    cast("Any", connection).reserve_bytes(None, CHECKSUM_BYTES)


def has_checksums(connection: apsw.Connection) -> bool:
    """Whether the pages of an open database are compared."""
    reserved = cast("Any", connection).reserve_bytes(None)
    row = cast("Database", connection).execute("PRAGMA checksum_verification")
    found = row.fetchone()
    return reserved == CHECKSUM_BYTES and found == ("1",)


@contextmanager
def unchecked(database: Database) -> Generator[None, None, None]:
    """Read pages without comparing them, for rows that carry a checksum themselves."""
    database.execute("PRAGMA checksum_verification = OFF").fetchall()
    try:
        yield
    finally:
        database.execute("PRAGMA checksum_verification = ON").fetchall()
