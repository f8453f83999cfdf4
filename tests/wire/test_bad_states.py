"""Rows S of the bad-input catalogue: the right frame at the wrong time.

S4, S5, S7, S8 and S9 are the server's, which knows inboxes and sessions.
"""

import pytest
from tests.wire.helpers import (
    FACTORY,
    client_in,
    fault,
    feed,
    frames_in,
    pair_in,
    said,
    server_in,
)
from tests.wire.test_bad_frames import HELLO, goodbye

from wigwag.wire import (
    DRAFT,
    MORE,
    RESPONSE,
    Connection,
    ErrorCode,
    Message,
    Ping,
    Pong,
    PrekeysCount,
    Received,
    RemoteProtocolError,
    State,
    Welcome,
)
from wigwag.wire._events import ConnectionClosed
from wigwag.wire.testing import SERVER_NONCE, SESSION_ID, Sample


@pytest.mark.parametrize("state", [State.AUTH, State.READY, State.DRAINING])
def test_s2_a_second_hello_closes(state: State) -> None:
    """S2: PROTOCOL_ERROR, closes (R-STATE-002)."""
    server = server_in(state)
    error = fault(server, HELLO)
    assert (error.code, error.requirement) == (ErrorCode.PROTOCOL_ERROR, "R-STATE-001")
    last_corr = 1 if state is State.AUTH else 2
    assert said(server) == goodbye(ErrorCode.PROTOCOL_ERROR, 2, last_corr)


def test_s2_a_hello_behind_a_hello_closes() -> None:
    """S2: also when both came in one read; the first one is answered."""
    pair = pair_in(State.HELLO)
    server = pair.server
    (event,) = feed(server, HELLO + HELLO)
    assert isinstance(event, Received)
    server.accept(server_nonce=SERVER_NONCE, session_id=SESSION_ID, server_time_ms=1)
    with pytest.raises(RemoteProtocolError) as caught:
        server.next_event()
    assert caught.value.code == ErrorCode.PROTOCOL_ERROR
    assert [type_ for type_, *_ in frames_in(server.data_to_send())] == [4, 8, 10]


def test_s2_auth_after_auth_ok_closes() -> None:
    """S2: PROTOCOL_ERROR, closes."""
    server = server_in(State.READY)
    error = fault(server, FACTORY.message(Sample.auth(), 9))
    assert error.code == ErrorCode.PROTOCOL_ERROR
    assert said(server) == goodbye(ErrorCode.PROTOCOL_ERROR, 16, 2)


@pytest.mark.parametrize("type_", [80, 98, 32, 48, 114])
def test_s2_requests_before_auth_ok_close(type_: int) -> None:
    """I14: no state change before a verified device; from the header alone."""
    server = server_in(State.AUTH)
    error = fault(server, FACTORY.raw(type_, length=20, corr=0 if type_ == 98 else 9))
    assert error.code == ErrorCode.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("message", "corr"),
    [(Sample.deliver(1), 0), (Sample.sequenced(1), 9), (Sample.auth_ok(), 9)],
)
def test_s3_a_server_only_frame_from_a_client_closes(
    message: Message, corr: int
) -> None:
    """S3: PROTOCOL_ERROR, closes."""
    server = server_in(State.READY)
    error = fault(server, FACTORY.message(message, corr))
    assert (error.code, error.requirement) == (ErrorCode.PROTOCOL_ERROR, "R-STATE-001")


def test_s3_a_client_only_frame_from_a_server_closes() -> None:
    """S3, the other way round: the client is as strict."""
    client = client_in(State.READY)
    error = fault(client, FACTORY.message(Sample.send(1), 9))
    assert error.code == ErrorCode.PROTOCOL_ERROR
    assert said(client) == goodbye(ErrorCode.PROTOCOL_ERROR, 80, 0)


