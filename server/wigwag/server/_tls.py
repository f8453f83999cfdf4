"""TLS without a socket: encrypted bytes in, decrypted bytes out, and back.

`SSLContext.wrap_bio` with two `MemoryBIO`s. They never shrink: one that was once
given a megabyte keeps it for the life of the connection. So nothing larger than
RECORD_BYTES goes into either of them at a time.
"""

import contextlib
import ssl
from hashlib import sha256

from cryptography import x509

from wigwag.server._certificates import ServerIdentity
from wigwag.server._errors import ConfigError

ALPN = "wigwag/1"
# The largest TLS record, and the largest read of the pump.
RECORD_BYTES = 16_384


class TLSFailedError(Exception):
    """The peer's TLS isn't ours to speak with; an alert may wait in `pending`.

    The text names OpenSSL's reason and nothing of the peer's bytes.
    """


class ServerTLS:
    """An SSL context together with the hash of the leaf that it presents.

    A reloaded certificate makes a new one of these. Tickets are the context's own, so
    a client that comes back with one of an older context makes a full handshake and
    signs the new leaf; whoever resumes signs this one.

    Attributes:
        context: Presents the leaf.
        leaf_sha256: SHA-256 of its DER, as the context presents it.
        starts: From when on clients take it, in UTC.
        ends: Until when.

    Raises:
        ConfigError: OpenSSL can't use the files, or they changed while they were read.
    """

    def __init__(self, identity: ServerIdentity) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols([ALPN])
        # One ticket is what a client uses; OpenSSL would send two.
        context.num_tickets = 1
        try:
            context.load_cert_chain(identity.chain_path, identity.key_path)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"{identity.chain_path}: TLS can't use it: {error.strerror or error}"
            ) from error
        leaf = _presented_leaf(context)
        self.context = context
        self.leaf_sha256 = sha256(leaf).digest()
        if self.leaf_sha256 != identity.leaf_sha256:
            # Devices would sign one and be verified with the other.
            raise ConfigError(
                f"{identity.chain_path} was written while it was read: try again"
            )
        certificate = x509.load_der_x509_certificate(leaf)
        self.starts = certificate.not_valid_before_utc
        self.ends = certificate.not_valid_after_utc


def _presented_leaf(context: ssl.SSLContext) -> bytes:
    """Shake hands with a context in memory and return what it presents, DER.

    The context is asked, not the file: what a file holds may have changed since.
    """
    # Looks and trusts nobody: there is no network between.
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_mode = ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server)
    for side in (client, server, client, server):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    leaf = client.getpeercert(binary_form=True)
    assert leaf is not None, "a server presents its certificate in its first flight"
    return leaf


class TLSLink:
    """The server's end of one TLS connection.

    Attributes:
        is_established: The handshake is done and ALPN is ours.
        has_ended: The peer said that nothing more comes (close_notify).
    """

    __slots__ = (
        "_has_keys",
        "_incoming",
        "_object",
        "_outgoing",
        "has_ended",
        "is_established",
    )

    def __init__(self, tls: ServerTLS) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = tls.context.wrap_bio(
            self._incoming, self._outgoing, server_side=True
        )
        self._has_keys = False
        self.is_established = False
        self.has_ended = False

    def receive(self, data: bytes) -> bytes:
        """Take what the socket gave, at most RECORD_BYTES; return what it meant.

        Raises:
            TLSFailedError: Not TLS, not TLS 1.3, not our ALPN, or not intact.
        """
        assert len(data) <= RECORD_BYTES
        self._incoming.write(data)
        try:
            if not self.is_established and not self._handshake():
                return b""
            return self._read()
        except ssl.SSLError as error:
            raise TLSFailedError(error.reason or "TLS failed") from error

    def encrypt(self, data: bytes) -> bytes:
        """Return the records that carry `data`, after whatever else is to be sent."""
        if len(data) <= RECORD_BYTES:
            self._object.write(data)
            return self._outgoing.read()
        view = memoryview(data)
        parts: list[bytes] = []
        for start in range(0, len(data), RECORD_BYTES):
            self._object.write(view[start : start + RECORD_BYTES])
            parts.append(self._outgoing.read())
        return b"".join(parts)

    @property
    def has_pending(self) -> bool:
        """Whether TLS itself wants to send something."""
        return self._outgoing.pending > 0

    def pending(self) -> bytes:
        """Return what TLS itself wants to send: handshake, tickets, alerts."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def close(self) -> bytes:
        """Return the close_notify that tells the peer that nothing was cut off."""
        if self._has_keys:
            try:
                self._object.unwrap()
            except ssl.SSLError:
                # Wants the peer's own close_notify, or the peer broke TLS: either
                # way what there is to send is in the buffer.
                return self.pending()
        return self.pending()

    def _handshake(self) -> bool:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self._has_keys = True
        if self._object.selected_alpn_protocol() != ALPN:
            # CPython's server goes on when the client offers no ALPN, or another.
            raise TLSFailedError("no ALPN wigwag/1")
        self.is_established = True
        return True

    def _read(self) -> bytes:
        read = self._object.read
        incoming = self._incoming
        parts: list[bytes] = []
        while True:
            try:
                part = read(RECORD_BYTES)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                part = b""
            if not part:
                self.has_ended = True
                break
            parts.append(part)
            # Spares the exception that the next read would raise.
            if not incoming.pending and not self._object.pending():
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)
