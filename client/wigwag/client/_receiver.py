"""Drives the inbox: the decisions are `_inbox`'s, the doing is here.

Entries are taken in batches: everything that arrived while the previous batch was
stored is opened and stored in one transaction with the cursor, and only then
acknowledged.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

import anyio

from wigwag.client import _inbox as logic
from wigwag.client._device import Device
from wigwag.client._directory import Directory
from wigwag.client._errors import (
    ConnectionLost,
    PeerChanged,
    PeerUnknown,
    ServerRefused,
    StoreUnwritable,
    TimedOut,
    WigwagError,
)
from wigwag.client._inbox import Inbox, Verdict
from wigwag.client._inbox_batch import Delivered, Judged, judge_batch
from wigwag.client._link import Link
from wigwag.client._opening import Opening
from wigwag.client._store_account import counter_txn, set_counter_txn
from wigwag.client._store_events import add_gap_txn
from wigwag.client._store_peers import Peer, peer_txn
from wigwag.client._txn import Txn
from wigwag.wire import (
    Ack,
    Deliver,
    ErrorCode,
    Gap,
    GapReason,
    Missed,
    Undelivered,
    Unreadable,
)

BATCH_MAX: Final = 256
"""Entries in one transaction: the server's window."""

QUEUE_MAX: Final = 4096
"""The largest window a server may tell; one that sends more breaks the protocol."""

LOOKUP_TRIES: Final = 3
"""A sender who can't be looked up must not block everybody else's messages."""

LOOKUP_SECONDS: Final = 2.0

HOLE_REASON: Final = 255
"""Our own number for a gap that nobody explained; the server's are below."""

UNREADABLE_REASON: Final = 254
"""Our own number for an entry that this revision can't express."""


