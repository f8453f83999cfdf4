"""Two people and a real server: talk, be offline, come back, change."""

from pathlib import Path

import anyio
import pytest
from tests.client.worlds import at, join, texts

from wigwag import testing
from wigwag.client import (
    MessageEmpty,
    MessageReceived,
    MessageRejected,
    MessageState,
    MessageStateChanged,
    MessageTooLong,
    PeerUnknown,
    ProfileExists,
    ProfileInUse,
    ProfileMissing,
    ServerRefused,
    TimedOut,
    open_holder,
)
from wigwag.client._session import TEXT_BYTES_MAX


async def test_two_people_talk_both_ways(tmp_path: Path) -> None:
    """The whole of it: names, keys, sessions, states, receipts, safety numbers."""
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice) as a, at(bob) as b:
            first = await a.send("bob", "hello")
            assert first.state is MessageState.QUEUED
            assert await texts(b, 1) == ["hello"]
            delivered = await first.wait("delivered", 10)
            assert delivered.state is MessageState.DELIVERED
            (message,) = await b.history("alice")
            assert (message.peer, message.text, message.is_own) == (
                "alice",
                "hello",
                False,
            )
            assert message.id == first.message_id
            await b.mark_read(message)
            assert (await first.wait("read", 10)).state is MessageState.READ
            second = await b.send("alice", "hi")
            await second.wait("delivered", 10)
            assert [m.text for m in await a.history("bob")] == ["hello", "hi"]
            ours = await a.safety_number("bob")
            assert ours.digits == (await b.safety_number("alice")).digits
            await a.mark_verified("bob")
            assert (await a.peer("bob")).is_verified
            status = await a.status()
            assert (status.name, status.is_online, status.queued) == ("alice", True, 0)


async def test_what_was_sent_meanwhile_waits_in_order(tmp_path: Path) -> None:
    """Nobody is online all the time."""
    sent = [f"message {number}" for number in range(30)]
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice) as a:
            for text in sent[:-1]:
                await a.send("bob", text)
            last = await a.send("bob", sent[-1])
            await last.wait("sequenced", 20)
        async with at(bob) as b:
            assert await texts(b, len(sent)) == sent
            assert [m.text for m in await b.history("alice")] == sent


async def test_both_start_at_once_and_go_on(tmp_path: Path) -> None:
    """Two sessions come into being; the last that decrypts wins (E2EE.md §4)."""
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice) as a, at(bob) as b:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(a.send, "bob", "from alice")
                tasks.start_soon(b.send, "alice", "from bob")
            assert await texts(a, 1) == ["from bob"]
            assert await texts(b, 1) == ["from alice"]
            for turn in range(3):
                await (await a.send("bob", f"a{turn}")).wait("delivered", 10)
                await (await b.send("alice", f"b{turn}")).wait("delivered", 10)
            assert await texts(a, 3) == ["b0", "b1", "b2"]
            assert await texts(b, 3) == ["a0", "a1", "a2"]


async def test_a_known_peer_can_be_written_to_offline(tmp_path: Path) -> None:
    """The outbox is durable on return, and leaves with the next connection."""
    folder = tmp_path / "server"
    async with testing.server(folder=folder) as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice) as a, at(bob) as b:
            await (await a.send("bob", "first")).wait("delivered", 10)
            assert await texts(b, 1) == ["first"]
    async with at(alice) as a:
        for text in ("second", "third"):
            assert (await a.send("bob", text)).state is MessageState.QUEUED
        with pytest.raises(TimedOut):
            await (await a.send("bob", "fourth")).wait("sequenced", 0.1)
        assert (await a.status()).queued == 3


async def test_a_message_never_offered_can_be_taken_back(tmp_path: Path) -> None:
    """And only that (rule 10)."""
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        await join("bob", server.join, tmp_path)
        async with at(alice) as a:
            sent = await a.send("bob", "first")
            await sent.wait("sequenced", 10)
            assert not await a.cancel(sent.message_id)
    async with at(alice) as a:
        sent = await a.send("bob", "second")
        assert await a.cancel(sent.message_id)
        assert not await a.cancel(sent.message_id)
        with pytest.raises(MessageRejected, match="cancelled"):
            await sent.wait("sequenced", 1)


