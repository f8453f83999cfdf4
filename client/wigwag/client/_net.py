"""TLS to the server, by a pinned CA (adapter).

TLS 1.3 runs over `ssl.SSLObject` and two memory buffers of our own, because AUTH
signs the leaf certificate of exactly this handshake, and because a read may
have to write (post-handshake messages).

Trust: the join string pins the public key of the server's CA. At first contact
one handshake that proves nothing fetches the chain, out of which the
certificate with the pinned key is taken; nothing is sent in it. Every
handshake that carries data then trusts that one CA certificate, and OpenSSL
checks the chain, its times and the host name.
"""

import hashlib
import os
import socket
import ssl
from typing import Final, Protocol, cast

import anyio
import anyio.abc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wigwag.client._errors import ConnectionLost, DialFailed, ServerNotTrusted
from wigwag.client._ports import Address, Dialled, Trust
from wigwag.wire import LIMITS

ALPN: Final = "wigwag/1"

CONNECT_SECONDS: Final = 10.0
"""One address that drops packets must not hold a client for TCP's minutes."""

HANDSHAKE_SECONDS: Final[float] = LIMITS["tls_handshake_seconds"].value

CLOSE_SECONDS: Final = 1.0
"""A server that doesn't answer close_notify isn't waited for."""

READ_BYTES: Final = 65536
"""One TLS record holds 16 KiB; a burst of inbox entries fills several."""

STALL_SECONDS: Final[float] = LIMITS["stall_seconds"].value


class _Certificate(Protocol):
    def public_bytes(self) -> str:
        """Return it in PEM."""
        ...


class TLSNet:
    """The way to servers over TCP and TLS 1.3."""

    async def dial(self, address: Address, trust: Trust) -> Dialled:
        """Connect and authenticate the server."""
        authority = trust.authority
        if authority is None or not _is_pinned(authority, trust.pin):
            authority = await _fetch_authority(address, trust.pin)
        try:
            stream = await _connect(address, _strict_context(authority))
        except ssl.SSLCertVerificationError as error:
            raise ServerNotTrusted(_why_refused(address, error)) from error
        leaf = stream.leaf()
        return Dialled(stream, hashlib.sha256(leaf).digest(), authority)


class TLSStream:
    """One TLS connection; one task may read and one write at a time."""

    def __init__(
        self, transport: anyio.abc.SocketStream, context: ssl.SSLContext, host: str
    ) -> None:
        self._transport = transport
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=host
        )
        # Reading may write (key updates), so two tasks may want the transport.
        self._send_lock = anyio.Lock()

    async def handshake(self) -> None:
        """Do the handshake; raises `ssl.SSLError` or `ConnectionLost`."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            except ssl.SSLError:
                # The alert tells the other side why.
                await self._flush()
                raise
            else:
                await self._flush()
                return

    def leaf(self) -> bytes:
        """Return the server's certificate (DER)."""
        certificate = self._tls.getpeercert(binary_form=True)
        assert certificate is not None, "a TLS server always has a certificate"
        return certificate

    def chain(self) -> list[bytes]:
        """Return every certificate the server sent (DER), leaf first."""
        public = getattr(self._tls, "get_unverified_chain", None)
        if public is not None:  # Python 3.13
            return cast("list[bytes]", public())
        # The same function, public only from 3.13 on; there it gives PEM.
        private = getattr(self._tls, "_sslobj")  # noqa: B009 - typed as absent
        sent = cast("list[_Certificate]", private.get_unverified_chain())
        return [ssl.PEM_cert_to_DER_cert(item.public_bytes()) for item in sent]

    def application_protocol(self) -> str | None:
        """Return what ALPN agreed on."""
        return self._tls.selected_alpn_protocol()

    async def receive(self, bytes_max: int) -> bytes:
        """Wait for bytes; b"" is the end."""
        while True:
            try:
                return self._tls.read(bytes_max)
            except ssl.SSLWantReadError:
                await self._flush()
                if not await self._fill():
                    return b""
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                # TCP may end without close_notify. Frames carry their length, so a
                # cut is seen; the protocol layer says what it means.
                return b""
            except ssl.SSLError as error:
                raise ConnectionLost("The encrypted connection broke.") from error

    async def send(self, data: bytes) -> None:
        """Write all of it."""
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            raise ConnectionLost("The encrypted connection broke.") from error
        await self._flush()

    async def aclose(self) -> None:
        """Say close_notify and close, within `CLOSE_SECONDS`."""
        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                # Want-read: the peer's own close_notify is not waited for.
                await self._flush_quietly()
        with anyio.CancelScope(shield=True):
            await self._transport.aclose()

    async def _flush(self) -> None:
        async with self._send_lock:
            while self._outgoing.pending:
                data = self._outgoing.read()
                try:
                    with anyio.fail_after(STALL_SECONDS):
                        await self._transport.send(data)
                except TimeoutError as error:
                    raise ConnectionLost("The server doesn't read.") from error
                except (OSError, anyio.BrokenResourceError) as error:
                    raise ConnectionLost("The connection broke.") from error
                except anyio.ClosedResourceError as error:
                    raise ConnectionLost("The connection was closed.") from error

    async def _flush_quietly(self) -> None:
        try:
            await self._flush()
        except ConnectionLost:
            return

    async def _fill(self) -> bool:
        try:
            data = await self._transport.receive(READ_BYTES)
        except anyio.EndOfStream:
            self._incoming.write_eof()
            return False
        except (OSError, anyio.BrokenResourceError) as error:
            raise ConnectionLost("The connection broke.") from error
        except anyio.ClosedResourceError as error:
            raise ConnectionLost("The connection was closed.") from error
        self._incoming.write(data)
        return True


