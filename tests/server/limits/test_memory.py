# pyright: reportPrivateUsage=false
"""The budget of a process: what is counted, who is paused, who is sent away."""

import msgspec
import pytest
import trio
from tests.server._gated import Bench
from tests.server._peer import Account, connect
from tests.server.test_flow_control import a_send

from wigwag.server import Limits, Memory
from wigwag.server._memory import CONNECTION_BYTES, GROWN_BYTES
from wigwag.server._memory import Account as Book
from wigwag.server._session import Session
from wigwag.testing import server
from wigwag.wire import Connection, PrekeysCount, Sequenced

AROUND = (-1, 0, 1)
BENCH = Limits.for_profile("bench")
BUDGET = 10_000_000
MIB = 1_048_576


@pytest.mark.parametrize("beside", AROUND)
def test_reading_pauses_at_four_fifths(beside: int) -> None:
    """From there on, who holds much is not read from."""
    memory = Memory(BUDGET)
    memory.held_bytes = 8_000_000 + beside
    assert memory.has_room is (beside < 0)
    assert memory.may_hold(5_000_000) is (beside < 0)


@pytest.mark.parametrize("beside", AROUND)
def test_whoever_holds_little_goes_on(beside: int) -> None:
    """Each may have its part of the last fifth."""
    memory = Memory(BUDGET)
    memory.connections = 4
    memory.held_bytes = 8_000_000
    assert memory.may_hold(500_000 + beside) is (beside < 0)


@pytest.mark.parametrize("beside", AROUND)
def test_memory_bytes_max(beside: int) -> None:
    """At the budget nobody is read from, however little he holds; nobody is let in."""
    memory = Memory(BUDGET)
    memory.held_bytes = BUDGET + beside
    assert memory.may_hold(0) is (beside < 0)
    memory.held_bytes = BUDGET - CONNECTION_BYTES + beside
    assert memory.may_open is (beside <= 0)


def test_connections_are_charged_and_given_back() -> None:
    """Also for buffers that have grown for good."""
    memory = Memory(BUDGET)
    memory.open()
    memory.open()
    memory.grow()
    memory.look_at_engine(1_000)
    memory.held_bytes += 77
    assert memory.charges_bytes == 2 * CONNECTION_BYTES + GROWN_BYTES
    assert memory.traffic_bytes == 77
    memory.close(has_grown=True)
    memory.close(has_grown=False)
    memory.look_at_engine(10)
    assert (memory.held_bytes, memory.traffic_bytes) == (87, 77)


def test_a_closed_account_books_nothing() -> None:
    """What comes late must not be held for ever."""
    memory = Memory(BUDGET)
    book = Book(memory)
    book.book(10)
    book.book(7)
    assert memory.held_bytes == 7
    book.close()
    book.book(99)
    assert memory.held_bytes == 0


def half_a_frame(size: int) -> bytes:
    """Return the beginning of a SEND that will be 256 KiB long."""
    head = (262_144).to_bytes(4) + (80).to_bytes(2) + bytes(2) + (9).to_bytes(4)
    return head + bytes(size)


def receive(session: Session, data: bytes, bench: Bench) -> int:
    """Hand data over while the session wants it; return how much that was."""
    taken = 0
    for start in range(0, len(data), 16_384):
        if not session.wants_reading:
            break
        bench.hub.begin()
        session.guarded(session.receive, data[start : start + 16_384], bench.now)
        bench.hub.flush()
        taken = min(len(data), start + 16_384)
    return taken


def test_half_read_frames_count_and_pause() -> None:
    """They used to be nobody's: 5,000 of them are more than a gigabyte."""
    bench = Bench(limits=msgspec.structs.replace(BENCH, memory_bytes_max=MIB))
    bench.sign_in()
    before = bench.hub.memory.held_bytes
    taken = receive(bench.session, half_a_frame(200_000), bench)
    assert bench.hub.memory.held_bytes - before == taken == 200_012
    bench.hub.memory.held_bytes += 750_000
    bench.hub.memory.connections = 20
    rest = bytes(62_000)
    assert receive(bench.session, rest, bench) == 16_384
    assert not bench.session.wants_reading
    # Not so its neighbour, who holds next to nothing.
    assert bench.hub.memory.may_hold(600)
    bench.hub.memory.held_bytes -= 750_000
    bench.hub.flush()
    assert bench.session.wants_reading
    bench.session.ended()
    assert bench.hub.memory.held_bytes == 0


