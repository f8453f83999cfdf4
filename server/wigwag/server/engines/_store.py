"""The database as the writer thread uses it; nobody else touches the connection."""

from contextlib import suppress
from pathlib import Path

import apsw

from wigwag.server.core import Changes, Meta, Position, Wanted, epoch_at, position
from wigwag.server.engines._checked import damage_reason, is_checksum_fault, is_damage
from wigwag.server.engines._copy import DatabaseCopy
from wigwag.server.engines._crash import crash_point
from wigwag.server.engines._database import OpenDatabase
from wigwag.server.engines._mark import Mark, mark_path
from wigwag.server.engines._reader import Loaded, read_rows
from wigwag.server.engines._reserve import Reserve
from wigwag.server.engines._schema import (
    LOG_PREFIX,
    SENT_PREFIX,
    check_schema,
    create_schema,
    find_days,
    upgrade_schema_txn,
)
from wigwag.server.engines._scrub import Scrub
from wigwag.server.engines._sql import Database, fetch_one, typed
from wigwag.server.engines._stamp import (
    UNKNOWN,
    FileState,
    forget_stamp,
    is_mixed,
    read_file_state,
    settled_at_start,
    stamp,
)
from wigwag.server.engines._writer import Days, write_changes_txn
from wigwag.server.ports import (
    ClockSuspectError,
    CommitUncertainError,
    CopyFailedError,
    DatabaseDamagedError,
    LogLostError,
    MixedCopyError,
    NotADatabaseError,
    OpenFailedError,
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

    def __init__(
        self,
        path: Path,
        database: Database,
        mark: Mark,
        reserve: Reserve,
        meta: Meta,
        settled: int,
    ) -> None:
        self._path = path
        self.database = database
        self._mark = mark
        self._epoch = max(meta.epochs)
        self.reserve = reserve
        self.meta = meta
        self.days = Days(
            find_days(database, SENT_PREFIX), find_days(database, LOG_PREFIX)
        )
        (page_bytes,) = fetch_one(database, "PRAGMA page_size")
        self._scrub = Scrub(path, page_bytes)
        # What opening has written is in the log.
        self._wal_pages = 1
        self._settled = settled
        self._copies: list[DatabaseCopy] = []
        database.set_wal_hook(self._note_wal)

    def _note_wal(self, _: object, __: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def read(self, wanted: Wanted) -> Loaded:
        """Read rows.

        Raises:
            DatabaseDamagedError: A page is not what was written.
            ReadFailedError: The disk failed.
        """
        try:
            return read_rows(self.database, self.days.sent, wanted)
        except apsw.Error as error:
            if is_damage(error):
                raise DatabaseDamagedError(
                    str(self._path), damage_reason(error)
                ) from error
            raise ReadFailedError(str(error)) from error

    def write(
        self, changes: Changes, clock_ms: int, ordinal: int, void_below: int
    ) -> None:
        """Make a group durable: one transaction, one fsync.

        A damaged page of the inbox alone does not stop it: its rows carry checksums of
        their own, which are compared whenever one is read.

        Raises:
            DiskFullError: Nothing was written.
            DatabaseDamagedError: A page is not what was written; nothing was written.
            CommitUncertainError: Nothing is known; the process must end.
        """
        if self._wal_pages >= WAL_PAGES_MAX:
            self.checkpoint(apsw.SQLITE_CHECKPOINT_PASSIVE)
        self.days.remember()
        try:
            try:
                self._write_txn(changes, clock_ms, ordinal, void_below)
            except apsw.IOError as error:
                if not is_checksum_fault(error):
                    raise
                self._roll_back()
                self._write_txn(
                    changes, clock_ms, ordinal, void_below, is_inbox_damaged=True
                )
        except apsw.FullError as error:
            self._roll_back()
            raise DiskFullError from error
        except apsw.Error as error:
            if is_damage(error):
                raise DatabaseDamagedError(
                    str(self._path), damage_reason(error)
                ) from error
            raise CommitUncertainError(f"a commit failed: {error}") from error
        if changes.epochs:
            self._epoch = max(self._epoch, *changes.epochs)
        crash_point("store.after_commit")
        self._mark.write(position(self._epoch, ordinal))
        crash_point("store.after_mark")

    def _write_txn(
        self,
        changes: Changes,
        clock_ms: int,
        ordinal: int,
        void_below: int,
        *,
        is_inbox_damaged: bool = False,
    ) -> None:
        self.database.execute("BEGIN IMMEDIATE")
        write_changes_txn(
            self.database,
            self.days,
            changes,
            clock_ms,
            ordinal,
            void_below,
            self._settled,
            is_inbox_damaged=is_inbox_damaged,
        )
        crash_point("store.before_commit")
        self.database.execute("COMMIT")

    def _roll_back(self) -> None:
        self.days.restore()
        try:
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")
        except apsw.Error as error:
            raise CommitUncertainError(f"a rollback failed: {error}") from error

    def checkpoint(self, mode: int) -> None:
        """Copy the WAL into the database; TRUNCATE also removes what it held.

        Then both are stamped as being of one time (`_stamp`). A full disk leaves the
        WAL as it is, which loses nothing.

        Raises:
            CommitUncertainError: Nothing is known; the process must end.
        """
        crash_point("store.before_checkpoint")
        try:
            self.database.wal_checkpoint(None, mode)
            if self._wal_pages:
                self._stamp(mode)
        except apsw.FullError:
            return
        except apsw.Error as error:
            raise CommitUncertainError(f"a checkpoint failed: {error}") from error
        self._wal_pages = 0
        self._mark.sync()
        crash_point("store.after_checkpoint")

    def _stamp(self, mode: int) -> None:
        self._settled = UNKNOWN  # also if the disk is full meanwhile
        self._settled = stamp(self.database, mode)

    def begin_copy(self, target: Path) -> DatabaseCopy:
        """Begin to copy the database into a new file.

        Raises:
            CopyFailedError: The target can't be made.
        """
        copy = DatabaseCopy(self.database, target)
        self._copies.append(copy)
        return copy

    def end_copy(self, copy: DatabaseCopy) -> None:
        """End a copy, complete or not.

        Raises:
            CopyFailedError: The target's disk refused.
        """
        if copy in self._copies:
            self._copies.remove(copy)
            copy.close()

    def _end_copies(self) -> None:
        while self._copies:
            with suppress(CopyFailedError):  # it is incomplete anyway
                self.end_copy(self._copies[0])

    def scrub(self) -> list[int]:
        """Compare the file's next pages; return newly found damaged ones, from 1.

        Only with an empty log is the file all there is.
        """
        return [] if self._wal_pages else self._scrub.step(self.database)

    def close(self) -> None:
        """Truncate the WAL and close."""
        crash_point("store.before_close")
        try:
            self._end_copies()
            self.checkpoint(apsw.SQLITE_CHECKPOINT_TRUNCATE)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close as a crash would: an open transaction is rolled back, nothing else."""
        self._end_copies()
        with suppress(apsw.Error):  # after a failure it may fail again; it is over
            self.database.close(True)
        self._scrub.close()
        self._mark.close()


def open_store(
    path: Path,
    open_database: OpenDatabase,
    reserve: Reserve,
    now_ms: int,
    *,
    accept_clock: bool,
    accept_loss: bool,
) -> Store:
    """Open the database, make or check its schema, and open a new epoch durably.

    Raises:
        DatabaseInUseError: Another process has it open.
        NotADatabaseError: It is something else.
        DatabaseDamagedError: A page is not what was written.
        LogLostError: It ends before its mark, and the loss was not accepted.
        MixedCopyError: It and its log are of different times; not accepted either.
        SchemaTooNewError: A newer build wrote it.
        ClockSuspectError: The clock does not fit the newest record.
        OpenFailedError: The disk is full, or failed.
    """
    file = read_file_state(path)
    try:
        database = typed(open_database(path))
    except apsw.Error as error:
        raise OpenFailedError(str(path), str(error)) from error
    mark = Mark(mark_path(path))
    try:
        proven = 0 if accept_loss else mark.read()
        _refuse_mixed(path, database, file, accept_loss)
        meta = _begin(path, database, now_ms, proven, accept_clock, accept_loss)
        settled = settled_at_start(database, file)
        store = Store(path, database, mark, reserve, meta, settled)
    except apsw.FullError as error:
        database.close()
        raise OpenFailedError(str(path), "the disk is full: make room") from error
    except apsw.Error as error:
        database.close()
        if is_damage(error):
            raise DatabaseDamagedError(str(path), damage_reason(error)) from error
        if isinstance(error, apsw.SQLError):  # tables of something else
            raise NotADatabaseError(str(path), str(error)) from error
        raise OpenFailedError(str(path), str(error)) from error
    except OSError as error:
        database.close()
        raise OpenFailedError(str(path), error.strerror or str(error)) from error
    except BaseException:
        database.close()
        raise
    mark.write(position(max(meta.epochs), 0))
    crash_point("store.after_opening")
    return store


def _refuse_mixed(
    path: Path, database: Database, file: FileState, accept_loss: bool
) -> None:
    """Let nothing be opened that was copied from under a running server.

    What is opened nevertheless, since the operator says so, must at least be whole.
    """
    if not is_mixed(database, file):
        return
    if not accept_loss:
        raise MixedCopyError(str(path))
    (verdict,) = fetch_one(database, "PRAGMA integrity_check(1)")
    if verdict != "ok":
        raise DatabaseDamagedError(str(path), str(verdict))
    forget_stamp(database)


def _begin(
    path: Path,
    database: Database,
    now_ms: int,
    proven: Position,
    accept_clock: bool,
    accept_loss: bool,
) -> Meta:
    """Return what the log remembers, the epoch of this start included."""
    crash_point("store.before_opening")
    database.execute("BEGIN IMMEDIATE")
    if fetch_one(database, "SELECT count(*) FROM sqlite_schema") == (0,):
        create_schema(database)
        crash_point("store.after_schema")
    check_schema(database)
    found = end_of_log(database)
    if found < proven:
        raise LogLostError(str(path), found, proven)
    upgrade_schema_txn(database)
    clock_ms, void_below = fetch_one(database, "SELECT clock_ms, void_below FROM log")
    is_odd = not -CLOCK_BEHIND_MS_MAX <= now_ms - clock_ms <= CLOCK_AHEAD_MS_MAX
    if clock_ms and is_odd and not accept_clock:
        raise ClockSuspectError(now_ms, clock_ms)
    if accept_clock and now_ms < clock_ms:
        # It was ahead before. Standing still until it is reached again would refuse
        # every message for as long: ids are minted by the right time.
        clock_ms = now_ms
        database.execute("UPDATE log SET clock_ms = ?", (clock_ms,))
    epochs = [row[0] for row in database.execute("SELECT epoch FROM epoch")]
    # `void_below` may be higher than any of them: a restore has raised it above all
    # epochs that were used after the backup.
    epoch = epoch_at(max(0, *epochs, void_below - 1), now_ms)
    database.execute(
        "UPDATE epoch SET ended = (SELECT ordinal FROM log) "
        "WHERE epoch = (SELECT max(epoch) FROM epoch)"
    )
    database.execute("INSERT INTO epoch VALUES (?, ?, 0)", (epoch, now_ms))
    database.execute("UPDATE log SET ordinal = 0")
    if accept_loss:
        # What was lost may have handed one-time prekeys out (I24).
        void_below = epoch
        database.execute("UPDATE log SET void_below = ?", (void_below,))
        database.execute("DELETE FROM prekey_page WHERE epoch < ?", (void_below,))
    crash_point("store.before_epoch")
    database.execute("COMMIT")
    return Meta(clock_ms, void_below, (*epochs, epoch))


def end_of_log(database: Database) -> Position:
    """Return the place of the last committed group; 0: there is none."""
    statement = "SELECT (SELECT coalesce(max(epoch), 0) FROM epoch), ordinal FROM log"
    epoch, ordinal = fetch_one(database, statement)
    return position(epoch, ordinal)
