"""Honest clients under faults: each resends until it is answered, and notes all.

A sender keeps what was not answered and offers it again, in order, on every new
connection. A receiver keeps its cursor. What they noted is compared afterwards by
code that knows nothing of how it came about.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import trio
from tests.server._peer import Account, PeerClient, connect

from wigwag.wire import (
    ConnectionClosed,
    Deliver,
    Received,
    Refused,
    RemoteProtocolError,
    Send,
    Sequenced,
)

WINDOW = 16
BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)


@dataclass
class Server:
    """Where the server is, and whether it is up."""

    port: int
    up: trio.Event = field(default_factory=trio.Event)
    answered: int = 0
    """SENDs answered since the server last came up."""
    is_over: bool = False
    """No new messages: senders finish what they have."""
    progress: trio.Event = field(default_factory=trio.Event)

    def note_answer(self, wanted: int) -> None:
        """Count an answer; say so when there are as many as wanted."""
        self.answered += 1
        if self.answered >= wanted:
            self.progress.set()


@dataclass
class Sender:
    """Sends numbered messages to one device, over any number of connections."""

    server: Server
    account: Account
    target: Account
    answers_wanted: int
    sent: list[bytes] = field(default_factory=list[bytes])
    acked: dict[bytes, int] = field(default_factory=dict[bytes, int])
    outbox: OrderedDict[bytes, Send] = field(default_factory=OrderedDict[bytes, Send])

    async def run(self) -> None:
        """Until it is over and all are answered."""
        while self.outbox or not self.server.is_over:
            await self.server.up.wait()
            await _with_connection(self.server, self.account, self._serve)

    async def _serve(self, peer: PeerClient) -> None:
        for message in self.outbox.values():
            peer.connection.send(message)
        await self._fill(peer)
        while self.outbox:
            event = await peer.next()
            if isinstance(event, ConnectionClosed):
                return
            if isinstance(event, Received):
                self._take(event)
                await self._fill(peer)

    def _take(self, event: Received) -> None:
        answer = event.message
        assert not isinstance(answer, Refused), f"no refusal is due: {answer}"
        if not isinstance(answer, Sequenced):
            return
        self.outbox.pop(answer.client_msg_id, None)
        known = self.acked.setdefault(answer.client_msg_id, answer.chat_seq)
        assert known == answer.chat_seq, "a repeated SEND got another answer (I9)"
        self.server.note_answer(self.answers_wanted)

    async def _fill(self, peer: PeerClient) -> None:
        while len(self.outbox) < WINDOW and not self.server.is_over:
            body = b"%s %d" % (self.account.user.hex().encode(), len(self.sent))
            message = peer.send_message(self.target, body)
            self.sent.append(body)
            self.outbox[message.client_msg_id] = message
            peer.connection.send(message)
        await peer.flush()


@dataclass
class Receiver:
    """Takes one device's inbox, over any number of connections."""

    server: Server
    account: Account
    bodies: list[bytes] = field(default_factory=list[bytes])
    ids: list[bytes] = field(default_factory=list[bytes])
    seqs: list[int] = field(default_factory=list[int])
    grown: trio.Event = field(default_factory=trio.Event)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.server.up.wait()
            await _with_connection(self.server, self.account, self._serve)

    async def has(self, count: int) -> None:
        """Wait until so many have come."""
        while len(self.bodies) < count:
            self.grown = trio.Event()
            await self.grown.wait()

    async def _serve(self, peer: PeerClient) -> None:
        unacked = 0
        while True:
            event = await peer.next()
            if isinstance(event, ConnectionClosed):
                return
            if isinstance(event, Received) and isinstance(event.message, Deliver):
                self._take(event.message)
                unacked += 1
                if unacked >= 32 or not peer.events:
                    await peer.ack(self.account.cursor)
                    unacked = 0

    def _take(self, entry: Deliver) -> None:
        assert entry.inbox_seq > self.account.cursor, "an entry came twice (I6)"
        self.account.cursor = entry.inbox_seq
        self.bodies.append(entry.ciphertext)
        self.ids.append(entry.client_msg_id)
        self.seqs.append(entry.chat_seq)
        self.grown.set()


async def _with_connection(
    server: Server, account: Account, serve: Callable[[PeerClient], Awaitable[None]]
) -> None:
    """Sign in and serve; a connection that breaks is what these tests are about."""
    try:
        async with connect(server.port) as peer:
            await peer.sign_in(account)
            await serve(peer)
    except BROKEN:
        await trio.lowlevel.checkpoint()
    except AssertionError as error:
        if "closed while waiting" not in str(error):
            raise
    except RemoteProtocolError as error:
        raise AssertionError(f"the server broke the protocol: {error}") from error
