"""One record in, one answer out: rule 11, reasons, memory."""

import pytest
from tests.server.core.world import (
    ALICE_1,
    BOB,
    BOB_1,
    CHAT,
    EPOCH,
    REGISTRATION,
    START_MS,
    World,
)

from wigwag.server.core import (
    Ack,
    EngineLimits,
    EngineStatus,
    Failed,
    GapReason,
    InboxRead,
    InviteCreate,
    InviteCreated,
    Meta,
    PrekeysCount,
    ReceiptsGet,
    Refusal,
    Refused,
    RowMissing,
    Sequenced,
    State,
    Status,
    Tick,
    UndeliveredReason,
    UsernameClaim,
    fold,
    is_growth,
    refuse,
    rows,
)
from wigwag.server.core._draft import Draft
from wigwag.server.core._state import ABSENT, Cache
from wigwag.server.core._values import ORDINAL_MAX
from wigwag.wire import DRAFT, ErrorCode
from wigwag.wire import GapReason as WireGapReason
from wigwag.wire import UndeliveredReason as WireUndeliveredReason


@pytest.fixture
def world() -> World:
    """Alice and Bob."""
    world = World()
    world.register(ALICE_1)
    world.register(BOB_1)
    return world


def test_a_fold_that_raises_costs_its_own_record_only(world: World) -> None:
    """Rule 11: nothing of it stays, the rest of the group goes on."""
    first = world.send()
    third = world.send(after=first.client_msg_id)

    class Bomb:
        """An envelope that fails when its ciphertext is looked at late."""

        user, device, registration_id = BOB, 1, REGISTRATION
        looks = 0

        @property
        def ciphertext(self) -> bytes:
            """Give it to admission and digest, then fail in the inbox fold."""
            self.looks += 1
            if self.looks > 2:
                raise ZeroDivisionError
            return b"x"

    bomb = world.send(Bomb(), after=first.client_msg_id)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        world.group(first, bomb, third)
    outcomes = world.outcomes
    assert isinstance(outcomes[0].answer, Sequenced)
    assert isinstance(outcomes[1].error, ZeroDivisionError)
    assert outcomes[1].answer == refuse(bomb, Refusal.INTERNAL)
    assert isinstance(outcomes[2].answer, Sequenced)
    assert outcomes[2].answer.chat_seq == outcomes[0].answer.chat_seq + 1
    assert len(world.read(BOB_1)) == 2
    assert world.tables[rows.CHATS][CHAT].head == outcomes[2].answer.chat_seq


def test_a_missing_row_is_asked_for_and_changes_nothing(world: World) -> None:
    """The engine reads it and folds the record again."""
    send = world.send()
    world.state.forget_everything()
    world.state.begin_group(world.now_ms)
    with pytest.raises(RowMissing, match="sender row is not in memory"):
        fold(send, world.state)
    assert world.state.changes.is_empty()


def test_refusals_of_sends_name_the_message(world: World) -> None:
    """A REFUSED counts by id and attempt."""
    send = world.send(attempt=3)
    assert refuse(send, Refusal.UNAVAILABLE) == Refused(
        send.client_msg_id, 3, Refusal.UNAVAILABLE
    )
    assert refuse(Status(), Refusal.UNAVAILABLE) == Failed(Refusal.UNAVAILABLE)


def test_every_reason_is_one_of_the_specification() -> None:
    """The session turns a name into the code of the same name."""
    assert {one.name for one in Refusal} <= {one.name for one in ErrorCode}
    for ours, theirs in (
        (GapReason, WireGapReason),
        (UndeliveredReason, WireUndeliveredReason),
    ):
        named = {one.name: one.value for one in theirs if one.name != "OTHER"}
        assert {one.name: one.value for one in ours} == named


def test_a_full_disk_refuses_what_only_adds(world: World) -> None:
    """Acknowledging, signing in and removing must still work."""
    adding = (world.send(), UsernameClaim(BOB, "bob"), InviteCreate(b"c" * 32, 1, 1))
    assert all(is_growth(one) for one in adding)
    assert not any(is_growth(one) for one in (Ack(BOB_1, 7, 1), Tick(), Status()))


def test_what_needs_no_row_wants_none(world: World) -> None:
    """A request may stand in a group for whose others rows are read."""
    world.state.forget_everything()
    status, created = world.group(Status(), InviteCreate(b"c" * 32, 1, 5))
    assert isinstance(status, EngineStatus)
    assert created == InviteCreated(5)


def test_status_counts(world: World) -> None:
    """What the operator sees comes from the tables."""
    assert world.ask(Status()) == EngineStatus(2, 2, 0, 0, EPOCH, START_MS, 0, False)


def test_a_log_opens_a_new_epoch_before_its_positions_run_out(world: World) -> None:
    """A u32 of records is five days at full speed."""
    world.state.ordinal = ORDINAL_MAX - world.limits.group_records_max
    sent = world.sent()
    assert sent.chat_seq >> 32 == EPOCH + 1
    assert EPOCH + 1 in world.epochs


def test_epochs_of_a_rolled_back_group_are_written_with_the_next() -> None:
    """An epoch that is in use must be in the list, else it proves a restore."""
    state = State(Meta(START_MS, 0, ()), EngineLimits(), DRAFT)
    state.begin_group(START_MS)
    state.open_epoch(5)
    state.end_group()
    assert state.changes.epochs == [5]
    assert not state.changes.is_empty()
    state.forget_everything()
    state.begin_group(START_MS)
    state.end_group()
    assert state.changes.epochs == [5]
    state.saved()
    state.begin_group(START_MS)
    state.end_group()
    assert state.changes.is_empty()


def test_a_cache_keeps_what_is_used() -> None:
    """Two generations: an unused row is gone after the second turn."""
    cache = Cache(2)
    for key in range(3):
        cache.put(key, str(key))
    cache.age()
    assert cache.get(0) == "0"
    for key in (4, 5):
        cache.put(key, str(key))
    cache.age()
    assert cache.get(1) is ABSENT
    assert cache.get(0) == "0"
    assert len(cache) == 3
    cache.forget(0)
    cache.forget(99)
    assert cache.get(0) is ABSENT


def test_a_small_cache_changes_no_answer() -> None:
    """Memory is never the truth."""
    answers: list[list[int]] = []
    for cache_rows_max in (1, 20_000):
        world = World(EngineLimits(cache_rows_max=cache_rows_max))
        world.register(ALICE_1)
        world.register(BOB_1)
        answers.append([world.sent().chat_seq for _ in range(5)])
        answers[-1] += [one.position for one in world.read(BOB_1)]
    assert answers[0] == answers[1]


def test_tables_and_drafts_show_no_rows() -> None:
    """Rows hold ids and keys; a log line shows names."""
    assert repr(rows.CHATS) == "<Table chat>"
    state = State(Meta(START_MS, 0, (1,)), EngineLimits(), DRAFT)
    assert "Draft" in repr(Draft(state))


def test_looking_up_changes_nothing(world: World) -> None:
    """A group that only looked up needs no transaction."""
    world.sent()
    for request in (
        PrekeysCount(BOB_1),
        ReceiptsGet(BOB, (CHAT,)),
        InboxRead(BOB_1, 0, 5, 1_000),
        Status(),
        Ack(BOB_1, REGISTRATION, 0),
    ):
        world.ask(request)
        assert world.changes.is_empty(), request
