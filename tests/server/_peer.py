"""A raw client for tests: `wigwag.wire.Connection` over a real TLS socket.

It knows the protocol and nothing of the SDK, so it can also do what a good client
never does. One task at a time may use it.
"""

import contextlib
import ssl
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from os import urandom
from typing import TypeVar

import msgspec
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wigwag.wire import (
    DRAFT,
    NEED_DATA,
    Ack,
    Auth,
    AuthOk,
    Connection,
    ConnectionClosed,
    ConnectionConfig,
    DeleteAccount,
    Deliver,
    DeviceList,
    Envelope,
    Event,
    KemPrekey,
    ListedDevice,
    Message,
    MessageClass,
    PrekeysStored,
    PrekeysUpload,
    ProofKind,
    Received,
    Register,
    ReRegister,
    Role,
    Send,
    SignedPrekey,
    Welcome,
    encode_message,
    encode_struct,
    suite1,
)

ALPN = "wigwag/1"
# Long enough for a loaded machine; a test that meets it has failed anyway.
WAIT_SECONDS = 20.0
READ_BYTES = 65_536
NO_ID = bytes(16)
DAY_MS = 86_400_000

Record = TypeVar("Record", bound=msgspec.Struct)

_tail = count(1)


def now_ms() -> int:
    """The time of day in ms."""
    return time.time_ns() // 1_000_000


def message_id() -> bytes:
    """A fresh UUIDv7 that rises within a process."""
    stamp = now_ms().to_bytes(6)
    number = next(_tail)
    middle = (0x7000 | (number >> 20) & 0xFFF).to_bytes(2)
    return stamp + middle + b"\x80" + (number & 0xFFFFF).to_bytes(3) + urandom(4)


@dataclass
class Account:
    """One account with one device, and its private keys."""

    user: bytes = field(default_factory=lambda: urandom(16))
    number: int = 1
    registration_id: int = field(default_factory=lambda: int.from_bytes(urandom(4)) | 1)
    generation: int = 0
    account_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    device_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    agreement_key: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    cursor: int = 0
    tails: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])

    @property
    def account_public(self) -> bytes:
        """The account's public key."""
        return self.account_key.public_key().public_bytes_raw()

    @property
    def signing_public(self) -> bytes:
        """The device's public signing key."""
        return self.device_key.public_key().public_bytes_raw()

    @property
    def agreement_public(self) -> bytes:
        """The device's public agreement key."""
        return self.agreement_key.public_key().public_bytes_raw()

    def device_list(self) -> bytes:
        """The first device list."""
        membership = self.device_key.sign(
            suite1.device_membership_transcript(
                self.user,
                self.account_public,
                self.number,
                self.signing_public,
                self.agreement_public,
            )
        )
        listed = ListedDevice(
            device=self.number,
            signing_key=self.signing_public,
            agreement_key=self.agreement_public,
            suites=(suite1.SUITE,),
            membership=membership,
        )
        return encode_struct(
            DeviceList(
                user=self.user,
                seq=1,
                prev_hash=bytes(32),
                time=now_ms(),
                devices=(listed,),
            )
        )

    def signed_prekey(self, prekey_id: int = 1) -> SignedPrekey:
        """A fresh signed prekey."""
        key = X25519PrivateKey.generate().public_key().public_bytes_raw()
        created = now_ms()
        expires = created + 90 * DAY_MS
        signature = self.device_key.sign(
            suite1.signed_prekey_transcript(
                self.user,
                self.number,
                self.registration_id,
                prekey_id,
                key,
                created,
                expires,
            )
        )
        return SignedPrekey(
            id=prekey_id,
            key=key,
            created=created,
            expires=expires,
            signature=signature,
        )

    def kem_prekey(self, prekey_id: int, *, last_resort: bool = False) -> KemPrekey:
        """An ML-KEM prekey as the server sees it: signed bytes of the right size."""
        key = urandom(1568)
        signature = self.device_key.sign(
            suite1.kem_prekey_transcript(
                self.user,
                self.number,
                self.registration_id,
                prekey_id,
                key,
                last_resort,
            )
        )
        return KemPrekey(
            id=prekey_id, last_resort=last_resort, key=key, signature=signature
        )


def invite_of(join: str) -> bytes:
    """The invite code of a join string."""
    return join.rpartition(".")[2].encode()


