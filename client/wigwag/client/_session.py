"""A session: what a program does with an open profile."""

from dataclasses import dataclass, replace
from typing import Final, Literal

import anyio

from wigwag.client._compose import (
    CONTENT_BYTES_MAX,
    compose_message_txn,
    compose_signal_txn,
    encode_bounded,
)
from wigwag.client._content import ReadReceipt, Text, encode_content
from wigwag.client._device import Connectivity, Device
from wigwag.client._devices import DeviceInfo, list_devices, remove_device
from wigwag.client._directory import Directory
from wigwag.client._errors import (
    MessageEmpty,
    MessageRejected,
    MessageTooLong,
    PeerChanged,
    PeerUnknown,
    TimedOut,
)
from wigwag.client._event_stream import EventStream
from wigwag.client._message import FAILED_STATES, Message, MessageState
from wigwag.client._sender import Sender
from wigwag.client._store_messages import (
    history_txn,
    message_row_txn,
    public_message_txn,
)
from wigwag.client._store_peers import (
    Peer,
    open_chat_txn,
    peer_txn,
    peers_txn,
    save_peer_txn,
)
from wigwag.client._txn import Txn
from wigwag.client._upkeep import Upkeep
from wigwag.client.crypto import SafetyNumber, safety_number
from wigwag.wire import MessageClass, suite1

Until = Literal["queued", "sequenced", "delivered", "read"]

CONNECT_SECONDS: Final = 30.0
"""How long a first look-up of a name waits for a connection."""

WAIT_SECONDS: Final = 60.0

TEXT_BYTES_MAX: Final = CONTENT_BYTES_MAX - 64
"""Longest text, in UTF-8 bytes; the content around it takes a few."""

HISTORY_MAX: Final = 10_000

_UNTIL: Final[dict[Until, MessageState]] = {
    "queued": MessageState.QUEUED,
    "sequenced": MessageState.SEQUENCED,
    "delivered": MessageState.DELIVERED,
    "read": MessageState.READ,
}


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """Somebody we know.

    Attributes:
        name: His username, or what stands for it.
        is_verified: Whether safety numbers were compared.
        change: Why sending to him is held, a word; empty: it isn't.
    """

    name: str
    is_verified: bool
    change: str


@dataclass(frozen=True, slots=True)
class Status:
    """How a session stands.

    Attributes:
        name: Our username.
        user: Our account id, hexadecimal.
        server: HOST:PORT.
        is_online: Whether we are signed in now.
        error: Why not, a sentence; empty: not tried yet, or online.
        queued: Messages and signals that the server hasn't taken.
        peers: Everybody we know.
    """

    name: str
    user: str
    server: str
    is_online: bool
    error: str
    queued: int
    peers: tuple[PeerInfo, ...]


class SentMessage:
    """A message of ours, durable in the outbox or further.

    Attributes:
        message_id: Its id, hexadecimal `server_msg_id`.
        state: Where it stood when we last looked.
    """

    def __init__(self, session: "Session", message: Message) -> None:
        self._session = session
        self.message_id = message.id
        self.state = message.state

    async def wait(
        self, until: Until = "delivered", timeout_seconds: float = WAIT_SECONDS
    ) -> Message:
        """Wait until the message is that far, or further.

        Raises:
            TimedOut: It isn't yet; it stays in the outbox.
            MessageRejected: It never will be.
            SessionEnded: The session doesn't connect any more.
        """
        message = await self._session.wait(self.message_id, until, timeout_seconds)
        self.state = message.state
        return message


