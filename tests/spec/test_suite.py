"""The suite's source, its checks, and the code made from it."""

import struct
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wigwag.wire
from wigwag.spec._content import load_content, render_content
from wigwag.spec._suite import load_suite
from wigwag.spec._suite_render import render_suite
from wigwag.wire import suite1

ROOT = Path(__file__).parents[2]
SPECIFICATION = ROOT / "spec" / "wigwag" / "spec"
GENERATED = ROOT / "wire" / "wigwag" / "wire" / "_generated"

USER_A = bytes(range(16))
USER_B = bytes(range(16, 32))
KEY = bytes(range(100, 132))
OTHER_KEY = bytes(range(132, 164))
KEM_KEY = bytes(index % 251 for index in range(1568))


def lp(*parts: bytes) -> bytes:
    """Length-prefixed concatenation, written anew as ARCHITECTURE.md words it."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def u16(value: int) -> bytes:
    """Returns two bytes, big-endian."""
    return value.to_bytes(2, "big")


def u32(value: int) -> bytes:
    """Returns four bytes, big-endian."""
    return value.to_bytes(4, "big")


def u64(value: int) -> bytes:
    """Returns eight bytes, big-endian."""
    return value.to_bytes(8, "big")


def party(account: bytes, number: int) -> suite1.Party:
    """Returns one side of a session."""
    return suite1.Party(account, KEY, number, 7, OTHER_KEY, KEY)


PARTY_PARTS = (KEY, bytes((3,)), u32(7), OTHER_KEY, KEY)


def test_generated_code_is_that_of_the_source() -> None:
    """A change of the data without the code would make two suites."""
    expected = render_suite(load_suite(SPECIFICATION))
    assert (GENERATED / "suite_1.py").read_text("utf-8") == expected
    content = render_content(load_content(SPECIFICATION))
    assert (GENERATED / "content_1.py").read_text("utf-8") == content


def test_check_values_of_the_architecture_hold() -> None:
    """These two ids are how another implementation knows that it reads us right."""
    lowest, highest = bytes(16), b"\xff" * 16
    chat = suite1.direct_chat_id(lowest, highest)
    assert chat.hex() == "cc3306c374e0f99fea0504068a01ef49"
    assert suite1.direct_chat_id(highest, lowest) == chat
    message = suite1.server_msg_id(
        chat, lowest, 1, bytes.fromhex("0190a0b0c0d070008000000000000001")
    )
    assert message.hex() == "dd0ad6e9476c5fe33313b9c0785e9a7f"


TRANSCRIPTS: dict[str, tuple[bytes, bytes]] = {
    "auth": (
        suite1.auth_transcript(KEY, OTHER_KEY, b"body"),
        lp(b"wigwag/1 auth", KEY, OTHER_KEY, b"body"),
    ),
    "register": (
        suite1.register_transcript(KEY, OTHER_KEY, b"body"),
        lp(b"wigwag/1 register", KEY, OTHER_KEY, b"body"),
    ),
    "re_register": (
        suite1.re_register_transcript(KEY, OTHER_KEY, b"body"),
        lp(b"wigwag/1 re-register", KEY, OTHER_KEY, b"body"),
    ),
    "signed_prekey": (
        suite1.signed_prekey_transcript(USER_A, 3, 7, 9, KEY, 1000, 2000),
        lp(
            b"wigwag/1 signed prekey",
            *(u16(1), USER_A, b"\x03", u32(7), u32(9), KEY, u64(1000), u64(2000)),
        ),
    ),
    "kem_prekey": (
        suite1.kem_prekey_transcript(USER_A, 3, 7, 9, KEM_KEY, True),
        lp(
            b"wigwag/1 kem prekey",
            *(u16(1), USER_A, b"\x03", u32(7), u32(9), KEM_KEY, b"\x01"),
        ),
    ),
    "device_list": (
        suite1.device_list_transcript(b"blob"),
        lp(b"wigwag/1 device list", b"blob"),
    ),
    "device_list_hash": (suite1.device_list_hash(b"blob"), sha256(b"blob").digest()),
    "device_membership": (
        suite1.device_membership_transcript(USER_A, KEY, 3, OTHER_KEY, KEY),
        lp(
            b"wigwag/1 device membership",
            *(u16(1), USER_A, KEY, b"\x03", OTHER_KEY, KEY),
        ),
    ),
    "session_ad": (
        suite1.session_ad(party(USER_A, 3), party(USER_B, 3), KEY, KEM_KEY, OTHER_KEY),
        lp(
            b"wigwag/1 session",
            u16(1),
            *(USER_A, *PARTY_PARTS),
            *(USER_B, *PARTY_PARTS),
            *(KEY, KEM_KEY, OTHER_KEY),
        ),
    ),
    "session_ad without one-time key": (
        suite1.session_ad(party(USER_A, 3), party(USER_B, 3), KEY, KEM_KEY),
        lp(
            b"wigwag/1 session",
            u16(1),
            *(USER_A, *PARTY_PARTS),
            *(USER_B, *PARTY_PARTS),
            *(KEY, KEM_KEY, b""),
        ),
    ),
    "session_secret_input": (
        suite1.session_secret_input(KEY, OTHER_KEY, KEY, OTHER_KEY, KEY),
        b"\xff" * 32 + KEY + OTHER_KEY + KEY + KEY + OTHER_KEY,
    ),
    "message_ad": (
        suite1.message_ad(KEY, b"prefix", bytes(40)),
        lp(b"wigwag/1 envelope", KEY, b"prefix", bytes(40)),
    ),
    "send_digest": (
        suite1.send_digest(1, [(USER_A, 1, 7, b"c1"), (USER_B, 2, 8, b"")], b"body"),
        sha256(
            lp(
                *(b"wigwag/1 send", b"\x01", u16(2)),
                *(USER_A + b"\x01", u32(7), b"c1"),
                *(USER_B + b"\x02", u32(8), b""),
                b"body",
            )
        ).digest(),
    ),
    "safety_number_seed": (
        suite1.safety_number_seed(USER_A, KEY),
        lp(b"wigwag/1 safety number", USER_A, KEY),
    ),
}


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_transcript_is_what_the_design_words(name: str) -> None:
    """Each is written here a second time, by hand, from the design's sentence."""
    actual, expected = TRANSCRIPTS[name]
    assert actual == expected