def test_s6_an_answer_to_an_unknown_request_closes() -> None:
    """S6: PROTOCOL_ERROR, closes (R-FRAME-009)."""
    client = client_in(State.READY)
    error = fault(client, FACTORY.message(Sample.sequenced(1), 77))
    assert (error.code, error.requirement) == (ErrorCode.PROTOCOL_ERROR, "R-FRAME-009")


def test_s6_an_error_for_an_unknown_request_closes() -> None:
    """S6: whatever the answer is."""
    server = server_in(State.READY)
    body = b"\x20\x01" + b"\x00" + b"\x00\x00" + bytes(4) + b"\x00"
    error = fault(server, FACTORY.raw(8, body, flags=RESPONSE, corr=77))
    assert (error.code, error.requirement) == (ErrorCode.PROTOCOL_ERROR, "R-FRAME-009")


def test_s6_an_answer_of_the_wrong_type_closes() -> None:
    """S6: SEND isn't answered by PREKEYS_STORED."""
    client = client_in(State.READY)
    corr = client.send(PrekeysCount())
    error = fault(client, FACTORY.message(Sample.sequenced(1), corr))
    assert (error.code, error.requirement) == (ErrorCode.PROTOCOL_ERROR, "R-FRAME-009")


def test_s6_a_request_reused_in_flight_closes() -> None:
    """S6: PROTOCOL_ERROR, closes; once answered the number is free."""
    server = server_in(State.READY)
    send = FACTORY.message(Sample.send(1), 9)
    feed(server, send)
    server.send(Sample.sequenced(1), corr=9)
    server.data_to_send()
    assert len(feed(server, send)) == 1
    error = fault(server, send)
    assert (error.code, error.requirement) == (ErrorCode.PROTOCOL_ERROR, "R-FRAME-009")
    assert said(server) == goodbye(ErrorCode.PROTOCOL_ERROR, 80, 9)


def test_s6_a_ping_that_waits_keeps_its_number() -> None:
    """S6: the number of a PING behind a SEND is in flight as well."""
    server = server_in(State.READY)
    feed(server, FACTORY.message(Sample.send(1), 9) + FACTORY.message(Ping(1), 10))
    error = fault(server, FACTORY.message(Sample.send(2), 10))
    assert error.requirement == "R-FRAME-009"


@pytest.mark.parametrize(
    ("frame", "requirement"),
    [
        (FACTORY.message(Sample.send(1), 0), "R-FRAME-009"),
        (FACTORY.message(Sample.send(1), 9, flags=RESPONSE), "R-FRAME-009"),
        (FACTORY.message(Sample.ack(1), 9), "R-FRAME-009"),
        (FACTORY.message(Sample.ack(1), flags=RESPONSE), "R-FRAME-009"),
        (FACTORY.raw(14, bytes(9), corr=9), "R-FRAME-009"),
        (FACTORY.raw(14, bytes(9), flags=RESPONSE), "R-FRAME-009"),
        (FACTORY.raw(8, bytes(9), corr=9), "R-FRAME-009"),
        (FACTORY.raw(8, bytes(9), flags=RESPONSE), "R-FRAME-009"),
        (FACTORY.message(Sample.send(1), 9, flags=MORE), "R-FRAME-010"),
        (FACTORY.message(Sample.ack(1), flags=MORE), "R-FRAME-010"),
        (FACTORY.raw(14, bytes(9), flags=RESPONSE | MORE, corr=9), "R-FRAME-010"),
    ],
)
def test_response_corr_and_more_fit_the_type_or_close(
    frame: bytes, requirement: str
) -> None:
    """R-FRAME-008 to 010: PROTOCOL_ERROR, closes, from the header alone."""
    server = server_in(State.READY)
    error = fault(server, frame[:12])
    assert (error.code, error.requirement) == (ErrorCode.PROTOCOL_ERROR, requirement)


