"""An account with one device: its keys, and the requests that they sign.

The keys are real, since the server verifies every signature. Messages are not:
their bodies are random bytes, which the server can't tell from ciphertext.
"""

import secrets
import time
from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM1024PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wigwag.wire import (
    Auth,
    DeviceList,
    KemPrekey,
    ListedDevice,
    PrekeysUpload,
    ProofKind,
    Register,
    SignedPrekey,
    encode_message,
    encode_struct,
    suite1,
)

DEVICE = 1
PREKEY_LIFE_MS = 90 * 24 * 3600 * 1000
_SIGNATURE_BYTES = 64


def now_ms() -> int:
    """Returns milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Account:
    """An account and its only device; travels between load processes.

    Attributes:
        user: Account id.
        registration_id: Of the device.
        signing_seed: The device's Ed25519 private key, 32 bytes.
    """

    user: bytes
    registration_id: int
    signing_seed: bytes = field(repr=False)

    @classmethod
    def new(cls) -> "Account":
        """Makes an account; the server learns of it by `Registration`."""
        return cls(
            secrets.token_bytes(16),
            secrets.randbelow(2**32 - 1) + 1,
            secrets.token_bytes(32),
        )

    @property
    def signing(self) -> Ed25519PrivateKey:
        """The device's signing key; made anew each time, since it doesn't travel."""
        return Ed25519PrivateKey.from_private_bytes(self.signing_seed)

    def auth(
        self, handshake_hash: bytes, certificate_hash: bytes, revision: int, cursor: int
    ) -> Auth:
        """Builds AUTH, signed (R-AUTH-001).

        The generation is the clock in nanoseconds: it rises from connection to
        connection without anybody keeping it.
        """
        unsigned = Auth(
            bytes(_SIGNATURE_BYTES),
            self.user,
            DEVICE,
            self.registration_id,
            time.time_ns(),
            cursor,
        )
        body = encode_message(unsigned, revision)
        transcript = suite1.auth_transcript(
            handshake_hash, certificate_hash, body[_SIGNATURE_BYTES:]
        )
        return msgspec.structs.replace(
            unsigned, signature=self.signing.sign(transcript)
        )


class Registration:
    """What makes an account exist on a server with open registration.

    One ML-KEM key serves all accounts of a process: the server can't tell, and
    making one costs more than registering.
    """

    _kem_public = b""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._signing = account.signing
        self._account_key = Ed25519PrivateKey.generate()
        self._agreement = X25519PrivateKey.generate().public_key().public_bytes_raw()

    def register(
        self, handshake_hash: bytes, certificate_hash: bytes, revision: int
    ) -> Register:
        """Builds REGISTER, signed by both keys (R-REG-001)."""
        account = self._account
        signing_key = self._signing.public_key().public_bytes_raw()
        blob = self._device_list(signing_key)
        unsigned = Register(
            bytes(_SIGNATURE_BYTES),
            bytes(_SIGNATURE_BYTES),
            account.user,
            self._account_key.public_key().public_bytes_raw(),
            DEVICE,
            account.registration_id,
            1,
            signing_key,
            self._agreement,
            blob,
            self._account_key.sign(suite1.device_list_transcript(blob)),
            self._signed_prekey(),
            ProofKind.OPEN,
            b"",
        )
        body = encode_message(unsigned, revision)
        transcript = suite1.register_transcript(
            handshake_hash, certificate_hash, body[2 * _SIGNATURE_BYTES :]
        )
        return msgspec.structs.replace(
            unsigned,
            account_signature=self._account_key.sign(transcript),
            device_signature=self._signing.sign(transcript),
        )

    def upload(self) -> PrekeysUpload:
        """Builds the upload that makes the device reachable."""
        if not Registration._kem_public:
            key = MLKEM1024PrivateKey.generate().public_key()
            Registration._kem_public = key.public_bytes_raw()
        account, public = self._account, Registration._kem_public
        signature = self._signing.sign(
            suite1.kem_prekey_transcript(
                account.user, DEVICE, account.registration_id, 1, public, True
            )
        )
        return PrekeysUpload((), (), last_resort=KemPrekey(1, True, public, signature))

    def _device_list(self, signing_key: bytes) -> bytes:
        user = self._account.user
        membership = suite1.device_membership_transcript(
            user,
            self._account_key.public_key().public_bytes_raw(),
            DEVICE,
            signing_key,
            self._agreement,
        )
        device = ListedDevice(
            DEVICE,
            signing_key,
            self._agreement,
            (suite1.SUITE,),
            self._signing.sign(membership),
        )
        return encode_struct(DeviceList(user, 1, bytes(32), now_ms(), (device,)))

    def _signed_prekey(self) -> SignedPrekey:
        account, created = self._account, now_ms()
        key = X25519PrivateKey.generate().public_key().public_bytes_raw()
        expires = created + PREKEY_LIFE_MS
        transcript = suite1.signed_prekey_transcript(
            account.user, DEVICE, account.registration_id, 1, key, created, expires
        )
        return SignedPrekey(1, key, created, expires, self._signing.sign(transcript))