@given(st.lists(st.binary(max_size=8), max_size=5), st.lists(st.binary(max_size=8)))
def test_different_parts_never_give_equal_bytes(
    one: list[bytes], other: list[bytes]
) -> None:
    """Otherwise a field's bytes could be moved into its neighbour's."""
    assert (suite1.lp(*one) == suite1.lp(*other)) == (one == other)


def test_part_of_a_wrong_size_is_refused() -> None:
    """A short key would shift everything behind it in a fixed layout."""
    with pytest.raises(ValueError, match="expected 16 bytes, got 15"):
        suite1.direct_chat_id(bytes(15), bytes(16))
    with pytest.raises(ValueError, match="expected 32 bytes, got 31"):
        suite1.session_ad(
            party(USER_A, 1), party(USER_B, 1), KEY, KEM_KEY, OTHER_KEY[:31]
        )


PREKEY = suite1.PrekeyHeader(7, 8, 0, 9, KEY, KEM_KEY)
RATCHET = suite1.RatchetHeader(KEY, 3, 4)
BODY = bytes(range(48))


@pytest.mark.parametrize("prekey", [None, PREKEY])
def test_envelope_has_the_bytes_of_its_layout(
    prekey: suite1.PrekeyHeader | None,
) -> None:
    """The layout by hand: version, suite, flags, headers, body."""
    expected = b"\x01\x00\x01" + (b"\x00" if prekey is None else b"\x01")
    if prekey is not None:
        expected += u32(7) + u32(8) + u32(0) + u32(9) + KEY + KEM_KEY
    expected += KEY + u32(3) + u32(4) + BODY
    envelope = suite1.Envelope(prekey, RATCHET, BODY)
    assert suite1.encode_envelope(envelope) == expected
    assert suite1.decode_envelope(expected) == envelope


@pytest.mark.parametrize("prekey", [None, PREKEY])
def test_truncated_envelope_is_refused_at_every_byte(
    prekey: suite1.PrekeyHeader | None,
) -> None:
    """A reader that fills up what is missing would accept a forgery's prefix."""
    data = suite1.encode_envelope(suite1.Envelope(prekey, RATCHET, BODY))
    for end in range(len(data)):
        with pytest.raises(suite1.LayoutError, match="too short"):
            suite1.decode_envelope(data[:end])


@pytest.mark.parametrize(
    ("offset", "field"), [(0, "version"), (1, "suite"), (2, "suite"), (3, "flags")]
)
def test_unknown_version_suite_and_flags_are_refused(offset: int, field: str) -> None:
    """What we don't know may mean anything; guessing would be a downgrade."""
    data = bytearray(suite1.encode_envelope(suite1.Envelope(None, RATCHET, BODY)))
    data[offset] ^= 0x80
    with pytest.raises(suite1.LayoutError) as caught:
        suite1.decode_envelope(bytes(data))
    assert caught.value.field == field


def test_bytes_behind_a_fixed_layout_are_refused() -> None:
    """There is exactly one encoding of each value."""
    with pytest.raises(suite1.LayoutError, match="bytes remain"):
        suite1.decode_ratchet_header(bytes(41))
    with pytest.raises(suite1.LayoutError, match="bytes remain"):
        suite1.decode_prekey_header(bytes(1617))


@given(st.binary(max_size=2000))
def test_decoders_raise_only_their_own_error(data: bytes) -> None:
    """Nothing but the one error may come out of a peer's bytes."""
    for layout in ("envelope", "prekey_header", "ratchet_header", "plaintext"):
        decode: Callable[[bytes], Any] = getattr(suite1, f"decode_{layout}")
        encode: Callable[[Any], bytes] = getattr(suite1, f"encode_{layout}")
        with suppress(suite1.LayoutError):
            assert encode(decode(data)) == data


def test_plaintext_has_the_bytes_of_its_layout() -> None:
    """The head is what another client compares with the delivery."""
    plaintext = suite1.Plaintext(USER_A, USER_B, 4, KEY[:8], KEY[8:16], 2, b"hi\x00")
    data = USER_A + USER_B + b"\x04" + KEY[:16] + u32(2) + b"hi\x00"
    assert suite1.encode_plaintext(plaintext) == data
    assert suite1.decode_plaintext(data) == plaintext
    with pytest.raises(suite1.LayoutError, match="too short"):
        suite1.decode_plaintext(data[:52])


def test_suite_is_a_member_of_the_wire_package() -> None:
    """Server and client import it from there, never from the generated module."""
    assert wigwag.wire.suite1 is suite1