def test_a_whole_frame_is_taken_though_memory_is_short() -> None:
    """It only moves from one account to another, and ends sooner that way."""
    bench = Bench(limits=msgspec.structs.replace(BENCH, memory_bytes_max=MIB))
    bench.sign_in()
    bench.hub.memory.held_bytes += 900_000
    bench.hub.memory.connections = 1_000
    for _ in range(3):
        bench.client.send(a_send(bench, 16_000))
    bench.carry()
    assert bench.engine.depth == 1
    bench.engine.release(1)
    bench.hub.flush()
    assert bench.engine.depth == 1
    bench.hub.memory.held_bytes -= 900_000
    bench.hub.flush()
    assert bench.engine.depth == 2


def test_output_that_nobody_takes_counts() -> None:
    """What lies between our queue and the peer's socket is memory, too."""
    bench = Bench()
    bench.sign_in()
    bench.takes = False
    bench.client.send(PrekeysCount())
    bench.unwritten = bytes(50_000)
    bench.session.mark()
    bench.hub.flush()
    assert bench.hub.memory.held_bytes == 50_000
    bench.session.backlog(0)
    assert bench.hub.memory.held_bytes == 0


def test_those_who_hold_most_are_sent_away_and_no_more_of_them() -> None:
    """An honest device that holds a message is not among them."""
    bench = Bench(limits=msgspec.structs.replace(BENCH, memory_bytes_max=2 * MIB))
    bench.sign_in()
    hoarders = [another(bench, number) for number in range(2, 8)]
    for session, client in hoarders:
        for data in (client.data_to_send(), half_a_frame(250_000)):
            receive(session, data, bench)
    assert bench.hub.memory.held_bytes < 2 * MIB
    bench.hub.memory.held_bytes += 700_000
    shed = bench.hub.shed()
    bench.hub.flush()
    assert shed == sum(session.closed for session, _ in hoarders)
    assert 0 < shed < len(hoarders)
    assert not bench.session.closed
    bench.hub.memory.held_bytes -= 700_000
    assert bench.hub.shed() == 0


def another(bench: Bench, number: int) -> tuple[Session, Connection]:
    """Sign another device in, on a session of its own."""
    main, client = bench.session, bench.client
    bench.account.generation += 1
    bench.account.user = bytes((number,)) * 16
    bench.session, bench.client = bench.connect()
    bench.session.number = number
    bench.sign_in()
    made = bench.session, bench.client
    bench.session, bench.client = main, client
    return made


async def test_a_real_server_books_everything_back() -> None:
    """After every connection has gone, nothing is held; status and metrics tell it."""
    alice, bob = Account(), Account()
    async with server(limits=BENCH) as running:
        memory = running.server.services.hub.memory
        port = running.address.port
        async with connect(port) as to_alice, connect(port) as to_bob:
            await to_bob.register(bob, running.join)
            await to_alice.register(alice, running.join)
            sent = await to_alice.ask(to_alice.send_message(bob, bytes(16_000)))
            assert isinstance(sent, Sequenced)
            await to_bob.deliver_and_ack()
            assert (memory.connections, memory.grown) == (2, 2)
            status = await running.server.operations.commands()["status"](
                msgspec.json.decode(b'{"command": "status"}', type=dict)  # type: ignore[arg-type]  # not looked at
            )
            assert status["memory_held_bytes"] == memory.held_bytes
            assert status["memory_bytes_max"] == BENCH.memory_bytes_max
            rendered = running.server._health._metrics.render().decode()
            assert 'wigwag_memory_held_bytes{what="connections"} 163840.0' in rendered
        counts = running.server.services.hub.counts
        while counts.connections:
            await trio.lowlevel.checkpoint()
        assert memory.charges_bytes == memory.traffic_bytes == 0


async def test_a_server_without_memory_lets_nobody_in() -> None:
    """Refused before TLS, and counted."""
    async with server(limits=BENCH) as running:
        hub = running.server.services.hub
        hub.memory.held_bytes += BENCH.memory_bytes_max
        stream = await trio.open_tcp_stream("127.0.0.1", running.address.port)
        try:
            assert await stream.receive_some(1) == b""
        except trio.BrokenResourceError:
            assert True, "reset is as good as closed"
        await stream.aclose()
        assert hub.counts.connections_refused["memory_full"] == 1
        hub.memory.held_bytes -= BENCH.memory_bytes_max
        async with connect(running.address.port) as peer:
            await peer.register(Account(), running.join)
