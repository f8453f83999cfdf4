"""Suite 1 of the cryptography: X25519 + ML-KEM-1024 + Ed25519 + SHA-256.

PQXDH agreement, Double Ratchet with AES-256-CBC and HMAC-SHA-256.

Made from `suites/1.toml` by `wigwag spec generate`; never edited.
"""

from collections.abc import Iterable
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

from wigwag.wire._lp import lp as lp

SUITE = 1
"""Number of this suite in bundles, device lists and envelopes."""

_U8 = Struct(">B").pack
_U16 = Struct(">H").pack
_U32 = Struct(">I").pack
_U64 = Struct(">Q").pack


class LayoutError(ValueError):
    """Bytes from outside that don't have the layout they must have.

    Attributes:
        layout: Name of the layout.
        field: The field at which it shows.
        problem: What is wrong, without any of the bytes.
    """

    def __init__(self, layout: str, field: str, problem: str) -> None:
        super().__init__(f"{layout}.{field}: {problem}")
        self.layout = layout
        self.field = field
        self.problem = problem


def _sized(value: bytes, size: int) -> bytes:
    if len(value) != size:
        message = f"expected {size} bytes, got {len(value)}"
        raise ValueError(message)
    return value


ED25519_PUBLIC_BYTES = 32
"""Ed25519 public keys (RFC 8032).

Unit: bytes.
"""

ED25519_SIGNATURE_BYTES = 64
"""Ed25519 signatures (RFC 8032), pure, no context.

Unit: bytes.
"""

X25519_KEY_BYTES = 32
"""X25519 public and private keys (RFC 7748).

An all-zero shared secret is refused. Unit: bytes.
"""

KEM_PUBLIC_BYTES = 1568
"""ML-KEM-1024 encapsulation keys (FIPS 203).

Unit: bytes.
"""

KEM_SEED_BYTES = 64
"""ML-KEM-1024 private keys are kept as the seed d then z (FIPS 203).

Unit: bytes.
"""

KEM_CIPHERTEXT_BYTES = 1568
"""ML-KEM-1024 ciphertexts (FIPS 203).

Unit: bytes.
"""

PREKEY_LIFE_MS = 7776000000
"""A signed prekey expires 90 days after it was made: nobody starts a session with it
later, so a server can't keep handing out an old one. Unit: milliseconds.
"""

RATCHET_JUMP_MAX = 2000
"""Most message keys that one message may make the receiver skip, in the previous and
the new chain each. As libsignal. Unit: messages.
"""

SKIPPED_KEYS_MAX = 2000
"""Most skipped message keys kept for a session; beyond it the oldest go.

As libsignal. Unit: keys.
"""

SKIPPED_KEY_LIFE_MS = 5356800000
"""Skipped message keys are kept 62 days: outbox 30, inbox 30, margin.

Unit: milliseconds.
"""

ARCHIVED_SESSIONS_MAX = 40
"""Sessions kept beside the active one, per peer device.

As libsignal. Unit: sessions.
"""

SAFETY_NUMBER_ITERATIONS = 5200
"""Rounds of SHA-512: slows a search for a key with a similar number.

As Signal. Unit: hashes.
"""

SAFETY_NUMBER_DIGITS = 60
"""Thirty of each side.

Unit: digits.
"""

LIST_HASH_PREFIX_BYTES = 8
"""Of a device list's hash inside each message: enough to see a split view, which a
forger can't aim for without the account key. Unit: bytes.
"""

LIST_RESIGN_MS = 604800000
"""An account signs its list anew every 7 days, so that a withheld list shows by its
age. Unit: milliseconds.
"""

LIST_WARNING_MS = 2592000000
"""Peers warn of a list that is older than 30 days.

Unit: milliseconds.
"""

PADDING_BUCKET_BYTES = 160
"""Plaintexts up to padding_buckets_end_bytes are padded to a multiple of this, and
never past that end. Unit: bytes.
"""

PADDING_BUCKETS_END_BYTES = 1024
"""Above it Padmé decides: of L with E = floor(log2 L), the last E - floor(log2 E) - 1
bits become zero, rounding up (Nikitin et al., PURBs, 2019, §4). Unit: bytes.
"""


SESSION_SECRET_BYTES = 32
"""HKDF-SHA-256.

Root key of a session from session_secret_input. The responder's signed prekey is its
first ratchet key.
"""
SESSION_SECRET_SALT = b"\x00" * 32
SESSION_SECRET_INFO = b"wigwag/1 PQXDH"

