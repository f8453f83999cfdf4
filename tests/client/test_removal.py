"""Deleting an account and removing a device, with the SDK against a real server."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from tests.client.worlds import Tap, TappedStream, at, edit, join, look, ports, texts

from wigwag import testing
from wigwag.client import (
    Address,
    ByteStream,
    ConnectionLost,
    Dialled,
    MessageRejected,
    MessageUndelivered,
    PeerUnknown,
    ProfileError,
    ProfileInUse,
    ProfileMissing,
    ServerRefused,
    SessionEnded,
    Trust,
    delete_account,
)
from wigwag.testing import RunningServer
from wigwag.wire import LIMITS, ErrorCode, MessageType


@pytest.fixture
async def running() -> AsyncIterator[RunningServer]:
    """A server."""
    async with testing.server() as running:
        yield running


class LosesTheAnswer(Tap):
    """A network that ends a connection as soon as it has carried DELETE_ACCOUNT."""

    async def dial(self, address: Address, trust: Trust) -> Dialled:
        """Dials; the stream is cut later."""
        dialled = await super().dial(address, trust)
        return replace(dialled, stream=CutStream(self, dialled.stream))


class CutStream(TappedStream):
    """A stream without the answer to DELETE_ACCOUNT."""

    def __init__(self, tap: Tap, stream: ByteStream) -> None:
        super().__init__(tap, stream)
        self._is_asked = False

    async def send(self, data: bytes) -> None:
        """Writes; DELETE_ACCOUNT is the last thing that matters."""
        await super().send(data)
        self._is_asked = data[4:6] == MessageType.DELETE_ACCOUNT.to_bytes(2)

    async def receive(self, bytes_max: int) -> bytes:
        """Reads until the account was deleted; its answer is lost."""
        data = await super().receive(bytes_max)
        return b"" if self._is_asked else data


async def test_account_and_profile_go_together(
    running: RunningServer, tmp_path: Path
) -> None:
    """The server's word first, then the profile; nothing of it is left."""
    alice = await join("alice", running.join, tmp_path)
    deleted = await delete_account(alice, name="alice", ports=ports())
    assert (deleted.name, deleted.folder) == ("alice", alice)
    assert deleted.deleted_at_ms > 0
    assert not alice.exists()
    with pytest.raises(ProfileMissing):
        await delete_account(alice, ports=ports())


async def test_a_lost_answer_is_told_again(
    running: RunningServer, tmp_path: Path
) -> None:
    """The profile stays until the server has said so; the second run hears it."""
    alice = await join("alice", running.join, tmp_path)
    with pytest.raises(ConnectionLost) as lost:
        await delete_account(alice, ports=ports(net=LosesTheAnswer()))
    assert lost.value.outcome == "unknown"
    assert "again" in lost.value.action
    assert (alice / "wigwag.db").exists()
    deleted = await delete_account(alice, ports=ports())
    assert deleted.name == "alice"
    assert not alice.exists()


async def test_another_name_or_a_busy_profile_deletes_nothing(
    running: RunningServer, tmp_path: Path
) -> None:
    """What can't be undone is not done by mistake."""
    alice = await join("alice", running.join, tmp_path)
    with pytest.raises(ProfileError, match="nothing was deleted"):
        await delete_account(alice, name="bob", ports=ports())
    async with at(alice) as session:
        with pytest.raises(ProfileInUse):
            await delete_account(alice, ports=ports())
        await session.wait_online()


async def test_a_server_that_does_not_know_the_account_leaves_the_profile(
    running: RunningServer, tmp_path: Path
) -> None:
    """It was set up anew: the person decides about the messages."""
    alice = await join("alice", running.join, tmp_path)
    edit(alice, "UPDATE account SET user = ?", bytes(15) + b"x")
    with pytest.raises(ServerRefused) as refused:
        await delete_account(alice, ports=ports())
    assert refused.value.code == ErrorCode.AUTH_FAILED
    assert "yourself" in refused.value.action
    assert (alice / "wigwag.db").exists()


async def test_peers_of_a_deleted_account_see_the_end(
    running: RunningServer, tmp_path: Path
) -> None:
    """What waited is undelivered, what comes later is rejected: both say why."""
    alice = await join("alice", running.join, tmp_path)
    bob = await join("bob", running.join, tmp_path)
    async with at(bob) as session:
        waiting = await session.send("alice", "unread")
        await waiting.wait("sequenced")
        await delete_account(alice, ports=ports())
        async for event in session.events("test"):
            await event.done()
            if isinstance(event, MessageUndelivered):
                assert event.reason == "device_gone"
                break
        late = await session.send("alice", "too late")
        with pytest.raises(MessageRejected) as rejected:
            await late.wait("sequenced")
        assert (rejected.value.state, rejected.value.reason) == (
            "REJECTED",
            "not_found",
        )
        with pytest.raises(PeerUnknown):
            await session.peer("nobody")


