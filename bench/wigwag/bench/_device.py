"""A registered device of the load generator: keys, sign-in, and its TLS socket.

Set-up speaks through `wigwag.wire.Connection`, like any client, and may be
slow. The message loop (`_pairs.py`) takes the same socket over and speaks
prebuilt frames.
"""

import secrets
import socket
import ssl
import time
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM1024PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wigwag.wire import (
    DRAFT,
    NEED_DATA,
    Connection,
    ConnectionConfig,
    DeviceList,
    Error,
    InboxEmpty,
    KemPrekey,
    ListedDevice,
    Message,
    PrekeysUpload,
    ProofKind,
    Received,
    Register,
    Role,
    SignedPrekey,
    encode_message,
    encode_struct,
    suite1,
)

# A server that takes longer than this to answer during set-up is broken.
ANSWER_SECONDS_MAX = 20.0
READ_BYTES = 16384
PREKEY_LIFE_MS = 90 * 24 * 3600 * 1000


class BenchError(Exception):
    """The server or the set-up failed; the message says which and how."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that is signed in, and the socket it is signed in on."""

    user: bytes
    number: int
    registration_id: int
    revision: int
    stream: ssl.SSLSocket


def now_ms() -> int:
    """Returns milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


class SignIn:
    """Registers devices one after the other on a server with open registration.

    One ML-KEM key serves all of them: the server can't tell, and making one
    costs more than registering.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._kem_public = (
            MLKEM1024PrivateKey.generate().public_key().public_bytes_raw()
        )
        # The generator trusts what it started itself on this machine.
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self._context.minimum_version = ssl.TLSVersion.TLSv1_3
        self._context.set_alpn_protocols(["wigwag/1"])

    def register(self) -> Device:
        """Registers a new account and leaves its device signed in.

        Raises:
            BenchError: The server refused or did not answer.
        """
        plain = socket.create_connection(self._address, timeout=ANSWER_SECONDS_MAX)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = self._context.wrap_socket(plain, server_hostname="localhost")
        leaf = stream.getpeercert(binary_form=True)
        if leaf is None:
            raise BenchError("The server showed no certificate.")
        dialogue = _Dialogue(stream)
        identity = _Identity()
        register = identity.register(dialogue.handshake(), sha256(leaf).digest())
        dialogue.ask(register)
        dialogue.ask(identity.upload(self._kem_public))
        return Device(
            identity.user,
            1,
            identity.registration_id,
            dialogue.revision,
            stream,
        )


class _Identity:
    """The keys of one account and its only device."""

    def __init__(self) -> None:
        self.user = secrets.token_bytes(16)
        self.registration_id = secrets.randbelow(2**32 - 1) + 1
        self._account = Ed25519PrivateKey.generate()
        self._signing = Ed25519PrivateKey.generate()
        self._agreement = X25519PrivateKey.generate().public_key().public_bytes_raw()

    def register(self, handshake_hash: bytes, certificate_hash: bytes) -> Register:
        """Builds REGISTER, signed by both keys (R-REG-001)."""
        account_key = self._account.public_key().public_bytes_raw()
        signing_key = self._signing.public_key().public_bytes_raw()
        blob = encode_struct(
            DeviceList(
                self.user,
                1,
                bytes(32),
                now_ms(),
                (
                    ListedDevice(
                        1,
                        signing_key,
                        self._agreement,
                        (suite1.SUITE,),
                        self._signing.sign(
                            suite1.device_membership_transcript(
                                self.user, account_key, 1, signing_key, self._agreement
                            )
                        ),
                    ),
                ),
            )
        )

        def signed_with(first: bytes, second: bytes) -> Register:
            return Register(
                first,
                second,
                self.user,
                account_key,
                1,
                self.registration_id,
                1,
                signing_key,
                self._agreement,
                blob,
                self._account.sign(suite1.device_list_transcript(blob)),
                prekey,
                ProofKind.OPEN,
                b"",
            )

        prekey = self._signed_prekey()
        body = encode_message(signed_with(bytes(64), bytes(64)), DRAFT)
        transcript = suite1.register_transcript(
            handshake_hash, certificate_hash, body[128:]
        )
        return signed_with(
            self._account.sign(transcript), self._signing.sign(transcript)
        )

    def upload(self, kem_public: bytes) -> PrekeysUpload:
        """Builds the upload that makes the device reachable."""
        signature = self._signing.sign(
            suite1.kem_prekey_transcript(
                self.user, 1, self.registration_id, 1, kem_public, True
            )
        )
        return PrekeysUpload(
            (), (), last_resort=KemPrekey(1, True, kem_public, signature)
        )

    def _signed_prekey(self) -> SignedPrekey:
        created = now_ms()
        key = X25519PrivateKey.generate().public_key().public_bytes_raw()
        expires = created + PREKEY_LIFE_MS
        transcript = suite1.signed_prekey_transcript(
            self.user, 1, self.registration_id, 1, key, created, expires
        )
        return SignedPrekey(1, key, created, expires, self._signing.sign(transcript))


class _Dialogue:
    """One request after the other over a blocking socket, each with a deadline."""

    def __init__(self, stream: ssl.SSLSocket) -> None:
        self._stream = stream
        self._connection = Connection(
            Role.CLIENT,
            ConnectionConfig(client_name="wigwag-bench"),
            now=time.monotonic(),
        )

    @property
    def revision(self) -> int:
        """The revision that was agreed on."""
        return self._connection.revision

    def handshake(self) -> bytes:
        """Exchanges HELLO and WELCOME and returns the hash of both frames."""
        self._connection.send_hello(secrets.token_bytes(32))
        self._answer()
        return self._connection.transcript_hash

    def ask(self, message: Message) -> None:
        """Sends a request and waits for its answer.

        Raises:
            BenchError: The server refused it or did not answer.
        """
        self._connection.send(message)
        self._answer()

    def _answer(self) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while time.monotonic() < deadline:
            self._stream.sendall(self._connection.data_to_send())
            event = self._connection.next_event()
            if event is NEED_DATA:
                data = self._stream.recv(READ_BYTES)
                self._connection.receive_data(data, time.monotonic())
            elif isinstance(event, Received):
                if isinstance(event.message, Error):
                    raise BenchError(f"refused with code {event.message.code:#06x}")
                if not isinstance(event.message, InboxEmpty):
                    return
            else:
                raise BenchError(f"the server ended the connection: {event}")
        raise BenchError("the server did not answer in time")
