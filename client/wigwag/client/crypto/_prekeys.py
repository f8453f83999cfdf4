"""Prekeys of this device: made, stored with their secrets, offered to the server.

Ids strictly rise per device and kind (one-time and last-resort ML-KEM keys
share one row of ids), so that a server can tell a repeated upload. A one-time
secret is deleted only with the first message that it opened (E2EE.md §2).
"""

from dataclasses import dataclass
from typing import Protocol, final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM1024PrivateKey

from wigwag.client.crypto._errors import StateDamaged, WeakKey
from wigwag.client.crypto._keys import AgreementKey, Entropy, LocalDevice
from wigwag.client.crypto._stored import (
    STATE_VERSION,
    Stored,
    pack_state,
    unpack_state,
)
from wigwag.wire import EcPrekey, KemPrekey, SignedPrekey, suite1

ONE_TIME_PREKEYS_UPLOADED = 100
"""X25519 prekeys of one upload (E2EE.md §2)."""

KEM_PREKEYS_UPLOADED = 50
"""One-time ML-KEM prekeys of one upload; fewer, because each is 1.6 KiB."""

PREKEYS_LOW = 20
"""Below so many left on the server, of either kind, upload again."""

PREKEY_ROTATION_MS = 2 * 24 * 3600 * 1000
"""Signed and last-resort prekeys are replaced after 2 days (E2EE.md §2)."""

PREKEY_KEPT_MS = 62 * 24 * 3600 * 1000
"""Their secrets stay 62 days after replacement: outbox 30, inbox 30, margin."""

PREKEY_ID_MAX = 0xFFFF_FFFF
"""Ids are u32; at 100 a day they last 100,000 years."""


class _StoredSignedPrekey(Stored, frozen=True, gc=False):
    prekey_id: int
    secret: bytes
    created_at_ms: int
    expires_at_ms: int
    signature: bytes


class _StoredOneTimePrekey(Stored, frozen=True, gc=False):
    prekey_id: int
    secret: bytes


class _StoredKemPrekey(Stored, frozen=True, gc=False):
    prekey_id: int
    seed: bytes
    is_last_resort: bool
    signature: bytes


@final
@dataclass(frozen=True, slots=True, repr=False)
class OwnSignedPrekey:
    """A medium-term X25519 prekey with its secret.

    Attributes:
        prekey_id: Its id, from 1.
        key: The key pair.
        created_at_ms: When it was made, milliseconds since 1970.
        expires_at_ms: After this nobody starts a session with it.
        signature: Of the device, 64 bytes.
    """

    prekey_id: int
    key: AgreementKey
    created_at_ms: int
    expires_at_ms: int
    signature: bytes

    def offer(self) -> SignedPrekey:
        """Give what the server may know of it."""
        return SignedPrekey(
            id=self.prekey_id,
            key=self.key.public,
            created=self.created_at_ms,
            expires=self.expires_at_ms,
            signature=self.signature,
        )

    def dump(self) -> bytes:
        """Write it for the encrypted store."""
        return pack_state(
            _StoredSignedPrekey(
                STATE_VERSION,
                self.prekey_id,
                self.key.secret,
                self.created_at_ms,
                self.expires_at_ms,
                self.signature,
            )
        )

    @classmethod
    def load(cls, data: bytes) -> "OwnSignedPrekey":
        """Read what `dump` wrote; raises `StateDamaged`."""
        stored = unpack_state("signed prekey", data, _StoredSignedPrekey)
        return cls(
            prekey_id=stored.prekey_id,
            key=AgreementKey(stored.secret),
            created_at_ms=stored.created_at_ms,
            expires_at_ms=stored.expires_at_ms,
            signature=stored.signature,
        )

    def __repr__(self) -> str:
        return f"<OwnSignedPrekey {self.prekey_id}>"


@final
@dataclass(frozen=True, slots=True, repr=False)
class OwnOneTimePrekey:
    """A one-time X25519 prekey with its secret.

    Attributes:
        prekey_id: Its id, from 1.
        key: The key pair.
    """

    prekey_id: int
    key: AgreementKey

    def offer(self) -> EcPrekey:
        """Give what the server may know of it."""
        return EcPrekey(id=self.prekey_id, key=self.key.public)

    def dump(self) -> bytes:
        """Write it for the encrypted store."""
        return pack_state(
            _StoredOneTimePrekey(STATE_VERSION, self.prekey_id, self.key.secret)
        )

    @classmethod
    def load(cls, data: bytes) -> "OwnOneTimePrekey":
        """Read what `dump` wrote; raises `StateDamaged`."""
        stored = unpack_state("one-time prekey", data, _StoredOneTimePrekey)
        return cls(stored.prekey_id, AgreementKey(stored.secret))

    def __repr__(self) -> str:
        return f"<OwnOneTimePrekey {self.prekey_id}>"