def test_more_answers_come_only_to_stream_requests() -> None:
    """R-FRAME-010: SEND is one; PREKEYS_COUNT isn't."""
    client = client_in(State.READY)
    corr = client.send(Sample.send(1))
    for more in (MORE, MORE, 0):
        frame = FACTORY.message(Sample.sequenced(1), corr, flags=more)
        (event,) = feed(client, frame)
        assert isinstance(event, Received)
        assert event.more is bool(more)
    assert client.requests_awaited == 0
    corr = client.send(PrekeysCount())
    stored = FACTORY.raw(50, bytes(21), flags=RESPONSE | MORE, corr=corr)
    assert fault(client, stored).requirement == "R-FRAME-010"


# S11: PING and PONG


def test_s11_a_ping_flood_is_calmed() -> None:
    """S11: ENHANCE_CALM, closes."""
    server = server_in(State.READY)
    pings = b"".join(FACTORY.message(Ping(n), n) for n in range(1, 102))
    error = fault(server, pings)
    assert (error.code, error.requirement) == (ErrorCode.ENHANCE_CALM, "R-FRAME-014")
    assert said(server)[:100] == [Pong(n) for n in range(1, 101)]


def test_s11_pings_that_wait_do_not_pile_up() -> None:
    """S11: while nothing is answered a slow drip of PINGs ends as well."""
    server = server_in(State.READY)
    feed(server, FACTORY.message(Sample.send(1), 1))
    for number in range(2, 102):
        assert feed(server, FACTORY.message(Ping(1), number), number) == []
    assert server.requests_in_flight == 1
    error = fault(server, FACTORY.message(Ping(1), 102), 102.0)
    assert error.code == ErrorCode.ENHANCE_CALM


def test_s11_a_pong_without_a_ping_is_ignored_and_counted() -> None:
    """S11: ignored, stays (R-PING-002); a flood of them isn't."""
    server = server_in(State.READY)
    pong = FACTORY.message(Pong(1), 9)
    assert feed(server, pong * 100) == []
    assert fault(server, pong).code == ErrorCode.ENHANCE_CALM


@pytest.mark.parametrize("is_right", [True, False])
def test_s11_a_pong_with_another_token_answers_nothing(is_right: bool) -> None:
    """S11: the token is what makes it the answer."""
    server = server_in(State.READY)
    server.handle_timer(60.0)
    ((type_, _, corr, body),) = frames_in(server.data_to_send())
    assert type_ == 12
    wrong_body = bytes([body[0] ^ 1]) + body[1:]
    wrong = FACTORY.raw(14, wrong_body, flags=RESPONSE, corr=corr)
    right = FACTORY.raw(14, body, flags=RESPONSE, corr=corr)
    if is_right:  # not counted, and right only once
        assert feed(server, right + right + wrong * 99, 61.0) == []
    else:
        assert feed(server, wrong * 100, 61.0) == []
    assert fault(server, wrong, 61.0).code == ErrorCode.ENHANCE_CALM


def test_a_pong_is_no_answer_to_another_request() -> None:
    """R-PING-002: it answers no PING, so it is ignored; the SEND is still awaited."""
    client = client_in(State.READY)
    corr = client.send(Sample.send(1))
    assert feed(client, FACTORY.message(Pong(1), corr)) == []
    assert client.requests_awaited == 1


# S12: after GOAWAY


def test_s12_requests_after_goaway_are_ignored_up_to_the_drain() -> None:
    """S12: ignored, then closes (R-STATE-006)."""
    server = server_in(State.DRAINING)
    sends = b"".join(FACTORY.message(Sample.send(n), 100 + n) for n in range(1, 300))
    assert feed(server, sends) == []
    assert server.requests_in_flight == 0
    assert server.data_to_send() == b""
    assert server.next_deadline() == 25.0
    server.handle_timer(25.0)
    assert server.state is State.CLOSED
    assert server.next_event() == ConnectionClosed(by_peer=False, is_truncated=False)


