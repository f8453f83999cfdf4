"""A connection from HELLO to the end, from both sides."""

import pytest
from tests.wire.helpers import (
    FACTORY,
    client_in,
    feed,
    fresh_server,
    pair_in,
    said,
    server_in,
)
from tests.wire.test_bad_frames import HELLO

from wigwag.wire import (
    DRAFT,
    NEED_DATA,
    Connection,
    ConnectionClosed,
    ConnectionConfig,
    Error,
    ErrorCode,
    Event,
    Goaway,
    LocalProtocolError,
    Outcome,
    PeerError,
    PeerGoingAway,
    Ping,
    Pong,
    PrekeysCount,
    Received,
    Reject,
    Role,
    State,
    Welcome,
    encode_frame,
)
from wigwag.wire.testing import (
    CLIENT_NONCE,
    SERVER_NONCE,
    SESSION_ID,
    ConnectionPair,
    Sample,
    events_of,
    received,
)


def accept(server: Connection) -> None:
    """Answers a HELLO."""
    server.accept(server_nonce=SERVER_NONCE, session_id=SESSION_ID, server_time_ms=1)


def states(pair: ConnectionPair) -> set[State]:
    """Returns the states of both sides, one if they agree."""
    return {pair.client.state, pair.server.state}


# The whole way


def test_a_session_from_hello_to_the_end() -> None:
    """Both sides agree at every step, and end without an accusation."""
    pair = ConnectionPair()
    pair.shake_hands()
    assert states(pair) == {State.AUTH}
    assert pair.client.revision == pair.server.revision == DRAFT
    assert pair.client.session_id == pair.server.session_id == SESSION_ID
    assert pair.client.transcript_hash == pair.server.transcript_hash
    assert len(pair.client.transcript_hash) == 32

    corr = pair.client.send(Sample.auth())
    (auth,), _ = pair.transfer()
    assert isinstance(auth, Received)
    assert auth.message == Sample.auth()
    assert auth.body == FACTORY.message(Sample.auth())[12:]
    pair.server.send(Sample.auth_ok(), corr=auth.corr)
    _, (auth_ok,) = pair.transfer()
    assert isinstance(auth_ok, Received)
    assert (auth_ok.message, auth_ok.corr) == (Sample.auth_ok(), corr)
    assert states(pair) == {State.READY}

    corrs = [pair.client.send(Sample.send(n)) for n in range(1, 4)]
    sends = received(pair.transfer()[0])
    assert [event.message for event in sends] == [Sample.send(n) for n in range(1, 4)]
    assert pair.server.requests_in_flight == pair.client.requests_awaited == 3
    for number in (3, 1, 2):
        pair.server.send_answer_frame(
            encode_frame(Sample.sequenced(number), DRAFT, sends[number - 1].corr),
            sends[number - 1].corr,
        )
    pair.server.send_frames(
        b"".join(encode_frame(Sample.deliver(n), DRAFT) for n in (1, 2)), 2
    )
    answers = received(pair.transfer()[1])
    assert [event.corr for event in answers] == [corrs[2], corrs[0], corrs[1], 0, 0]
    pair.client.send(Sample.ack(2))
    (ack,), _ = pair.transfer()
    assert isinstance(ack, Received)
    assert ack.message == Sample.ack(2)
    assert pair.server.requests_in_flight == pair.client.requests_awaited == 0

    pair.server.drain(ErrorCode.GOING_AWAY, now=1.0, retry_after_ms=500, home="b:1")
    _, (going,) = pair.transfer()
    assert going == PeerGoingAway(ErrorCode.GOING_AWAY, sends[-1].corr, 500, "b:1")
    assert states(pair) == {State.DRAINING}
    assert pair.client.is_drained
    pair.client.close_with(ErrorCode.GOING_AWAY)
    pair.transfer()
    pair.server.receive_data(b"", 2.0)
    closed = ConnectionClosed(by_peer=True, is_truncated=False)
    assert events_of(pair.server) == [closed]
    assert events_of(pair.client) == [
        ConnectionClosed(by_peer=False, is_truncated=False)
    ]
    assert pair.server.frames_sent == 2 + 3 + 2 + 1


