"""Rows F of the bad-input catalogue: what a frame's form gets wrong.

Each test names its row, the exact code, and whether the connection closes.
"""

import pytest
from tests.wire.helpers import (
    FACTORY,
    fault,
    feed,
    frames_in,
    fresh_server,
    messages_in,
    said,
    server_in,
)

from wigwag.wire import (
    DRAFT,
    Error,
    ErrorCode,
    Goaway,
    Hello,
    LocalProtocolError,
    Outcome,
    Ping,
    Pong,
    Received,
    Reject,
    RemoteProtocolError,
    State,
    extension,
    padding,
)
from wigwag.wire._events import ConnectionClosed
from wigwag.wire._header import HEADER, HEADER_BYTES, PADDED
from wigwag.wire.testing import ConnectionPair, Sample, events_of, one_byte_at_a_time

SEND = 80
ACK = 98
HELLO = FACTORY.message(
    Hello(
        client_nonce=bytes(32),
        revision_min=0,
        revision_max=0,
        draft=DRAFT,
        features=(),
        frame_bytes_max=262144,
        window_entries=256,
        client_name="test",
    ),
    1,
)


def goodbye(code: int, type_: int, last_corr: int = 1) -> list[object]:
    """Returns the last words after the peer's fault."""
    outcome = Outcome.UNKNOWN if code == ErrorCode.ENHANCE_CALM else Outcome.NONE
    retry = 30_000 if code == ErrorCode.ENHANCE_CALM else 0
    return [
        Error(code=code, outcome=outcome, frame_type=type_, retry_after_ms=retry),
        Goaway(code=code, last_corr=last_corr, retry_after_ms=retry),
    ]


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        bytes(12),
        b"\xff" * 64,
        FACTORY.message(Ping(1), 1),
        FACTORY.message(Sample.auth(), 1),
        FACTORY.raw(0x7FFB, b"grease"),
        FACTORY.raw(0x7FFA, b"unknown even"),
        HELLO[:12] + b"\x00" * (len(HELLO) - 12),
        FACTORY.raw(2, HELLO[12:], flags=0x04, corr=1),
        FACTORY.raw(2, HELLO[12:], corr=0),
        FACTORY.raw(2, HELLO[12:] + b"trailing", corr=1),
        FACTORY.raw(2, corr=1, length=4097),
        FACTORY.raw(2, HELLO[12:-1] + b"\x01\x00\x02\x00\x00\x00\x00", corr=1),
    ],
)
def test_f3_s1_anything_but_a_valid_hello_closes_in_silence(noise: bytes) -> None:
    """F3, S1: none, closes, silent. A scanner learns nothing from this port."""
    server = fresh_server()
    fault(server, noise)
    assert server.data_to_send() == b""


def test_f3_text_that_is_not_utf8_in_hello_closes_in_silence() -> None:
    """F3: what concerns one request elsewhere is no valid HELLO here."""
    server = fresh_server()
    body = HELLO[12:].replace(b"test", b"te\xfft")
    assert fault(server, FACTORY.raw(2, body, corr=1)).code == ErrorCode.INVALID_TEXT
    assert server.data_to_send() == b""


@pytest.mark.parametrize("state", [State.AUTH, State.READY, State.DRAINING])
def test_f4_oversize_frame_is_refused_from_its_header(state: State) -> None:
    """F4: FRAME_TOO_LARGE, closes; not a byte of the body is waited for."""
    server = server_in(state)
    limit = server.frame_length_max
    assert limit == (4096 if state is State.AUTH else 262144)
    header = FACTORY.raw(SEND, length=limit + 1, corr=9)
    error = fault(server, header)
    assert (error.code, error.requirement) == (ErrorCode.FRAME_TOO_LARGE, "R-FRAME-002")
    last_corr = 1 if state is State.AUTH else 2
    assert said(server) == goodbye(ErrorCode.FRAME_TOO_LARGE, SEND, last_corr)


@pytest.mark.parametrize("flags", [0, PADDED])
def test_f4_a_frame_of_exactly_the_limit_is_waited_for(flags: int) -> None:
    """F4 at n: the limit itself is allowed."""
    server = server_in(State.READY)
    assert feed(server, FACTORY.raw(SEND, length=262144, flags=flags, corr=9)) == []
    assert server.state is State.READY


def test_f4_a_type_has_its_own_limit() -> None:
    """F4: an ACK of 4 KiB can be no ACK, so nobody waits for it."""
    server = server_in(State.READY)
    error = fault(server, FACTORY.raw(ACK, length=4096))
    assert (error.code, error.requirement) == (ErrorCode.FRAME_TOO_LARGE, "R-FRAME-002")


