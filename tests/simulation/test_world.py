"""The foundation: one seed, one run."""

from pathlib import Path

import apsw
import pytest
import trio
from tests.simulation._history import Killed, Stopped
from tests.simulation._sql import run_sql
from tests.simulation._world import (
    START_MS,
    Process,
    ProcessKilled,
    SimulatedClock,
    World,
    run_world,
)

HOUR_SECONDS = 3600


def race(seed: int, folder: Path) -> tuple[str, list[int]]:
    """Let twenty tasks race for an hour; return the trace's digest and the order."""
    order: list[int] = []

    async def main(world: World) -> None:
        async def racer(number: int) -> None:
            random = world.random(f"racer {number}")
            for _ in range(20):
                await trio.sleep(random.choice((0, 0, 1, 60)))
                order.append(number)
                world.trace(f"racer {number}")

        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(racer, number)

    world = World(seed, folder)
    run_world(world, main, seconds_max=HOUR_SECONDS)
    return world.trace_digest, order


def test_one_seed_gives_one_schedule_and_another_seed_another(tmp_path: Path) -> None:
    """A failing seed that can't be replayed is of no use."""
    assert race(7, tmp_path) == race(7, tmp_path)
    assert race(7, tmp_path)[1] != race(8, tmp_path)[1]


def test_a_stream_does_not_depend_on_other_streams(tmp_path: Path) -> None:
    """A draw more in the network must not change what the clients write."""
    first, second = World(3, tmp_path), World(3, tmp_path)
    first.random("network").random()
    assert first.random("text").random() == second.random("text").random()
    assert first.random("a").randbytes(16) != first.random("b").randbytes(16)


def test_an_hour_passes_on_the_simulated_clock_alone(tmp_path: Path) -> None:
    """The time of day follows the simulated seconds, with the machine's skew."""

    async def main(_: World) -> tuple[int, int]:
        await trio.sleep(HOUR_SECONDS)
        return SimulatedClock().now_ms(), SimulatedClock(skew_ms=-500).now_ms()

    now = run_world(World(1, tmp_path), main, seconds_max=2 * HOUR_SECONDS)
    assert now == (START_MS + 3_600_000, START_MS + 3_599_500)


def test_a_run_that_hangs_ends_with_an_error(tmp_path: Path) -> None:
    """A lost wake-up must fail its seed, not the machine's patience."""

    async def main(_: World) -> None:
        await trio.sleep_forever()

    with pytest.raises(trio.TooSlowError):
        run_world(World(1, tmp_path), main, seconds_max=HOUR_SECONDS)


def test_what_a_killed_process_still_does_has_no_effect(tmp_path: Path) -> None:
    """Kill -9 runs no finally block; a port that a dying task calls must refuse."""
    late: list[str] = []

    async def main(world: World) -> None:
        process = Process(world, "victim")

        async def work() -> None:
            try:
                await trio.sleep_forever()
            finally:
                with pytest.raises(ProcessKilled):
                    process.must_live()
                late.append("unwound")
                raise OSError("an error while it unwinds")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(process.run, work)
            await trio.sleep(5)
            process.kill()
        kinds = [type(event) for event in world.history]
        assert Killed in kinds
        assert Stopped not in kinds

    run_world(World(1, tmp_path), main, seconds_max=60)
    assert late == ["unwound"]


def test_an_error_of_a_live_process_is_not_swallowed(tmp_path: Path) -> None:
    """A bug that ends a client must fail the seed."""

    async def main(world: World) -> None:
        async def work() -> None:
            await trio.sleep(1)
            raise OSError("ours")

        await Process(world, "client").run(work)

    with pytest.raises(OSError, match="ours"):
        run_world(World(1, tmp_path), main, seconds_max=60)


def test_a_crash_leaves_the_database_at_its_last_commit(tmp_path: Path) -> None:
    """The next process must find what was committed, unlocked, and nothing else."""
    path = tmp_path / "db"

    async def main(world: World) -> list[int]:
        process = Process(world, "writer")

        async def write() -> None:
            connection = apsw.Connection(str(path))
            run_sql(connection, "PRAGMA locking_mode = EXCLUSIVE")
            run_sql(connection, "PRAGMA journal_mode = WAL")
            run_sql(connection, "CREATE TABLE t(x); INSERT INTO t VALUES (1)")
            run_sql(connection, "BEGIN IMMEDIATE; INSERT INTO t VALUES (2)")
            process.kill()
            await trio.sleep_forever()

        await process.run(write)
        connection = apsw.Connection(str(path))
        found = [row[0] for row in run_sql(connection, "SELECT x FROM t")]
        run_sql(connection, "INSERT INTO t VALUES (3)")
        connection.close()
        return found

    assert run_world(World(1, tmp_path), main, seconds_max=60) == [1]
