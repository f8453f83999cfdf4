"""The encrypted database of a profile: opened, locked to its schema, grouped commits.

Work arrives as plain functions over a `Txn`. Whatever arrived while the previous
commit ran becomes one transaction with one fsync; each piece of work has a
savepoint of its own, so one that raises leaves the others. Nothing of a group is
returned, and nobody is woken, before its COMMIT.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio
import apsw

from wigwag.client._errors import StoreDamaged, StoreError, StoreTooNew, StoreUnwritable
from wigwag.client._ports import Executor
from wigwag.client._schema import SCHEMA, SCHEMA_VERSION
from wigwag.client._sqlite import Database, close, connect
from wigwag.client._txn import SESSIONS_CACHED_MAX, Changes, DeviceKey, Txn
from wigwag.client.crypto import PeerSessions

Result = TypeVar("Result")

GROUP_MAX: Final = 256
"""Pieces of work in one transaction, so that the first ones don't wait for ever."""

PROGRAM_VERSION: Final = "0.1.0"


class _Job:
    """A piece of work that somebody waits for."""

    __slots__ = ("error", "is_done", "is_started", "result", "wake", "work")

    # The queue holds work of every result type; `Store.run` gives it back its own.
    def __init__(self, work: Callable[[Txn], Any]) -> None:
        self.work = work
        # Set when it is done, and when its owner must lead the next group.
        self.wake = anyio.Event()
        self.is_started = False
        self.is_done = False
        self.result: Any = None
        self.error: BaseException | None = None


class Store:
    """A profile's open database. Make it with `open_store`."""

    def __init__(self, db: Database, executor: Executor) -> None:
        self._db = db
        self._executor = executor
        self._queue: list[_Job] = []
        self._is_leading = False
        self._failure: StoreError | None = None
        self._sessions: dict[DeviceKey, PeerSessions] = {}
        self._listeners: list[Callable[[Changes], None]] = []

    @property
    def has_failed(self) -> bool:
        """Whether it is over with this store: what is durable isn't known."""
        return self._failure is not None

    def listen(self, listener: Callable[[Changes], None]) -> None:
        """Tell `listener` what each commit changed, on the event loop, after it."""
        self._listeners.append(listener)

    async def run(self, work: Callable[[Txn], Result]) -> Result:
        """Run work in a transaction; what it changed is durable on return.

        Raises:
            StoreUnwritable: The disk is full or failed; nothing of it is stored.
            StoreDamaged: The database can't be read.
        """
        job = _Job(work)
        self._queue.append(job)
        try:
            while not job.is_done:
                if self._is_leading:
                    await job.wake.wait()
                    job.wake = anyio.Event()
                else:
                    # Shielded: the group is not the leader's alone.
                    with anyio.CancelScope(shield=True):
                        await self._lead()
        finally:
            if not job.is_started:
                # Cancelled before its turn: it must not happen behind our back.
                self._queue.remove(job)
                self._hand_over()
        if job.error is not None:
            raise job.error
        result: Result = job.result
        return result

    def close(self) -> None:
        """Close the database; a transaction that still runs is rolled back."""
        close(self._db)

    async def _lead(self) -> None:
        """Run one group, on behalf of all whose work is in it."""
        jobs = self._queue[:GROUP_MAX]
        del self._queue[:GROUP_MAX]
        for job in jobs:
            job.is_started = True
        self._is_leading = True
        overlay: dict[DeviceKey, PeerSessions] = {}
        changes = Changes()
        try:
            await self._executor.run(
                lambda: self._work(jobs, overlay, changes), self._commit, self._rollback
            )
        except (apsw.Error, StoreError) as error:
            failure = self._translate(error)
            for job in jobs:
                job.error = failure
        except BaseException:
            for job in jobs:
                job.error = StoreUnwritable("The work on the store was broken off.")
            raise
        else:
            self._keep(overlay)
            for call in changes.after:
                call()
            for listener in self._listeners:
                listener(changes)
        finally:
            self._is_leading = False
            for job in jobs:
                job.is_done = True
                job.wake.set()
            self._hand_over()

    def _hand_over(self) -> None:
        """Wake one who waits behind the group that ended, to lead the next."""
        if self._queue and not self._is_leading:
            self._queue[0].wake.set()

    def _work(
        self, jobs: list[_Job], overlay: dict[DeviceKey, PeerSessions], changes: Changes
    ) -> None:
        if self._failure is not None:
            raise self._failure
        self._db.execute("BEGIN IMMEDIATE")
        for job in jobs:
            txn = Txn(self._db, {**self._sessions, **overlay})
            self._db.execute("SAVEPOINT work")
            try:
                job.result = job.work(txn)
                txn.save()
            except apsw.Error:
                # The disk, not the work: the whole group is rolled back.
                raise
            except Exception as error:
                # Raised again by whoever waits for it.
                job.error = error
                self._db.execute("ROLLBACK TO work")
            else:
                overlay.update(txn.opened)
                changes.join(txn.changes)
            self._db.execute("RELEASE work")

    def _commit(self) -> None:
        self._db.execute("COMMIT")

    def _rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _keep(self, overlay: dict[DeviceKey, PeerSessions]) -> None:
        for key, sessions in overlay.items():
            # Moved to the end: the front is what was used longest ago.
            self._sessions.pop(key, None)
            self._sessions[key] = sessions
        while len(self._sessions) > SESSIONS_CACHED_MAX:
            del self._sessions[next(iter(self._sessions))]

    def _translate(self, error: apsw.Error | StoreError) -> StoreError:
        match error:
            case StoreError():
                return error
            case apsw.FullError():
                return StoreUnwritable("The disk of the profile is full.")
            case apsw.CorruptError() | apsw.NotADBError():
                self._failure = StoreDamaged("The profile's database is damaged.")
            case _:
                # After a failed fsync nothing is known about what is durable: no
                # further step may build on what memory holds.
                self._failure = StoreUnwritable("The disk of the profile failed.")
        self._failure.__cause__ = error
        return self._failure