@pytest.mark.parametrize("type_", [SEND, ACK, 12])
def test_f5_length_zero_where_a_body_is_due_is_malformed(type_: int) -> None:
    """F5: MALFORMED, closes."""
    server = server_in(State.READY)
    error = fault(server, FACTORY.raw(type_, corr=0 if type_ == ACK else 9))
    assert error.code == ErrorCode.MALFORMED
    assert said(server) == goodbye(ErrorCode.MALFORMED, type_, 2)


@pytest.mark.parametrize("length", [0x8000_0000, 0xFFFF_FFFF])
def test_f5_a_length_with_its_top_bit_set_is_malformed(length: int) -> None:
    """F5: MALFORMED, closes: it is a negative number or noise, not a large frame."""
    server = server_in(State.READY)
    error = fault(server, FACTORY.raw(SEND, length=length, corr=9))
    assert error.code == ErrorCode.MALFORMED


def test_f6_a_truncated_frame_and_the_end_leave_the_state_as_before() -> None:
    """F6: no error, closes; the frames before it count (R-FRAME-015)."""
    server = server_in(State.READY)
    frame = FACTORY.message(Sample.send(1), 9)
    server.receive_data(frame + FACTORY.message(Sample.send(2), 10)[:-1], 0.0)
    assert [type(event) for event in events_of(server)] == [Received]
    server.receive_data(b"", 0.0)
    closed = ConnectionClosed(by_peer=True, is_truncated=True)
    assert events_of(server) == [closed]
    assert server.next_event() == closed
    assert server.data_to_send() == b""


def test_f6_an_end_between_frames_is_clean() -> None:
    """F6: the other side of it."""
    server = server_in(State.READY)
    server.receive_data(b"", 0.0)
    assert events_of(server) == [ConnectionClosed(by_peer=True, is_truncated=False)]
    with pytest.raises(LocalProtocolError):
        server.receive_data(b"more", 0.0)


def test_f7_a_truncated_frame_and_silence_end_in_frame_timeout() -> None:
    """F7: FRAME_TIMEOUT, closes."""
    server = server_in(State.READY)
    assert feed(server, FACTORY.raw(SEND, length=16384, corr=9), 100.0) == []
    assert server.next_deadline() == 117.0
    server.handle_timer(116.9)
    assert server.state is State.READY
    server.handle_timer(117.0)
    with pytest.raises(RemoteProtocolError) as caught:
        server.next_event()
    assert caught.value.code == ErrorCode.FRAME_TIMEOUT
    error, goaway = said(server)
    assert isinstance(error, Error)
    assert (error.code, error.outcome) == (ErrorCode.FRAME_TIMEOUT, Outcome.UNKNOWN)
    assert isinstance(goaway, Goaway)


def test_f7_a_frame_timeout_before_hello_is_silent() -> None:
    """F7, F3: before a valid HELLO every row is silent."""
    server = fresh_server()
    feed(server, HELLO[:20], 9.0)
    server.handle_timer(10.0)
    with pytest.raises(RemoteProtocolError) as caught:
        server.next_event()
    assert caught.value.code == ErrorCode.HANDSHAKE_TIMEOUT
    assert server.data_to_send() == b""


@pytest.mark.parametrize("flag", [0x04, 0x10, 0x20, 0x34])
def test_f8_a_reserved_flag_is_malformed(flag: int) -> None:
    """F8: MALFORMED, closes."""
    server = server_in(State.READY)
    error = fault(server, FACTORY.message(Sample.send(1), 9, flags=flag)[:HEADER_BYTES])
    assert (error.code, error.requirement) == (ErrorCode.MALFORMED, "R-FRAME-003")
    assert said(server) == goodbye(ErrorCode.MALFORMED, SEND, 2)


@pytest.mark.parametrize("flag", [0x40, 0x80, 0xC0])
def test_f8_ignorable_flags_are_ignored(flag: int) -> None:
    """F8: b6 and b7 change nothing (R-FRAME-004)."""
    server = server_in(State.READY)
    (event,) = feed(server, FACTORY.message(Sample.send(1), 9, flags=flag))
    assert isinstance(event, Received)
    assert event.message == Sample.send(1)


@pytest.mark.parametrize("corr", [0, 9])
def test_f10_an_unknown_even_type_closes(corr: int) -> None:
    """F10: UNSUPPORTED, closes: it must be understood."""
    server = server_in(State.READY)
    error = fault(server, FACTORY.raw(0x1234, length=2000, corr=corr))
    assert (error.code, error.requirement) == (ErrorCode.UNSUPPORTED, "R-FRAME-006")
    assert said(server) == goodbye(ErrorCode.UNSUPPORTED, 0x1234, 2)