def test_s12_an_ignored_frame_must_still_be_a_frame() -> None:
    """S12: ignored is what would have been legal, not noise."""
    server = server_in(State.DRAINING)
    frame = FACTORY.raw(80, b"\x00\x01\x05", ext_len=3, corr=9)
    assert fault(server, frame).code == ErrorCode.MALFORMED


def test_s12_acknowledgements_and_pings_pass_after_goaway() -> None:
    """What was delivered must be acknowledged, or it comes twice."""
    server = server_in(State.DRAINING)
    (event,) = feed(
        server, FACTORY.message(Ping(3), 9) + FACTORY.message(Sample.ack(1))
    )
    assert isinstance(event, Received)
    assert said(server) == [Pong(3)]


def test_s12_the_client_ignores_entries_that_crossed_its_goaway() -> None:
    """S12 for the other side: they come again on the next connection."""
    pair = pair_in(State.READY)
    pair.client.drain(ErrorCode.GOING_AWAY, now=0.0)
    pair.server.send(Sample.deliver(1))
    assert feed(pair.client, pair.server.data_to_send()) == []
    assert pair.client.state is State.DRAINING


def test_nothing_is_heard_after_the_end() -> None:
    """ERROR absorbs: the same accusation again, whatever comes."""
    server = server_in(State.READY)
    first = fault(server, FACTORY.raw(0x1234))
    server.data_to_send()
    for _ in range(8):  # far more than the buffer would hold
        server.receive_data(bytes(65536), 0.0)
    with pytest.raises(RemoteProtocolError) as again:
        server.next_event()
    assert str(again.value) == str(first)
    assert again.value is not first
    assert server.data_to_send() == b""
    server.handle_timer(1e9)
    assert server.next_deadline() is None


# The client's handshake


def waiting_client() -> tuple[Connection, int]:
    """Returns a client that has said HELLO, and the number of it."""
    pair = pair_in(State.HELLO)
    pair.client.send_hello(bytes(32))
    ((_, _, corr, _),) = frames_in(pair.client.data_to_send())
    return pair.client, corr


def welcome(revision: int) -> Welcome:
    """Returns a WELCOME at a revision."""
    pair = pair_in(State.HELLO)
    feed(pair.server, HELLO)
    pair.server.accept(
        server_nonce=SERVER_NONCE, session_id=SESSION_ID, server_time_ms=1
    )
    (message,) = said(pair.server)
    assert isinstance(message, Welcome)
    return Welcome(
        server_nonce=message.server_nonce,
        revision=revision,
        features=message.features,
        limits=message.limits,
        server_time=message.server_time,
        finalized=message.finalized,
        session_id=message.session_id,
    )


@pytest.mark.parametrize("revision", [1, DRAFT + 1])
def test_s14_a_revision_that_was_not_offered_is_refused(revision: int) -> None:
    """S14: PROTOCOL_ERROR, closes (R-SHAKE-005); nothing is said in HELLO."""
    client, corr = waiting_client()
    error = fault(client, FACTORY.message(welcome(revision), corr))
    assert (error.code, error.requirement) == (ErrorCode.PROTOCOL_ERROR, "R-SHAKE-005")
    assert client.data_to_send() == b""


def test_a_client_takes_nothing_but_welcome_or_reject_first() -> None:
    """S1 for the client."""
    client, _ = waiting_client()
    assert fault(client, FACTORY.message(Ping(1), 1)).code == ErrorCode.PROTOCOL_ERROR
    client, _ = waiting_client()
    assert feed(client, FACTORY.raw(0x1235, corr=3)) == []  # grease before WELCOME
    assert client.data_to_send() == b""


def test_a_welcome_that_nobody_asked_for_closes() -> None:
    """S6 in the handshake."""
    client, corr = waiting_client()
    error = fault(client, FACTORY.message(welcome(DRAFT), corr + 1))
    assert error.requirement == "R-FRAME-009"
