"""The chat fold: dedupe, order, places, and each reason to refuse."""

import hypothesis.strategies as st
import pytest
from hypothesis import given
from tests.server.core.world import (
    ALICE,
    ALICE_1,
    ALICE_2,
    BOB,
    BOB_1,
    CAROL_1,
    CHAT,
    DAY_MS,
    EPOCH,
    NO_ID,
    World,
    envelope,
    message_id,
    signed_prekey,
)

from wigwag.server.core import (
    Dropped,
    Refusal,
    Refused,
    ReRegister,
    Send,
    Sequenced,
    rows,
)
from wigwag.server.core._chat_fold import digest_of
from wigwag.wire import suite1


@pytest.fixture
def world() -> World:
    """Alice and Bob, one device each."""
    world = World()
    world.register(ALICE_1)
    world.register(BOB_1)
    return world


def refusal(world: World, send: Send) -> Refused:
    """Send and check that it is refused and leaves nothing behind."""
    before = (len(world.log), len(world.tables[rows.SENT]))
    answer = world.ask(send)
    assert isinstance(answer, Refused), answer
    assert (len(world.log), len(world.tables[rows.SENT])) == before
    return answer


def test_places_are_dense_within_an_epoch_and_new_in_the_next(world: World) -> None:
    """Rule 2: a restored folder must never hand a position out twice."""
    first, second = world.sent(), world.sent()
    assert [first.chat_seq, second.chat_seq] == [EPOCH << 32 | 1, EPOCH << 32 | 2]
    world.restart()
    third = world.sent()
    assert third.chat_seq == (EPOCH + 1) << 32 | 1
    assert [row.chat_seq for row in world.log] == [
        one.chat_seq for one in (first, second, third)
    ]


def test_a_repetition_gets_the_stored_answer(world: World) -> None:
    """I2: once in the log, whatever the network does."""
    send = world.send()
    stored = world.expect(Sequenced, send)
    world.now_ms += 5_000
    assert world.ask(send) == stored
    assert len(world.log) == 1
    assert len(world.read(BOB_1)) == 1


def test_a_repetition_in_the_same_group_is_seen(world: World) -> None:
    """The first copy is not yet in any table when the second is folded."""
    send = world.send()
    first, second = world.group(send, send)
    assert first == second
    assert len(world.log) == 1


def test_dedupe_comes_before_every_other_check(world: World) -> None:
    """A stored message must not be refused later for what changed since."""
    send = world.send()
    stored = world.expect(Sequenced, send)
    world.now_ms += 32 * DAY_MS
    world.sent()
    known = send.client_msg_id
    for copy in (
        world.send(client_msg_id=known, attempt=2),
        world.send(client_msg_id=known, attempt=2, after=NO_ID),
        world.send(client_msg_id=known, attempt=2, marked=Refusal.RATE_LIMITED),
        world.send(envelope(BOB_1, registration=9), client_msg_id=known, attempt=2),
        world.send(client_msg_id=known, attempt=2, generation=0),
    ):
        assert world.ask(copy) == stored


def test_conflict_needs_equal_attempt_and_registration(world: World) -> None:
    """A device that lost its state may honestly use an attempt for other bytes."""
    send = world.send(envelope(BOB_1, b"one"))
    stored = world.expect(Sequenced, send)
    other = world.send(envelope(BOB_1, b"two"), client_msg_id=send.client_msg_id)
    refused = refusal(world, other)
    assert (refused.code, refused.chat_seq) == (Refusal.CONFLICT, stored.chat_seq)
    newer = world.send(
        envelope(BOB_1, b"two"), client_msg_id=send.client_msg_id, attempt=2
    )
    assert world.ask(newer) == stored
    world.ask(ReRegister(ALICE_1, 8, 2, signed_prekey(2)))
    reborn = world.send(
        envelope(BOB_1, b"two"),
        client_msg_id=send.client_msg_id,
        registration_id=8,
        generation=2,
    )
    assert world.ask(reborn) == stored


