"""Deadlines of a connection, with the time passed in."""

import pytest
from tests.wire.helpers import (
    FACTORY,
    client_in,
    feed,
    frames_in,
    pair_in,
    said,
    server_in,
)

from wigwag.wire import (
    NEED_DATA,
    Connection,
    ConnectionConfig,
    Error,
    ErrorCode,
    Goaway,
    Ping,
    RemoteProtocolError,
    State,
)


def accused(connection: Connection) -> RemoteProtocolError:
    """Returns what `next_event` raises."""
    with pytest.raises(RemoteProtocolError) as caught:
        connection.next_event()
    assert connection.state is State.CLOSED
    return caught.value


def test_the_handshake_ends_in_time_whatever_is_sent() -> None:
    """10 s, absolute, not renewed by PINGs."""
    server = server_in(State.AUTH)
    for second in range(10):
        feed(server, FACTORY.message(Ping(1), second + 1), float(second))
    server.data_to_send()
    assert server.next_deadline() == 10.0
    server.handle_timer(9.9)
    assert server.next_event() is NEED_DATA
    server.handle_timer(10.0)
    assert accused(server).code == ErrorCode.HANDSHAKE_TIMEOUT
    assert [type(message) for message in said(server)] == [Error, Goaway]


def test_the_client_waits_no_longer_than_welcome_says() -> None:
    """Its own deadline is replaced, counted from the same start."""
    client = client_in(State.AUTH)
    assert client.next_deadline() == 10.0
    slow = pair_in(State.AUTH, server_config=ConnectionConfig(auth_seconds=3)).client
    assert slow.next_deadline() == 3.0
    slow.handle_timer(3.0)
    assert accused(slow).code == ErrorCode.HANDSHAKE_TIMEOUT


def test_a_ready_connection_has_no_handshake_deadline() -> None:
    """Only silence counts from here."""
    for connection in (server_in(State.READY), client_in(State.READY)):
        assert connection.next_deadline() == 60.0


def test_silence_is_pinged_and_a_pong_restarts_it() -> None:
    """60 s of silence; PONG is handled inside."""
    pair = pair_in(State.READY)
    pair.now = 60.0
    pair.server.handle_timer(60.0)
    assert pair.transfer() == ([], [])
    assert pair.server.next_deadline() == 120.0
    assert pair.server.requests_awaited == 0


def test_a_dead_peer_is_given_up_after_two_pings() -> None:
    """PEER_TIMEOUT after 60 + 20 + 20 s."""
    server = server_in(State.READY)
    for now, deadline in ((60.0, 80.0), (80.0, 100.0)):
        server.handle_timer(now)
        assert server.next_deadline() == deadline
    pings: list[object] = [type(message) for message in said(server)]
    assert pings == [Ping, Ping]
    server.handle_timer(100.0)
    error = accused(server)
    assert (error.code, error.requirement) == (ErrorCode.PEER_TIMEOUT, "R-PING-001")


def test_a_late_pong_is_ignored_not_accused() -> None:
    """The first PING's PONG after the second PING answers nothing any more."""
    server = server_in(State.READY)
    server.handle_timer(60.0)
    ((_, _, first, body),) = frames_in(server.data_to_send())
    server.handle_timer(80.0)
    late = FACTORY.raw(14, body, flags=1, corr=first)
    assert feed(server, late, 81.0) == []
    assert server.next_deadline() == 141.0


def test_reading_that_pauses_pauses_the_peers_clocks() -> None:
    """S9: above the in-flight window the server stops reading; nothing is refused."""
    server = server_in(State.READY)
    feed(server, FACTORY.raw(80, length=8192, corr=9), 10.0)
    assert server.next_deadline() == 26.0
    server.reading_paused(12.0)
    assert server.next_deadline() is None
    server.handle_timer(500.0)
    assert server.state is State.READY
    server.reading_resumed(512.0)
    assert server.next_deadline() == 526.0
    server.reading_resumed(513.0)
    feed(server, b"\x01", 514.0)
    assert server.next_deadline() == 526.0


def test_a_pause_between_frames_shifts_nothing() -> None:
    """There is no frame to wait for."""
    server = server_in(State.READY)
    server.reading_paused(1.0)
    server.reading_resumed(30.0)
    assert server.next_deadline() == 90.0


def test_a_header_that_is_not_whole_has_the_plain_deadline() -> None:
    """Its length is not known yet."""
    server = server_in(State.READY)
    feed(server, b"\x00\x00\x20", 10.0)
    assert server.next_deadline() == 25.0