@pytest.mark.parametrize("is_online", [True, False], ids=["online", "away"])
@pytest.mark.parametrize("count", [1, 3])
async def test_a_first_message_to_a_deleted_account_is_rejected_at_once(
    running: RunningServer, tmp_path: Path, count: int, is_online: bool
) -> None:
    """There was never a session: the claim's answer ends it, not a month's waiting."""
    alice = await join("alice", running.join, tmp_path)
    bob = await join("bob", running.join, tmp_path)
    async with at(bob, net=(tap := Tap())) as session:
        await session.peer("alice")
        if is_online:
            await delete_account(alice, ports=ports())
        else:
            tap.is_down = True
            tap.cut()
        waiting = [await session.send("alice", f"hi {n}") for n in range(count)]
        if not is_online:
            await delete_account(alice, ports=ports())
            tap.is_down = False
        for one in waiting:
            with pytest.raises(MessageRejected) as rejected:
                await one.wait("sequenced")
            assert (rejected.value.state, rejected.value.reason) == (
                "REJECTED",
                "not_found",
            )
    assert not tap.sends()
    assert look(bob, "SELECT count(*) FROM outbox") == 0


async def test_an_open_session_ends_when_its_account_is_deleted_elsewhere(
    running: RunningServer, tmp_path: Path
) -> None:
    """R-ACCOUNT-006: no reconnecting, and a sentence that says why."""
    alice = await join("alice", running.join, tmp_path)
    copy = tmp_path / "copy"
    copy.mkdir(mode=0o700)
    for file in alice.iterdir():
        if file.is_file():
            (copy / file.name).write_bytes(file.read_bytes())
    async with at(alice) as session:
        await session.wait_online()
        await delete_account(copy, ports=ports())
        with anyio.fail_after(LIMITS["removal_seconds"].value):
            while not session.connectivity.is_final:
                await session.connectivity_change()
        error = session.connectivity.error
        assert isinstance(error, ServerRefused)
        assert error.code == ErrorCode.DEVICE_REMOVED
        assert not error.retryable
        with pytest.raises(SessionEnded, match="removed"):
            await session.wait_online()


async def test_devices_are_listed(running: RunningServer, tmp_path: Path) -> None:
    """One device, this one, made when the account was."""
    alice = await join("alice", running.join, tmp_path)
    async with at(alice) as session:
        await session.wait_online()
        (own,) = await session.devices()
    assert (own.number, own.is_this) == (1, True)
    assert own.created_at_ms is not None
    assert own.seen_at_ms is not None
    assert own.seen_at_ms >= own.created_at_ms
    async with at(alice, net=Tap(is_down=True)) as session:
        (own,) = await session.devices()
    assert own.seen_at_ms is None


async def test_the_own_device_signs_out_for_good(
    running: RunningServer, tmp_path: Path
) -> None:
    """The session ends, the next one says why at once, the history stays."""
    alice = await join("alice", running.join, tmp_path)
    bob = await join("bob", running.join, tmp_path)
    async with at(alice) as session, at(bob) as other:
        await other.send("alice", "kept")
        assert await texts(session, 1) == ["kept"]
        with pytest.raises(PeerUnknown):
            await session.revoke_device(2)
        await session.revoke_device(1)
        while not session.connectivity.is_final:
            await session.connectivity_change()
        assert await session.devices() == []
        late = await other.send("alice", "too late")
        with pytest.raises(MessageRejected):
            await late.wait("sequenced")
    async with at(alice) as session:
        with pytest.raises(SessionEnded, match="removed"):
            await session.wait_online()
        assert [one.text for one in await session.history("bob")] == ["kept"]
    # The account is still its key's.
    assert (await delete_account(alice, ports=ports())).name == "alice"


async def test_a_removal_whose_answer_is_lost_is_settled_by_the_next_connection(
    running: RunningServer, tmp_path: Path
) -> None:
    """The list is durable before it leaves: what was begun is gone through with."""
    alice = await join("alice", running.join, tmp_path)
    net = Tap()
    async with at(alice, net=net) as session:
        await session.wait_online()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.revoke_device, 1)
            while not any(_is_publish(frame) for frame in net.sent):
                await anyio.lowlevel.checkpoint()
            net.cut()
        # It returned: the server has the list, by whichever connection.
        while not session.connectivity.is_final:
            await session.connectivity_change()
        error = session.connectivity.error
        assert isinstance(error, ServerRefused)
        assert error.code == ErrorCode.DEVICE_REMOVED
    assert look(alice, "SELECT count(*) FROM own_list") == 2


def _is_publish(frame: bytes) -> bool:
    return frame[4:6] == MessageType.DEVICE_LIST_PUBLISH.to_bytes(2)