ROOT_CHAIN_BYTES = 64
"""HKDF-SHA-256.

Salt: root key; input: DH of the ratchet keys; output: new root key (32), then chain key
(32).
"""
ROOT_CHAIN_INFO = b"wigwag/1 ratchet root"

MESSAGE_CHAIN_BYTES = 64
"""HMAC-SHA-256.

Key: chain key; HMAC of the byte 02 is the next chain key, of the byte 01 the message
key.
"""
MESSAGE_CHAIN_CONSTANTS = b"\x02\x01"

MESSAGE_KEYS_BYTES = 80
"""HKDF-SHA-256.

From the message key: AES-256-CBC key (32), HMAC-SHA-256 key (32), IV (16). Body = CBC
of the plaintext with PKCS#7 padding, then HMAC(message_ad then CBC).
"""
MESSAGE_KEYS_SALT = b"\x00" * 32
MESSAGE_KEYS_INFO = b"wigwag/1 message keys"


def _sent_envelope_array(
    values: Iterable[tuple[bytes, int, int, bytes]],
) -> bytes:
    pieces: list[bytes] = []
    count = 0
    for user, device, registration_id, ciphertext in values:
        count += 1
        pieces += (
            b"\x00\x00\x00\x11",
            _sized(user, 16),
            _U8(device),
            b"\x00\x00\x00\x04",
            _U32(registration_id),
            _U32(len(ciphertext)),
            ciphertext,
        )
    return b"\x00\x00\x00\x02" + _U16(count) + b"".join(pieces)


class Party(NamedTuple):
    """One side of a session, as the session's associated data names it."""

    account: bytes
    """Account id."""
    account_key: bytes
    """Ed25519 public key of the account."""
    number: int
    """Number of the device."""
    registration_id: int
    """Registration of the device."""
    signing_key: bytes
    """The device's Ed25519 public key."""
    agreement_key: bytes
    """The device's X25519 public key."""


def _party(value: Party) -> bytes:
    return b"".join(
        (
            b"\x00\x00\x00\x10",
            _sized(value.account, 16),
            b"\x00\x00\x00 ",
            _sized(value.account_key, 32),
            b"\x00\x00\x00\x01",
            _U8(value.number),
            b"\x00\x00\x00\x04",
            _U32(value.registration_id),
            b"\x00\x00\x00 ",
            _sized(value.signing_key, 32),
            b"\x00\x00\x00 ",
            _sized(value.agreement_key, 32),
        )
    )


def direct_chat_id(
    account_a: bytes,
    account_b: bytes,
) -> bytes:
    """Id of the direct chat of two accounts, the same for both; the accounts in
    ascending order of their bytes.

    Args:
        account_a: One account.
        account_b: The other account.
    """
    account_a, account_b = sorted((account_a, account_b))
    encoded = b"".join(
        (
            b"\x00\x00\x00\x0fwigwag/1 direct\x00\x00\x00\x10",
            _sized(account_a, 16),
            b"\x00\x00\x00\x10",
            _sized(account_b, 16),
        )
    )
    return sha256(encoded).digest()[:16]


def server_msg_id(
    chat: bytes,
    sender_user: bytes,
    sender_device: int,
    client_msg_id: bytes,
) -> bytes:
    """Id of a message, the same on every retry and every node.

    Args:
        chat: Chat id.
        sender_user: Device that sent it. Its account.
        sender_device: Device that sent it. Its number.
        client_msg_id: The sender's id of the message.
    """
    encoded = b"".join(
        (
            b"\x00\x00\x00\x10wigwag/1 message\x00\x00\x00\x10",
            _sized(chat, 16),
            b"\x00\x00\x00\x11",
            _sized(sender_user, 16),
            _U8(sender_device),
            b"\x00\x00\x00\x10",
            _sized(client_msg_id, 16),
        )
    )
    return sha256(encoded).digest()[:16]


