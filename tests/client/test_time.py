"""What happens after seconds, hours and weeks, in simulated time."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import apsw
import pytest
from tests.client.scripted import (
    NOW_MS,
    Line,
    ScriptedServer,
    alice_at,
    scripted,
)
from tests.client.worlds import InlineExecutor, SimulatedClock, timeless
from tests.client.writer import BOB, EPOCH, Writer, in_order, take
from trio.testing import MockClock

from wigwag.client import (
    MessageReceived,
    MessageRejected,
    MessageState,
    MessageUnreadable,
    Ports,
    Session,
    StoreUnwritable,
    TimedOut,
)
from wigwag.client._content import Retry, decode_content
from wigwag.wire import (
    Ack,
    Auth,
    DeviceList,
    DeviceListGet,
    DeviceListPublish,
    Error,
    ErrorCode,
    Mark,
    Message,
    MessageClass,
    Missed,
    Outcome,
    PrekeysUpload,
    Receipts,
    ReceiptsGet,
    Send,
    Sequenced,
    UsernameResolve,
    decode_struct,
)

DAY_MS = 24 * 3600 * 1000


@dataclass
class World:
    """Alice's session at a scripted server, in time that jumps."""

    server: ScriptedServer
    session: Session
    line: Line
    bob: Writer
    clock: SimulatedClock
    executor: InlineExecutor

    async def befriend(self) -> None:
        """Has bob write first, so that there is a session."""
        await self.line.tell(self.bob.text("first"))
        await take(self.session, 1)


@asynccontextmanager
async def world(folder: Path) -> AsyncGenerator[World, None]:
    """Opens such a session."""
    async with scripted() as server:
        ports: Ports = timeless(server, NOW_MS)
        clock, executor = ports.clock, ports.executor
        assert isinstance(clock, SimulatedClock)
        assert isinstance(executor, InlineExecutor)
        server.time_ms = clock.now_ms
        server.knows(BOB)
        server.answers[Send] = in_order
        async with alice_at(server, folder, ports) as session:
            line = await server.line(1)
            yield World(server, session, line, Writer(server, BOB), clock, executor)


