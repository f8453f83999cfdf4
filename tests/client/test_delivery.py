"""What a server delivers, honest or not: stored once, shown, told, acknowledged."""

from pathlib import Path

import msgspec
import pytest
from tests.client.scripted import (
    NOW_MS,
    error,
)
from tests.client.writer import BOB, EPOCH, EVE, Writer, setting, take

from wigwag.client import (
    Gap,
    ListsDiffer,
    MessageReceived,
    MessageState,
    MessageStateChanged,
    MessageUndelivered,
    MessageUnreadable,
)
from wigwag.client._content import (
    ReadReceipt,
    Resent,
    Retry,
    Text,
    decode_content,
    encode_content,
)
from wigwag.client._inbox import POSITION_MAX
from wigwag.wire import (
    Ack,
    Auth,
    DeviceListGet,
    ErrorCode,
    GapReason,
    Mark,
    MessageClass,
    Missed,
    Receipt,
    Send,
    Undelivered,
    UndeliveredReason,
    Unreadable,
    UsernameOf,
)
from wigwag.wire import Gap as GapFrame


async def test_a_stranger_is_introduced_by_proof(tmp_path: Path) -> None:
    """His list is verified and his name is resolved before he is shown by it."""
    async with setting(tmp_path) as (server, session, line, bob):
        await line.tell(bob.text("hello"))
        (event,) = await take(session, 1)
        assert isinstance(event, MessageReceived)
        assert (event.message.peer, event.message.text) == ("bob", "hello")
        (ack,) = await server.heard(Ack)
        assert ack.position == bob.position


async def test_a_stranger_without_a_name_is_shown_by_his_account(
    tmp_path: Path,
) -> None:
    """A name that can't be proven isn't shown."""
    async with setting(tmp_path) as (server, session, line, bob):
        server.answers[UsernameOf] = lambda _: error(ErrorCode.NOT_FOUND)
        await line.tell(bob.text("hello"))
        (event,) = await take(session, 1)
        assert isinstance(event, MessageReceived)
        assert event.message.peer == f"account {BOB.user.hex()[:8]}"


async def test_a_stranger_whose_list_is_not_genuine_is_a_placeholder(
    tmp_path: Path,
) -> None:
    """Nobody vouches for him; the inbox goes on."""
    async with setting(tmp_path) as (server, session, line, bob):
        server.answers[DeviceListGet] = lambda _: EVE.lists()
        await line.tell(bob.text("hello"))
        (event,) = await take(session, 1)
        assert isinstance(event, MessageUnreadable)
        assert event.reason == "unverified_unlisted_device"
        assert await server.heard(Ack)


async def test_an_entry_twice_is_stored_once(tmp_path: Path) -> None:
    """A restored server delivers again, under new positions (R-INBOX-003)."""
    async with setting(tmp_path) as (server, session, line, bob):
        first = bob.text("hello")
        bob.position += 1
        again = msgspec.structs.replace(
            first, inbox_seq=bob.position, prev=first.inbox_seq
        )
        await line.tell(first, again, bob.text("next"))
        events = await take(session, 2)
        assert [
            event.message.text for event in events if isinstance(event, MessageReceived)
        ] == ["hello", "next"]
        while (await server.heard(Ack))[-1].position < bob.position:
            await server.heard(Ack, len(server.said(Ack)) + 1)


@pytest.mark.parametrize(
    ("head", "entry", "reason"),
    [
        ({"chat_id": bytes(16)}, {}, "forged_chat"),
        ({"client_msg_id": b"x" * 16}, {}, "forged_message_id"),
        ({"message_class": 2}, {}, "forged_message_class"),
        ({}, {"ciphertext": b"garbage"}, "malformed"),
        ({}, {"sender_device": 9}, "unlisted_device"),
    ],
)
async def test_what_contradicts_itself_is_a_placeholder_and_shown(
    tmp_path: Path,
    head: dict[str, bytes | int],
    entry: dict[str, bytes | int],
    reason: str,
) -> None:
    """A ciphertext can't be moved to another chat, id or class (E2EE.md §2)."""
    async with setting(tmp_path) as (server, session, line, bob):
        await line.tell(bob.text("first"))
        await take(session, 1)
        spoilt = bob.write(Text("x"), MessageClass.MESSAGE, head=head, entry=entry)
        await line.tell(spoilt)
        (event,) = await take(session, 1)
        assert isinstance(event, MessageUnreadable)
        assert event.reason == reason
        await line.tell(bob.text("goes on"))
        (event,) = await take(session, 1)
        assert isinstance(event, MessageReceived)
        assert await server.heard(Ack)


async def test_a_message_in_a_foreign_chat_is_a_placeholder(tmp_path: Path) -> None:
    """A direct chat has two members; its id says which."""
    async with setting(tmp_path) as (_, session, line, bob):
        await line.tell(bob.text("first"))
        await take(session, 1)
        other = b"c" * 16
        await line.tell(bob.text("x", head={"chat_id": other}, entry={"chat": other}))
        (event,) = await take(session, 1)
        assert isinstance(event, MessageUnreadable)
        assert event.reason.endswith("wrong_chat")


