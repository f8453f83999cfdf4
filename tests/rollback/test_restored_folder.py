"""A server comes back as it was some time ago: nothing is lost without a word."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from anyio.to_thread import run_sync
from tests.client.worlds import Tap, at, join, look
from tests.rollback._scenes import (
    assert_each_key_is_used_once,
    gaps_of,
    put_back,
    read,
    restart_on,
    shown,
    status_of,
)

from wigwag.client import MessageState
from wigwag.testing import ServerProcess, server_process

OPTIONS = ("--limits-profile", "bench")


def copy_stopped(server: ServerProcess, copy: Path) -> None:
    """Stop the server, copy its folder, go on."""
    server.stop()
    shutil.copytree(server.folder, copy, ignore=shutil.ignore_patterns("*.sock"))
    server.start()


def copy_running(server: ServerProcess, copy: Path) -> None:
    """Copy the folder under the running server, as no one should."""
    shutil.copytree(server.folder, copy, ignore=shutil.ignore_patterns("*.sock"))


@pytest.mark.parametrize("copy_folder", [copy_stopped, copy_running])
async def test_a_folder_put_back_loses_nothing_silently(
    tmp_path: Path, copy_folder: Callable[[ServerProcess, Path], None]
) -> None:
    """What was read stays once, what wasn't comes again, and both are told."""
    tap, copy = Tap(), tmp_path / "copy"
    with server_process(options=OPTIONS) as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice, net=tap) as a, at(bob, net=tap) as b:
            await (await a.send("bob", "before")).wait("delivered", 20)
            await (await b.send("alice", "too")).wait("delivered", 20)
        await run_sync(copy_folder, server, copy)
        async with at(alice, net=tap) as a:
            async with at(bob, net=tap) as b:
                await (await a.send("bob", "read")).wait("delivered", 20)
                assert await read(b, 2) == ["before", "read"]
            # Sequenced and not delivered: only Alice holds it from now on.
            for text in ("unread 1", "unread 2"):
                await (await a.send("bob", text)).wait("sequenced", 20)
        await run_sync(restart_on, server, copy)
        async with at(alice, net=tap) as a, at(bob, net=tap) as b:
            assert await read(b, 2) == ["unread 1", "unread 2"]
            await (await a.send("bob", "after")).wait("delivered", 20)
            assert await read(b, 1) == ["after"]
            expected = ["before", "too", "read", "unread 1", "unread 2", "after"]
            assert await shown(b, "alice") == expected
            assert await shown(a, "bob") == expected
            states = [one.state for one in await a.history("bob") if one.is_own]
            assert states == [MessageState.DELIVERED] * 5
            assert [gap.reason for gap in await gaps_of(a, 1)] == ["server_restored"]
            assert "server_restored" in {gap.reason for gap in await gaps_of(b, 1)}
        assert_each_key_is_used_once(tap)
        status = await run_sync(status_of, server)
        assert status["restores_proven"] == 1
        assert "restore_proven" in server.log_path.read_text("utf-8")
    assert look(bob, "SELECT count(*) FROM event WHERE kind = 4") == 0


async def test_a_folder_older_than_a_new_registration_takes_the_device_back(
    tmp_path: Path,
) -> None:
    """It knows the device by the registration before: that one is over, both ways."""
    tap, profile_copy, copy = Tap(), tmp_path / "profile copy", tmp_path / "copy"
    with server_process(options=OPTIONS) as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice, net=tap) as a, at(bob, net=tap) as b:
            await (await a.send("bob", "before")).wait("delivered", 20)
            assert await read(b, 1) == ["before"]
        await run_sync(copy_stopped, server, copy)
        shutil.copytree(bob, profile_copy)
        async with at(bob, net=tap) as b:
            await b.wait_online(20)
        put_back(profile_copy, bob)
        async with at(bob, net=tap) as b:
            async with at(alice, net=tap) as a:
                # Under a registration that the copy of the folder doesn't know.
                await (await b.send("alice", "lost")).wait("delivered", 20)
                assert await read(a, 1) == ["lost"]
            # Only Bob holds it from now on.
            await (await b.send("alice", "lost too")).wait("sequenced", 20)
        registration = look(bob, "SELECT registration_id FROM account")
        await run_sync(restart_on, server, copy)
        async with at(alice, net=tap) as a, at(bob, net=tap) as b:
            await (await b.send("alice", "mine")).wait("delivered", 30)
            await (await a.send("bob", "yours")).wait("delivered", 30)
            assert await read(b, 1) == ["yours"]
            told = await shown(a, "bob")
            assert told[:2] == ["before", "lost"]
            assert {"lost too", "mine"} <= set(told)
            assert len(told) == len(set(told))
            assert {one.state for one in await b.history("alice") if one.is_own} == {
                MessageState.DELIVERED
            }
        assert look(bob, "SELECT registration_id FROM account") != registration
        assert_each_key_is_used_once(tap)


async def test_one_time_prekeys_of_a_restored_server_are_not_used_again(
    tmp_path: Path,
) -> None:
    """They may have been handed out since; new ones are uploaded and work (I24)."""
    copy = tmp_path / "copy"
    with server_process(options=OPTIONS) as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        carol = await join("carol", server.join, tmp_path)
        async with at(bob) as b, at(alice) as a:
            await (await a.send("bob", "hello")).wait("delivered", 20)
            await run_sync(copy_stopped, server, copy)
            await (await a.send("bob", "again")).wait("delivered", 30)
            assert await read(b, 2) == ["hello", "again"]
        await run_sync(restart_on, server, copy)
        # Bob's cursor proves it at his sign-in; then nobody gets an old key of his.
        async with at(bob) as b:
            await b.wait_online(20)
            async with at(carol) as c:
                await (await c.send("bob", "a new session")).wait("delivered", 20)
                assert await read(b, 1) == ["a new session"]
    assert look(bob, "SELECT count(*) FROM event WHERE kind = 4") == 0


async def test_a_server_that_lost_nothing_is_not_suspected(tmp_path: Path) -> None:
    """Restarts, cuts and lost answers must not look like a rollback."""
    tap = Tap()
    with server_process(options=OPTIONS) as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        async with at(alice, net=tap) as a:
            async with at(bob) as b:
                await (await a.send("bob", "one")).wait("delivered", 20)
                assert await read(b, 1) == ["one"]
            await (await a.send("bob", "two")).wait("sequenced", 20)
            tap.is_deaf = True
            last = await a.send("bob", "three")
            async with at(bob) as b:
                assert await read(b, 2) == ["two", "three"]
                # It was stored, and Alice has not heard so.
                await run_sync(server.stop)
            tap.is_deaf = False
            tap.cut()
            await run_sync(server.start)
            await last.wait("delivered", 20)
            await run_sync(server.kill)
            await run_sync(server.start)
            await (await a.send("bob", "four")).wait("sequenced", 20)
        assert look(alice, "SELECT count(*) FROM event WHERE kind = 5") == 0
        assert look(alice, "SELECT count(*) FROM sent") == 4
        sends = [one for one in tap.sends() if one.class_ == 1]
        assert {one.attempt for one in sends} == {1}
