"""This device while its profile is open: what all parts of a session share."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import anyio

from wigwag.client._errors import (
    ConnectionLost,
    ProfileMissing,
    SessionEnded,
    WigwagError,
)
from wigwag.client._ids import mint_message_id
from wigwag.client._link import Link
from wigwag.client._ports import Ports
from wigwag.client._store import Store
from wigwag.client._store_account import (
    Account,
    counter_txn,
    last_id_txn,
    load_account_txn,
    save_account_txn,
    set_counter_txn,
    set_last_id_txn,
)
from wigwag.client._txn import Changes, Txn
from wigwag.client.crypto import Entropy

if TYPE_CHECKING:
    from wigwag.client._compose import Composed

CLOCK_OFFSET_KEPT_MS: Final = 1000
"""Differences to the server's clock below a second are the network's."""


@dataclass(frozen=True, slots=True)
class Connectivity:
    """How the device stands to its server.

    Attributes:
        is_online: Signed in.
        error: Why not, if it was tried; None: not tried yet, or online.
        is_final: Nothing is tried any more (`SessionEnded`).
    """

    is_online: bool = False
    error: WigwagError | None = None
    is_final: bool = False


class Device:
    """An open profile's store, account, clock and connection.

    Attributes:
        store: The profile's database.
        ports: The outside world.
        account: Who we are; replaced when something of it changes.
    """

    def __init__(self, store: Store, ports: Ports, account: Account) -> None:
        self.store = store
        self.ports = ports
        self.account = account
        self._link: Link | None = None
        self._connectivity = Connectivity()
        self._connectivity_changed = anyio.Event()
        self._clock_offset_ms = 0
        self._last_id: bytes | None = None
        self._wakes: dict[bytes, set[anyio.Event]] = {}
        self._events_added = anyio.Event()
        # Takes a letter that was committed; the outbox puts itself here.
        self.post: Callable[[Composed], None]
        store.listen(self._on_commit)

    @property
    def entropy(self) -> Entropy:
        """Random bytes."""
        return self.ports.entropy

    def now_ms(self) -> int:
        """Return server-corrected time, milliseconds since the Unix epoch."""
        return self.ports.clock.now_ms() + self._clock_offset_ms

    async def load(self) -> None:
        """Read what the store remembers of the server's clock."""
        self._clock_offset_ms = await self.store.run(
            lambda txn: counter_txn(txn, "clock_offset_ms")
        )

    async def set_server_time(self, server_ms: int) -> None:
        """Correct our clock by the server's."""
        offset_ms = server_ms - self.ports.clock.now_ms()
        if abs(offset_ms - self._clock_offset_ms) >= CLOCK_OFFSET_KEPT_MS:
            self._clock_offset_ms = offset_ms
            await self.store.run(
                lambda txn: set_counter_txn(txn, "clock_offset_ms", offset_ms)
            )

    async def change_account(self, change: Callable[[Account], Account]) -> None:
        """Change the account's row, durably."""

        def work(txn: Txn) -> Account:
            return change_account_txn(txn, change)

        self.account = await self.store.run(work)

    # Message ids

    def mint_id_txn(self, txn: Txn, now_ms: int) -> bytes:
        """Make the next message id."""
        made = mint_message_id(last_id_txn(txn), now_ms, self.ports.entropy)
        set_last_id_txn(txn, made)
        return made

    # Connection

    @property
    def link(self) -> Link | None:
        """The connection, if it can be used now."""
        link = self._link
        return link if link is not None and link.is_usable else None

    @property
    def connectivity(self) -> Connectivity:
        """How we stand to the server."""
        return self._connectivity

    def require_link(self) -> Link:
        """Return the connection.

        Raises:
            SessionEnded: There won't be one any more.
            ConnectionLost: There is none now.
        """
        if self.link is not None:
            return self.link
        self.check_not_ended()
        raise ConnectionLost("There is no connection to the server.")

    def check_not_ended(self) -> None:
        """Raise `SessionEnded` if reconnecting ended for good."""
        connectivity = self._connectivity
        if connectivity.is_final:
            error = connectivity.error
            action = error.action if error is not None else None
            raise SessionEnded(f"The session ended: {error}", action=action) from error

    def set_link(self, link: Link | None, connectivity: Connectivity) -> None:
        """Note a connection that began or ended."""
        self._link = link
        self._connectivity = connectivity
        self._connectivity_changed.set()
        self._connectivity_changed = anyio.Event()
        if connectivity.is_final:
            # Whoever waits for something to happen must learn that it won't.
            self._events_added.set()
            for waiting in self._wakes.values():
                for event in waiting:
                    event.set()

    async def connectivity_change(self) -> None:
        """Wait until `connectivity` changes."""
        await self._connectivity_changed.wait()

    async def wait_online(self, timeout_seconds: float) -> Link:
        """Wait for a connection.

        Raises:
            SessionEnded: There won't be one any more.
            WigwagError: None came in time: why the last try failed.
        """
        with anyio.move_on_after(timeout_seconds):
            while self.link is None and not self._connectivity.is_final:
                await self.connectivity_change()
        if self.link is None and self._connectivity.error is not None:
            self.check_not_ended()
            raise self._connectivity.error
        return self.require_link()

    # Waiting for commits

    def watch(self, message_id: bytes) -> anyio.Event:
        """Return an event that is set when a message changes; give it to `unwatch`."""
        event = anyio.Event()
        self._wakes.setdefault(message_id, set()).add(event)
        return event

    def unwatch(self, message_id: bytes, event: anyio.Event) -> None:
        """Stop waiting for a message."""
        waiting = self._wakes.get(message_id)
        if waiting is not None:
            waiting.discard(event)
            if not waiting:
                del self._wakes[message_id]

    @property
    def events_added(self) -> anyio.Event:
        """Set when the next events were added."""
        return self._events_added

    def _on_commit(self, changes: Changes) -> None:
        for message_id in changes.messages & self._wakes.keys():
            for event in self._wakes[message_id]:
                event.set()
        if changes.has_events:
            self._events_added.set()
            self._events_added = anyio.Event()


def change_account_txn(txn: Txn, change: Callable[[Account], Account]) -> Account:
    """Change the account's row and return it."""
    account = load_account_txn(txn)
    if account is None:
        raise ProfileMissing("The profile holds no account yet.")
    account = change(account)
    save_account_txn(txn, account)
    return account


def with_authority(account: Account, authority: bytes) -> Account:
    """Return the account with the server's CA certificate noted."""
    return replace(account, trust=replace(account.trust, authority=authority))
