"""A peer who isn't who he was gets nothing until the user accepts it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.client.worlds import at, edit, join, texts

from wigwag import testing
from wigwag.client import (
    MessageRejected,
    MessageState,
    PeerChanged,
    PeerKeyChanged,
    Session,
    TimedOut,
)
from wigwag.client._clock import SystemClock, SystemEntropy
from wigwag.client.crypto import (
    AccountKey,
    DeviceKeys,
    LocalDevice,
    list_device,
    sign_first_list,
)
from wigwag.server import HANDLERS, Handler
from wigwag.server._session import Session as ServerSession
from wigwag.wire import (
    DeviceListGet,
    DeviceLists,
    MessageType,
    Received,
    UsernameResolve,
    UsernameResolved,
)

STALE = "UPDATE peer SET checked_ms = 0"
"""The last look-up is long ago."""

HELD = "UPDATE peer SET change = 'other_account' WHERE name = 'bob'"


@dataclass
class Liar:
    """A server's handlers that lie about some accounts.

    Attributes:
        lists: By account: what is told instead of its device lists.
        names: By name: whose it is said to be.
    """

    lists: dict[bytes, DeviceLists] = field(default_factory=dict[bytes, DeviceLists])
    names: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def handlers(self) -> Mapping[int, Handler]:
        """Returns the server's handlers with ours in front."""

        def device_list_get(session: ServerSession, event: Received) -> None:
            message = event.message
            assert isinstance(message, DeviceListGet)
            lie = self.lists.get(message.user)
            if lie is None:
                HANDLERS[MessageType.DEVICE_LIST_GET](session, event)
            else:
                session.answer(lie, event.corr)

        def username_resolve(session: ServerSession, event: Received) -> None:
            message = event.message
            assert isinstance(message, UsernameResolve)
            lie = self.names.get(message.name)
            if lie is None:
                HANDLERS[MessageType.USERNAME_RESOLVE](session, event)
            else:
                answer = UsernameResolved(user=lie, name=message.name)
                session.answer(answer, event.corr)

        return {
            **HANDLERS,
            MessageType.DEVICE_LIST_GET: device_list_get,
            MessageType.USERNAME_RESOLVE: username_resolve,
        }

    def swap_key(self, user: bytes) -> None:
        """Gives an account another key, as a server that sits between would."""
        entropy = SystemEntropy()
        key = AccountKey.generate(entropy)
        device = LocalDevice(user, key.public, 1, 7, DeviceKeys.generate(entropy))
        signed = sign_first_list(
            key, user, [list_device(device)], now_ms=SystemClock().now_ms()
        )
        self.lists[user] = DeviceLists(
            user=user, account_key=key.public, lists=(signed,), more=False
        )


async def user_of(session: Session) -> bytes:
    """Returns a session's account id."""
    return bytes.fromhex((await session.status()).user)


async def changed(session: Session) -> PeerKeyChanged:
    """Waits until a change is told."""
    async for event in session.events("watch"):
        await event.done()
        if isinstance(event, PeerKeyChanged):
            return event
    raise AssertionError


async def test_another_account_key_stops_sending(tmp_path: Path) -> None:
    """The server can't add itself as somebody's device (E2EE.md §7)."""
    liar = Liar()
    async with testing.server(handlers=liar.handlers()) as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice) as a, at(bob) as b:
            await (await a.send("bob", "one")).wait("delivered", 10)
            await a.mark_verified("bob")
            digits = (await a.safety_number("bob")).digits
            liar.swap_key(await user_of(b))
        edit(alice, STALE)
        async with at(alice) as a:
            await a.wait_online(10)
            # The message that finds it out was sealed for the pinned key.
            await a.send("bob", "two")
            told = await changed(a)
            assert (told.peer, told.reason) == ("bob", "wrong_key")
            with pytest.raises(PeerChanged):
                await a.send("bob", "three")
            assert (await a.peer("bob")).change == "wrong_key"
            assert (await a.safety_number("bob")).digits == digits
        async with at(alice) as a:
            with pytest.raises(PeerChanged):
                await a.send("bob", "still")
            liar.lists.clear()
            await a.accept_peer_change("bob")
            peer = await a.peer("bob")
            assert (peer.change, peer.is_verified) == ("", False)
            async with at(bob) as b:
                await (await a.send("bob", "four")).wait("delivered", 10)
                assert await texts(b, 3) == ["one", "two", "four"]


