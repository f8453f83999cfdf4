"""How many chats an account opens: what counts, what doesn't, and what is refused."""

import pytest
from tests.server.core.world import (
    ALICE,
    ALICE_1,
    ALICE_2,
    BOB,
    BOB_1,
    CAROL,
    CAROL_1,
    NO_ID,
    World,
    envelope,
)

from wigwag.server.core import Refusal, Refused, Send, Sequenced, rows
from wigwag.server.core._limits import CHATS_OPENED_MAX
from wigwag.wire import LIMITS, suite1

ALICE_AND_CAROL = suite1.direct_chat_id(ALICE, CAROL)


@pytest.fixture(params=[False, True], ids=["remembering", "forgetful"])
def world(request: pytest.FixtureRequest) -> World:
    """Alice, Bob and Carol, one device each."""
    world = World(is_forgetful=request.param)
    for device in (ALICE_1, BOB_1, CAROL_1):
        world.register(device)
    return world


def to_carol(world: World, **fields: object) -> Send:
    """Make Alice's SEND to Carol."""
    return world.send(envelope(CAROL_1), chat=ALICE_AND_CAROL, users=(CAROL,), **fields)


def use_up(world: World, user: bytes) -> None:
    """Let an account have opened all the chats that it may."""
    world.tables[rows.OPENED][user] = CHATS_OPENED_MAX
    world.restart()


def code_of(answer: object) -> Refusal:
    """Return why a SEND was refused."""
    assert isinstance(answer, Refused), answer
    return answer.code


def test_the_bound_is_that_of_the_specification() -> None:
    """A client may rely on it (R-SEND-009)."""
    assert LIMITS["chats_per_account_max"].value == CHATS_OPENED_MAX == 5_000


def test_each_chat_counts_once_for_who_wrote_first(world: World) -> None:
    """Neither for whom it came to, nor for each message, nor for each answer."""
    world.sent()
    world.sent()
    world.sent(envelope(ALICE_1), sender=BOB_1)
    assert world.tables[rows.OPENED] == {ALICE: 1}
    world.expect(Sequenced, to_carol(world))
    assert world.tables[rows.OPENED] == {ALICE: 2}


def test_two_chats_of_one_group_count_both(world: World) -> None:
    """A burst of first messages is folded before any of it is stored."""
    answers = world.group(world.send(), to_carol(world))
    assert all(isinstance(answer, Sequenced) for answer in answers)
    assert world.tables[rows.OPENED] == {ALICE: 2}


def test_the_last_chat_is_taken_once_though_two_come_together(world: World) -> None:
    """Exactly: the count is the log's, not a hint's."""
    world.tables[rows.OPENED][ALICE] = CHATS_OPENED_MAX - 1
    world.restart()
    first, second = world.group(world.send(), to_carol(world))
    assert isinstance(first, Sequenced)
    assert code_of(second) is Refusal.QUOTA


def test_a_refusal_stores_nothing_and_the_chats_that_are_there_go_on(
    world: World,
) -> None:
    """Whoever has many friends can still write to all of them (R-SEND-009)."""
    world.sent()
    use_up(world, ALICE)
    refused = to_carol(world)
    assert code_of(world.ask(refused)) is Refusal.QUOTA
    assert ALICE_AND_CAROL not in world.tables[rows.CHATS]
    assert not world.inboxes.get(CAROL_1)
    assert world.tables[rows.OPENED] == {ALICE: CHATS_OPENED_MAX}
    world.sent()


def test_an_account_that_opened_all_it_may_is_still_written_to(world: World) -> None:
    """Strangers can't use up what its owner may, nor be kept away by it."""
    use_up(world, BOB)
    world.sent()
    world.expect(Sequenced, world.send(envelope(ALICE_1), sender=BOB_1))


def test_all_devices_of_an_account_share_its_count(world: World) -> None:
    """Another device is no second share."""
    world.add_device(ALICE_2)
    use_up(world, ALICE)
    answer = world.ask(
        world.send(
            envelope(ALICE_1),
            envelope(CAROL_1),
            chat=ALICE_AND_CAROL,
            sender=ALICE_2,
        )
    )
    assert code_of(answer) is Refusal.QUOTA


def test_a_signal_opens_no_chat(world: World) -> None:
    """It has no place in one, so it counts for nothing and needs no room."""
    use_up(world, ALICE)
    world.sent(class_=3)
    assert world.tables[rows.OPENED] == {ALICE: CHATS_OPENED_MAX}


def test_what_is_refused_for_another_reason_does_not_count(world: World) -> None:
    """Else a loop of mistakes would use up the account."""
    wrong = world.send(envelope(BOB_1, b"x", 99))
    assert code_of(world.ask(wrong)) is Refusal.DEVICES_STALE
    late = world.send(after=b"z" * 16)
    assert code_of(world.ask(late)) is Refusal.OUT_OF_ORDER
    assert not world.tables[rows.OPENED]
    world.expect(Sequenced, world.send(after=NO_ID))


def test_a_repetition_of_the_first_message_counts_once(world: World) -> None:
    """A retry of a stored one is answered, also when all is used up (R-SEND-001)."""
    send = world.send()
    first = world.ask(send)
    use_up(world, ALICE)
    assert world.ask(send) == first
    assert world.tables[rows.OPENED] == {ALICE: CHATS_OPENED_MAX}
