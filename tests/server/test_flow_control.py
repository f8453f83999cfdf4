"""Flow control: no peer makes the server hold more than its share."""

from os import urandom

import msgspec
import pytest
import trio
from tests.server._gated import NO_ID, Bench
from tests.server._peer import Account, connect, message_id

from wigwag.server import Limits
from wigwag.server._pending import REQUEST_OVERHEAD_BYTES
from wigwag.server.core import Entries, Failed, InboxEntry, InboxRead, Refusal
from wigwag.testing import server
from wigwag.wire import (
    DRAFT,
    Ack,
    Deliver,
    Envelope,
    ErrorCode,
    MessageClass,
    PeerGoingAway,
    PrekeysCount,
    Received,
    Send,
    Sequenced,
    encode_frame,
)
from wigwag.wire import Error as ErrorMessage

BENCH = Limits.for_profile("bench")


def a_send(bench: Bench, ciphertext_bytes: int = 10) -> Send:
    """A SEND to somebody."""
    target = Account()
    return Send(
        chat=urandom(16),
        client_msg_id=message_id(),
        attempt=1,
        after=NO_ID,
        class_=MessageClass.MESSAGE,
        users=tuple(sorted((bench.account.user, target.user))),
        envelopes=(
            Envelope(
                user=target.user,
                device=1,
                registration_id=1,
                ciphertext=bytes(ciphertext_bytes),
            ),
        ),
    )


@pytest.mark.parametrize("offered", [15, 16, 17])
def test_so_many_sends_are_taken_and_no_more(offered: int) -> None:
    """N - 1 and n are taken; the next waits in the network, refused by nobody (S9)."""
    bench = Bench(limits=msgspec.structs.replace(BENCH, in_flight_max=16))
    bench.sign_in()
    for _ in range(offered):
        bench.client.send(a_send(bench))
    bench.carry()
    assert bench.engine.depth == min(offered, 16)
    assert bench.session.wants_reading is (offered < 16)
    bench.engine.release(1)
    bench.hub.flush()
    assert bench.engine.depth == min(offered - 1, 16)
    assert bench.session.wants_reading is (offered < 17)
    bench.engine.release(bench.engine.depth)
    bench.hub.flush()
    bench.engine.release(bench.engine.depth)
    bench.hub.flush()
    answers = [event for event in bench.events if isinstance(event, Received)]
    assert len(answers) == offered
    assert bench.session.wants_reading
    assert bench.hub.memory.held_bytes == 0


def test_the_bytes_in_flight_are_bounded_too() -> None:
    """Few large SENDs are as much as many small ones."""
    limits = msgspec.structs.replace(BENCH, in_flight_bytes_max=65_536)
    bench = Bench(limits=limits)
    bench.sign_in()
    for _ in range(20):
        bench.client.send(a_send(bench, 8_192))
    bench.carry()
    each = 8_192 + REQUEST_OVERHEAD_BYTES
    assert 65_536 <= bench.session.flow.request_bytes < 65_536 + each + 200
    assert not bench.session.wants_reading


def entries(first: int, count: int, size: int) -> list[InboxEntry]:
    """Inbox entries as an engine makes them."""
    made: list[InboxEntry] = []
    for position in range(first, first + count):
        frame = encode_frame(
            Deliver(
                inbox_seq=position,
                prev=position - 1,
                chat=b"c" * 16,
                chat_seq=position,
                class_=MessageClass.MESSAGE,
                sender=b"s" * 16,
                sender_device=1,
                registration_id=1,
                client_msg_id=message_id(),
                sent_at=1,
                ciphertext=bytes(size),
            ),
            DRAFT,
        )
        made.append(
            InboxEntry(
                position=position,
                prev=position - 1,
                kind=96,
                frame=frame,
                chat=b"c" * 16,
                chat_seq=position,
                sender=b"s" * 16 + b"\x01",
                client_msg_id=b"m" * 16,
                ts=1,
                revision=DRAFT,
            )
        )
    return made


def test_a_peer_that_does_not_read_is_neither_read_from_nor_for() -> None:
    """Above the write buffer no inbox entry is read and no request taken."""
    bench = Bench()
    bench.sign_in()
    bench.takes = False
    (watcher,) = bench.engine.watchers.values()
    watcher.entries(entries(1, 20, 16_000))
    bench.hub.flush()
    held = len(bench.unwritten)
    assert BENCH.write_buffer_bytes_max <= held < BENCH.write_buffer_bytes_max + 17_000
    bench.client.send(a_send(bench))
    bench.carry()
    assert bench.engine.depth == 0
    assert not bench.session.wants_reading
    bench.takes = True
    bench.session.mark()
    bench.hub.flush()
    bench.hub.flush()
    kinds = sorted(type(request).__name__ for request, _ in bench.engine.waiting)
    assert kinds == ["InboxRead", "Send"]
    assert bench.session.wants_reading


def test_what_did_not_fit_is_read_from_the_inbox() -> None:
    """The connection holds no copies: window and acknowledgement drive the reads."""
    limits = msgspec.structs.replace(BENCH, window_entries=16)
    bench = Bench(limits=limits)
    bench.sign_in()
    (watcher,) = bench.engine.watchers.values()
    inbox = entries(1, 20, 10)
    watcher.entries(inbox)
    bench.hub.flush()
    delivered = [event for event in bench.events if isinstance(event, Received)]
    assert len(delivered) == 16
    bench.client.send(Ack(position=3))
    bench.carry()
    bench.hub.flush()
    read = [r for r, _ in bench.engine.waiting if isinstance(r, InboxRead)]
    assert [(r.above, r.count_max) for r in read] == [(16, 3)]
    _, answer = bench.engine.waiting.pop()
    answer(Entries(tuple(inbox[16:19]), (), 20))
    bench.hub.flush()
    delivered = [event for event in bench.events if isinstance(event, Received)]
    assert len(delivered) == 19


