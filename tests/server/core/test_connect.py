"""Signing in: generations, cursors, and cursors that prove a restored folder."""

import pytest
from tests.server.core.world import (
    ALICE_1,
    BOB_1,
    CHAT,
    DAY_MS,
    EPOCH,
    REGISTRATION,
    World,
    ec_prekeys,
    envelope,
    register,
    signed_prekey,
)

from wigwag.server.core import (
    Ack,
    Acked,
    Bundles,
    Connect,
    Connected,
    DeviceFound,
    DeviceLookup,
    Displaced,
    Failed,
    Gap,
    GapReason,
    InboxRead,
    PrekeysClaim,
    PrekeysCount,
    PrekeysHeld,
    PrekeysUpload,
    ReceiptMoved,
    Refusal,
    ReRegister,
    RestoreProven,
    RolledBack,
    rows,
)
from wigwag.server.core._limits import EPOCH_AHEAD_SECONDS_MAX, MOVE_ENTRIES_MAX
from wigwag.server.core._refusals import UndeliveredReason
from wigwag.wire import DRAFT, Deliver, decode_message


@pytest.fixture(params=[False, True], ids=["remembering", "forgetful"])
def world(request: pytest.FixtureRequest) -> World:
    """Alice has sent Bob three messages, which nobody has fetched."""
    world = World(is_forgetful=request.param)
    world.register(ALICE_1)
    world.register(BOB_1)
    for _ in range(3):
        world.sent()
    return world


def places(world: World) -> list[int]:
    """Return the positions that Bob can read."""
    return [one.position for one in world.read(BOB_1)]


def proofs(world: World) -> list[RestoreProven]:
    """Return the alarms so far."""
    return [one for one in world.events if isinstance(one, RestoreProven)]


def chained(world: World, cursor: int) -> bool:
    """Whether what Bob can read joins his cursor without a hole."""
    entries = world.read(BOB_1)
    before = [cursor, *(one.position for one in entries)]
    frames = [decode_message(one.kind, DRAFT, one.frame[12:]) for one in entries]
    return [one.prev for one in entries] == before[:-1] and all(
        isinstance(frame, Deliver)
        and (frame.inbox_seq, frame.prev) == (entry.position, entry.prev)
        for frame, entry in zip(frames, entries, strict=True)
    )


def test_a_cursor_counts_as_an_acknowledgement(world: World) -> None:
    """The device may have lost the connection before its ACK left."""
    second = EPOCH << 32 | 2
    answer = world.connect(BOB_1, second)
    assert (answer.acked, answer.last) == (second, second + 1)
    assert answer.gaps == ()
    assert places(world) == [second + 1]
    assert any(isinstance(one, ReceiptMoved) for one in world.events)
    assert world.events[-1] == Displaced(BOB_1, 2)


def test_a_generation_must_rise(world: World) -> None:
    """Two profiles with one store: the older copy is told (R-AUTH-003)."""
    world.connect(BOB_1, 0, generation=5)
    for generation in (4, 5):
        assert isinstance(
            world.ask(world.sign_in(BOB_1, 0, generation=generation)), RolledBack
        )
    world.connect(BOB_1, 0, generation=6)


def test_a_generation_may_use_all_of_its_bits(world: World) -> None:
    """A u64 is a u64, also when somebody starts at the top."""
    world.connect(BOB_1, 0, generation=2**64 - 1)
    assert isinstance(world.ask(Connect(BOB_1, REGISTRATION, 2**64 - 1, 0)), RolledBack)


def test_an_unknown_device_can_not_sign_in(world: World) -> None:
    """R-AUTH-002: by whatever it says of itself."""
    failed = Failed(Refusal.AUTH_FAILED)
    assert world.ask(Connect(b"Z" * 17, REGISTRATION, 9, 0)) == failed


def test_another_registration_is_told_that_one_of_the_two_is_a_copy(
    world: World,
) -> None:
    """R-AUTH-003: however high its generation; and nothing changes."""
    for generation in (1, 9):
        old = world.sign_in(BOB_1, 0, registration_id=6, generation=generation)
        assert isinstance(world.ask(old), RolledBack)
    assert not any(isinstance(one, Displaced) for one in world.events)
    world.connect(BOB_1, 0, generation=2)


def test_the_keys_of_a_sign_in_are_found_before_it(world: World) -> None:
    """The session verifies the signature with them, then connects."""
    assert world.ask(DeviceLookup(BOB_1)) == DeviceFound(
        REGISTRATION, b"s" * 32, b"a" * 32
    )
    assert world.ask(DeviceLookup(b"Z" * 17)) == Failed(Refusal.AUTH_FAILED)


