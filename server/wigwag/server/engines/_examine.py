"""A database that nobody uses: looked at as a whole, and made ready after a restore."""

from pathlib import Path

import apsw
import msgspec

from wigwag.server.core import epoch_at
from wigwag.server.engines._checked import checked_vfs
from wigwag.server.engines._database import open_database
from wigwag.server.engines._mark import forget_mark
from wigwag.server.engines._schema import check_schema
from wigwag.server.engines._sql import Database, fetch_one, typed
from wigwag.server.ports import NotADatabaseError, StorageError


class DatabaseFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a database holds.

    Attributes:
        schema: Version of its tables.
        clock_ms: Time of its newest record, ms since the Unix epoch.
        epoch: Its newest epoch.
        accounts: Accounts.
        devices: Devices.
        chats: Chats.
        entries: Inbox entries that wait for a device.
    """

    schema: int
    clock_ms: int
    epoch: int
    accounts: int
    devices: int
    chats: int
    entries: int


_FACTS = """
SELECT schema, clock_ms, (SELECT coalesce(max(epoch), 0) FROM epoch),
  (SELECT count(*) FROM account), (SELECT count(*) FROM device),
  (SELECT count(*) FROM chat), (SELECT count(*) FROM inbox) FROM log
"""


def examine_database(path: Path) -> DatabaseFacts:
    """Check every page of a whole database file and say what it holds.

    Nothing is written. Takes as long as it takes to read the file.

    Raises:
        NotADatabaseError: It is something else, or damaged.
        SchemaTooNewError: A newer build wrote it.
    """
    # `immutable`: without it SQLite makes a log beside the file.
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    try:
        connection = apsw.Connection(uri, flags=flags, vfs=checked_vfs())
    except apsw.Error as error:
        raise NotADatabaseError(str(path), str(error)) from error
    database = typed(connection)
    try:
        (verdict,) = fetch_one(database, "PRAGMA integrity_check(1)")
        if verdict != "ok":
            raise NotADatabaseError(str(path), str(verdict))
        check_schema(database)
        return DatabaseFacts(*fetch_one(database, _FACTS))
    except apsw.Error as error:
        raise NotADatabaseError(str(path), str(error)) from error
    finally:
        database.close()


def newest_epoch(path: Path) -> int:
    """Return the newest epoch that a database has opened, 0 if it can't tell.

    Asked of a database that is about to be replaced, perhaps since it is damaged.
    """
    if not path.exists():
        return 0
    try:
        database = typed(open_database(path))
    except (StorageError, apsw.Error):
        return 0
    try:
        found = fetch_one(database, "SELECT coalesce(max(epoch), 0) FROM epoch")
    except apsw.Error:
        return 0
    finally:
        database.close()
    epoch: int = found[0]
    return epoch


def mark_restored(path: Path, now_ms: int, epoch_used: int) -> int:
    """Make a restored database open its next epoch above all that were ever used.

    Else a clock that went back could give positions a second time that devices
    have seen. One-time prekeys of before are dropped: they may have been handed out
    after the backup (I24).

    Args:
        path: The database; nobody uses it.
        now_ms: The clock.
        epoch_used: The newest epoch of the database that was replaced; 0: unknown.

    Returns:
        The lowest epoch that it opens from now on.

    Raises:
        StorageError: It can't be opened or written.
    """
    # It proves how far the replaced database went, not this one.
    forget_mark(path)
    database = typed(open_database(path))
    try:
        found = _mark_txn(database, now_ms, epoch_used)
        database.wal_checkpoint(None, apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except apsw.Error as error:
        raise NotADatabaseError(str(path), str(error)) from error
    finally:
        database.close()
    return found


def _mark_txn(database: Database, now_ms: int, epoch_used: int) -> int:
    epochs, void_below = fetch_one(
        database,
        "SELECT (SELECT coalesce(max(epoch), 0) FROM epoch), void_below FROM log",
    )
    epoch = epoch_at(max(epochs, void_below - 1, epoch_used), now_ms)
    database.execute("BEGIN IMMEDIATE")
    database.execute("UPDATE log SET void_below = ?", (epoch,))
    database.execute("DELETE FROM prekey_page")
    database.execute("COMMIT")
    return epoch