def test_an_unanswered_read_is_tried_again() -> None:
    """A disk without space answers UNAVAILABLE; the device must not wait for ever."""
    bench = Bench(limits=msgspec.structs.replace(BENCH, window_entries=16))
    bench.sign_in()
    (watcher,) = bench.engine.watchers.values()
    watcher.entries(entries(5, 1, 10))  # joins nothing: it must read
    bench.hub.flush()
    _, answer = bench.engine.waiting.popleft()

    answer(Failed(Refusal.UNAVAILABLE))
    bench.hub.flush()
    assert bench.engine.depth == 0
    deadline = bench.session.next_deadline()
    assert deadline is not None
    assert deadline <= bench.now + 1
    bench.now = deadline
    bench.hub.begin()
    bench.session.tick(bench.now)
    bench.hub.flush()
    assert bench.engine.depth == 1


def test_a_drain_waits_for_answers_and_acknowledgements() -> None:
    """What was taken is answered before the connection ends."""
    bench = Bench()
    bench.sign_in()
    bench.client.send(a_send(bench))
    bench.carry()
    bench.session.drain(1.5)
    bench.hub.flush()
    away = [event for event in bench.events if isinstance(event, PeerGoingAway)]
    assert [event.retry_after_ms for event in away] == [1_501]
    assert not bench.session.closed
    bench.engine.release(1)
    bench.hub.flush()
    assert bench.session.closed
    answers = [event for event in bench.events if isinstance(event, Received)]
    assert any(isinstance(event.message, Sequenced) for event in answers)


def test_a_closed_engine_ends_its_sessions() -> None:
    """The process is about to end; a client should come back soon."""
    bench = Bench()
    bench.sign_in()
    bench.engine.is_closed = True
    bench.client.send(PrekeysCount())
    bench.carry()
    assert bench.session.closed
    away = [event for event in bench.events if isinstance(event, PeerGoingAway)]
    assert [event.code for event in away] == [ErrorCode.UNAVAILABLE]


async def test_a_device_over_its_rate_is_told_how_long_to_wait() -> None:
    """N pass, the next is refused with a time; a repeated one is still answered."""
    alice, bob = Account(), Account()
    async with server(limits=Limits(send_burst=3)) as running:
        port = running.address.port
        async with connect(port) as to_alice, connect(port) as to_bob:
            await to_bob.register(bob, running.join)
            await to_alice.register(alice, running.join)
            first = to_alice.send_message(bob, b"1")
            for message in (
                first,
                to_alice.send_message(bob, b"2"),
                to_alice.send_message(bob, b"3"),
            ):
                assert isinstance(await to_alice.ask(message), Sequenced)
            refused = await to_alice.ask(to_alice.send_message(bob, b"4"))
            assert getattr(refused, "code", None) == ErrorCode.RATE_LIMITED
            assert 0 < getattr(refused, "retry_after_ms", 0) <= 101
            assert isinstance(await to_alice.ask(first), Sequenced)


async def test_a_reader_that_stalls_is_cut_and_loses_nothing() -> None:
    """No progress for long ends it; the inbox still holds what it didn't take."""
    alice, bob = Account(), Account()
    limits = msgspec.structs.replace(BENCH, stall_seconds=1, window_entries=4_096)
    count, size = 400, 16_000
    async with server(limits=limits) as running:
        port = running.address.port
        async with connect(port) as to_alice, connect(port) as to_bob:
            await to_bob.register(bob, running.join)
            await to_alice.register(alice, running.join)
            for _ in range(count):
                await to_alice.request(to_alice.send_message(bob, bytes(size)))
                await to_alice.expect(Sequenced)
            counts = running.server.services.hub.counts
            with trio.fail_after(30):
                while counts.slow_readers == 0:
                    await trio.lowlevel.checkpoint()
                    await to_alice.ask(PrekeysCount())
        async with connect(port) as to_bob:
            signed_in = await to_bob.sign_in(bob)
            assert signed_in.acked == 0
            taken = 0
            while taken < count:
                entry = await to_bob.expect(Deliver)
                taken += 1
                if taken % 64 == 0 or taken == count:
                    await to_bob.ack(entry.inbox_seq)
        assert counts.failures == 0


async def test_a_frame_that_never_ends_is_ended() -> None:
    """Slow writers hold a buffer; the deadline is the frame's, not the byte's (F7)."""
    account = Account()
    limits = msgspec.structs.replace(BENCH, frame_seconds=1)
    async with server(limits=limits) as running:
        async with connect(running.address.port) as peer:
            await peer.register(account, running.join)
            await peer.stream.send_all(b"\x00\x00\x10\x00\x00\x50\x00\x00")
            error = await peer.wait_closed()
            codes = {getattr(event, "code", None) for event in error}
            assert ErrorCode.FRAME_TIMEOUT in codes
        protocol_errors = running.server.services.hub.counts.protocol_errors
        assert protocol_errors["FRAME_TIMEOUT"] == 1


async def test_an_ack_above_the_inbox_is_a_breach() -> None:
    """Whoever acknowledges what doesn't exist has lost count (S4)."""
    async with server() as running, connect(running.address.port) as peer:
        await peer.register(Account(), running.join)
        await peer.ack(1 << 60)
        seen = await peer.wait_closed()
        codes = {getattr(event, "code", None) for event in seen}
        assert ErrorCode.PROTOCOL_ERROR in codes
        assert not any(isinstance(event, ErrorMessage) for event in seen)