def test_a_lower_cursor_is_told_what_it_acknowledged_before(world: World) -> None:
    """The server deleted it: it can only say so."""
    first = EPOCH << 32 | 1
    world.ask(Ack(BOB_1, REGISTRATION, first + 1))
    answer = world.connect(BOB_1, first)
    assert answer.acked == first + 1
    assert answer.gaps == (Gap(first + 1, first + 1, GapReason.ALREADY_ACKED),)
    assert places(world) == [first + 2]
    assert not proofs(world)


def test_a_cursor_beyond_the_end_proves_a_restore_once(world: World) -> None:
    """Rule 2: the folder was put back; what follows joins the device's cursor."""
    cursor = EPOCH << 32 | 5
    world.now_ms += 60_000
    world.restart()
    answer = world.connect(BOB_1, cursor)
    lost = Gap(EPOCH << 32 | 4, cursor, GapReason.SERVER_RESTORED)
    assert answer.gaps == (lost,)
    assert (answer.acked, answer.last) == (cursor, cursor)
    assert proofs(world) == [RestoreProven(BOB_1, cursor)]
    assert places(world) == []
    world.sent()
    assert chained(world, cursor)
    assert world.connect(BOB_1, cursor).gaps == ()
    assert len(proofs(world)) == 1


def test_a_cursor_between_known_positions_proves_a_restore(world: World) -> None:
    """Mail that came after the restore must not be taken for what was lost."""
    cursor = EPOCH << 32 | 5
    world.now_ms += 60_000
    world.restart()
    world.sent()
    answer = world.connect(BOB_1, cursor)
    assert answer.gaps[0].reason == GapReason.SERVER_RESTORED
    assert len(proofs(world)) == 1
    assert places(world) == [(EPOCH + 60) << 32 | 1]


def test_mail_below_a_cursor_of_an_unknown_epoch_is_renumbered(world: World) -> None:
    """The lost future had later starts: its positions say nothing of ours."""
    unknown = (EPOCH + 30) << 32 | 2
    world.now_ms += 60_000
    world.restart()
    answer = world.connect(BOB_1, unknown)
    assert answer.acked == unknown
    assert len(places(world)) == 3
    assert chained(world, unknown)
    assert min(places(world)) == (EPOCH + 60) << 32 | 1
    world.sent()
    assert chained(world, unknown)
    assert sorted(world.inboxes[BOB_1]) == places(world)


def test_renumbering_never_takes_a_position_that_is_taken(world: World) -> None:
    """Mail of the running epoch is already there: a newer epoch is opened."""
    world.now_ms += 60_000
    world.restart()
    world.sent()
    unknown = (EPOCH + 30) << 32 | 2
    world.connect(BOB_1, unknown)
    assert len(places(world)) == 4
    assert chained(world, unknown)
    assert min(places(world)) >> 32 == EPOCH + 61
    assert EPOCH + 61 in world.state.epochs


def test_an_epoch_above_the_servers_own_is_passed(world: World) -> None:
    """The server's clock was wrong: it opens a higher epoch before AUTH_OK."""
    future = (EPOCH + 1_000) << 32 | 7
    answer = world.connect(BOB_1, future)
    assert answer.last == (EPOCH + 1_001) << 32 | 3
    assert chained(world, future)
    assert world.state.epoch == EPOCH + 1_001
    assert world.sent().chat_seq >> 32 == EPOCH + 1_001


def test_a_cursor_beyond_the_end_of_the_running_epoch_opens_another(
    world: World,
) -> None:
    """A machine put back while it ran hands positions out twice: not these."""
    cursor = EPOCH << 32 | 9
    world.connect(BOB_1, cursor)
    assert world.state.epoch == EPOCH + 1
    assert len(places(world)) == 3
    assert chained(world, cursor)


def test_nonsense_can_not_use_the_epochs_up(world: World) -> None:
    """A forged cursor near the end of u32 would leave no epoch for anybody."""
    far = EPOCH + EPOCH_AHEAD_SECONDS_MAX
    failed = Failed(Refusal.PROTOCOL_ERROR)
    for cursor in ((far + 1) << 32, 2**64 - 1):
        assert world.ask(world.sign_in(BOB_1, cursor)) == failed
    assert world.state.epoch == EPOCH
    world.connect(BOB_1, far << 32)


