"""Seals letters that have no ciphertexts that count, with the directory's help."""

from typing import Final

import anyio

from wigwag.client._compose import Seal, Sealed, seal_txn, send_users
from wigwag.client._device import Device
from wigwag.client._directory import Directory
from wigwag.client._errors import ServerRefused, StoreDamaged, WigwagError
from wigwag.client._outbox import Row
from wigwag.client._sender import Body, Sender, letter_peer_txn
from wigwag.client._store_outbox import Letter, letter_txn
from wigwag.client._store_peers import Peer
from wigwag.client._txn import DeviceKey, Txn
from wigwag.wire import DevicesStale, ErrorCode

CLAIM_SECONDS: Final = 60.0
"""One letter's look-ups; a server that doesn't answer must not stop all others."""


class Sealer:
    """Fetches lists and bundles that a letter needs, and seals it."""

    def __init__(self, device: Device, directory: Directory, sender: Sender) -> None:
        self._device = device
        self._directory = directory
        self._sender = sender

    async def run(self) -> None:
        """Seal rows for as long as the session lives."""
        while True:
            for row in await self._sender.wait_to_seal():
                try:
                    with anyio.fail_after(CLAIM_SECONDS):
                        await self._seal(row)
                except StoreDamaged:
                    raise
                except (WigwagError, TimeoutError):
                    if self._device.store.has_failed:
                        raise
                    # The server, the disk or the peer's new key: the row waits.
                    self._sender.postpone(row)

    async def _seal(self, row: Row) -> None:
        epoch = self._sender.epoch
        found = await self._device.store.run(lambda txn: _letter(txn, row.id))
        if found is None:
            return
        letter, peer = found
        hint = self._sender.hint(row.id)
        if hint is not None:
            await self._follow(letter, peer, hint)
        outcome = await self._try(row, letter)
        if outcome is Seal.LACKS_SESSION:
            try:
                await self._claim(letter, peer)
            except ServerRefused as error:
                if error.code != ErrorCode.NOT_FOUND:
                    raise
                # As a SEND would be answered: the account is gone.
                await self._sender.reject(row, error.code)
                return
            outcome = await self._try(row, letter)
        if isinstance(outcome, Sealed):
            users = send_users(self._device.account, peer, letter)
            body = Body(letter, users, outcome.attempt, outcome.envelopes)
            self._sender.sealed(body, row, epoch)
        else:
            self._sender.postpone(row)

    async def _try(self, row: Row, letter: Letter) -> Sealed | Seal:
        account = self._device.account

        def work(txn: Txn) -> Sealed | Seal:
            # The peer as he is now: the look-ups may have brought a newer list.
            return seal_txn(
                txn,
                account,
                letter_peer_txn(txn, letter),
                letter,
                attempt=row.attempt + 1,
            )

        return await self._device.store.run(work)

    async def _follow(self, letter: Letter, peer: Peer, hint: DevicesStale) -> None:
        """Bring lists and sessions up to what the server hints at.

        The hint alone moves nothing: only devices of the signed list count.
        """
        peer = await self._directory.refresh(peer.user)
        claimed: set[int] = set()
        for item in hint.stale:
            if item.user != peer.user or peer.pin.device(item.device) is None:
                continue
            key = (item.user, item.device)
            if await self._registration(key) != item.registration_id:
                claimed.add(item.device)
        if claimed:
            await self._directory.claim(peer, frozenset(claimed))

    async def _registration(self, key: DeviceKey) -> int | None:
        return await self._device.store.run(
            lambda txn: txn.sessions(*key).registration_id
        )

    async def _claim(self, letter: Letter, peer: Peer) -> None:
        """Start the sessions that a letter's devices lack."""

        def lacking(txn: Txn) -> frozenset[int]:
            return frozenset(
                item.number
                for item in peer.pin.devices
                if not txn.sessions(peer.user, item.number).has_active
            )

        wanted = await self._device.store.run(lacking)
        if letter.target is not None:
            wanted &= {letter.target[1]}
        if wanted:
            await self._directory.claim(peer, wanted)


def _letter(txn: Txn, id_: bytes) -> tuple[Letter, Peer] | None:
    letter = letter_txn(txn, id_)
    return None if letter is None else (letter, letter_peer_txn(txn, letter))
