"""One connection, either side: bytes in, events out; messages in, bytes out.

A server's wake-up, whole:

    connection.receive_data(data, now)
    while (event := connection.next_event()) is not NEED_DATA:
        ...                        # connection.send(answer, corr=event.corr)
    transport.write(connection.data_to_send())

The class is built in layers, each of which uses only those below:

    _connection   time: deadlines, pauses
    _receiving    bytes in, events out
    _sending      messages in, frames queued; handshake; the end
    _core         state, and how it moves

Beside them `_receive_buffer` cuts the stream, `_faults` judges a header, `_rules`
knows what the specification says of a type, `_requests` who awaits what, `_handshake`
what was agreed on, `_writer` builds frames, `_timers` and `_budget` watch time and
counts.
"""

from typing import assert_never

from wigwag.wire._faults import AUTH_MISSED, FRAME_MISSED, PEER_SILENT
from wigwag.wire._generated import Ping
from wigwag.wire._receiving import ReceivingSide
from wigwag.wire._rules import PING
from wigwag.wire._states import State
from wigwag.wire._timers import Due


class Connection(ReceivingSide):
    """The protocol, without I/O, clock or randomness.

    The same bytes give the same events, errors and output, however they are cut.
    Handled inside: PING and PONG, unknown odd types, header extension, padding, grease,
    correlation, counts per window, deadlines.

    Life, server: `Received(Hello)` -> `accept(...)` or `reject(...)`; `Received(Auth)`
    -> `send(AuthOk(...), corr=...)`, which makes it READY. Client: `send_hello(...)`;
    `Received(Welcome)` -> `send(Auth(...))`; `Received(AuthOk)`: READY.

    End: `drain` says GOAWAY and lets answers pass; `close_with` ends at once. Whatever
    ends it, write `data_to_send()` once more, then close the transport.

    Args:
        role: Which side we are.
        config: Facts and bounds.
        now: Seconds on a clock that never goes back; the same clock for all calls.
        grease_seed: Sends values that nobody knows, so that peers stay able to skip
            them; None: doesn't.
    """

    __slots__ = ()

    def reading_paused(self, now: float) -> None:
        """Says that the transport stops reading: the peer's clocks stand still.

        A peer must not be closed for a frame or a PONG that we don't read.
        """
        self._timers.pause(now)
        self._buffer.trim()

    def reading_resumed(self, now: float) -> None:
        """Says that the transport reads again."""
        paused_seconds = self._timers.resume(now)
        if self._buffer.partial_since is not None:
            self._buffer.partial_since += paused_seconds

    @property
    def buffered_bytes(self) -> int:
        """Memory that received and untaken bytes keep alive, in bytes."""
        return self._buffer.held_bytes

    def abandon(self) -> None:
        """Drops all bytes: the transport is gone, and nobody will come for them."""
        self._buffer.clear()
        self._out.clear()

    @property
    def is_frame_arriving(self) -> bool:
        """Whether a frame has begun to arrive, which gives it a deadline."""
        return self._buffer.partial_since is not None

    def next_deadline(self) -> float | None:
        """Returns when `handle_timer` must be called at the latest, or None.

        Seconds on the caller's clock. Ask again after every call of another method.
        """
        if self._state is State.CLOSED:
            return None
        return self._timers.next_deadline(
            self._buffer.partial_since, self._partial_bytes()
        )

    def handle_timer(self, now: float) -> None:
        """Does what is due: PING, or the end. Then take events and output.

        Early calls do nothing. A deadline that the peer missed comes out of
        `next_event` as RemoteProtocolError.
        """
        if self._state is State.CLOSED:
            return
        self._now = now
        due = self._timers.due(now, self._buffer.partial_since, self._partial_bytes())
        match due:
            case None:
                pass
            case Due.PING:
                self._send_ping()
            case Due.AUTH_MISSED:
                self._end(AUTH_MISSED)
            case Due.FRAME_MISSED:
                self._end(FRAME_MISSED)
            case Due.PEER_SILENT:
                self._end(PEER_SILENT)
            case Due.DRAINED:
                self._enter(State.CLOSED)
            case _:
                assert_never(due)

    def _send_ping(self) -> None:
        """Asks whether the peer is there. One question is open at a time."""
        corr = self._ledger.fresh_corr()
        self._ping = (corr, corr)
        self._queue_plain(PING, Ping(token=corr), corr, 0)

    def _partial_bytes(self) -> int:
        """Returns the length of the frame that is arriving, as far as it is known."""
        if self._buffer.partial_since is None:
            return 0
        header = self._buffer.header()
        return header[0] if header is not None else 0
