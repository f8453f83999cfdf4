"""Drives the outbox: the decisions are `_outbox`'s, the doing is here.

One task offers rows and takes answers, another seals rows that have no
ciphertexts that count. Everything they learn goes through one `Outbox` value; what
must survive is committed before anything depends on it.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import anyio

from wigwag.client import _outbox as logic
from wigwag.client._compose import Composed, send_users
from wigwag.client._device import Device
from wigwag.client._ended import Answered, end_txn
from wigwag.client._errors import OutboxFull, ServerRefused, StoreUnwritable
from wigwag.client._ids import ZERO_ID
from wigwag.client._inbox import POSITION_MAX
from wigwag.client._link import Link
from wigwag.client._outbox import (
    ROWS_MAX,
    BaseMoved,
    Effect,
    Ended,
    Offer,
    Outbox,
    Phase,
    Refusal,
    Row,
    Window,
)
from wigwag.client._store_account import Account
from wigwag.client._store_outbox import (
    Letter,
    envelopes_txn,
    letter_txn,
    mark_offered_txn,
    outbox_rows_txn,
)
from wigwag.client._store_peers import (
    Peer,
    chat_base_txn,
    chat_peer_txn,
    peer_txn,
    set_chat_base_txn,
)
from wigwag.client._txn import Txn
from wigwag.wire import (
    DevicesStale,
    Envelope,
    Error,
    ErrorCode,
    Message,
    Refused,
    Send,
    Sequenced,
)

TICK_SECONDS: Final = 60.0
"""Rows expire by the day; a minute's delay is nothing."""

DISK_SECONDS: Final = 2.0
"""A full disk isn't asked more often than this."""

BODIES_MAX: Final = 512
"""Composed SENDs kept in memory until they leave; others are read again."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a SEND carries beside the numbers of its copy."""

    letter: Letter
    users: tuple[bytes, ...]
    attempt: int
    envelopes: tuple[Envelope, ...]


