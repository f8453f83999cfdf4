"""The work item *pairs*: n senders, n receivers, a window of messages in flight.

One process, one epoll loop, prebuilt frames: a SEND is a template in which 4
places change. A message counts when it was sequenced, delivered and
acknowledged. The window of a pair is its SENDs that lack SEQUENCED or DELIVER.
"""

import os
import selectors
import ssl
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from struct import Struct

from wigwag.bench._device import BenchError, Device
from wigwag.wire import (
    LIMITS,
    Ack,
    Deliver,
    Envelope,
    MessageClass,
    Send,
    encode_frame,
    suite1,
)

HEADER = Struct(">IHBBI")
_U32 = Struct(">I")
_U64 = Struct(">Q")
READ_BYTES = 65536
BODY_BYTES = 200

# A server that delivers nothing for this long has failed.
STALL_SECONDS_MAX = 15.0
ACK_ENTRIES = LIMITS["ack_entries"].value
ACK_SECONDS = LIMITS["ack_interval_ms"].value / 1000

_TYPE_SEQUENCED = 82
_TYPE_REFUSED = 84
_TYPE_DELIVER = 96


@dataclass(frozen=True, slots=True)
class PairsPlan:
    """What to run.

    Attributes:
        pairs: Senders, and as many receivers.
        window: Messages in flight for each pair, 1 or more.
        warm_up_seconds: Load before the measurement begins.
        measure_seconds: Length of the measurement.
    """

    pairs: int = 50
    window: int = 16
    warm_up_seconds: float = 2.0
    measure_seconds: float = 8.0


@dataclass(slots=True)
class PairsResult:
    """What was measured; times in seconds, from writing SEND to its event."""

    messages: int = 0
    seconds: float = 0.0
    generator_cpu_seconds: float = 0.0
    server_cpu_seconds: float = 0.0
    sequenced: list[float] = field(default_factory=list[float])
    delivered: list[float] = field(default_factory=list[float])

    @property
    def per_second(self) -> float:
        """Messages sequenced, delivered and acknowledged each second."""
        return self.messages / self.seconds

    def percentile_ms(self, which: str, percent: int) -> float:
        """Returns a percentile of `sequenced` or `delivered` in milliseconds."""
        times = self.sequenced if which == "sequenced" else self.delivered
        if len(times) < 2:
            return 0.0
        return statistics.quantiles(times, n=100)[percent - 1] * 1000


class _Link:
    """One TLS socket, non-blocking, with what waits to be written."""

    def __init__(self, device: Device) -> None:
        self.stream = device.stream
        self.stream.setblocking(False)
        self.unread = b""
        self.unsent = b""

    def frames(self) -> Iterator[tuple[int, int, bytes, int]]:
        """Yields (type, corr, buffer, body offset) of each whole frame that came.

        Raises:
            BenchError: The server closed the connection.
        """
        chunks = [self.unread] if self.unread else []
        try:
            while True:
                chunk = self.stream.recv(READ_BYTES)
                if not chunk:
                    raise BenchError("the server closed a connection under load")
                chunks.append(chunk)
        except ssl.SSLWantReadError:
            pass
        data = b"".join(chunks)
        at, end = 0, len(data)
        while end - at >= HEADER.size:
            length, type_, _, extension, corr = HEADER.unpack_from(data, at)
            after = at + HEADER.size + length
            if after > end:
                break
            yield type_, corr, data, at + HEADER.size + extension
            at = after
        self.unread = data[at:]

    def write(self, data: bytes) -> None:
        """Writes as much as the socket takes and keeps the rest."""
        if self.unsent:
            data = self.unsent + data
        self.unsent = b""
        if not data:
            return
        try:
            sent = self.stream.send(data)
        except ssl.SSLWantWriteError:
            sent = 0
        self.unsent = data[sent:]


