"""Honest pairs: real signed-in devices that only want to talk, and measure how it goes.

Each sender writes at a steady pace that its limits allow, whatever the server does
(an open loop: a stall shows as late messages and not as few). Every message is
numbered, so that one that is lost, doubled or out of order can't hide.
"""

import selectors
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from struct import Struct

from wigwag.bench.adversary._attack import Target
from wigwag.bench.adversary._people import Account
from wigwag.bench.adversary._tcp import READ_BYTES
from wigwag.bench.adversary._wire import Wire
from wigwag.wire import (
    DRAFT,
    HEADER_BYTES,
    LIMITS,
    RESPONSE,
    Ack,
    Deliver,
    Error,
    Goaway,
    MessageType,
    Ping,
    Pong,
    Refused,
    decode_message,
    encode_frame,
)

# Under the 10 a second that the default limits allow a device.
MESSAGES_PER_SECOND = 8.0
BODY_BYTES = 200
# An online device has everything within this time when faults stop (invariant I5).
SETTLE_SECONDS_MAX = 30.0
ACK_SECONDS = LIMITS["ack_interval_ms"].value / 1000
# How long one wait for a socket may last, so that ACKs and stops are on time.
TICK_SECONDS = 0.01
REASONS_MAX = 8

_NUMBER = Struct(">Q")


@dataclass(slots=True)
class Harm:
    """What went wrong for the honest pairs; all zero is what is promised.

    Attributes:
        lost: Acknowledged to the sender or not, but never delivered.
        doubled: Delivered again.
        reordered: Delivered after a later one.
        refused: Sends that the server refused.
        ended: Connections that it ended.
        reasons: The last two in words.
    """

    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    refused: int = 0
    ended: int = 0
    reasons: list[str] = field(default_factory=list[str])

    def __bool__(self) -> bool:
        return bool(
            self.lost or self.doubled or self.reordered or self.refused or self.ended
        )

    def why(self, reason: str) -> None:
        """Keep a reason in words."""
        if len(self.reasons) < REASONS_MAX:
            self.reasons.append(reason)


@dataclass(slots=True)
class Block:
    """Latencies of one stretch of time, in seconds, from the moment a send was due."""

    acked: list[float] = field(default_factory=list[float])
    delivered: list[float] = field(default_factory=list[float])