@asynccontextmanager
async def open_store(
    path: Path, key: bytes, executor: Executor, *, vfs: str | None = None
) -> AsyncGenerator[Store, None]:
    """Open a profile's database, make it if it isn't there, close it at the end.

    Args:
        path: The database file.
        key: Its key, 32 bytes.
        executor: Where all its work runs.
        vfs: SQLite VFS; None: the operating system's.

    Raises:
        StoreDamaged: It isn't a database of this key.
        StoreTooNew: A newer program wrote it.
        StoreUnwritable: The disk is full or failed.
    """
    db = await executor.run(lambda: open_database(path, key, vfs), _nothing, _nothing)
    store = Store(db, executor)
    try:
        yield store
    finally:
        store.close()


def open_database(path: Path, key: bytes, vfs: str | None) -> Database:
    """Open the file itself and bring it to our schema."""
    try:
        db = connect(str(path), vfs)
    except apsw.Error as error:
        raise StoreUnwritable(f"The database {path} can't be opened.") from error
    try:
        _configure(db, key)
        _check_schema(db)
    except apsw.NotADBError as error:
        close(db)
        raise StoreDamaged(
            "The profile's database is damaged or belongs to another key file."
        ) from error
    except apsw.CorruptError as error:
        close(db)
        raise StoreDamaged("The profile's database is damaged.") from error
    except apsw.Error as error:
        close(db)
        raise StoreUnwritable("The profile's database can't be written.") from error
    except StoreError:
        close(db)
        raise
    return db


def _configure(db: Database, key: bytes) -> None:
    for pragma, value in (
        ("cipher", "sqlcipher"),
        ("legacy", 4),
        ("key", f"x'{key.hex()}'"),
        # One process holds the profile: no shared memory is needed.
        ("locking_mode", "EXCLUSIVE"),
        ("journal_mode", "WAL"),
        ("synchronous", "FULL"),
        ("fullfsync", 1),
        ("checkpoint_fullfsync", 1),
        # Temporary files would not be encrypted.
        ("temp_store", "MEMORY"),
    ):
        db.pragma(pragma, value)


def _check_schema(db: Database) -> None:
    found = db.pragma("user_version")
    assert isinstance(found, int)
    if found > SCHEMA_VERSION:
        row = db.execute("SELECT value FROM meta WHERE key = 'program'").fetchone()
        raise StoreTooNew(found, SCHEMA_VERSION, str(row[0]) if row else "?")
    if found == 0:
        db.execute("BEGIN IMMEDIATE")
        db.execute(SCHEMA)
        db.execute("INSERT INTO meta VALUES ('program', ?)", (PROGRAM_VERSION,))
        db.pragma("user_version", SCHEMA_VERSION)
        db.execute("COMMIT")


def _nothing() -> None:
    """Do nothing: opening is its own transaction."""
