"""What a connected device does on its own: keys, lists, receipts, repairs, cleaning."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import anyio

from wigwag.client._device import Device, change_account_txn
from wigwag.client._devices import publish_lists
from wigwag.client._directory import Directory
from wigwag.client._errors import (
    ConnectionLost,
    PeerChanged,
    StoreError,
    StoreUnwritable,
    WigwagError,
)
from wigwag.client._events import EventKind
from wigwag.client._inbox import POSITION_MAX
from wigwag.client._link import Link
from wigwag.client._prekey_upkeep import PrekeyUpkeep
from wigwag.client._resend import ask_again_txn
from wigwag.client._store_account import (
    Account,
    save_own_list_txn,
    sign_own_list_txn,
)
from wigwag.client._store_events import add_event_txn, drop_old_events_txn
from wigwag.client._store_messages import (
    chats_underway_txn,
    delivered_mark_txn,
    next_retry_ms_txn,
    stubs_to_retry_txn,
)
from wigwag.client._store_outbox import drop_old_sent_txn
from wigwag.client._store_peers import Peer, chat_peer_txn
from wigwag.client._store_prekeys import drop_old_prekeys_txn
from wigwag.client._txn import Txn
from wigwag.client.crypto import ListRefused, accept_list
from wigwag.wire import (
    LIMITS,
    AuthOk,
    DeviceList,
    DeviceListGet,
    DeviceLists,
    ErrorCode,
    Mark,
    Message,
    PrekeysLow,
    Receipt,
    Receipts,
    ReceiptsGet,
    decode_struct,
    suite1,
)

POLL_SECONDS: Final[float] = LIMITS["receipts_poll_seconds"].value
CHATS_MAX: Final = LIMITS["receipts_chats_max"].value

CLEAN_SECONDS: Final = 3600.0
"""Rows live for 62 days; once an hour is often enough to drop them."""

AGAIN_SECONDS: Final = 60.0
"""After an error of the server's a duty is tried again this much later."""

FINISH_SECONDS: Final = 3.0
"""A session that ends while a peer is looked up waits this long for it: who only
ever sends one message and leaves would else never learn of a changed key."""

REPAIRS_MAX: Final = 64
"""Placeholders asked for in one transaction."""


