"""Clocks that are wrong, and then right: refused, or lived with, never silently."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from anyio.to_thread import run_sync
from tests.client.worlds import Tap, join, ports
from tests.rollback._scenes import gaps_of, kinds_told, read, shown

from wigwag import testing
from wigwag.client import MessageState, Session, WigwagError, open_session, register
from wigwag.client._events import EventKind
from wigwag.client._ids import id_time_ms
from wigwag.client._net import TLSNet
from wigwag.server import Config, ConfigError
from wigwag.server._admin_client import ask_admin
from wigwag.server.engines import SystemClock

DAY_MS = 86_400_000
# The server's certificate would be valid, and neither ids nor the clock are.
MONTHS_MS = 300 * DAY_MS
YEARS_MS = 3 * 366 * DAY_MS


class SteppedClock:
    """The machine's clock as somebody has set it.

    Attributes:
        off_ms: By how much it is wrong.
    """

    def __init__(self, off_ms: int = 0) -> None:
        self.off_ms = off_ms

    def now_ms(self) -> int:
        """Return ms since the Unix epoch."""
        return self.wall_ns() // 1_000_000

    def wall_ns(self) -> int:
        """Return ns since the Unix epoch."""
        return time.time_ns() + self.off_ms * 1_000_000


@asynccontextmanager
async def a_server(
    folder: Path, clock: SteppedClock, *, accepts_clock: bool = False
) -> AsyncGenerator[testing.RunningServer, None]:
    """Run a server on a folder, and on its port of before, with a clock."""
    port = folder / "port"
    listen = f"127.0.0.1:{port.read_text() if port.exists() else 0}"
    async with testing.server(
        Config(listen=listen, limits_profile="bench"),
        folder=folder,
        clock=SystemClock(clock.wall_ns),
        accepts_clock=accepts_clock,
    ) as running:
        port.write_text(str(running.address.port))
        yield running


@asynccontextmanager
async def with_clock(
    profile: Path, off_ms: int, tap: Tap
) -> AsyncGenerator[Session, None]:
    """Open a profile on a machine whose clock is wrong."""
    world = replace(ports(net=tap), clock=SteppedClock(off_ms))
    async with open_session(profile, ports=world) as session:
        yield session


async def talk(alice: Path, bob: Path, text: str, tap: Tap) -> None:
    """Say something in both directions and see it arrive."""
    with anyio.fail_after(40):
        async with with_clock(alice, 0, tap) as a, with_clock(bob, 0, tap) as b:
            # Who writes before the server tells its time writes by an older one.
            await a.wait_online(20)
            await b.wait_online(20)
            await (await a.send("bob", text)).wait("delivered", 20)
            await (await b.send("alice", f"{text}?")).wait("delivered", 20)
            assert await read(b, 1) == [text]
            assert await read(a, 1) == [f"{text}?"]


@pytest.mark.parametrize("ahead_ms", [DAY_MS - 60_000, MONTHS_MS])
async def test_a_clock_that_was_ahead_and_is_right_again(
    tmp_path: Path, ahead_ms: int
) -> None:
    """Refused until its operator vouches for it; then everybody goes on."""
    clock, tap = SteppedClock(), Tap()
    async with a_server(tmp_path, clock) as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        await talk(alice, bob, "right", tap)
    clock.off_ms = ahead_ms
    async with a_server(tmp_path, clock, accepts_clock=True):
        await talk(alice, bob, "ahead", tap)
    clock.off_ms = 0
    with pytest.raises(ConfigError, match="behind the newest record") as caught:
        async with a_server(tmp_path, clock):
            raise AssertionError
    assert "--accept-clock" in caught.value.sentence
    for shown_ms in (clock.now_ms(), clock.now_ms() + ahead_ms):
        day = time.strftime("%Y-%m-%d", time.gmtime(shown_ms / 1000))
        assert day in caught.value.sentence
    async with a_server(tmp_path, clock, accepts_clock=True):
        await talk(alice, bob, "right again", tap)
        last = tap.sends()[-1]
        assert abs(id_time_ms(last.client_msg_id) - clock.now_ms()) < DAY_MS
    async with a_server(tmp_path, clock):
        await talk(alice, bob, "and again", tap)
    for profile in (alice, bob):
        for kind in (EventKind.GAP, EventKind.PEER_CHANGED, EventKind.UNREADABLE):
            assert kinds_told(profile, kind) == 0


@pytest.mark.parametrize("step_ms", [DAY_MS, -DAY_MS])
async def test_a_step_under_a_running_server_is_not_followed(
    tmp_path: Path, step_ms: int
) -> None:
    """It goes on by the clock that nobody sets, until its operator says otherwise."""
    clock, tap = SteppedClock(), Tap()
    async with a_server(tmp_path, clock) as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        await talk(alice, bob, "before", tap)
        clock.off_ms = step_ms
        await talk(alice, bob, "stepped", tap)
        assert abs(id_time_ms(tap.sends()[-1].client_msg_id) - time_ms()) < 60_000
        told = await run_sync(accept_clock, server.folder)
        moved = told["step_ms"]
        assert isinstance(moved, int)
        assert abs(moved - step_ms) < 60_000
        await talk(alice, bob, "accepted", tap)
        minted = id_time_ms(tap.sends()[-1].client_msg_id)
        assert abs(minted - time_ms() - step_ms) < 60_000
        status = await server.server.operations.status()
        assert abs(status.clock_ms - time_ms() - step_ms) < 60_000
    # Whatever it is now is what the folder knows: the next start has no question.
    async with a_server(tmp_path, clock):
        await talk(alice, bob, "restarted", tap)


@pytest.mark.parametrize("off_ms", [DAY_MS, -DAY_MS])
async def test_a_client_with_a_wrong_clock_is_as_good_as_any(
    tmp_path: Path, off_ms: int
) -> None:
    """It lives by the server's time: ids, lists, prekeys, what people are shown."""
    clock, tap = SteppedClock(), Tap()
    async with a_server(tmp_path, clock) as server:
        alice = tmp_path / "alice"
        world = replace(ports(net=TLSNet()), clock=SteppedClock(off_ms))
        await register("alice", server.join, profile=alice, ports=world)
        bob = await join("bob", server.join, tmp_path)
        for text in ("one", "two"):
            async with (
                with_clock(alice, off_ms, tap) as a,
                with_clock(bob, 0, tap) as b,
            ):
                await (await a.send("bob", text)).wait("delivered", 20)
                await (await b.send("alice", f"{text}!")).wait("delivered", 20)
                assert await read(b, 1) == [text]
                assert await read(a, 1) == [f"{text}!"]
                for session, peer in ((a, "bob"), (b, "alice")):
                    for message in await session.history(peer):
                        assert abs(message.sent_at_ms - time_ms()) < 60_000
        for send in tap.sends():
            assert abs(id_time_ms(send.client_msg_id) - time_ms()) < 60_000
        # The clock is set right. Until the server tells its time, ids are off by as
        # much as it was, which the server takes.
        async with with_clock(alice, 0, tap) as a, with_clock(bob, 0, tap) as b:
            await (await a.send("bob", "three")).wait("delivered", 20)
            assert await shown(b, "alice") == ["one", "one!", "two", "two!", "three"]
    for profile in (alice, bob):
        for kind in (EventKind.GAP, EventKind.PEER_CHANGED, EventKind.LISTS_DIFFER):
            assert kinds_told(profile, kind) == 0


