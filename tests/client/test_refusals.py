"""What a server refuses: ended, tried again or sealed anew, as it says."""

from pathlib import Path

import msgspec
import pytest
from tests.client.scripted import (
    Answer,
    Line,
    ScriptedServer,
    alice_at,
    error,
    scripted,
)
from tests.client.worlds import ports
from tests.client.writer import BOB, EVE, Writer, in_order, setting, take

from wigwag.client import (
    MessageRejected,
    MessageState,
    MessageStateChanged,
    SentMessage,
    Session,
    open_session,
)
from wigwag.wire import (
    Auth,
    Bundles,
    DeviceRef,
    DevicesStale,
    ErrorCode,
    Message,
    MessageClass,
    Outcome,
    PrekeysClaim,
    Refused,
    Send,
)


async def refused(
    server: ScriptedServer, session: Session, line: Line, bob: Writer, *answers: Answer
) -> SentMessage:
    """Sends one message that is answered by each of these in turn."""
    await line.tell(bob.text("first"))
    await take(session, 1)
    left = list(answers)
    server.answers[Send] = lambda message: left.pop(0)(message)
    return await session.send("bob", "hello")


def refusal(code: ErrorCode, *, retry_after_ms: int = 0) -> Answer:
    """Makes an answer that refuses."""

    def answer(message: Message) -> Message:
        assert isinstance(message, Send)
        return Refused(
            client_msg_id=message.client_msg_id,
            attempt=message.attempt,
            code=code,
            outcome=Outcome.NONE,
            retry_after_ms=retry_after_ms,
        )

    return answer


async def test_a_definite_refusal_ends_a_message(tmp_path: Path) -> None:
    """It was not stored and never will be."""
    async with setting(tmp_path) as (server, session, line, bob):
        sent = await refused(server, session, line, bob, refusal(ErrorCode.NOT_FOUND))
        with pytest.raises(MessageRejected, match="not_found") as rejected:
            await sent.wait("sequenced", 10)
        assert rejected.value.outcome == "none"
        events = await take(session, 1)
        assert isinstance(events[0], MessageStateChanged)
        assert events[0].state is MessageState.REJECTED
        assert (await session.status()).queued == 0


async def test_a_retryable_refusal_is_tried_again(tmp_path: Path) -> None:
    """Nothing for the user to do."""
    async with setting(tmp_path) as (server, session, line, bob):
        sent = await refused(
            server,
            session,
            line,
            bob,
            refusal(ErrorCode.RATE_LIMITED, retry_after_ms=10),
            lambda _: error(ErrorCode.UNAVAILABLE, Outcome.UNKNOWN),
            in_order,
        )
        await sent.wait("sequenced", 10)
        first, second, third = server.said(Send)
        assert first == second == third


async def test_a_hint_without_a_cause_changes_nothing(tmp_path: Path) -> None:
    """Never encrypt to a device that isn't in the signed list (E2EE.md §4)."""
    async with setting(tmp_path) as (server, session, line, bob):

        def stale(message: Message) -> Message:
            made = refusal(ErrorCode.DEVICES_STALE)(message)
            assert isinstance(made, Refused)
            ghost = DeviceRef(user=BOB.user, device=9, registration_id=1)
            devices = DevicesStale(missing=(ghost,), extra=(), stale=(), more=False)
            return msgspec.structs.replace(made, devices=devices)

        sent = await refused(server, session, line, bob, stale, in_order)
        await sent.wait("sequenced", 10)
        first, second = server.said(Send)
        assert first == second


async def test_a_sequenced_for_another_message_ends_the_connection(
    tmp_path: Path,
) -> None:
    """A server that mixes answers up must not move a message's state."""
    async with setting(tmp_path) as (server, session, line, bob):

        def mixed(message: Message) -> Message:
            made = in_order(message)
            return msgspec.structs.replace(made, client_msg_id=b"x" * 16)

        sent = await refused(server, session, line, bob, mixed, in_order)
        await server.heard(Auth, 2)
        message = await sent.wait("sequenced", 10)
        assert message.state is MessageState.SEQUENCED


def re_registered(server: ScriptedServer) -> Answer:
    """Makes bob's device a newly registered one, and an answer that says so."""

    def claimed(_: Message) -> Message:
        return Bundles(user=BOB.user, list_seq=1, bundles=(BOB.bundle(8),))

    server.answers[PrekeysClaim] = claimed

    def answer(message: Message) -> Message:
        made = refusal(ErrorCode.DEVICES_STALE)(message)
        assert isinstance(made, Refused)
        current = DeviceRef(user=BOB.user, device=1, registration_id=8)
        devices = DevicesStale(missing=(), extra=(), stale=(current,), more=False)
        return msgspec.structs.replace(made, devices=devices)

    return answer


async def test_a_new_registration_is_sealed_for_anew(tmp_path: Path) -> None:
    """With the next attempt, in a session of a bundle that the list vouches for."""
    async with setting(tmp_path) as (server, session, line, bob):
        stale = re_registered(server)
        sent = await refused(server, session, line, bob, stale, in_order)
        await sent.wait("sequenced", 10)
        first, second = server.said(Send)
        assert first.client_msg_id == second.client_msg_id
        assert (first.attempt, second.attempt) == (1, 2)
        assert first.envelopes[0].registration_id == 7
        assert second.envelopes[0].registration_id == 8


async def test_a_bundle_that_is_not_signed_is_not_used(tmp_path: Path) -> None:
    """The server's word counts for nothing (R-KEYS-005)."""
    async with setting(tmp_path) as (server, session, line, bob):
        stale = re_registered(server)
        forged = EVE.bundle(8)
        server.answers[PrekeysClaim] = lambda _: Bundles(
            user=BOB.user, list_seq=1, bundles=(forged,)
        )
        sent = await refused(server, session, line, bob, stale, in_order)
        await sent.wait("sequenced", 10)
        assert [item.envelopes[0].registration_id for item in server.said(Send)] == [
            7,
            7,
        ]


async def test_who_only_a_newer_attempt_covered_gets_a_copy(tmp_path: Path) -> None:
    """The older attempt is what is stored; the other devices would miss it."""
    async with setting(tmp_path) as (server, session, line, bob):

        def older(message: Message) -> Message:
            return msgspec.structs.replace(in_order(message), attempt=1)

        stale = re_registered(server)
        sent = await refused(server, session, line, bob, stale, older, in_order)
        await sent.wait("sequenced", 10)
        first, _, copy = await server.heard(Send, 3)
        assert copy.class_ == MessageClass.SIGNAL
        assert copy.client_msg_id != first.client_msg_id
        assert copy.envelopes[0].registration_id == 8


async def test_what_left_without_an_answer_can_not_be_taken_back(
    tmp_path: Path,
) -> None:
    """The mark "offered" is durable before the first byte leaves (rule 10)."""
    async with scripted() as server:
        server.knows(BOB)
        server.answers[Send] = lambda _: None
        async with alice_at(server, tmp_path) as session:
            line = await server.line(1)
            await line.tell(Writer(server, BOB).text("first"))
            await take(session, 1)
        world = ports(net=server)
        server.rejects_with = ErrorCode.OVERLOADED
        async with open_session(tmp_path / "alice", ports=world) as session:
            sent = await session.send("bob", "hello")
            server.rejects_with = None
            await server.heard(Send)
        server.rejects_with = ErrorCode.OVERLOADED
        async with open_session(tmp_path / "alice", ports=world) as session:
            assert not await session.cancel(sent.message_id)
