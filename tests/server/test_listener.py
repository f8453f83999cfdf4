"""Listening: where it can't, one sentence; where it can, on every address."""

import socket

import pytest
import trio
from tests.server._peer import Account, connect

from wigwag.server import Address, Config, ConfigError, InUseError, Limits
from wigwag.server._listener import bind as bind_with
from wigwag.testing import server

WAIT_SECONDS_MAX = 30.0
SOCKET_BUFFER_BYTES = Limits().socket_buffer_bytes


def bind(address: Address) -> list[socket.socket]:
    """Listen with the buffers that are the default."""
    return bind_with(address, SOCKET_BUFFER_BYTES)


def close(sockets: list[socket.socket]) -> None:
    """Close all."""
    for one in sockets:
        one.close()


def test_a_taken_port_and_a_wrong_host_are_said() -> None:
    """Each with what to do about it."""
    taken = bind(Address("127.0.0.1", 0))
    port = taken[0].getsockname()[1]
    with pytest.raises(InUseError, match="is in use"):
        bind(Address("127.0.0.1", port))
    close(taken)
    with pytest.raises(ConfigError, match=r"no-such-host\.invalid:1: "):
        bind(Address("no-such-host.invalid", 1))
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1:1: "):
        bind(Address("192.0.2.1", 1))


def test_every_address_of_a_name_has_the_same_port() -> None:
    """A client that tries IPv6 first must find the same server."""
    sockets = bind(Address("", 0))
    ports = {one.getsockname()[1] for one in sockets}
    assert len(ports) == 1
    assert all(not one.getblocking() for one in sockets)
    close(sockets)


async def test_a_connections_kernel_memory_is_bounded() -> None:
    """Twenty thousand of them must not be gigabytes."""
    async with server() as running, connect(running.address.port) as peer:
        await peer.register(Account(), running.join)
        sockets = bind(Address("127.0.0.1", 0))
        size = sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        close(sockets)
    # Linux reports twice what was asked for.
    assert size <= 2 * SOCKET_BUFFER_BYTES


async def test_a_storm_waits_in_the_kernels_queue() -> None:
    """Who is turned away backs off longer each time; who waits gets his turn."""
    limits = Limits(
        handshakes_per_second=20,
        handshakes_burst_per_address=100,
        unauthenticated_per_address_max=100,
    )
    async with server(limits=limits) as running:
        streams = [
            await trio.open_tcp_stream("127.0.0.1", running.address.port)
            for _ in range(30)
        ]
        counts = running.server.services.hub.counts
        with trio.fail_after(WAIT_SECONDS_MAX):
            while counts.connections_opened < len(streams):
                await trio.lowlevel.checkpoint()
        assert not any(counts.connections_refused.values())
        for stream in streams:
            await stream.aclose()


async def test_a_server_listens_on_ipv6_as_well() -> None:
    """Half of the phones have nothing else."""
    config = Config(listen="[::1]:0", public_name="chat.example.org:9")
    try:
        async with server(config) as running:
            stream = await trio.open_tcp_stream("::1", running.address.port)
            await stream.aclose()
            assert running.join.startswith("wigwag://chat.example.org:9/#v1.")
    except ConfigError as error:
        pytest.skip(f"no IPv6 here: {error}")


async def test_everywhere_is_no_name_to_join() -> None:
    """The join string of a wildcard names this machine."""
    config = Config(listen="0.0.0.0:0")
    async with server(config) as running:
        assert running.join.startswith("wigwag://localhost:")
    config = Config(listen="127.0.0.1:0", public_name="chat.example.org")
    async with server(config) as running:
        port = running.address.port
        assert running.join.startswith(f"wigwag://chat.example.org:{port}/")