async def test_a_stranger_is_not_lost_to_a_server_that_hears_nothing(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """A look-up without an answer says nothing about the sender.

    The simulation found it (a cut towards the server): the message was acknowledged
    and stayed a placeholder for ever.
    """
    async with world(tmp_path) as here:
        answer = here.server.answers.pop(DeviceListGet)
        here.server.answers[DeviceListGet] = lambda _: None
        message = here.bob.text("hello")
        await here.line.tell(message)
        auth = (await here.server.heard(Auth, 2))[1]
        assert auth.cursor < message.inbox_seq
        here.server.answers[DeviceListGet] = answer
        line = await here.server.line(2)
        await here.session.wait_online(10)
        await line.tell(message)
        (event,) = await take(here.session, 1)
        assert isinstance(event, MessageReceived)
        assert event.message.text == "hello"


async def test_a_stranger_is_not_lost_to_a_server_that_says_not_now(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """A refusal for now says nothing about the sender: nothing is acknowledged."""
    async with world(tmp_path) as here:
        answer = here.server.answers.pop(DeviceListGet)
        here.server.answers[DeviceListGet] = lambda _: Error(
            ErrorCode.UNAVAILABLE, Outcome.NONE, 0, 0
        )
        message = here.bob.text("hello")
        await here.line.tell(message)
        auth = (await here.server.heard(Auth, 2))[1]
        assert auth.cursor < message.inbox_seq
        here.server.answers[DeviceListGet] = answer
        line = await here.server.line(2)
        await here.session.wait_online(10)
        await line.tell(message)
        (event,) = await take(here.session, 1)
        assert isinstance(event, MessageReceived)
        assert event.message.text == "hello"


async def test_without_an_answer_a_message_is_offered_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """After 10 s, byte for byte (RELIABILITY.md §4)."""
    async with world(tmp_path) as w:
        await w.befriend()
        w.server.answers[Send] = lambda _: None
        sent = await w.session.send("bob", "hello")
        first = (await w.server.heard(Send))[0]
        began = autojump_clock.current_time()
        again = (await w.server.heard(Send, 2))[1]
        assert first == again
        assert autojump_clock.current_time() - began == pytest.approx(10, abs=0.5)
        w.server.answers[Send] = in_order
        await sent.wait("sequenced", 30)


async def test_a_look_up_without_an_answer_ends(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """A server that keeps silent must not keep a program waiting."""
    async with world(tmp_path) as w:
        w.server.answers[UsernameResolve] = lambda _: None
        with pytest.raises(TimedOut):
            await w.session.send("carol", "hello")
        assert autojump_clock.current_time() == pytest.approx(20, abs=1)


async def test_a_dead_connection_is_found_out(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """A server that vanished without a word answers no PING."""
    async with world(tmp_path) as w:
        w.line.is_mute = True
        await w.server.heard(Auth, 2)
        # 60 s of silence, then two PINGs of 20 s each.
        assert autojump_clock.current_time() == pytest.approx(100, abs=5)


async def test_delivered_marks_are_asked_for(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """A RECEIPT is a hint that may be lost (R-RECEIPT-002)."""
    async with world(tmp_path) as w:
        await w.befriend()
        mark = Mark(chat=w.bob.chat, user=BOB.user, mark=EPOCH + 1000)
        w.server.answers[ReceiptsGet] = lambda _: Receipts(marks=(mark,))
        sent = await w.session.send("bob", "hello")
        await sent.wait("delivered", 60)
        assert 5 < autojump_clock.current_time() < 25
        asked = w.server.said(ReceiptsGet)
        assert asked[-1].chats == (w.bob.chat,)


async def test_prekeys_rotate_and_the_list_is_dated_anew(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Two days, and seven (E2EE.md §2-§3)."""
    async with world(tmp_path) as w:
        uploads = len(w.server.said(PrekeysUpload))
        w.clock.offset_ms += 3 * DAY_MS
        upload = (await w.server.heard(PrekeysUpload, uploads + 1))[-1]
        assert upload.signed is not None
        assert upload.last_resort is not None
        assert upload.signed.id == 2
        assert not w.server.said(DeviceListPublish)
        w.clock.offset_ms += 5 * DAY_MS
        publish = (await w.server.heard(DeviceListPublish))[0]
        assert decode_struct(DeviceList, publish.list.blob).seq == 2


async def test_a_message_without_an_answer_expires(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """After 30 days it ends, with an outcome that isn't known (rule 6)."""
    async with world(tmp_path) as w:
        await w.befriend()
        w.server.answers[Send] = lambda _: None
        sent = await w.session.send("bob", "hello")
        await w.server.heard(Send)
        w.clock.offset_ms += 31 * DAY_MS
        with pytest.raises(MessageRejected) as rejected:
            await sent.wait("sequenced", 300)
        assert rejected.value.state == "EXPIRED"
        assert rejected.value.outcome == "unknown"
        message = await w.session.message(sent.message_id)
        assert message.state is MessageState.EXPIRED


async def test_a_placeholder_is_asked_for_five_times(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """With growing waits; then it stays a placeholder."""
    async with world(tmp_path) as w:
        await w.befriend()
        sent = await w.session.send("bob", "session")
        await sent.wait("sequenced", 10)
        w.bob.read(w.server.said(Send)[0])
        await take(w.session, 1)
        w.bob.position += 1
        missed = Missed(
            inbox_seq=w.bob.position,
            prev=w.bob.position - 1,
            chat=w.bob.chat,
            chat_seq=w.bob.position,
            class_=MessageClass.MESSAGE,
            sender=BOB.user,
            sender_device=1,
            client_msg_id=b"m" * 16,
            sent_at=NOW_MS,
        )
        await w.line.tell(missed)
        (event,) = await take(w.session, 1)
        assert isinstance(event, MessageUnreadable)
        asked = (await w.server.heard(Send, 6))[1:]
        attempts = [decode_content(w.bob.read(send)) for send in asked]
        assert [
            attempt.attempt for attempt in attempts if isinstance(attempt, Retry)
        ] == [1, 2, 3, 4, 5]
        assert autojump_clock.current_time() > 6 * 3600


async def test_a_full_disk_stops_nothing_for_good(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """What can't be stored isn't acknowledged; with space again all goes on."""
    async with world(tmp_path) as w:
        await w.befriend()
        acks = len(await w.server.heard(Ack))
        w.executor.failure = apsw.FullError("disk full")
        with pytest.raises(StoreUnwritable, match="full"):
            await w.session.send("bob", "hello")
        entry = w.bob.text("second")
        await w.line.tell(entry)
        while w.session.connectivity.is_online:
            await w.session.connectivity_change()
        assert len(w.server.said(Ack)) == acks
        w.executor.failure = None
        await w.session.wait_online(100)
        line = w.server.lines[-1]
        await line.tell(entry)
        (event,) = await take(w.session, 1)
        assert isinstance(event, MessageReceived)
        assert event.message.text == "second"
        sent = await w.session.send("bob", "hello")
        await sent.wait("sequenced", 30)


async def test_an_answer_that_can_not_be_stored_is_asked_for_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """The row ends only when its end is durable."""
    async with world(tmp_path) as w:
        await w.befriend()

        def answer_on_a_full_disk(message: Message) -> Message:
            w.executor.failure = apsw.FullError("disk full")
            w.server.answers[Send] = in_order
            answer = in_order(message)
            assert isinstance(answer, Sequenced)
            return answer

        w.server.answers[Send] = answer_on_a_full_disk
        sent = await w.session.send("bob", "hello")
        while w.session.connectivity.is_online:
            await w.session.connectivity_change()
        w.executor.failure = None
        await sent.wait("sequenced", 60)
        first, again = w.server.said(Send)[:2]
        assert first == again


async def test_a_failed_disk_ends_the_session(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """After a failed fsync nothing is known; going on would guess (rule 11)."""
    failed = 0
    try:
        async with world(tmp_path) as w:
            await w.befriend()
            w.executor.failure = apsw.IOError("fsync")
            await w.line.tell(w.bob.text("second"))
            await anyio.sleep_forever()
    except* StoreUnwritable:
        failed += 1
    assert failed == 1
