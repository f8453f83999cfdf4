"""A sender and its receiver, with a window of messages in flight.

Frames are prebuilt: a SEND is a template in which three places change. What comes
is read by header and one number: SEQUENCED must come in the order of the SENDs,
DELIVER too, each exactly once, or the measurement fails. The window counts SENDs
that lack SEQUENCED or DELIVER.
"""

import secrets
import time
from array import array
from struct import Struct

from wigwag.bench._account import DEVICE, Account
from wigwag.bench._errors import BenchError
from wigwag.bench._link import HEADER, Link
from wigwag.wire import (
    LIMITS,
    Ack,
    Deliver,
    Envelope,
    MessageClass,
    MessageType,
    Send,
    encode_frame,
    suite1,
)

BODY_BYTES = 200
ACK_ENTRIES = LIMITS["ack_entries"].value
ACK_SECONDS = LIMITS["ack_interval_ms"].value / 1000

_U32 = Struct(">I")
_U64 = Struct(">Q")
FIRST_CORR = 1000
# UUIDv7's version and variant bits; a sender's random part stays, its counter rises.
_VERSION = b"\x70\x00"
_VARIANT = 1 << 63
_HEADER_BYTES = HEADER.size
_SEQUENCED = int(MessageType.SEQUENCED)
_DELIVER = int(MessageType.DELIVER)
_PING = int(MessageType.PING)
_FAULTS = {
    int(MessageType.REFUSED): "the server refused a message",
    int(MessageType.ERROR): "the server answered with an error",
    int(MessageType.GOAWAY): "the server went away",
    int(MessageType.GAP): "the server reported a gap",
    int(MessageType.MISSED): "a message came without an envelope",
    int(MessageType.UNDELIVERED): "a message was not delivered",
}


class Tally:
    """What one load process has seen; latencies in seconds, in the order they came.

    Attributes:
        delivered: From writing SEND to DELIVER at the peer; one for each message.
        sequenced: From writing SEND to SEQUENCED.
        unacknowledged: Receivers that owe an ACK.
    """

    __slots__ = ("delivered", "sequenced", "unacknowledged")

    def __init__(self) -> None:
        self.delivered = array("d")
        self.sequenced = array("d")
        self.unacknowledged: set[Receiver] = set()