async def test_an_accepted_key_is_what_is_encrypted_to(tmp_path: Path) -> None:
    """After the user accepted, sessions with the old key are not used again."""
    liar = Liar()
    async with testing.server(handlers=liar.handlers()) as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice) as a, at(bob) as b:
            await (await a.send("bob", "one")).wait("delivered", 10)
            digits = (await a.safety_number("bob")).digits
            liar.swap_key(await user_of(b))
        edit(alice, STALE)
        async with at(alice) as a:
            await a.wait_online(10)
            await (await a.send("bob", "two")).wait("sequenced", 10)
            await changed(a)
            await a.accept_peer_change("bob")
            assert (await a.safety_number("bob")).digits != digits
            # The bundles are still the true device's: their signatures don't fit.
            sent = await a.send("bob", "three")
            with pytest.raises(TimedOut):
                await sent.wait("sequenced", 0.5)
            assert (await a.status()).queued == 1


async def test_a_name_that_moved_stops_sending(tmp_path: Path) -> None:
    """A new account under an old name is somebody else until the user says so."""
    liar = Liar()
    async with testing.server(handlers=liar.handlers()) as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        newer = await join("robert", server.join, tmp_path)
        async with at(alice) as a, at(bob), at(newer) as r:
            await (await a.send("bob", "one")).wait("delivered", 10)
            liar.names["bob"] = await user_of(r)
        edit(alice, STALE)
        async with at(alice) as a:
            await a.wait_online(10)
            await (await a.send("bob", "two")).wait("sequenced", 10)
            told = await changed(a)
            assert (told.peer, told.reason) == ("bob", "other_account")
            with pytest.raises(PeerChanged):
                await a.send("bob", "three")
            await a.accept_peer_change("bob")
            async with at(newer) as r:
                await (await a.send("bob", "for the new one")).wait("delivered", 10)
                assert await texts(r, 1) == ["for the new one"]
            await a.accept_peer_change("bob")


async def test_what_waited_for_the_old_account_is_taken_back(tmp_path: Path) -> None:
    """It was written to somebody who is no longer meant."""
    liar = Liar()
    folder = tmp_path / "server"
    async with testing.server(handlers=liar.handlers(), folder=folder) as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        newer = await join("robert", server.join, tmp_path)
        async with at(alice) as a, at(bob), at(newer) as r:
            await (await a.send("bob", "one")).wait("delivered", 10)
            liar.names["bob"] = await user_of(r)
            user = await user_of(r)
        async with at(alice) as a:
            await a.peer("robert")
        edit(alice, "UPDATE peer_name SET changed_user = ? WHERE name = 'bob'", user)
        edit(alice, HELD)
        async with at(alice) as a:
            with pytest.raises(PeerChanged):
                await a.send("bob", "two")
        edit(alice, "UPDATE peer SET change = '' WHERE name = 'bob'")
    async with at(alice) as a:
        waiting = await a.send("bob", "two")
    edit(alice, HELD)
    async with testing.server(handlers=liar.handlers(), folder=folder) as server:
        edit(alice, "UPDATE account SET port = ?", server.address.port)
        async with at(alice) as a:
            await a.wait_online(10)
            assert (await a.message(waiting.message_id)).state is MessageState.QUEUED
            await a.accept_peer_change("bob")
            with pytest.raises(MessageRejected, match="cancelled"):
                await a.wait(waiting.message_id, "sequenced", 5)