class Sender:
    """Offers what the outbox holds and makes the outcomes durable.

    Attributes:
        outbox: The value that decides.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self.outbox = Outbox()
        self._link: Link | None = None
        self._answers: deque[tuple[Offer, Message]] = deque()
        self._bodies: dict[bytes, Body] = {}
        self._hints: dict[bytes, DevicesStale] = {}
        # Bases move in memory at once; a letter that is composed meanwhile must
        # not take an older one from the store.
        self._bases: dict[bytes, bytes] = {}
        self._kick = anyio.Event()
        self._seal_kick = anyio.Event()
        self.epoch = 0
        self._is_stale = False
        # Counts what others committed and told: a reading that one of them overtook
        # may lack it, and is done again.
        self._told = 0
        device.post = self.take

    async def load(self) -> None:
        """Read the outbox from the store; volatile facts begin anew."""
        while True:
            told = self._told
            rows, bases, held = await self._device.store.run(_load_txn)
            if told == self._told:
                break
        # A connection may be there already; its answers name copies by number.
        self.outbox = logic.load(self.outbox, rows, bases, held)
        self._bases.clear()
        self._bodies.clear()
        self._answers.clear()
        self.epoch += 1

    def reload_soon(self) -> None:
        """Read the outbox from the store before anything more is offered.

        By the task that takes answers: what it is about to commit isn't read as open.
        """
        self._is_stale = True
        self._kick.set()

    async def _reload(self) -> None:
        if self._is_stale:
            self._is_stale = False
            await self.load()
            self._seal_kick.set()

    # What the session calls

    def check_room(self) -> None:
        """Raise `OutboxFull` if no row more can be taken."""
        if len(self.outbox.rows) >= ROWS_MAX:
            raise OutboxFull(f"{ROWS_MAX} messages wait in the outbox already.")

    def may_leave_at_once(self, chat: bytes) -> bool:
        """Say whether a message composed now would be offered after its commit."""
        window = self.outbox.window
        if window is None or chat in self.outbox.held:
            return False
        rows = self.outbox.rows
        if len(rows) >= window.rows_max:
            return False
        return all(
            row.phase is Phase.IN_FLIGHT for row in rows.values() if row.chat == chat
        )

    def take(self, composed: Composed) -> None:
        """Take a letter whose row was just committed."""
        self._told += 1
        letter = composed.letter
        if letter.id in self.outbox.rows:
            return  # read from the store meanwhile
        base = self._bases.get(letter.chat, composed.base)
        row = Row(
            id=letter.id,
            chat=letter.chat,
            is_ordered=letter.is_ordered,
            expires_ms=letter.expires_ms,
            is_offered=composed.is_offered,
        )
        self.outbox = logic.add(self.outbox, row, base)
        sealed = composed.sealed
        if sealed is None:
            self._seal_kick.set()
        else:
            self.outbox = logic.seal(
                self.outbox, letter.id, sealed.cover, sealed.size_bytes
            )
            if len(self._bodies) < BODIES_MAX:
                self._bodies[letter.id] = Body(
                    letter, composed.users, sealed.attempt, sealed.envelopes
                )
        self._kick.set()

    def hold(self, chat: bytes) -> None:
        """Stop sending in a chat."""
        self._told += 1
        self.outbox = logic.hold(self.outbox, chat)

    def release(self, chat: bytes) -> None:
        """Send in a chat again, with new ciphertexts."""
        self._told += 1
        self.outbox = logic.reseal(logic.release(self.outbox, chat), chat)
        self._kick.set()
        self._seal_kick.set()

    async def cancel(self, id_: bytes) -> bool:
        """End a row that was never offered; False: it can't be taken back."""
        self.outbox, effects = logic.cancel(self.outbox, id_)
        await self._persist([(effect, None) for effect in effects])
        self._told += 1
        return bool(effects)

    # What the connector calls

    def connect(self, link: Link, window: Window) -> None:
        """Begin a connection."""
        self._link = link
        self.outbox = logic.connect(self.outbox, window)
        self._kick.set()
        self._seal_kick.set()

    def re_register(self) -> None:
        """Begin a new registration, which is committed."""
        self._told += 1
        self.outbox = logic.re_register(self.outbox)
        self._bases.clear()
        self._bodies.clear()
        self._answers.clear()
        self.epoch += 1

    def disconnect(self) -> None:
        """End the connection."""
        self._link = None
        self.outbox = logic.disconnect(self.outbox)

    # Tasks

    async def run_offers(self) -> None:
        """Offer rows and take answers, for as long as the session lives."""
        while True:
            await self._wait(self._kick, logic.next_due)
            self._kick = anyio.Event()
            try:
                await self._take_answers()
                await self._expire()
                await self._reload()
                await self._offer()
            except StoreUnwritable as error:
                await self._recover(error)

    async def wait_to_seal(self) -> tuple[Row, ...]:
        """Wait until rows must be sealed, and a connection may be needed for it."""
        while True:
            rows = logic.to_seal(self.outbox, anyio.current_time())
            if rows and self._link is not None:
                return rows
            await self._wait(self._seal_kick, logic.next_due)
            self._seal_kick = anyio.Event()

    def hint(self, id_: bytes) -> DevicesStale | None:
        """Return how the server says a row's devices are wrong, if it did."""
        return self._hints.get(id_)

    def sealed(self, body: Body, row: Row, epoch: int) -> None:
        """Take a row's new ciphertexts, which are committed."""
        self._told += 1
        if epoch != self.epoch:
            # The outbox was read anew meanwhile, and maybe before this was committed.
            self.reload_soon()
            return
        current = self.outbox.rows.get(row.id)
        if current is None:
            return
        assert current.attempt + 1 == body.attempt, "only one task seals"
        cover = frozenset(
            logic.Device(item.user, item.device, item.registration_id)
            for item in body.envelopes
        )
        size_bytes = sum(len(item.ciphertext) for item in body.envelopes)
        self.outbox = logic.seal(self.outbox, row.id, cover, size_bytes)
        self._bodies[row.id] = body
        self._hints.pop(row.id, None)
        self._kick.set()

    def postpone(self, row: Row) -> None:
        """Note that a row couldn't be sealed, or needn't."""
        if row.id in self.outbox.rows:
            self.outbox = logic.postpone(self.outbox, row.id, anyio.current_time())
            self._hints.pop(row.id, None)
            self._kick.set()

    async def reject(self, row: Row, code: int) -> None:
        """End a row that there is nobody to seal for; one that was offered waits.

        Raises:
            StoreUnwritable: It is as before, and asked about again.
        """
        self.outbox, effects = logic.reject(self.outbox, row.id, code)
        if not effects:
            self.postpone(row)
            return
        try:
            await self._persist([(effect, None) for effect in effects])
        except StoreUnwritable:
            self.reload_soon()
            raise

    # Offering

    async def _expire(self) -> None:
        self.outbox, effects = logic.expire(self.outbox, self._device.now_ms())
        await self._persist([(effect, None) for effect in effects])

    async def _recover(self, error: StoreUnwritable) -> None:
        """Begin again from what is durable, once the disk takes writes.

        Raises:
            StoreUnwritable: It failed for good.
        """
        if self._link is not None:
            self._link.close(ErrorCode.GOING_AWAY, error)
        while not self._device.store.has_failed:
            await anyio.sleep(DISK_SECONDS)
            try:
                await self.load()
            except StoreUnwritable:
                continue
            self._kick.set()
            return
        raise error

    async def _offer(self) -> None:
        link = self._link
        self.outbox, offers = logic.offer(self.outbox, anyio.current_time())
        if not offers or link is None:
            return
        bodies = await self._bodies_of(offers)
        for offer in offers:
            row = self.outbox.rows.get(offer.id)
            body = bodies.get(offer.id)
            # While the store worked the row may have ended or been sealed anew.
            is_current = row is not None and row.copy == offer.copy
            if body is None or not is_current or body.attempt != offer.attempt:
                continue
            self._send(link, offer, body)

    def _send(self, link: Link, offer: Offer, body: Body) -> None:
        def take(answer: Message | None) -> None:
            if answer is not None:
                self._answers.append((offer, answer))
                self._kick.set()

        send = Send(
            chat=body.letter.chat,
            client_msg_id=offer.id,
            attempt=offer.attempt,
            after=offer.after,
            class_=body.letter.class_,
            users=body.users,
            envelopes=body.envelopes,
        )
        link.post(send, take)

    async def _bodies_of(self, offers: Iterable[Offer]) -> dict[bytes, Body]:
        """Return what to send; "offered" marks are durable on return."""
        first = [offer.id for offer in offers if offer.is_first]
        cached = {
            offer.id: self._bodies.pop(offer.id)
            for offer in offers
            if offer.id in self._bodies
            and self._bodies[offer.id].attempt == offer.attempt
        }
        absent = [offer.id for offer in offers if offer.id not in cached]
        if not first and not absent:
            return cached
        account = self._device.account

        def work(txn: Txn) -> dict[bytes, Body]:
            mark_offered_txn(txn, first)
            bodies = ((id_, body_txn(txn, account, id_)) for id_ in absent)
            return {id_: body for id_, body in bodies if body is not None}

        return cached | await self._device.store.run(work)

    # Answers

    async def _take_answers(self) -> None:
        ended: list[tuple[Effect, Answered | None]] = []
        while self._answers:
            offer, answer = self._answers.popleft()
            try:
                ended += self._judge(offer, answer)
            except ServerRefused as error:
                if self._link is not None:
                    self._link.close(ErrorCode.PROTOCOL_ERROR, error)
        await self._persist(ended)

    def _judge(
        self, offer: Offer, answer: Message
    ) -> list[tuple[Effect, Answered | None]]:
        now = anyio.current_time()
        match answer:
            case Sequenced():
                _check_sequenced(offer, answer)
                self.outbox, effects = logic.sequence(
                    self.outbox, offer.id, answer.attempt
                )
                answered = Answered(answer.chat_seq, answer.sent_at)
                return [(effect, answered) for effect in effects]
            case Refused() | Error():
                refusal = _refusal(offer, answer)
                if isinstance(answer, Refused) and answer.devices is not None:
                    self._hints[offer.id] = answer.devices
                self.outbox, effects = logic.refuse(
                    self.outbox, offer.id, offer.copy, refusal, now
                )
                self._seal_kick.set()
                return [(effect, None) for effect in effects]
            case _:
                raise AssertionError(type(answer))

    async def _persist(self, ended: list[tuple[Effect, Answered | None]]) -> None:
        """Make ends and bases durable, and take the letters that follow from them."""
        if not ended:
            return
        for effect, _ in ended:
            match effect:
                case BaseMoved(chat=chat, base=base):
                    self._bases[chat] = base
                case Ended(row=row):
                    self._bodies.pop(row.id, None)
                    self._hints.pop(row.id, None)
        device = self._device
        now_ms = device.now_ms()

        def work(txn: Txn) -> None:
            for effect, answered in ended:
                match effect:
                    case BaseMoved(chat=chat, base=base):
                        set_chat_base_txn(txn, chat, base)
                    case Ended():
                        end_txn(txn, device, effect, answered, now_ms)

        await device.store.run(work)

    async def _wait(self, kick: anyio.Event, due: "logic.Due") -> None:
        now = anyio.current_time()
        at = due(self.outbox, now)
        timeout = TICK_SECONDS if at is None else min(at - now, TICK_SECONDS)
        with anyio.move_on_after(timeout):
            await kick.wait()


