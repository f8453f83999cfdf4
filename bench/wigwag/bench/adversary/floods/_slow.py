"""Slowness: in HELLO, inside a frame, and in reading; several connections at once."""

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from wigwag.bench.adversary._attack import (
    SILENCE,
    Flood,
    Seen,
    Tally,
    Target,
    TurnedAwayError,
    UnexpectedError,
    ends_with,
)
from wigwag.bench.adversary._frame_rows import header, hello
from wigwag.bench.adversary._people import Account
from wigwag.bench.adversary._tcp import ANSWER_SECONDS_MAX, CLIENT_CONTEXT
from wigwag.bench.adversary._wire import Wire
from wigwag.bench.adversary.floods._pace import Pace
from wigwag.wire import DRAFT, ErrorCode, MessageType, PrekeysClaim, encode_frame

TICK_SECONDS = 0.2
# As many as there are accounts to sign in with.
SIGNED_IN = 6
STRANGERS = 48
FRAME_BYTES = 1_024
# A third of a MiB of answers: more than write buffer and kernel hold.
CLAIMS = 400
READ_BUFFER_BYTES = 4_096
FRAME_TIMEOUT = ends_with(ErrorCode.FRAME_TIMEOUT)


@dataclass(slots=True)
class Crawler:
    """One slow connection.

    Attributes:
        wire: It.
        step: Does the next small thing.
    """

    wire: Wire
    step: Callable[[], None]


Start: TypeAlias = Callable[[Target], Crawler]
Look: TypeAlias = Callable[[Wire], Seen | None]


def crawl(start: Start, look: Look, expected: Seen) -> Callable[..., Tally]:
    """Return a flood of slow connections, each replaced when it has ended.

    Args:
        start: Opens one.
        look: Says what the server did to it; None: nothing yet.
        expected: What it must do in the end.
    """

    def flood(target: Target, connections: int, seconds: float) -> Tally:
        tally, pace = Tally(), Pace(seconds)
        crawlers: list[Crawler] = []
        try:
            while not pace.is_over:
                if len(crawlers) < connections:
                    _open(start, target, crawlers, tally)
                for crawler in crawlers:
                    with contextlib.suppress(OSError):  # its end is looked at below
                        crawler.step()
                        tally.actions += 1
                crawlers = [
                    one for one in crawlers if not _is_over(one, look, expected, tally)
                ]
                pace.rest(TICK_SECONDS if len(crawlers) >= connections else 0.01)
        finally:
            for crawler in crawlers:
                crawler.wire.stream.close()
        return tally

    return flood


def _open(start: Start, target: Target, crawlers: list[Crawler], tally: Tally) -> None:
    try:
        crawlers.append(start(target))
    except (TurnedAwayError, ssl.SSLError, OSError):
        tally.runs += 1
        tally.turned_away += 1


def _is_over(crawler: Crawler, look: Look, expected: Seen, tally: Tally) -> bool:
    try:
        seen = look(crawler.wire)
    except UnexpectedError as error:
        tally.surprise(str(error))
    else:
        if seen is None:
            return False
        if seen == expected:
            tally.as_expected += 1
        else:
            tally.surprise(f"expected: {expected}; came: {seen}")
    tally.runs += 1
    crawler.wire.stream.close()
    return True


def _look(wire: Wire) -> Seen | None:
    """Say how the server ended the connection, if it did."""
    return wire.observe_end() if wire.has_heard() else None


def slow_in_hello(target: Target) -> Crawler:
    """Say HELLO byte by byte, and never to the end."""
    wire = Wire.open(target)
    words = iter(hello()[:-1])

    def step() -> None:
        byte = next(words, None)
        if byte is not None:
            wire.stream.send(bytes((byte,)))

    return Crawler(wire, step)


def _sign_in(wire: Wire, target: Target) -> Account:
    """Sign in with an account that nobody signs in with meanwhile."""
    try:
        wire.shake_hands()
        with target.people.borrow() as account:
            wire.sign_in(account)
    except BaseException:
        wire.stream.close()
        raise
    return account


def slow_in_a_frame(target: Target) -> Crawler:
    """Begin a frame, and go on with a byte now and then."""
    wire = Wire.open(target)
    _sign_in(wire, target)
    wire.send(header(FRAME_BYTES, MessageType.SEND, corr=wire.next_corr()))

    def step() -> None:
        wire.stream.send(b"\x01")

    return Crawler(wire, step)


def slow_reader(target: Target) -> Crawler:
    """Ask for much and read one byte a second."""
    plain = socket.socket()
    # Before it connects: what the kernel has promised once, it must take.
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BUFFER_BYTES)
    plain.settimeout(ANSWER_SECONDS_MAX)
    try:
        plain.bind((target.sources.next(), 0))
        plain.connect((target.host, target.port))
        stream = CLIENT_CONTEXT.wrap_socket(plain, server_hostname="localhost")
    except OSError as error:
        plain.close()
        raise TurnedAwayError("no connection") from error
    wire = Wire(stream)
    account = _sign_in(wire, target)
    victim = target.honest[0].user if target.honest else account.user
    claim = PrekeysClaim(user=victim)
    wire.stream.setblocking(False)
    unsent = memoryview(
        b"".join(encode_frame(claim, DRAFT, wire.next_corr()) for _ in range(CLAIMS))
    )
    read_at = time.monotonic()

    def step() -> None:
        nonlocal unsent, read_at
        with contextlib.suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
            while unsent:
                unsent = unsent[wire.stream.send(unsent[:4_096]) :]
        if time.monotonic() - read_at >= 1:
            read_at = time.monotonic()
            # Below TLS, so that one byte is one byte.
            with socket.socket(fileno=os.dup(wire.stream.fileno())) as below:
                below.recv(1, socket.MSG_DONTWAIT)

    return Crawler(wire, step)


def _look_below(wire: Wire) -> Seen | None:
    """Say whether the kernel has heard of the end; what came is never read."""
    with socket.socket(fileno=os.dup(wire.stream.fileno())) as plain:
        failed = plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        info = plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    # 1 is ESTABLISHED; anything else begins or has passed the peer's end.
    return SILENCE if failed or info != 1 else None


FLOODS: tuple[Flood, ...] = (
    Flood(
        "flood-slow-hello",
        "48 connections that say HELLO a byte at a time",
        "F3",
        SILENCE,
        STRANGERS,
        crawl(slow_in_hello, _look, SILENCE),
        seconds_min=5,
    ),
    Flood(
        "flood-slow-frame",
        "6 devices with a frame that grows five bytes a second",
        "F7",
        FRAME_TIMEOUT,
        SIGNED_IN,
        crawl(slow_in_a_frame, _look, FRAME_TIMEOUT),
        seconds_min=4,
    ),
    Flood(
        "flood-slow-reader",
        "6 devices that read a byte a second",
        "write stall",
        SILENCE,
        SIGNED_IN,
        crawl(slow_reader, _look_below, SILENCE),
        seconds_min=14,
    ),
)
"""Floods of slowness."""