async def test_content_of_the_wrong_class_is_a_placeholder(tmp_path: Path) -> None:
    """The server treats classes differently: they must be what they say."""
    async with setting(tmp_path) as (_, session, line, bob):
        await line.tell(
            bob.write(ReadReceipt(up_to=1), MessageClass.MESSAGE),
            bob.write(b"\xc1", MessageClass.MESSAGE),
            bob.write(Text("signal?"), MessageClass.SIGNAL),
            bob.text("end"),
        )
        events = await take(session, 3)
        assert [
            event.reason for event in events if isinstance(event, MessageUnreadable)
        ] == ["wrong_class", "malformed_content"]
        assert isinstance(events[-1], MessageReceived)


async def test_content_of_a_newer_program_is_kept(tmp_path: Path) -> None:
    """It shows as a message without a text, and is read again after an update."""
    async with setting(tmp_path) as (_, session, line, bob):
        newer = bytes([0x82, 0x00, 0x01, 0x01, 0x63])  # {0: 1, 1: 99}
        await line.tell(bob.write(newer, MessageClass.MESSAGE))
        (event,) = await take(session, 1)
        assert isinstance(event, MessageReceived)
        assert event.message.text is None
        assert event.message.state is MessageState.RECEIVED


async def test_a_missed_message_is_asked_for_and_filled_in(tmp_path: Path) -> None:
    """No envelope for this device: a placeholder, then the copy in its place."""
    async with setting(tmp_path) as (server, session, line, bob):
        await line.tell(bob.text("first"))
        await take(session, 1)
        await (await session.send("bob", "so that a session is there")).wait(
            "sequenced", 10
        )
        bob.read(server.said(Send)[0])
        await take(session, 1)
        bob.position += 1
        missing = bob.position.to_bytes(16, "big")
        await line.tell(
            Missed(
                inbox_seq=bob.position,
                prev=bob.position - 1,
                chat=bob.chat,
                chat_seq=bob.position,
                class_=MessageClass.MESSAGE,
                sender=BOB.user,
                sender_device=1,
                client_msg_id=missing,
                sent_at=NOW_MS,
            )
        )
        (event,) = await take(session, 1)
        assert isinstance(event, MessageUnreadable)
        assert event.reason == "missed"
        asked = (await server.heard(Send, 2))[1]
        assert asked.class_ == MessageClass.SIGNAL
        assert decode_content(bob.read(asked)) == Retry(
            client_msg_id=missing, attempt=1, reason="missed"
        )
        filling = Resent(
            client_msg_id=missing,
            reason="resend_of",
            content=encode_content(Text("here it is")),
            chat_seq=bob.position,
            sent_at=NOW_MS,
        )
        await line.tell(
            bob.write(filling, MessageClass.SIGNAL),
            bob.write(filling, MessageClass.SIGNAL),
            bob.text("last"),
        )
        repaired, last = await take(session, 2)
        assert isinstance(repaired, MessageReceived)
        assert repaired.is_repaired
        assert repaired.message.id == event.message.id
        assert isinstance(last, MessageReceived)
        assert last.message.text == "last"


async def test_a_retry_is_answered_for_what_was_sent_to_the_asker(
    tmp_path: Path,
) -> None:
    """And for nothing else: a signal must not open old messages to others."""
    async with setting(tmp_path) as (server, session, line, bob):
        await line.tell(bob.text("first"))
        await take(session, 1)
        sent = await session.send("bob", "hello bob")
        await sent.wait("sequenced", 10)
        message = server.said(Send)[0]
        bob.read(message)
        ask = Retry(
            client_msg_id=message.client_msg_id, attempt=1, reason="not_authentic"
        )
        eve = Writer(server, EVE, position=bob.position)
        await line.tell(eve.text("let me see"))
        await take(session, 2)
        await line.tell(eve.write(ask, MessageClass.SIGNAL))
        unknown = Retry(client_msg_id=b"n" * 16, attempt=1, reason="missed")
        bob.position = eve.position
        await line.tell(
            bob.write(unknown, MessageClass.SIGNAL),
            bob.write(ask, MessageClass.SIGNAL),
        )
        resent = (await server.heard(Send, 2))[1]
        assert resent.client_msg_id != message.client_msg_id
        assert resent.envelopes[0].user == BOB.user
        content = decode_content(bob.read(resent))
        assert isinstance(content, Resent)
        assert content.client_msg_id == message.client_msg_id
        assert decode_content(content.content) == Text("hello bob")
        await line.tell(bob.text("thanks"))
        await take(session, 1)
        assert len(server.said(Send)) == 2


