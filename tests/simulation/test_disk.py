"""The simulated disk: real SQL, commits that take their time, and crashes in them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import apsw
import pytest
import trio
from tests.simulation._disk import ClientExecutor, Disk, Fate, ServerExecutor
from tests.simulation._sql import run_sql
from tests.simulation._world import Process, World, run_world


class DeadlyDisk(Disk):
    """A disk whose every commit kills the process."""

    def __init__(self, random: Random, seconds: float, *, fate: Fate) -> None:
        super().__init__(random)
        self._drawn = seconds, 0.1, fate

    def draw(self) -> tuple[float, float, Fate]:
        """Return the one draw."""
        return self._drawn


def run(folder: Path, main: Callable[[World], Awaitable[None]]) -> None:
    """Run a test in a world."""
    run_world(World(5, folder), main, seconds_max=3600)


def fresh(path: Path) -> apsw.Connection:
    """Open a database with an empty table t."""
    connection = apsw.Connection(str(path))
    run_sql(connection, "PRAGMA journal_mode = WAL")
    run_sql(connection, "CREATE TABLE IF NOT EXISTS t(x)")
    return connection


def rows(path: Path) -> list[int]:
    """Return what a later process finds."""
    connection = apsw.Connection(str(path))
    found = [row[0] for row in run_sql(connection, "SELECT x FROM t ORDER BY x")]
    connection.close()
    return found


def test_server_work_runs_in_the_order_of_start(tmp_path: Path) -> None:
    """Groups are committed in the order in which they were folded."""
    order: list[int] = []

    async def main(world: World) -> None:
        executor = ServerExecutor(Process(world, "s"), Disk(world.random("disk")))
        jobs = [executor.start(lambda n=n: order.append(n)) for n in range(5)]  # type: ignore[misc]  # bound now
        await jobs[3].result()
        assert order == [0, 1, 2, 3]
        await jobs[4].result()
        await jobs[0].result()

    run(tmp_path, main)
    assert order == [0, 1, 2, 3, 4]


def test_server_work_that_raises_raises_for_whoever_waits(tmp_path: Path) -> None:
    """A full disk is the engine's to handle, and only its own."""

    async def main(world: World) -> None:
        executor = ServerExecutor(Process(world, "s"), Disk(world.random("disk")))

        def fail() -> None:
            raise OSError("full")

        job = executor.start(fail)
        assert await executor.run(lambda: 7) == 7
        with pytest.raises(OSError, match="full"):
            await job.result()

    run(tmp_path, main)


@pytest.mark.parametrize("seconds", [0.0001, 3.0])
def test_a_crash_before_the_commit_leaves_nothing(
    tmp_path: Path, seconds: float
) -> None:
    """What was answered by then was answered too early."""

    async def main(world: World) -> None:
        process = Process(world, "s")
        disk = DeadlyDisk(world.random("disk"), seconds, fate=Fate.DIES_BEFORE)

        async def serve() -> None:
            connection = fresh(tmp_path / "db")
            executor = ServerExecutor(process, disk)
            await executor.run(lambda: run_sql(connection, "INSERT INTO t VALUES (1)"))

        await process.run(serve)
        assert not process.is_alive

    run(tmp_path, main)
    assert rows(tmp_path / "db") == []


def test_a_crash_after_the_commit_keeps_it(tmp_path: Path) -> None:
    """The answer is lost, the row is not: the client's retry must find it."""

    async def main(world: World) -> None:
        process = Process(world, "s")
        disk = DeadlyDisk(world.random("disk"), 0.1, fate=Fate.DIES_AFTER)
        answered = False

        async def serve() -> None:
            nonlocal answered
            connection = fresh(tmp_path / "db")
            executor = ServerExecutor(process, disk)
            await executor.run(lambda: run_sql(connection, "INSERT INTO t VALUES (1)"))
            answered = True

        await process.run(serve)
        assert not answered

    run(tmp_path, main)
    assert rows(tmp_path / "db") == [1]


def test_a_client_that_dies_before_its_commit_rolls_back(tmp_path: Path) -> None:
    """Work and COMMIT come apart, so the crash may fall between them."""

    async def main(world: World) -> None:
        process = Process(world, "c")
        disk = Disk(world.random("disk"), slow_share=1.0)

        async def live() -> None:
            connection = fresh(tmp_path / "db")
            executor = ClientExecutor(process, disk)

            def work() -> None:
                run_sql(connection, "BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")

            await executor.run(
                work,
                lambda: void(run_sql(connection, "COMMIT")),
                lambda: void(run_sql(connection, "ROLLBACK")),
            )

        async with trio.open_nursery() as nursery:
            nursery.start_soon(process.run, live)
            await trio.sleep(0.02)
            process.kill()

    run(tmp_path, main)
    assert rows(tmp_path / "db") == []


def test_a_cancelled_caller_does_not_tear_a_transaction(tmp_path: Path) -> None:
    """The real executor's thread goes on; the simulated one must, too."""

    async def main(world: World) -> None:
        disk = Disk(world.random("disk"), slow_share=1.0)
        executor = ClientExecutor(Process(world, "c"), disk)
        connection = fresh(tmp_path / "db")
        with trio.move_on_after(0.001):
            await executor.run(
                lambda: void(run_sql(connection, "BEGIN; INSERT INTO t VALUES (1)")),
                lambda: void(run_sql(connection, "COMMIT")),
                lambda: void(run_sql(connection, "ROLLBACK")),
            )
        connection.close()

    run(tmp_path, main)
    assert rows(tmp_path / "db") == [1]


def void(_: object) -> None:
    """Drop a value."""
