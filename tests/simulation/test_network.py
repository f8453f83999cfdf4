"""The simulated TCP: ordered, bounded, cut and reset, and nothing else."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
from tests.simulation._network import (
    ConnectionBrokenError,
    Direction,
    End,
    Network,
    NobodyListensError,
    Weather,
)
from tests.simulation._world import Process, World, run_world

Test = Callable[[Network, End, End, Process], Awaitable[None]]


def connected(folder: Path, test: Test, weather: Weather | None = None) -> None:
    """Run a test with a connection: network, client's end, server's end, server."""

    async def main(world: World) -> None:
        network = Network(world.random)
        if weather is not None:
            network.route("client").weather = weather
        process = Process(world, "server")
        ends: list[End] = []
        over = trio.Event()

        async def accept(end: End) -> None:
            ends.append(end)
            await over.wait()

        async def serve() -> None:
            await network.serve("server", accept, process)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(process.run, serve)
            await trio.testing.wait_all_tasks_blocked()
            client = await network.dial("client", "server")
            await trio.testing.wait_all_tasks_blocked()
            await test(network, client, ends[0], process)
            nursery.cancel_scope.cancel()

    run_world(World(11, folder), main, seconds_max=3600)


async def read_all(end: End, count: int) -> tuple[bytes, int]:
    """Read so many bytes; return them and in how many pieces they came."""
    data = b""
    pieces = 0
    while len(data) < count:
        data += await end.receive(65536)
        pieces += 1
    return data, pieces


@pytest.mark.parametrize(
    "weather",
    [
        Weather(),
        Weather(segment_bytes_max=7),
        Weather(dribbles=True),
        Weather(latency_seconds=(0.0, 3.0), segment_bytes_max=50, buffer_bytes=100),
    ],
)
def test_bytes_arrive_whole_and_in_order(tmp_path: Path, weather: Weather) -> None:
    """TCP never reorders, whatever each segment's delay is."""
    sent = bytes(range(256)) * 8

    async def test(_: Network, client: End, server: End, __: Process) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send, sent)
            assert (await read_all(server, len(sent)))[0] == sent
            nursery.start_soon(server.send, sent[::-1])
            assert (await read_all(client, len(sent)))[0] == sent[::-1]

    connected(tmp_path, test, weather)


def test_a_dribbling_route_delivers_single_bytes_first(tmp_path: Path) -> None:
    """Decoders must work on segments of one byte."""

    async def test(_: Network, client: End, server: End, __: Process) -> None:
        await client.send(bytes(300))
        assert (await read_all(server, 300))[1] == 300

    connected(tmp_path, test, Weather(dribbles=True))


def test_a_full_buffer_stops_the_sender(tmp_path: Path) -> None:
    """A reader that stalls must hold its sender back, as with TCP's windows."""

    async def test(_: Network, client: End, server: End, __: Process) -> None:
        with trio.move_on_after(60) as scope:
            await client.send(bytes(1001))
        assert scope.cancelled_caught
        await server.receive(10)
        with trio.fail_after(60):
            await client.send(bytes(10))

    connected(tmp_path, test, Weather(buffer_bytes=1000))


def test_a_cut_holds_one_direction_until_it_heals(tmp_path: Path) -> None:
    """Half of a broken connection is the usual way for it to break."""

    async def test(network: Network, client: End, server: End, _: Process) -> None:
        network.route("client").hold(Direction.UP, trio.current_time() + 30)
        began = trio.current_time()
        await client.send(b"late")
        await server.send(b"in time")
        assert await client.receive(100) == b"in time"
        assert trio.current_time() - began < 1
        assert await server.receive(100) == b"late"
        assert trio.current_time() - began == pytest.approx(30)

    connected(tmp_path, test)


def test_clearing_a_route_ends_its_cuts_at_once(tmp_path: Path) -> None:
    """The time to settle begins with good weather everywhere."""

    async def test(network: Network, client: End, server: End, _: Process) -> None:
        network.route("client").hold(Direction.UP, trio.current_time() + 1000)
        await client.send(b"x")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.receive, 1)
            await trio.sleep(1)
            network.route("client").clear()
        assert trio.current_time() < 10

    connected(tmp_path, test)


def test_a_reset_loses_what_is_on_the_way_and_wakes_both_ends(tmp_path: Path) -> None:
    """A peer that learns nothing of a reset would wait for its deadline."""

    async def test(network: Network, client: End, server: End, _: Process) -> None:
        await client.send(b"lost")
        assert network.route("client").reset() == 1
        for end in (client, server):
            with pytest.raises(ConnectionBrokenError):
                await end.receive(1)
            with pytest.raises(ConnectionBrokenError):
                await end.send(b"x")

    connected(tmp_path, test)


def test_a_closed_end_lets_the_last_words_arrive(tmp_path: Path) -> None:
    """GOAWAY and ERROR are written right before the end."""

    async def test(_: Network, client: End, server: End, __: Process) -> None:
        await server.send(b"goodbye")
        server.close()
        assert await client.receive(100) == b"goodbye"
        assert await client.receive(100) == b""
        with pytest.raises(ConnectionBrokenError):
            await client.send(b"too late")

    connected(tmp_path, test)


def test_a_killed_server_takes_its_connections_along(tmp_path: Path) -> None:
    """The kernel ends a dead process's sockets, and nobody listens any more."""

    async def test(network: Network, client: End, _: End, server: Process) -> None:
        server.kill()
        try:
            assert await client.receive(1) == b""
        except ConnectionBrokenError:
            assert not server.is_alive
        with pytest.raises(NobodyListensError):
            await network.dial("client", "server")

    connected(tmp_path, test)


def test_a_dial_waits_for_a_cut_to_heal(tmp_path: Path) -> None:
    """SYN packets are lost like all others."""

    async def test(network: Network, _: End, __: End, ___: Process) -> None:
        network.route("client").hold(Direction.DOWN, trio.current_time() + 20)
        began = trio.current_time()
        await network.dial("client", "server")
        assert trio.current_time() - began >= 20

    connected(tmp_path, test)


def test_a_torn_connection_is_dead_for_the_client_and_late_for_the_server(
    tmp_path: Path,
) -> None:
    """What a client sent before it reconnected may be read after that."""

    async def test(network: Network, client: End, server: End, _: Process) -> None:
        await client.send(b"late")
        network.route("client").tear(trio.current_time() + 20)
        with pytest.raises(ConnectionBrokenError):
            await client.receive(1)
        with pytest.raises(ConnectionBrokenError):
            await client.send(b"x")
        await network.dial("client", "server")
        assert trio.current_time() < 1
        assert await server.receive(100) == b"late"
        assert trio.current_time() >= 20
        assert await server.receive(100) == b""

    connected(tmp_path, test)