def test_an_id_below_the_highest_is_looked_up_and_may_be_new(world: World) -> None:
    """Two chats of one device interleave; a smaller id is not an old one."""
    world.register(CAROL_1)
    low, high = world.id(), world.id()
    world.sent(client_msg_id=high)
    answer = world.sent(
        envelope(CAROL_1),
        chat=suite1.direct_chat_id(ALICE, CAROL_1[:16]),
        client_msg_id=low,
    )
    assert answer.client_msg_id == low
    assert world.tables[rows.SENDERS][ALICE_1].high == high


def test_one_id_may_be_used_in_two_chats(world: World) -> None:
    """Dedupe is per chat; an id says nothing of another chat."""
    world.register(CAROL_1)
    one = world.id()
    world.sent(client_msg_id=one)
    chat = suite1.direct_chat_id(ALICE, CAROL_1[:16])
    world.sent(envelope(CAROL_1), chat=chat, client_msg_id=one)
    assert len(world.log) == 2


def test_after_must_name_the_last_sequenced_message(world: World) -> None:
    """I7: a pipeline can't reorder around a refusal."""
    first = world.sent()
    skipped = world.id()
    refused = refusal(world, world.send(after=skipped))
    assert refused.code is Refusal.OUT_OF_ORDER
    assert refused.last_id == first.client_msg_id
    assert isinstance(world.ask(world.send(after=first.client_msg_id)), Sequenced)


def test_a_refusal_holds_back_what_was_chained_behind_it(world: World) -> None:
    """The pipeline's rest arrives, is refused, and can be offered again in order."""
    first = world.send(marked=Refusal.RATE_LIMITED, retry_after_ms=1_500)
    second = world.send(after=first.client_msg_id)
    limited, out_of_order = world.group(first, second)
    assert isinstance(limited, Refused)
    assert isinstance(out_of_order, Refused)
    assert (limited.code, limited.retry_after_ms) == (Refusal.RATE_LIMITED, 1_500)
    assert (out_of_order.code, out_of_order.last_id) == (Refusal.OUT_OF_ORDER, NO_ID)
    again = world.send(client_msg_id=first.client_msg_id)
    assert all(isinstance(one, Sequenced) for one in world.group(again, second))


def test_each_device_has_a_chain_of_its_own(world: World) -> None:
    """Two phones write at once; neither waits for the other."""
    world.add_device(ALICE_2)
    both = (envelope(BOB_1), envelope(ALICE_2))
    world.sent(*sorted(both, key=lambda one: (one.user, one.device)))
    other = world.send(envelope(ALICE_1), envelope(BOB_1), sender=ALICE_2)
    assert other.after == NO_ID
    assert isinstance(world.ask(other), Sequenced)


def test_a_new_registration_starts_its_chains_at_zero(world: World) -> None:
    """R-REG-005: what the lost store knew is gone."""
    last = world.sent().client_msg_id
    world.ask(ReRegister(ALICE_1, 8, 2, signed_prekey(2)))
    fields = {"registration_id": 8, "generation": 2}
    refused = refusal(world, world.send(after=last, **fields))
    assert (refused.code, refused.last_id) == (Refusal.OUT_OF_ORDER, NO_ID)
    assert isinstance(world.ask(world.send(after=NO_ID, **fields)), Sequenced)


@pytest.mark.parametrize(
    ("age_ms", "is_taken"),
    [
        (31 * DAY_MS, True),
        (31 * DAY_MS + 1, False),
        (-DAY_MS, True),
        (-DAY_MS - 1, False),
    ],
)
def test_an_id_is_taken_for_31_days_and_one_day_ahead(
    world: World, age_ms: int, is_taken: bool
) -> None:
    """The dedupe horizon must outlast every id that is taken."""
    one = message_id(world.now_ms - age_ms, 1)
    if is_taken:
        world.sent(client_msg_id=one)
    else:
        refused = refusal(world, world.send(client_msg_id=one))
        assert refused.code is Refusal.EXPIRED


