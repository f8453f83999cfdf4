"""Content from an authentic sender, who may be malicious or newer than we are."""

# pyright: basic
# msgpack has neither annotations nor stubs.

from contextlib import suppress

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.client._content import (
    ContentRefused,
    KnownContent,
    ReadReceipt,
    Resent,
    Retry,
    Text,
    UnknownContent,
    decode_content,
    encode_content,
)
from wigwag.wire import content1


def pack(value: object) -> bytes:
    """Returns msgpack bytes of anything."""
    packed = msgpack.packb(value)
    assert isinstance(packed, bytes)
    return packed


def test_text_has_these_bytes() -> None:
    """A golden value: another client must write the same."""
    data = encode_content(Text("hé"))
    assert data.hex() == "83 00 01 01 01 02 a3 68 c3 a9".replace(" ", "")
    assert decode_content(data) == Text("hé")


def test_read_receipt_has_these_bytes() -> None:
    """Positions are epoch << 32 | n, so they need all 64 bits."""
    data = encode_content(ReadReceipt(1 << 32 | 7))
    assert data.hex() == "83 00 01 01 02 02 cf 0000000100000007".replace(" ", "")
    assert decode_content(data) == ReadReceipt(1 << 32 | 7)


MESSAGE = bytes(range(16))


def test_retry_and_resent_have_these_bytes() -> None:
    """A repair that another client can't read repairs nothing."""
    retry = Retry(MESSAGE, 2, "missed")
    data = encode_content(retry)
    assert data == pack({0: 1, 1: 3, 2: MESSAGE, 3: 2, 4: "missed"})
    assert decode_content(data) == retry
    resent = Resent(MESSAGE, "copy_of", b"inner", 7, 8)
    data = encode_content(resent)
    assert data == pack({0: 1, 1: 4, 2: MESSAGE, 3: "copy_of", 4: b"inner", 5: 7, 6: 8})
    assert decode_content(data) == resent
    assert "inner" not in repr(resent)
    assert "missed" not in repr(retry)


@given(st.text(min_size=1, max_size=200))
def test_any_text_comes_back(text: str) -> None:
    """Whatever people type; lone surrogates aren't text and are refused."""
    try:
        data = encode_content(Text(text))
    except ContentRefused:
        assert any(0xD800 <= ord(character) < 0xE000 for character in text)
        return
    assert decode_content(data) == Text(text)


def test_lone_surrogate_is_refused_when_written() -> None:
    """It has no UTF-8; the sender is told, not the receiver."""
    with pytest.raises(ContentRefused, match="not Unicode text"):
        encode_content(Text("\ud800"))


@given(st.binary(max_size=200))
def test_garbage_is_refused_by_type(data: bytes) -> None:
    """Nothing but the one error may come out of a peer's bytes."""
    with suppress(ContentRefused):
        content = decode_content(data)
        assert isinstance(content, KnownContent | UnknownContent)


def test_keys_of_a_newer_program_are_kept() -> None:
    """A device that stores and forwards must not strip what it doesn't know."""
    data = pack({0: 1, 1: 1, 2: "x", 9: {"a": [1.5, None, True, b"b"]}, 300: -1})
    content = decode_content(data)
    assert isinstance(content, Text)
    assert content.unknown == ((9, {"a": [1.5, None, True, b"b"]}), (300, -1))
    assert encode_content(content) == data


def test_keys_are_written_in_ascending_order() -> None:
    """So equal content is equal bytes."""
    data = encode_content(Text("x", unknown=((300, 1), (9, 2))))
    assert data == pack({0: 1, 1: 1, 2: "x", 9: 2, 300: 1})


@pytest.mark.parametrize(("version", "kind"), [(2, 1), (1, 999)])
def test_newer_kind_or_version_is_shown_as_such(version: int, kind: int) -> None:
    """The user sees that there is a message, and can read it after an update."""
    data = pack({0: version, 1: kind, 2: ["?"]})
    content = decode_content(data)
    assert content == UnknownContent(version, kind, data)
    assert "?" not in repr(content)


def nested(depth: int) -> bytes:
    """Returns a text whose unknown key holds maps and arrays to this depth."""
    value: object = None
    for level in range(depth - 1):
        value = [value] if level % 2 else {"k": value}
    return pack({0: 1, 1: 1, 2: "x", 3: value})


def test_depth_is_bounded() -> None:
    """A deep value costs stack where it is shown."""
    assert isinstance(decode_content(nested(8)), Text)
    with pytest.raises(ContentRefused, match="too deeply"):
        decode_content(nested(9))


