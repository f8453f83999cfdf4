"""Opening the database file: pragmas that keep the promise, errors by name.

`synchronous=FULL` is the only mode in which a commit survives a power cut; with
NORMAL most don't. The lock is exclusive: nobody else may look at a live log, and
SQLite then needs no shared memory file. Deleted bodies are overwritten. Every page
carries a checksum (`_checked`).

No check of the whole file at start: every page is compared when it is read, and a
start must not take the longer the more is stored.
"""

import os
from collections.abc import Callable
from pathlib import Path

import apsw

from wigwag.server.engines._checked import (
    checked_vfs,
    damage_reason,
    has_checksums,
    is_damage,
    reserve_checksums,
)
from wigwag.server.engines._crash import crash_point
from wigwag.server.engines._sql import fetch_one, typed
from wigwag.server.ports import (
    DatabaseDamagedError,
    DatabaseInUseError,
    NotADatabaseError,
)

OpenDatabase = Callable[[Path], apsw.Connection]

# Older ones have a WAL-reset bug that corrupts with two connections.
SQLITE_VERSION_MIN = (3, 51, 3)

_PRAGMAS = (
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA secure_delete = ON",
    # The engine checkpoints itself, where a failure is seen.
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA cell_size_check = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA temp_store = MEMORY",
    # 64 MiB of pages: the b-tree levels above the leaves of a few million rows.
    "PRAGMA cache_size = -65536",
)


def fsync_folder(folder: Path) -> None:
    """Make a folder's list of names durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_database(
    path: Path, *, fsync_folder: Callable[[Path], None] = fsync_folder
) -> apsw.Connection:
    """Open or make a database file for one process alone.

    The folder of a new file is fsynced, else a power cut could take the name away.

    Args:
        path: The file.
        fsync_folder: Makes a folder's names durable.

    Raises:
        DatabaseInUseError: Another process has it open.
        NotADatabaseError: It is something else, or damaged.
    """
    assert tuple(map(int, apsw.sqlite_lib_version().split(".")[:3])) >= (
        SQLITE_VERSION_MIN
    )
    is_new = not path.exists()
    try:
        connection = apsw.Connection(str(path), vfs=checked_vfs())
    except apsw.CantOpenError as error:
        raise NotADatabaseError(str(path), "it can't be opened") from error
    try:
        crash_point("database.before_recovery")
        prepare(connection)
        crash_point("database.after_recovery")
    except apsw.BusyError as error:
        connection.close()
        raise DatabaseInUseError(str(path)) from error
    except apsw.Error as error:
        connection.close()
        if isinstance(error, apsw.NotADBError):
            raise NotADatabaseError(str(path), str(error)) from error
        if is_damage(error):
            raise DatabaseDamagedError(str(path), damage_reason(error)) from error
        raise
    if not has_checksums(connection):
        connection.close()
        raise NotADatabaseError(str(path), "its pages have no checksums")
    if _ends_within_page(path, connection):
        connection.close()
        raise DatabaseDamagedError(str(path), "the file is cut off")
    if is_new:
        fsync_folder(path.parent)
    return connection


def _ends_within_page(path: Path, connection: apsw.Connection) -> bool:
    """Whether the last page is not whole; SQLite would take the rest for zeros.

    A power cut in a checkpoint may leave it so. Then the log still has that page, and
    another checkpoint mends it.
    """
    database = typed(connection)
    page_bytes: int = fetch_one(database, "PRAGMA page_size")[0]
    if path.stat().st_size % page_bytes == 0:
        return False
    database.wal_checkpoint(None, apsw.SQLITE_CHECKPOINT_TRUNCATE)
    return path.stat().st_size % page_bytes != 0


def prepare(connection: apsw.Connection) -> None:
    """Set the pragmas and take the exclusive lock.

    Raises:
        apsw.BusyError: Somebody else has a lock.
        apsw.NotADBError: It is no database.
        apsw.CorruptError: It is damaged.
    """
    database = typed(connection)
    # SQLite would checkpoint at every close, also one that stands for a crash.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    reserve_checksums(connection)
    for pragma in _PRAGMAS:
        database.execute(pragma)
    # Locks are taken by the first transaction and kept.
    database.execute("BEGIN EXCLUSIVE")
    database.execute("COMMIT")
