"""Account and device keys: Ed25519 to sign, X25519 to agree.

Objects that hold a secret print as `<AccountKey>` and nothing more; the secret
leaves only through `.secret`, for the encrypted store.
"""

from dataclasses import dataclass
from typing import Protocol, final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)

from wigwag.client.crypto._errors import NotSigned, StateDamaged, WeakKey
from wigwag.wire import suite1

_SEED_BYTES = 32
"""Secrets of Ed25519 (RFC 8032) and X25519 (RFC 7748) alike."""


class Entropy(Protocol):
    """Where random bytes come from; seeded in the simulation."""

    def token(self, n: int) -> bytes:
        """Return `n` unpredictable bytes."""
        ...


def new_registration_id(entropy: Entropy) -> int:
    """Draw a registration id, 1 to 2³² - 1 (E2EE.md §2)."""
    # Zero is no registration; one in 2³² draws is mapped away from it.
    return int.from_bytes(entropy.token(4), "big") or 1


def check_signature(public: bytes, signature: bytes, data: bytes) -> None:
    """Verify an Ed25519 signature.

    Raises:
        NotSigned: If `public` isn't a key or the signature isn't its own of `data`.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError) as error:
        raise NotSigned from error


@final
class AgreementKey:
    """An X25519 key pair: a device's, a prekey, a base key or a ratchet key."""

    __slots__ = ("_private", "public")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != suite1.X25519_KEY_BYTES:
            raise StateDamaged("agreement key")
        self._private = X25519PrivateKey.from_private_bytes(secret)
        self.public = self._private.public_key().public_bytes_raw()

    @classmethod
    def generate(cls, entropy: Entropy) -> "AgreementKey":
        """Make a new key."""
        return cls(entropy.token(suite1.X25519_KEY_BYTES))

    @property
    def secret(self) -> bytes:
        """The 32 secret bytes, for the encrypted store only."""
        return self._private.private_bytes_raw()

    def exchange(self, peer_public: bytes) -> bytes:
        """Agree on 32 bytes with the holder of another key.

        Raises:
            WeakKey: If the other key makes the secret one that anyone knows.
        """
        try:
            peer = X25519PublicKey.from_public_bytes(peer_public)
            return self._private.exchange(peer)
        except ValueError as error:
            raise WeakKey from error

    def __repr__(self) -> str:
        return "<AgreementKey>"


@final
class AccountKey:
    """The Ed25519 key of an account; only the primary device holds it."""

    __slots__ = ("_private", "public")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _SEED_BYTES:
            raise StateDamaged("account key")
        self._private = Ed25519PrivateKey.from_private_bytes(secret)
        self.public = self._private.public_key().public_bytes_raw()

    @classmethod
    def generate(cls, entropy: Entropy) -> "AccountKey":
        """Make a new key."""
        return cls(entropy.token(_SEED_BYTES))

    @classmethod
    def from_secret(cls, secret: bytes) -> "AccountKey":
        """Restore a key from its 32 secret bytes; `StateDamaged` if they aren't."""
        return cls(secret)

    @property
    def secret(self) -> bytes:
        """The 32 secret bytes, for the encrypted store only."""
        return self._private.private_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """Sign a transcript of the suite, never anything else: 64 bytes."""
        return self._private.sign(data)

    def __repr__(self) -> str:
        return "<AccountKey>"


@final
class DeviceKeys:
    """A device's two keys: Ed25519 to sign, X25519 to agree."""

    __slots__ = ("_signing", "agreement", "signing_public")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _SEED_BYTES + suite1.X25519_KEY_BYTES:
            raise StateDamaged("device keys")
        self._signing = Ed25519PrivateKey.from_private_bytes(secret[:_SEED_BYTES])
        self.signing_public = self._signing.public_key().public_bytes_raw()
        self.agreement = AgreementKey(secret[_SEED_BYTES:])

    @classmethod
    def generate(cls, entropy: Entropy) -> "DeviceKeys":
        """Make new keys."""
        return cls(entropy.token(_SEED_BYTES + suite1.X25519_KEY_BYTES))

    @classmethod
    def from_secret(cls, secret: bytes) -> "DeviceKeys":
        """Restore keys from their 64 secret bytes; `StateDamaged` if they aren't."""
        return cls(secret)

    @property
    def agreement_public(self) -> bytes:
        """The X25519 public key."""
        return self.agreement.public

    @property
    def secret(self) -> bytes:
        """The 64 secret bytes (signing, then agreement), for the encrypted store."""
        return self._signing.private_bytes_raw() + self.agreement.secret

    def sign(self, data: bytes) -> bytes:
        """Sign a transcript of the suite, never anything else: 64 bytes."""
        return self._signing.sign(data)

    def __repr__(self) -> str:
        return "<DeviceKeys>"


@dataclass(frozen=True, slots=True)
class LocalDevice:
    """This device, in its current registration.

    Attributes:
        account: Account id, 16 bytes.
        account_key: Ed25519 public key of the account.
        number: Device number, 1 to 127.
        registration_id: 1 to 2³² - 1; new whenever the private state was lost.
        keys: The device's own keys.
    """

    account: bytes
    account_key: bytes
    number: int
    registration_id: int
    keys: DeviceKeys

    @property
    def party(self) -> suite1.Party:
        """This device as a session's associated data names it."""
        return suite1.Party(
            account=self.account,
            account_key=self.account_key,
            number=self.number,
            registration_id=self.registration_id,
            signing_key=self.keys.signing_public,
            agreement_key=self.keys.agreement_public,
        )


@dataclass(frozen=True, slots=True)
class PeerDevice:
    """A device of a peer, as his signed list names it.

    Attributes:
        account: Account id, 16 bytes.
        account_key: Ed25519 public key of the account, pinned.
        number: Device number, 1 to 127.
        signing_key: Ed25519 public key of the device.
        agreement_key: X25519 public key of the device.
        suites: Suites that it speaks.
    """

    account: bytes
    account_key: bytes
    number: int
    signing_key: bytes
    agreement_key: bytes
    suites: tuple[int, ...]

    def party(self, registration_id: int) -> suite1.Party:
        """Name the device, in one registration, as associated data does."""
        return suite1.Party(
            account=self.account,
            account_key=self.account_key,
            number=self.number,
            registration_id=registration_id,
            signing_key=self.signing_key,
            agreement_key=self.agreement_key,
        )