def send_digest(
    message_class: int,
    envelopes: Iterable[tuple[bytes, int, int, bytes]],
    shared_body: bytes = b"",
) -> bytes:
    """What a SEND carries, independent of revision, attempt and after.

    Args:
        message_class: Class of the SEND.
        envelopes: In the order sent. Each (user, device, registration_id, ciphertext).
        shared_body: A group's shared body.
    """
    encoded = b"".join(
        (
            b"\x00\x00\x00\x0dwigwag/1 send\x00\x00\x00\x01",
            _U8(message_class),
            _sent_envelope_array(envelopes),
            _U32(len(shared_body)),
            shared_body,
        )
    )
    return sha256(encoded).digest()


def device_list_hash(
    blob: bytes,
) -> bytes:
    """Hash of a device list document: prev_hash of the next list; its first 8 bytes go
    into every message.

    Args:
        blob: The document, exactly as signed.
    """
    return sha256(blob).digest()


def auth_transcript(
    handshake_hash: bytes,
    certificate_hash: bytes,
    signed: bytes,
) -> bytes:
    """AUTH: fresh, labelled, bound to the channel.

    Signed by the device signing key.

    Args:
        handshake_hash: SHA-256 of the raw HELLO and WELCOME frames, header to last
            byte.
        certificate_hash: SHA-256 of the server's leaf certificate (DER).
        signed: AUTH body from byte 64 on, as sent.
    """
    return b"".join(
        (
            b"\x00\x00\x00\x0dwigwag/1 auth\x00\x00\x00 ",
            _sized(handshake_hash, 32),
            b"\x00\x00\x00 ",
            _sized(certificate_hash, 32),
            _U32(len(signed)),
            signed,
        )
    )


def register_transcript(
    handshake_hash: bytes,
    certificate_hash: bytes,
    signed: bytes,
) -> bytes:
    """REGISTER.

    Signed by the account key and device signing key.

    Args:
        handshake_hash: As in auth_transcript.
        certificate_hash: As in auth_transcript.
        signed: REGISTER body from byte 128 on, as sent.
    """
    return b"".join(
        (
            b"\x00\x00\x00\x11wigwag/1 register\x00\x00\x00 ",
            _sized(handshake_hash, 32),
            b"\x00\x00\x00 ",
            _sized(certificate_hash, 32),
            _U32(len(signed)),
            signed,
        )
    )


def re_register_transcript(
    handshake_hash: bytes,
    certificate_hash: bytes,
    signed: bytes,
) -> bytes:
    """RE_REGISTER.

    Signed by the device signing key.

    Args:
        handshake_hash: As in auth_transcript.
        certificate_hash: As in auth_transcript.
        signed: RE_REGISTER body from byte 64 on, as sent.
    """
    return b"".join(
        (
            b"\x00\x00\x00\x14wigwag/1 re-register\x00\x00\x00 ",
            _sized(handshake_hash, 32),
            b"\x00\x00\x00 ",
            _sized(certificate_hash, 32),
            _U32(len(signed)),
            signed,
        )
    )


def delete_account_transcript(
    handshake_hash: bytes,
    certificate_hash: bytes,
    signed: bytes,
) -> bytes:
    """DELETE_ACCOUNT.

    Signed by the account key.

    Args:
        handshake_hash: As in auth_transcript.
        certificate_hash: As in auth_transcript.
        signed: DELETE_ACCOUNT body from byte 64 on, as sent.
    """
    return b"".join(
        (
            b"\x00\x00\x00\x17wigwag/1 delete account\x00\x00\x00 ",
            _sized(handshake_hash, 32),
            b"\x00\x00\x00 ",
            _sized(certificate_hash, 32),
            _U32(len(signed)),
            signed,
        )
    )


def signed_prekey_transcript(
    account: bytes,
    number: int,
    registration_id: int,
    prekey_id: int,
    key: bytes,
    created_ms: int,
    expires_ms: int,
) -> bytes:
    """A signed X25519 prekey of one registration of a device.

    Signed by the device signing key.

    Args:
        account: Account of the device.
        number: Number of the device.
        registration_id: Registration of the device.
        prekey_id: Id of the prekey.
        key: X25519 public key.
        created_ms: When it was made.
        expires_ms: After this nobody may start a session with it.
    """
    return b"".join(
        (
            b"\x00\x00\x00\x16wigwag/1 signed prekey\x00\x00\x00\x02\x00\x01\x00\x00\x00\x10",
            _sized(account, 16),
            b"\x00\x00\x00\x01",
            _U8(number),
            b"\x00\x00\x00\x04",
            _U32(registration_id),
            b"\x00\x00\x00\x04",
            _U32(prekey_id),
            b"\x00\x00\x00 ",
            _sized(key, 32),
            b"\x00\x00\x00\x08",
            _U64(created_ms),
            b"\x00\x00\x00\x08",
            _U64(expires_ms),
        )
    )


