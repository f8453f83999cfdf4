"""A database that no server uses, looked at as its next start would find it.

Neither the database nor its log is written or locked: a server may start meanwhile.
A log that a crash has left is part of the database, so then a copy of both is opened,
as a start would, and looked at.
"""

import shutil
import tempfile
from pathlib import Path

import apsw
import msgspec

from wigwag.server.core import Position
from wigwag.server.engines._checked import checked_vfs
from wigwag.server.engines._database import open_database
from wigwag.server.engines._examine import DatabaseFacts, examine_database
from wigwag.server.engines._mark import Mark, mark_path
from wigwag.server.engines._sql import fetch_one, typed
from wigwag.server.engines._stamp import is_mixed, read_file_state
from wigwag.server.engines._store import end_of_log
from wigwag.server.ports import (
    LogLostError,
    MixedCopyError,
    NotADatabaseError,
    OpenFailedError,
)

# Suffix of SQLite's log.
LOG_SUFFIX = "-wal"


class Inspection(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        facts: What the database holds, its log included.
        log_bytes: Bytes of the log; 0 after a clean stop.
    """

    facts: DatabaseFacts
    log_bytes: int


def log_bytes(path: Path) -> int:
    """Return the bytes of a database's log; 0: there is none."""
    log = path.with_name(path.name + LOG_SUFFIX)
    return log.stat().st_size if log.exists() else 0


def inspect_database(path: Path) -> Inspection:
    """Check every page of a database and its log, and say what it holds.

    Takes as long as it takes to read the file, and with a log the room of a copy in
    the folder for temporary files.

    Raises:
        NotADatabaseError: It is something else, or damaged.
        LogLostError: It ends before what was durable.
        MixedCopyError: It and its log are of different times.
        SchemaTooNewError: A newer build wrote it.
        OpenFailedError: It, or the room for a copy, can't be had.
    """
    left = log_bytes(path)
    if not left:
        return Inspection(_examine(path, path), 0)
    with tempfile.TemporaryDirectory(prefix="wigwag-") as scratch:
        copy = Path(scratch) / path.name
        try:
            shutil.copyfile(path, copy)
            log = path.name + LOG_SUFFIX
            shutil.copyfile(path.with_name(log), copy.with_name(log))
        except OSError as error:
            reason = error.strerror or str(error)
            raise OpenFailedError(str(path), f"for a copy of it: {reason}") from error
        _take_log_in(path, copy)
        return Inspection(_examine(path, copy), left)


def _take_log_in(path: Path, copy: Path) -> None:
    """Do with the copy's log what a start does."""
    try:
        file = read_file_state(copy)
        database = typed(open_database(copy))
        try:
            if is_mixed(database, file):
                raise MixedCopyError(str(path))
            database.wal_checkpoint(None, apsw.SQLITE_CHECKPOINT_TRUNCATE)
        finally:
            database.close()
    except apsw.Error as error:
        raise NotADatabaseError(str(path), str(error)) from error
    except MixedCopyError:
        raise
    except NotADatabaseError as error:
        raise _of_original(error, path, copy) from error


def _examine(path: Path, whole: Path) -> DatabaseFacts:
    """Look through a database, its end first: without it the rest may be missing.

    Args:
        path: The database; its mark lies beside it.
        whole: It, or its copy with the log taken in.
    """
    proven = Mark(mark_path(path)).read()
    found = _end_of(path, whole)
    if found < proven:
        raise LogLostError(str(path), found, proven)
    try:
        return examine_database(whole)
    except NotADatabaseError as error:
        raise _of_original(error, path, whole) from error


def _end_of(path: Path, whole: Path) -> Position:
    """Return the place of the last committed group; 0: there is none."""
    uri = f"{whole.absolute().as_uri()}?mode=ro&immutable=1"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    try:
        database = typed(apsw.Connection(uri, flags=flags, vfs=checked_vfs()))
        try:
            if fetch_one(database, "SELECT count(*) FROM sqlite_schema") == (0,):
                return 0
            return end_of_log(database)
        finally:
            database.close()
    except apsw.Error as error:
        raise NotADatabaseError(str(path), str(error)) from error


def _of_original(error: NotADatabaseError, path: Path, copy: Path) -> NotADatabaseError:
    """Return what was found in a copy, said of what was copied."""
    reason = str(error).replace(str(copy), str(path))
    told = NotADatabaseError(str(path), reason)
    told.args = (reason,)
    return told