def body_txn(txn: Txn, account: Account, id_: bytes) -> Body | None:
    """Read what a row's SEND carries; None: it has ended."""
    letter = letter_txn(txn, id_)
    attempt = txn.value(int, "SELECT attempt FROM outbox WHERE id = ?", id_)
    if letter is None or attempt is None:
        return None
    peer = letter_peer_txn(txn, letter)
    users = send_users(account, peer, letter)
    return Body(letter, users, attempt, tuple(envelopes_txn(txn, id_)))


def letter_peer_txn(txn: Txn, letter: Letter) -> Peer:
    """Return the other person of a letter's chat."""
    user = chat_peer_txn(txn, letter.chat)
    peer = None if user is None else peer_txn(txn, user)
    assert peer is not None, "a letter's chat and its peer are stored before it"
    return peer


def _load_txn(txn: Txn) -> tuple[list[Row], dict[bytes, bytes], frozenset[bytes]]:
    rows = outbox_rows_txn(txn)
    bases = {row.chat: chat_base_txn(txn, row.chat) for row in rows}
    held = txn.all(
        tuple[bytes],
        "SELECT chat FROM chat JOIN peer ON peer.user = chat.peer WHERE change <> ''",
    )
    return rows, bases, frozenset(chat for (chat,) in held)


def _check_sequenced(offer: Offer, answer: Sequenced) -> None:
    is_sane = answer.client_msg_id == offer.id
    is_sane &= answer.chat_seq <= POSITION_MAX and answer.sent_at <= POSITION_MAX
    if not is_sane:
        raise ServerRefused(ErrorCode.PROTOCOL_ERROR, doing="A wrong SEQUENCED")


def _refusal(offer: Offer, answer: Refused | Error) -> Refusal:
    return Refusal(
        code=answer.code,
        # An ERROR has no attempt: it answers exactly the copy with its corr.
        attempt=answer.attempt if isinstance(answer, Refused) else offer.attempt,
        outcome=answer.outcome,
        retry_after_seconds=answer.retry_after_ms / 1000,
        last_id=(answer.last_id or ZERO_ID) if isinstance(answer, Refused) else ZERO_ID,
    )