def kem_prekey_transcript(
    account: bytes,
    number: int,
    registration_id: int,
    prekey_id: int,
    key: bytes,
    last_resort: bool,
) -> bytes:
    """An ML-KEM-1024 prekey of one registration of a device.

    Signed by the device signing key.

    Args:
        account: Account of the device.
        number: Number of the device.
        registration_id: Registration of the device.
        prekey_id: Id of the prekey.
        key: Encapsulation key.
        last_resort: Whether it may be handed out again and again.
    """
    return b"".join(
        (
            b"\x00\x00\x00\x13wigwag/1 kem prekey\x00\x00\x00\x02\x00\x01\x00\x00\x00\x10",
            _sized(account, 16),
            b"\x00\x00\x00\x01",
            _U8(number),
            b"\x00\x00\x00\x04",
            _U32(registration_id),
            b"\x00\x00\x00\x04",
            _U32(prekey_id),
            b"\x00\x00\x06 ",
            _sized(key, 1568),
            b"\x00\x00\x00\x01",
            _U8(last_resort),
        )
    )


def device_list_transcript(
    blob: bytes,
) -> bytes:
    """A device list.

    Signed by the account key.

    Args:
        blob: The DeviceList document, exactly as published.
    """
    return b"".join(
        (
            b"\x00\x00\x00\x14wigwag/1 device list",
            _U32(len(blob)),
            blob,
        )
    )


def device_membership_transcript(
    account: bytes,
    account_key: bytes,
    number: int,
    signing_key: bytes,
    agreement_key: bytes,
) -> bytes:
    """A device says: I belong to this account key, and this agreement key is mine.

    Signed by the device signing key.

    Args:
        account: Account id.
        account_key: Ed25519 public key of the account.
        number: Number of the device.
        signing_key: The device's Ed25519 public key.
        agreement_key: The device's X25519 public key.
    """
    return b"".join(
        (
            b"\x00\x00\x00\x1awigwag/1 device membership\x00\x00\x00\x02\x00\x01\x00\x00\x00\x10",
            _sized(account, 16),
            b"\x00\x00\x00 ",
            _sized(account_key, 32),
            b"\x00\x00\x00\x01",
            _U8(number),
            b"\x00\x00\x00 ",
            _sized(signing_key, 32),
            b"\x00\x00\x00 ",
            _sized(agreement_key, 32),
        )
    )


def session_ad(
    initiator: Party,
    responder: Party,
    signed_prekey: bytes,
    kem_prekey: bytes,
    one_time_prekey: bytes = b"",
) -> bytes:
    """Associated data of a session: who talks to whom, with which keys.

    Args:
        initiator: Who claimed the bundle.
        responder: Whose bundle it was.
        signed_prekey: The responder's signed X25519 prekey.
        kem_prekey: The responder's ML-KEM prekey.
        one_time_prekey: The responder's one-time X25519 prekey.
    """
    return b"".join(
        (
            b"\x00\x00\x00\x10wigwag/1 session\x00\x00\x00\x02\x00\x01",
            _party(initiator),
            _party(responder),
            b"\x00\x00\x00 ",
            _sized(signed_prekey, 32),
            b"\x00\x00\x06 ",
            _sized(kem_prekey, 1568),
            _U32(len(one_time_prekey)),
            _sized(one_time_prekey, 32) if one_time_prekey else one_time_prekey,
        )
    )


def session_secret_input(
    dh_identity_signed: bytes,
    dh_base_identity: bytes,
    dh_base_signed: bytes,
    kem_secret: bytes,
    dh_base_one_time: bytes = b"",
) -> bytes:
    """Input key material of session_secret.

    DH(a, b) is X25519; IK: agreement key, SPK: signed prekey, OPK: one-time prekey, EK:
    base key; a initiator, b responder.

    Args:
        dh_identity_signed: DH(IKa, SPKb).
        dh_base_identity: DH(EKa, IKb).
        dh_base_signed: DH(EKa, SPKb).
        kem_secret: Shared secret of ML-KEM-1024.
        dh_base_one_time: DH(EKa, OPKb), when the bundle had a one-time prekey.
    """
    return b"".join(
        (
            b"\xff" * 32,
            _sized(dh_identity_signed, 32),
            _sized(dh_base_identity, 32),
            _sized(dh_base_signed, 32),
            _sized(dh_base_one_time, 32) if dh_base_one_time else dh_base_one_time,
            _sized(kem_secret, 32),
        )
    )


