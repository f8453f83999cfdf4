"""Accounts with their private keys, and everything that they sign."""

import itertools
import queue
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wigwag.bench._account import now_ms
from wigwag.wire import (
    DRAFT,
    Auth,
    DeviceList,
    Envelope,
    KemPrekey,
    ListedDevice,
    MessageClass,
    ProofKind,
    Register,
    Send,
    SignedList,
    SignedPrekey,
    encode_message,
    encode_struct,
    suite1,
)

NO_ID = bytes(16)
KEM_KEY_BYTES = 1568
DAY_MS = 86_400_000
PREKEY_LIFE_DAYS = 90
# Whoever waits longer for a free account has forgotten to give one back.
BORROW_SECONDS_MAX = 60.0

_numbers = itertools.count(1)


def message_id(at_ms: int | None = None) -> bytes:
    """Return a fresh UUIDv7 that rises within a process.

    Args:
        at_ms: The time in it; None: now.
    """
    stamp = (now_ms() if at_ms is None else at_ms).to_bytes(6)
    number = next(_numbers)
    middle = (0x7000 | (number >> 20) & 0xFFF).to_bytes(2)
    tail = b"\x80" + (number & 0xFFFFF).to_bytes(3) + secrets.token_bytes(4)
    return stamp + middle + tail


@dataclass(eq=False)
class Account:
    """One account with one device.

    Attributes:
        cursor: Highest inbox position that it has.
        tails: Its newest message in each chat, whose id `after` must name.
        list_blob: Its first device list, once it was made.
    """

    user: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    number: int = 1
    registration_id: int = field(default_factory=lambda: secrets.randbelow(2**32) | 1)
    generation: int = 0
    cursor: int = 0
    tails: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    list_blob: bytes = b""
    account_key: Ed25519PrivateKey = field(
        default_factory=Ed25519PrivateKey.generate, repr=False
    )
    device_key: Ed25519PrivateKey = field(
        default_factory=Ed25519PrivateKey.generate, repr=False
    )
    agreement_key: X25519PrivateKey = field(
        default_factory=X25519PrivateKey.generate, repr=False
    )

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
        """Return the first device list, encoded; `empty_list` follows it."""
        listed = ListedDevice(
            device=self.number,
            signing_key=self.signing_public,
            agreement_key=self.agreement_public,
            suites=(suite1.SUITE,),
            membership=self.device_key.sign(
                suite1.device_membership_transcript(
                    self.user,
                    self.account_public,
                    self.number,
                    self.signing_public,
                    self.agreement_public,
                )
            ),
        )
        first = DeviceList(
            user=self.user,
            seq=1,
            prev_hash=bytes(32),
            time=now_ms(),
            devices=(listed,),
        )
        self.list_blob = encode_struct(first)
        return self.list_blob

    def empty_list(self) -> SignedList:
        """Return the list after the first: the account signs out everywhere."""
        blob = encode_struct(
            DeviceList(
                user=self.user,
                seq=2,
                prev_hash=suite1.device_list_hash(self.list_blob),
                time=now_ms(),
                devices=(),
            )
        )
        signature = self.account_key.sign(suite1.device_list_transcript(blob))
        return SignedList(blob, signature)

    def signed_prekey(
        self, prekey_id: int = 1, *, created_ms: int | None = None
    ) -> SignedPrekey:
        """Return a fresh signed prekey."""
        key = X25519PrivateKey.generate().public_key().public_bytes_raw()
        created = now_ms() if created_ms is None else created_ms
        expires = created + PREKEY_LIFE_DAYS * DAY_MS
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
        return SignedPrekey(prekey_id, key, created, expires, signature)

    def kem_prekey(self, prekey_id: int, *, last_resort: bool) -> KemPrekey:
        """Return an ML-KEM prekey as a server sees it: signed bytes of its size."""
        key = secrets.token_bytes(KEM_KEY_BYTES)
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
        return KemPrekey(prekey_id, last_resort, key, signature)

    def auth(self, transcript_hash: bytes, leaf_sha256: bytes) -> Auth:
        """Return an AUTH for one connection, with the present generation."""
        unsigned = Auth(
            signature=bytes(64),
            user=self.user,
            device=self.number,
            registration_id=self.registration_id,
            generation=self.generation,
            cursor=self.cursor,
        )
        return self.sign_auth(unsigned, transcript_hash, leaf_sha256)

    def sign_auth(
        self, unsigned: Auth, transcript_hash: bytes, leaf_sha256: bytes
    ) -> Auth:
        """Return an AUTH with this device's signature."""
        body = encode_message(unsigned, DRAFT)[64:]
        signature = self.device_key.sign(
            suite1.auth_transcript(transcript_hash, leaf_sha256, body)
        )
        return msgspec.structs.replace(unsigned, signature=signature)

    def register(
        self, transcript_hash: bytes, leaf_sha256: bytes, *, proof: bytes = b""
    ) -> Register:
        """Return a REGISTER for one connection, signed by both keys (R-REG-001)."""
        blob = self.device_list()
        unsigned = Register(
            account_signature=bytes(64),
            device_signature=bytes(64),
            user=self.user,
            account_key=self.account_public,
            device=self.number,
            registration_id=self.registration_id,
            generation=self.generation,
            signing_key=self.signing_public,
            agreement_key=self.agreement_public,
            list_blob=blob,
            list_signature=self.account_key.sign(suite1.device_list_transcript(blob)),
            signed_prekey=self.signed_prekey(),
            proof_kind=ProofKind.INVITE if proof else ProofKind.OPEN,
            proof=proof,
        )
        transcript = suite1.register_transcript(
            transcript_hash, leaf_sha256, encode_message(unsigned, DRAFT)[128:]
        )
        return msgspec.structs.replace(
            unsigned,
            account_signature=self.account_key.sign(transcript),
            device_signature=self.device_key.sign(transcript),
        )

    def send_to(
        self,
        target: "Account",
        ciphertext: bytes,
        *,
        client_msg_id: bytes | None = None,
    ) -> Send:
        """Return the next SEND of this device to the device of another account."""
        chat = suite1.direct_chat_id(self.user, target.user)
        after = self.tails.get(chat, NO_ID)
        chosen = client_msg_id or message_id()
        envelope = Envelope(
            target.user, target.number, target.registration_id, ciphertext
        )
        return Send(
            chat=chat,
            client_msg_id=chosen,
            attempt=1,
            after=after,
            class_=MessageClass.MESSAGE,
            users=tuple(sorted((self.user, target.user))),
            envelopes=(envelope,),
        )

    def note_stored(self, send: Send) -> None:
        """Note that a SEND was sequenced: the next one names it in `after`."""
        self.tails[send.chat] = send.client_msg_id


class People:
    """Registered accounts that are lent out, one user at a time."""

    def __init__(self, accounts: tuple[Account, ...]) -> None:
        self._idle: queue.Queue[Account] = queue.Queue()
        for account in accounts:
            self._idle.put(account)

    @contextmanager
    def borrow(self) -> Generator[Account]:
        """Lend an account that nobody else uses meanwhile."""
        account = self._idle.get(timeout=BORROW_SECONDS_MAX)
        try:
            yield account
        finally:
            self._idle.put(account)
