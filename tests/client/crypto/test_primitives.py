"""Known answers from RFCs, secrets that don't show, and keys that read back."""

import hmac
import subprocess
import sys
from collections.abc import Coroutine, Generator
from hashlib import sha512

import pytest
from doubleratchet.recommended import HashFunction, aead_aes_hmac
from tests.client.crypto import foreign
from tests.client.crypto.people import NOW_MS, Person, SeededEntropy, acquainted

from wigwag.client.crypto import (
    AccountKey,
    DeviceKeys,
    OwnKemPrekey,
    OwnOneTimePrekey,
    OwnSignedPrekey,
    PlaintextHead,
    StateDamaged,
    Undecryptable,
    make_one_time_prekeys,
    new_registration_id,
    open_plaintext,
    safety_number,
    seal_plaintext,
    verify_bundle,
)
from wigwag.client.crypto._agreement import initiate
from wigwag.client.crypto._body import open_body, seal_body
from wigwag.client.crypto._errors import NotSigned, WeakKey
from wigwag.client.crypto._keys import AgreementKey, check_signature
from wigwag.client.crypto._prekeys import DecapsulationKey
from wigwag.client.crypto._ratchet import run_sync
from wigwag.client.crypto._ratchet_state import SkippedKey
from wigwag.client.crypto._stored import STATE_VERSION, Stored
from wigwag.wire import suite1


def test_x25519_agrees_as_rfc_7748() -> None:
    """RFC 7748 §6.1."""
    bob = AgreementKey(
        bytes.fromhex(
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
        )
    )
    assert bob.public.hex() == (
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
    )
    alice = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    assert bob.exchange(bytes.fromhex(alice)).hex() == (
        "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    )
    scalar = AgreementKey(
        bytes.fromhex(
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"
        )
    )
    point = "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"
    assert scalar.exchange(bytes.fromhex(point)).hex() == (
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    )


def test_ed25519_signs_as_rfc_8032() -> None:
    """RFC 8032 §7.1, test 1."""
    key = AccountKey.from_secret(
        bytes.fromhex(
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
        )
    )
    assert key.public.hex() == (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    )
    signature = key.sign(b"")
    assert signature.hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    check_signature(key.public, signature, b"")
    for public, data in ((key.public, b"x"), (bytes(31), b"")):
        with pytest.raises(NotSigned):
            check_signature(public, signature, data)


class _LibraryBody(aead_aes_hmac.AEAD):
    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_256

    @staticmethod
    def _get_info() -> bytes:
        return suite1.MESSAGE_KEYS_INFO


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 160, 1000])
def test_body_is_that_of_the_library_we_left(length: int) -> None:
    """Ours differs only in comparing tags in constant time."""
    key, data = bytes(range(32)), b"associated"
    plaintext = bytes(length)
    sealed = seal_body(key, plaintext, data)
    assert sealed == run_sync(_LibraryBody.encrypt(plaintext, key, data))
    assert open_body(key, sealed, data) == plaintext
    with pytest.raises(Undecryptable):
        open_body(key, sealed, b"other")


def test_authentic_body_of_a_wrong_length_is_refused() -> None:
    """A malicious peer can give any bytes a valid tag."""
    key = bytes(range(32))
    keys = foreign.hkdf(bytes(32), key, suite1.MESSAGE_KEYS_INFO, 80)
    for ciphertext in (bytes(17), bytes(32)):
        tag = hmac.digest(keys[32:64], ciphertext, "sha256")
        with pytest.raises(Undecryptable):
            open_body(key, ciphertext + tag, b"")


def test_ml_kem_secret_is_that_of_a_second_reading() -> None:
    """Keys are kept as seeds; the seed alone must give the same key again."""
    key = DecapsulationKey(bytes(range(64)))
    secret, ciphertext = foreign.encapsulate(key.public)
    assert DecapsulationKey(key.seed).decapsulate(ciphertext) == secret
    assert foreign.decapsulate(key.seed, ciphertext) == secret
    with pytest.raises(WeakKey):
        key.decapsulate(ciphertext[:-1])


def test_session_secret_of_fixed_inputs_is_pinned() -> None:
    """A change of labels, order or salts would part us from every other client."""
    parts = [bytes((value,)) * 32 for value in range(1, 6)]
    material = suite1.session_secret_input(
        parts[0], parts[1], parts[2], parts[4], parts[3]
    )
    ours = foreign.hkdf(
        suite1.SESSION_SECRET_SALT, material, suite1.SESSION_SECRET_INFO, 32
    )
    assert ours == foreign.session_secret(*parts)
    assert ours.hex() == (
        "ccf1402ca9f44395a8ca94696bd2f7ed1b8df063dd619a66bb5ee12f2f6bcba4"
    )


SAFETY_DIGITS = "055969492167472780487080640831212364701657392555127696489998"


def fingerprint(account: bytes, key: bytes) -> bytes:
    """Compute one side's 5,200 rounds anew."""
    digest = foreign.lp(b"wigwag/1 safety number", account, key)
    for _ in range(5200):
        digest = sha512(digest + key).digest()
    return digest


def test_safety_number_is_the_same_on_both_sides_and_pinned() -> None:
    """Two people read it to each other; it must never change with a release."""
    one = (bytes(range(16)), bytes(range(32)))
    two = (bytes(range(16, 32)), bytes(range(32, 64)))
    ours, theirs = safety_number(*one, *two), safety_number(*two, *one)
    assert ours.digits == theirs.digits == SAFETY_DIGITS
    assert len(ours.digits) == 60
    assert ours.own_fingerprint == theirs.peer_fingerprint == fingerprint(*one)
    sides = {ours.digits[:30], ours.digits[30:]}
    for side in (one, two):
        value = fingerprint(*side)
        groups = [int.from_bytes(value[i : i + 5], "big") for i in range(0, 30, 5)]
        assert "".join(f"{group % 100000:05d}" for group in groups) in sides
    assert ours.grouped.replace("\n", " ").split(" ") == [
        ours.digits[i : i + 5] for i in range(0, 60, 5)
    ]
    assert safety_number(*one, two[0], bytes(32)).digits != ours.digits