def test_a_request_is_answered_with_an_error_and_the_connection_stays() -> None:
    """R-ERR-002: what concerns one request is told to that one."""
    pair = pair_in(State.READY)
    corr = pair.client.send(PrekeysCount())
    (event,), _ = pair.transfer()
    assert isinstance(event, Received)
    pair.server.refuse(event.corr, ErrorCode.RATE_LIMITED, retry_after_ms=100)
    _, (answer,) = pair.transfer()
    assert isinstance(answer, Received)
    assert (answer.corr, answer.message) == (
        corr,
        Error(
            code=ErrorCode.RATE_LIMITED,
            outcome=Outcome.NONE,
            frame_type=52,
            retry_after_ms=100,
        ),
    )
    assert states(pair) == {State.READY}
    assert pair.client.requests_awaited == 0


def test_a_failed_auth_may_be_tried_again() -> None:
    """A1: the state stays AUTH; the server counts."""
    pair = pair_in(State.AUTH)
    pair.client.send(Sample.auth())
    (event,), _ = pair.transfer()
    assert isinstance(event, Received)
    pair.server.refuse(event.corr, ErrorCode.AUTH_FAILED)
    _, (answer,) = pair.transfer()
    assert isinstance(answer, Received)
    assert isinstance(answer.message, Error)
    assert states(pair) == {State.AUTH}


# HELLO, WELCOME, REJECT


def test_a_server_reads_nothing_until_hello_is_answered() -> None:
    """What follows HELLO is judged by the state that WELCOME makes."""
    server = fresh_server()
    (event,) = feed(server, HELLO + FACTORY.message(Ping(4), 2))
    assert isinstance(event, Received)
    assert server.next_event() is NEED_DATA
    assert server.data_to_send() == b""
    accept(server)
    assert server.next_event() is NEED_DATA
    first, second = said(server)
    assert isinstance(first, Welcome)
    assert second == Pong(4)


def test_a_client_that_leaves_while_its_hello_waits_is_gone() -> None:
    """The end is seen in that state too."""
    server = fresh_server()
    feed(server, HELLO)
    server.receive_data(b"", 0.0)
    assert events_of(server) == [ConnectionClosed(by_peer=True, is_truncated=False)]


def test_limits_are_the_smaller_of_both() -> None:
    """Neither side gets a frame or a window that it can't take."""
    pair = ConnectionPair(
        ConnectionConfig(frame_bytes_max=131072, window_entries=300),
        ConnectionConfig(
            frame_bytes_max=262144,
            window_entries=100,
            window_bytes=70_000,
            in_flight_max=32,
            auth_seconds=0.5,
            idle_seconds=30.5,
        ),
    )
    pair.sign_in()
    assert pair.client.frame_length_max == pair.server.frame_length_max == 131072
    config = pair.client.config
    assert (config.window_entries, config.window_bytes) == (100, 70_000)
    assert config.in_flight_max == 32
    assert (config.auth_seconds, config.idle_seconds) == (1, 31)  # whole seconds
    assert config.client_name == "wigwag"


def test_a_client_keeps_to_its_own_limits() -> None:
    """A server that names larger ones than the client does gets nothing by it."""
    config = ConnectionConfig(frame_bytes_max=65536, window_entries=50)
    client = client_in(State.READY, config)
    assert client.frame_length_max == 65536
    assert client.config.window_entries == 50