def test_a_direct_chat_has_the_id_of_its_two_accounts(world: World) -> None:
    """R-SEND-003: nobody can put a message into a chat of others."""
    world.register(CAROL_1)
    for send in (
        world.send(chat=b"x" * 16),
        world.send(users=(ALICE,), envelopes=()),
        world.send(envelope(BOB_1), envelope(CAROL_1)),
        world.send(envelope(CAROL_1)),
    ):
        assert refusal(world, send).code is Refusal.NOT_FOUND
    world.sent()
    assert refusal(world, world.send(envelope(CAROL_1))).code is Refusal.NOT_FOUND


def test_an_outsider_who_knows_a_chat_id_finds_nothing(world: World) -> None:
    """A3: a foreign chat looks like none."""
    world.register(CAROL_1)
    world.sent()
    send = world.send(sender=CAROL_1, after=NO_ID)
    assert refusal(world, send).code is Refusal.NOT_FOUND


def test_an_unknown_user_is_not_found(world: World) -> None:
    """There must be nothing to tell an account that never was from one that hides."""
    stranger = b"Z" * 16
    chat = suite1.direct_chat_id(ALICE, stranger)
    send = world.send(envelope(stranger + b"\x01"), chat=chat)
    assert refusal(world, send).code is Refusal.NOT_FOUND


@pytest.mark.parametrize(
    "fields", [{"registration_id": 6}, {"generation": 0}, {"sender": CAROL_1}]
)
def test_requests_of_older_connections_are_dropped(
    world: World, fields: dict[str, object]
) -> None:
    """The older connection is displaced: nothing of it may still be stored."""
    answer = world.ask(world.send(after=NO_ID, **fields))
    assert isinstance(answer, Dropped)
    assert not world.log


def test_signals_take_no_place_and_need_no_chain(world: World) -> None:
    """Classes 3, 4 and unknown ones are inbox-only, to any subset of devices."""
    world.add_device(b"B" * 16 + b"\x02")
    for class_ in (3, 4, 200):
        assert world.sent(class_=class_).chat_seq == 0
    assert not world.log
    assert CHAT not in world.tables[rows.CHATS]
    assert len(world.read(BOB_1)) == 3
    sender = world.tables[rows.SENDERS][ALICE_1]
    assert sender.last_id == world.read(BOB_1)[-1].client_msg_id


def test_a_signal_is_deduped_like_a_message(world: World) -> None:
    """A retry of a key distribution must not come twice."""
    send = world.send(class_=3)
    assert world.ask(send) == world.ask(send)
    assert len(world.read(BOB_1)) == 1


def test_a_signal_names_the_users_of_its_envelopes(world: World) -> None:
    """Nobody is reached who was not named."""
    send = world.send(envelope(BOB_1), envelope(CAROL_1), users=(BOB,), class_=3)
    assert refusal(world, send).code is Refusal.NOT_FOUND


def test_a_clock_that_goes_back_stands_still(world: World) -> None:
    """Time comes from the record and never goes back."""
    first = world.sent()
    world.now_ms -= 60_000
    assert world.sent().ts == first.ts


def test_the_newest_send_is_remembered_for_sign_in(world: World) -> None:
    """AUTH_OK names it, so that a copied profile notices."""
    sent = world.sent(attempt=3)
    connected = world.connect(ALICE_1, 0)
    assert connected.last_stored_id == sent.client_msg_id
    assert connected.last_stored_attempt == 3


@given(
    class_=st.integers(0, 255),
    texts=st.lists(st.binary(min_size=1, max_size=300), max_size=3),
    registration=st.integers(1, 2**32 - 1),
)
def test_the_digest_is_the_suites(
    class_: int, texts: list[bytes], registration: int
) -> None:
    """It is written out for one envelope; a client computes the suite's."""
    envelopes = tuple(
        envelope(BOB + bytes((number,)), text, registration)
        for number, text in enumerate(texts, 1)
    )
    send = World().send(*envelopes, class_=class_, envelopes=envelopes)
    expected = suite1.send_digest(
        class_,
        [
            (one.user, one.device, one.registration_id, one.ciphertext)
            for one in envelopes
        ],
    )
    assert digest_of(send) == expected