class _Device:
    """One end of a pair: a socket that isn't waited for."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.stream = wire.stream
        self.stream.setblocking(False)
        self.is_over = False
        self._unread = b""
        self._unsent = b""

    def read(self) -> list[tuple[int, int, int, bytes]]:
        """Return (type, flags, corr, body) of each whole frame that has come."""
        chunks = [self._unread]
        while True:
            try:
                chunk = self.stream.recv(READ_BYTES)
            except ssl.SSLWantReadError:
                break
            except OSError:
                chunk = b""
            if not chunk:
                self.is_over = True
                break
            chunks.append(chunk)
        data = b"".join(chunks)
        frames: list[tuple[int, int, int, bytes]] = []
        at = 0
        while len(data) - at >= HEADER_BYTES:
            end = at + HEADER_BYTES + int.from_bytes(data[at : at + 4])
            if end > len(data):
                break
            type_ = int.from_bytes(data[at + 4 : at + 6])
            corr = int.from_bytes(data[at + 8 : at + 12])
            body = data[at + HEADER_BYTES + data[at + 7] : end]
            if type_ == MessageType.PING:
                ping = decode_message(type_, DRAFT, body)
                assert isinstance(ping, Ping)
                self.write(encode_frame(Pong(ping.token), DRAFT, corr))
            else:
                frames.append((type_, data[at + 6], corr, body))
            at = end
        self._unread = data[at:]
        return frames

    def write(self, data: bytes) -> None:
        """Write as much as the socket takes and keep the rest."""
        self._unsent += data
        if not self._unsent or self.is_over:
            return
        try:
            sent = self.stream.send(self._unsent)
        except ssl.SSLWantWriteError:
            return
        except OSError:
            self.is_over = True
            return
        self._unsent = self._unsent[sent:]


class _Pair:
    """A sender, a receiver, and the account of every message between them."""

    def __init__(
        self, sender: tuple[Account, Wire], receiver: tuple[Account, Wire], due: float
    ) -> None:
        self.account, self._target = sender[0], receiver[0]
        self.source, self.sink = _Device(sender[1]), _Device(receiver[1])
        self.due = due
        self.sent = 0
        self.seen: set[int] = set()
        self.highest = 0
        self._sent_at: dict[int, float] = {}
        self._corrs: dict[int, float] = {}
        self._position = 0
        self._acked = 0
        self._acked_at = 0.0

    def send(self, now: float, interval: float) -> None:
        """Send what is due."""
        while self.due <= now:
            self.sent += 1
            self.offer(self.sent, self.due)
            self.due += interval
        self.source.write(b"")

    def offer(self, number: int, due: float) -> None:
        """Send one message, which was due at a moment of `time.perf_counter`."""
        body = _NUMBER.pack(number) + bytes(BODY_BYTES - _NUMBER.size)
        message = self.account.send_to(self._target, body)
        # The next one names it whatever becomes of it: a pipeline.
        self.account.note_stored(message)
        corr = self.source.wire.next_corr()
        self._sent_at[number] = self._corrs[corr] = due
        self.source.write(encode_frame(message, DRAFT, corr))

    def missing(self) -> int:
        """Return how many of the messages sent have never come."""
        return sum(number not in self.seen for number in range(1, self.sent + 1))

    def on_source(self, now: float, block: Block, harm: Harm) -> None:
        """Take SEQUENCED."""
        for type_, flags, corr, body in self.source.read():
            if type_ == MessageType.SEQUENCED:
                block.acked.append(now - self._corrs.pop(corr))
            elif type_ in (MessageType.REFUSED, MessageType.ERROR, MessageType.GOAWAY):
                _note_bad_word(type_, flags, body, harm)
        self._note_end(self.source, "a sender's", harm)

    def on_sink(self, now: float, block: Block, harm: Harm) -> None:
        """Take DELIVER."""
        for type_, flags, _, body in self.sink.read():
            if type_ == MessageType.DELIVER:
                entry = decode_message(type_, DRAFT, body)
                assert isinstance(entry, Deliver)
                self._position = entry.inbox_seq
                if entry.sender == self.account.user:
                    self._deliver(entry.ciphertext, now, block, harm)
            elif type_ in (MessageType.ERROR, MessageType.GOAWAY):
                _note_bad_word(type_, flags, body, harm)
        self._note_end(self.sink, "a receiver's", harm)

    def acknowledge(self, now: float) -> None:
        """Send ACK as a client does: once in 50 ms."""
        if self._position > self._acked and now - self._acked_at >= ACK_SECONDS:
            self.sink.write(encode_frame(Ack(self._position), DRAFT))
            self._acked = self._position
            self._acked_at = now

    def _deliver(self, body: bytes, now: float, block: Block, harm: Harm) -> None:
        (number,) = _NUMBER.unpack_from(body)
        if number in self.seen:
            harm.doubled += 1
            return
        self.seen.add(number)
        harm.reordered += number < self.highest
        self.highest = max(self.highest, number)
        block.delivered.append(now - self._sent_at.pop(number))

    def _note_end(self, device: _Device, whose: str, harm: Harm) -> None:
        if device.is_over:
            harm.ended += 1
            harm.why(f"{whose} connection ended")


class HonestPairs:
    """So many pairs and their one loop; use it from one thread.

    Args:
        target: The server; each device comes from an address of its own.
        pairs: How many, 1 or more.
    """

    def __init__(self, target: Target, pairs: int) -> None:
        self.harm = Harm()
        self.block = Block()
        self._interval = 1 / MESSAGES_PER_SECOND
        devices = [self._register(target) for _ in range(2 * pairs)]
        self.accounts = tuple(account for account, _ in devices)
        start = time.perf_counter()
        self.pairs = [
            _Pair(
                devices[2 * number],
                devices[2 * number + 1],
                start + self._interval * number / pairs,
            )
            for number in range(pairs)
        ]
        self._selector = selectors.DefaultSelector()
        for pair in self.pairs:
            self._selector.register(
                pair.source.stream, selectors.EVENT_READ, (pair, True)
            )
            self._selector.register(
                pair.sink.stream, selectors.EVENT_READ, (pair, False)
            )

    @property
    def sent(self) -> int:
        """Messages sent so far."""
        return sum(pair.sent for pair in self.pairs)

    @property
    def delivered(self) -> int:
        """Different messages delivered so far."""
        return sum(len(pair.seen) for pair in self.pairs)

    def run(
        self, seconds: float, also: Callable[[float], None] = lambda _: None
    ) -> Block:
        """Talk for so many seconds; return what it was like.

        Args:
            seconds: How long.
            also: Called with the time between two looks at the sockets.
        """
        self.block = Block()
        until = time.perf_counter() + seconds
        now = 0.0
        while now < until:
            now = self.step(sends=True)
            also(now)
        return self.block

    def settle(self) -> None:
        """Send no more; wait for what is under way, and count what never came."""
        until = time.perf_counter() + SETTLE_SECONDS_MAX
        while self.delivered < self.sent and time.perf_counter() < until:
            self.step(sends=False)
            if self.harm.ended:
                break
        self.harm.lost = sum(pair.missing() for pair in self.pairs)
        start = time.perf_counter()
        for pair in self.pairs:
            pair.due = max(pair.due, start)

    def close(self) -> None:
        """Close every socket."""
        self._selector.close()
        for pair in self.pairs:
            pair.source.stream.close()
            pair.sink.stream.close()

    def step(self, *, sends: bool) -> float:
        """Look at the sockets once; return the time."""
        wait = TICK_SECONDS
        if sends:
            due = min(pair.due for pair in self.pairs)
            wait = max(0.0, min(wait, due - time.perf_counter()))
        for key, _ in self._selector.select(wait):
            pair, is_source = key.data
            now = time.perf_counter()
            if is_source:
                pair.on_source(now, self.block, self.harm)
                device = pair.source
            else:
                pair.on_sink(now, self.block, self.harm)
                device = pair.sink
            if device.is_over:
                self._selector.unregister(device.stream)
        now = time.perf_counter()
        for pair in self.pairs:
            if sends:
                pair.send(now, self._interval)
            pair.acknowledge(now)
        return now

    def _register(self, target: Target) -> tuple[Account, Wire]:
        """Register an account and keep its connection."""
        account = Account()
        wire = Wire.open(target)
        wire.shake_hands()
        wire.register(account)
        return account, wire


def _note_bad_word(type_: int, flags: int, body: bytes, harm: Harm) -> None:
    """Note what no honest device should ever hear."""
    message = decode_message(type_, DRAFT, body)
    match message:
        case Refused(code=code):
            harm.refused += 1
        case Error(code=code) if flags & RESPONSE:
            harm.refused += 1
        case Error(code=code) | Goaway(code=code):
            pass  # the end of the connection is counted when it comes
        case _:
            return
    harm.why(f"{type(message).__name__} {code:#06x}")
