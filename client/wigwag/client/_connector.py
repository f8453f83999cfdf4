"""Keeps the device connected: dial, sign in, serve, wait, again."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import anyio

from wigwag.client._backoff import Backoff, draw_jitter
from wigwag.client._device import Connectivity, Device, with_authority
from wigwag.client._dial import SIGN_IN_SECONDS, Facts, Handshake, open_handshake
from wigwag.client._errors import (
    DialFailed,
    ServerRefused,
    StoreUnwritable,
    WigwagError,
)
from wigwag.client._ids import ZERO_ID
from wigwag.client._link import Ending, Link
from wigwag.client._outbox import Window
from wigwag.client._receiver import Receiver
from wigwag.client._registration import re_register
from wigwag.client._restored import (
    has_server_lost_txn,
    offer_again_txn,
    tell_restored_txn,
)
from wigwag.client._sender import Sender
from wigwag.client._store_account import bump_generation_txn, counter_txn
from wigwag.client._store_outbox import is_old_copy, made_txn
from wigwag.client._txn import Txn
from wigwag.wire import (
    AuthOk,
    Deliver,
    ErrorCode,
    Gap,
    Message,
    Missed,
    Undelivered,
    Unreadable,
)

FINAL_CODES: Final = frozenset(
    {
        ErrorCode.REPLACED,
        ErrorCode.AUTH_FAILED,
        ErrorCode.DEVICE_REMOVED,
        ErrorCode.NO_COMMON_REVISION,
        ErrorCode.UNSUPPORTED,
    }
)
"""After these the same try gives the same answer, or takes another's connection."""

Serve = Callable[[Link, AuthOk], Coroutine[Any, Any, None]]
"""What else to do while connected; cancelled when the connection ends."""

Hint = Callable[[Message], None]
"""Takes events that aren't inbox entries."""


@dataclass(frozen=True, slots=True)
class _Start:
    """What the store says before a connect."""

    facts: Facts
    covered: int


