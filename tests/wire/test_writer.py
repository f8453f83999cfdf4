"""Messages to frames: padding and grease keep to the peer's limits."""

import pytest
from tests.wire.helpers import frames_in

from wigwag.wire import (
    DRAFT,
    RESPONSE,
    Ack,
    Grease,
    LocalProtocolError,
    Role,
    decode_message,
    is_grease,
)
from wigwag.wire._header import HEADER, PADDED
from wigwag.wire._rules import rule_book
from wigwag.wire._writer import UNKNOWN_REQUEST, FrameWriter
from wigwag.wire.testing import Sample

RULES = rule_book(Role.CLIENT, DRAFT).known
SEND = RULES[80]
AUTH = RULES[16]
ACK = RULES[98]


def test_grease_is_left_out_where_it_would_not_fit() -> None:
    """A message that fits must not be refused for what nobody needs."""
    writer = FrameWriter(Grease(3))
    plain = FrameWriter(None).frame(ACK, Ack(1), 0, 0, 9)
    for _ in range(50):
        assert writer.frame(ACK, Ack(1), 0, 0, 9) == plain


def test_grease_is_drawn_now_and_then() -> None:
    """Not on every frame: it costs."""
    writer = FrameWriter(Grease(3))
    greased = 0
    for _ in range(200):
        frame = writer.frame(ACK, Ack(1), 0, 0, 4096)
        ((_, _, _, body),) = frames_in(frame)
        assert decode_message(98, DRAFT, body) == Ack(1)
        greased += frame[6] != 0
    assert 5 < greased < 100


def test_what_is_signed_keeps_its_body() -> None:
    """The signature covers the body as sent (R-AUTH-001)."""
    writer = FrameWriter(Grease(3))
    plain = FrameWriter(None).frame(AUTH, Sample.auth(), 0, 1, 4096)
    greased = writer.greased_frame(AUTH, Sample.auth(), 0, 1)
    assert greased[12:] == plain[12:]
    assert greased[7] == 0
    assert greased[6] & 0x3F == 0 != greased[6]


def test_whatever_begins_with_a_signature_is_sent_as_it_was_signed() -> None:
    """A signed message that grease may dress fails at random (R-FRAME-016)."""
    beginning = {
        rule.info.name
        for rule in RULES.values()
        if rule.info.record.__struct_fields__[0].endswith("signature")
    }
    assert beginning == {"AUTH", "DELETE_ACCOUNT", "REGISTER", "RE_REGISTER"}
    assert beginning == {rule.info.name for rule in RULES.values() if rule.is_signed}


def test_greased_frames_are_padded_too() -> None:
    """Else grease would show through the sizes."""
    writer = FrameWriter(Grease(3))
    writer.pads = True
    frame = writer.greased_frame(SEND, Sample.send(1), 0, 1)
    assert frame[6] & PADDED
    assert (len(frame) - HEADER.size) % 256 == 0
    unpadded = writer.greased_frame(ACK, Ack(1), 0, 0)
    assert not unpadded[6] & PADDED


def test_a_message_must_fit() -> None:
    """At n and n + 1."""
    writer = FrameWriter(None)
    assert len(writer.frame(ACK, Ack(1), 0, 0, 9)) == 12 + 9
    with pytest.raises(LocalProtocolError, match="ACK of 9 bytes"):
        writer.frame(ACK, Ack(1), 0, 0, 8)


def test_unknown_frames_are_of_a_grease_type() -> None:
    """The peer must be allowed to skip them."""
    frame = FrameWriter(Grease(3)).unknown_frame(5)
    ((type_, flags, corr, _),) = frames_in(frame)
    assert is_grease(type_)
    assert not flags & RESPONSE
    assert corr == 5
    assert UNKNOWN_REQUEST.replies == {8}
    assert not UNKNOWN_REQUEST.is_stream
    assert UNKNOWN_REQUEST.type == 0