def message_ad(
    session_hash: bytes,
    prefix: bytes,
    ratchet_header: bytes,
) -> bytes:
    """What the tag of a message covers beside its ciphertext: the session and every
    byte of the envelope before the body.

    Args:
        session_hash: SHA-256 of session_ad: a session keeps 32 bytes of it, not 2 KiB.
        prefix: The envelope's bytes before its ratchet header.
        ratchet_header: The envelope's ratchet header.
    """
    return b"".join(
        (
            b"\x00\x00\x00\x11wigwag/1 envelope\x00\x00\x00 ",
            _sized(session_hash, 32),
            _U32(len(prefix)),
            prefix,
            b"\x00\x00\x00(",
            _sized(ratchet_header, 40),
        )
    )


def safety_number_seed(
    account: bytes,
    account_key: bytes,
) -> bytes:
    """digest = this; then safety_number_iterations times digest = SHA-512(digest then
    account key). Of each side: 6 groups of 5 bytes of the digest, big-endian modulo
    100,000, give 30 digits; the smaller 30 come first.

    Args:
        account: Account id.
        account_key: Ed25519 public key of the account.
    """
    return b"".join(
        (
            b"\x00\x00\x00\x16wigwag/1 safety number\x00\x00\x00\x10",
            _sized(account, 16),
            b"\x00\x00\x00 ",
            _sized(account_key, 32),
        )
    )


class RatchetHeader(NamedTuple):
    """Which message key opens the body (Double Ratchet §3.4)."""

    ratchet_key: bytes
    """The sender's current X25519 ratchet public key."""
    previous_count: int
    """Messages in the sender's previous sending chain."""
    number: int
    """Number of the message in its chain, from 0."""


RATCHET_HEADER_BYTES = 40


_RATCHET_HEADER_0 = Struct(">32sII")


def encode_ratchet_header(value: RatchetHeader) -> bytes:
    """Write RatchetHeader as bytes."""
    return _RATCHET_HEADER_0.pack(
        _sized(value.ratchet_key, 32),
        value.previous_count,
        value.number,
    )


def decode_ratchet_header(data: bytes) -> RatchetHeader:
    """Read RatchetHeader; raises `LayoutError` on anything else."""
    if len(data) < 40:
        raise LayoutError("ratchet_header", "ratchet_key", "too short")
    (
        ratchet_key,
        previous_count,
        number,
    ) = _RATCHET_HEADER_0.unpack_from(data, 0)
    if len(data) != 40:
        raise LayoutError("ratchet_header", "number", "bytes remain")
    return RatchetHeader(
        ratchet_key=ratchet_key,
        previous_count=previous_count,
        number=number,
    )


class PrekeyHeader(NamedTuple):
    """What the responder needs to agree.

    Stays on every message until the first answer.
    """

    registration_id: int
    """The initiator's."""
    signed_prekey_id: int
    """Of the responder's signed prekey."""
    one_time_prekey_id: int
    """Of the responder's one-time X25519 prekey; 0: none."""
    kem_prekey_id: int
    """Of the responder's ML-KEM prekey."""
    base_key: bytes
    """EK: the initiator's fresh X25519 public key."""
    kem_ciphertext: bytes
    """ML-KEM-1024 ciphertext."""


PREKEY_HEADER_BYTES = 1616


_PREKEY_HEADER_0 = Struct(">IIII32s1568s")


def encode_prekey_header(value: PrekeyHeader) -> bytes:
    """Write PrekeyHeader as bytes."""
    return _PREKEY_HEADER_0.pack(
        value.registration_id,
        value.signed_prekey_id,
        value.one_time_prekey_id,
        value.kem_prekey_id,
        _sized(value.base_key, 32),
        _sized(value.kem_ciphertext, 1568),
    )