def test_epochs_of_a_clock_that_was_years_ahead_stay_good(world: World) -> None:
    """The clock is right again: the cursors of that time must still sign in."""
    true_ms = world.now_ms
    world.now_ms += 3 * 366 * DAY_MS
    world.restart()
    ahead = world.state.epoch
    world.sent()
    entry = world.read(BOB_1)[-1]
    assert entry.position >> 32 == ahead > EPOCH + EPOCH_AHEAD_SECONDS_MAX
    world.now_ms = true_ms
    world.restart()
    assert world.connect(BOB_1, entry.position).gaps == ()
    # Forged cursors can't climb: each is judged by the clock or by what was opened.
    failed = Failed(Refusal.PROTOCOL_ERROR)
    far = (world.state.epoch + 1) << 32
    assert world.ask(world.sign_in(ALICE_1, far)) == failed


def test_a_proven_restore_voids_one_time_prekeys_of_before(world: World) -> None:
    """I24: the lost future may have handed them out."""
    world.ask(PrekeysUpload(ALICE_1, REGISTRATION, ec_prekeys(1, 2), ()))
    world.now_ms += 60_000
    world.restart()
    world.ask(PrekeysUpload(BOB_1, REGISTRATION, ec_prekeys(1, 2), ()))
    world.connect(BOB_1, EPOCH << 32 | 5)
    held = world.expect(PrekeysHeld, PrekeysCount(ALICE_1))
    assert (held.ec_left, held.ec_highest) == (0, 2)
    assert world.expect(PrekeysHeld, PrekeysCount(BOB_1)).ec_left == 2
    assert world.state.void_below == EPOCH + 60
    bundle = world.expect(Bundles, PrekeysClaim(BOB_1, ALICE_1[:16])).bundles[0]
    assert bundle.one_time is None
    world.restart()
    assert world.expect(PrekeysHeld, PrekeysCount(ALICE_1)).ec_left == 0


def test_gaps_are_told_until_the_cursor_has_passed_them(world: World) -> None:
    """Rule 8: a lost AUTH_OK must not lose the word of what was lost."""
    first = world.read(BOB_1)[0]
    world.damaged.add((BOB_1, first.position))
    world.state.tails.clear()
    world.ask(InboxRead(BOB_1, 0, 10, 1 << 20))
    gap = Gap(first.position, first.position, GapReason.CORRUPT)
    assert world.connect(BOB_1, 0).gaps == (gap,)
    assert world.connect(BOB_1, 0).gaps == (gap,)
    assert world.connect(BOB_1, first.position).gaps == ()
    assert not proofs(world)


def test_damaged_mail_is_not_renumbered_but_said(world: World) -> None:
    """Moving an inbox reads it; what can't be read is reported to its sender."""
    second = world.read(BOB_1)[1]
    world.damaged.add((BOB_1, second.position))
    world.state.tails.clear()
    cursor = EPOCH << 32 | 9
    world.connect(BOB_1, cursor)
    assert world.quarantined == [(BOB_1, second.position)]
    assert len(places(world)) == 2
    assert chained(world, cursor)
    (report,) = world.read(ALICE_1)
    assert report.client_msg_id == second.client_msg_id


def test_a_huge_inbox_is_renumbered_as_far_as_memory_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """I15: what is beyond is dropped, and said by the next ticks."""
    assert MOVE_ENTRIES_MAX * 16_384 == 64 << 20
    for module in ("_connect", "_wanted"):
        monkeypatch.setattr(f"wigwag.server.core.{module}.MOVE_ENTRIES_MAX", 2)
    world = World()
    world.register(ALICE_1)
    world.register(BOB_1)
    for _ in range(3):
        world.sent()
    cursor = EPOCH << 32 | 9
    world.connect(BOB_1, cursor)
    assert len(places(world)) == 2
    assert world.head(BOB_1).doomed == EPOCH << 32 | 3
    assert len(world.inboxes[BOB_1]) == 3


def test_an_acknowledgement_goes_on_after_renumbering(world: World) -> None:
    """The marks follow the messages, whatever their positions."""
    cursor = (EPOCH + 1_000) << 32 | 7
    last = world.connect(BOB_1, cursor).last
    assert world.ask(Ack(BOB_1, REGISTRATION, last)) == Acked(last)
    mark = world.tables[rows.MARKS][CHAT + b"B" * 16]
    assert mark.pending == ()
    assert world.head(BOB_1).size == 0