class Connector:
    """Connects, and connects again until that can't help any more."""

    def __init__(
        self,
        device: Device,
        sender: Sender,
        receiver: Receiver,
        serve: Serve,
        on_hint: Hint,
    ) -> None:
        self._device = device
        self._sender = sender
        self._receiver = receiver
        self._serve = serve
        self._on_hint = on_hint

    async def run(self) -> None:
        """Keep connected for as long as the session lives."""
        backoff = Backoff()
        while True:
            uptime = 0.0
            try:
                ending, ready_at = await self._connect_once()
                uptime = anyio.current_time() - ready_at
            except StoreUnwritable as error:
                if self._device.store.has_failed:
                    raise
                ending = Ending(error)
            except WigwagError as error:
                ending = Ending(
                    error, error.code or 0, error.retry_after_seconds or 0.0
                )
            ending = self._explained(ending)
            is_final = ending.code in FINAL_CODES
            self._device.set_link(None, Connectivity(False, ending.error, is_final))
            if is_final:
                return
            backoff, wait = backoff.next(
                uptime_seconds=uptime,
                told_seconds=ending.retry_after_seconds,
                jitter=draw_jitter(self._device.entropy),
            )
            await anyio.sleep(wait)

    def _explained(self, ending: Ending) -> Ending:
        """Say that this device was removed, where its own list says it too.

        The server tells a removed device's sign-in no more than a stranger's.
        """
        account = self._device.account
        if (
            ending.code == ErrorCode.AUTH_FAILED
            and account.list_pin.device(account.device) is None
        ):
            code = ErrorCode.DEVICE_REMOVED
            return Ending(ServerRefused(code), code)
        return ending

    async def _connect_once(self) -> tuple[Ending, float]:
        """Do one connection, from the generation's bump to its end.

        Returns:
            How it ended, and when it became READY.
        """
        device = self._device
        # Durable before anything is sent: a copy of this store is found out by it.
        start = await device.store.run(self._start_txn)
        account = device.account
        handshake = await open_handshake(device.ports, account.address, account.trust)
        try:
            with anyio.fail_after(SIGN_IN_SECONDS):
                answer = await self._sign_in(handshake, start.facts)
        except TimeoutError as error:
            await handshake.stream.aclose()
            raise DialFailed("The server doesn't finish the sign-in.") from error
        except BaseException:
            with anyio.CancelScope(shield=True):
                await handshake.stream.aclose()
            raise
        if handshake.authority != account.trust.authority:
            authority = handshake.authority
            await device.change_account(lambda old: with_authority(old, authority))
        ready_at = anyio.current_time()
        return await self._work(handshake, answer, start), ready_at

    async def _work(
        self, handshake: Handshake, answer: AuthOk, start: _Start
    ) -> Ending:
        """Serve a connection that is READY until it ends."""
        link = Link(handshake.stream, handshake.connection, self._route)
        limits = handshake.welcome.limits
        self._receiver.connect(link, cursor=start.facts.cursor, covered=start.covered)
        self._sender.connect(
            link, Window(limits.in_flight_max, limits.in_flight_bytes_max)
        )
        self._device.set_link(link, Connectivity(is_online=True))
        endings: list[Ending] = []
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._serve, link, answer)
                endings.append(await link.run())
                tasks.cancel_scope.cancel()
        finally:
            self._sender.disconnect()
            self._receiver.disconnect()
        return endings[0]

    def _start_txn(self, txn: Txn) -> _Start:
        account = self._device.account
        facts = Facts(
            user=account.user,
            device=account.device,
            registration_id=account.registration_id,
            generation=bump_generation_txn(txn),
            cursor=counter_txn(txn, "cursor"),
        )
        return _Start(facts, counter_txn(txn, "covered"))

    async def _sign_in(self, handshake: Handshake, facts: Facts) -> AuthOk:
        """Sign in; a store that turns out to be an old copy registers anew."""
        device = self._device
        await device.set_server_time(handshake.welcome.server_time)
        is_begun = device.account.next_registration_id != 0
        try:
            if is_begun:
                answer = await re_register(device, self._sender, handshake, facts)
            else:
                answer = await handshake.sign_in(facts, device.account.device_keys)
        except ServerRefused as error:
            if error.code != ErrorCode.STORE_ROLLED_BACK:
                raise
            return await self._register_anew(handshake, facts)
        if not await self._is_ours(answer):
            return await self._register_anew(handshake, facts)
        if not is_begun:
            await self._offer_again(answer)
        return answer

    async def _register_anew(self, handshake: Handshake, facts: Facts) -> AuthOk:
        """Register under an id that was never sent: once a connection, so no loop.

        Also if a registration was begun here: the store may be a copy of that moment,
        whose newer self has gone through with it (R-AUTH-007).
        """
        return await re_register(
            self._device, self._sender, handshake, facts, is_anew=True
        )

    async def _offer_again(self, answer: AuthOk) -> None:
        """Offer again what a server that was put back from a backup has lost."""
        now_ms = self._device.now_ms()

        def work(txn: Txn) -> bool:
            if not has_server_lost_txn(txn, answer.last_stored_id):
                return False
            offer_again_txn(txn, now_ms)
            tell_restored_txn(txn, now_ms)
            return True

        if await self._device.store.run(work):
            self._sender.reload_soon()

    async def _is_ours(self, answer: AuthOk) -> bool:
        """Say whether this store made the newest SEND that the server has of it."""
        if answer.last_stored_id == ZERO_ID:
            return True
        made = await self._device.store.run(
            lambda txn: made_txn(txn, answer.last_stored_id)
        )
        return not is_old_copy(answer.last_stored_attempt, made)

    def _route(self, link: Link, event: Message) -> None:
        match event:
            case Deliver() | Missed() | Undelivered() | Unreadable() | Gap():
                self._receiver.put(link, event)
            case _:
                self._on_hint(event)