@final
class DecapsulationKey:
    """An ML-KEM-1024 private key, kept as its 64-byte seed."""

    __slots__ = ("_private", "public")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != suite1.KEM_SEED_BYTES:
            raise StateDamaged("ML-KEM key")
        self._private = MLKEM1024PrivateKey.from_seed_bytes(seed)
        self.public = self._private.public_key().public_bytes_raw()

    @property
    def seed(self) -> bytes:
        """The 64 secret bytes, for the encrypted store only."""
        return self._private.private_bytes_raw()

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Open an encapsulated secret: 32 bytes, garbage if it isn't for this key.

        Raises:
            WeakKey: If the ciphertext has the wrong length.
        """
        try:
            return self._private.decapsulate(ciphertext)
        except ValueError as error:
            raise WeakKey from error

    def __repr__(self) -> str:
        return "<DecapsulationKey>"


@final
@dataclass(frozen=True, slots=True, repr=False)
class OwnKemPrekey:
    """An ML-KEM-1024 prekey with its secret.

    Attributes:
        prekey_id: Its id, from 1.
        key: The key pair.
        is_last_resort: Whether the server hands it out again and again.
        signature: Of the device, 64 bytes.
    """

    prekey_id: int
    key: DecapsulationKey
    is_last_resort: bool
    signature: bytes

    def offer(self) -> KemPrekey:
        """Give what the server may know of it."""
        return KemPrekey(
            id=self.prekey_id,
            last_resort=self.is_last_resort,
            key=self.key.public,
            signature=self.signature,
        )

    def dump(self) -> bytes:
        """Write it for the encrypted store."""
        return pack_state(
            _StoredKemPrekey(
                STATE_VERSION,
                self.prekey_id,
                self.key.seed,
                self.is_last_resort,
                self.signature,
            )
        )

    @classmethod
    def load(cls, data: bytes) -> "OwnKemPrekey":
        """Read what `dump` wrote; raises `StateDamaged`."""
        stored = unpack_state("KEM prekey", data, _StoredKemPrekey)
        return cls(
            prekey_id=stored.prekey_id,
            key=DecapsulationKey(stored.seed),
            is_last_resort=stored.is_last_resort,
            signature=stored.signature,
        )

    def __repr__(self) -> str:
        return f"<OwnKemPrekey {self.prekey_id}>"


@dataclass(frozen=True, slots=True)
class ReplayKey:
    """What identifies a first message under a last-resort key.

    Attributes:
        kem_prekey_id: The last-resort key.
        base_key: The initiator's fresh key, 32 bytes.
    """

    kem_prekey_id: int
    base_key: bytes


class PrekeyStore(Protocol):
    """This device's stored prekeys, as `decrypt` looks them up.

    1. `decrypt` calls these only for an envelope that starts a session.
    2. What it used is in `Decrypted.used`: the caller deletes and inserts it in
       the transaction that stores the plaintext.
    3. A prekey that was deleted isn't found; that is how a replayed first
       message of a one-time key ends.
    """

    def signed_prekey(self, prekey_id: int) -> OwnSignedPrekey | None:
        """Look up a signed prekey, replaced ones of 62 days included."""
        ...

    def one_time_prekey(self, prekey_id: int) -> OwnOneTimePrekey | None:
        """Look up an unused one-time X25519 prekey."""
        ...

    def kem_prekey(self, prekey_id: int) -> OwnKemPrekey | None:
        """Look up an unused one-time, or a last-resort, ML-KEM prekey."""
        ...

    def is_replay(self, replay: ReplayKey) -> bool:
        """Say whether this first message was taken before."""
        ...


def make_signed_prekey(
    device: LocalDevice, prekey_id: int, *, entropy: Entropy, now_ms: int
) -> OwnSignedPrekey:
    """Make and sign a medium-term prekey.

    Args:
        device: This device; the signature names its registration.
        prekey_id: Above every earlier id of a signed prekey.
        entropy: Source of the secret.
        now_ms: Server-corrected time; the key expires 90 days later.
    """
    _check_ids(prekey_id, 1)
    key = AgreementKey.generate(entropy)
    expires_at_ms = now_ms + suite1.PREKEY_LIFE_MS
    transcript = suite1.signed_prekey_transcript(
        device.account,
        device.number,
        device.registration_id,
        prekey_id,
        key.public,
        now_ms,
        expires_at_ms,
    )
    signature = device.keys.sign(transcript)
    return OwnSignedPrekey(prekey_id, key, now_ms, expires_at_ms, signature)


def make_one_time_prekeys(
    first_id: int, count: int, *, entropy: Entropy
) -> tuple[OwnOneTimePrekey, ...]:
    """Make one-time X25519 prekeys with the ids from `first_id` on."""
    _check_ids(first_id, count)
    return tuple(
        OwnOneTimePrekey(prekey_id, AgreementKey.generate(entropy))
        for prekey_id in range(first_id, first_id + count)
    )


def make_kem_prekeys(
    device: LocalDevice,
    first_id: int,
    count: int,
    *,
    is_last_resort: bool = False,
    entropy: Entropy,
) -> tuple[OwnKemPrekey, ...]:
    """Make and sign ML-KEM prekeys with the ids from `first_id` on.

    Args:
        device: This device; the signatures name its registration.
        first_id: Above every earlier id of an ML-KEM prekey of either kind.
        count: How many; of last-resort keys there is one at a time.
        is_last_resort: Whether the server may hand it out again and again.
        entropy: Source of the seeds.
    """
    _check_ids(first_id, count)
    made: list[OwnKemPrekey] = []
    for prekey_id in range(first_id, first_id + count):
        key = DecapsulationKey(entropy.token(suite1.KEM_SEED_BYTES))
        transcript = suite1.kem_prekey_transcript(
            device.account,
            device.number,
            device.registration_id,
            prekey_id,
            key.public,
            is_last_resort,
        )
        signature = device.keys.sign(transcript)
        made.append(OwnKemPrekey(prekey_id, key, is_last_resort, signature))
    return tuple(made)


def _check_ids(first_id: int, count: int) -> None:
    assert 1 <= first_id <= first_id + count <= PREKEY_ID_MAX, "prekey ids ran out"
