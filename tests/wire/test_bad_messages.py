"""Rows M of the bad-input catalogue: what a body gets wrong, as the connection sees it.

That every decoder finds every fault is the codec's own test; here it is what follows.
"""

import pytest
from tests.wire.helpers import FACTORY, fault, feed, frames_in, said, server_in

from wigwag.wire import (
    ConnectionConfig,
    Error,
    ErrorCode,
    Goaway,
    Outcome,
    Received,
    RefusalSent,
    State,
    UsernameResolve,
)
from wigwag.wire._header import HEADER_BYTES
from wigwag.wire.testing import Sample

SEND = 80
RESOLVE = 36

BODY = FACTORY.message(Sample.send(1), 9)[HEADER_BYTES:]
USERS_AT = 16 + 16 + 1 + 16 + 1
"""Where SEND's count of users lies."""


def expect_close(body: bytes, code: int, offset: int | None = None) -> None:
    """Expects that a SEND with this body ends the connection."""
    server = server_in(State.READY)
    error = fault(server, FACTORY.raw(SEND, body, corr=9))
    assert error.code == code
    assert error.message_type == SEND
    if offset is not None:
        assert error.offset == offset
    answer, goaway = said(server)
    assert answer == Error(
        code=code, outcome=Outcome.NONE, frame_type=SEND, retry_after_ms=0
    )
    assert goaway == Goaway(code=code, last_corr=2, retry_after_ms=0)


def expect_refusal(type_: int, body: bytes, code: int) -> RefusalSent:
    """Expects that a request is answered with ERROR and the connection stays."""
    server = server_in(State.READY)
    (event,) = feed(server, FACTORY.raw(type_, body, corr=9))
    assert isinstance(event, RefusalSent)
    assert (event.type, event.corr, event.code) == (type_, 9, code)
    ((answer, flags, corr, answer_body),) = frames_in(server.data_to_send())
    assert (answer, flags, corr) == (8, 1, 9)
    assert answer_body[:2] == code.to_bytes(2, "big")
    assert server.state is State.READY
    assert server.requests_in_flight == 0
    # The number is free again, and the next request is read as ever.
    (again,) = feed(server, FACTORY.message(Sample.send(1), 9))
    assert isinstance(again, Received)
    return event


def test_m1_trailing_bytes_are_malformed() -> None:
    """M1: MALFORMED, closes."""
    expect_close(BODY + b"\x00", ErrorCode.MALFORMED, len(BODY))


def test_m2_an_inner_length_past_the_body_is_malformed() -> None:
    """M2: MALFORMED, closes."""
    at = BODY.index(b"ciphertext") - 2
    expect_close(BODY[:at] + b"\x3f\xff" + BODY[at + 2 :], ErrorCode.MALFORMED)


def test_m3_a_count_above_its_limit_is_refused_and_the_connection_stays() -> None:
    """M3: LIMIT, stays after AUTH."""
    body = BODY[:USERS_AT] + (1025).to_bytes(2, "big") + BODY[USERS_AT + 2 :]
    expect_refusal(SEND, body, ErrorCode.LIMIT)


def test_m3_before_auth_a_count_above_its_limit_closes() -> None:
    """M3: LIMIT, closes before AUTH_OK: a stranger gets no second try."""
    server = server_in(State.AUTH)
    register = bytes(64 + 64) + b"\x01" * (16 + 32) + b"\x01" + b"\x00\x00\x00\x07"
    register += b"\x00" * 7 + b"\x01" + bytes(64) + (513).to_bytes(2, "big")
    error = fault(server, FACTORY.raw(20, register, corr=9))
    assert error.code == ErrorCode.LIMIT
    assert [type(message) for message in said(server)] == [Error, Goaway]


def test_m4_a_giant_count_over_nothing_is_malformed() -> None:
    """M4: MALFORMED, closes, before anything is built from it."""
    body = BODY[:USERS_AT] + (1024).to_bytes(2, "big")
    expect_close(body, ErrorCode.MALFORMED)


def test_m6_an_unknown_value_of_a_closed_enum_closes_in_an_answer() -> None:
    """M6: what concerns one request stays; an ERROR of the peer's is none."""
    server = server_in(State.READY)
    body = b"\x20\x01" + b"\x07" + b"\x00\x00" + bytes(4) + b"\x00"
    assert fault(server, FACTORY.raw(8, body)).code == ErrorCode.UNSUPPORTED


