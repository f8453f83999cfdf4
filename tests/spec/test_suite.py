"""The suite's source, its checks, and the code made from it."""

import struct
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wigwag.wire
from wigwag.spec._content import load_content, render_content
from wigwag.spec._mistakes import SpecificationError
from wigwag.spec._suite import load_suite, parse_suite
from wigwag.spec._suite_render import render_suite
from wigwag.wire import suite1

ROOT = Path(__file__).parents[2]
SPECIFICATION = ROOT / "spec" / "wigwag" / "spec"
GENERATED = ROOT / "wire" / "wigwag" / "wire" / "_generated"
SOURCE = (SPECIFICATION / "suites" / "1.toml").read_text("utf-8")

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


def test_suite_is_a_member_of_the_wire_package() -> None:
    """Server and client import it from there, never from the generated module."""
    assert wigwag.wire.suite1 is suite1


def mistakes(change: Callable[[str], str]) -> str:
    """Returns what the checker says of a changed source."""
    changed = change(SOURCE)
    assert changed != SOURCE, "the change must hit"
    with pytest.raises(SpecificationError) as caught:
        parse_suite("suites/1.toml", changed)
    return str(caught.value)


def line_of(source: str, text: str) -> int:
    """Returns the line in which a text first stands, from 1."""
    return source[: source.index(text)].count("\n") + 1


