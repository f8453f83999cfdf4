"""What one connection may make the server hold, at n - 1, n and n + 1."""

import msgspec
import pytest
from tests.server._gated import Bench
from tests.server.test_flow_control import a_send, entries

from wigwag.server import Limits
from wigwag.server._flow import Flow
from wigwag.server._pending import REQUEST_OVERHEAD_BYTES
from wigwag.server.core import Refusal, Tick
from wigwag.server.core import Send as SendRequest
from wigwag.wire import (
    Deliver,
    ErrorCode,
    PeerGoingAway,
    PrekeysClaim,
    Received,
    Reject,
    Send,
    Welcome,
)

AROUND = (-1, 0, 1)
BENCH = Limits.for_profile("bench")
KIB = 1_024
CONNECTION_BYTES_MAX = KIB * KIB
"""The design's hard bound of what a connection may make the server hold."""


def delivered(bench: Bench) -> int:
    """Count the entries that the client has got."""
    return sum(
        isinstance(event, Received) and isinstance(event.message, Deliver)
        for event in bench.events
    )


@pytest.mark.parametrize("beside", AROUND)
def test_in_flight_max(beside: int) -> None:
    """At the bound nothing more is taken until an answer is there (S9)."""
    flow = Flow(msgspec.structs.replace(BENCH, in_flight_max=16))
    for _ in range(16 + beside):
        flow.hold(1)
    assert flow.may_take is (beside < 0)
    flow.release(1)
    assert flow.may_take is (beside < 1)


@pytest.mark.parametrize("beside", AROUND)
def test_in_flight_bytes_max(beside: int) -> None:
    """Few large requests are as much as many small ones."""
    flow = Flow(msgspec.structs.replace(BENCH, in_flight_bytes_max=65_536))
    flow.hold(65_536 + beside)
    assert flow.may_take is (beside < 0)


@pytest.mark.parametrize("beside", AROUND)
def test_in_flight_over_rate_max(beside: int) -> None:
    """A flood of SENDs gets a small part of each commit, refused or known."""
    bench = Bench(
        limits=msgspec.structs.replace(
            Limits(), send_burst=4, in_flight_over_rate_max=12
        )
    )
    bench.sign_in()
    for _ in range(12 + beside):
        bench.client.send(a_send(bench))
    bench.carry()
    assert bench.engine.depth == min(12, 12 + beside)
    assert bench.session.wants_reading is (beside < 0)
    marks = [
        isinstance(one, SendRequest) and one.marked for one, _ in bench.engine.waiting
    ]
    assert marks == [None] * 4 + [Refusal.RATE_LIMITED] * (min(12, 12 + beside) - 4)
    bench.now += 10
    bench.engine.release(bench.engine.depth)
    bench.hub.flush()
    bench.client.send(a_send(bench))
    bench.carry()
    assert bench.session.wants_reading


@pytest.mark.parametrize("beside", AROUND)
def test_window_entries(beside: int) -> None:
    """The rest stays in the inbox."""
    bench = Bench(limits=msgspec.structs.replace(BENCH, window_entries=16))
    bench.sign_in()
    (watcher,) = bench.engine.watchers.values()
    watcher.entries(entries(1, 16 + beside, 10))
    bench.hub.flush()
    assert delivered(bench) == min(16, 16 + beside)


@pytest.mark.parametrize("beside", AROUND)
def test_window_bytes(beside: int) -> None:
    """The entry that reaches the bound is the last; one byte below, another goes."""
    inbox = entries(1, 6, 16_000)
    window = 5 * inbox[0].size
    bench = Bench(
        limits=msgspec.structs.replace(
            BENCH, window_bytes=window + beside, write_buffer_bytes_max=4_194_304
        )
    )
    bench.sign_in()
    (watcher,) = bench.engine.watchers.values()
    watcher.entries(inbox)
    bench.hub.flush()
    assert delivered(bench) == (6 if beside > 0 else 5)