@pytest.mark.parametrize("text", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"a\x00b"])
def test_m8_bad_text_is_refused_and_the_connection_stays(text: bytes) -> None:
    """M8: INVALID_TEXT, stays: not UTF-8, overlong, surrogate, NUL."""
    name = b"abc" + text
    body = bytes([len(name)]) + name + b"\x00"
    expect_refusal(RESOLVE, body, ErrorCode.INVALID_TEXT)


def test_m8_good_text_passes() -> None:
    """The other side of it."""
    server = server_in(State.READY)
    (event,) = feed(server, FACTORY.message(UsernameResolve("alice"), 9))
    assert isinstance(event, Received)
    assert event.message == UsernameResolve("alice")


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        (b"\x02\x00\x05\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00", ErrorCode.MALFORMED),
        (b"\x02\x00\x05\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00", ErrorCode.MALFORMED),
        (b"\x01\x00\x06\x00\x00\x00\x00", ErrorCode.UNKNOWN_CRITICAL),
        (b"\x41" + bytes(600), ErrorCode.MALFORMED),
    ],
)
def test_m10_bad_tags_close(tags: bytes, code: int) -> None:
    """M10: unsorted, duplicate, too many: MALFORMED; unknown even: UNKNOWN_CRITICAL."""
    expect_close(BODY[:-1] + tags, code)


def test_m10_an_unknown_odd_tag_is_skipped() -> None:
    """R-TAG-002."""
    server = server_in(State.READY)
    body = BODY[:-1] + b"\x01\x00\x05\x00\x00\x00\x03abc"
    (event,) = feed(server, FACTORY.raw(SEND, body, corr=9))
    assert isinstance(event, Received)
    assert event.message == Sample.send(1)
    assert event.body == body


def test_m12_a_zero_id_is_malformed() -> None:
    """M12: MALFORMED, closes."""
    expect_close(bytes(16) + BODY[16:], ErrorCode.MALFORMED, 0)


def test_m13_a_ciphertext_is_not_looked_into() -> None:
    """M13: relayed as it is; the client judges it."""
    server = server_in(State.READY)
    (event,) = feed(server, FACTORY.message(Sample.send(1, b"\xff" * 40), 9))
    assert isinstance(event, Received)
    assert event.message == Sample.send(1, b"\xff" * 40)


def test_a_refused_request_counts_as_handled() -> None:
    """R-STATE-005: else the client would offer it again on the next connection."""
    server = server_in(State.READY)
    feed(server, FACTORY.raw(RESOLVE, b"\x03a\x00b\x00", corr=9))
    server.drain(ErrorCode.GOING_AWAY, now=0.0)
    goaway = said(server)[-1]
    assert isinstance(goaway, Goaway)
    assert goaway.last_corr == 9


def test_a_bad_oneway_closes() -> None:
    """What nobody answers can't be refused alone."""
    server = server_in(State.READY)
    assert fault(server, FACTORY.raw(98, bytes(7))).code == ErrorCode.MALFORMED


def test_a_malformed_body_is_explained_if_somebody_can() -> None:
    """Two-speed errors: details only for whoever asks, only on failure."""
    asked: list[tuple[int, int, bytes, float]] = []

    def explain(type_: int, revision: int, body: bytes, now: float) -> str:
        asked.append((type_, revision, body, now))
        return "SEND.chat: zeros"

    server = server_in(State.READY, ConnectionConfig(explain=explain))
    feed(server, FACTORY.message(Sample.send(1), 8))
    assert asked == []
    error = fault(server, FACTORY.raw(SEND, bytes(16) + BODY[16:], corr=9), 3.0)
    assert error.explanation == "SEND.chat: zeros"
    assert asked == [(SEND, server.revision, bytes(16) + BODY[16:], 3.0)]


def test_a_refused_request_is_not_explained() -> None:
    """An honest client's mistake costs no slow path."""

    def explain(type_: int, revision: int, body: bytes, now: float) -> str:
        raise AssertionError("nobody asked")

    server = server_in(State.READY, ConnectionConfig(explain=explain))
    (event,) = feed(server, FACTORY.raw(RESOLVE, b"\x03a\x00b\x00", corr=9))
    assert isinstance(event, RefusalSent)