def client_context() -> ssl.SSLContext:
    """TLS without verification: these tests are about what comes after."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([ALPN])
    return context


class PeerClient:
    """One connection of a test's client."""

    def __init__(
        self,
        stream: "trio.SSLStream[trio.SocketStream]",
        leaf_sha256: bytes,
        config: ConnectionConfig,
    ) -> None:
        self.stream = stream
        self.leaf_sha256 = leaf_sha256
        self.connection = Connection(Role.CLIENT, config, now=trio.current_time())
        self.events: list[Event] = []
        self.account: Account | None = None

    # Bytes

    async def flush(self) -> None:
        """Write what is queued."""
        data = self.connection.data_to_send()
        if data:
            await self.stream.send_all(data)

    async def read(self) -> None:
        """Read once and note what it meant."""
        with trio.fail_after(WAIT_SECONDS):
            data = await self.stream.receive_some(READ_BYTES)
        self.connection.receive_data(bytes(data), trio.current_time())
        while (event := self.connection.next_event()) is not NEED_DATA:
            self.events.append(event)
            if isinstance(event, ConnectionClosed):
                break
        await self.flush()

    async def next(self) -> Event:
        """Return the next event."""
        while not self.events:
            await self.read()
        return self.events.pop(0)

    async def expect(
        self,
        record: type[Record],
        matches: Callable[[Record], bool] = lambda _: True,
    ) -> Record:
        """Return the next message of a kind; others are dropped."""
        while True:
            event = await self.next()
            if isinstance(event, Received) and isinstance(event.message, record):
                if matches(event.message):
                    return event.message
            elif isinstance(event, ConnectionClosed):
                raise AssertionError(f"closed while waiting for {record.__name__}")

    async def wait_closed(self) -> list[Event]:
        """Read to the end; return what came before it."""
        seen: list[Event] = []
        while True:
            event = await self.next()
            if isinstance(event, ConnectionClosed):
                return seen
            seen.append(event)

    # Requests

    async def request(self, message: Message) -> int:
        """Send a request; return its number."""
        corr = self.connection.send(message)
        await self.flush()
        return corr

    async def ask(self, message: Message) -> msgspec.Struct:
        """Send a request and return its answer; other messages are kept."""
        corr = await self.request(message)
        kept: list[Event] = []
        while True:
            event = await self.next()
            if isinstance(event, Received) and event.corr == corr:
                self.events = kept + self.events
                return event.message
            if isinstance(event, ConnectionClosed):
                raise AssertionError("closed while waiting for an answer")
            kept.append(event)

    async def hello(self) -> None:
        """Send HELLO and take WELCOME."""
        self.connection.send_hello(urandom(32))
        await self.flush()
        await self.expect(Welcome)

    def signed_body(self, message: Message, signature_bytes: int) -> bytes:
        """What a signature of this message covers."""
        return encode_message(message, self.connection.revision)[signature_bytes:]

    def auth_message(
        self, account: Account, *, key: Ed25519PrivateKey | None = None
    ) -> Auth:
        """An AUTH, signed with the device's key or another one."""
        unsigned = Auth(
            signature=bytes(64),
            user=account.user,
            device=account.number,
            registration_id=account.registration_id,
            generation=account.generation,
            cursor=account.cursor,
        )
        signature = (key or account.device_key).sign(
            suite1.auth_transcript(
                self.connection.transcript_hash,
                self.leaf_sha256,
                self.signed_body(unsigned, 64),
            )
        )
        return msgspec.structs.replace(unsigned, signature=signature)

    def delete_message(
        self,
        account: Account,
        *,
        key: Ed25519PrivateKey | None = None,
        time_ms: int | None = None,
    ) -> DeleteAccount:
        """A DELETE_ACCOUNT, signed with the account's key or another one."""
        unsigned = DeleteAccount(
            signature=bytes(64),
            user=account.user,
            time=now_ms() if time_ms is None else time_ms,
        )
        signature = (key or account.account_key).sign(
            suite1.delete_account_transcript(
                self.connection.transcript_hash,
                self.leaf_sha256,
                self.signed_body(unsigned, 64),
            )
        )
        return msgspec.structs.replace(unsigned, signature=signature)

    async def sign_in(self, account: Account) -> AuthOk:
        """Sign in with the next generation."""
        account.generation += 1
        answer = await self.ask(self.auth_message(account))
        assert isinstance(answer, AuthOk), answer
        self.account = account
        return answer

    def register_message(
        self,
        account: Account,
        proof: bytes,
        proof_kind: ProofKind = ProofKind.INVITE,
    ) -> Register:
        """A REGISTER with both signatures."""
        blob = account.device_list()
        unsigned = Register(
            account_signature=bytes(64),
            device_signature=bytes(64),
            user=account.user,
            account_key=account.account_public,
            device=account.number,
            registration_id=account.registration_id,
            generation=account.generation,
            signing_key=account.signing_public,
            agreement_key=account.agreement_public,
            list_blob=blob,
            list_signature=account.account_key.sign(
                suite1.device_list_transcript(blob)
            ),
            signed_prekey=account.signed_prekey(),
            proof_kind=proof_kind,
            proof=proof,
        )
        return self.sign_register(account, unsigned)

    def sign_register(self, account: Account, unsigned: Register) -> Register:
        """Sign a REGISTER for this connection."""
        transcript = suite1.register_transcript(
            self.connection.transcript_hash,
            self.leaf_sha256,
            self.signed_body(unsigned, 128),
        )
        return msgspec.structs.replace(
            unsigned,
            account_signature=account.account_key.sign(transcript),
            device_signature=account.device_key.sign(transcript),
        )

    async def register(self, account: Account, join: str) -> AuthOk:
        """Register and be signed in."""
        account.generation += 1
        answer = await self.ask(self.register_message(account, invite_of(join)))
        assert isinstance(answer, AuthOk), answer
        self.account = account
        # Nobody can write to a device without its last-resort key.
        stored = await self.ask(
            PrekeysUpload(
                one_time=(), kem=(), last_resort=account.kem_prekey(1, last_resort=True)
            )
        )
        assert isinstance(stored, PrekeysStored), stored
        return answer

    def re_register_message(self, account: Account) -> ReRegister:
        """A RE_REGISTER for the account's present registration id."""
        unsigned = ReRegister(
            signature=bytes(64),
            user=account.user,
            device=account.number,
            registration_id=account.registration_id,
            generation=account.generation,
            signed_prekey=account.signed_prekey(),
        )
        signature = account.device_key.sign(
            suite1.re_register_transcript(
                self.connection.transcript_hash,
                self.leaf_sha256,
                self.signed_body(unsigned, 64),
            )
        )
        return msgspec.structs.replace(unsigned, signature=signature)

    def send_message(
        self,
        target: Account,
        ciphertext: bytes,
        *,
        client_msg_id: bytes | None = None,
        after: bytes | None = None,
    ) -> Send:
        """A SEND to the one device of another account, next in the chat's chain."""
        account = self.account
        assert account is not None, "sign in first"
        chat = suite1.direct_chat_id(account.user, target.user)
        chosen = client_msg_id or message_id()
        previous = account.tails.get(chat, NO_ID) if after is None else after
        account.tails[chat] = chosen
        return Send(
            chat=chat,
            client_msg_id=chosen,
            attempt=1,
            after=previous,
            class_=MessageClass.MESSAGE,
            users=tuple(sorted((account.user, target.user))),
            envelopes=(
                Envelope(
                    user=target.user,
                    device=target.number,
                    registration_id=target.registration_id,
                    ciphertext=ciphertext,
                ),
            ),
        )

    async def deliver_and_ack(self) -> Deliver:
        """Take the next DELIVER and acknowledge it."""
        entry = await self.expect(Deliver)
        await self.ack(entry.inbox_seq)
        return entry

    async def ack(self, position: int) -> None:
        """Acknowledge up to a position."""
        self.connection.send(Ack(position=position))
        if self.account is not None:
            self.account.cursor = max(self.account.cursor, position)
        await self.flush()


@contextlib.asynccontextmanager
async def connect(
    port: int, *, config: ConnectionConfig | None = None, says_hello: bool = True
) -> AsyncGenerator[PeerClient, None]:
    """Connect over TLS and, unless told otherwise, shake hands."""
    with trio.fail_after(WAIT_SECONDS):
        tcp = await trio.open_tcp_stream("127.0.0.1", port)
    stream = trio.SSLStream(
        tcp, client_context(), server_hostname="localhost", https_compatible=True
    )
    try:
        with trio.fail_after(WAIT_SECONDS):
            await stream.do_handshake()
        leaf = stream.getpeercert(binary_form=True)
        assert isinstance(leaf, bytes)
        peer = PeerClient(
            stream,
            sha256(leaf).digest(),
            config or ConnectionConfig(client_name="wigwag test"),
        )
        if says_hello:
            await peer.hello()
        assert peer.connection.revision in (0, DRAFT)
        yield peer
    finally:
        with trio.move_on_after(WAIT_SECONDS, shield=True):
            await trio.aclose_forcefully(tcp)