class _Pair:
    """A sender and its receiver."""

    def __init__(self, source: Device, target: Device, window: int) -> None:
        self.source, self.target = _Link(source), _Link(target)
        self.window = window
        self.in_flight: dict[bytes, list[float]] = {}
        self.by_corr: dict[int, bytes] = {}
        self.unacked = 0
        self.position = 0
        self.acked_at = 0.0
        self._corr = 1000
        self._after = bytes(16)
        self._counter = 0
        self._build(source, target)

    def _build(self, source: Device, target: Device) -> None:
        """Builds the SEND template and finds the places that change."""
        chat = suite1.direct_chat_id(source.user, target.user)
        marker, after = bytes(range(1, 17)), bytes(range(101, 117))
        users = tuple(sorted((source.user, target.user)))
        envelope = Envelope(
            target.user, target.number, target.registration_id, os.urandom(BODY_BYTES)
        )
        message = Send(chat, marker, 1, after, MessageClass.MESSAGE, users, (envelope,))
        frame = encode_frame(message, source.revision, 1)
        self._id_at, self._after_at = frame.index(marker), frame.index(after)
        self._template = bytearray(frame)
        deliver = Deliver(
            1, 0, chat, 1, 1, source.user, 1, 1, marker, 1, envelope.ciphertext
        )
        # DELIVER's places, found once: header extension is skipped by the caller.
        self._delivered_id_at = (
            encode_frame(deliver, source.revision).index(marker) - HEADER.size
        )
        ack = bytearray(encode_frame(Ack(2**40 + 7), source.revision))
        self._ack = ack
        self._ack_at = bytes(ack).index(_U64.pack(2**40 + 7))

    def fill(self, now: float) -> None:
        """Sends until the window is full."""
        frames: list[bytes] = []
        while len(self.in_flight) < self.window:
            self._counter += 1
            self._corr += 1
            stamp = (int(time.time() * 1000) << 80) | (7 << 76) | (2 << 62)
            identity = (stamp | self._counter).to_bytes(16, "big")
            template = self._template
            _U32.pack_into(template, 8, self._corr)
            template[self._id_at : self._id_at + 16] = identity
            template[self._after_at : self._after_at + 16] = self._after
            frames.append(bytes(template))
            self._after = identity
            self.in_flight[identity] = [now, 0.0]
            self.by_corr[self._corr] = identity
        if frames or self.source.unsent:
            self.source.write(b"".join(frames))

    def on_source(self, now: float, result: PairsResult, measuring: bool) -> None:
        """Takes SEQUENCED.

        Raises:
            BenchError: A message was refused.
        """
        for type_, corr, _, _ in self.source.frames():
            if type_ == _TYPE_SEQUENCED:
                identity = self.by_corr.pop(corr)
                state = self.in_flight[identity]
                if measuring:
                    result.sequenced.append(now - state[0])
                self._settle(identity, state)
            elif type_ == _TYPE_REFUSED:
                raise BenchError("the server refused a message under load")

    def on_target(self, now: float, result: PairsResult, measuring: bool) -> int:
        """Takes DELIVER, acknowledges, and returns how many came."""
        count = 0
        offset = self._delivered_id_at
        for type_, _, data, body in self.target.frames():
            if type_ != _TYPE_DELIVER:
                continue
            count += 1
            (self.position,) = _U64.unpack_from(data, body)
            identity = data[body + offset : body + offset + 16]
            state = self.in_flight[identity]
            if measuring:
                result.delivered.append(now - state[0])
            self._settle(identity, state)
        self.unacked += count
        self.acknowledge(now)
        return count

    def acknowledge(self, now: float) -> None:
        """Sends ACK as a client does: after 64 entries or 50 ms."""
        if self.unacked and (
            self.unacked >= ACK_ENTRIES or now - self.acked_at >= ACK_SECONDS
        ):
            _U64.pack_into(self._ack, self._ack_at, self.position)
            self.target.write(bytes(self._ack))
            self.unacked = 0
            self.acked_at = now

    def _settle(self, identity: bytes, state: list[float]) -> None:
        """Frees the window when a message has both its events."""
        if state[1]:
            del self.in_flight[identity]
        else:
            state[1] = 1.0


def run_pairs(
    plan: PairsPlan, devices: list[Device], server_cpu: Callable[[], float]
) -> PairsResult:
    """Loads the server and measures.

    Args:
        plan: Sizes and times; needs `2 * plan.pairs` devices.
        devices: Signed-in devices; the first half sends to the second.
        server_cpu: Returns the CPU seconds the server has used so far.

    Raises:
        BenchError: The server refused, closed or stalled.
    """
    pairs = [
        _Pair(devices[index], devices[plan.pairs + index], plan.window)
        for index in range(plan.pairs)
    ]
    with selectors.DefaultSelector() as selector:
        for pair in pairs:
            selector.register(pair.source.stream, selectors.EVENT_READ, (pair, True))
            selector.register(pair.target.stream, selectors.EVENT_READ, (pair, False))
        start = time.perf_counter()
        for pair in pairs:
            pair.fill(start)
        _loop(selector, pairs, PairsResult(), start + plan.warm_up_seconds, False)
        result = PairsResult()
        server, cpu = server_cpu(), time.process_time()
        before = time.perf_counter()
        _loop(selector, pairs, result, before + plan.measure_seconds, True)
        result.seconds = time.perf_counter() - before
        result.generator_cpu_seconds = time.process_time() - cpu
        result.server_cpu_seconds = server_cpu() - server
    return result


def _loop(
    selector: selectors.BaseSelector,
    pairs: list[_Pair],
    result: PairsResult,
    until: float,
    measuring: bool,
) -> None:
    """Runs the load until a moment of `time.perf_counter`."""
    progress = time.perf_counter()
    while True:
        ready = selector.select(ACK_SECONDS)
        now = time.perf_counter()
        for key, _ in ready:
            pair, is_source = key.data
            if is_source:
                pair.on_source(now, result, measuring)
            else:
                count = pair.on_target(now, result, measuring)
                result.messages += count
                progress = now if count else progress
            pair.fill(now)
        if len(ready) < len(pairs):
            for pair in pairs:
                pair.acknowledge(now)
        if now >= until:
            return
        if now - progress > STALL_SECONDS_MAX:
            raise BenchError(f"nothing was delivered for {STALL_SECONDS_MAX:.0f} s")
