"""The inbox fold: dense positions, prev, acknowledgements, marks, reading."""

import pytest
from tests.server.core.world import (
    ALICE,
    ALICE_1,
    ALICE_2,
    BOB,
    BOB_1,
    BOB_2,
    CHAT,
    EPOCH,
    REGISTRATION,
    World,
    envelope,
    signed_prekey,
)

from wigwag.server.core import (
    Ack,
    Acked,
    Dropped,
    EngineLimits,
    Entries,
    EntryCorrupt,
    Envelope,
    Failed,
    Gap,
    GapOpened,
    GapReason,
    InboxRead,
    Mark,
    Marks,
    ReceiptMoved,
    ReceiptsGet,
    Refusal,
    ReRegister,
    UndeliveredReason,
    device_of,
    rows,
)
from wigwag.server.core._draft import Draft
from wigwag.server.core._frames import DELIVER, MISSED, UNDELIVERED
from wigwag.server.core._inbox_fold import deliver
from wigwag.wire import DRAFT, Deliver, Undelivered, decode_message


@pytest.fixture(params=[False, True], ids=["remembering", "forgetful"])
def world(request: pytest.FixtureRequest) -> World:
    """Alice with one device, Bob with two, with and without a cache."""
    world = World(is_forgetful=request.param)
    world.register(ALICE_1)
    world.register(BOB_1)
    world.add_device(BOB_2)
    return world


def both(text: bytes = b"ciphertext") -> tuple[Envelope, Envelope]:
    """Make envelopes for both of Bob's devices."""
    return envelope(BOB_1, text + b"1"), envelope(BOB_2, text + b"2")


def ack(world: World, device: bytes, position: int) -> object:
    """Acknowledge."""
    return world.ask(Ack(device, REGISTRATION, position))


def mark(world: World, user: bytes = BOB) -> int:
    """Return how far a user has received the chat."""
    answer = world.expect(Marks, ReceiptsGet(ALICE if user == BOB else BOB, (CHAT,)))
    return answer.marks[0].mark if answer.marks else 0


def test_positions_are_dense_and_each_entry_names_the_one_before(
    world: World,
) -> None:
    """A hole is seen whatever the epoch."""
    for _ in range(3):
        world.sent(*both())
    world.restart()
    world.sent(*both())
    entries = world.read(BOB_1)
    assert [one.position for one in entries] == [
        EPOCH << 32 | 1,
        EPOCH << 32 | 2,
        EPOCH << 32 | 3,
        (EPOCH + 1) << 32 | 1,
    ]
    assert [one.prev for one in entries] == [0, *(one.position for one in entries)][:-1]


def test_an_entry_carries_its_devices_ciphertext_and_header(world: World) -> None:
    """What is delivered is what was sent, to the device it was sent to."""
    sent = world.sent(*both(b"secret"))
    entry = world.read(BOB_2)[0]
    frame = decode_message(entry.kind, DRAFT, entry.frame[12:])
    assert frame == Deliver(
        inbox_seq=entry.position,
        prev=0,
        chat=CHAT,
        chat_seq=sent.chat_seq,
        class_=1,
        sender=ALICE,
        sender_device=1,
        registration_id=REGISTRATION,
        client_msg_id=sent.client_msg_id,
        sent_at=sent.ts,
        ciphertext=b"secret2",
    )


def test_an_acknowledgement_deletes_and_never_goes_back(world: World) -> None:
    """I23, R-INBOX-007: the cursor is a maximum."""
    for _ in range(3):
        world.sent(*both())
    first, second, third = (one.position for one in world.read(BOB_1))
    assert ack(world, BOB_1, second) == Acked(second)
    assert [one.position for one in world.read(BOB_1)] == [third]
    assert sorted(world.inboxes[BOB_1]) == [third]
    assert ack(world, BOB_1, first) == Acked(second)
    assert len(world.read(BOB_2)) == 3
    assert world.head(BOB_1).size == world.inboxes[BOB_1][third].size


def test_an_acknowledgement_above_the_last_position_fails(world: World) -> None:
    """S4: it can't have been delivered."""
    world.sent(*both())
    last = world.head(BOB_1).last
    assert ack(world, BOB_1, last + 1) == Failed(Refusal.PROTOCOL_ERROR)
    assert ack(world, BOB_1, last) == Acked(last)


