"""Suite 1 of the cryptography: transcripts, identifiers, layouts and constants.

Made from `suites/1.toml` by `wigwag spec generate`. Do not edit.
"""

from collections.abc import Iterable
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

from wigwag.wire._lp import lp as lp

SUITE = 1
_U16 = Struct(">H").pack
_U32 = Struct(">I").pack
_U64 = Struct(">Q").pack


def _exact(name: str, value: bytes, size: int) -> bytes:
    if len(value) != size:
        raise ValueError(f"{name} must be {size} bytes, got {len(value)}")
    return value


def direct_chat_id(account_a: bytes, account_b: bytes) -> bytes:
    """Derive the id of the direct chat of two accounts, in either order."""
    lower, higher = sorted((account_a, account_b))
    parts = lp(b"wigwag/1 direct", _exact("account", lower, 16), _exact("account", higher, 16))
    return sha256(parts).digest()[:16]


def server_msg_id(
    chat: bytes, sender_user: bytes, sender_device: int, client_msg_id: bytes
) -> bytes:
    """Derive the id that a message has on every node and at every retry."""
    sender = _exact("sender_user", sender_user, 16) + bytes((sender_device,))
    parts = lp(
        b"wigwag/1 message",
        _exact("chat", chat, 16),
        sender,
        _exact("client_msg_id", client_msg_id, 16),
    )
    return sha256(parts).digest()[:16]


def send_digest(
    message_class: int,
    envelopes: Iterable[tuple[bytes, int, int, bytes]],
    shared_body: bytes = b"",
) -> bytes:
    """Digest what a SEND carries; envelopes are (user, device, registration id, ciphertext)."""
    elements: list[bytes] = []
    count = 0
    for user, device, registration_id, ciphertext in envelopes:
        count += 1
        elements += (
            _exact("user", user, 16) + bytes((device,)),
            _U32(registration_id),
            ciphertext,
        )
    parts = lp(
        b"wigwag/1 send", bytes((message_class,)), _U16(count), *elements, shared_body
    )
    return sha256(parts).digest()


def auth_transcript(
    handshake_hash: bytes, certificate_hash: bytes, signed: bytes
) -> bytes:
    """Build what AUTH's signature covers; signed = body[64:]."""
    return lp(
        b"wigwag/1 auth",
        _exact("handshake_hash", handshake_hash, 32),
        _exact("certificate_hash", certificate_hash, 32),
        signed,
    )


def register_transcript(
    handshake_hash: bytes, certificate_hash: bytes, signed: bytes
) -> bytes:
    """Build what both of REGISTER's signatures cover; signed = body[128:]."""
    return lp(
        b"wigwag/1 register",
        _exact("handshake_hash", handshake_hash, 32),
        _exact("certificate_hash", certificate_hash, 32),
        signed,
    )


def re_register_transcript(
    handshake_hash: bytes, certificate_hash: bytes, signed: bytes
) -> bytes:
    """Build what RE_REGISTER's signature covers; signed = body[64:]."""
    return lp(
        b"wigwag/1 re-register",
        _exact("handshake_hash", handshake_hash, 32),
        _exact("certificate_hash", certificate_hash, 32),
        signed,
    )


def signed_prekey_transcript(
    account: bytes,
    device: int,
    registration_id: int,
    prekey_id: int,
    key: bytes,
    created_at_ms: int,
    expires_at_ms: int,
) -> bytes:
    """Build what the device signing key signs for a signed X25519 prekey."""
    return lp(
        b"wigwag/1 signed prekey",
        _U16(SUITE),
        _exact("account", account, 16),
        bytes((device,)),
        _U32(registration_id),
        _U32(prekey_id),
        _exact("key", key, 32),
        _U64(created_at_ms),
        _U64(expires_at_ms),
    )


def kem_prekey_transcript(
    account: bytes,
    device: int,
    registration_id: int,
    prekey_id: int,
    key: bytes,
    last_resort: bool,
) -> bytes:
    """Build what the device signing key signs for an ML-KEM-1024 prekey."""
    return lp(
        b"wigwag/1 kem prekey",
        _U16(SUITE),
        _exact("account", account, 16),
        bytes((device,)),
        _U32(registration_id),
        _U32(prekey_id),
        _exact("key", key, 1568),
        bytes((last_resort,)),
    )


def device_list_transcript(blob: bytes) -> bytes:
    """Build what the account key signs for a device list."""
    return lp(b"wigwag/1 device list", blob)


def device_list_hash(blob: bytes) -> bytes:
    """Hash a device list: the next list's prev_hash; its first 8 bytes go into messages."""
    return sha256(device_list_transcript(blob)).digest()


def device_membership_transcript(
    account: bytes,
    account_key: bytes,
    device: int,
    signing_key: bytes,
    agreement_key: bytes,
) -> bytes:
    """Build what a device signs to say that it belongs to this account key."""
    return lp(
        b"wigwag/1 device membership",
        _U16(SUITE),
        _exact("account", account, 16),
        _exact("account_key", account_key, 32),
        bytes((device,)),
        _exact("signing_key", signing_key, 32),
        _exact("agreement_key", agreement_key, 32),
    )


class Party(NamedTuple):
    """One side of a session."""

    account: bytes
    account_key: bytes
    device: int
    registration_id: int
    signing_key: bytes
    agreement_key: bytes


def _party(party: Party) -> tuple[bytes, ...]:
    return (
        _exact("account", party.account, 16),
        _exact("account_key", party.account_key, 32),
        bytes((party.device,)),
        _U32(party.registration_id),
        _exact("signing_key", party.signing_key, 32),
        _exact("agreement_key", party.agreement_key, 32),
    )


def session_ad(
    initiator: Party,
    responder: Party,
    signed_prekey: bytes,
    kem_prekey: bytes,
    one_time_prekey: bytes = b"",
) -> bytes:
    """Build the associated data of a session."""
    return lp(
        b"wigwag/1 session",
        _U16(SUITE),
        *_party(initiator),
        *_party(responder),
        _exact("signed_prekey", signed_prekey, 32),
        _exact("kem_prekey", kem_prekey, 1568),
        one_time_prekey,
    )
