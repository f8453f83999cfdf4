"""Cuts, crashes, lost state, restored copies: nothing lost, nothing twice."""

import shutil
from pathlib import Path

import anyio
import pytest
from anyio.to_thread import run_sync
from tests.client.worlds import Tap, at, edit, join, look, texts

from wigwag import testing
from wigwag.client import (
    MessageReceived,
    MessageState,
    MessageUndelivered,
    MessageUnreadable,
    Session,
    SessionEnded,
)
from wigwag.client.crypto import message_key_id
from wigwag.testing import ServerProcess
from wigwag.wire import MessageClass, Send

UNREADABLE = "SELECT count(*) FROM event WHERE kind = 4"
"""Placeholders that were ever shown."""


def copies_of(tap: Tap, class_: MessageClass = MessageClass.MESSAGE) -> list[Send]:
    """Returns the SENDs of a class that left."""
    return [send for send in tap.sends() if send.class_ == class_]


def assert_each_key_is_used_once(tap: Tap) -> None:
    """Checks that no message key sealed two ciphertexts (I25)."""
    sealed: dict[object, bytes] = {}
    for send in tap.sends():
        for envelope in send.envelopes:
            key = (envelope.user, message_key_id(envelope.ciphertext))
            assert sealed.setdefault(key, envelope.ciphertext) == envelope.ciphertext


async def test_a_resend_is_the_same_bytes(tmp_path: Path) -> None:
    """Others would be a CONFLICT, and two ciphertexts of one key a leak (I25)."""
    tap = Tap()
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice, net=tap) as a, at(bob) as b:
            await (await a.send("bob", "hello")).wait("delivered", 10)
            tap.sent.clear()
            tap.is_deaf = True
            sent = await a.send("bob", "once more")
            assert await texts(b, 2) == ["hello", "once more"]
            tap.is_deaf = False
            tap.cut()
            await sent.wait("sequenced", 10)
            first, again = copies_of(tap)
            assert first == again
            await (await a.send("bob", "after")).wait("delivered", 10)
            assert await texts(b, 1) == ["after"]


async def test_a_restart_offers_what_was_not_answered(tmp_path: Path) -> None:
    """The bytes are in the outbox, not in the process."""
    tap = Tap()
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(bob) as b:
            async with at(alice, net=tap) as a:
                await (await a.send("bob", "hello")).wait("delivered", 10)
                tap.sent.clear()
                tap.is_deaf = True
                for text in ("one", "two", "three"):
                    await a.send("bob", text)
                assert await texts(b, 4) == ["hello", "one", "two", "three"]
            tap.is_deaf = False
            async with at(alice, net=tap) as a:
                await (await a.send("bob", "four")).wait("delivered", 10)
                assert await texts(b, 1) == ["four"]
                states = [message.state for message in await a.history("bob")]
                assert states == [MessageState.DELIVERED] * 5
            first = copies_of(tap)[:3]
            assert copies_of(tap)[3:6] == first


async def test_a_burst_survives_cuts(tmp_path: Path) -> None:
    """0 lost, 0 doubled, 0 reordered (RELIABILITY.md)."""
    tap = Tap()
    count = 60
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice, net=tap) as a, at(bob, net=tap) as b:
            for number in range(count - 1):
                await a.send("bob", f"{number}")
                if number % 20 == 10:
                    tap.cut()
            last = await a.send("bob", f"{count - 1}")
            assert await texts(b, count) == [f"{number}" for number in range(count)]
            await last.wait("delivered", 20)
            assert len(await b.history("alice", count * 2)) == count


async def test_the_server_is_killed_and_comes_back(tmp_path: Path) -> None:
    """What it answered is durable; what it didn't is offered again (I1)."""
    count = 40
    with testing.server_process() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice) as a, at(bob) as b:
            await (await a.send("bob", "first")).wait("delivered", 20)
            for number in range(count):
                await a.send("bob", f"a{number}")
                await b.send("alice", f"b{number}")
                if number == count // 2:
                    await run_sync(_restart, server)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(
                    _expect, b, ["first"] + [f"a{n}" for n in range(count)]
                )
                tasks.start_soon(_expect, a, [f"b{n}" for n in range(count)])
            assert len(await b.history("alice", 1000)) == 2 * count + 1


def _restart(server: ServerProcess) -> None:
    server.kill()
    server.start()


async def _expect(session: Session, expected: list[str]) -> None:
    with anyio.fail_after(60):
        assert await texts(session, len(expected)) == expected


async def test_what_can_not_be_opened_is_asked_for_and_repaired(tmp_path: Path) -> None:
    """A placeholder, an event, a reason, and the repair (rule 7)."""
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice) as a, at(bob) as b:
            await (await a.send("bob", "hello")).wait("delivered", 10)
            assert await texts(b, 1) == ["hello"]
            await (await b.send("alice", "hi")).wait("delivered", 10)
        # Bob's sessions are lost, as by a bug of ours.
        edit(bob, "DELETE FROM session; DELETE FROM skipped_key")
        async with at(alice) as a:
            await (await a.send("bob", "lost?")).wait("sequenced", 10)
            async with at(bob) as b:
                placeholder = repaired = None
                async for event in b.events("test"):
                    await event.done()
                    if isinstance(event, MessageUnreadable):
                        placeholder = event
                    if isinstance(event, MessageReceived):
                        repaired = event
                        break
                assert placeholder is not None
                assert repaired is not None
                assert placeholder.reason == "no_session"
                assert repaired.is_repaired
                assert repaired.message.text == "lost?"
                assert repaired.message.id == placeholder.message.id
                shown = [message.text for message in await b.history("alice")]
                assert shown == ["hello", "hi", "lost?"]
                await (await a.send("bob", "on we go")).wait("delivered", 10)
                assert await texts(b, 1) == ["on we go"]


