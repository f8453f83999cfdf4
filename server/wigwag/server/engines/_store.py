"""The database as the writer thread uses it; nobody else touches the connection."""

from contextlib import suppress
from pathlib import Path

import apsw

from wigwag.server.core import Changes, Meta, Wanted, epoch_at
from wigwag.server.engines._crash import crash_point
from wigwag.server.engines._database import OpenDatabase
from wigwag.server.engines._reader import Loaded, read_rows
from wigwag.server.engines._reserve import Reserve
from wigwag.server.engines._schema import (
    LOG_PREFIX,
    SENT_PREFIX,
    check_schema,
    create_schema,
    find_days,
)
from wigwag.server.engines._sql import Database, fetch_one, typed
from wigwag.server.engines._writer import Days, write_changes_txn
from wigwag.server.ports import (
    ClockSuspectError,
    CommitUncertainError,
    NotADatabaseError,
    ReadFailedError,
)

# Rule 12 of the design: beyond these the operator must confirm the clock.
CLOCK_BEHIND_MS_MAX = 5 * 60 * 1000
CLOCK_AHEAD_MS_MAX = 31 * 86_400_000

# Frames in the WAL before it is copied back between two groups: 16 MiB of pages.
WAL_PAGES_MAX = 4096


class DiskFullError(Exception):
    """The transaction was rolled back for want of space; the database is as before."""


class Store:
    """An open database.

    All methods run on the executor, one at a time.
    """

    def __init__(self, database: Database, reserve: Reserve, meta: Meta) -> None:
        self.database = database
        self.reserve = reserve
        self.meta = meta
        self.days = Days(
            find_days(database, SENT_PREFIX), find_days(database, LOG_PREFIX)
        )
        self._wal_pages = 0
        database.set_wal_hook(self._note_wal)

    def _note_wal(self, _: object, __: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def read(self, wanted: Wanted) -> Loaded:
        """Read rows.

        Raises:
            ReadFailedError: The disk, or the database, is damaged.
        """
        try:
            return read_rows(self.database, self.days.sent, wanted)
        except apsw.Error as error:
            raise ReadFailedError(str(error)) from error

    def write(
        self, changes: Changes, clock_ms: int, ordinal: int, void_below: int
    ) -> None:
        """Make a group durable: one transaction, one fsync.

        Raises:
            DiskFullError: Nothing was written.
            CommitUncertainError: Nothing is known; the process must end.
        """
        if self._wal_pages >= WAL_PAGES_MAX:
            self.checkpoint(apsw.SQLITE_CHECKPOINT_PASSIVE)
        self.days.remember()
        try:
            self.database.execute("BEGIN IMMEDIATE")
            write_changes_txn(
                self.database, self.days, changes, clock_ms, ordinal, void_below
            )
            crash_point("store.before_commit")
            self.database.execute("COMMIT")
        except apsw.FullError as error:
            self._roll_back()
            raise DiskFullError from error
        except apsw.Error as error:
            raise CommitUncertainError(f"a commit failed: {error}") from error
        crash_point("store.after_commit")

    def _roll_back(self) -> None:
        self.days.restore()
        try:
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")
        except apsw.Error as error:
            raise CommitUncertainError(f"a rollback failed: {error}") from error

    def checkpoint(self, mode: int) -> None:
        """Copy the WAL into the database; TRUNCATE also removes what it held.

        A full disk leaves the WAL as it is, which loses nothing.

        Raises:
            CommitUncertainError: Nothing is known; the process must end.
        """
        crash_point("store.before_checkpoint")
        try:
            self.database.wal_checkpoint(None, mode)
        except apsw.FullError:
            return
        except apsw.Error as error:
            raise CommitUncertainError(f"a checkpoint failed: {error}") from error
        self._wal_pages = 0
        crash_point("store.after_checkpoint")

    def close(self) -> None:
        """Truncate the WAL and close."""
        self.checkpoint(apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self.database.close()

    def abandon(self) -> None:
        """Close as a crash would: an open transaction is rolled back, nothing else."""
        with suppress(apsw.Error):  # after a failure it may fail again; it is over
            self.database.close(True)


def open_store(
    path: Path,
    open_database: OpenDatabase,
    reserve: Reserve,
    now_ms: int,
    *,
    accept_clock: bool,
) -> Store:
    """Open the database, make or check its schema, and open a new epoch durably.

    Raises:
        DatabaseInUseError: Another process has it open.
        NotADatabaseError: It is something else, or damaged.
        SchemaTooNewError: A newer build wrote it.
        ClockSuspectError: The clock does not fit the newest record.
    """
    database = typed(open_database(path))
    try:
        return Store(database, reserve, _begin(database, now_ms, accept_clock))
    except apsw.Error as error:
        database.close()
        raise NotADatabaseError(str(path), str(error)) from error
    except BaseException:
        database.close()
        raise


def _begin(database: Database, now_ms: int, accept_clock: bool) -> Meta:
    """Return what the log remembers, the epoch of this start included."""
    database.execute("BEGIN IMMEDIATE")
    if fetch_one(database, "SELECT count(*) FROM sqlite_schema") == (0,):
        create_schema(database)
    check_schema(database)
    clock_ms, void_below = fetch_one(database, "SELECT clock_ms, void_below FROM log")
    is_odd = not -CLOCK_BEHIND_MS_MAX <= now_ms - clock_ms <= CLOCK_AHEAD_MS_MAX
    if clock_ms and is_odd and not accept_clock:
        raise ClockSuspectError(now_ms, clock_ms)
    epochs = [row[0] for row in database.execute("SELECT epoch FROM epoch")]
    epoch = epoch_at(max(epochs, default=0), now_ms)
    database.execute(
        "UPDATE epoch SET ended = (SELECT ordinal FROM log) "
        "WHERE epoch = (SELECT max(epoch) FROM epoch)"
    )
    database.execute("INSERT INTO epoch VALUES (?, ?, 0)", (epoch, now_ms))
    database.execute("UPDATE log SET ordinal = 0")
    database.execute("COMMIT")
    return Meta(clock_ms, void_below, (*epochs, epoch))