def test_a_reject_says_why_and_ends() -> None:
    """The client learns the reason and where to go."""
    pair = ConnectionPair()
    pair.client.send_hello(CLIENT_NONCE)
    pair.transfer()
    pair.server.reject(ErrorCode.OVERLOADED, retry_after_ms=900, home="c:2")
    assert pair.server.state is State.CLOSED
    _, (event, closed) = pair.transfer()
    assert isinstance(event, Received)
    assert event.message == Reject(
        code=ErrorCode.OVERLOADED,
        revision_min=0,
        revision_max=0,
        draft=DRAFT,
        retry_after_ms=900,
        home="c:2",
    )
    assert closed == ConnectionClosed(by_peer=True, is_truncated=False)
    assert pair.client.state is State.CLOSED
    pair.server.reject(ErrorCode.OVERLOADED)  # too late to say it twice
    assert pair.server.data_to_send() == b""


def test_a_reject_after_welcome_is_an_error_and_goaway() -> None:
    """REJECT is legal in HELLO only."""
    server = server_in(State.AUTH)
    server.reject(ErrorCode.OVERLOADED)
    assert [type(message) for message in said(server)] == [Error, Goaway]


def test_a_reject_before_hello_says_nothing() -> None:
    """R-SHAKE-002: a full server is silent to who has not said HELLO."""
    server = fresh_server()
    server.reject(ErrorCode.OVERLOADED)
    assert server.data_to_send() == b""
    assert events_of(server) == [ConnectionClosed(by_peer=False, is_truncated=False)]


def test_the_handshake_methods_belong_to_their_side_and_time() -> None:
    """Misuse is found where it is made, and changes nothing."""
    pair = ConnectionPair()
    with pytest.raises(LocalProtocolError):
        pair.server.send_hello(CLIENT_NONCE)
    with pytest.raises(LocalProtocolError):
        accept(pair.server)
    with pytest.raises(LocalProtocolError):
        pair.client.reject(ErrorCode.OVERLOADED)
    with pytest.raises(LocalProtocolError):
        _ = pair.client.transcript_hash
    pair.client.send_hello(CLIENT_NONCE)
    with pytest.raises(LocalProtocolError):
        pair.client.send_hello(CLIENT_NONCE)
    pair.transfer()
    accept(pair.server)
    with pytest.raises(LocalProtocolError):
        accept(pair.server)
    pair.transfer()
    with pytest.raises(LocalProtocolError):
        pair.client.send_hello(CLIENT_NONCE)
    assert states(pair) == {State.AUTH}
    ready = server_in(State.READY)
    with pytest.raises(LocalProtocolError):
        ready.reject(ErrorCode.OVERLOADED)


# PING


def test_ping_is_a_barrier() -> None:
    """R-PING-001: PONG comes after everything before it was handled."""
    server = server_in(State.READY)
    stream = b"".join(
        (
            FACTORY.message(Sample.send(1), 1),
            FACTORY.message(Ping(11), 2),
            FACTORY.message(Sample.send(2), 3),
            FACTORY.message(Ping(22), 4),
        )
    )
    assert len(feed(server, stream)) == 2
    assert server.data_to_send() == b""
    assert server.requests_in_flight == 2
    server.send(Sample.sequenced(2), corr=3)
    assert len(said(server)) == 1
    server.send_answer_frame(encode_frame(Sample.sequenced(1), DRAFT, 1), 1)
    first, *pongs = said(server)
    assert first == Sample.sequenced(1)
    assert pongs == [Pong(11), Pong(22)]
    assert server.requests_in_flight == 0


@pytest.mark.parametrize("way", ["send", "refuse"])
def test_any_answer_lets_a_ping_pass(way: str) -> None:
    """R-PING-001: however the request before it was answered."""
    server = server_in(State.READY)
    feed(server, FACTORY.message(Sample.send(1), 1) + FACTORY.message(Ping(11), 2))
    if way == "send":
        server.send(Sample.sequenced(1), corr=1, more=True)
        assert len(said(server)) == 1
        server.send(Sample.sequenced(1), corr=1)
    else:
        server.refuse(1, ErrorCode.UNAVAILABLE)
    assert said(server)[1:] == [Pong(11)]