class Session:
    """An open profile. Make it with `open_session`."""

    def __init__(
        self, device: Device, directory: Directory, sender: Sender, upkeep: Upkeep
    ) -> None:
        self._device = device
        self._directory = directory
        self._sender = sender
        self._upkeep = upkeep

    @property
    def name(self) -> str:
        """Our username."""
        return self._device.account.name or ""

    @property
    def connectivity(self) -> Connectivity:
        """How we stand to the server."""
        return self._device.connectivity

    async def connectivity_change(self) -> Connectivity:
        """Wait until we connect or lose the connection; returns how it is then."""
        await self._device.connectivity_change()
        return self._device.connectivity

    async def wait_online(self, timeout_seconds: float = CONNECT_SECONDS) -> None:
        """Wait until we are signed in.

        Raises:
            WigwagError: It didn't come about in time: why the last try failed.
        """
        await self._device.wait_online(timeout_seconds)

    # Messages

    async def send(self, peer: str, text: str) -> SentMessage:
        """Send a text; it is durable in the outbox on return.

        It leaves as soon as there is a connection, now or after a restart. Only
        the first message to somebody needs one at once, to look him up.

        Args:
            peer: His username.
            text: At most `TEXT_BYTES_MAX` bytes of UTF-8.

        Raises:
            PeerUnknown: There is nobody of this name.
            PeerChanged: His key changed: compare, then `accept_peer_change`.
            MessageTooLong: The text doesn't fit; MessageEmpty: there is none.
            OutboxFull: Too much waits already.
            WigwagError: He can't be looked up now.
        """
        if not text:
            raise MessageEmpty("There is no text to send.")
        if len(text.encode("utf-8", "surrogatepass")) > TEXT_BYTES_MAX:
            raise MessageTooLong(f"The text is longer than {TEXT_BYTES_MAX} bytes.")
        content = encode_bounded(Text(text))
        found = await self._find(peer)
        self._sender.check_room()
        device = self._device
        now_ms = device.now_ms()
        chat = suite1.direct_chat_id(device.account.user, found.user)
        # If it leaves right after this commit, the same commit marks it offered.
        is_offered = self._sender.may_leave_at_once(chat)

        def work(txn: Txn) -> Message:
            current = peer_txn(txn, found.user)
            if current is None or current.change:
                raise PeerChanged(found.label)
            open_chat_txn(txn, device.account.user, current.user)
            letter = compose_message_txn(
                txn,
                device,
                current,
                chat,
                content,
                now_ms=now_ms,
                is_offered=is_offered,
            )
            return _message_txn(txn, letter.message or b"")

        message = await device.store.run(work)
        self._upkeep.written_to(found)
        return SentMessage(self, message)

    async def wait(
        self,
        message_id: str,
        until: Until = "delivered",
        timeout_seconds: float = WAIT_SECONDS,
    ) -> Message:
        """Wait until a message of ours is that far, or further.

        Raises:
            TimedOut: It isn't yet; it stays in the outbox.
            MessageRejected: It never will be.
            SessionEnded: The session doesn't connect any more.
        """
        target = _UNTIL[until]
        id_ = bytes.fromhex(message_id)
        with anyio.move_on_after(timeout_seconds):
            while True:
                changed = self._device.watch(id_)
                try:
                    message = await self._device.store.run(
                        lambda txn: _message_txn(txn, id_)
                    )
                    if message.state in FAILED_STATES:
                        raise MessageRejected(message.state.name, message.reason)
                    if message.state >= target:
                        return message
                    self._device.check_not_ended()
                    await changed.wait()
                finally:
                    self._device.unwatch(id_, changed)
        raise TimedOut(f"The message isn't {until} yet.")

    async def message(self, message_id: str) -> Message:
        """Return a message as it stands now.

        Raises:
            PeerUnknown: There is no such message.
        """
        id_ = bytes.fromhex(message_id)
        return await self._device.store.run(lambda txn: _message_txn(txn, id_))

    async def cancel(self, message_id: str) -> bool:
        """Take a message back that was never offered to the server.

        Returns:
            Whether it was taken back; otherwise it may be stored already (rule 10).
        """
        id_ = bytes.fromhex(message_id)
        row = await self._device.store.run(lambda txn: message_row_txn(txn, id_))
        return row is not None and await self._sender.cancel(row.client_msg_id)

    async def history(self, peer: str, limit: int = 50) -> list[Message]:
        """Return the last messages with somebody, oldest first.

        Raises:
            PeerUnknown: We never talked to anybody of this name.
        """
        found = await self._known(peer)
        chat = suite1.direct_chat_id(self._device.account.user, found.user)
        count = max(0, min(limit, HISTORY_MAX))
        return await self._device.store.run(lambda txn: history_txn(txn, chat, count))

    async def mark_read(self, message: Message | str) -> None:
        """Tell the sender of a message that it and all before it were read.

        Args:
            message: The message, or its id. One of ours, or without a place in the
                chat, changes nothing.
        """
        id_ = bytes.fromhex(message if isinstance(message, str) else message.id)
        device = self._device
        now_ms = device.now_ms()

        def work(txn: Txn) -> None:
            row = message_row_txn(txn, id_)
            if row is None or row.is_own or not row.chat_seq:
                return
            peer = peer_txn(txn, row.sender)
            txn.do(
                "UPDATE chat SET read_sent = ? WHERE chat = ? AND read_sent < ?",
                row.chat_seq,
                row.chat,
                row.chat_seq,
            )
            if peer is None or not txn.changed():
                return
            compose_signal_txn(
                txn,
                device,
                peer,
                row.chat,
                encode_content(ReadReceipt(up_to=row.chat_seq)),
                class_=MessageClass.RECEIPT,
                target=None,
                now_ms=now_ms,
            )

        await device.store.run(work)

    # Events

    def events(self, consumer: str = "default") -> EventStream:
        """Iterate over what happens, from where this consumer was last `done()`.

        The iterator raises `SessionEnded` when nothing more can happen.

        Args:
            consumer: A name that stays the same; each has its own durable cursor.
        """
        return EventStream(self._device, consumer)

    # Peers

    async def peers(self) -> list[PeerInfo]:
        """Return everybody we know."""
        found = await self._device.store.run(peers_txn)
        return [_info(peer) for peer in sorted(found, key=lambda peer: peer.label)]

    async def peer(self, peer: str) -> PeerInfo:
        """Return what we know of somebody; looks him up at first.

        Raises:
            PeerUnknown: There is nobody of this name.
            WigwagError: He can't be looked up now.
        """
        return _info(await self._resolve(peer))

    async def safety_number(self, peer: str) -> SafetyNumber:
        """Return what two people compare to know that nobody sits between them.

        Raises:
            PeerUnknown: There is nobody of this name.
            WigwagError: He can't be looked up now.
        """
        found = await self._resolve(peer)
        account = self._device.account
        return safety_number(
            account.user,
            account.account_key.public,
            found.user,
            found.pin.account_key,
        )

    async def mark_verified(self, peer: str, *, is_verified: bool = True) -> None:
        """Note that safety numbers were compared and agree."""
        found = await self._resolve(peer)

        def work(txn: Txn) -> None:
            current = peer_txn(txn, found.user) or found
            save_peer_txn(txn, replace(current, is_verified=is_verified))

        await self._device.store.run(work)

    async def accept_peer_change(self, peer: str) -> None:
        """Take somebody as he is now, and send to him again.

        His new key is pinned unverified. What waited for his old account and was
        never offered is taken back.

        Raises:
            PeerUnknown: There is nobody of this name.
            WigwagError: He can't be looked up now.
        """
        await self._device.wait_online(CONNECT_SECONDS)
        before, after = await self._directory.accept_change(peer)
        own = self._device.account.user
        chat = suite1.direct_chat_id(own, before.user)
        if after.user != before.user:
            for row in list(self._sender.outbox.rows.values()):
                if row.chat == chat:
                    await self._sender.cancel(row.id)
        self._sender.release(chat)

    # Own devices

    async def devices(self) -> list[DeviceInfo]:
        """Return the devices of our account, by rising number."""
        return await list_devices(self._device)

    async def revoke_device(self, number: int) -> None:
        """Take a device out of our account for good.

        Our own number signs this profile out for good: the session ends with
        DEVICE_REMOVED; what was stored can still be read.

        Args:
            number: As `devices` tells it.

        Raises:
            PeerUnknown: The account has no such device.
            TimedOut: The server doesn't confirm; the next connection sees to it.
            WigwagError: The server can't be reached, or refused.
        """
        await remove_device(self._device, number)

    async def status(self) -> Status:
        """Return how it stands."""
        account = self._device.account
        connectivity = self._device.connectivity
        return Status(
            name=self.name,
            user=account.user.hex(),
            server=str(account.address),
            is_online=connectivity.is_online,
            error=str(connectivity.error or ""),
            queued=len(self._sender.outbox.rows),
            peers=tuple(await self.peers()),
        )

    # Helpers

    async def _known(self, name: str) -> Peer:
        peer = await self._directory.known(name)
        if peer is None:
            raise PeerUnknown(f"You never talked to anybody called {name}.")
        return peer

    async def _resolve(self, name: str) -> Peer:
        peer = await self._directory.known(name)
        if peer is None:
            await self._device.wait_online(CONNECT_SECONDS)
            peer = await self._directory.resolve(name)
        return peer

    async def _find(self, name: str) -> Peer:
        peer = await self._resolve(name)
        if peer.change:
            raise PeerChanged(peer.label)
        return peer


def _info(peer: Peer) -> PeerInfo:
    return PeerInfo(peer.label, peer.is_verified, peer.change)


def _message_txn(txn: Txn, message_id: bytes) -> Message:
    row = message_row_txn(txn, message_id)
    if row is None:
        raise PeerUnknown("There is no such message.")
    return public_message_txn(txn, row)
