"""A client written from the papers and the suite's data talks with ours."""

import struct

from tests.client.crypto import foreign
from tests.client.crypto.people import Person, SeededEntropy, people

from wigwag.wire import suite1

HEAD_END = 4
PREKEY_END = HEAD_END + suite1.PREKEY_HEADER_BYTES


def side_of(person: Person) -> foreign.Side:
    """Returns a person as the foreign client names him."""
    device = person.device
    return foreign.Side(
        account=device.account,
        account_key=device.account_key,
        number=device.number,
        registration_id=device.registration_id,
        signing_key=device.keys.signing_public,
        agreement_key=device.keys.agreement_public,
    )


def test_foreign_responder_understands_us() -> None:
    """Written from the papers alone: what we send is what we specify."""
    alice, bob = people()
    first = alice.send(bob, b"one").envelope
    header = first[HEAD_END:PREKEY_END]
    signed_id, one_time_id, kem_id = struct.unpack(">III", header[4:16])
    base, kem_ciphertext = header[16:48], header[48:]
    signed = bob.prekeys.signed_prekey(signed_id)
    one_time = bob.prekeys.one_time_prekey(one_time_id)
    kem = bob.prekeys.kem_prekey(kem_id)
    assert signed is not None
    assert one_time is not None
    assert kem is not None
    secret = foreign.session_secret(
        foreign.dh(signed.key.secret, alice.device.keys.agreement_public),
        foreign.dh(bob.device.keys.agreement.secret, base),
        foreign.dh(signed.key.secret, base),
        foreign.dh(one_time.key.secret, base),
        foreign.decapsulate(kem.key.seed, kem_ciphertext),
    )
    session = foreign.session_hash(
        side_of(alice),
        side_of(bob),
        signed.key.public,
        kem.key.public,
        one_time.key.public,
    )
    ratchet = foreign.Ratchet(secret, session)
    ratchet.own = signed.key.secret
    assert ratchet.open(first) == b"one"
    ratchet.turn_sending(bytes(range(32)))
    assert alice.receive(bob, ratchet.seal(b"two")).plaintext == b"two"
    assert alice.receive(bob, ratchet.seal(b"three")).plaintext == b"three"
    assert ratchet.open(alice.send(bob, b"four").envelope) == b"four"
    ratchet.turn_sending(bytes(range(1, 33)))
    assert alice.receive(bob, ratchet.seal(b"five")).plaintext == b"five"


def test_we_understand_a_foreign_initiator() -> None:
    """And what we accept is what we specify."""
    alice, bob = people()
    bundle = bob.claim()
    base = SeededEntropy("base").token(32)
    own = alice.device.keys.agreement.secret
    kem_secret, kem_ciphertext = foreign.encapsulate(bundle.kem.key)
    secret = foreign.session_secret(
        foreign.dh(own, bundle.signed_prekey.key),
        foreign.dh(base, bob.device.keys.agreement_public),
        foreign.dh(base, bundle.signed_prekey.key),
        foreign.dh(base, bundle.one_time[0].key),
        kem_secret,
    )
    session = foreign.session_hash(
        side_of(alice),
        side_of(bob),
        bundle.signed_prekey.key,
        bundle.kem.key,
        bundle.one_time[0].key,
    )
    ratchet = foreign.Ratchet(secret, session)
    ratchet.peer = bundle.signed_prekey.key
    ratchet.turn_sending(bytes(range(32)))
    ratchet.prefix = (
        b"\x01\x00\x01\x01"
        + struct.pack(
            ">IIII",
            alice.device.registration_id,
            bundle.signed_prekey.id,
            bundle.one_time[0].id,
            bundle.kem.id,
        )
        + foreign.public_of(base)
        + kem_ciphertext
    )
    assert bob.receive(alice, ratchet.seal(b"one")).plaintext == b"one"
    assert ratchet.open(bob.send(alice, b"two").envelope) == b"two"
    ratchet.prefix = b"\x01\x00\x01\x00"
    ratchet.turn_sending(bytes(range(1, 33)))
    assert bob.receive(alice, ratchet.seal(b"three")).plaintext == b"three"
