# pyright: reportPrivateUsage=false
"""Deadlines, each a moment before, at and after its time; nobody sleeps for it."""

import socket
from collections.abc import Generator
from contextlib import contextmanager

import msgspec
import pytest
import trio
from tests.server._gated import Bench
from tests.server._peer import Account, connect
from tests.server.test_flow_control import a_send
from trio.testing import MockClock, wait_all_tasks_blocked

from wigwag.server import Limits
from wigwag.server._poller import Poller
from wigwag.server._pump import Phase, Pump
from wigwag.server._session import Session
from wigwag.server._sweeper import GRID_SECONDS, Sweeper
from wigwag.server._tls import ServerTLS
from wigwag.testing import RunningServer, server
from wigwag.wire import (
    ErrorCode,
    PeerError,
    Ping,
    PrekeysCount,
    PrekeysStored,
    Received,
    encode_frame,
)

WAIT_SECONDS_MAX = 15.0
AROUND = (-1, 0, 1)
BENCH = Limits.for_profile("bench")


def tick_at(bench: Bench, seconds: float) -> None:
    """Let so many seconds pass, then have the deadlines looked at."""
    bench.now += seconds
    bench.hub.begin()
    bench.session.tick(bench.now)
    bench.hub.flush()


def codes(bench: Bench) -> set[int]:
    """Return why the server said that it ends."""
    return {event.code for event in bench.events if isinstance(event, PeerError)}


@pytest.mark.parametrize("beside", AROUND)
def test_auth_seconds(beside: int) -> None:
    """Absolute: what is said meanwhile doesn't buy time, and no word is lost on it."""
    bench = Bench(limits=msgspec.structs.replace(BENCH, auth_seconds=30))
    bench.client.send_hello(bytes(31) + b"\x01")
    bench.carry()
    tick_at(bench, 20)
    bench.client.send(Ping(token=1))
    bench.carry()
    tick_at(bench, 10 + beside)
    assert bench.session.closed is (beside >= 0)


@pytest.mark.parametrize("beside", AROUND)
@pytest.mark.parametrize("length", [8_192, 81_920])
def test_frame_seconds(length: int, beside: int) -> None:
    """The deadline is the frame's: a byte now and then doesn't move it (slowloris)."""
    bench = Bench(limits=msgspec.structs.replace(BENCH, frame_seconds=40))
    bench.sign_in()
    size = length - len(encode_frame(a_send(bench, 1), bench.client.revision, 1)) + 13
    send = a_send(bench, min(size, 16_384))
    if size > 16_384:
        (one,) = send.envelopes
        parts = size // 16_384
        send = msgspec.structs.replace(
            send,
            envelopes=tuple(
                msgspec.structs.replace(one, device=number + 1)
                for number in range(parts)
            ),
        )
    data = encode_frame(send, bench.client.revision, 1_000)
    seconds = 40 + (len(data) - 12) / 8_192
    bench.session.receive(data[:100], bench.now)
    half = int(seconds / 2)
    tick_at(bench, half)
    bench.session.receive(data[100:101], bench.now)
    tick_at(bench, seconds - half + beside * 0.01)
    assert bench.session.closed is (beside >= 0)
    assert codes(bench) == ({ErrorCode.FRAME_TIMEOUT} if beside >= 0 else set())


@pytest.mark.parametrize("beside", AROUND)
def test_idle_seconds(beside: int) -> None:
    """Silence is asked about, not punished."""
    bench = Bench(limits=msgspec.structs.replace(BENCH, idle_seconds=50))
    bench.sign_in()
    before = bench.hub.counts.bytes_out
    tick_at(bench, 50 + beside)
    assert (bench.hub.counts.bytes_out > before) is (beside >= 0)
    assert not bench.session.closed


@pytest.mark.parametrize("beside", AROUND)
def test_pong_seconds(beside: int) -> None:
    """pings_missed_max: two in a row that nobody answers are the end."""
    limits = msgspec.structs.replace(BENCH, idle_seconds=50, pong_seconds=7)
    bench = Bench(limits=limits)
    bench.sign_in()
    tick_at(bench, 50)
    tick_at(bench, 7)
    assert not bench.session.closed
    tick_at(bench, 7 + beside)
    assert bench.session.closed is (beside >= 0)
    assert codes(bench) == ({ErrorCode.PEER_TIMEOUT} if beside >= 0 else set())


# What the pump watches: the socket's own deadlines.


