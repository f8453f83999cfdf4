"""Who is who: names, accounts, device lists, sessions with their devices.

The server's word counts for nothing that a signature can prove: lists are pinned
at first sight and followed by their chain; a bundle counts only for a device that
the pinned list names. What can't be proven (whose a name is) is remembered, and a
change of it holds all sending until the user accepts it.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from wigwag.client._device import Device
from wigwag.client._errors import PeerChanged, PeerUnknown, ServerRefused
from wigwag.client._events import EventKind
from wigwag.client._store_events import add_event_txn
from wigwag.client._store_peers import (
    Peer,
    name_txn,
    peer_txn,
    save_name_txn,
    save_peer_txn,
)
from wigwag.client._txn import Txn
from wigwag.client.crypto import (
    BundleRefused,
    ListPin,
    ListRefused,
    accept_first_list,
    accept_list,
    archive_active,
    start_session,
    verify_bundle,
)
from wigwag.wire import (
    Bundles,
    DeviceListGet,
    DeviceLists,
    ErrorCode,
    PrekeysClaim,
    UsernameOf,
    UsernameResolve,
    UsernameResolved,
)

NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{2,31}")
"""R-NAME-001."""

LIST_PAGES_MAX: Final = 64
"""Pages of 16 lists: at one a week, twenty years."""

CHECK_AFTER_MS: Final = 3600 * 1000
"""A peer that we write to is looked up again after an hour."""


class Directory:
    """Looks accounts up at the server and remembers them.

    Args:
        device: This device.
        on_change: Told the account to which sending is held from now on.
    """

    def __init__(self, device: Device, on_change: Callable[[bytes], None]) -> None:
        self._device = device
        self._on_change = on_change

    async def known(self, name: str) -> Peer | None:
        """Return a peer by name, as the store knows him.

        Raises:
            PeerUnknown: It isn't a username, or our own.
        """
        if not NAME.fullmatch(name):
            raise PeerUnknown(f"{name!r} can't be a username.")
        if name == self._device.account.name:
            raise PeerUnknown("That is your own name.")

        def work(txn: Txn) -> Peer | None:
            found = name_txn(txn, name)
            return None if found is None else peer_txn(txn, found.user)

        return await self._device.store.run(work)

    async def resolve(self, name: str) -> Peer:
        """Return a peer by name; looks him up at the server at first.

        Raises:
            PeerUnknown: There is nobody of this name.
            WigwagError: The server can't be asked now.
        """
        peer = await self.known(name)
        if peer is not None:
            return peer
        user = await self._user_of(name)
        peer = await self.meet(user)
        return await self._name_peer(peer, name)

    async def meet(self, user: bytes) -> Peer:
        """Return an account, pinned now if we never saw it.

        Raises:
            PeerUnknown: There is no such account, or its list isn't genuine.
            WigwagError: The server can't be asked now.
        """
        known = await self._device.store.run(lambda txn: peer_txn(txn, user))
        if known is not None:
            return known
        peer = await self._fetch_peer(user)
        return await self._device.store.run(lambda txn: _keep_txn(txn, peer))

    async def introduce(self, user: bytes) -> Peer:
        """Return an account that wrote to us, with its name if that can be proven.

        A name that we know as another account's makes that other one's sending
        held: somebody took the name over.
        """
        known = await self._device.store.run(lambda txn: peer_txn(txn, user))
        if known is not None:
            return known
        # Kept only when all is known: a cut in between begins anew.
        peer = await self._fetch_peer(user)
        link = self._device.require_link()
        try:
            answer = await link.ask(UsernameOf(user), UsernameResolved)
            is_his = await self._user_of(answer.name) == user
        except (PeerUnknown, ServerRefused):
            return await self._device.store.run(lambda txn: _keep_txn(txn, peer))
        if not is_his:
            return await self._device.store.run(lambda txn: _keep_txn(txn, peer))
        return await self._name_peer(peer, answer.name)

    async def refresh(self, user: bytes) -> Peer:
        """Fetch the lists after the pinned one.

        Raises:
            PeerChanged: They aren't genuine successors; sending to him is held.
        """
        peer = await self.meet(user)
        pin = peer.pin
        change = ""
        for _ in range(LIST_PAGES_MAX):
            page = await self._fetch(user, above=pin.seq)
            try:
                pin = accept_list(pin, page.account_key, page.lists)
            except ListRefused as error:
                change = error.reason.value
                break
            if not page.more or not page.lists:
                break
        return await self._save_checked(peer, pin, change)

    async def check(self, peer: Peer) -> Peer:
        """Look a peer up again, name and list, if that was long ago.

        Raises:
            PeerChanged: He isn't who he was.
        """
        if self._device.now_ms() - peer.checked_ms < CHECK_AFTER_MS:
            return peer
        if peer.name is not None:
            user = await self._user_of(peer.name)
            if user != peer.user:
                other = await self.meet(user)
                await self._name_peer(other, peer.name)
                raise PeerChanged(peer.label)
        return await self.refresh(peer.user)

    async def accept_change(self, name: str) -> tuple[Peer, Peer]:
        """Take a peer as he is now: a new key is pinned as at first sight.

        Returns:
            The peer as he was, and as he is.

        Raises:
            PeerUnknown: There is nobody of this name.
            WigwagError: The server can't be asked now.
        """
        before = await self.resolve(name)
        found = await self._device.store.run(lambda txn: name_txn(txn, name))
        other = None if found is None else found.changed_user
        if other is None and not before.change:
            return before, before
        after = await self.meet(other) if other else before
        if other is None:
            after = replace(before, pin=await self._fetch_first(before.user))
        after = replace(after, name=name, change="", is_verified=False)

        def work(txn: Txn) -> None:
            save_name_txn(txn, name, after.user)
            if after.user != before.user:
                save_peer_txn(txn, replace(before, name=None))
            elif after.pin.account_key != before.pin.account_key:
                for device in before.pin.devices:
                    old = txn.sessions(before.user, device.number)
                    archived = archive_active(old)
                    txn.put_sessions(
                        before.user,
                        device.number,
                        archived.sessions,
                        archived.skipped,
                    )
            save_peer_txn(txn, after)

        await self._device.store.run(work)
        return before, after

    # Sessions

    async def claim(self, peer: Peer, wanted: frozenset[int]) -> frozenset[int]:
        """Start sessions with devices of a peer, from bundles that are claimed now.

        Args:
            peer: Whose devices; his pin must be fresh enough to name them.
            wanted: Numbers of devices whose active session, if any, won't do.

        Returns:
            Numbers of devices with a new session.

        Raises:
            WigwagError: The server can't be asked now.
        """
        link = self._device.require_link()
        answer = await link.ask(PrekeysClaim(peer.user), Bundles)
        if answer.list_seq > peer.pin.seq:
            peer = await self.refresh(peer.user)
        now_ms = self._device.now_ms()
        registration_id = self._device.account.registration_id
        me = self._device.account.local

        def work(txn: Txn) -> frozenset[int]:
            current = txn.value(int, "SELECT registration_id FROM account")
            if current != registration_id:
                return frozenset()
            started: set[int] = set()
            for bundle in answer.bundles:
                if bundle.device not in wanted:
                    continue
                try:
                    verified = verify_bundle(bundle, peer.pin, now_ms=now_ms)
                    begun = start_session(
                        me,
                        verified,
                        txn.sessions(peer.user, bundle.device),
                        entropy=self._device.entropy,
                    )
                except BundleRefused:
                    # The others may be good; this device is waited for.
                    continue
                txn.put_sessions(
                    peer.user, bundle.device, begun.sessions, begun.skipped
                )
                started.add(bundle.device)
            return frozenset(started)

        return await self._device.store.run(work)

    # Helpers

    async def _user_of(self, name: str) -> bytes:
        link = self._device.require_link()
        try:
            answer = await link.ask(UsernameResolve(name), UsernameResolved)
        except ServerRefused as error:
            if error.code in (ErrorCode.NOT_FOUND, ErrorCode.INVALID_TEXT):
                raise PeerUnknown(f"There is nobody called {name}.") from error
            raise
        return answer.user

    async def _fetch(self, user: bytes, *, above: int) -> DeviceLists:
        link = self._device.require_link()
        try:
            return await link.ask(DeviceListGet(user=user, above=above), DeviceLists)
        except ServerRefused as error:
            if error.code == ErrorCode.NOT_FOUND:
                raise PeerUnknown("There is no such account.") from error
            raise

    async def _fetch_peer(self, user: bytes) -> Peer:
        pin = await self._fetch_first(user)
        return Peer(user=user, name=None, pin=pin, checked_ms=self._device.now_ms())

    async def _fetch_first(self, user: bytes) -> ListPin:
        page = await self._fetch(user, above=0)
        try:
            return accept_first_list(user, page.account_key, page.lists)
        except ListRefused as error:
            raise PeerUnknown(
                "The server gave a device list for him that isn't genuine."
            ) from error

    async def _save_checked(self, peer: Peer, pin: ListPin, change: str) -> Peer:
        now_ms = self._device.now_ms()

        def work(txn: Txn) -> Peer:
            current = peer_txn(txn, peer.user) or peer
            newer = pin if pin.seq > current.pin.seq else current.pin
            saved = replace(current, pin=newer, checked_ms=now_ms)
            if change and not current.change:
                saved = replace(saved, change=change)
                add_event_txn(
                    txn,
                    EventKind.PEER_CHANGED,
                    now_ms,
                    user=peer.user,
                    reason=change,
                )
            save_peer_txn(txn, saved)
            return saved

        saved = await self._device.store.run(work)
        if saved.change:
            self._on_change(saved.user)
            raise PeerChanged(saved.label)
        return saved

    async def _name_peer(self, peer: Peer, name: str) -> Peer:
        """Give a peer his name, or hold sending to the one who had it before."""
        now_ms = self._device.now_ms()

        def work(txn: Txn) -> tuple[Peer, bytes | None]:
            found = name_txn(txn, name)
            current = _keep_txn(txn, peer)
            if found is None or found.user == peer.user:
                named = replace(current, name=name)
                save_name_txn(txn, name, peer.user)
                save_peer_txn(txn, named)
                return named, None
            if found.changed_user != peer.user:
                save_name_txn(txn, name, found.user, peer.user)
                before = peer_txn(txn, found.user)
                if before is not None:
                    save_peer_txn(txn, replace(before, change="other_account"))
                add_event_txn(
                    txn,
                    EventKind.PEER_CHANGED,
                    now_ms,
                    user=found.user,
                    reason="other_account",
                )
            return current, found.user

        named, held = await self._device.store.run(work)
        if held is not None:
            self._on_change(held)
        return named


def _keep_txn(txn: Txn, peer: Peer) -> Peer:
    """Keep an account as it is known; a new one is stored."""
    found = peer_txn(txn, peer.user)
    if found is None:
        save_peer_txn(txn, peer)
    return found or peer
