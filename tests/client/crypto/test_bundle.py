"""Bundles: the server hands them out, the signed list says whose they must be."""

from collections.abc import Callable

import msgspec
import pytest
from tests.client.crypto.people import NOW_MS, Person, SeededEntropy, people

from wigwag.client.crypto import (
    BundleRefused,
    BundleRefusedReason,
    ListPin,
    PeerSessions,
    Undecryptable,
    UndecryptableReason,
    encrypt,
    make_signed_prekey,
    start_session,
    verify_bundle,
)
from wigwag.wire import Bundle, EcPrekey, suite1

change = msgspec.structs.replace


def refusal(bundle: Bundle, pin: ListPin, now_ms: int = NOW_MS) -> BundleRefusedReason:
    """Returns why a bundle is refused."""
    with pytest.raises(BundleRefused) as caught:
        verify_bundle(bundle, pin, now_ms=now_ms)
    return caught.value.reason


SWAPS: dict[str, Callable[[Bundle, Bundle], Bundle]] = {
    "registration": lambda b, _: change(b, registration_id=b.registration_id ^ 1),
    "signed prekey of another": lambda b, o: change(b, signed_prekey=o.signed_prekey),
    "signed key": lambda b, o: change(
        b, signed_prekey=change(b.signed_prekey, key=o.signed_prekey.key)
    ),
    "signed id": lambda b, _: change(
        b, signed_prekey=change(b.signed_prekey, id=b.signed_prekey.id + 1)
    ),
    "created": lambda b, _: change(
        b, signed_prekey=change(b.signed_prekey, created=b.signed_prekey.created + 1)
    ),
    "expires": lambda b, _: change(
        b, signed_prekey=change(b.signed_prekey, expires=b.signed_prekey.expires + 1)
    ),
    "KEM key of another": lambda b, o: change(b, kem=o.kem),
    "KEM key": lambda b, o: change(b, kem=change(b.kem, key=o.kem.key)),
    "KEM id": lambda b, _: change(b, kem=change(b.kem, id=b.kem.id + 1)),
    "one-time passed off as last resort": lambda b, _: change(
        b, kem=change(b.kem, last_resort=True)
    ),
    "signature": lambda b, _: change(b, kem=change(b.kem, signature=bytes(64))),
}


@pytest.mark.parametrize("name", SWAPS)
def test_anything_swapped_in_a_bundle_is_refused(name: str) -> None:
    """The server hands bundles out; it must not be able to mix them."""
    alice, bob = people()
    bundle = SWAPS[name](bob.claim(), alice.claim())
    assert refusal(bundle, bob.pin) is BundleRefusedReason.SIGNATURE


def test_unlisted_device_is_never_encrypted_for() -> None:
    """The server's word that there is a device counts for nothing."""
    bob = Person("bob")
    bundle = change(bob.claim(), device=2)
    assert refusal(bundle, bob.pin) is BundleRefusedReason.UNLISTED


def test_other_suite_is_refused() -> None:
    """A weaker suite in the bundle than in the list would be a downgrade."""
    bob = Person("bob")
    bundle = change(bob.claim(), suite=2)
    assert refusal(bundle, bob.pin) is BundleRefusedReason.SUITE


def test_expired_signed_prekey_is_refused() -> None:
    """A server that keeps handing out an old one waits for its secret to leak."""
    bob = Person("bob")
    bundle = bob.claim()
    expires = bundle.signed_prekey.expires
    assert expires == NOW_MS + suite1.PREKEY_LIFE_MS
    assert verify_bundle(bundle, bob.pin, now_ms=expires - 1).one_time_id == 1
    assert refusal(bundle, bob.pin, expires) is BundleRefusedReason.EXPIRED
    early = NOW_MS - 2 * 24 * 3600 * 1000
    assert refusal(bundle, bob.pin, early) is BundleRefusedReason.EXPIRED


def test_life_longer_than_there_is_is_refused() -> None:
    """A thief of a device for a day must not sign prekeys for years."""
    bob = Person("bob")
    bundle = bob.claim()
    signed = bundle.signed_prekey
    expires = signed.expires + 1
    transcript = suite1.signed_prekey_transcript(
        bob.device.account,
        1,
        bundle.registration_id,
        signed.id,
        signed.key,
        signed.created,
        expires,
    )
    signature = bob.device.keys.sign(transcript)
    longer = change(signed, expires=expires, signature=signature)
    bundle = change(bundle, signed_prekey=longer)
    assert refusal(bundle, bob.pin) is BundleRefusedReason.EXPIRED


def test_bundle_without_one_time_prekey_starts_a_session() -> None:
    """Exhaustion is not an error (E2EE.md §2)."""
    bob = Person("bob", one_time=0)
    verified = verify_bundle(bob.claim(), bob.pin, now_ms=NOW_MS)
    assert (verified.one_time_id, verified.one_time_key) == (0, b"")


def test_forged_one_time_prekey_only_makes_the_message_undecryptable() -> None:
    """It is unsigned; the agreement still needs the signed keys."""
    alice, bob = people()
    forged = EcPrekey(1, SeededEntropy("thief").token(32))
    bundle = change(bob.claim(), one_time=(forged,))
    verified = verify_bundle(bundle, bob.pin, now_ms=NOW_MS)
    empty = PeerSessions.empty()
    started = start_session(alice.device, verified, empty, entropy=alice.entropy)
    envelope = encrypt(started.sessions, b"x").envelope
    with pytest.raises(Undecryptable) as caught:
        bob.receive(alice, envelope)
    assert caught.value.reason is UndecryptableReason.NOT_AUTHENTIC
    assert 1 in bob.prekeys.one_time


@pytest.mark.parametrize("which", ["one-time", "KEM"])
def test_unusable_key_is_refused(which: str) -> None:
    """The zero point, and bytes that are no ML-KEM key though signed."""
    alice, bob = people()
    bundle = bob.claim()
    if which == "one-time":
        bundle = change(bundle, one_time=(EcPrekey(1, bytes(32)),))
    else:
        key = b"\xff" * suite1.KEM_PUBLIC_BYTES
        transcript = suite1.kem_prekey_transcript(
            bob.device.account, 1, bundle.registration_id, bundle.kem.id, key, False
        )
        signature = bob.device.keys.sign(transcript)
        bundle = change(bundle, kem=change(bundle.kem, key=key, signature=signature))
    verified = verify_bundle(bundle, bob.pin, now_ms=NOW_MS)
    with pytest.raises(BundleRefused) as caught:
        start_session(
            alice.device, verified, PeerSessions.empty(), entropy=alice.entropy
        )
    assert caught.value.reason is BundleRefusedReason.KEY


def test_signed_prekey_of_an_earlier_registration_is_refused() -> None:
    """The list holds no registration id, so the prekeys must."""
    bob = Person("bob")
    before = make_signed_prekey(bob.device, 2, entropy=bob.entropy, now_ms=NOW_MS)
    bundle = change(
        bob.claim(),
        registration_id=bob.device.registration_id % 1000 + 1,
        signed_prekey=before.offer(),
    )
    assert refusal(bundle, bob.pin) is BundleRefusedReason.SIGNATURE
