"""The store: encrypted, locked to its schema, whole transactions or nothing."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import anyio
import apsw
import pytest
from tests.client.worlds import KEY
from trio.testing import wait_all_tasks_blocked

from wigwag.client._errors import (
    StoreDamaged,
    StoreError,
    StoreTooNew,
    StoreUnwritable,
)
from wigwag.client._executor import ThreadExecutor
from wigwag.client._store import open_database, open_store
from wigwag.client._store_account import counter_txn, set_counter_txn
from wigwag.client._txn import Txn

PLAIN = "the quick brown fox jumps over the lazy dog"


Result = TypeVar("Result")


def files(folder: Path) -> list[bytes]:
    """Returns what is in a folder's files."""
    return [entry.read_bytes() for entry in folder.iterdir()]


def modes(folder: Path) -> set[int]:
    """Returns the rights that a folder's files have."""
    return {entry.stat().st_mode & 0o777 for entry in folder.iterdir()}


def set_cursor(value: int) -> Callable[[Txn], None]:
    """Makes a piece of work that sets the cursor."""
    return lambda txn: set_counter_txn(txn, "cursor", value)


def set_covered(txn: Txn) -> None:
    """Sets another counter."""
    set_counter_txn(txn, "covered", 3)


def get_cursor(txn: Txn) -> int:
    """Reads the cursor."""
    return counter_txn(txn, "cursor")


async def test_the_files_are_their_owners_alone(tmp_path: Path) -> None:
    """A folder's rights may be opened by mistake; the files' don't follow."""
    async with open_store(tmp_path / "db", KEY, ThreadExecutor()):
        assert modes(tmp_path) == {0o600}


async def test_work_is_durable_and_nothing_of_it_is_readable(tmp_path: Path) -> None:
    """The disk may be stolen (I13)."""
    path = tmp_path / "db"
    async with open_store(path, KEY, ThreadExecutor()) as store:
        await store.run(
            lambda txn: txn.do("INSERT INTO counter VALUES ('x', ?)", PLAIN)
        )
        held = files(tmp_path)
    assert not any(PLAIN.encode() in data for data in held)
    assert not any(b"SQLite format" in data for data in held)
    async with open_store(path, KEY, ThreadExecutor()) as store:
        found = await store.run(
            lambda txn: txn.value(str, "SELECT value FROM counter WHERE name = 'x'")
        )
    assert found == PLAIN


async def test_another_key_does_not_open_it(tmp_path: Path) -> None:
    """A key file from another profile must not look like an empty database."""
    path = tmp_path / "db"
    async with open_store(path, KEY, ThreadExecutor()):
        pass
    with pytest.raises(StoreDamaged):
        async with open_store(path, bytes(32), ThreadExecutor()):
            pass


async def test_a_newer_schema_is_refused_with_its_program(tmp_path: Path) -> None:
    """An older program would lose what it doesn't know."""
    path = tmp_path / "db"
    async with open_store(path, KEY, ThreadExecutor()):
        pass
    db = open_database(path, KEY, None)
    db.pragma("user_version", 99)
    db.execute("UPDATE meta SET value = '9.9' WHERE key = 'program'")
    db.close()
    with pytest.raises(StoreTooNew, match=r"9\.9") as caught:
        async with open_store(path, KEY, ThreadExecutor()):
            pass
    assert caught.value.action == "Use wigwag 9.9 or newer."


async def test_a_piece_of_work_that_fails_leaves_the_others(tmp_path: Path) -> None:
    """They share a transaction; they don't share their mistakes."""

    def fail(txn: Txn) -> None:
        set_counter_txn(txn, "generation", 7)
        raise KeyError("x")

    async with open_store(tmp_path / "db", KEY, ThreadExecutor()) as store:
        failed: list[KeyError] = []

        async def run_failing() -> None:
            try:
                await store.run(fail)
            except KeyError as error:
                failed.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store.run, set_cursor(1))
            tasks.start_soon(run_failing)
            tasks.start_soon(store.run, set_covered)
        assert len(failed) == 1
        assert await store.run(get_cursor) == 1
        assert await store.run(lambda txn: counter_txn(txn, "generation")) == 0
        assert await store.run(lambda txn: counter_txn(txn, "covered")) == 3


class CountingExecutor(ThreadExecutor):
    """Counts transactions, and can be made to fail at a commit."""

    def __init__(self) -> None:
        super().__init__()
        self.transactions = 0
        self.failure: BaseException | None = None

    async def run(
        self,
        work: Callable[[], Result],
        commit: Callable[[], None],
        rollback: Callable[[], None],
    ) -> Result:
        """Runs it, unless it is to fail."""
        self.transactions += 1
        failure = self.failure

        def failing() -> None:
            if failure is not None:
                raise failure
            commit()

        return await super().run(work, failing, rollback)