def test_an_acknowledgement_of_an_old_registration_is_dropped(world: World) -> None:
    """Its positions were another store's."""
    world.sent(*both())
    last = world.head(BOB_1).last
    assert isinstance(world.ask(Ack(BOB_1, 6, last)), Dropped)
    assert isinstance(world.ask(Ack(b"Z" * 17, 6, last)), Dropped)
    assert world.head(BOB_1).acked == 0


def test_a_position_can_be_acknowledged_in_the_group_that_made_it(
    world: World,
) -> None:
    """A peer may guess: inserts go before deletes, and nothing is left behind."""
    place = EPOCH << 32 | 1
    world.group(world.send(*both()), Ack(BOB_1, REGISTRATION, place))
    assert not world.inboxes[BOB_1]
    assert world.head(BOB_1).size == 0


def test_the_mark_needs_one_device_and_everything_up_to_it(world: World) -> None:
    """Delivered: stored by at least one of the user's devices, without a hole."""
    seqs = [world.sent(*both()).chat_seq for _ in range(3)]
    one, two = world.read(BOB_1), world.read(BOB_2)
    assert mark(world) < seqs[0]
    ack(world, BOB_1, one[0].position)
    assert mark(world) == seqs[0]
    ack(world, BOB_2, two[2].position)
    assert mark(world) == seqs[2]
    ack(world, BOB_1, one[2].position)
    moved = [event for event in world.events if isinstance(event, ReceiptMoved)]
    assert moved == [
        ReceiptMoved(ALICE, CHAT, BOB, seqs[0]),
        ReceiptMoved(ALICE, CHAT, BOB, seqs[2]),
    ]


def test_own_copies_make_no_mark(world: World) -> None:
    """The double check is the peer's, not one's second phone's."""
    world.add_device(ALICE_2)
    sent = world.sent(envelope(ALICE_2), *both())
    ack(world, ALICE_2, world.head(ALICE_2).last)
    assert mark(world, ALICE) == 0
    assert mark(world) < sent.chat_seq
    assert not [one for one in world.events if isinstance(one, ReceiptMoved)]


def test_marks_are_for_members_only_and_sorted(world: World) -> None:
    """A13: a chat one is not in looks like none."""
    sent = world.sent(*both())
    ack(world, BOB_1, world.head(BOB_1).last)
    found = world.ask(ReceiptsGet(ALICE, (CHAT, b"x" * 16, CHAT)))
    assert found == Marks((Mark(CHAT, BOB, sent.chat_seq),))
    assert world.ask(ReceiptsGet(b"Z" * 16, (CHAT,))) == Marks(())


def test_a_signal_moves_no_mark(world: World) -> None:
    """Only what has a place can be delivered up to."""
    world.sent(class_=3)
    ack(world, BOB_1, world.head(BOB_1).last)
    assert not [one for one in world.events if isinstance(one, ReceiptMoved)]


def test_a_signal_for_a_device_that_is_gone_is_reported(world: World) -> None:
    """Rule 8: whatever is dropped is said, to the sender's devices."""
    world.add_device(ALICE_2)
    gone = device_of(BOB, 3)
    sent = world.sent(envelope(BOB_2), envelope(gone), class_=3)
    assert [one.kind for one in world.read(BOB_2)] == [DELIVER]
    for device in (ALICE_1, ALICE_2):
        (entry,) = world.read(device)
        assert decode_message(entry.kind, DRAFT, entry.frame[12:]) == Undelivered(
            inbox_seq=entry.position,
            prev=0,
            chat=CHAT,
            client_msg_id=sent.client_msg_id,
            user=BOB,
            device=3,
            reason=UndeliveredReason.DEVICE_GONE,
        )


def test_a_signal_for_an_older_registration_is_reported_as_such(world: World) -> None:
    """The sender then begins a session with the device anew and sends it again."""
    world.sent(envelope(BOB_1, registration=99), envelope(BOB_2), class_=3)
    assert not world.read(BOB_1)
    (entry,) = world.read(ALICE_1)
    told = decode_message(entry.kind, DRAFT, entry.frame[12:])
    assert isinstance(told, Undelivered)
    assert (told.device, told.reason) == (1, UndeliveredReason.REREGISTERED)