async def _fetch_authority(address: Address, pin: bytes) -> bytes:
    stream = await _connect(address, _blind_context())
    try:
        for certificate in stream.chain():
            if _is_pinned(certificate, pin):
                return certificate
    finally:
        await stream.aclose()
    raise ServerNotTrusted(
        f"The server at {address} isn't the one of the join string:"
        " it shows another CA."
    )


async def _connect(address: Address, context: ssl.SSLContext) -> TLSStream:
    try:
        with anyio.fail_after(CONNECT_SECONDS):
            transport = await anyio.connect_tcp(address.host, address.port)
    except TimeoutError as error:
        raise DialFailed(f"Nobody answers at {address}.") from error
    except OSError as error:
        raise DialFailed(f"Can't connect to {address}: {_plain(error)}.") from error
    stream = TLSStream(transport, context, address.host)
    try:
        with anyio.fail_after(HANDSHAKE_SECONDS):
            await stream.handshake()
        if stream.application_protocol() != ALPN:
            raise DialFailed(f"What answers at {address} doesn't speak {ALPN}.")
    except BaseException as error:
        with anyio.CancelScope(shield=True):
            await transport.aclose()
        if isinstance(error, ssl.SSLCertVerificationError):
            raise
        if isinstance(error, TimeoutError):
            raise DialFailed(f"The TLS handshake with {address} hangs.") from error
        if isinstance(error, ssl.SSLError | ConnectionLost):
            raise DialFailed(f"The TLS handshake with {address} failed.") from error
        raise
    return stream


def _blind_context() -> ssl.SSLContext:
    """Make a context that proves nothing: only the chain is looked at."""
    context = _bare_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _strict_context(authority: bytes) -> ssl.SSLContext:
    context = _bare_context()
    context.load_verify_locations(cadata=authority)
    # The pinned CA may be an intermediate one: it is the anchor all the same.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _bare_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols([ALPN])
    return context


def _is_pinned(certificate: bytes, pin: bytes) -> bool:
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except ValueError:
        return False
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(info).digest() == pin


def _why_refused(address: Address, error: ssl.SSLCertVerificationError) -> str:
    return (
        f"The certificate of the server at {address} is refused:"
        f" {error.verify_message.rstrip('.').lower()}."
    )


def _plain(error: OSError) -> str:
    # anyio raises one OSError for several tried addresses, with the causes beneath.
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if isinstance(cause, socket.gaierror) or not cause.errno:
        return (cause.strerror or str(cause) or "unknown reason").lower()
    # Backends put the address into their text; the system's own is the same for all.
    return os.strerror(cause.errno).lower()
