"""A client's profile comes back as it was: it registers anew, and both sides know."""

import shutil
from pathlib import Path

import pytest
from tests.client.worlds import Tap, at, join, look
from tests.rollback._scenes import (
    assert_each_key_is_used_once,
    gaps_of,
    kinds_told,
    put_back,
    read,
    shown,
)

from wigwag import testing
from wigwag.client import MessageState, SessionEnded
from wigwag.client._events import EventKind

REGISTRATION = "SELECT registration_id FROM account"


async def test_a_profile_put_back_shows_a_message_or_a_gap(tmp_path: Path) -> None:
    """Received since: a gap. Waiting: sent again. Its owner stays who he is."""
    tap, copy = Tap(), tmp_path / "copy"
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice, net=tap) as a, at(bob, net=tap) as b:
            await (await a.send("bob", "one")).wait("delivered", 10)
            assert await read(b, 1) == ["one"]
        shutil.copytree(bob, copy)
        async with at(alice, net=tap) as a:
            async with at(bob, net=tap) as b:
                await (await a.send("bob", "two")).wait("delivered", 10)
                await (await b.send("alice", "mine")).wait("delivered", 10)
                assert await read(b, 1) == ["two"]
            for text in ("three", "four"):
                await (await a.send("bob", text)).wait("sequenced", 10)
            put_back(copy, bob)
            async with at(bob, net=tap) as b:
                assert sorted(await read(b, 2)) == ["four", "three"]
                assert await shown(b, "alice") == ["one", "three", "four"]
                reasons = {gap.reason for gap in await gaps_of(b, 2)}
                assert reasons == {"store_rolled_back", "reregistered"}
                # Both go on, in both directions.
                await (await b.send("alice", "back")).wait("delivered", 20)
                await (await a.send("bob", "welcome")).wait("delivered", 20)
                assert await read(b, 1) == ["welcome"]
            assert await read(a, 2) == ["mine", "back"]
            everything = ["one", "two", "mine", "three", "four", "back", "welcome"]
            assert await shown(a, "bob") == everything
    assert_each_key_is_used_once(tap)
    assert look(bob, REGISTRATION) != look(copy, REGISTRATION)
    for kind in (EventKind.PEER_CHANGED, EventKind.LISTS_DIFFER, EventKind.UNREADABLE):
        assert kinds_told(alice, kind) == 0
    assert kinds_told(alice, EventKind.UNDELIVERED) == 2


async def test_a_copy_with_a_full_outbox_doubles_nothing(tmp_path: Path) -> None:
    """What the copy holds unsent its newer self has sent: the id tells (I2, I25)."""
    tap, copy = Tap(), tmp_path / "copy"
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice, net=tap) as a, at(bob) as b:
            await (await a.send("bob", "one")).wait("delivered", 10)
            tap.is_down = True
            tap.cut()
            while a.connectivity.is_online:
                await a.connectivity_change()
            # Sealed under keys that the newer self will use for the very same bytes.
            await a.send("bob", "two")
            await a.send("bob", "three")
            assert await read(b, 1) == ["one"]
        shutil.copytree(alice, copy)
        tap.is_down = False
        async with at(alice, net=tap) as a, at(bob) as b:
            assert await read(b, 2) == ["two", "three"]
            await (await a.send("bob", "four")).wait("delivered", 10)
            assert await read(b, 1) == ["four"]
        put_back(copy, alice)
        async with at(alice, net=tap) as a, at(bob) as b:
            await (await a.send("bob", "five")).wait("delivered", 20)
            assert await read(b, 1) == ["five"]
            assert await shown(b, "alice") == ["one", "two", "three", "four", "five"]
            mine = await a.history("bob")
            assert [one.text for one in mine] == ["one", "two", "three", "five"]
            assert {one.state for one in mine} == {MessageState.DELIVERED}
    assert_each_key_is_used_once(tap)
    assert kinds_told(bob, EventKind.UNREADABLE) == 0


