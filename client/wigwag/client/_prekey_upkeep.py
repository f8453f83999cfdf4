"""Keeps the server stocked with prekeys."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

import anyio

from wigwag.client._device import Device
from wigwag.client._link import Link
from wigwag.client._store_prekeys import (
    PrekeyKind,
    confirm_upload_txn,
    current_last_resort_txn,
    current_signed_txn,
    drop_prekey_txn,
    make_last_resort_txn,
    make_signed_txn,
    one_time_to_upload_txn,
    skip_stored_ids_txn,
)
from wigwag.client._txn import Txn
from wigwag.client.crypto import (
    PREKEY_ROTATION_MS,
    PREKEYS_LOW,
    OwnKemPrekey,
    OwnSignedPrekey,
)
from wigwag.wire import AuthOk, PrekeysStored, PrekeysUpload

Upload = Callable[
    [PrekeysUpload, type[PrekeysStored]], Coroutine[Any, Any, PrekeysStored]
]
"""Such as `Link.ask`."""

ROTATE_CHECK_SECONDS: Final = 3600.0
"""Prekeys rotate every two days; an hour late is nothing."""


class PrekeyUpkeep:
    """Rotates the signed and the last-resort prekey, refills the one-time ones.

    Attributes:
        is_low: Few one-time prekeys are left at the server.
        not_before: Earliest time for the next try after a refusal, steady clock.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self.is_low = False
        self.not_before = 0.0
        self._rotate_at = 0.0

    async def sign_in(self, link: Link, answer: AuthOk) -> None:
        """Do what AUTH_OK's counts ask for."""
        # PREKEYS_LOW may have come already, right behind AUTH_OK.
        self.is_low |= min(answer.ec_left, answer.kem_left) < PREKEYS_LOW
        await self.stock(link.ask)

    async def stock(self, ask: Upload) -> None:
        """Make and upload what is missing.

        Args:
            ask: Sends a request and returns its answer.
        """
        await self._rotate(ask)
        await self._refill(ask)

    async def turn(self, link: Link) -> None:
        """Do what is due."""
        now = anyio.current_time()
        if now < self.not_before:
            return
        if now >= self._rotate_at:
            self._rotate_at = now + ROTATE_CHECK_SECONDS
            await self._rotate(link.ask)
        await self._refill(link.ask)

    async def _rotate(self, ask: Upload) -> None:
        """Replace what is old or isn't at the server.

        Twice, if the server knows an id by another key: of a newer self of this store,
        which was put back (it says which ids it has seen).
        """
        if not await self._upload_current(ask):
            await self._upload_current(ask)

    async def _upload_current(self, ask: Upload) -> bool:
        device, now_ms = self._device, self._device.now_ms()

        def work(txn: Txn) -> tuple[OwnSignedPrekey | None, OwnKemPrekey | None]:
            me = device.account.local
            signed = current_signed_txn(txn)
            last = current_last_resort_txn(txn)
            new_signed = new_last = None
            if signed is None or _is_old(signed[0].created_at_ms, now_ms):
                new_signed = make_signed_txn(
                    txn, me, entropy=device.entropy, now_ms=now_ms
                )
            elif not signed[1]:
                new_signed = signed[0]
            if last is None or _is_old(last[1], now_ms):
                new_last = make_last_resort_txn(
                    txn, me, entropy=device.entropy, now_ms=now_ms
                )
            elif not last[2]:
                new_last = last[0]
            return new_signed, new_last

        # Their secrets are durable before the server may hand them out.
        signed, last = await device.store.run(work)
        if signed is None and last is None:
            return True
        upload = PrekeysUpload(
            one_time=(),
            kem=(),
            signed=None if signed is None else signed.offer(),
            last_resort=None if last is None else last.offer(),
        )
        stored = await ask(upload, PrekeysStored)
        sent = [
            (kind, prekey.prekey_id, held_id)
            for kind, prekey, held_id in (
                (PrekeyKind.SIGNED, signed, stored.signed_id),
                (PrekeyKind.KEM, last, stored.last_resort_id),
            )
            if prekey is not None
        ]

        def confirm(txn: Txn) -> None:
            for kind, prekey_id, held_id in sent:
                if prekey_id == held_id:
                    confirm_upload_txn(txn, kind, [prekey_id])
                else:
                    drop_prekey_txn(txn, kind, prekey_id)
                    skip_stored_ids_txn(txn, stored)

        await device.store.run(confirm)
        return all(prekey_id == held_id for _, prekey_id, held_id in sent)

    async def _refill(self, ask: Upload) -> None:
        if not self.is_low:
            return
        device, now_ms = self._device, self._device.now_ms()
        me = device.account.local
        one_time, kem = await device.store.run(
            lambda txn: one_time_to_upload_txn(
                txn, me, entropy=device.entropy, now_ms=now_ms
            )
        )
        upload = PrekeysUpload(
            one_time=tuple(item.offer() for item in one_time),
            kem=tuple(item.offer() for item in kem),
        )
        stored = await ask(upload, PrekeysStored)
        one_time_ids = [item.prekey_id for item in one_time]
        kem_ids = [item.prekey_id for item in kem]

        def confirm(txn: Txn) -> None:
            skip_stored_ids_txn(txn, stored)
            confirm_upload_txn(txn, PrekeyKind.ONE_TIME, one_time_ids)
            confirm_upload_txn(txn, PrekeyKind.KEM, kem_ids)

        await device.store.run(confirm)
        self.is_low = min(stored.ec_left, stored.kem_left) < PREKEYS_LOW


def _is_old(made_ms: int, now_ms: int) -> bool:
    return now_ms - made_ms >= PREKEY_ROTATION_MS