def test_size_is_bounded_both_ways() -> None:
    """64 KiB; longer text goes as an attachment."""
    longest = "x" * 65_000
    assert decode_content(encode_content(Text(longest))) == Text(longest)
    with pytest.raises(ContentRefused, match="bytes long"):
        encode_content(Text(longest + "x"))
    with pytest.raises(ContentRefused, match="too large"):
        encode_content(Text(longest, unknown=((9, bytes(600)),)))
    with pytest.raises(ContentRefused, match="too large"):
        decode_content(pack({0: 1, 1: 1, 2: "x", 3: bytes(65_536)}))


def test_number_of_keys_is_bounded_over_all_maps() -> None:
    """Small keys make many objects of few bytes."""
    fits = {0: 1, 1: 1, 2: "x", 3: dict.fromkeys(range(252))}
    assert isinstance(decode_content(pack(fits)), Text)
    beyond = {0: 1, 1: 1, 2: "x", 3: dict.fromkeys(range(253))}
    with pytest.raises(ContentRefused, match="too many keys"):
        decode_content(pack(beyond))


REFUSED: dict[str, bytes] = {
    "empty": b"",
    "no map": pack([0, 1]),
    "truncated": pack({0: 1, 1: 1, 2: "text"})[:-1],
    "trailing byte": pack({0: 1, 1: 1, 2: "text"}) + b"\x00",
    "key twice": b"\x83\x00\x01\x01\x01\x01\x01",
    "text as key": pack({0: 1, 1: 1, 2: "x", "k": 1}),
    "bytes as key": pack({0: 1, 1: 1, 2: "x", b"k": 1}),
    "bool as key": b"\x84\x00\x01\x01\x01\x02\xa1x\xc3\x01",
    "array as key": b"\x84\x00\x01\x01\x01\x02\xa1x\x90\x01",
    "negative key": pack({0: 1, 1: 1, 2: "x", -1: 1}),
    "large key": pack({0: 1, 1: 1, 2: "x", 65_536: 1}),
    "timestamp": pack({0: 1, 1: 1, 2: "x", 3: msgpack.Timestamp(1)}),
    "extension": pack({0: 1, 1: 1, 2: "x", 3: msgpack.ExtType(5, b"")}),
    "no version": pack({1: 1, 2: "x"}),
    "no kind": pack({0: 1, 2: "x"}),
    "version 0": pack({0: 0, 1: 1, 2: "x"}),
    "bool as version": pack({0: True, 1: 1, 2: "x"}),
    "text of bytes": pack({0: 1, 1: 1, 2: b"x"}),
    "no text": pack({0: 1, 1: 1}),
    "empty text": pack({0: 1, 1: 1, 2: ""}),
    "bad UTF-8": b"\x83\x00\x01\x01\x01\x02\xa1\xff",
    "negative position": pack({0: 1, 1: 2, 2: -1}),
    "bool as position": pack({0: 1, 1: 2, 2: True}),
    "id of text": pack({0: 1, 1: 3, 2: "x" * 16, 3: 1, 4: "missed"}),
    "id too short": pack({0: 1, 1: 3, 2: MESSAGE[1:], 3: 1, 4: "missed"}),
    "sixth attempt": pack({0: 1, 1: 3, 2: MESSAGE, 3: 6, 4: "missed"}),
    "fraction as position": pack({0: 1, 1: 2, 2: 1.0}),
    "map of 2**32 keys": b"\xdf\xff\xff\xff\xff",
    "array of 2**32 items": b"\x81\x00\xdd\xff\xff\xff\xff",
    "depth of 60,000": b"\x91" * 60_000 + b"\xc0",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_breaks_the_rules_is_refused(name: str) -> None:
    """Each is a way to crash or to mislead a lenient reader."""
    with pytest.raises(ContentRefused):
        decode_content(REFUSED[name])


def test_error_and_repr_hold_nothing_of_the_text() -> None:
    """They go to logs."""
    with pytest.raises(ContentRefused) as caught:
        decode_content(pack({0: 1, 1: 2, 2: "private words"}))
    assert "private" not in str(caught.value)
    assert caught.value.key == 2
    assert "private" not in repr(Text("private"))


def test_limits_are_those_of_the_source() -> None:
    """The numbers above are written out; here they are tied to the specification."""
    assert content1.CONTENT_DEPTH_MAX == 8
    assert content1.CONTENT_KEYS_MAX == 256
    assert content1.CONTENT_BYTES_MAX == 65_536