async def test_what_was_written_while_the_clock_was_ahead_says_its_end(
    tmp_path: Path,
) -> None:
    """An id from the future is refused for good, and its sender is told so."""
    clock, tap = SteppedClock(), Tap()
    async with a_server(tmp_path, clock) as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        await talk(alice, bob, "right", tap)
    clock.off_ms = MONTHS_MS
    async with a_server(tmp_path, clock, accepts_clock=True):
        await talk(alice, bob, "ahead", tap)
    async with with_clock(alice, 0, tap) as a:
        late = await a.send("bob", "written offline, by the server's wrong time")
    clock.off_ms = 0
    async with (
        a_server(tmp_path, clock, accepts_clock=True),
        with_clock(alice, 0, tap) as a,
        with_clock(bob, 0, tap) as b,
    ):
        await a.wait_online(20)
        await (await a.send("bob", "by the right time")).wait("delivered", 20)
        assert await read(b, 1) == ["by the right time"]
        refused = await a.message(late.message_id)
        assert refused.state is MessageState.REJECTED
        assert refused.reason == "expired"


async def test_a_clock_years_ahead_that_was_accepted_loses_nothing_silently(
    tmp_path: Path,
) -> None:
    """What waits expires by it, and is said; the certificate it makes goes again."""
    clock, tap = SteppedClock(), Tap()
    async with a_server(tmp_path, clock) as server:
        alice = await join("alice", server.join, tmp_path)
        bob = await join("bob", server.join, tmp_path)
        await talk(alice, bob, "right", tap)
        async with with_clock(alice, 0, tap) as a:
            waiting = await a.send("bob", "waits")
            await waiting.wait("sequenced", 20)
    clock.off_ms = YEARS_MS
    async with (
        a_server(tmp_path, clock, accepts_clock=True),
        with_clock(alice, 0, tap) as a,
    ):
        # By its own clock, the server's new certificate isn't valid yet.
        with pytest.raises(WigwagError, match="certificate"):
            await a.wait_online(5)
    clock.off_ms = 0
    async with (
        a_server(tmp_path, clock, accepts_clock=True),
        with_clock(alice, 0, tap) as a,
        with_clock(bob, 0, tap) as b,
    ):
        await (await a.send("bob", "right again")).wait("delivered", 20)
        assert await read(b, 1) == ["right again"]
        assert [gap.reason for gap in await gaps_of(b, 1)] == ["suspended"]
        assert (await a.message(waiting.message_id)).reason == "suspended"


def accept_clock(folder: Path) -> dict[str, object]:
    """Do what `wigwag admin accept-clock` does."""
    return ask_admin(folder, {"command": "accept-clock"})


def time_ms() -> int:
    """Return the true time."""
    return time.time_ns() // 1_000_000