def test_a_listed_device_without_an_envelope_gets_a_stub(world: World) -> None:
    """What changed between admission and fold is said as MISSED (cluster)."""
    send = world.send(envelope(BOB_1), envelope(BOB_2, registration=99))
    world.sent(*both())
    world.state.begin_group(world.now_ms)
    _load_heads(world)
    draft = Draft(world.state)
    deliver(draft, send, 5, [draft.roster(user) for user in send.users])
    kinds = [(device, entry.kind) for device, entry in draft.entries]
    assert kinds == [(BOB_1, DELIVER), (BOB_2, MISSED), (ALICE_1, UNDELIVERED)]


def test_a_delivery_that_was_folded_before_changes_nothing(world: World) -> None:
    """A replay can only find what it wrote: its source position is not above."""
    send = world.send(*both())
    world.ask(send)
    world.state.begin_group(world.now_ms)
    _load_heads(world)
    draft = Draft(world.state)
    draft.source = world.tables[rows.MARKS][CHAT + BOB].source
    deliver(draft, send, 5, [draft.roster(user) for user in send.users])
    assert not draft.entries


def test_a_stub_is_not_stored_for_a_suspended_device(world: World) -> None:
    """Nothing is queued for it, and its own gap tells it so."""
    head = world.head(BOB_2)
    suspended = rows.HeadRow(
        head.acked, head.last, 0, head.contact_ms, is_suspended=True
    )
    world.tables[rows.HEADS][BOB_2] = suspended
    world.state.forget_everything()
    _load_heads(world)
    draft = Draft(world.state)
    send = world.send(envelope(BOB_1))
    deliver(draft, send, 5, [draft.roster(user) for user in send.users])
    assert [device for device, _ in draft.entries] == [BOB_1]


def _load_heads(world: World) -> None:
    state, tables = world.state, world.tables
    for device in (ALICE_1, BOB_1, BOB_2):
        state.load(rows.HEADS, device, tables[rows.HEADS][device])
    for user in (ALICE, BOB):
        state.load(rows.ROSTERS, user, tables[rows.ROSTERS][user])
        state.load(rows.MARKS, CHAT + user, tables[rows.MARKS].get(CHAT + user))


def test_reading_keeps_to_its_bounds_and_is_whole_in_the_end(world: World) -> None:
    """The delivery window decides how much; nothing is skipped between reads."""
    for number in range(7):
        world.sent(*both(bytes((number,)) * 100))
    assert [one.position & 0xFF for one in world.read(BOB_1)] == [1, 2, 3, 4, 5, 6, 7]
    size = world.read(BOB_1)[0].size
    for bytes_max, expected in ((1, 1), (size * 2, 2), (size * 2 + 1, 2)):
        found = world.expect(Entries, InboxRead(BOB_1, 0, 100, bytes_max))
        assert len(found.entries) == expected
        assert found.last == world.head(BOB_1).last


def test_a_read_sees_what_its_own_group_added(world: World) -> None:
    """One order for all requests: a read behind a send finds its entry."""
    world.sent(*both())
    world.state.tails.clear()
    answers = world.group(world.send(*both()), InboxRead(BOB_1, 0, 10, 1 << 20))
    found = answers[1]
    assert isinstance(found, Entries)
    assert len(found.entries) == 2
    tight = world.expect(Entries, InboxRead(BOB_1, 0, 1, 1 << 20))
    assert len(tight.entries) == 1


def test_a_read_behind_an_acknowledgement_does_not_see_the_dead(world: World) -> None:
    """Rule 4: what is at or below the cursor can't be read, stored or not."""
    for _ in range(3):
        world.sent(*both())
    second = world.read(BOB_1)[1].position
    world.state.tails.clear()
    _, found = world.group(
        Ack(BOB_1, REGISTRATION, second), InboxRead(BOB_1, 0, 10, 1 << 20)
    )
    assert isinstance(found, Entries)
    assert [one.position for one in found.entries] == [second + 1]


