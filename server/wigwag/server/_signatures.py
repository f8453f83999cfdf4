"""What devices and accounts sign, checked before anything is stored.

The server needs none of this for its own safety: peers verify everything again. It
refuses what is wrong so that a broken client hears of it at once and not through its
peers' refusals, and so that nobody can fill a victim's inbox with keys of his own.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from wigwag.wire import (
    DecodeError,
    DeviceList,
    KemPrekey,
    Register,
    SignedPrekey,
    decode_struct,
    suite1,
)

FIRST_LIST_SEQ = 1
NO_HASH = bytes(32)

# What an unknown device's signature is verified with, so that the answer takes as
# long as for a known one. Nobody can sign with it usefully: a match is refused, too.
_NOBODY = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()


class SignatureWrongError(Exception):
    """Something isn't signed by whom it should be, or isn't what was signed for."""


def verify(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Verify an Ed25519 signature.

    Raises:
        SignatureWrongError: It isn't by this key over this message.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise SignatureWrongError from error


def verify_nobody(signature: bytes, message: bytes) -> None:
    """Spend the time of a verification and fail.

    Raises:
        SignatureWrongError: Always.
    """
    try:
        _NOBODY.verify(signature, message)
    except InvalidSignature as error:
        raise SignatureWrongError from error
    raise SignatureWrongError


def verify_signed_prekey(
    prekey: SignedPrekey,
    *,
    user: bytes,
    device: int,
    registration_id: int,
    signing_key: bytes,
) -> None:
    """Verify a signed X25519 prekey of a device.

    Raises:
        SignatureWrongError: It isn't the device's.
    """
    verify(
        signing_key,
        prekey.signature,
        suite1.signed_prekey_transcript(
            user,
            device,
            registration_id,
            prekey.id,
            prekey.key,
            prekey.created,
            prekey.expires,
        ),
    )


def verify_kem_prekey(
    prekey: KemPrekey,
    *,
    user: bytes,
    device: int,
    registration_id: int,
    signing_key: bytes,
) -> None:
    """Verify an ML-KEM prekey of a device.

    Raises:
        SignatureWrongError: It isn't the device's.
    """
    verify(
        signing_key,
        prekey.signature,
        suite1.kem_prekey_transcript(
            user, device, registration_id, prekey.id, prekey.key, prekey.last_resort
        ),
    )


def verify_device_list(
    blob: bytes, signature: bytes, *, user: bytes, account_key: bytes
) -> DeviceList:
    """Verify a device list: the account's signature and each device's statement.

    Raises:
        SignatureWrongError: It isn't well formed, of another account, or a signature
            in it is wrong.
    """
    verify(account_key, signature, suite1.device_list_transcript(blob))
    try:
        devices = decode_struct(DeviceList, blob)
    except DecodeError as error:
        raise SignatureWrongError from error
    if devices.user != user:
        raise SignatureWrongError
    for listed in devices.devices:
        verify(
            listed.signing_key,
            listed.membership,
            suite1.device_membership_transcript(
                user,
                account_key,
                listed.device,
                listed.signing_key,
                listed.agreement_key,
            ),
        )
    return devices


def verify_register(message: Register, transcript: bytes) -> None:
    """Verify a whole REGISTER: both signatures, the first list, the first prekey.

    Args:
        message: The record.
        transcript: What both signatures cover (suite 1, register).

    Raises:
        SignatureWrongError: Something in it is not what it says.
    """
    verify(message.account_key, message.account_signature, transcript)
    verify(message.signing_key, message.device_signature, transcript)
    devices = verify_device_list(
        message.list_blob,
        message.list_signature,
        user=message.user,
        account_key=message.account_key,
    )
    if len(devices.devices) != 1:
        raise SignatureWrongError
    (first,) = devices.devices
    if (
        devices.seq != FIRST_LIST_SEQ
        or devices.prev_hash != NO_HASH
        or first.device != message.device
        or first.signing_key != message.signing_key
        or first.agreement_key != message.agreement_key
    ):
        raise SignatureWrongError
    verify_signed_prekey(
        message.signed_prekey,
        user=message.user,
        device=message.device,
        registration_id=message.registration_id,
        signing_key=message.signing_key,
    )
