"""PQXDH and the Double Ratchet a second time, from the papers and `suites/1.toml`.

It shares no code with the product but the primitives of `cryptography`, and
stands for a client in another language: what it says must open, and it must
open what we say.
"""

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM1024PrivateKey,
    MLKEM1024PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PREKEY_HEADER_BYTES = 4 + 4 + 4 + 4 + 32 + 1568


def lp(*parts: bytes) -> bytes:
    """Length-prefixed concatenation."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def hkdf(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 with SHA-256."""
    key = hmac.digest(salt, material, "sha256")
    output, block = b"", b""
    while len(output) < length:
        counter = bytes((len(output) // 32 + 1,))
        block = hmac.digest(key, block + info + counter, "sha256")
        output += block
    return output[:length]


def dh(private: bytes, public: bytes) -> bytes:
    """X25519."""
    return X25519PrivateKey.from_private_bytes(private).exchange(
        X25519PublicKey.from_public_bytes(public)
    )


def public_of(private: bytes) -> bytes:
    """X25519 public key."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


@dataclass(frozen=True)
class Side:
    """What the associated data names of one side."""

    account: bytes
    account_key: bytes
    number: int
    registration_id: int
    signing_key: bytes
    agreement_key: bytes

    def parts(self) -> tuple[bytes, ...]:
        """The parts in order."""
        return (
            self.account,
            self.account_key,
            bytes((self.number,)),
            self.registration_id.to_bytes(4, "big"),
            self.signing_key,
            self.agreement_key,
        )


def session_hash(
    initiator: Side, responder: Side, signed: bytes, kem: bytes, one_time: bytes
) -> bytes:
    """SHA-256 of the session's associated data."""
    suite = b"\x00\x01"
    return hashlib.sha256(
        lp(
            b"wigwag/1 session",
            suite,
            *initiator.parts(),
            *responder.parts(),
            signed,
            kem,
            one_time,
        )
    ).digest()


def session_secret(*secrets: bytes) -> bytes:
    """SK from the DH results in order and the KEM's secret."""
    material = b"\xff" * 32 + b"".join(secrets)
    return hkdf(bytes(32), material, b"wigwag/1 PQXDH", 32)


class Ratchet:
    """The Double Ratchet, without lost messages."""

    def __init__(self, root: bytes, session: bytes) -> None:
        self.root = root
        self.session = session
        self.own = b""
        self.peer = b""
        self.sending = b""
        self.receiving = b""
        self.sent = 0
        self.previous = 0
        self.prefix = b"\x01\x00\x01\x00"

    def turn_sending(self, own: bytes) -> None:
        """Begin a sending chain with a new private key."""
        self.own = own
        output = hkdf(self.root, dh(own, self.peer), b"wigwag/1 ratchet root", 64)
        self.root, self.sending = output[:32], output[32:]
        self.previous, self.sent = self.sent, 0

    def turn_receiving(self, peer: bytes) -> None:
        """Begin a receiving chain with the peer's new public key."""
        self.peer = peer
        output = hkdf(self.root, dh(self.own, peer), b"wigwag/1 ratchet root", 64)
        self.root, self.receiving = output[:32], output[32:]

    def seal(self, plaintext: bytes) -> bytes:
        """Make the next envelope."""
        key = hmac.digest(self.sending, b"\x01", "sha256")
        self.sending = hmac.digest(self.sending, b"\x02", "sha256")
        header = (
            public_of(self.own)
            + self.previous.to_bytes(4, "big")
            + self.sent.to_bytes(4, "big")
        )
        self.sent += 1
        keys = hkdf(bytes(32), key, b"wigwag/1 message keys", 80)
        fill = 16 - len(plaintext) % 16
        encryptor = Cipher(algorithms.AES(keys[:32]), modes.CBC(keys[64:])).encryptor()
        ciphertext = encryptor.update(plaintext + bytes((fill,)) * fill)
        tag = hmac.digest(
            keys[32:64],
            lp(b"wigwag/1 envelope", self.session, self.prefix, header) + ciphertext,
            "sha256",
        )
        return self.prefix + header + ciphertext + tag

    def open(self, envelope: bytes) -> bytes:
        """Open the next envelope of the current or a new chain."""
        prefix = envelope[:4]
        if envelope[3]:
            prefix = envelope[: 4 + PREKEY_HEADER_BYTES]
        rest = envelope[len(prefix) :]
        header, body = rest[:40], rest[40:]
        if header[:32] != self.peer:
            self.turn_receiving(header[:32])
        key = hmac.digest(self.receiving, b"\x01", "sha256")
        self.receiving = hmac.digest(self.receiving, b"\x02", "sha256")
        keys = hkdf(bytes(32), key, b"wigwag/1 message keys", 80)
        ciphertext, tag = body[:-32], body[-32:]
        covered = lp(b"wigwag/1 envelope", self.session, prefix, header) + ciphertext
        assert hmac.digest(keys[32:64], covered, "sha256") == tag
        decryptor = Cipher(algorithms.AES(keys[:32]), modes.CBC(keys[64:])).decryptor()
        padded = decryptor.update(ciphertext)
        return padded[: -padded[-1]]


def encapsulate(public: bytes) -> tuple[bytes, bytes]:
    """ML-KEM-1024: shared secret and ciphertext."""
    return MLKEM1024PublicKey.from_public_bytes(public).encapsulate()


def decapsulate(seed: bytes, ciphertext: bytes) -> bytes:
    """ML-KEM-1024: shared secret."""
    return MLKEM1024PrivateKey.from_seed_bytes(seed).decapsulate(ciphertext)