def test_two_acknowledgements_in_one_group_count_each_entry_once(
    world: World,
) -> None:
    """Both were judged before either was folded."""
    for _ in range(4):
        world.sent(*both())
    places = [one.position for one in world.read(BOB_1)]
    world.group(
        Ack(BOB_1, REGISTRATION, places[1]), Ack(BOB_1, REGISTRATION, places[2])
    )
    assert world.head(BOB_1).size == world.inboxes[BOB_1][places[3]].size


def test_the_inbox_of_nobody_is_empty(world: World) -> None:
    """A look-up is answered, whatever it asks for."""
    assert world.ask(InboxRead(b"Z" * 17, 0, 10, 100)) == Entries((), (), 0)


def test_a_damaged_entry_is_set_aside_and_said(world: World) -> None:
    """I22: never served; device, sender and operator are told, and mail goes on."""
    for _ in range(3):
        world.sent(*both())
    first, second, third = world.read(BOB_1)
    world.damaged.add((BOB_1, second.position))
    world.state.tails.clear()
    gap = Gap(second.position, second.position, GapReason.CORRUPT)
    read = InboxRead(BOB_1, 0, 10, 1 << 20)
    found, again = world.group(read, read)
    assert found == again or isinstance(again, Entries)
    assert isinstance(found, Entries)
    assert [one.position for one in found.entries] == [first.position, third.position]
    assert found.gaps == (gap,)
    assert world.quarantined == [(BOB_1, second.position)]
    assert EntryCorrupt(BOB_1, second.position) in world.events
    assert GapOpened(BOB_1, gap) in world.events
    (report,) = world.read(ALICE_1)
    assert report.client_msg_id == second.client_msg_id
    assert world.connect(BOB_1, first.position).gaps == (gap,)
    ack(world, BOB_1, third.position)
    assert world.connect(BOB_1, third.position).gaps == ()


def test_memory_keeps_the_newest_entries_of_an_inbox_and_no_more() -> None:
    """I15: a device that is away costs a window at most, and all tails together."""
    world = World(EngineLimits(tail_entries_max=3, tail_bytes_max=1_500))
    world.register(ALICE_1)
    world.register(BOB_1)
    for _ in range(5):
        world.sent(envelope(BOB_1))
    tail = world.tail(BOB_1)
    assert tail is not None
    assert len(tail.entries) == 3
    assert len(world.read(BOB_1)) == 5
    world.sent(envelope(BOB_1, b"x" * 2_000))
    assert world.tail(BOB_1) is None
    assert world.state.tail_bytes == 0
    assert len(world.read(BOB_1)) == 6


def test_mail_of_a_new_registration_joins_the_same_inbox(world: World) -> None:
    """Positions go on; only what the lost state could open is gone."""
    world.sent(*both())
    world.ask(ReRegister(BOB_2, 8, 2, signed_prekey(2)))
    world.sent(envelope(BOB_1), envelope(BOB_2, registration=8))
    (entry,) = world.read(BOB_2)
    assert entry.prev == EPOCH << 32 | 1


def test_dropping_an_inbox_reports_what_its_own_group_added(world: World) -> None:
    """What was sequenced a moment ago is in no table yet, and is lost all the same."""
    first = world.sent(*both())
    world.state.tails.clear()
    send = world.send(*both())
    world.group(send, ReRegister(BOB_2, 8, 2, signed_prekey(2)))
    reported = [one.client_msg_id for one in world.read(ALICE_1)]
    assert reported == [first.client_msg_id, send.client_msg_id]
    assert world.read(BOB_2) == ()
    assert not world.inboxes[BOB_2]


def test_an_acknowledgement_may_reach_into_its_own_group(world: World) -> None:
    """Entries of the table and of the group are counted alike."""
    world.sent(*both())
    world.state.tails.clear()
    place = EPOCH << 32 | 2
    world.group(world.send(*both()), Ack(BOB_1, REGISTRATION, place))
    assert world.head(BOB_1).size == 0
    assert not world.inboxes[BOB_1]
    assert mark(world) == world.log[-1].chat_seq