class Sender:
    """The sending half; implements `LinkUser`.

    Attributes:
        limit: SENDs in all; 0: no end.
        sent: SENDs written.
        sequenced: Of these, how many have been answered.
        delivered: Of these, how many the receiver has; kept by `Receiver`.
        times: When each SEND was written that lacks SEQUENCED or DELIVER.
        is_blind: The receiver is away: the window counts SEQUENCED alone.
    """

    def __init__(
        self,
        link: Link,
        source: Account,
        target: Account,
        window: int,
        tally: Tally,
        limit: int = 0,
    ) -> None:
        self._link = link
        self._window = window
        self._tally = tally
        self.limit = limit
        self.sent = self.sequenced = self.delivered = 0
        self.first_number = secrets.randbits(31)
        self.times: dict[int, float] = {}
        self.is_blind = False
        self._sender_part = _VARIANT | secrets.randbits(30) << 32
        self._after = bytes(16)
        self._parts = send_parts(source, target, link.revision)
        link.user = self

    def fill(self, now: float) -> None:
        """Sends until the window is full."""
        settled = self.sequenced
        if not self.is_blind and self.delivered < settled:
            settled = self.delivered
        count = self._window - (self.sent - settled)
        if self.limit:
            count = min(count, self.limit - self.sent)
        if count <= 0:
            return
        head, before_id, before_after, tail = self._parts
        stamp = (time.time_ns() // 1_000_000).to_bytes(6, "big") + _VERSION
        frames: list[bytes] = []
        after, times = self._after, self.times
        for number in range(self.sent, self.sent + count):
            identity = stamp + _U64.pack(
                self._sender_part | (self.first_number + number & 0xFFFF_FFFF)
            )
            frames += (
                head,
                _U32.pack(FIRST_CORR + number),
                before_id,
                identity,
                before_after,
                after,
                tail,
            )
            after = identity
            times[number] = now
        self._after = after
        self.sent += count
        self._link.write(b"".join(frames))

    def on_open(self, link: Link, now: float) -> None:
        """Nothing: the link was taken over open."""

    def on_closed(self, link: Link, reason: str, now: float) -> None:
        """Fails the measurement."""
        raise BenchError(f"a sender lost its connection under load: {reason}")

    def on_data(self, link: Link, data: bytes, now: float) -> None:
        """Takes SEQUENCED."""
        at, end, unpack = 0, len(data), HEADER.unpack_from
        expected, times = FIRST_CORR + self.sequenced, self.times
        latencies = self._tally.sequenced
        while end - at >= _HEADER_BYTES:
            length, type_, _, extension, corr = unpack(data, at)
            after = at + _HEADER_BYTES + length
            if after > end:
                break
            if type_ == _SEQUENCED:
                if corr != expected:
                    raise BenchError("SEQUENCED came out of order")
                number = expected - FIRST_CORR
                latencies.append(now - times[number])
                if number < self.delivered:
                    del times[number]
                expected += 1
            else:
                _other(link, type_, corr, data[at + _HEADER_BYTES + extension : after])
            at = after
        link.unread = data[at:]
        self.sequenced = expected - FIRST_CORR
        self.fill(now)


class Receiver:
    """The receiving half; implements `LinkUser`.

    Attributes:
        position: Highest inbox position that came.
    """

    def __init__(
        self, link: Link, sender: Sender, tally: Tally, offset: int, position: int = 0
    ) -> None:
        self._link = link
        self._sender = sender
        self._tally = tally
        self._offset = offset
        self._unacked = 0
        self._acked_at = 0.0
        self.position = position
        ack = encode_frame(Ack(2**40 + 7), link.revision)
        self._ack_parts = ack.split(_U64.pack(2**40 + 7))
        link.user = self

    def on_open(self, link: Link, now: float) -> None:
        """Nothing: the link was taken over open."""

    def on_closed(self, link: Link, reason: str, now: float) -> None:
        """Fails the measurement."""
        raise BenchError(f"a receiver lost its connection under load: {reason}")

    def on_data(self, link: Link, data: bytes, now: float) -> None:
        """Takes DELIVER and acknowledges."""
        at, end, unpack = 0, len(data), HEADER.unpack_from
        sender, offset = self._sender, self._offset
        first = number = sender.delivered
        first_number, times = sender.first_number, sender.times
        latencies, body = self._tally.delivered, -1
        while end - at >= _HEADER_BYTES:
            length, type_, _, extension, corr = unpack(data, at)
            after = at + _HEADER_BYTES + length
            if after > end:
                break
            if type_ == _DELIVER:
                body = at + _HEADER_BYTES + extension
                (came,) = _U32.unpack_from(data, body + offset)
                if came != (first_number + number) & 0xFFFF_FFFF:
                    raise BenchError(
                        "a message was lost, doubled or out of order: number "
                        f"{came - first_number} came instead of {number}"
                    )
                latencies.append(now - times[number])
                if number < sender.sequenced:
                    del times[number]
                number += 1
            else:
                _other(link, type_, corr, data[at + _HEADER_BYTES + extension : after])
            at = after
        link.unread = data[at:]
        if body >= 0:
            (self.position,) = _U64.unpack_from(data, body)
            sender.delivered = number
            self._unacked += number - first
            self.acknowledge(now)
            sender.fill(now)

    def acknowledge(self, now: float) -> None:
        """Sends ACK as a client does: after 64 entries or 50 ms."""
        if self._unacked < ACK_ENTRIES and now - self._acked_at < ACK_SECONDS:
            self._tally.unacknowledged.add(self)
            return
        self._tally.unacknowledged.discard(self)
        before, after = self._ack_parts
        self._link.write(before + _U64.pack(self.position) + after)
        self._unacked = 0
        self._acked_at = now


def _other(link: Link, type_: int, corr: int, body: bytes) -> None:
    """Answers PING, fails on what must not come, and skips the rest (receipts)."""
    if type_ == _PING:
        link.pong(corr, body)
    elif type_ in _FAULTS:
        raise BenchError(f"{_FAULTS[type_]} under load")


def send_parts(
    source: Account, target: Account, revision: int
) -> tuple[bytes, bytes, bytes, bytes]:
    """Cuts a SEND where corr, client_msg_id and after go."""
    marker, previous = bytes(range(1, 17)), bytes(range(101, 117))
    message = Send(
        suite1.direct_chat_id(source.user, target.user),
        marker,
        1,
        previous,
        MessageClass.MESSAGE,
        tuple(sorted((source.user, target.user))),
        (
            Envelope(
                target.user,
                DEVICE,
                target.registration_id,
                secrets.token_bytes(BODY_BYTES),
            ),
        ),
    )
    frame = encode_frame(message, revision, 1)
    id_at, after_at = frame.index(marker), frame.index(previous)
    assert _HEADER_BYTES < id_at < after_at, "SEND's layout has changed"
    return (
        frame[:8],
        frame[_HEADER_BYTES:id_at],
        frame[id_at + 16 : after_at],
        frame[after_at + 16 :],
    )


def number_offset(revision: int) -> int:
    """Returns where in DELIVER's body the last four bytes of client_msg_id are."""
    marker = bytes(range(1, 17))
    deliver = Deliver(
        1, 0, bytes([9]) * 16, 1, 1, bytes([8]) * 16, 1, 1, marker, 1, bytes(BODY_BYTES)
    )
    return encode_frame(deliver, revision).index(marker) - _HEADER_BYTES + 12
