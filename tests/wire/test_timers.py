"""Deadlines as numbers."""

import pytest

from wigwag.wire._timers import Due, Timers


def timers(now: float = 0.0) -> Timers:
    """Returns the specification's, started at `now`."""
    return Timers(
        now, auth_seconds=10, frame_seconds=15, idle_seconds=60, pong_seconds=20
    )


def ready(now: float = 0.0) -> Timers:
    """Returns timers of a connection that is READY."""
    clocks = timers(now)
    clocks.auth_deadline = None
    clocks.watches_silence = True
    return clocks


def test_the_handshake_has_an_absolute_end() -> None:
    """Traffic must not keep an unauthenticated connection alive (Openfire)."""
    clocks = timers(100.0)
    clocks.received_at = 109.0
    assert clocks.next_deadline(None, 0) == 110.0
    assert clocks.due(109.9, None, 0) is None
    assert clocks.due(110.0, None, 0) is Due.AUTH_MISSED


@pytest.mark.parametrize(
    ("length", "deadline"), [(0, 20.0), (8192, 21.0), (262144, 52)]
)
def test_a_frame_has_15_seconds_and_one_for_each_8_kib(
    length: int, deadline: float
) -> None:
    """R-FRAME-013: slow modems pass, slowloris doesn't."""
    clocks = ready()
    assert clocks.next_deadline(5.0, length) == deadline
    assert clocks.due(deadline - 0.01, 5.0, length) is None
    assert clocks.due(deadline, 5.0, length) is Due.FRAME_MISSED


def test_silence_is_answered_by_two_pings_and_then_the_end() -> None:
    """60 s of silence, then twice 20 s for a PONG."""
    clocks = ready()
    assert clocks.next_deadline(None, 0) == 60.0
    assert clocks.due(60.0, None, 0) is Due.PING
    assert clocks.next_deadline(None, 0) == 80.0
    assert clocks.due(79.0, None, 0) is None
    assert clocks.due(80.0, None, 0) is Due.PING
    assert clocks.due(99.9, None, 0) is None
    assert clocks.due(100.0, None, 0) is Due.PEER_SILENT


def test_any_byte_shows_that_the_peer_is_there() -> None:
    """A PONG waits behind answers; the bytes before it count as well."""
    clocks = ready()
    assert clocks.due(60.0, None, 0) is Due.PING
    clocks.received_at = 79.0
    assert clocks.due(80.0, None, 0) is None
    assert clocks.next_deadline(None, 0) == 139.0
    assert clocks.due(139.0, None, 0) is Due.PING
    assert clocks.due(159.0, None, 0) is Due.PING
    assert clocks.due(179.0, None, 0) is Due.PEER_SILENT


def test_the_peers_clocks_stand_still_while_we_do_not_read() -> None:
    """Nobody is closed for a PONG or a frame that lies in our socket."""
    clocks = ready()
    clocks.pause(10.0)
    clocks.pause(20.0)
    assert clocks.next_deadline(5.0, 0) is None
    assert clocks.due(1000.0, 5.0, 0) is None
    assert clocks.resume(1000.0) == 990.0
    assert clocks.resume(1001.0) == 0.0
    assert clocks.next_deadline(None, 0) == 1060.0


def test_pausing_does_not_stop_the_handshake_clock() -> None:
    """Before AUTH_OK nothing makes a server pause for a client's sake."""
    clocks = timers()
    clocks.pause(1.0)
    assert clocks.due(10.0, None, 0) is Due.AUTH_MISSED


def test_draining_ends() -> None:
    """Whatever the peer does."""
    clocks = ready()
    clocks.watches_silence = False
    clocks.drain_deadline = 25.0
    assert clocks.due(24.9, None, 0) is None
    assert clocks.due(25.0, None, 0) is Due.DRAINED


def test_nothing_is_due_when_nothing_is_watched() -> None:
    """LINKING has no clock of its own yet."""
    clocks = timers()
    clocks.auth_deadline = None
    assert clocks.next_deadline(None, 0) is None
    assert clocks.due(1e9, None, 0) is None


def test_welcome_retunes_from_the_start_of_the_connection() -> None:
    """The server's deadline counts from the end of the TLS handshake."""
    clocks = timers(100.0)
    clocks.retune(auth_seconds=5, frame_seconds=1, idle_seconds=2, pong_seconds=3)
    assert clocks.next_deadline(None, 0) == 105.0
    assert (clocks.frame_seconds, clocks.idle_seconds, clocks.pong_seconds) == (1, 2, 3)