async def test_what_arrives_during_a_commit_shares_the_next_one(
    tmp_path: Path,
) -> None:
    """One fsync for all of it; else a burst would wait for one disk turn each."""
    executor = CountingExecutor()
    async with open_store(tmp_path / "db", KEY, executor) as store:
        before = executor.transactions
        order: list[int] = []

        async def run(number: int) -> None:
            await store.run(lambda txn: order.append(number))

        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(run, number)
        assert sorted(order) == list(range(100))
        assert executor.transactions - before < 10


async def test_a_commit_that_fails_leaves_nothing_and_tells_everybody(
    tmp_path: Path,
) -> None:
    """Nobody may build on what isn't durable."""
    executor = CountingExecutor()
    async with open_store(tmp_path / "db", KEY, executor) as store:
        await store.run(set_cursor(1))
        executor.failure = apsw.FullError("disk full")
        called: list[int] = []

        def work(txn: Txn) -> None:
            set_counter_txn(txn, "cursor", 2)
            txn.changes.after.append(lambda: called.append(1))

        with pytest.raises(StoreUnwritable, match="full"):
            await store.run(work)
        executor.failure = None
        assert not called
        assert await store.run(get_cursor) == 1


async def test_after_a_failed_fsync_nothing_goes_on(tmp_path: Path) -> None:
    """What is durable then isn't known (rule 11)."""
    executor = CountingExecutor()
    async with open_store(tmp_path / "db", KEY, executor) as store:
        executor.failure = apsw.IOError("fsync")
        with pytest.raises(StoreUnwritable):
            await store.run(set_cursor(2))
        executor.failure = None
        with pytest.raises(StoreUnwritable, match="failed"):
            await store.run(get_cursor)


async def test_cancelled_work_that_had_no_turn_never_happens(tmp_path: Path) -> None:
    """A program that gave a message up must not find it sent later."""
    go = threading.Event()

    def slow(txn: Txn) -> None:
        go.wait(10)
        set_counter_txn(txn, "cursor", 1)

    async with open_store(tmp_path / "db", KEY, ThreadExecutor()) as store:
        scope = anyio.CancelScope()

        async def give_up() -> None:
            with scope:
                await store.run(lambda txn: set_counter_txn(txn, "generation", 5))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store.run, slow)
            await wait_all_tasks_blocked()
            tasks.start_soon(give_up)
            await wait_all_tasks_blocked()
            scope.cancel()
            await wait_all_tasks_blocked()
            go.set()
        assert await store.run(get_cursor) == 1
        assert await store.run(lambda txn: counter_txn(txn, "generation")) == 0


async def test_a_dropped_connection_rolls_back(tmp_path: Path) -> None:
    """A crash between work and COMMIT leaves the state before (I20)."""
    path = tmp_path / "db"
    db = open_database(path, KEY, None)
    txn = Txn(db, {})
    db.execute("BEGIN IMMEDIATE")
    set_counter_txn(txn, "cursor", 9)
    db.close()
    async with open_store(path, KEY, ThreadExecutor()) as store:
        assert await store.run(get_cursor) == 0


KILLED = """
import sys, trio
from pathlib import Path
from typing import TypeVar
from tests.client.test_store import get_cursor, set_cursor
from tests.client.worlds import KEY
from wigwag.client._executor import ThreadExecutor
from wigwag.client._store import open_store

async def main():
    async with open_store(Path(sys.argv[1]), KEY, ThreadExecutor()) as store:
        number = await store.run(get_cursor)
        while True:
            number += 1
            await store.run(set_cursor(number))
            print(number, flush=True)

trio.run(main)
"""


def test_what_was_reported_survives_kill_9(tmp_path: Path) -> None:
    """Whatever a process said is stored, is (I1 on the client's side)."""
    path = tmp_path / "db"
    reported = 0
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:
            assert process.stdout is not None
            for _ in range(20):
                reported = int(process.stdout.readline())
            process.kill()
            rest = process.stdout.read().split()
            reported = int(rest[-1]) if rest else reported
        db = open_database(path, KEY, None)
        stored = get_cursor(Txn(db, {}))
        db.close()
        assert stored in (reported, reported + 1)


def test_a_damaged_database_is_found_out(tmp_path: Path) -> None:
    """A flipped bit is refused, never read (I22)."""
    path = tmp_path / "db"
    open_database(path, KEY, None).close()
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError):
        open_database(path, KEY, None)
