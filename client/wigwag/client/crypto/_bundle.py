"""Check a prekey bundle against the signed device list before using it.

The server hands bundles out; the list says which device's signature counts.
Never encrypt to a device that isn't in the signed list (E2EE.md §4).
"""

from dataclasses import dataclass
from typing import final

from wigwag.client.crypto._device_list import ListPin
from wigwag.client.crypto._errors import (
    BundleRefused,
    BundleRefusedReason,
    NotSigned,
)
from wigwag.client.crypto._keys import PeerDevice, check_signature
from wigwag.wire import Bundle, KemPrekey, SignedPrekey, suite1

CLOCK_TOLERANCE_MS = 24 * 3600 * 1000
"""A signed prekey may be from up to a day ahead of our server-corrected time:
its maker's clock may not have been corrected yet when it registered."""


@final
@dataclass(frozen=True, slots=True)
class VerifiedBundle:
    """A bundle whose every signature is that of a listed device.

    Attributes:
        device: The device, as the signed list names it.
        registration_id: Its registration, for the envelope.
        signed_prekey: Checked.
        kem_prekey: Checked.
        one_time_id: Id of the one-time X25519 prekey, 0: none.
        one_time_key: Its public key, empty: none. Unsigned: it adds forward
            secrecy, and a false one only makes the message undecryptable.
    """

    device: PeerDevice
    registration_id: int
    signed_prekey: SignedPrekey
    kem_prekey: KemPrekey
    one_time_id: int
    one_time_key: bytes


def verify_bundle(bundle: Bundle, pin: ListPin, *, now_ms: int) -> VerifiedBundle:
    """Check a bundle against the pinned list of its account.

    Args:
        bundle: As the server gave it.
        pin: The newest accepted list of the account it was claimed for.
        now_ms: Server-corrected time.

    Raises:
        BundleRefused: If the device isn't listed, doesn't speak this suite, or
            didn't sign these prekeys; or the signed prekey has expired.
    """
    device = pin.device(bundle.device)
    if device is None:
        raise BundleRefused(BundleRefusedReason.UNLISTED)
    if bundle.suite != suite1.SUITE or suite1.SUITE not in device.suites:
        raise BundleRefused(BundleRefusedReason.SUITE)
    signed = bundle.signed_prekey
    kem = bundle.kem
    signed_transcript = suite1.signed_prekey_transcript(
        pin.account,
        bundle.device,
        bundle.registration_id,
        signed.id,
        signed.key,
        signed.created,
        signed.expires,
    )
    kem_transcript = suite1.kem_prekey_transcript(
        pin.account,
        bundle.device,
        bundle.registration_id,
        kem.id,
        kem.key,
        kem.last_resort,
    )
    try:
        check_signature(device.signing_key, signed.signature, signed_transcript)
        check_signature(device.signing_key, kem.signature, kem_transcript)
    except NotSigned as error:
        raise BundleRefused(BundleRefusedReason.SIGNATURE) from error
    life_ms = signed.expires - signed.created
    is_early = signed.created > now_ms + CLOCK_TOLERANCE_MS
    if now_ms >= signed.expires or is_early or life_ms > suite1.PREKEY_LIFE_MS:
        raise BundleRefused(BundleRefusedReason.EXPIRED)
    one_time = bundle.one_time[0] if bundle.one_time else None
    return VerifiedBundle(
        device=device,
        registration_id=bundle.registration_id,
        signed_prekey=signed,
        kem_prekey=kem,
        one_time_id=one_time.id if one_time else 0,
        one_time_key=one_time.key if one_time else b"",
    )