def test_an_application_may_ping_and_gets_the_pong() -> None:
    """Tests use it as a barrier instead of a sleep."""
    pair = pair_in(State.READY)
    corr = pair.client.send(Ping(7))
    assert pair.client.requests_awaited == 1
    _, (event,) = pair.transfer()
    assert isinstance(event, Received)
    assert (event.message, event.corr) == (Pong(7), corr)
    assert pair.client.requests_awaited == 0


# The end


def test_an_error_of_the_peers_is_told() -> None:
    """The client's log says why the server ended it."""
    pair = pair_in(State.READY)
    pair.server.close_with(ErrorCode.SLOW_READER, retry_after_ms=5)
    _, events = pair.transfer()
    assert events == [
        PeerError(ErrorCode.SLOW_READER, 0, 5),
        PeerGoingAway(ErrorCode.SLOW_READER, 1 + 1, 5, None),
    ]
    pair.server.close_with(ErrorCode.SLOW_READER)
    assert pair.server.data_to_send() == b""


def test_what_is_nobodys_fault_is_no_error() -> None:
    """S8: the older connection gets GOAWAY(REPLACED)."""
    server = server_in(State.READY)
    server.close_with(ErrorCode.REPLACED)
    (goaway,) = said(server)
    assert isinstance(goaway, Goaway)
    assert goaway.code == ErrorCode.REPLACED


def test_a_code_that_nobody_knows_is_said_as_an_error() -> None:
    """A later revision's code behaves as its class."""
    server = server_in(State.READY)
    server.close_with(0x1FFB)
    assert [type(message) for message in said(server)] == [Error, Goaway]


def test_draining_in_hello_is_closing() -> None:
    """There is nothing to wait for."""
    server = fresh_server()
    feed(server, HELLO)
    server.drain(ErrorCode.GOING_AWAY, now=0.0)
    (reject,) = said(server)
    assert isinstance(reject, Reject)
    assert server.state is State.CLOSED
    server.drain(ErrorCode.GOING_AWAY, now=0.0)
    assert server.data_to_send() == b""


def test_the_drain_counts_from_when_it_is_asked_for() -> None:
    """The last read may be a minute old."""
    server = server_in(State.READY)
    server.drain(ErrorCode.GOING_AWAY, now=100.0)
    assert server.next_deadline() == 125.0


def test_both_sides_may_say_goaway() -> None:
    """DRAINING stays DRAINING, and its end is not put off."""
    pair = pair_in(State.READY)
    pair.server.drain(ErrorCode.GOING_AWAY, now=0.0)
    pair.transfer()
    pair.now = 20.0
    pair.client.drain(ErrorCode.GOING_AWAY, now=20.0)
    (event,), _ = pair.transfer()
    assert event == PeerGoingAway(ErrorCode.GOING_AWAY, 0, 0, None)
    assert pair.client.next_deadline() == pair.server.next_deadline() == 25.0


def test_roles_are_told() -> None:
    """A log line needs it."""
    assert client_in(State.AUTH).role is Role.CLIENT
    assert server_in(State.AUTH).role is Role.SERVER


def test_events_compare_by_value() -> None:
    """Tests and chunking checks rely on it."""
    events: list[Event] = [NEED_DATA, PeerError(1, 2, 3)]
    assert events == [NEED_DATA, PeerError(1, 2, 3)]
    assert repr(NEED_DATA) == "NEED_DATA"


def test_an_abandoned_connection_holds_nothing() -> None:
    """Its transport is gone: half a frame and unsent answers are nobody's any more."""
    server = server_in(State.READY)
    feed(server, FACTORY.message(Sample.send(1), 9)[:20])
    server.send(Sample.deliver(1))
    assert server.buffered_bytes == 20
    server.abandon()
    assert server.buffered_bytes == 0
    assert server.data_to_send() == b""
