"""Raw load beside the people: frames with opaque bodies, offered again until answered.

A pair keeps well below the rates of the default limits; whatever is refused for now
(a rate, a full disk) is offered again on the next connection, with the same id.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

import trio
from tests.server._peer import Account, PeerClient, connect

from wigwag.wire import (
    ConnectionClosed,
    Deliver,
    ErrorCode,
    Received,
    Refused,
    RemoteProtocolError,
    Send,
    Sequenced,
)

BURST_MAX = 12
BODY_BYTES_MAX = 3_000
PACE_SECONDS = 0.25
"""Per message: 4 a second, of the 10 that a device may."""
RETRY_SECONDS = 0.5
SLOW_SECONDS = 0.8
"""How long a slow reader thinks about each entry."""
NOT_NOW = frozenset(
    {ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE, ErrorCode.OUT_OF_ORDER}
)
BROKEN = (
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    trio.TooSlowError,
    OSError,
)


class LaterError(Exception):
    """The server takes nothing now."""


@dataclass
class RawPair:
    """One sender and one receiver.

    Attributes:
        port: Of the server.
        pick: Decides what is sent.
        word: Is in every body; the server is to keep it, as it can't read it.
        sent: Bodies, in order.
        acknowledged: Client id → place.
        ids: What was delivered: client ids, bodies, places.
        is_over: Nothing new is sent.
        is_slow: The receiver reads slowly.
        odd: What a server should never do.
    """

    port: int
    pick: Random
    word: bytes
    source: Account = field(default_factory=Account)
    target: Account = field(default_factory=Account)
    sent: list[bytes] = field(default_factory=list[bytes])
    acknowledged: dict[bytes, int] = field(default_factory=dict[bytes, int])
    ids: list[bytes] = field(default_factory=list[bytes])
    bodies: list[bytes] = field(default_factory=list[bytes])
    places: list[int] = field(default_factory=list[int])
    is_over: bool = False
    is_slow: bool = False
    odd: list[str] = field(default_factory=list[str])
    _outbox: OrderedDict[bytes, Send] = field(default_factory=OrderedDict[bytes, Send])

    @property
    def is_settled(self) -> bool:
        """Whether everything was answered and delivered."""
        is_answered = self.is_over and not self._outbox
        return is_answered and len(self.ids) >= len(self.sent)

    async def register(self, join: str) -> None:
        """Make both accounts."""
        for account in (self.source, self.target):
            async with connect(self.port) as peer:
                await peer.register(account, join)

    async def send(self) -> None:
        """Send until it is over and everything is answered."""
        while self._outbox or not self.is_over:
            await self._connected(self.source, self._offer)

    async def receive(self) -> None:
        """Take what comes, until cancelled."""
        while True:
            await self._connected(self.target, self._take)

    async def _connected(
        self, account: Account, serve: Callable[[PeerClient], Awaitable[None]]
    ) -> None:
        """Sign in and serve once; connections that break are what this is about."""
        try:
            async with connect(self.port) as peer:
                await peer.sign_in(account)
                await serve(peer)
        except (*BROKEN, LaterError):
            await trio.sleep(RETRY_SECONDS)
        except AssertionError as error:
            # The raw client's word for an end where it waits for an answer.
            if "closed while" not in str(error):
                self.odd.append(str(error))
            await trio.sleep(RETRY_SECONDS)
        except RemoteProtocolError as error:
            self.odd.append(f"the server broke the protocol: {error}")
            await trio.sleep(RETRY_SECONDS)

    async def _offer(self, peer: PeerClient) -> None:
        for message in self._outbox.values():
            peer.connection.send(message)
        await peer.flush()
        while True:
            while self._outbox:
                event = await peer.next()
                if isinstance(event, ConnectionClosed):
                    raise LaterError
                if isinstance(event, Received):
                    self._note(event)
            if self.is_over:
                return
            burst = self.pick.randrange(1, BURST_MAX)
            await trio.sleep(burst * PACE_SECONDS)
            for _ in range(0 if self.is_over else burst):
                self._write(peer)
            await peer.flush()

    def _write(self, peer: PeerClient) -> None:
        filling = bytes(self.pick.randrange(BODY_BYTES_MAX))
        body = b"%d %s " % (len(self.sent), self.word) + filling
        message = peer.send_message(self.target, body)
        self.sent.append(body)
        self._outbox[message.client_msg_id] = message
        peer.connection.send(message)

    def _note(self, event: Received) -> None:
        match event.message:
            case Sequenced(client_msg_id=id_, chat_seq=place):
                self._outbox.pop(id_, None)
                if self.acknowledged.setdefault(id_, place) != place:
                    self.odd.append(f"{id_.hex()} has two places (I9)")
            case Refused(code=code) as refused:
                if code not in NOT_NOW:
                    self.odd.append(f"no such refusal is due: {refused}")
                raise LaterError
            case _:
                pass

    async def _take(self, peer: PeerClient) -> None:
        while True:
            event = await peer.next()
            if isinstance(event, ConnectionClosed):
                raise LaterError
            if not isinstance(event, Received):
                continue
            entry = event.message
            if isinstance(entry, Deliver):
                self.ids.append(entry.client_msg_id)
                self.bodies.append(entry.ciphertext)
                self.places.append(entry.chat_seq)
                # Noted first: an ACK that is lost must not make it come twice here.
                self.target.cursor = max(self.target.cursor, entry.inbox_seq)
                if self.is_slow:
                    await trio.sleep(SLOW_SECONDS)
                if not peer.events:
                    await peer.ack(self.target.cursor)


async def leave(port: int, join: str, body: bytes) -> None:
    """Send something to a device that never comes back for it."""
    source, absent = Account(), Account()
    async with connect(port) as peer:
        await peer.register(absent, join)
    async with connect(port) as peer:
        await peer.register(source, join)
        answer = await peer.ask(peer.send_message(absent, body))
        assert isinstance(answer, Sequenced), answer
