"""The real server behind the gate: it speaks, dies, comes back, and leaves tables."""

from pathlib import Path

import pytest
import trio
from tests.simulation._history import Killed, Started
from tests.simulation._machines import server_machine
from tests.simulation._network import (
    ConnectionBrokenError,
    Direction,
    End,
    Network,
)
from tests.simulation._server import HOST, read_tables
from tests.simulation._tap import Tap
from tests.simulation._world import World, run_world

from wigwag.server.engines import forget_mark
from wigwag.wire import Connection, ConnectionConfig, Role, Welcome


async def greet(network: Network, client: str) -> Welcome:
    """Say HELLO and wait for WELCOME."""
    end = await network.dial(client, HOST)
    now = trio.current_time()
    connection = Connection(Role.CLIENT, ConnectionConfig(), now=now)
    connection.send_hello(bytes(32))
    await end.send(connection.data_to_send())
    tap = Tap()
    while True:
        for _, message in tap.feed(await end.receive(65536)):
            assert isinstance(message, Welcome)
            end.close()
            return message


def run_twice_killed(seed: int, folder: Path) -> tuple[str, bytes, bytes]:
    """Greet a server, kill it, greet it again; return digest and session ids."""
    path = folder / f"{seed}.db"
    path.unlink(missing_ok=True)
    forget_mark(path)
    welcomes: list[Welcome] = []

    async def main(world: World) -> None:
        network = Network(world.random)
        machine = server_machine(world, network, path)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(machine.run)
            await trio.sleep(1)
            welcomes.append(await greet(network, "ann"))
            assert machine.crash(10)
            assert not machine.crash(10)
            await trio.sleep(20)
            welcomes.append(await greet(network, "ann"))
            machine.finish(is_orderly=False)
        assert len(list(world.history.of(Started))) == 2
        assert len(list(world.history.of(Killed))) == 2
        kept = read_tables(path)
        assert kept.log == ()

    world = World(seed, folder)
    run_world(world, main, seconds_max=120)
    first, second = welcomes
    return world.trace_digest, first.session_id, second.session_id


def test_a_killed_server_comes_back_on_its_database(tmp_path: Path) -> None:
    """The restarted process finds the file unlocked and serves again."""
    _, first, second = run_twice_killed(1, tmp_path)
    assert first != second


def test_a_seed_decides_the_servers_random_bytes(tmp_path: Path) -> None:
    """Session ids are random, and the same in a replay."""
    assert run_twice_killed(2, tmp_path) == run_twice_killed(2, tmp_path)
    assert run_twice_killed(2, tmp_path) != run_twice_killed(3, tmp_path)


def test_the_gate_ends_a_connection_that_says_nothing(tmp_path: Path) -> None:
    """Deadlines reach sessions through the sweeper here as in production."""

    async def main(world: World) -> None:
        network = Network(world.random)
        machine = server_machine(world, network, tmp_path / "db")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(machine.run)
            await trio.sleep(1)
            end = await network.dial("ann", HOST)
            with trio.fail_after(60):
                assert await end.receive(100) == b""
            machine.finish(is_orderly=False)

    run_world(World(1, tmp_path), main, seconds_max=120)


async def read_to_the_end(end: End) -> None:
    """Reads until the other side ends the stream, or it breaks."""
    with trio.fail_after(60):
        while await end.receive(100):
            pass


def test_the_gate_cuts_a_peer_that_does_not_read(tmp_path: Path) -> None:
    """A stalled reader must not hold the server's memory for ever."""

    async def main(world: World) -> None:
        network = Network(world.random)
        network.route("ann").weather.buffer_bytes = 20
        machine = server_machine(world, network, tmp_path / "db")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(machine.run)
            await trio.sleep(1)
            end = await network.dial("ann", HOST)
            connection = Connection(
                Role.CLIENT, ConnectionConfig(), now=trio.current_time()
            )
            connection.send_hello(bytes(32))
            await end.send(connection.data_to_send())
            network.route("ann").hold(Direction.DOWN, trio.current_time() + 30)
            await trio.sleep(30)
            with pytest.raises(ConnectionBrokenError):
                await read_to_the_end(end)
            machine.finish(is_orderly=False)

    run_world(World(1, tmp_path), main, seconds_max=200)
