"""The plaintext's head and padding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.crypto.people import people

from wigwag.client.crypto import (
    PAIRWISE_CONTENT_BYTES_MAX,
    Forgery,
    ForgeryReason,
    PlaintextHead,
    open_plaintext,
    padded_length,
    seal_plaintext,
)
from wigwag.wire import LIMITS, suite1

CHAT = bytes(range(16))
MESSAGE = bytes(range(16, 32))
HEAD = PlaintextHead(CHAT, MESSAGE, 1, b"ownhash8", b"peerhash")
HEAD_BYTES = 53


def refusal(
    plaintext: bytes,
    chat_id: bytes = CHAT,
    client_msg_id: bytes = MESSAGE,
    message_class: int = 1,
) -> ForgeryReason:
    """Returns in what a plaintext contradicts its delivery."""
    with pytest.raises(Forgery) as caught:
        open_plaintext(
            plaintext,
            chat_id=chat_id,
            client_msg_id=client_msg_id,
            message_class=message_class,
        )
    return caught.value.reason


@given(st.binary(max_size=5000))
def test_content_comes_back_without_its_padding(content: bytes) -> None:
    """Trailing zeros of the content are content."""
    plaintext = seal_plaintext(HEAD, content)
    assert len(plaintext) == padded_length(HEAD_BYTES + len(content))
    opened = open_plaintext(
        plaintext, chat_id=CHAT, client_msg_id=MESSAGE, message_class=1
    )
    assert (opened.head, opened.content) == (HEAD, content)


def test_message_moved_to_another_place_is_a_forgery() -> None:
    """The server chooses where to deliver; the sender said where it belongs."""
    plaintext = seal_plaintext(HEAD, b"hello")
    assert refusal(plaintext, chat_id=bytes(16)) is ForgeryReason.CHAT
    assert refusal(plaintext, client_msg_id=bytes(16)) is ForgeryReason.MESSAGE_ID
    assert refusal(plaintext, message_class=4) is ForgeryReason.MESSAGE_CLASS


def test_wrong_layout_is_a_forgery() -> None:
    """Authentic, but no program of ours wrote it."""
    plaintext = seal_plaintext(HEAD, b"hello")
    assert refusal(b"") is ForgeryReason.LAYOUT
    assert refusal(plaintext[:HEAD_BYTES]) is ForgeryReason.LAYOUT
    assert refusal(plaintext + bytes(160)) is ForgeryReason.LAYOUT
    assert refusal(plaintext[:-1]) is ForgeryReason.LAYOUT
    assert refusal(plaintext[:-1] + b"\x01") is ForgeryReason.LAYOUT
    beyond = bytearray(plaintext)
    beyond[49:53] = (2**32 - 1).to_bytes(4, "big")
    assert refusal(bytes(beyond)) is ForgeryReason.LAYOUT


@pytest.mark.parametrize(
    ("length", "padded"),
    [
        *((0, 160), (1, 160), (160, 160), (161, 320), (960, 960), (961, 1024)),
        *((1024, 1024), (1025, 1088), (1088, 1088), (2048, 2048), (2049, 2176)),
        *((65_535, 65_536), (65_537, 67_584), (1 << 20, 1 << 20)),
    ],
)
def test_padding_follows_its_specification(length: int, padded: int) -> None:
    """Buckets of 160 up to 1 KiB, then Padmé; computed by hand from the paper."""
    assert padded_length(length) == padded


@given(st.integers(0, 1 << 24))
def test_padding_is_monotonic_idempotent_and_cheap(length: int) -> None:
    """Otherwise lengths could be told apart, or large messages would swell."""
    padded = padded_length(length)
    assert length <= padded <= padded_length(length + 1)
    assert padded_length(padded) == padded
    if length > suite1.PADDING_BUCKETS_END_BYTES:
        assert padded <= length * 1.12


def test_longest_content_fits_an_envelope_and_one_byte_more_does_not() -> None:
    """The server refuses a larger envelope; the limit must hold at first contact."""
    alice, bob = people()
    for content_bytes, fits in (
        (PAIRWISE_CONTENT_BYTES_MAX, True),
        (PAIRWISE_CONTENT_BYTES_MAX + 1, False),
    ):
        plaintext = seal_plaintext(HEAD, bytes(content_bytes))
        envelope = alice.send(bob, plaintext).envelope
        assert suite1.decode_envelope(envelope).prekey is not None
        assert (len(envelope) <= LIMITS["envelope_bytes_max"].value) is fits


def test_texts_of_similar_length_look_alike() -> None:
    """What the server sees of a text is its bucket."""
    lengths = {len(seal_plaintext(HEAD, bytes(size))) for size in range(108)}
    assert lengths == {160}