class Receiver:
    """Stores what the server delivers, and acknowledges it."""

    def __init__(
        self,
        device: Device,
        directory: Directory,
        on_stored: Callable[[set[bytes]], None],
    ) -> None:
        self._device = device
        self._directory = directory
        self._on_stored = on_stored
        self._inbox = Inbox()
        self._queue: deque[tuple[Link, Delivered]] = deque()
        self._link: Link | None = None
        self._kick = anyio.Event()

    def connect(self, link: Link, *, cursor: int, covered: int) -> None:
        """Begin a connection; its AUTH named the cursor."""
        self._queue.clear()
        self._link = link
        self._inbox = logic.connect(self._inbox, cursor=cursor, covered=covered)

    def disconnect(self) -> None:
        """End the connection: what isn't stored yet is delivered again."""
        self._link = None
        self._queue.clear()

    def put(self, link: Link, entry: Delivered) -> None:
        """Take an entry from a connection; never waits."""
        if len(self._queue) >= QUEUE_MAX:
            self._break(link, "The server sends more than its window")
            return
        self._queue.append((link, entry))
        self._kick.set()

    async def run(self) -> None:
        """Store entries for as long as the session lives."""
        while True:
            await self._wait()
            self._kick = anyio.Event()
            try:
                while self._queue:
                    await self._take_batch()
                    self._acknowledge()
            except StoreUnwritable as error:
                # Nothing of it is acknowledged; it comes again.
                if self._device.store.has_failed:
                    raise
                self._give_up(error)
            except ConnectionLost:
                self._queue.clear()
            self._acknowledge()

    async def _wait(self) -> None:
        at = logic.next_ack(self._inbox) if self._link is not None else None
        if at is None:
            await self._kick.wait()
        else:
            with anyio.move_on_after(max(0.0, at - anyio.current_time())):
                await self._kick.wait()

    def _acknowledge(self) -> None:
        now = anyio.current_time()
        position = logic.to_ack(self._inbox, now)
        link = self._link
        if position is not None and link is not None and link.is_usable:
            # Everything up to `position` is durable here (R-INBOX-002).
            link.tell(Ack(position=position))
            self._inbox = logic.ack(self._inbox, now)

    async def _take_batch(self) -> None:
        batch: list[Delivered] = []
        link, _ = self._queue[0]
        while self._queue and len(batch) < BATCH_MAX and self._queue[0][0] is link:
            batch.append(self._queue.popleft()[1])
        peers = await self._look_up(
            {entry.sender for entry in batch if isinstance(entry, Deliver | Missed)},
            {
                (entry.sender, entry.sender_device)
                for entry in batch
                if isinstance(entry, Deliver)
            },
        )
        if link is not self._link:
            return
        judged, inbox, verdict = judge_batch(self._inbox, batch)
        opening = Opening(
            device=self._device,
            account=self._device.account,
            peers=peers,
            now_ms=self._device.now_ms(),
        )
        if judged:
            await self._device.store.run(
                lambda txn: _store_txn(txn, opening, judged, inbox)
            )
            self._on_stored(opening.to_refresh)
        if link is not self._link:
            # A newer connection read the cursor after this commit.
            return
        entries = sum(not isinstance(entry, Gap) for entry, _ in judged)
        self._inbox = logic.store(inbox, inbox.taken, entries)
        if verdict is Verdict.RECONNECT:
            self._queue.clear()
            link.close(
                ErrorCode.GOING_AWAY, ConnectionLost("Some messages were left out.")
            )
        elif verdict is Verdict.BROKEN:
            self._break(link, "The server sent impossible numbers")

    async def _look_up(
        self, users: set[bytes], devices: set[tuple[bytes, int]]
    ) -> dict[bytes, Peer]:
        """Return the senders, fetched where the store doesn't know enough."""
        known = await self._device.store.run(lambda txn: _known_txn(txn, users))
        for user in sorted(users):
            peer = known.get(user)
            is_listed = peer is not None and all(
                peer.pin.device(number) for who, number in devices if who == user
            )
            if is_listed:
                continue
            fetched = await self._fetch(user, is_known=peer is not None)
            if fetched is not None:
                known[user] = fetched
        return known

    async def _fetch(self, user: bytes, *, is_known: bool) -> Peer | None:
        refusal: WigwagError | None = None
        for _ in range(LOOKUP_TRIES):
            try:
                if is_known:
                    return await self._directory.refresh(user)
                return await self._directory.introduce(user)
            except ConnectionLost:
                raise
            except (PeerUnknown, PeerChanged):
                return None
            except StoreUnwritable:
                raise
            except TimedOut as error:
                # Half of the connection is dead. A placeholder would stay for ever,
                # though the message is good: on a new connection it comes again.
                self._give_up(error)
                raise ConnectionLost("The server doesn't answer.") from error
            except WigwagError as error:
                if not error.retryable:
                    return None
                refusal = error
                wait = min(error.retry_after_seconds or 0.0, LOOKUP_SECONDS)
                await anyio.sleep(wait)
        # "Not now" says nothing about the sender either.
        assert refusal is not None, "each try raises, or returns"
        self._give_up(refusal)
        raise ConnectionLost("The server doesn't look the sender up now.") from refusal

    def _break(self, link: Link, doing: str) -> None:
        self._queue.clear()
        error = ServerRefused(ErrorCode.PROTOCOL_ERROR, doing=doing)
        link.close(ErrorCode.PROTOCOL_ERROR, error)

    def _give_up(self, error: WigwagError) -> None:
        self._queue.clear()
        if self._link is not None:
            self._link.close(ErrorCode.GOING_AWAY, error)


def _known_txn(txn: Txn, users: set[bytes]) -> dict[bytes, Peer]:
    found = ((user, peer_txn(txn, user)) for user in users)
    return {user: peer for user, peer in found if peer is not None}


def _store_txn(
    txn: Txn,
    opening: Opening,
    judged: Judged,
    inbox: Inbox,
) -> None:
    """Store a batch with the cursor: one transaction (I6)."""
    for entry, hole in judged:
        if hole is not None:
            add_gap_txn(
                txn,
                hole.first,
                hole.last,
                HOLE_REASON,
                "not_explained",
                opening.now_ms,
            )
        match entry:
            case Deliver():
                opening.deliver_txn(txn, entry)
            case Missed():
                opening.missed_txn(txn, entry)
            case Undelivered():
                opening.undelivered_txn(txn, entry)
            case Unreadable(inbox_seq=position):
                add_gap_txn(
                    txn,
                    position,
                    position,
                    UNREADABLE_REASON,
                    "newer_revision",
                    opening.now_ms,
                )
            case Gap():
                word = GapReason.from_wire(entry.reason).name.lower()
                add_gap_txn(
                    txn, entry.first, entry.last, entry.reason, word, opening.now_ms
                )
    set_counter_txn(txn, "cursor", max(inbox.taken, counter_txn(txn, "cursor")))
    set_counter_txn(txn, "covered", max(inbox.covered, counter_txn(txn, "covered")))