def test_f11_an_unknown_odd_event_is_skipped() -> None:
    """F11: none, stays; up to 4 KiB."""
    server = server_in(State.READY)
    stream = FACTORY.raw(0x1235, bytes(4096)) + FACTORY.message(Sample.send(1), 9)
    assert [type(event) for event in feed(server, stream)] == [Received]
    assert server.data_to_send() == b""


def test_f11_an_unknown_odd_request_is_told() -> None:
    """F11: ERROR(UNSUPPORTED) with its corr, stays (R-FRAME-007)."""
    server = server_in(State.READY)
    assert feed(server, FACTORY.raw(0x1235, b"?", corr=77)) == []
    ((type_, flags, corr, _),) = frames_in(output := server.data_to_send())
    assert (type_, flags, corr) == (8, 1, 77)
    assert messages_in(output) == [
        Error(
            code=ErrorCode.UNSUPPORTED,
            outcome=Outcome.NONE,
            frame_type=0x1235,
            retry_after_ms=0,
        )
    ]
    assert server.requests_in_flight == 0


def test_f11_an_unknown_odd_type_of_more_than_4_kib_closes() -> None:
    """F11 at n + 1: FRAME_TOO_LARGE, from its header."""
    server = server_in(State.READY)
    error = fault(server, FACTORY.raw(0x1235, length=4097))
    assert (error.code, error.requirement) == (ErrorCode.FRAME_TOO_LARGE, "R-FRAME-007")


def test_f11_unknown_frames_are_counted() -> None:
    """F11, F15: the 101st within a moment is a flood."""
    server = server_in(State.READY)
    unknown = FACTORY.raw(0x1235)
    assert feed(server, unknown * 100) == []
    error = fault(server, unknown)
    assert (error.code, error.requirement) == (ErrorCode.ENHANCE_CALM, "R-FRAME-014")
    assert said(server) == goodbye(ErrorCode.ENHANCE_CALM, 0x1235, 2)


@pytest.mark.parametrize(
    ("frame", "requirement"),
    [
        (FACTORY.raw(0x1235, flags=0x01, corr=9), "R-FRAME-009"),
        (FACTORY.raw(0x1235, flags=0x01, corr=0), "R-FRAME-009"),
        (FACTORY.raw(0x1235, flags=0x02, corr=9), "R-FRAME-010"),
        (FACTORY.raw(0x1235, corr=5), "R-FRAME-009"),
    ],
)
def test_f11_an_unknown_type_keeps_to_the_rules_of_corr(
    frame: bytes, requirement: str
) -> None:
    """F11: what a type means may be unknown; how frames hang together isn't."""
    server = server_in(State.READY)
    feed(server, FACTORY.message(Sample.send(1), 5))
    error = fault(server, frame)
    assert (error.code, error.requirement) == (ErrorCode.PROTOCOL_ERROR, requirement)


def test_f11_an_unknown_answer_to_a_request_of_ours_is_skipped() -> None:
    """F11: the request is still awaited after it."""
    pair = ConnectionPair()
    pair.sign_in()
    corr = pair.client.send(Sample.send(1))
    for flags in (0x01, 0x03):  # SEND is a stream request: MORE is allowed
        assert feed(pair.client, FACTORY.raw(0x1235, flags=flags, corr=corr)) == []
    assert pair.client.requests_awaited == 1
    assert len(said(pair.client)) == 1  # the SEND, and no answer to an answer
    other = pair.client.send(Ping(1))
    answer = FACTORY.raw(0x1235, flags=0x03, corr=other)
    assert fault(pair.client, answer).requirement == "R-FRAME-010"


def test_f12_no_common_revision_is_rejected_with_the_range() -> None:
    """F12: REJECT(NO_COMMON_REVISION), closes (R-SHAKE-006)."""
    server = fresh_server()
    hello = FACTORY.message(
        Hello(
            client_nonce=bytes(32),
            revision_min=900,
            revision_max=901,
            draft=0x8FFF,
            features=(),
            frame_bytes_max=262144,
            window_entries=256,
            client_name="",
        ),
        6,
    )
    error = fault(server, hello)
    assert error.code == ErrorCode.NO_COMMON_REVISION
    ((type_, flags, corr, _),) = frames_in(output := server.data_to_send())
    assert (type_, flags, corr) == (6, 1, 6)
    assert messages_in(output) == [
        Reject(
            code=ErrorCode.NO_COMMON_REVISION,
            revision_min=0,
            revision_max=0,
            draft=DRAFT,
            retry_after_ms=0,
        )
    ]