async def test_a_restored_profile_registers_anew(tmp_path: Path) -> None:
    """An old copy must not use its ratchets again (STORE_ROLLED_BACK, I25)."""
    tap = Tap()
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice, net=tap) as a, at(bob) as b:
            await (await a.send("bob", "one")).wait("delivered", 10)
        shutil.copytree(alice, tmp_path / "copy")
        async with at(alice, net=tap) as a, at(bob) as b:
            await (await a.send("bob", "two")).wait("delivered", 10)
            assert await texts(b, 2) == ["one", "two"]
        shutil.rmtree(alice)
        shutil.copytree(tmp_path / "copy", alice)
        async with at(alice, net=tap) as a, at(bob) as b:
            # Sealed before it is known, the message would not use a key again.
            await a.wait_online(10)
            await (await a.send("bob", "three")).wait("delivered", 20)
            assert await texts(b, 1) == ["three"]
            await (await b.send("alice", "welcome back")).wait("delivered", 20)
            assert "welcome back" in await texts(a, 1)
        assert_each_key_is_used_once(tap)
        assert look(bob, UNREADABLE) == 0


async def test_a_copy_of_the_newest_connection_is_found_out(tmp_path: Path) -> None:
    """The generation can't tell it; the newest SEND does (R-AUTH-005)."""
    tap = Tap()
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice, net=tap) as a, at(bob) as b:
            await (await a.send("bob", "one")).wait("delivered", 10)
            # The write-ahead log is whole: nothing is being written now.
            shutil.copytree(alice, tmp_path / "copy")
            await (await a.send("bob", "two")).wait("delivered", 10)
            assert await texts(b, 2) == ["one", "two"]
        shutil.rmtree(alice)
        shutil.copytree(tmp_path / "copy", alice)
        async with at(alice, net=tap) as a, at(bob) as b:
            # Sealed before it is known, the message would not use a key again.
            await a.wait_online(10)
            await (await a.send("bob", "three")).wait("delivered", 20)
            assert await texts(b, 1) == ["three"]
        query = "SELECT registration_id FROM account"
        assert look(alice, query) != look(tmp_path / "copy", query)
        assert_each_key_is_used_once(tap)
        assert look(bob, UNREADABLE) == 0


async def test_what_a_lost_registration_could_open_is_sent_again(
    tmp_path: Path,
) -> None:
    """The server says UNDELIVERED(REREGISTERED); the sender still has it."""
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice) as a, at(bob) as b:
            await (await a.send("bob", "one")).wait("delivered", 10)
            assert await texts(b, 1) == ["one"]
        shutil.copytree(bob, tmp_path / "copy")
        async with at(bob) as b:
            await b.wait_online(10)
        shutil.rmtree(bob)
        shutil.copytree(tmp_path / "copy", bob)
        async with at(alice) as a:
            for text in ("two", "three"):
                await (await a.send("bob", text)).wait("sequenced", 10)
            async with at(bob) as b:
                assert sorted(await texts(b, 2)) == ["three", "two"]
                shown = [message.text for message in await b.history("alice")]
                assert shown == ["one", "two", "three"]
            undelivered = 0
            async for event in a.events():
                if isinstance(event, MessageUndelivered):
                    assert event.reason == "reregistered"
                    undelivered += 1
                    if undelivered == 2:
                        break


async def test_what_was_sent_again_is_sent_again_once_more(tmp_path: Path) -> None:
    """A second registration drops the resend that made good for the first."""
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        carol = await join("carol", server.join, tmp_path)
        async with at(alice) as a, at(bob) as b:
            await (await a.send("bob", "one")).wait("delivered", 10)
            assert await texts(b, 1) == ["one"]
        await roll_back(bob)
        async with at(alice) as a:
            await (await a.send("bob", "two")).wait("sequenced", 10)
        async with at(carol) as c, at(bob) as b:
            # That he can be written to: his new registration has its prekeys.
            await (await c.send("bob", "hello")).wait("delivered", 10)
            assert await texts(b, 1) == ["hello"]
        await roll_back(bob)
        async with at(alice) as a:
            async for event in a.events():
                if isinstance(event, MessageUndelivered):
                    break
            # Behind the resend, in the outbox and on the way.
            await (await a.send("bob", "three")).wait("sequenced", 10)
            async with at(bob) as b:
                with anyio.fail_after(10):
                    assert sorted(await texts(b, 2)) == ["three", "two"]


async def roll_back(profile: Path) -> None:
    """Makes an old copy of a profile, which has signed in since."""
    copy = profile.with_name("copy")
    shutil.copytree(profile, copy)
    async with at(profile) as session:
        await session.wait_online(10)
    shutil.rmtree(profile)
    copy.rename(profile)


async def test_a_second_connection_ends_the_first_for_good(tmp_path: Path) -> None:
    """Two that replace each other without end would starve both (REPLACED)."""
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        shutil.copytree(alice, tmp_path / "twin")
        async with at(alice) as first:
            await first.wait_online(10)
            async with at(tmp_path / "twin") as second:
                await second.wait_online(10)
                while not first.connectivity.is_final:
                    await first.connectivity_change()
                with pytest.raises(SessionEnded, match="second time"):
                    await first.wait_online(1)
                with pytest.raises(SessionEnded):
                    await anext(aiter(first.events()))
