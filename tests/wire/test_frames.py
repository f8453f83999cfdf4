"""Frames built ahead of their connection."""

from wigwag.wire import DRAFT, MORE, RESPONSE, Error, Outcome, Ping, Pong, encode_frame
from wigwag.wire._header import HEADER
from wigwag.wire.testing import Sample


def flags_and_corr(frame: bytes) -> tuple[int, int]:
    """Returns both from a header."""
    length, _, flags, ext_len, corr = HEADER.unpack_from(frame)
    assert length == len(frame) - HEADER.size
    assert ext_len == 0
    return flags, corr


def test_response_is_set_for_answers_only() -> None:
    """R-FRAME-008."""
    error = Error(code=0x2001, outcome=Outcome.NONE, frame_type=0, retry_after_ms=0)
    assert flags_and_corr(encode_frame(Ping(1), DRAFT, 5)) == (0, 5)
    assert flags_and_corr(encode_frame(Pong(1), DRAFT, 5)) == (RESPONSE, 5)
    assert flags_and_corr(encode_frame(Sample.deliver(1), DRAFT)) == (0, 0)
    assert flags_and_corr(encode_frame(error, DRAFT, 5)) == (RESPONSE, 5)
    assert flags_and_corr(encode_frame(error, DRAFT)) == (0, 0)


def test_more_is_added() -> None:
    """Streams are built ahead too."""
    frame = encode_frame(Sample.sequenced(1), DRAFT, 5, flags=MORE)
    assert flags_and_corr(frame) == (RESPONSE | MORE, 5)
