"""Which sockets are ready: one task that waits on one epoll, for all connections.

A task for each connection would wait with a system call of its own and be scheduled
for every message; where nothing can be coalesced, as with many quiet phones, that
was a quarter of what a message cost. Here whatever is ready at a moment is handled
in one go: so the requests of many connections reach the engine as one group.

A connection is an object with a state, called when its socket is ready. Nothing it
does can end the round: what it raises is its own affair (`Polled.ready`).
"""

import selectors
import socket
from collections.abc import Callable
from typing import Protocol

import trio

# Sockets handled before anything is written or another task gets its turn: at most
# as many TLS handshakes, half a millisecond each.
ROUND_SOCKETS_MAX = 64


class Polled(Protocol):
    """Whoever waits for a socket."""

    def ready(self, *, readable: bool, writable: bool) -> None:
        """Do what can be done now. Must not raise."""
        ...


class Poller:
    """Calls `ready`; `begin` and `end` stand around each round."""

    def __init__(self, begin: Callable[[], None], end: Callable[[], None]) -> None:
        self._begin = begin
        self._end = end
        self._selector = selectors.DefaultSelector()
        # Asking the selector for a socket that it doesn't know is slow.
        self._watched: set[socket.socket] = set()

    def watch(
        self, connection: socket.socket, polled: Polled, *, reads: bool, writes: bool
    ) -> None:
        """Say what a socket is to be watched for, instead of what it was before."""
        events = reads * selectors.EVENT_READ | writes * selectors.EVENT_WRITE
        is_watched = connection in self._watched
        if is_watched and events:
            self._selector.modify(connection, events, polled)
        elif is_watched:
            self._selector.unregister(connection)
            self._watched.discard(connection)
        elif events:
            self._selector.register(connection, events, polled)
            self._watched.add(connection)

    async def run(self) -> None:
        """Serve sockets until cancelled."""
        selector = self._selector
        while True:
            await trio.lowlevel.wait_readable(selector)
            ready = selector.select(0)
            for start in range(0, len(ready), ROUND_SOCKETS_MAX):
                if start:
                    await trio.lowlevel.checkpoint()
                self._round(ready[start : start + ROUND_SOCKETS_MAX])

    def close(self) -> None:
        """Let the selector go; no socket is watched any more."""
        self._selector.close()

    def _round(self, ready: list[tuple[selectors.SelectorKey, int]]) -> None:
        self._begin()
        try:
            for key, events in ready:
                polled: Polled = key.data
                polled.ready(
                    readable=bool(events & selectors.EVENT_READ),
                    writable=bool(events & selectors.EVENT_WRITE),
                )
        finally:
            self._end()
