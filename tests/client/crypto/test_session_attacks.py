"""What a malicious server or peer may do to an envelope, and that it gets nowhere."""

from collections.abc import Callable

import pytest
from tests.client.crypto.people import Person, acquainted, people, refused

from wigwag.client.crypto import UndecryptableReason
from wigwag.wire import suite1

HEAD_END = 4
PREKEY_END = HEAD_END + suite1.PREKEY_HEADER_BYTES


def regions() -> list[tuple[str, bool, Callable[[int], range]]]:
    """Returns where to flip a bit: name, with prekey header, offsets by length."""
    return [
        ("version, suite, flags", True, lambda _: range(HEAD_END)),
        ("prekey ids", True, lambda _: range(4, 20)),
        ("base key", True, lambda _: range(20, 52)),
        ("KEM ciphertext", True, lambda _: range(52, PREKEY_END, 97)),
        ("ratchet header", True, lambda _: range(PREKEY_END, PREKEY_END + 40)),
        ("body", True, lambda length: range(PREKEY_END + 40, length)),
        ("version, suite, flags", False, lambda _: range(HEAD_END)),
        ("ratchet header", False, lambda _: range(HEAD_END, HEAD_END + 40)),
        ("body", False, lambda length: range(HEAD_END + 40, length)),
    ]


@pytest.mark.parametrize(("name", "is_first", "offsets"), regions())
def test_flipped_bit_is_refused_and_changes_nothing(
    name: str, is_first: bool, offsets: Callable[[int], range]
) -> None:
    """Every byte is under the tag, those that only steer the reader included."""
    alice, bob = people() if is_first else acquainted()
    envelope = alice.send(bob, b"untouched").envelope
    for offset in offsets(len(envelope)):
        broken = bytearray(envelope)
        broken[offset] ^= 1 << (offset % 8)
        refused(bob, alice, bytes(broken))
    assert bob.receive(alice, envelope).plaintext == b"untouched"


@pytest.mark.parametrize("offset", [7, 11, 15, 19, 60, 1000])
def test_prekey_header_is_under_the_tag_of_a_known_session_too(offset: int) -> None:
    """There it isn't needed to open; an ignored field would be a covert channel."""
    alice, bob = people()
    bob.receive(alice, alice.send(bob, b"one").envelope)
    envelope = bytearray(alice.send(bob, b"two").envelope)
    envelope[offset] ^= 1
    assert refused(bob, alice, bytes(envelope)) is UndecryptableReason.NOT_AUTHENTIC


def test_truncated_envelope_is_refused() -> None:
    """Whatever the network leaves of it."""
    alice, bob = people()
    envelope = alice.send(bob, b"whole").envelope
    for end in (0, 1, 3, 4, 5, 100, PREKEY_END, PREKEY_END + 40, len(envelope) - 1):
        refused(bob, alice, envelope[:end])
    refused(bob, alice, envelope + b"\x00")
    assert bob.receive(alice, envelope).plaintext == b"whole"


def test_envelope_of_one_sender_does_not_open_as_anothers() -> None:
    """The server names the sender; the session's associated data is who it was."""
    alice, bob = people()
    carol = Person("carol")
    envelope = alice.send(bob, b"from alice").envelope
    assert refused(bob, carol, envelope) is UndecryptableReason.NOT_AUTHENTIC


@pytest.mark.parametrize("field", ["base", "ratchet", "later"])
def test_key_that_makes_the_secret_known_is_refused(field: str) -> None:
    """The zero point gives a zero secret with everybody."""
    alice, bob = people()
    envelope = bytearray(alice.send(bob, b"x").envelope)
    start = {"base": 20, "ratchet": PREKEY_END, "later": PREKEY_END}[field]
    if field == "later":
        bob.receive(alice, bytes(envelope))
        envelope = bytearray(alice.send(bob, b"y").envelope)
    envelope[start : start + 32] = bytes(32)
    assert refused(bob, alice, bytes(envelope)) is UndecryptableReason.NOT_AUTHENTIC


def test_message_under_our_own_prekey_as_ratchet_key_is_refused() -> None:
    """The initiator has no receiving chain yet; a made-up header must not crash him."""
    alice, bob = people()
    alice.send(bob, b"x")
    header = suite1.RatchetHeader(bob.signed_offer.key, 0, 0)
    made_up = suite1.encode_envelope(suite1.Envelope(None, header, bytes(48)))
    assert refused(alice, bob, made_up) is UndecryptableReason.NOT_AUTHENTIC
