"""The TLS link over memory: any split, large data, and what isn't ours to speak."""

import contextlib
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wigwag.server import TLSConfig, open_folder
from wigwag.server._certificates import load_identity
from wigwag.server._tls import ALPN, RECORD_BYTES, ServerTLS, TLSFailedError, TLSLink


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[ServerTLS]:
    """A server's TLS with a development certificate."""
    with open_folder(tmp_path / "data") as folder:
        yield ServerTLS(
            load_identity(folder, TLSConfig(), ("localhost",), datetime.now(UTC))
        )


class Client:
    """The other end, over memory."""

    def __init__(
        self,
        alpn: str | None = ALPN,
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = version
        if alpn:
            context.set_alpn_protocols([alpn])
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)

    def shake(self) -> bytes:
        """Go on with the handshake; return what is to be sent."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self.outgoing.read()


def establish(link: TLSLink, client: Client, chunk: int = RECORD_BYTES) -> None:
    """Shake hands, cut into chunks."""
    for _ in range(3):
        data = client.shake()
        for start in range(0, len(data), chunk):
            assert link.receive(data[start : start + chunk]) == b""
        client.incoming.write(link.pending())
        if link.is_established:
            return
    raise AssertionError("no handshake")


@pytest.mark.parametrize("chunk", [1, 7, RECORD_BYTES])
def test_a_handshake_is_the_same_however_it_is_cut(tls: ServerTLS, chunk: int) -> None:
    """The network cuts where it likes."""
    link, client = TLSLink(tls), Client()
    establish(link, client, chunk)
    client.tls.write(b"hello")
    data = client.outgoing.read()
    received = b"".join(
        link.receive(data[start : start + chunk])
        for start in range(0, len(data), chunk)
    )
    assert received == b"hello"


def test_more_than_a_record_goes_through_both_ways(tls: ServerTLS) -> None:
    """A frame may be 256 KiB; a memory BIO never shrinks."""
    link, client = TLSLink(tls), Client()
    establish(link, client)
    large = bytes(range(256)) * 1_024
    client.incoming.write(link.encrypt(large))
    got = b""
    while len(got) < len(large):
        got += client.tls.read(RECORD_BYTES)
    assert got == large
    client.tls.write(large)
    sent = client.outgoing.read()
    back = [
        link.receive(sent[start : start + RECORD_BYTES])
        for start in range(0, len(sent), RECORD_BYTES)
    ]
    assert b"".join(back) == large


def test_both_ends_say_that_nothing_was_cut_off(tls: ServerTLS) -> None:
    """Without close_notify an attacker could cut a connection's end away."""
    link, client = TLSLink(tls), Client()
    establish(link, client)
    client.incoming.write(link.close())
    assert client.tls.read() == b""
    client.tls.unwrap()
    assert link.receive(client.outgoing.read()) == b""
    assert link.has_ended


@pytest.mark.parametrize("alpn", [None, "h2"])
def test_another_protocol_is_refused(tls: ServerTLS, alpn: str | None) -> None:
    """Cross-protocol attacks end at ALPN."""
    link, client = TLSLink(tls), Client(alpn)
    with pytest.raises(TLSFailedError, match="ALPN"):
        establish(link, client)
    assert not link.is_established
    assert link.close() != b""


def test_tls_1_2_is_refused_with_an_alert(tls: ServerTLS) -> None:
    """An old client is told, in TLS's own words."""
    link, client = TLSLink(tls), Client(version=ssl.TLSVersion.TLSv1_2)
    with pytest.raises(TLSFailedError, match="UNSUPPORTED_PROTOCOL"):
        link.receive(client.shake())
    client.incoming.write(link.pending())
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        client.tls.do_handshake()


def test_noise_is_refused_and_quoted_nowhere(tls: ServerTLS) -> None:
    """An error text that quotes its peer can carry anything into a log."""
    link = TLSLink(tls)
    with pytest.raises(TLSFailedError) as caught:
        link.receive(b"GET /secret HTTP/1.1\r\n\r\n")
    assert "secret" not in str(caught.value)
    assert link.close() == link.pending() == b""


def test_a_broken_record_ends_the_link(tls: ServerTLS) -> None:
    """What isn't intact isn't read."""
    link, client = TLSLink(tls), Client()
    establish(link, client)
    client.tls.write(b"hello")
    data = bytearray(client.outgoing.read())
    data[-1] ^= 1
    with pytest.raises(TLSFailedError):
        link.receive(bytes(data))