async def test_gaps_are_told_once(tmp_path: Path) -> None:
    """Whatever is dropped is said (rule 8)."""
    async with setting(tmp_path) as (_, session, line, bob):
        first = bob.text("one")
        bob.position += 5
        gap = GapFrame(
            first=first.inbox_seq + 1, last=bob.position, reason=GapReason.EXPIRED
        )
        await line.tell(first, gap, gap, bob.text("two"))
        events = await take(session, 3)
        assert isinstance(events[1], Gap)
        assert (events[1].first, events[1].last, events[1].reason) == (
            gap.first,
            gap.last,
            "expired",
        )
        assert isinstance(events[2], MessageReceived)


async def test_a_hole_is_healed_by_a_new_connection_or_told(tmp_path: Path) -> None:
    """Nothing is skipped in silence."""
    async with setting(tmp_path) as (server, session, line, bob):
        first = bob.text("one")
        bob.position += 2
        second = bob.text("two")
        await line.tell(first)
        await take(session, 1)
        await line.tell(second)
        line = await server.line(2)
        auth = (await server.heard(Auth, 2))[1]
        assert auth.cursor == first.inbox_seq
        await session.wait_online(10)
        await line.tell(second)
        gap, received = await take(session, 2)
        assert isinstance(gap, Gap)
        assert (gap.first, gap.last, gap.reason) == (
            first.inbox_seq + 1,
            second.prev,
            "not_explained",
        )
        assert isinstance(received, MessageReceived)


async def test_absurd_numbers_end_the_connection(tmp_path: Path) -> None:
    """A column of 64 bits must not overflow."""
    async with setting(tmp_path) as (server, session, line, bob):
        wrong = bob.text("x", entry={"chat_seq": POSITION_MAX + 1})
        await line.tell(wrong)
        await server.heard(Auth, 2)
        assert await session.history("bob") == []
        assert not server.said(Ack)


async def test_an_entry_of_a_newer_revision_is_told(tmp_path: Path) -> None:
    """UNREADABLE never blocks the inbox (R-INBOX-006)."""
    async with setting(tmp_path) as (server, session, line, bob):
        bob.position += 1
        await line.tell(Unreadable(inbox_seq=bob.position, prev=0))
        (event,) = await take(session, 1)
        assert isinstance(event, Gap)
        assert event.reason == "newer_revision"
        assert (await server.heard(Ack))[0].position == bob.position


async def test_undelivered_is_shown_and_is_not_delivered(tmp_path: Path) -> None:
    """A double check would be a lie (ARCHITECTURE.md §3)."""
    async with setting(tmp_path) as (server, session, line, bob):
        await line.tell(bob.text("first"))
        await take(session, 1)
        sent = await session.send("bob", "hello")
        await sent.wait("sequenced", 10)
        bob.position += 1
        await line.tell(
            Undelivered(
                inbox_seq=bob.position,
                prev=bob.position - 1,
                chat=bob.chat,
                client_msg_id=server.said(Send)[0].client_msg_id,
                user=BOB.user,
                device=1,
                reason=UndeliveredReason.EXPIRED,
            )
        )
        events = await take(session, 2)
        assert isinstance(events[1], MessageUndelivered)
        assert events[1].reason == "expired"
        await line.tell(
            Receipt(mark=Mark(chat=bob.chat, user=BOB.user, mark=EPOCH + 2000))
        )
        second = await session.send("bob", "again")
        await second.wait("delivered", 10)
        assert (await session.message(sent.message_id)).state is MessageState.SEQUENCED
        assert (await session.message(sent.message_id)).reason == "expired"


async def test_marks_never_go_back_and_never_run_ahead(tmp_path: Path) -> None:
    """Of the wrong user or beyond the column they count for nothing (I23)."""
    async with setting(tmp_path) as (_, session, line, bob):
        await line.tell(bob.text("first"))
        await take(session, 1)
        sent = await session.send("bob", "hello")
        await sent.wait("sequenced", 10)
        for user, mark in ((EVE.user, EPOCH + 2000), (BOB.user, POSITION_MAX + 1)):
            await line.tell(Receipt(mark=Mark(chat=bob.chat, user=user, mark=mark)))
        await line.tell(
            bob.write(ReadReceipt(up_to=POSITION_MAX + 1), MessageClass.RECEIPT),
            bob.text("next"),
        )
        events = await take(session, 2)
        assert isinstance(events[0], MessageStateChanged)
        assert (await session.message(sent.message_id)).state is MessageState.SEQUENCED
        await line.tell(
            bob.write(ReadReceipt(up_to=EPOCH + 1000), MessageClass.RECEIPT)
        )
        await sent.wait("read", 10)


async def test_other_lists_than_ours_are_told(tmp_path: Path) -> None:
    """A split view shows by the hashes inside messages (E2EE.md §3)."""
    async with setting(tmp_path) as (_, session, line, bob):
        await line.tell(bob.text("one", head={"peer_list_hash": b"x" * 8}))
        events = await take(session, 2)
        assert {type(event) for event in events} == {MessageReceived, ListsDiffer}
        await line.tell(bob.text("two", head={"own_list_hash": b"y" * 8}))
        events = await take(session, 2)
        assert [event.reason for event in events if isinstance(event, ListsDiffer)] == [
            "sender_list_unknown"
        ]