@pytest.mark.parametrize("beside", AROUND)
def test_write_buffer_bytes_max(beside: int) -> None:
    """From the bound on no entry is read and no request taken."""
    flow = Flow(msgspec.structs.replace(BENCH, write_buffer_bytes_max=16_384))
    flow.queued_bytes = 10_000
    flow.backlog_bytes = 6_384 + beside
    assert flow.may_take is (beside < 0)
    assert flow.room_bytes == -beside


@pytest.mark.parametrize("beside", AROUND)
def test_output_bytes_max(beside: int) -> None:
    """Whoever lets more answers lie than this does not read: it is sent away."""
    bench = Bench(limits=msgspec.structs.replace(BENCH, output_bytes_max=100_000))
    bench.sign_in()
    bench.takes = False
    bench.unwritten = bytes(100_000 + beside)
    bench.session.mark()
    bench.hub.flush()
    assert bench.session.closed is (beside > 0)
    assert bench.hub.counts.slow_readers == (beside > 0)


@pytest.mark.parametrize("beside", AROUND)
def test_engine_depth_max(beside: int) -> None:
    """A server with too much to do says so before any work, with a time to return."""
    bench = Bench(limits=msgspec.structs.replace(BENCH, engine_depth_max=8))
    for _ in range(8 + beside):
        bench.engine.append(Tick(), lambda _: None)
    bench.client.send_hello(bytes(31) + b"\x01")
    bench.carry()
    (event,) = [event for event in bench.events if isinstance(event, Received)]
    if beside > 0:
        assert isinstance(event.message, Reject)
        assert event.message.code == ErrorCode.OVERLOADED
        assert event.message.retry_after_ms > 0
    else:
        assert isinstance(event.message, Welcome)


def test_a_small_look_up_pays_for_its_large_answer() -> None:
    """Else 256 of them in flight would answer four megabytes to who doesn't read."""
    bench = Bench()
    bench.sign_in()
    for _ in range(256):
        bench.client.send(PrekeysClaim(user=b"v" * 16))
    bench.carry()
    assert not bench.session.wants_reading
    assert bench.engine.depth == pytest.approx(
        BENCH.in_flight_bytes_max / (15_426 + REQUEST_OVERHEAD_BYTES + 17), rel=0.1
    )


def largest_send(bench: Bench) -> Send:
    """Return a SEND that is hardly smaller than a frame may be."""
    send = a_send(bench, 16_384)
    (envelope,) = send.envelopes
    return msgspec.structs.replace(
        send,
        envelopes=tuple(
            msgspec.structs.replace(envelope, device=number) for number in range(1, 16)
        ),
    )


def test_a_connection_holds_no_more_than_its_share() -> None:
    """I15: in flight, read and unwritten at their worst, all at once."""
    bench = Bench()
    bench.sign_in()
    most = 0
    for _ in range(6):
        bench.client.send(largest_send(bench))
    data = bench.client.data_to_send()
    for start in range(0, len(data), 65_536):
        if not bench.session.wants_reading:
            break
        bench.hub.begin()
        bench.session.guarded(
            bench.session.receive, data[start : start + 65_536], bench.now
        )
        bench.hub.flush()
        most = max(most, bench.session.held_bytes)
    assert not bench.session.wants_reading
    assert bench.engine.depth == 3
    (watcher,) = bench.engine.watchers.values()
    bench.takes = False
    watcher.entries(entries(1, 100, 16_000))
    bench.hub.flush()
    most = max(most, bench.session.held_bytes)
    assert 900 * KIB < most <= CONNECTION_BYTES_MAX
    assert bench.hub.memory.held_bytes == bench.session.held_bytes
    bench.session.ended()
    bench.engine.release(bench.engine.depth)
    assert bench.hub.memory.held_bytes == 0


def test_the_last_words_name_the_overload() -> None:
    """A client that is sent away for memory's sake knows when to come back."""
    bench = Bench()
    bench.sign_in()
    bench.client.send(a_send(bench))
    bench.carry()
    bench.hub.memory.held_bytes += 10 * BENCH.memory_bytes_max
    assert bench.hub.shed() == 1
    bench.hub.flush()
    away = [event for event in bench.events if isinstance(event, PeerGoingAway)]
    assert [event.code for event in away] == [ErrorCode.OVERLOADED]
    assert away[0].retry_after_ms > 0