def test_no_secret_shows_in_a_repr() -> None:
    """Logs and tracebacks print values; none of them may hold a key."""
    alice, bob = acquainted()
    alice.send(bob, b"passed by")
    bob.receive(alice, alice.send(bob, b"plain words").envelope)
    sessions = bob.rows_of(alice).load()
    session = sessions.active
    assert session is not None
    row = next(iter(session.skipped.values()))
    signed = bob.prekeys.signed_prekey(1)
    kem = bob.prekeys.kem_prekey(2)
    one_time = bob.prekeys.one_time_prekey(2)
    assert signed is not None
    assert kem is not None
    assert one_time is not None
    secrets = [
        bob.account_key.secret,
        bob.device.keys.secret[:32],
        bob.device.keys.secret[32:],
        signed.key.secret,
        kem.key.seed,
        one_time.key.secret,
        row.message_key,
        session.ratchet.root_key,
        session.ratchet.sending_key,
        session.ratchet.own_private,
    ]
    shown = " ".join(
        repr(value)
        for value in (
            *(bob.account_key, bob.device, bob.device.keys, signed, kem, one_time),
            *(signed.key, kem.key, sessions, session, session.ratchet, row),
        )
    )
    for secret in secrets:
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown
    opened = alice.receive(bob, bob.send(alice, b"plain words").envelope)
    head = PlaintextHead(bytes(16), bytes(16), 1, bytes(8), bytes(8))
    plaintext = open_plaintext(
        seal_plaintext(head, b"plain words"),
        chat_id=bytes(16),
        client_msg_id=bytes(16),
        message_class=1,
    )
    assert "plain words" not in repr((opened, plaintext))
    verified = verify_bundle(alice.claim(), alice.pin, now_ms=NOW_MS)
    agreement, _ = initiate(bob.device, verified, entropy=bob.entropy)
    passed = SkippedKey(row.row_id.ratchet_key, 0, row.message_key)
    stored = Stored(STATE_VERSION)
    assert (
        repr((agreement, passed, stored)) == "(<Agreement>, <SkippedKey 0>, <Stored>)"
    )


def test_keys_and_prekeys_read_back() -> None:
    """A store holds bytes; what comes back must sign and agree alike."""
    bob = Person("bob")
    account_key = AccountKey.from_secret(bob.account_key.secret)
    assert account_key.public == bob.account_key.public
    keys = DeviceKeys.from_secret(bob.device.keys.secret)
    assert keys.signing_public == bob.device.keys.signing_public
    assert keys.agreement_public == bob.device.keys.agreement_public
    row = bob.prekeys.signed[1]
    signed = OwnSignedPrekey.load(row)
    assert signed.offer() == bob.signed_offer
    assert signed.dump() == row
    kem_row = bob.prekeys.kem[1]
    assert OwnKemPrekey.load(kem_row).offer() == bob.kem_offers[0]
    one_time_row = bob.prekeys.one_time[1]
    assert OwnOneTimePrekey.load(one_time_row).offer() == bob.ec_offers[0]
    for damaged in (row[:-1], kem_row, b""):
        with pytest.raises(StateDamaged):
            OwnSignedPrekey.load(damaged)


def test_secret_of_a_wrong_length_is_damage() -> None:
    """A truncated row must not become some other key."""
    for make in (AccountKey.from_secret, DeviceKeys.from_secret, AgreementKey):
        with pytest.raises(StateDamaged):
            make(bytes(31))
    with pytest.raises(StateDamaged):
        DecapsulationKey(bytes(63))


def test_prekey_ids_rise_from_the_first() -> None:
    """The server keeps only what lies above its highest id."""
    made = make_one_time_prekeys(7, 3, entropy=SeededEntropy("x"))
    assert [key.prekey_id for key in made] == [7, 8, 9]
    with pytest.raises(AssertionError):
        make_one_time_prekeys(0, 1, entropy=SeededEntropy("x"))


class _Zeros:
    def token(self, n: int) -> bytes:
        return bytes(n)


def test_registration_id_is_never_zero() -> None:
    """Zero means no registration on the wire."""
    assert new_registration_id(_Zeros()) == 1
    assert new_registration_id(SeededEntropy("x")) > 1


def test_help_does_not_pay_for_the_ratchet_library() -> None:
    """It takes 0.2 s to import; loading and listing sessions never needs it."""
    code = (
        "import sys, wigwag.client.crypto as c; c.PeerSessions.empty().dump();"
        "sys.exit('doubleratchet' in sys.modules or 'pydantic' in sys.modules)"
    )
    path = [*sys.path]
    subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {path!r}; {code}"],
        check=True,
        timeout=60,
    )


def test_coroutine_that_waits_is_our_bug() -> None:
    """The driver has no event loop; waiting would lose the message's state."""

    class Waiting:
        def __await__(self) -> Generator[None, None, None]:
            yield

    async def waits() -> None:
        await Waiting()

    coroutine: Coroutine[object, None, None] = waits()
    with pytest.raises(AssertionError, match="waited"):
        run_sync(coroutine)


def test_prekey_times_are_those_of_its_making() -> None:
    """90 days from the caller's clock, not from any other."""
    bob = Person("bob")
    assert bob.signed_offer.created == NOW_MS
    assert bob.signed_offer.expires == NOW_MS + 90 * 24 * 3600 * 1000
