"""One socket: its TLS and its session, called when the socket is ready.

A wake-up is one plain function: up to READS_MAX reads, all whole frames decoded and
handled; at the end of the poller's round one TLS write and one `send` for each
connection that has something to say. No trio primitive is used for a message, and
no task for a connection (`_poller.py`).

The life of a connection:

    TLS handshake, under a deadline        nothing is said before it
    open                                   read, handle, write
    ending                                 the last words and close_notify are written
    lingering                              the peer's last bytes are read and dropped,
                                           else the kernel would reset the connection
                                           and the last words with it
    gone                                   socket closed, everything given back

Deadlines are numbers that the sweeper looks at. Whatever ends a connection (the
peer, a deadline, the operator, a failure of ours) goes through `_gone`.
"""

import math
import socket
import struct
from collections.abc import Callable
from enum import Enum

import trio

from wigwag.server._hub import Hub
from wigwag.server._limits import Limits
from wigwag.server._poller import Poller
from wigwag.server._session import Session
from wigwag.server._sweeper import Sweeper
from wigwag.server._tls import RECORD_BYTES, ServerTLS, TLSFailedError, TLSLink

# More in one go would let one busy peer keep the others waiting.
READS_MAX = 4
# A larger read or write makes the memory BIOs grow for good.
GROWS_BYTES = 4_096
# Bytes of a peer that are read and dropped while lingering.
LINGER_BYTES_MAX = 1_048_576
# (on, 0 s): closing forgets what was written, and tells the peer by RST.
_NO_LINGER = struct.pack("ii", 1, 0)


class Phase(Enum):
    """Where a connection is in its life."""

    HANDSHAKE = "handshake"
    OPEN = "open"
    ENDING = "ending"
    LINGERING = "lingering"
    GONE = "gone"


