"""Noise at the port: a clean end, nothing written, and nothing else changes."""

import socket
import ssl
from collections.abc import AsyncIterator
from os import urandom

import pytest
import trio
from tests.server._peer import Account, connect

from wigwag.server import Limits
from wigwag.testing import RunningServer, server
from wigwag.wire import Sequenced

SILENT_SECONDS = 20.0


@pytest.fixture
async def running() -> AsyncIterator[RunningServer]:
    """A server with short handshakes, so that silence ends soon."""
    async with server(
        limits=Limits(tls_handshake_seconds=1, auth_seconds=1)
    ) as running:
        yield running


async def read_to_end(stream: trio.abc.ReceiveStream) -> bytes:
    """Read until the other side ends it, in peace or not."""
    received = bytearray()
    with trio.fail_after(SILENT_SECONDS):
        while True:
            try:
                data = await stream.receive_some(65_536)
            except trio.BrokenResourceError:
                return bytes(received)
            if not data:
                return bytes(received)
            received += data


async def send_noise(stream: trio.SocketStream, noise: bytes) -> None:
    """Send; the server may hang up in the middle."""
    try:
        with trio.fail_after(SILENT_SECONDS):
            await stream.send_all(noise)
    except trio.BrokenResourceError:
        return


async def assert_serves_on(running: RunningServer) -> None:
    """Hold two honest devices to be served as ever."""
    alice, bob = Account(), Account()
    port = running.address.port
    async with connect(port) as to_alice, connect(port) as to_bob:
        await to_alice.register(alice, running.join)
        await to_bob.register(bob, running.join)
        answer = await to_alice.ask(to_alice.send_message(bob, b"fine"))
        assert isinstance(answer, Sequenced)
        assert (await to_bob.deliver_and_ack()).ciphertext == b"fine"
    assert running.server.services.hub.counts.failures == 0


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.0\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\x00" * 65_536,
        urandom(1_000_000),
    ],
    ids=["http", "ssh", "half a hello", "zeros", "a megabyte"],
)
async def test_what_is_no_tls_gets_a_clean_end(
    noise: bytes, running: RunningServer
) -> None:
    """Not one byte of ours but an alert, and the others don't notice (F1, F3)."""
    stream = await trio.open_tcp_stream("127.0.0.1", running.address.port)
    async with stream:
        await send_noise(stream, noise)
        answer = await read_to_end(stream)
    # A TLS alert is a record of type 21; nothing else may come.
    assert answer == b"" or (answer[0] == 21 and len(answer) <= 64)
    await assert_serves_on(running)


async def test_silence_ends_with_the_handshake_deadline(
    running: RunningServer,
) -> None:
    """A connection that says nothing holds a place (F1)."""
    stream = await trio.open_tcp_stream("127.0.0.1", running.address.port)
    async with stream:
        assert await read_to_end(stream) == b""
    await assert_serves_on(running)
    assert running.server.services.hub.counts.tls_failures == 1


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x00\x00\x09\x00\x0c\x00\x00\x00\x00\x00\x01" + bytes(9),
        urandom(100_000),
        b"",
    ],
    ids=["http", "a ping first", "noise", "silence"],
)
async def test_before_a_valid_hello_the_server_says_nothing(
    noise: bytes, running: RunningServer
) -> None:
    """Inside TLS, too: whoever doesn't speak the protocol learns nothing (F3, S1)."""
    async with connect(running.address.port, says_hello=False) as peer:
        try:
            if noise:
                await peer.stream.send_all(noise)
        except trio.BrokenResourceError:
            pass
        assert await read_to_end(peer.stream) == b""
    await assert_serves_on(running)


@pytest.mark.parametrize("alpn", [None, "h2"])
async def test_another_protocol_ends_after_the_handshake(
    alpn: str | None, running: RunningServer
) -> None:
    """What `openssl s_client` offers by default is no ALPN at all (F2)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn is not None:
        context.set_alpn_protocols([alpn])
    tcp = await trio.open_tcp_stream("127.0.0.1", running.address.port)
    stream = trio.SSLStream(tcp, context, server_hostname="localhost")
    with trio.fail_after(SILENT_SECONDS):
        await stream.do_handshake()
        # A clean TLS end, not a cut: the other side can tell the difference.
        assert await stream.receive_some(1) == b""
    await trio.aclose_forcefully(stream)
    await assert_serves_on(running)


async def test_a_reset_in_mid_frame_is_nobodys_problem(
    running: RunningServer,
) -> None:
    """Phones vanish."""
    account = Account()
    async with connect(running.address.port) as peer:
        await peer.register(account, running.join)
        await peer.stream.send_all(b"\x00\x00\x10\x00\x00\x50\x00\x00")
        sock = peer.stream.transport_stream.socket
        sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
        sock.close()
    await assert_serves_on(running)


async def test_a_flood_of_silent_connections_is_bounded() -> None:
    """So many an address; the rest are turned away before any work."""
    limits = Limits(unauthenticated_per_address_max=4)
    async with server(limits=limits) as running:
        held = [
            await trio.open_tcp_stream("127.0.0.1", running.address.port)
            for _ in range(4)
        ]
        refused = [
            await trio.open_tcp_stream("127.0.0.1", running.address.port)
            for _ in range(4)
        ]
        for stream in refused:
            assert await read_to_end(stream) == b""
        counts = running.server.services.hub.counts
        assert counts.connections_refused["address_unauthenticated"] == 4
        assert counts.connections == 4
        for stream in (*held, *refused):
            await stream.aclose()
