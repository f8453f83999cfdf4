"""PQXDH: agree on a session's first secret (E2EE.md §2; PQXDH revision 3).

    SK = HKDF(0xFF³² ‖ DH(IKa, SPKb) ‖ DH(EKa, IKb) ‖ DH(EKa, SPKb)
              ‖ [DH(EKa, OPKb)] ‖ SS_KEM, info "wigwag/1 PQXDH")

Deviation from the paper: the identity keys that agree (X25519) and sign
(Ed25519) are two keys; the signed device list ties them together, and the
associated data names both.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM1024PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wigwag.client.crypto._bundle import VerifiedBundle
from wigwag.client.crypto._errors import BundleRefused, BundleRefusedReason, WeakKey
from wigwag.client.crypto._keys import AgreementKey, Entropy, LocalDevice, PeerDevice
from wigwag.client.crypto._prekeys import (
    OwnKemPrekey,
    OwnOneTimePrekey,
    OwnSignedPrekey,
)
from wigwag.wire import suite1


@final
@dataclass(frozen=True, slots=True, repr=False)
class Agreement:
    """What both sides hold after the agreement.

    Attributes:
        secret: SK, the root key of the session, 32 bytes.
        session_hash: SHA-256 of the session's associated data.
    """

    secret: bytes
    session_hash: bytes

    def __repr__(self) -> str:
        return "<Agreement>"


def initiate(
    device: LocalDevice, bundle: VerifiedBundle, *, entropy: Entropy
) -> tuple[Agreement, suite1.PrekeyHeader]:
    """Agree with a peer's device that may be offline.

    Args:
        device: This device.
        bundle: The peer's, verified.
        entropy: Source of the base key. Encapsulation draws its own randomness:
            the library can't be seeded there.

    Returns:
        The agreement, and the header that lets the peer agree too.

    Raises:
        BundleRefused: `KEY`, if a public key in the bundle is unusable.
    """
    peer = bundle.device
    base = AgreementKey.generate(entropy)
    try:
        kem_public = MLKEM1024PublicKey.from_public_bytes(bundle.kem_prekey.key)
        kem_secret, kem_ciphertext = kem_public.encapsulate()
        secret = _secret(
            dh_identity_signed=device.keys.agreement.exchange(bundle.signed_prekey.key),
            dh_base_identity=base.exchange(peer.agreement_key),
            dh_base_signed=base.exchange(bundle.signed_prekey.key),
            kem_secret=kem_secret,
            dh_base_one_time=(
                base.exchange(bundle.one_time_key) if bundle.one_time_key else b""
            ),
        )
    except (ValueError, WeakKey) as error:
        raise BundleRefused(BundleRefusedReason.KEY) from error
    associated_data = suite1.session_ad(
        device.party,
        peer.party(bundle.registration_id),
        bundle.signed_prekey.key,
        bundle.kem_prekey.key,
        bundle.one_time_key,
    )
    header = suite1.PrekeyHeader(
        registration_id=device.registration_id,
        signed_prekey_id=bundle.signed_prekey.id,
        one_time_prekey_id=bundle.one_time_id,
        kem_prekey_id=bundle.kem_prekey.id,
        base_key=base.public,
        kem_ciphertext=kem_ciphertext,
    )
    return Agreement(secret, sha256(associated_data).digest()), header


def respond(
    device: LocalDevice,
    peer: PeerDevice,
    header: suite1.PrekeyHeader,
    signed: OwnSignedPrekey,
    kem: OwnKemPrekey,
    one_time: OwnOneTimePrekey | None,
) -> Agreement:
    """Agree with the device that sent a first message.

    A header that isn't the peer's gives an agreement in which nothing decrypts;
    that the message opens is the proof, so nothing may be deleted before.

    Args:
        device: This device.
        peer: The sender, as his signed list names him.
        header: From the envelope.
        signed: The signed prekey that the header names.
        kem: The ML-KEM prekey that it names.
        one_time: The one-time prekey that it names; None if it names none.

    Raises:
        WeakKey: If the base key or the KEM ciphertext is unusable.
    """
    secret = _secret(
        dh_identity_signed=signed.key.exchange(peer.agreement_key),
        dh_base_identity=device.keys.agreement.exchange(header.base_key),
        dh_base_signed=signed.key.exchange(header.base_key),
        kem_secret=kem.key.decapsulate(header.kem_ciphertext),
        dh_base_one_time=one_time.key.exchange(header.base_key) if one_time else b"",
    )
    associated_data = suite1.session_ad(
        peer.party(header.registration_id),
        device.party,
        signed.key.public,
        kem.key.public,
        one_time.key.public if one_time else b"",
    )
    return Agreement(secret, sha256(associated_data).digest())


def _secret(
    *,
    dh_identity_signed: bytes,
    dh_base_identity: bytes,
    dh_base_signed: bytes,
    kem_secret: bytes,
    dh_base_one_time: bytes,
) -> bytes:
    material = suite1.session_secret_input(
        dh_identity_signed=dh_identity_signed,
        dh_base_identity=dh_base_identity,
        dh_base_signed=dh_base_signed,
        kem_secret=kem_secret,
        dh_base_one_time=dh_base_one_time,
    )
    return HKDF(
        algorithm=SHA256(),
        length=suite1.SESSION_SECRET_BYTES,
        salt=suite1.SESSION_SECRET_SALT,
        info=suite1.SESSION_SECRET_INFO,
    ).derive(material)