async def test_mistakes_are_told_one_by_one(tmp_path: Path) -> None:
    """Each with an error that says what to do."""
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        with pytest.raises(ProfileExists):
            await join("alice", server.join, tmp_path)
        async with at(alice) as a:
            with pytest.raises(PeerUnknown, match="nobody called"):
                await a.send("nobody", "x")
            with pytest.raises(PeerUnknown, match="your own"):
                await a.send("alice", "x")
            with pytest.raises(PeerUnknown, match="can't be a username"):
                await a.send("No", "x")
            with pytest.raises(PeerUnknown, match="never talked"):
                await a.history("bob")
            with pytest.raises(MessageEmpty):
                await a.send("bob", "")
            with pytest.raises(MessageTooLong):
                await a.send("bob", "x" * (TEXT_BYTES_MAX + 1))
            with pytest.raises(PeerUnknown, match="no such message"):
                await a.message("00" * 16)
    with pytest.raises(ProfileMissing):
        async with at(tmp_path / "none"):
            pass


async def test_the_longest_text_arrives(tmp_path: Path) -> None:
    """The bound is what fits in an envelope with a session's first header."""
    text = "é" * (TEXT_BYTES_MAX // 2)
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice) as a, at(bob) as b:
            await a.send("bob", text)
            assert await texts(b, 1) == [text]


async def test_registering_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """A used invite and a taken name must not cost the profile."""
    async with testing.server() as server:
        await join("alice", server.join, tmp_path)
        once = await server.invite(uses=1)
        used = await server.invite(uses=1)
        await join("carol", used, tmp_path)
        bob = tmp_path / "bob"
        with pytest.raises(ServerRefused) as refused:
            await join("bob", used, tmp_path)
        assert refused.value.name == "PROOF_REFUSED"
        with pytest.raises(ProfileMissing, match="isn't finished"):
            async with at(bob):
                pass
        (tmp_path / "alice2").symlink_to(bob)
        from tests.client.worlds import ports

        from wigwag.client import register

        with pytest.raises(ServerRefused) as refused:
            await register("alice", once, profile=bob, ports=ports())
        assert refused.value.name == "NAME_TAKEN"
        await register("bobby", once, profile=bob, ports=ports())
        async with at(bob) as b:
            assert b.name == "bobby"


async def test_a_consumer_goes_on_behind_its_last_done(tmp_path: Path) -> None:
    """At least once, in order, across restarts (I6)."""
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice) as a:
            for text in ("one", "two"):
                await a.send("bob", text)
            sent = await a.send("bob", "three")
            await sent.wait("sequenced", 10)
        async with at(bob) as b:
            seen: list[str | None] = []
            async for event in b.events("bot"):
                assert isinstance(event, MessageReceived)
                seen.append(event.message.text)
                if event.message.text == "two":
                    break
                await event.done()
            assert seen == ["one", "two"]
        async with at(bob) as b:
            assert await texts(b, 2, "bot") == ["two", "three"]
            assert await texts(b, 3, "another") == ["one", "two", "three"]


async def test_states_are_told_as_events(tmp_path: Path) -> None:
    """A program shows check marks without asking."""
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice) as a, at(bob):
            await a.send("bob", "hello")
            states: list[MessageState] = []
            async for event in a.events():
                assert isinstance(event, MessageStateChanged)
                states.append(event.state)
                if event.state is MessageState.DELIVERED:
                    break
            assert states == [MessageState.SEQUENCED, MessageState.DELIVERED]


async def test_a_second_process_goes_through_the_holder(tmp_path: Path) -> None:
    """`wigwag send` works while `wigwag listen` runs on the same profile."""
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice, has_handover=True) as a, at(bob) as b:
            with pytest.raises(ProfileInUse):
                async with at(alice):
                    pass
            async with open_holder(alice) as holder:
                sent = await holder.send("bob", "through the holder")
                assert (await sent.wait("delivered", 10)).state >= 3
                assert await texts(b, 1) == ["through the holder"]
                assert [m.text for m in await holder.history("bob")] == [
                    "through the holder"
                ]
                assert (await holder.status()).name == "alice"
                with pytest.raises(PeerUnknown, match="nobody called"):
                    await holder.send("nobody", "x")
                with pytest.raises(TimedOut):
                    await holder.wait(sent.message_id, "read", 0.05)
                (message,) = await b.history("alice")
                await b.mark_read(message)
                assert (await sent.wait("read", 10)).state is MessageState.READ
            assert (alice / "holder").stat().st_mode & 0o777 == 0o600
            assert a.name == "alice"
        assert not (alice / "holder").exists()