@contextmanager
def pumping(limits: Limits, tls: ServerTLS) -> Generator[tuple[Pump, socket.socket]]:
    """Yield a pump over a real socket, and the peer's end of it."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    bench = Bench()

    def no_session(now: float) -> Session:
        raise AssertionError(f"nobody shakes hands here ({now})")

    pump = Pump(
        ours,
        tls,
        open_session=no_session,
        limits=limits,
        sweeper=Sweeper(begin=bench.hub.begin, end=bench.hub.flush),
        poller=Poller(begin=bench.hub.begin, end=bench.hub.flush),
        on_gone=lambda _: None,
        hub=bench.hub,
    )
    try:
        yield pump, theirs
    finally:
        pump.cut()
        ours.close()
        theirs.close()


@pytest.fixture
async def tls() -> ServerTLS:
    """What a server presents."""
    async with server() as running:
        return running.server._listener._certificates.tls


@pytest.mark.parametrize("beside", AROUND)
async def test_tls_handshake_seconds(beside: int, tls: ServerTLS) -> None:
    """Whoever says nothing, or half a TLS hello, is gone without a word (F1)."""
    limits = msgspec.structs.replace(BENCH, tls_handshake_seconds=8)
    with pumping(limits, tls) as (pump, _):
        deadline = pump.next_deadline()
        assert deadline is not None
        pump.tick(deadline + beside)
        assert (pump.phase is Phase.GONE) is (beside >= 0)
        assert pump.tls_failed is (beside >= 0)


@pytest.mark.parametrize("beside", AROUND)
async def test_stall_seconds(beside: int, tls: ServerTLS) -> None:
    """A reader that takes nothing is cut; one that takes a little has time anew."""
    limits = msgspec.structs.replace(BENCH, stall_seconds=5)
    with pumping(limits, tls) as (pump, peer):
        pump._deadline = None
        pump._write(bytes(8_388_608))
        first = pump.next_deadline()
        assert first is not None
        peer.recv(1_048_576)
        pump._write_some(first - 1)
        second = pump.next_deadline()
        assert second is not None
        assert second == first + 4
        pump.tick(second + beside)
        assert (pump.phase is Phase.GONE) is (beside >= 0)
        assert pump.was_slow_reader is (beside >= 0)


@pytest.mark.parametrize("beside", AROUND)
async def test_linger_seconds(beside: int, tls: ServerTLS) -> None:
    """A peer has that long to read the last words before the socket goes."""
    limits = msgspec.structs.replace(BENCH, linger_seconds=2)
    with pumping(limits, tls) as (pump, _):
        pump._begin_end()
        deadline = pump.next_deadline()
        assert deadline is not None
        assert deadline == pytest.approx(trio.current_time() + 2, abs=1)
        pump.tick(deadline + beside)
        assert (pump.phase is Phase.GONE) is (beside >= 0)


# What the whole server watches, on a clock that the test turns.


@pytest.mark.parametrize("beside", AROUND)
async def test_drain_seconds(beside: int, mock_clock: MockClock) -> None:
    """A connection that won't end doesn't keep the process longer than that."""
    limits = msgspec.structs.replace(BENCH, drain_seconds=25, tls_handshake_seconds=60)
    async with server(limits=limits) as running:
        with socket.create_connection(("127.0.0.1", running.address.port)):
            await connected(running, 1)
            running.server.request_drain()
            await wait_all_tasks_blocked()
            mock_clock.jump(25 + beside)
            if beside >= 0:
                await running.server.wait_stopped()
            await wait_all_tasks_blocked()
            assert running.server._stopped.is_set() is (beside >= 0)


async def connected(running: RunningServer, count: int) -> None:
    """Wait until the server has taken so many connections."""
    counts = running.server.services.hub.counts
    while counts.connections < count:
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("beside", AROUND)
async def test_memory_short_seconds(beside: int, mock_clock: MockClock) -> None:
    """Only when memory stays short is anybody sent away, and then who holds most."""
    limits = msgspec.structs.replace(BENCH, memory_short_seconds=15)
    async with server(limits=limits) as running, connect(running.address.port) as peer:
        await peer.register(Account(), running.join)
        await peer.stream.send_all(header_of_a_large_send())
        memory = running.server.services.hub.memory
        while memory.traffic_bytes == 0:
            await trio.lowlevel.checkpoint()
        memory.held_bytes += limits.memory_bytes_max
        while "memory_short" not in running.log.getvalue():
            mock_clock.jump(1)
            await wait_all_tasks_blocked()
        for _ in range(15 + beside):
            mock_clock.jump(1)
            await wait_all_tasks_blocked()
        assert running.server.services.hub.counts.shed == (beside >= 0)
        memory.held_bytes -= limits.memory_bytes_max


def header_of_a_large_send() -> bytes:
    """Return the beginning of a frame that will be 200 KiB long."""
    return (204_800).to_bytes(4) + (80).to_bytes(2) + bytes(2) + (99).to_bytes(4) + b"x"


async def test_a_deadline_is_kept_on_a_real_connection(mock_clock: MockClock) -> None:
    """The same through sweeper, pump, TLS and socket: silence before sign-in ends."""
    limits = msgspec.structs.replace(BENCH, auth_seconds=10)
    async with server(limits=limits) as running, connect(running.address.port) as peer:
        await wait_all_tasks_blocked()
        mock_clock.jump(9)
        await wait_all_tasks_blocked()
        assert running.server.services.hub.counts.connections == 1
        mock_clock.jump(1 + GRID_SECONDS)
        assert await peer.wait_closed()
    async with server() as running, connect(running.address.port) as peer:
        await peer.register(Account(), running.join)
        mock_clock.jump(30)
        answer = await peer.ask(PrekeysCount())
        assert isinstance(answer, PrekeysStored)
        assert not [event for event in peer.events if not isinstance(event, Received)]


async def test_half_a_frame_makes_an_armed_deadline_nearer() -> None:
    """The sweeper sleeps until the far one: whoever stops in mid frame must wake it."""
    limits = msgspec.structs.replace(
        BENCH,
        tls_handshake_seconds=60,
        auth_seconds=60,
        idle_seconds=600,
        frame_seconds=1,
    )
    async with server(limits=limits) as running, connect(running.address.port) as peer:
        await peer.register(Account(), running.join)
        await peer.stream.send_all(header_of_a_large_send()[:6])
        with trio.fail_after(WAIT_SECONDS_MAX):
            events = await peer.wait_closed()
        codes = [event.code for event in events if isinstance(event, PeerError)]
        assert codes == [ErrorCode.FRAME_TIMEOUT]
