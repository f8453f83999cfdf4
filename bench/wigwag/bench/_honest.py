"""A pair of people who write to each other while something else goes on.

Slow enough for the default limits, one message at a time. What was not answered
when the connection ended is sent again on the next one, with the same id; the
receiver checks that every message comes once and in order.
"""

import secrets
import time
from struct import Struct

from wigwag.bench._account import Account
from wigwag.bench._client import Client
from wigwag.bench._errors import BenchError
from wigwag.bench._link import Door
from wigwag.bench._loop import Loop
from wigwag.bench._pair import number_offset, send_parts
from wigwag.wire import DRAFT, Ack, MessageType, encode_frame

# Below the 10 a second that a device may send.
INTERVAL_SECONDS = 0.125
_U32 = Struct(">I")
_U64 = Struct(">Q")
_HEADER_BYTES = 12


class HonestPair:
    """Two clients that come back like any other; the first writes to the second.

    Attributes:
        latencies: (when, seconds) from a SEND on a live connection to SEQUENCED.
        received: Messages that the second one has.
    """

    def __init__(
        self, loop: Loop, door: Door, source: Account, target: Account
    ) -> None:
        self._loop = loop
        self._parts = send_parts(source, target, DRAFT)
        self._offset = number_offset(DRAFT)
        self._number = 0
        self._identity = bytes(16)
        self._after = bytes(16)
        self._pending = b""
        self._sent_at = 0.0
        self._part = 1 << 63 | secrets.randbits(30) << 32
        self.latencies: list[tuple[float, float]] = []
        self.received = 0
        self.sender = Client(loop, door, source, self._resend)
        self.receiver = Client(loop, door, target, lambda _: None)
        self.sender.on_frame = self._answered
        self.receiver.on_frame = self._delivered

    @property
    def clients(self) -> tuple[Client, Client]:
        """Both clients."""
        return self.sender, self.receiver

    @property
    def is_settled(self) -> bool:
        """Whether everything written was answered and has come."""
        return not self._pending and self.received == self._number

    def begin(self, now: float) -> None:
        """Writes from now on."""
        self.tick(now)
        self._loop.call_at(now + INTERVAL_SECONDS, self.begin)

    def tick(self, now: float) -> None:
        """Writes one message if the one before was answered."""
        link = self.sender.link
        if self._pending or link is None:
            return
        head, before_id, before_after, tail = self._parts
        self._number += 1
        stamp = (time.time_ns() // 1_000_000).to_bytes(6, "big") + b"\x70\x00"
        self._identity = stamp + _U64.pack(self._part | self._number)
        self._pending = b"".join(
            (
                head,
                _U32.pack(self._number + 10),
                before_id,
                self._identity,
                before_after,
                self._after,
                tail,
            )
        )
        self._sent_at = now
        link.write(self._pending)

    def _resend(self, client: Client) -> None:
        if self._pending and client.link is not None:
            self._sent_at = time.perf_counter()
            client.link.write(self._pending)

    def _answered(self, type_: int, corr: int, frame: bytes, now: float) -> None:
        if type_ == MessageType.SEQUENCED and corr == self._number + 10:
            self.latencies.append((now, now - self._sent_at))
            self._after, self._pending = self._identity, b""
        elif type_ in (MessageType.REFUSED, MessageType.ERROR):
            raise BenchError("the server refused an honest message")

    def _delivered(self, type_: int, corr: int, frame: bytes, now: float) -> None:
        if type_ != MessageType.DELIVER or self.receiver.link is None:
            return
        body = _HEADER_BYTES + frame[7]
        (number,) = _U32.unpack_from(frame, body + self._offset)
        if number != self.received + 1:
            raise BenchError(
                "an honest message was lost, doubled or out of order: "
                f"{number} came after {self.received}"
            )
        self.received = number
        (self.receiver.cursor,) = _U64.unpack_from(frame, body)
        ack = encode_frame(Ack(self.receiver.cursor), DRAFT)
        self.receiver.link.write(ack)
