"""Header, extension and padding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.wire._header import (
    BUCKET_BYTES_MAX,
    EXTENSION_BYTES_MAX,
    HEADER,
    HEADER_BYTES,
    RESPONSE,
    body_end,
    extension,
    extension_is_valid,
    frame,
    padded_bytes,
    padding,
)


def test_a_frame_is_twelve_bytes_and_its_body() -> None:
    """The layout is an invariant: other languages rely on these very bytes."""
    assert (
        frame(0x0102, b"body", flags=RESPONSE, corr=0x0A0B0C0D)
        == bytes.fromhex("00000004 0102 01 00 0a0b0c0d") + b"body"
    )
    assert HEADER.size == HEADER_BYTES


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=5))
def test_an_extension_of_entries_is_valid(entries: list[tuple[int, bytes]]) -> None:
    """What the encoder writes, the check takes, whatever follows it."""
    encoded = extension(tuple(entries))
    assert extension_is_valid(encoded + b"\xff\xff\xff", len(encoded))


@given(
    st.lists(
        st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 2),
)
def test_an_extension_that_ends_within_an_entry_is_not_valid(
    entries: list[tuple[int, bytes]], missing: int
) -> None:
    """R-FRAME-011: entries fill ext_len exactly."""
    encoded = extension(tuple(entries))
    assert not extension_is_valid(encoded, len(encoded) - missing)


def test_an_entry_that_runs_past_the_extension_is_not_valid() -> None:
    """R-FRAME-011: an entry must not reach into the body."""
    assert not extension_is_valid(b"\x00\x01\x05abcde", 7)


def test_an_extension_holds_no_more_than_its_length_can_say() -> None:
    """Its length is a u8."""
    assert len(extension(((1, bytes(252)),))) == EXTENSION_BYTES_MAX
    with pytest.raises(ValueError, match="255"):
        extension(((1, bytes(250)), (2, b"")))


@pytest.mark.parametrize(
    ("content_bytes", "bucket"),
    [
        (0, 256),
        (252, 256),
        (253, 512),
        (508, 512),
        (509, 1024),
        (8188, 8192),
        (16380, 16384),
        (16381, 32768),
        (32764, 32768),
        (32765, 49152),
        (262140, 262144),
    ],
)
def test_buckets_double_up_to_16_kib_and_then_grow_by_it(
    content_bytes: int, bucket: int
) -> None:
    """The buckets are the protocol's, so that clients can't be told apart by them."""
    assert padded_bytes(content_bytes) == bucket
    assert content_bytes + len(padding(content_bytes)) == bucket


@given(st.binary(max_size=600), st.integers(0, 255))
def test_padding_comes_off_again(content: bytes, ext_len: int) -> None:
    """The body is found whatever it holds."""
    ext_len = min(ext_len, len(content))
    assert body_end(content + padding(len(content)), ext_len) == len(content)


@given(st.binary(max_size=BUCKET_BYTES_MAX), st.integers(0, 255))
def test_padding_never_reaches_into_the_extension(content: bytes, ext_len: int) -> None:
    """Any bytes give a place within the body, or no place."""
    ext_len = min(ext_len, len(content))
    end = body_end(content, ext_len)
    assert end == -1 or ext_len <= end <= len(content) - 4


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x00\x00",
        b"\x00\x00\x00\x01",
        b"ab\x00\x00\x00\x05",
        b"body\x01\x00\x00\x00\x00\x02",
        b"body\x00\x01\x00\x00\x00\x02",
        b"\xff\xff\xff\xff",
    ],
)
def test_padding_that_is_not_n_zeros_is_found(content: bytes) -> None:
    """R-FRAME-012: whatever is hidden in the padding would be a second channel."""
    assert body_end(content, 0) == -1
