"""The join string: exactly its documented form, and no invite in a log."""

import re

from wigwag.server import Address, JoinString
from wigwag.server._join import INVITE_BYTES, invite_code
from wigwag.server._proofs import INVITE_ALPHABET, INVITE_CHARACTERS

PIN = bytes(range(32))


def test_a_join_string_has_its_documented_form() -> None:
    """Clients in other languages parse it from the documentation."""
    join = JoinString(Address("chat.example.org", 7411), PIN, "abcdefghijklmnop")
    assert join.reveal() == (
        "wigwag://chat.example.org:7411/#v1."
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8.abcdefghijklmnop"
    )
    assert JoinString(Address("::1", 1), PIN).reveal().startswith("wigwag://[::1]:1/#")


def test_neither_str_nor_repr_shows_the_invite() -> None:
    """What lands in a log by accident must not let anybody in."""
    join = JoinString(Address("h", 1), PIN, "abcdefghijklmnop")
    assert "abcd" not in f"{join} {join!r}"


def test_an_invite_code_is_readable_and_what_its_verifier_takes() -> None:
    """It is typed by hand now and then."""
    code = invite_code(b"\xff" * INVITE_BYTES)
    assert re.fullmatch(r"[a-z2-7]{16}", code)
    assert len(code) == INVITE_CHARACTERS
    assert INVITE_ALPHABET.issuperset(code)
