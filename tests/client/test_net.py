"""TLS: only the server of the join string, only our protocol."""

import hashlib
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio
import pytest
import trio
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wigwag.client._errors import ConnectionLost, DialFailed, ServerNotTrusted
from wigwag.client._net import TLSNet
from wigwag.client._ports import Address, Trust


def pin_of(ca: trustme.CA) -> bytes:
    """Returns the pin of a CA."""
    certificate = x509.load_pem_x509_certificate(ca.cert_pem.bytes())
    key = certificate.public_key()
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(info).digest()


@dataclass
class Echo:
    """A TLS server that sends everything back."""

    address: Address
    leaf: bytes
    connections: int = 0


@asynccontextmanager
async def echo(
    ca: trustme.CA,
    *,
    name: str = "127.0.0.1",
    alpn: str = "wigwag/1",
    has_chain: bool = True,
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> AsyncGenerator[Echo, None]:
    """Runs such a server."""
    leaf = ca.issue_cert(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  # pyOpenSSL
    if has_chain:
        chain = leaf.private_key_and_cert_chain_pem.bytes() + ca.cert_pem.bytes()
        with trustme.Blob(chain).tempfile() as path:
            context.load_cert_chain(path)
    context.maximum_version = newest
    context.set_alpn_protocols([alpn])
    pem = leaf.cert_chain_pems[0].bytes().decode()
    running = Echo(Address("127.0.0.1", 0), ssl.PEM_cert_to_DER_cert(pem))

    async def serve(stream: trio.SocketStream) -> None:
        running.connections += 1
        tls = trio.SSLStream(stream, context, server_side=True)
        try:
            async for data in tls:
                await tls.send_all(data)
            await tls.aclose()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return

    async with trio.open_nursery() as nursery:
        local = partial(trio.serve_tcp, serve, 0, host="127.0.0.1")
        listeners = await nursery.start(local)
        port = listeners[0].socket.getsockname()[1]
        running.address = Address("127.0.0.1", port)
        yield running
        nursery.cancel_scope.cancel()


async def test_bytes_go_both_ways_and_the_leaf_is_named() -> None:
    """AUTH signs the certificate of exactly this connection (R-AUTH-001)."""
    ca = trustme.CA()
    async with echo(ca) as server:
        net = TLSNet()
        dialled = await net.dial(server.address, Trust(pin_of(ca)))
        assert dialled.certificate_hash == hashlib.sha256(server.leaf).digest()
        data = bytes(range(256)) * 1000
        received = b""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(dialled.stream.send, data)
            while len(received) < len(data):
                received += await dialled.stream.receive(65536)
        assert received == data
        await dialled.stream.aclose()
        with pytest.raises(ConnectionLost):
            await dialled.stream.send(b"late")


async def test_a_known_authority_saves_the_first_look() -> None:
    """Only the first contact needs a handshake to fetch the chain."""
    ca = trustme.CA()
    async with echo(ca) as server:
        first = await TLSNet().dial(server.address, Trust(pin_of(ca)))
        assert server.connections == 2
        trust = Trust(pin_of(ca), first.authority)
        second = await TLSNet().dial(server.address, trust)
        assert server.connections == 3
        assert second.authority == first.authority
        await first.stream.aclose()
        await second.stream.aclose()


async def test_another_ca_is_refused() -> None:
    """Whoever sits between shows a chain of his own."""
    ca, other = trustme.CA(), trustme.CA()
    async with echo(other) as server:
        with pytest.raises(ServerNotTrusted, match="another CA"):
            await TLSNet().dial(server.address, Trust(pin_of(ca)))


async def test_a_stored_authority_of_another_pin_is_not_used() -> None:
    """The pin decides, not what a profile remembers."""
    ca, other = trustme.CA(), trustme.CA()
    stored = ssl.PEM_cert_to_DER_cert(other.cert_pem.bytes().decode())
    async with echo(other) as server:
        with pytest.raises(ServerNotTrusted):
            await TLSNet().dial(server.address, Trust(pin_of(ca), stored))
        with pytest.raises(ServerNotTrusted):
            await TLSNet().dial(server.address, Trust(pin_of(ca), b"garbage"))


async def test_the_pinned_ca_beside_a_foreign_leaf_is_refused() -> None:
    """A CA certificate is public: anybody can send it along."""
    ca, other = trustme.CA(), trustme.CA()
    stored = ssl.PEM_cert_to_DER_cert(ca.cert_pem.bytes().decode())
    async with echo(other) as server:
        with pytest.raises(ServerNotTrusted, match="refused"):
            await TLSNet().dial(server.address, Trust(pin_of(ca), stored))


async def test_a_certificate_for_another_host_is_refused() -> None:
    """The same CA may serve others."""
    ca = trustme.CA()
    async with echo(ca, name="other.example") as server:
        with pytest.raises(ServerNotTrusted, match="refused"):
            await TLSNet().dial(server.address, Trust(pin_of(ca)))


@pytest.mark.parametrize(
    ("alpn", "newest"),
    [("http/1.1", ssl.TLSVersion.TLSv1_3), ("wigwag/1", ssl.TLSVersion.TLSv1_2)],
)
async def test_other_protocols_are_refused(alpn: str, newest: ssl.TLSVersion) -> None:
    """A web server behind the port, or a TLS that is too old (F2)."""
    ca = trustme.CA()
    async with echo(ca, alpn=alpn, newest=newest) as server:
        with pytest.raises(DialFailed):
            await TLSNet().dial(server.address, Trust(pin_of(ca)))


async def test_nobody_there_is_said() -> None:
    """One sentence, with the address."""
    with pytest.raises(DialFailed, match=r"127\.0\.0\.1:1"):
        await TLSNet().dial(Address("127.0.0.1", 1), Trust(bytes(32)))


async def test_a_stream_that_is_cut_ends() -> None:
    """The protocol above decides what a cut means; a second read says it again."""
    ca = trustme.CA()
    async with echo(ca) as server:
        dialled = await TLSNet().dial(server.address, Trust(pin_of(ca)))
    for _ in range(2):
        try:
            ended = await dialled.stream.receive(10)
        except ConnectionLost:
            ended = b""
        assert ended == b""
    await dialled.stream.aclose()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_closed_port_is_told_in_the_systems_words(backend: str) -> None:
    """A backend's own text repeats the address and looks like a bug."""

    async def dial() -> None:
        await TLSNet().dial(Address("127.0.0.1", 1), Trust(bytes(32)))

    with pytest.raises(DialFailed) as caught:
        anyio.run(dial, backend=backend)
    assert "to 127.0.0.1:1: connection refused." in str(caught.value)
