"""Floods of connections: half-open, half a TLS hello, and come and gone."""

import contextlib
import resource
import selectors
import socket
import ssl
import struct
import time

from wigwag.bench.adversary._attack import (
    SERVED,
    SILENCE,
    Flood,
    Seen,
    Tally,
    Target,
    TurnedAwayError,
)
from wigwag.bench.adversary._tcp import CLIENT_CONTEXT, open_tcp
from wigwag.bench.adversary._wire import Wire
from wigwag.bench.adversary.floods._pace import Pace, again_and_again

HALF_OPEN = 2_000
SLOW_HELLOS = 500
# Between two bytes of a slow hello.
BYTE_SECONDS = 0.25
DESCRIPTORS_SPARE = 128
# Whoever is closed sooner was never let in.
TURNED_AWAY_SECONDS = 0.5
# Tries to connect in one round: as many as a listener's queue holds easily.
OPENS_MAX = 256


class Herd:
    """So many plain connections at once; each that ends is replaced by a new one."""

    def __init__(self, target: Target, connections: int) -> None:
        self.tally = Tally()
        self._target = target
        self._connections = connections
        self._selector = selectors.DefaultSelector()
        self._opened: dict[socket.socket, float] = {}
        self._said: dict[socket.socket, int] = {}
        _allow_descriptors(connections)

    def fill(self) -> None:
        """Open what is missing, a number at a time."""
        missing = min(OPENS_MAX, self._connections - len(self._opened))
        for _ in range(missing):
            try:
                plain = open_tcp(self._target)
            except (TurnedAwayError, OSError):
                self.tally.runs += 1
                self.tally.turned_away += 1
                continue
            plain.setblocking(False)
            self.tally.actions += 1
            self._opened[plain] = time.monotonic()
            self._said[plain] = 0
            self._selector.register(plain, selectors.EVENT_READ)

    def send(self, hello: bytes) -> None:
        """Let each say the next byte of a hello, as far as its time has come."""
        now = time.monotonic()
        for plain, said in self._said.items():
            due = int((now - self._opened[plain]) / BYTE_SECONDS) + 1
            if said < min(due, len(hello)):
                with contextlib.suppress(OSError):  # its end is seen when it is read
                    plain.send(hello[said : said + 1])
                    self._said[plain] = said + 1

    def reap(self) -> None:
        """Take note of those that the server has ended."""
        for key, _ in self._selector.select(0):
            plain = key.fileobj
            assert isinstance(plain, socket.socket)
            try:
                data = plain.recv(4_096)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if data:
                self.tally.surprise("the server spoke first")
            self._end(plain)

    def close(self) -> None:
        """Close what is left; it was neither ended nor turned away."""
        for plain in list(self._opened):
            self._forget(plain)
        self._selector.close()

    def _end(self, plain: socket.socket) -> None:
        self.tally.runs += 1
        if time.monotonic() - self._opened[plain] < TURNED_AWAY_SECONDS:
            self.tally.turned_away += 1
        else:
            self.tally.as_expected += 1
        self._forget(plain)

    def _forget(self, plain: socket.socket) -> None:
        del self._opened[plain]
        del self._said[plain]
        self._selector.unregister(plain)
        plain.close()


def _allow_descriptors(connections: int) -> None:
    wanted = connections + DESCRIPTORS_SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted and soft != resource.RLIM_INFINITY:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def half_open(target: Target, connections: int, seconds: float) -> Tally:
    """Connect and say nothing, with as many as there can be."""
    return _hold(target, connections, seconds, b"")


def slow_hello(target: Target, connections: int, seconds: float) -> Tally:
    """Say a TLS hello byte by byte."""
    return _hold(target, connections, seconds, tls_hello())


def _hold(target: Target, connections: int, seconds: float, hello: bytes) -> Tally:
    herd, pace = Herd(target, connections), Pace(seconds)
    try:
        while not pace.is_over:
            herd.fill()
            if hello:
                herd.send(hello)
            herd.reap()
            pace.rest(BYTE_SECONDS if hello else 0.01)
    finally:
        herd.close()
    return herd.tally


def tls_hello() -> bytes:
    """Return the first bytes of a proper TLS client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = CLIENT_CONTEXT.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def come_and_go(target: Target) -> Seen:
    """Shake hands, and reset the connection at once: all cost is the server's."""
    with Wire.hello(target) as wire:
        reset(wire)
    return SERVED


def reset(wire: Wire) -> None:
    """Have the kernel forget this connection, and its peer learn of it by RST."""
    wire.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


FLOODS: tuple[Flood, ...] = (
    Flood(
        "flood-half-open",
        "2,000 connections that say nothing",
        "F1",
        SILENCE,
        HALF_OPEN,
        half_open,
        seconds_min=4,
    ),
    Flood(
        "flood-tls-hello",
        "500 TLS hellos, four bytes a second",
        "F1",
        SILENCE,
        SLOW_HELLOS,
        slow_hello,
        seconds_min=4,
    ),
    Flood(
        "flood-churn",
        "TLS and HELLO, then a reset, as fast as it goes",
        "handshakes",
        SERVED,
        1,
        again_and_again(come_and_go, SERVED, actions=1),
    ),
)
"""Floods below the protocol."""