def test_f13_single_bytes_and_many_frames_at_once_are_the_same() -> None:
    """F13: none, stays; it must work."""
    stream = b"".join(FACTORY.message(Sample.send(n), 10 + n) for n in range(1, 40))
    at_once = feed(server_in(State.READY), stream)
    server = server_in(State.READY)
    singly = [
        event for byte in one_byte_at_a_time(stream) for event in feed(server, byte)
    ]
    assert singly == at_once
    assert len(singly) == 39


def test_f15_a_flood_of_empty_frames_is_calmed() -> None:
    """F15: ENHANCE_CALM, closes: 10^4 no-op frames a second."""
    server = server_in(State.READY)
    error = fault(server, FACTORY.raw(0x1235) * 10_000)
    assert error.code == ErrorCode.ENHANCE_CALM


def test_f15_acks_are_counted_apart() -> None:
    """F15: 200 ACK a second pass, the 201st is ENHANCE_CALM."""
    server = server_in(State.READY)
    ack = FACTORY.message(Sample.ack(1))
    assert len(feed(server, ack * 200, 5.0)) == 200
    error = fault(server, ack, 5.9)
    assert (error.code, error.requirement) == (ErrorCode.ENHANCE_CALM, "R-FRAME-014")


def test_f15_a_padded_ack_is_counted_too() -> None:
    """F15: no dress makes a frame free."""
    server = server_in(State.READY)
    ack = FACTORY.dressed(FACTORY.message(Sample.ack(1)), is_padded=True)
    assert len(feed(server, ack * 200, 5.0)) == 200
    assert fault(server, ack, 5.9).code == ErrorCode.ENHANCE_CALM


# Header extension and padding


def test_extension_and_padding_are_taken_off() -> None:
    """R-FRAME-011, R-FRAME-012: the body is what remains."""
    server = server_in(State.READY)
    frame = FACTORY.dressed(
        FACTORY.message(Sample.send(1), 9),
        extension=extension(((0x1235, b"trace"),)),
        is_padded=True,
    )
    (event,) = feed(server, frame)
    assert isinstance(event, Received)
    assert event.message == Sample.send(1)
    assert event.body == FACTORY.message(Sample.send(1), 9)[HEADER_BYTES:]


@pytest.mark.parametrize(
    ("content", "ext_len"), [(b"\x00\x01\x05", 3), (b"\x00\x01", 2), (b"\x00", 200)]
)
def test_an_extension_that_does_not_fit_is_malformed(
    content: bytes, ext_len: int
) -> None:
    """R-FRAME-011: MALFORMED, closes, of unknown types too."""
    for type_, corr in ((SEND, 9), (0x1235, 0)):
        server = server_in(State.READY)
        frame = FACTORY.raw(type_, content, ext_len=ext_len, corr=corr)
        error = fault(server, frame)
        assert (error.code, error.requirement) == (ErrorCode.MALFORMED, "R-FRAME-011")


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x00\x00", b"\x00\x00\x00\x05", b"\x01\x00\x00\x00\x01"]
)
def test_bad_padding_is_malformed(content: bytes) -> None:
    """R-FRAME-012: MALFORMED, closes, of unknown types too."""
    for type_, corr in ((SEND, 9), (0x1235, 0)):
        server = server_in(State.READY)
        error = fault(server, FACTORY.raw(type_, content, flags=PADDED, corr=corr))
        assert (error.code, error.requirement) == (ErrorCode.MALFORMED, "R-FRAME-012")


@pytest.mark.parametrize("length", [0, 3])
def test_padding_that_has_no_room_shows_in_the_header(length: int) -> None:
    """R-FRAME-012: the outcome must not wait for bytes that can't help."""
    server = server_in(State.READY)
    frame = FACTORY.raw(SEND, length=length + 3, ext_len=3, flags=PADDED, corr=9)
    assert fault(server, frame).requirement == "R-FRAME-012"


@pytest.mark.parametrize("is_padded", [False, True])
def test_a_signed_message_in_a_dress_is_malformed(is_padded: bool) -> None:
    """R-FRAME-016: what is signed is what was sent."""
    server = server_in(State.AUTH)
    extra = b"" if is_padded else extension(((0x1235, b"trace"),))
    frame = FACTORY.dressed(
        FACTORY.message(Sample.auth(), 9), extension=extra, is_padded=is_padded
    )
    error = fault(server, frame[:HEADER_BYTES])
    assert (error.code, error.requirement) == (ErrorCode.MALFORMED, "R-FRAME-016")


def test_the_padding_of_any_message_may_come_off() -> None:
    """A peer may pad what we wouldn't."""
    server = server_in(State.READY)
    body = FACTORY.message(Ping(5), 9)[HEADER_BYTES:]
    content = body + padding(len(body))
    assert feed(server, HEADER.pack(len(content), 12, PADDED, 0, 9) + content) == []
    assert said(server) == [Pong(5)]