def decode_prekey_header(data: bytes) -> PrekeyHeader:
    """Read PrekeyHeader; raises `LayoutError` on anything else."""
    if len(data) < 1616:
        raise LayoutError("prekey_header", "registration_id", "too short")
    (
        registration_id,
        signed_prekey_id,
        one_time_prekey_id,
        kem_prekey_id,
        base_key,
        kem_ciphertext,
    ) = _PREKEY_HEADER_0.unpack_from(data, 0)
    if len(data) != 1616:
        raise LayoutError("prekey_header", "kem_ciphertext", "bytes remain")
    return PrekeyHeader(
        registration_id=registration_id,
        signed_prekey_id=signed_prekey_id,
        one_time_prekey_id=one_time_prekey_id,
        kem_prekey_id=kem_prekey_id,
        base_key=base_key,
        kem_ciphertext=kem_ciphertext,
    )


class Envelope(NamedTuple):
    """A message for one device."""

    prekey: PrekeyHeader | None
    """Until the session is answered."""
    ratchet: RatchetHeader
    """Which message key."""
    body: bytes
    """AES-256-CBC ciphertext, a multiple of 16 bytes, then the 32-byte tag."""


_ENVELOPE_0 = Struct(">BHB")


def encode_envelope(value: Envelope) -> bytes:
    """Write Envelope as bytes."""
    flags = 0
    if value.prekey is not None:
        flags |= 1
    return b"".join(
        (
            _ENVELOPE_0.pack(
                1,
                1,
                flags,
            ),
            b"" if value.prekey is None else encode_prekey_header(value.prekey),
            encode_ratchet_header(value.ratchet),
            value.body,
        )
    )


def decode_envelope(data: bytes) -> Envelope:
    """Read Envelope; raises `LayoutError` on anything else."""
    if len(data) < 4:
        raise LayoutError("envelope", "version", "too short")
    (
        version,
        suite,
        flags,
    ) = _ENVELOPE_0.unpack_from(data, 0)
    if version != 1:
        raise LayoutError("envelope", "version", "not supported")
    if suite != 1:
        raise LayoutError("envelope", "suite", "not supported")
    if flags & 254:
        raise LayoutError("envelope", "flags", "unknown bits are set")
    offset = 4
    prekey = None
    if flags & 1:
        prekey = decode_prekey_header(data[offset : offset + 1616])
        offset += 1616
    ratchet = decode_ratchet_header(data[offset : offset + 40])
    offset += 40
    body = data[offset:]
    if len(body) < 48:
        raise LayoutError("envelope", "body", "too short")
    return Envelope(
        prekey=prekey,
        ratchet=ratchet,
        body=body,
    )


class Plaintext(NamedTuple):
    """What the body decrypts to.

    Begins with what DELIVER says of the message, so that it can't be moved to another
    chat, id or class.
    """

    chat_id: bytes
    """Chat it belongs to."""
    client_msg_id: bytes
    """The sender's id of the message."""
    message_class: int
    """Class of the SEND."""
    own_list_hash: bytes
    """First 8 bytes of device_list_hash of the sender's newest list."""
    peer_list_hash: bytes
    """The same of the recipient's newest list that the sender knows."""
    content_bytes: int
    """Length of the content at the head of what remains."""
    padded_content: bytes
    """The content, then zeros up to the padded length."""


_PLAINTEXT_0 = Struct(">16s16sB8s8sI")


def encode_plaintext(value: Plaintext) -> bytes:
    """Write Plaintext as bytes."""
    return b"".join(
        (
            _PLAINTEXT_0.pack(
                _sized(value.chat_id, 16),
                _sized(value.client_msg_id, 16),
                value.message_class,
                _sized(value.own_list_hash, 8),
                _sized(value.peer_list_hash, 8),
                value.content_bytes,
            ),
            value.padded_content,
        )
    )


def decode_plaintext(data: bytes) -> Plaintext:
    """Read Plaintext; raises `LayoutError` on anything else."""
    if len(data) < 53:
        raise LayoutError("plaintext", "chat_id", "too short")
    (
        chat_id,
        client_msg_id,
        message_class,
        own_list_hash,
        peer_list_hash,
        content_bytes,
    ) = _PLAINTEXT_0.unpack_from(data, 0)
    padded_content = data[53:]
    return Plaintext(
        chat_id=chat_id,
        client_msg_id=client_msg_id,
        message_class=message_class,
        own_list_hash=own_list_hash,
        peer_list_hash=peer_list_hash,
        content_bytes=content_bytes,
        padded_content=padded_content,
    )