class Pump:
    """Drives one session over one TLS socket; a `Transport`, `Timed` and `Polled`.

    Args:
        connection: A connected, non-blocking socket; the pump closes it.
        tls: What the server presents.
        open_session: Makes the session once TLS is up.
        limits: Deadlines and the write buffer's bound.
        sweeper: Looks at the deadlines.
        poller: Calls `ready`.
        on_gone: Called once, when all is over.
        hub: Between whose `begin` and `flush` a wake-up stands; told of failures.
    """

    armed_at: float

    def __init__(
        self,
        connection: socket.socket,
        tls: ServerTLS,
        *,
        open_session: Callable[[float], Session],
        limits: Limits,
        sweeper: Sweeper,
        poller: Poller,
        on_gone: "Callable[[Pump], None]",
        hub: Hub,
    ) -> None:
        self.armed_at = math.inf
        self.phase = Phase.HANDSHAKE
        self.session: Session | None = None
        self.tls_failed = False
        self.was_slow_reader = False
        self.has_grown = False
        self._socket = connection
        self._link = TLSLink(tls)
        self._open_session = open_session
        self._limits = limits
        self._sweeper = sweeper
        self._poller = poller
        self._on_gone = on_gone
        self._hub = hub
        self._deadline: float | None = (
            trio.current_time() + limits.tls_handshake_seconds
        )
        self._unwritten = bytearray()
        self._progress_at = 0.0
        self._lingered_bytes = 0
        # What the poller watches for.
        self._reads = self._writes = False

    # Between socket and session

    def start(self) -> None:
        """Begin: from now on the poller and the sweeper call."""
        self._sweeper.arm(self)
        self._watch()

    def ready(self, *, readable: bool, writable: bool) -> None:
        """Read and write what can be; a failure ends this connection alone."""
        try:
            if writable and self._unwritten:
                self._write_some(trio.current_time())
            if readable and self._may_read():
                self._wake()
        except Exception as error:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """End at once for a fault of ours, under an error id."""
        number = 0 if self.session is None else self.session.number
        self._hub.failed("connection_failed", error, connection=number)
        self.cut()

    def _may_read(self) -> bool:
        match self.phase:
            case Phase.HANDSHAKE | Phase.LINGERING:
                return True
            case Phase.OPEN:
                assert self.session is not None
                return self.session.wants_reading
            case Phase.ENDING | Phase.GONE:
                return False

    def _watch(self) -> None:
        """Have the poller watch for what can be done now."""
        reads, writes = self._may_read(), bool(self._unwritten)
        if (reads, writes) != (self._reads, self._writes):
            self._reads, self._writes = reads, writes
            self._poller.watch(self._socket, self, reads=reads, writes=writes)

    # A wake-up

    def _wake(self) -> None:
        now = trio.current_time()
        received: list[bytes] = []
        is_over = False
        # Where memory is short, whoever may still read does so bit by bit.
        reads_max = READS_MAX if self._hub.memory.has_room else 1
        for _ in range(reads_max):
            try:
                data = self._socket.recv(RECORD_BYTES)
            except BlockingIOError:
                break
            except OSError:
                # Reset, or the network is gone: nothing more comes or goes.
                self.cut()
                break
            if not data:
                is_over = True
                break
            if self.phase is Phase.LINGERING:
                if not self._may_linger(len(data)):
                    return
                continue
            if not self._decrypt(data, received):
                break
            if len(data) < RECORD_BYTES:
                break
        self._handle(b"".join(received), now, is_over=is_over)

    def _decrypt(self, data: bytes, received: list[bytes]) -> bool:
        """Decrypt one read; False when TLS failed."""
        if len(data) > GROWS_BYTES and not self.has_grown:
            self._grow()
        link = self._link
        try:
            received.append(link.receive(data))
        except TLSFailedError:
            self.tls_failed = True
            self._write(link.pending())
            self._begin_end()
            return False
        if self.phase is Phase.HANDSHAKE and link.is_established:
            self.phase = Phase.OPEN
            self._deadline = None
            self.session = self._open_session(trio.current_time())
            self.session.transport = self
            self._sweeper.arm(self)
        if link.has_pending:
            if self.session is not None and self.phase is Phase.OPEN:
                self.session.mark()  # the ticket goes out with WELCOME
            else:
                self._write(link.pending())
        return True

    def _handle(self, data: bytes, now: float, *, is_over: bool) -> None:
        """Give the session what was read, and the end if it came."""
        session = self.session
        if session is not None and self.phase is Phase.OPEN:
            if data:
                session.guarded(session.receive, data, now)
            if is_over or self._link.has_ended:
                session.guarded(session.receive, b"", now)
        if is_over and self.phase in (Phase.HANDSHAKE, Phase.LINGERING):
            self._gone()

    def _may_linger(self, count: int) -> bool:
        """Drop bytes of a peer that was told that it is over; False: too many."""
        self._lingered_bytes += count
        if self._lingered_bytes <= LINGER_BYTES_MAX:
            return True
        self._gone()
        return False

    # Writing

    def flush(self) -> None:
        """Write what the session has to say; end when it has ended."""
        session = self.session
        if session is None or self.phase is not Phase.OPEN:
            return
        if len(self._unwritten) < self._limits.write_buffer_bytes_max:
            data = session.outgoing()
            if data:
                if len(data) > GROWS_BYTES and not self.has_grown:
                    self._grow()
                self._write(self._link.encrypt(data))
            elif self._link.has_pending:
                self._write(self._link.pending())
        if session.is_over:
            self._begin_end()
        else:
            if session.wants_reading is not self._reads:
                self._watch()
            if session.has_new_deadline:
                session.has_new_deadline = False
                self._sweeper.arm(self)

    def _write(self, data: bytes) -> None:
        """Send at once what the socket takes; the rest when it takes more."""
        if not data or self.phase is Phase.GONE:
            return
        if self._unwritten:
            self._unwritten += data
        else:
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.cut()
                return
            if sent == len(data):
                return
            self._progress_at = trio.current_time()
            self._unwritten += memoryview(data)[sent:]
        self._tell_backlog()
        self._sweeper.arm(self)
        self._watch()

    def _write_some(self, now: float) -> None:
        try:
            sent = self._socket.send(self._unwritten[:65_536])
        except BlockingIOError:
            return
        except OSError:
            self.cut()
            return
        del self._unwritten[:sent]
        self._progress_at = now
        self._tell_backlog()
        if not self._unwritten:
            self.flush()
            self._look_at_end()
            if self.phase is not Phase.GONE:
                self._watch()

    def _grow(self) -> None:
        self.has_grown = True
        self._hub.memory.grow()

    def _tell_backlog(self) -> None:
        if self.session is not None:
            self.session.backlog(len(self._unwritten))

    # The end

    def _begin_end(self) -> None:
        """Queue close_notify behind the last words."""
        if self.phase in (Phase.ENDING, Phase.LINGERING, Phase.GONE):
            return
        self.phase = Phase.ENDING
        self._deadline = None
        self._write(self._link.close())
        self._look_at_end()
        if self.phase is Phase.ENDING:
            self._watch()

    def _look_at_end(self) -> None:
        """Once all is written, tell the peer so and linger."""
        if self.phase is not Phase.ENDING or self._unwritten:
            return
        self.phase = Phase.LINGERING
        self._deadline = trio.current_time() + self._limits.linger_seconds
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self._gone()
            return
        self._sweeper.arm(self)
        self._watch()

    def cut(self) -> None:
        """End now, without a word: the place is needed, or the peer doesn't read."""
        self._gone()

    def _reset(self) -> None:
        """End for a peer that doesn't read: nor will it read that this is the end.

        Else the kernel would keep what was written for minutes, in memory that
        nobody counts.
        """
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.cut()

    def _gone(self) -> None:
        """Close the socket and give everything back, once."""
        if self.phase is Phase.GONE:
            return
        self.phase = Phase.GONE
        self._unwritten.clear()
        self._poller.watch(self._socket, self, reads=False, writes=False)
        self._socket.close()
        session = self.session
        if session is not None:
            session.guarded(session.backlog, 0)
            session.guarded(session.ended)
            session.transport = None
        self._on_gone(self)

    # Deadlines

    def next_deadline(self) -> float | None:
        """Return the earliest deadline of TLS, session, writing and end."""
        if self.phase is Phase.GONE:
            return None
        earliest = self._deadline
        if self._unwritten:
            stalled_at = self._progress_at + self._limits.stall_seconds
            if earliest is None or stalled_at < earliest:
                earliest = stalled_at
        if self.session is not None and self.phase is Phase.OPEN:
            due = self.session.next_deadline()
            if due is not None and (earliest is None or due < earliest):
                earliest = due
        return earliest

    def tick(self, now: float) -> None:
        """Do what is due; never raises."""
        if self._deadline is not None and now >= self._deadline:
            self.tls_failed = self.phase is Phase.HANDSHAKE
            self.cut()
            return
        stalled_at = self._progress_at + self._limits.stall_seconds
        if self._unwritten and now >= stalled_at:
            self.was_slow_reader = True
            self._reset()
            return
        session = self.session
        if session is not None and self.phase is Phase.OPEN:
            session.guarded(session.tick, now)
