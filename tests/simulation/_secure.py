"""TLS in the simulation: the real TLS of both sides over the in-memory network.

Ed25519 signatures are of one length and the same for the same input, so a fixed key
makes every handshake as long as every other one, and the trace repeats. What OpenSSL
draws is in no trace.
"""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, cast

import anyio
import anyio.abc
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from tests.simulation._network import ConnectionBrokenError, End

from wigwag.client._errors import ConnectionLost
from wigwag.client._net import TLSStream, _strict_context  # pyright: ignore[reportPrivateUsage] # the real net dials a real socket before
from wigwag.server._certificates import ServerIdentity, spki_of
from wigwag.server._tls import RECORD_BYTES, ServerTLS, TLSFailedError, TLSLink

SEED_OF_KEY: Final = sha256(b"the certificate of the simulation").digest()

VALID_FROM: Final = datetime(2020, 1, 1, tzinfo=UTC)
VALID_UNTIL: Final = datetime(2120, 1, 1, tzinfo=UTC)


class Secure:
    """A server's fixed certificate, and what clients know of it.

    Attributes:
        tls: What the server presents.
        authority: The certificate (DER); it is its own authority.
    """

    def __init__(self, folder: Path, host: str) -> None:
        key = Ed25519PrivateKey.from_private_bytes(SEED_OF_KEY)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(VALID_FROM)
            .not_valid_after(VALID_UNTIL)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)
            .sign(key, None)
        )
        chain_path, key_path = folder / "chain.pem", folder / "key.pem"
        chain_path.write_bytes(certificate.public_bytes(Encoding.PEM))
        key_path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        self.authority = certificate.public_bytes(Encoding.DER)
        pin = sha256(spki_of(key.public_key())).digest()
        leaf = sha256(self.authority).digest()
        self.tls = ServerTLS(ServerIdentity(chain_path, key_path, leaf, pin))


class SecureEnd(End):
    """The server's end of a connection, under TLS."""

    def __init__(self, end: End, tls: ServerTLS) -> None:
        self.number = end.number
        self.address = end.address
        self._end = end
        self._tls = TLSLink(tls)

    async def receive(self, bytes_max: int) -> bytes:
        """Wait for decrypted bytes; b"" is the end. Raises `ConnectionBrokenError`."""
        while True:
            data = await self._end.receive(min(bytes_max, RECORD_BYTES))
            if not data:
                return b""
            try:
                plain = self._tls.receive(data)
            except TLSFailedError as error:
                raise ConnectionBrokenError from error
            if self._tls.has_pending:
                await self._end.send(self._tls.pending())
            if plain or self._tls.has_ended:
                return plain

    async def send(self, data: bytes) -> None:
        """Encrypt and send all of it. Raises `ConnectionBrokenError`."""
        await self._end.send(self._tls.encrypt(data))

    def close(self) -> None:
        """Say that nothing more comes."""
        self._end.close()

    def reset(self) -> None:
        """Break the connection at both ends."""
        self._end.reset()


class SecureClientEnd(End):
    """The client's end, under TLS. Made by `secured`."""

    def __init__(self, end: End, stream: TLSStream) -> None:
        self.number = end.number
        self.address = end.address
        self._end = end
        self._stream = stream

    async def receive(self, bytes_max: int) -> bytes:
        """Wait for decrypted bytes; b"" is the end. Raises `ConnectionBrokenError`."""
        try:
            return await self._stream.receive(bytes_max)
        except ConnectionLost as error:
            raise ConnectionBrokenError from error

    async def send(self, data: bytes) -> None:
        """Encrypt and send all of it. Raises `ConnectionBrokenError`."""
        try:
            await self._stream.send(data)
        except ConnectionLost as error:
            raise ConnectionBrokenError from error

    def close(self) -> None:
        """Say that nothing more comes."""
        self._end.close()


class _Transport:
    """A connection as anyio's streams are."""

    def __init__(self, end: End) -> None:
        self._end = end

    async def receive(self, max_bytes: int = RECORD_BYTES) -> bytes:
        try:
            data = await self._end.receive(max_bytes)
        except ConnectionBrokenError as error:
            raise anyio.BrokenResourceError from error
        if not data:
            raise anyio.EndOfStream
        return data

    async def send(self, item: bytes) -> None:
        try:
            await self._end.send(item)
        except ConnectionBrokenError as error:
            raise anyio.BrokenResourceError from error


async def secured(end: End, secure: Secure, host: str) -> SecureClientEnd:
    """Do the client's handshake on a connection.

    Raises:
        ConnectionLost: It broke.
        ssl.SSLError: The other side isn't who it should be.
    """
    transport = cast("anyio.abc.SocketStream", _Transport(end))
    stream = TLSStream(transport, _strict_context(secure.authority), host)
    await stream.handshake()
    return SecureClientEnd(end, stream)