def test_registering_anew_drops_what_only_the_lost_state_could_open(
    world: World,
) -> None:
    """R-REG-004: entries and one-time keys go, each sender is told."""
    ids = [one.client_msg_id for one in world.read(BOB_1)]
    world.ask(PrekeysUpload(BOB_1, REGISTRATION, ec_prekeys(1, 2), ()))
    answer = world.expect(Connected, ReRegister(BOB_1, 8, 2, signed_prekey(2)))
    first = EPOCH << 32 | 1
    assert answer.gaps == (Gap(1, first + 2, GapReason.REREGISTERED),)
    assert places(world) == []
    assert not world.inboxes[BOB_1]
    assert [one.client_msg_id for one in world.read(ALICE_1)] == ids
    held = world.expect(PrekeysHeld, PrekeysCount(BOB_1))
    assert (held.ec_left, held.ec_highest, held.signed_id) == (0, 2, 2)
    assert held.last_resort_id == 0
    assert not world.tables[rows.PAGES]


def test_repeating_a_new_registration_changes_nothing(world: World) -> None:
    """The answer was lost; mail that came since is not dropped again."""
    request = ReRegister(BOB_1, 8, 2, signed_prekey(2))
    world.ask(request)
    world.sent(envelope(BOB_1, registration=8))
    answer = world.expect(Connected, request)
    assert answer.gaps == ()
    assert len(places(world)) == 1
    later = ReRegister(BOB_1, 8, 5, signed_prekey(2))
    assert world.expect(Connected, later).acked == EPOCH << 32 | 3
    assert isinstance(world.ask(request), RolledBack)


def test_an_empty_inbox_has_nothing_to_say_about_a_new_registration() -> None:
    """No gap without entries."""
    world = World()
    world.register(BOB_1)
    answer = world.expect(Connected, ReRegister(BOB_1, 8, 2, signed_prekey(2)))
    assert answer.gaps == ()
    assert world.ask(ReRegister(b"Z" * 17, 8, 2, signed_prekey(2))) == Failed(
        Refusal.AUTH_FAILED
    )


def test_own_copies_are_reported_too_when_they_are_dropped(world: World) -> None:
    """The sending device can make its lost sibling another copy."""
    alice_2 = ALICE_1[:16] + b"\x02"
    world.add_device(alice_2)
    sent = world.sent(envelope(alice_2), envelope(BOB_1))
    world.ask(ReRegister(alice_2, 8, 2, signed_prekey(2)))
    for device in (ALICE_1, alice_2):
        (report,) = world.read(device)
        assert report.client_msg_id == sent.client_msg_id
        assert report.frame[-2] == UndeliveredReason.REREGISTERED


def test_the_time_of_a_sign_in_is_remembered(world: World) -> None:
    """Suspension counts from the last contact."""
    world.now_ms += DAY_MS
    world.connect(BOB_1, 0)
    assert world.head(BOB_1).contact_ms == world.now_ms


def test_a_second_proof_of_the_same_restore_voids_nothing_more(world: World) -> None:
    """Keys uploaded since are good, however many devices notice."""
    world.now_ms += 60_000
    world.restart()
    world.connect(BOB_1, EPOCH << 32 | 5)
    world.ask(PrekeysUpload(BOB_1, REGISTRATION, ec_prekeys(1, 2), ()))
    world.connect(ALICE_1, EPOCH << 32 | 5)
    assert len(proofs(world)) == 2
    assert world.changes.void_below == 0
    assert world.expect(PrekeysHeld, PrekeysCount(BOB_1)).ec_left == 2


def test_what_its_own_group_acknowledged_is_not_renumbered(world: World) -> None:
    """Rows were read for both before either was folded."""
    first = EPOCH << 32 | 1
    cursor = EPOCH << 32 | 9
    world.state.forget_everything()
    world.group(Ack(BOB_1, REGISTRATION, first), world.sign_in(BOB_1, cursor))
    assert len(places(world)) == 2
    assert chained(world, cursor)


def test_a_device_that_was_never_reachable_can_register_anew() -> None:
    """It is in no roster yet, and stays out until its last-resort key is there."""
    world = World()
    world.expect(Connected, register(BOB_1))
    world.expect(Connected, ReRegister(BOB_1, 8, 2, signed_prekey(2)))
    assert world.tables[rows.ROSTERS][BOB_1[:16]] == ()
    world.ask(PrekeysUpload(BOB_1, 8, ec_prekeys(1), ()))
    assert world.tables[rows.ROSTERS][BOB_1[:16]] == ()