CHANGES: dict[str, tuple[str, str, str]] = {
    # old text, new text, what must be said
    "unknown table": ("[[record]]", "[[recrod]]", "did you mean 'record'"),
    "unknown key": ('result = "sha256[16]"', 'resutl = "x"', "did you mean 'result'"),
    "missing key": ('unit = "bytes"', "", "has a key `unit`"),
    "unknown type": ('type = "device"', 'type = "devices"', "a type is"),
    "second name": ('name = "message_ad"', 'name = "session_ad"', "unique"),
    "second label": ('"wigwag/1 re-register"', '"wigwag/1 register"', "unique"),
    "label that isn't ASCII": ('"wigwag/1 auth"', '"wigwag/1 äuth"', "printable"),
    "unknown encoding": ('encoding = "raw"', 'encoding = "cooked"', "'lp' or 'raw'"),
    "raw with label": ('encoding = "raw"', 'label = "x"\nencoding = "raw"', "label"),
    "unknown result": ('result = "sha256[16]"', 'result = "md5"', "sha256[N]"),
    "too much of a hash": ("sha256[16]", "sha256[33]", "32 bytes"),
    "unknown order": ('order = "ascending"', 'order = "down"', "'ascending'"),
    "order of unlike parts": (
        'name = "account_b"\ntype = "uuid"',
        'name = "account_b"\ntype = "u8"',
        "one type",
    ),
    "part of nothing": ('of = "message_ad"', 'of = "massage_ad"', "names a"),
    "constant too large": ("value = 1\ndoc", "value = 65536\ndoc", "fits u16"),
    "constant of odd length": ('value = "ffff', 'value = "ff', "32 bytes"),
    "constant that isn't hexadecimal": ('value = "ff', 'value = "xx', "hexadecimal"),
    "constant of a loose type": (
        'name = "blob"\ntype = "bytes"',
        'name = "blob"\ntype = "bytes"\nvalue = "00"',
        "have a value",
    ),
    "negative constant": ("value = 2000", "value = -2000", "from 0"),
    "value of the wrong type": ('unit = "bytes"', "unit = 3", "of type str"),
    "name with capitals": ('name = "party"', 'name = "Party"', "a name is"),
    "device with another name": ('name = "sender_device"', 'name = "sender"', "ending"),
    "optional number": (
        'name = "message_class"\ntype = "u8"',
        'name = "message_class"\ntype = "u8"\noptional = true',
        "only bytes",
    ),
    "part twice": ('name = "account_b"', 'name = "account_a"', "once"),
    "suite 0": ("id = 1", "id = 0", "1..65535"),
    "no suite": ("[suite]", "[[constant]]", "unknown key `id`"),
    "unknown algorithm": ('algorithm = "HMAC-SHA-256"', 'algorithm = "MD5"', "one of"),
    "bytes in the middle": (
        'of = "ratchet_header"\nname = "ratchet_key"\ntype = "bytes[32]"',
        'of = "ratchet_header"\nname = "ratchet_key"\ntype = "bytes"',
        "only the last",
    ),
    "flag without flags": ("mask = 1\n", "", "precede"),
    "mask elsewhere": (
        'name = "version"\ntype = "u8"',
        'name = "version"\ntype = "u8"\nmask = 1',
        "only `flags`",
    ),
    "flag of a number": (
        'name = "body"\ntype = "bytes"',
        'name = "body"\ntype = "bytes"\nflag = 0',
        "nested",
    ),
    "layout before its parts": (
        'type = "ratchet_header"',
        'type = "plaintext"',
        "after",
    ),
    "record without parts": (
        '[[record]]\nname = "party"',
        '[[record]]\nname = "nobody"\ndoc = "x"\n\n[[record]]\nname = "party"',
        "there is a [[part]]",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_mistake_in_the_source_is_named_with_its_place(name: str) -> None:
    """A mistake without a place is a search; an accepted one is a broken suite."""
    old, new, expected = CHANGES[name]
    told = mistakes(lambda source: source.replace(old, new, 1))
    assert expected in told
    file, line, _ = told.split(":", 2)
    assert file == "suites/1.toml"
    # The changed line, or the heading of the table that it breaks.
    lines = SOURCE.replace(old, new, 1).splitlines()
    changed = line_of(SOURCE, old)
    last = changed + new.count("\n") + 3
    assert int(line) in range(changed, last) or lines[int(line) - 1].startswith(
        ("[", "order =")
    )


def test_source_that_is_no_toml_is_named_with_its_place() -> None:
    """The reader of the subset speaks for lines that aren't TOML at all."""
    with pytest.raises(SpecificationError, match=r"suites/1.toml:1: "):
        parse_suite("suites/1.toml", "what is this\n")


SMALL = """\
[suite]
id = 2
name = "small"
doc = "A suite for this test. It has shapes that suite 1 lacks."

[[constant]]
name = "answer"
value = 42
unit = "answers"
doc = "Why not."

[[transcript]]
name = "fixed"
label = "fixed"
result = "sha256[4]"
doc = "Only a label and a constant."

[[part]]
of = "fixed"
name = "magic"
type = "bytes[2]"
value = "0aff"
doc = "Magic."

[[layout]]
name = "inner"
doc = "Inner."

[[field]]
of = "inner"
name = "magic"
type = "bytes[2]"
value = "0aff"
doc = "Magic."

[[field]]
of = "inner"
name = "count"
type = "u16"
doc = "Count."

[[layout]]
name = "outer"
doc = "Nested layouts with fixed fields between and behind them."

[[field]]
of = "outer"
name = "flags"
type = "u8"
mask = 2
doc = "Bit 1: second."

[[field]]
of = "outer"
name = "first"
type = "inner"
doc = "Always."

[[field]]
of = "outer"
name = "middle"
type = "u32"
doc = "Between."

[[field]]
of = "outer"
name = "second"
type = "inner"
flag = 1
doc = "Sometimes."

[[field]]
of = "outer"
name = "last"
type = "ts_ms"
doc = "Behind."

[[layout]]
name = "rest"
doc = "Nothing but the rest."

[[field]]
of = "rest"
name = "everything"
type = "bytes"
min = 1
doc = "All of it."
"""


def run_generated(source: str) -> Any:  # noqa: ANN401 - names made at run time
    """Returns the module made from a suite's source; its names are its own."""
    module = ModuleType("small")
    text = render_suite(parse_suite("suites/2.toml", source))
    exec(compile(text, "small", "exec"), module.__dict__)  # noqa: S102 - our own
    return module


def test_generated_code_handles_every_shape_of_layout() -> None:
    """The next suite may order fields otherwise than suite 1 does."""
    small = run_generated(SMALL)
    assert small.SUITE == 2
    assert small.ANSWER == 42
    assert small.INNER_BYTES == 4
    assert small.fixed() == sha256(lp(b"fixed", b"\x0a\xff")).digest()[:4]
    inner = small.Inner(5)
    for second in (None, small.Inner(6)):
        outer = small.Outer(inner, 7, second, 8)
        data = small.encode_outer(outer)
        flagged = b"" if second is None else b"\x0a\xff\x00\x06"
        flags = b"\x00" if second is None else b"\x02"
        assert data == flags + b"\x0a\xff\x00\x05" + u32(7) + flagged + u64(8)
        assert small.decode_outer(data) == outer
        for wrong in (data[:-1], data + b"\x00", b"\x01" + data[1:], data[:1]):
            with pytest.raises(small.LayoutError):
                small.decode_outer(wrong)
    assert small.decode_rest(b"x") == small.Rest(b"x")
    with pytest.raises(small.LayoutError, match="too short"):
        small.decode_rest(b"")
    with pytest.raises(small.LayoutError, match="not supported"):
        small.decode_inner(b"\x0b\xff\x00\x05")