async def test_a_copy_of_the_running_profile_is_found_out(tmp_path: Path) -> None:
    """Taken during the newest connection: the newest SEND tells, not the generation."""
    tap, copy = Tap(), tmp_path / "copy"
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(bob) as b:
            async with at(alice, net=tap) as a:
                await (await a.send("bob", "one")).wait("delivered", 10)
                shutil.copytree(alice, copy)
                await (await a.send("bob", "two")).wait("delivered", 10)
            put_back(copy, alice)
            async with at(alice, net=tap) as a:
                # Composed before anything is known: it must not use a key again.
                await (await a.send("bob", "three")).wait("delivered", 20)
                assert await read(b, 3) == ["one", "two", "three"]
                assert [gap.reason for gap in await gaps_of(a, 1)] == [
                    "store_rolled_back"
                ]
    # "three" was sealed by the old store and is sealed anew; the first never left.
    assert_each_key_is_used_once(tap)
    assert kinds_told(bob, EventKind.UNREADABLE) == 0


async def test_a_copy_in_use_ends_the_original_and_says_so(tmp_path: Path) -> None:
    """One of two wins, each knows it, and what the loser holds stays unsent."""
    tap = Tap()
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(bob) as b:
            async with at(alice, net=tap) as a:
                await (await a.send("bob", "original")).wait("delivered", 10)
                shutil.copytree(alice, tmp_path / "twin")
                await (await a.send("bob", "original again")).wait("delivered", 10)
                async with at(tmp_path / "twin", net=tap) as twin:
                    await (await twin.send("bob", "twin")).wait("delivered", 20)
                    while not a.connectivity.is_final:
                        await a.connectivity_change()
                    with pytest.raises(SessionEnded, match="second time"):
                        await (await a.send("bob", "too late")).wait("sequenced", 5)
                assert [one.state for one in await a.history("bob")][-1] == (
                    MessageState.QUEUED
                )
            # The original is opened once more: whoever comes later is the device, and
            # what it held is sent. The other one, not open now, would learn it as well.
            async with at(alice, net=tap) as a:
                await a.wait_online(10)
                held = (await a.history("bob"))[-1]
                await a.wait(held.id, "delivered", 20)
                reasons = [gap.reason for gap in await gaps_of(a, 1)]
                assert reasons == ["store_rolled_back"]
            expected = ["original", "original again", "twin", "too late"]
            assert await read(b, 4) == expected
    assert_each_key_is_used_once(tap)
    assert kinds_told(bob, EventKind.PEER_CHANGED) == 0
    assert kinds_told(bob, EventKind.UNREADABLE) == 0


async def test_a_copy_from_before_a_new_registration_registers_anew(
    tmp_path: Path,
) -> None:
    """The same old copy, put back again and again, is a device each time."""
    tap, copy = Tap(), tmp_path / "copy"
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        shutil.copytree(alice, copy)
        registrations: list[object] = [look(alice, REGISTRATION)]
        expected: list[str] = []
        async with at(bob) as b:
            for number in range(3):
                async with at(alice, net=tap) as a:
                    text = f"life {number}"
                    await a.wait_online(20)
                    # Bob first: he needs a bundle of each new registration, though the
                    # copy gives its keys the ids that another life's had.
                    await (await b.send("alice", f"to {text}")).wait("delivered", 20)
                    assert await read(a, 1) == [f"to {text}"]
                    await (await a.send("bob", text)).wait("delivered", 20)
                expected.append(text)
                registrations.append(look(alice, REGISTRATION))
                put_back(copy, alice)
            assert await read(b, 3) == expected
    assert kinds_told(bob, EventKind.UNREADABLE) == 0
    # The first life is the copy's own registration, each later one a new one.
    assert registrations[0] == registrations[1]
    assert len(set(registrations)) == 3
    assert_each_key_is_used_once(tap)
    assert server.server.services.hub.counts.auth_failures == 0


async def test_an_older_profile_is_put_back_after_its_copy_went_on(
    tmp_path: Path,
) -> None:
    """Copies of copies: each that comes back registers anew, once."""
    tap = Tap()
    async with testing.server() as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(bob) as b:
            expected: list[str] = []
            for number in range(3):
                async with at(alice, net=tap) as a:
                    shutil.copytree(alice, tmp_path / f"copy {number}")
                    text = f"before {number}"
                    await (await a.send("bob", text)).wait("delivered", 20)
                put_back(tmp_path / f"copy {number}", alice)
                async with at(alice, net=tap) as a:
                    await a.wait_online(20)
                    await (await a.send("bob", f"after {number}")).wait("delivered", 20)
                    await (await b.send("alice", f"to {number}")).wait("delivered", 20)
                expected += [text, f"after {number}"]
            assert await read(b, 6) == expected
    assert_each_key_is_used_once(tap)
    assert kinds_told(alice, EventKind.GAP) == 3
    assert kinds_told(bob, EventKind.UNREADABLE) == 0
