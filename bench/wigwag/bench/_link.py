"""A TLS connection of the generator: non-blocking, on memory buffers.

`ssl.SSLSocket` reads each record with two system calls and says "nothing there"
with an exception. Two `MemoryBIO`s cost one `recv` and one `send` a wake-up.
"""

import itertools
import os
import select
import socket
import ssl
from collections.abc import Iterator
from hashlib import sha256
from struct import Struct
from typing import Protocol

from wigwag.bench._errors import BenchError
from wigwag.bench._loop import Loop
from wigwag.wire import (
    ALPN,
    DRAFT,
    MessageType,
    Ping,
    Pong,
    decode_message,
    encode_frame,
)

HEADER = Struct(">IHBBI")
READ_BYTES = 65_536
# Loopback addresses to come from: a port that was closed rests for a minute, and one
# address has 28,000 of them.
SOURCE_ADDRESSES = 16
# A Linux socket option that Python doesn't name: the port is chosen at connect.
_IP_BIND_ADDRESS_NO_PORT = 24
_IN, _OUT = select.EPOLLIN, select.EPOLLOUT


class LinkUser(Protocol):
    """Whoever uses a link: first the sign-in, then the work."""

    def on_open(self, link: "Link", now: float) -> None:
        """TLS is up."""
        ...

    def on_data(self, link: "Link", data: bytes, now: float) -> None:
        """Bytes came; an unfinished frame at their end goes to `link.unread`."""
        ...

    def on_closed(self, link: "Link", reason: str, now: float) -> None:
        """The link ended and not by `close`."""
        ...


class Door:
    """A server's address, and what is known of it.

    Attributes:
        certificate_hash: SHA-256 of its leaf certificate; b"" before the first link.
    """

    def __init__(self, host: str, port: int) -> None:
        self.address = (host, port)
        self.certificate_hash = b""
        self.sources = itertools.cycle(
            f"127.0.0.{number}" for number in range(1, SOURCE_ADDRESSES + 1)
        )
        # The generator trusts what was started on this machine for it.
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.set_alpn_protocols([ALPN])


class Link:
    """One connection; `user` is told what happens on it.

    Attributes:
        user: May be changed at any time.
        unread: The unfinished frame at the end of what came.
        revision: As negotiated.
        is_open: TLS is up and nothing has ended it.
    """

    __slots__ = (
        "_backlog",
        "_door",
        "_incoming",
        "_is_connected",
        "_loop",
        "_object",
        "_outgoing",
        "_socket",
        "is_open",
        "revision",
        "unread",
        "user",
    )

    def __init__(
        self,
        loop: Loop,
        door: Door,
        user: LinkUser,
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._loop = loop
        self._door = door
        self.user = user
        self.unread = b""
        self.revision = DRAFT
        self.is_open = False
        self._is_connected = False
        self._backlog = b""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = door.context.wrap_bio(
            self._incoming, self._outgoing, server_hostname="localhost", session=session
        )
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        if door.address[0].startswith("127."):
            self._socket.bind((next(door.sources), 0))
        # Refused at once or later: both are told by the poll.
        self._socket.connect_ex(door.address)
        loop.watch(self._socket.fileno(), _IN | _OUT, self._ready)

    @property
    def session(self) -> ssl.SSLSession | None:
        """What a later link can resume; there once the server's ticket was read."""
        return self._object.session

    @property
    def was_resumed(self) -> bool:
        """Whether the handshake was an abbreviated one."""
        return bool(self._object.session_reused)

    @property
    def certificate_hash(self) -> bytes:
        """SHA-256 of the server's leaf certificate, which AUTH signs."""
        if not self._door.certificate_hash:
            leaf = self._object.getpeercert(binary_form=True)
            if leaf is None:
                raise BenchError("the server showed no certificate")
            self._door.certificate_hash = sha256(leaf).digest()
        return self._door.certificate_hash

    def write(self, data: bytes) -> None:
        """Sends; what the socket doesn't take leaves when it does."""
        self._object.write(data)
        self._send(self._outgoing.read())

    def close(self) -> None:
        """Ends the connection without a word to the user."""
        if self._socket.fileno() >= 0:
            self._loop.unwatch(self._socket.fileno())
            self._socket.close()
        self.is_open = False

    def frames(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Yields (type, corr, frame) of whole frames; answers PING; keeps the rest."""
        at, end = 0, len(data)
        while end - at >= HEADER.size:
            length, type_, _, extension, corr = HEADER.unpack_from(data, at)
            after = at + HEADER.size + length
            if after > end:
                break
            if type_ == MessageType.PING:
                self.pong(corr, data[at + HEADER.size + extension : after])
            else:
                yield type_, corr, data[at:after]
            at = after
        self.unread = data[at:]

    def pong(self, corr: int, body: bytes) -> None:
        """Answers a PING."""
        ping = decode_message(MessageType.PING, self.revision, body)
        assert isinstance(ping, Ping)
        self.write(encode_frame(Pong(ping.token), self.revision, corr))

    def _ready(self, events: int, now: float) -> None:
        if events & _OUT and not self._flush(now):
            return
        if not events & ~_OUT:
            return
        data = self._receive(now)
        if data:
            if self.unread:
                data = self.unread + data
                self.unread = b""
            self.user.on_data(self, data, now)

    def _flush(self, now: float) -> bool:
        """Goes on with what waits to be written; returns whether the link lives."""
        if not self._is_connected:
            error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                self._end(os.strerror(error), now)
                return False
            self._is_connected = True
            self._loop.change(self._socket.fileno(), _IN)
            return self._shake(now)
        backlog, self._backlog = self._backlog, b""
        self._loop.change(self._socket.fileno(), _IN)
        self._send(backlog)
        return True

    def _receive(self, now: float) -> bytes:
        try:
            raw = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            self._end(error.strerror or str(error), now)
            return b""
        if not raw:
            self._end("closed by the server", now)
            return b""
        self._incoming.write(raw)
        if not self.is_open and not (self._shake(now) and self.is_open):
            return b""
        return self._decrypt(now)

    def _decrypt(self, now: float) -> bytes:
        """Returns what the records that came say, without waiting for a whole one."""
        incoming, read = self._incoming, self._object.read
        data = b""
        try:
            while part := read(READ_BYTES):
                data += part
                # Spares the exception that the next read would raise.
                if not incoming.pending and not self._object.pending():
                    break
        except ssl.SSLWantReadError:
            # The rest is less than a record, or was a session ticket.
            return data
        except ssl.SSLError as error:
            self._end(error.reason or "TLS failed", now)
            return b""
        return data

    def _shake(self, now: float) -> bool:
        """Goes on with the handshake; returns whether the link lives."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            self._send(self._outgoing.read())
            return True
        except ssl.SSLError as error:
            self._end(error.reason or "TLS failed", now)
            return False
        self._send(self._outgoing.read())
        self.is_open = True
        self.user.on_open(self, now)
        return True

    def _send(self, data: bytes) -> None:
        if self._backlog:
            self._backlog += data
            return
        if not data:
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            # The server is gone; the poll tells it to the user.
            return
        if sent < len(data):
            self._backlog = data[sent:]
            self._loop.change(self._socket.fileno(), _IN | _OUT)

    def _end(self, reason: str, now: float) -> None:
        self.close()
        self.user.on_closed(self, reason, now)