class Upkeep:
    """A session's duties while it is connected."""

    def __init__(self, device: Device, directory: Directory) -> None:
        self._device = device
        self._directory = directory
        self._prekeys = PrekeyUpkeep(device)
        self._marks: list[Mark] = []
        # Dictionaries, for their order: the same seed gives the same requests.
        self._to_refresh: dict[bytes, None] = {}
        self._to_check: dict[bytes, None] = {}
        self._checked = anyio.Event()
        self._is_serving = False
        self._kick = anyio.Event()
        self._heard_at = 0.0
        self._clean_at = 0.0

    # What others call

    def take_hint(self, event: Message) -> None:
        """Take an event of the server that isn't an inbox entry."""
        match event:
            case Receipt(mark=mark):
                self._marks.append(mark)
                self._heard_at = anyio.current_time()
            case PrekeysLow():
                self._prekeys.is_low = True
            case _:
                # INBOX_EMPTY and what newer servers say: nothing to do.
                return
        self._kick.set()

    def stored(self, to_refresh: set[bytes]) -> None:
        """Note that entries were stored: placeholders and lists may be due."""
        self._to_refresh |= dict.fromkeys(sorted(to_refresh))
        self._kick.set()

    def written_to(self, peer: Peer) -> None:
        """Note that somebody is written to: look him up again now and then."""
        self._to_check[peer.user] = None
        self._kick.set()

    async def finish(self) -> None:
        """Before a session ends: let the look-ups of peers end that are due."""
        with anyio.move_on_after(FINISH_SECONDS):
            while self._to_check and self._is_serving:
                await self._checked.wait()

    async def serve(self, link: Link, answer: AuthOk) -> None:
        """Do what is due until the connection ends."""
        self._heard_at = anyio.current_time()
        self._is_serving = True
        try:
            await self._duty(lambda: self._agree_on_list(link, answer.list_seq))
            await self._duty(lambda: self._prekeys.sign_in(link, answer))
            await self._duty(lambda: self._poll(link))
            while True:
                await self._wait()
                self._kick = anyio.Event()
                await self._turn(link)
        except ConnectionLost:
            # The connector sees it too; the next connection begins anew.
            return
        except StoreUnwritable as error:
            link.close(ErrorCode.GOING_AWAY, error)
        finally:
            self._is_serving = False
            self._tell_checked()

    def _tell_checked(self) -> None:
        self._checked.set()
        self._checked = anyio.Event()

    async def _turn(self, link: Link) -> None:
        await self._take_marks()
        await self._duty(lambda: self._prekeys.turn(link))
        await self._duty(lambda: self._sign_list_again(link))
        await self._duty(self._look_up)
        await self._repair()
        now = anyio.current_time()
        if now - self._heard_at >= POLL_SECONDS:
            await self._duty(lambda: self._poll(link))
        if now >= self._clean_at:
            self._clean_at = now + CLEAN_SECONDS
            now_ms = self._device.now_ms()
            await self._device.store.run(lambda txn: _clean_txn(txn, now_ms))

    async def _duty(self, duty: Callable[[], Awaitable[None]]) -> None:
        """Do one thing; what the server refuses now is done another time."""
        try:
            await duty()
        except (ConnectionLost, StoreError):
            raise
        except PeerChanged:
            # Sending to him is held and an event tells it.
            return
        except WigwagError:
            self._prekeys.not_before = anyio.current_time() + AGAIN_SECONDS

    async def _wait(self) -> None:
        now_ms = self._device.now_ms()
        retry_ms = await self._device.store.run(next_retry_ms_txn)
        timeout = POLL_SECONDS
        if retry_ms is not None:
            timeout = min(timeout, max(0.0, (retry_ms - now_ms) / 1000))
        with anyio.move_on_after(timeout):
            await self._kick.wait()

    # Delivered marks

    async def _take_marks(self) -> None:
        marks, self._marks = self._marks, []
        if marks:
            now_ms = self._device.now_ms()
            await self._device.store.run(lambda txn: _marks_txn(txn, marks, now_ms))

    async def _poll(self, link: Link) -> None:
        """Ask for the marks: a hint may be lost (R-RECEIPT-002)."""
        self._heard_at = anyio.current_time()
        chats = await self._device.store.run(
            lambda txn: chats_underway_txn(txn, CHATS_MAX)
        )
        if chats:
            answer = await link.ask(ReceiptsGet(chats=tuple(sorted(chats))), Receipts)
            self._marks += answer.marks
            await self._take_marks()

    # Own device list

    async def _agree_on_list(self, link: Link, server_seq: int) -> None:
        """Bring the server's newest list of ours and our own together."""
        own = self._device.account.list_pin
        if server_seq > own.seq:
            await self._adopt_lists(link)
            return
        await publish_lists(self._device, link, server_seq)

    async def _adopt_lists(self, link: Link) -> None:
        account = self._device.account
        page = await link.ask(
            DeviceListGet(user=account.user, above=account.list_pin.seq), DeviceLists
        )
        try:
            pin = accept_list(account.list_pin, page.account_key, page.lists)
        except ListRefused as error:
            reason, now_ms = error.reason.value, self._device.now_ms()
            await self._device.store.run(
                lambda txn: add_event_txn(
                    txn,
                    EventKind.LISTS_DIFFER,
                    now_ms,
                    user=account.user,
                    reason=reason,
                )
            )
            return

        def work(txn: Txn) -> Account:
            for signed in page.lists:
                seq = decode_struct(DeviceList, signed.blob).seq
                save_own_list_txn(txn, seq, signed)
            return change_account_txn(txn, lambda old: replace(old, list_pin=pin))

        self._device.account = await self._device.store.run(work)

    async def _sign_list_again(self, link: Link) -> None:
        """Date our list anew: peers warn when it is a month old."""
        account = self._device.account
        now_ms = self._device.now_ms()
        if now_ms - account.list_pin.signed_at_ms < suite1.LIST_RESIGN_MS:
            return

        def work(txn: Txn) -> Account:
            return change_account_txn(
                txn, lambda old: sign_own_list_txn(txn, old, now_ms)
            )

        self._device.account = await self._device.store.run(work)
        await publish_lists(self._device, link, account.list_pin.seq)

    # Peers

    async def _look_up(self) -> None:
        while self._to_refresh:
            user = next(iter(self._to_refresh))
            del self._to_refresh[user]
            before = await self._directory.meet(user)
            after = await self._directory.refresh(user)
            if after.pin.seq == before.pin.seq:
                # He has a list that the server doesn't give us.
                await self._tell_lists_differ(user)
        while self._to_check:
            user = next(iter(self._to_check))
            try:
                await self._directory.check(await self._directory.meet(user))
            finally:
                del self._to_check[user]
                self._tell_checked()

    async def _tell_lists_differ(self, user: bytes) -> None:
        now_ms = self._device.now_ms()
        await self._device.store.run(
            lambda txn: add_event_txn(
                txn,
                EventKind.LISTS_DIFFER,
                now_ms,
                user=user,
                reason="sender_list_unknown",
            )
        )

    # Placeholders

    async def _repair(self) -> None:
        device, now_ms = self._device, self._device.now_ms()

        def work(txn: Txn) -> None:
            for stub in stubs_to_retry_txn(txn, now_ms, REPAIRS_MAX):
                ask_again_txn(txn, device, stub, now_ms)

        await device.store.run(work)


def _marks_txn(txn: Txn, marks: list[Mark], now_ms: int) -> None:
    for mark in marks:
        # The mark of our own account says nothing about our messages.
        if mark.user == chat_peer_txn(txn, mark.chat) and mark.mark <= POSITION_MAX:
            delivered_mark_txn(txn, mark.chat, mark.mark, now_ms)


def _clean_txn(txn: Txn, now_ms: int) -> None:
    drop_old_prekeys_txn(txn, now_ms)
    drop_old_sent_txn(txn, now_ms)
    drop_old_events_txn(txn, now_ms)
    txn.do(
        "DELETE FROM skipped_key WHERE made_ms < ?",
        now_ms - suite1.SKIPPED_KEY_LIFE_MS,
    )
