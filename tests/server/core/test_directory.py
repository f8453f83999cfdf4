"""Registration, invites, names, device lists."""

from typing import Any

import pytest
from tests.server.core.world import (
    ALICE,
    ALICE_1,
    BOB,
    BOB_1,
    BOB_2,
    CAROL_1,
    EPOCH,
    NO_ID,
    REGISTRATION,
    World,
    ec_prekeys,
    envelope,
    kem_prekeys,
    register,
)

from wigwag.server.core import (
    Ack,
    Bundles,
    Connected,
    DeviceListGet,
    DeviceListPublish,
    DeviceListPublished,
    DeviceLists,
    DeviceLookup,
    Dropped,
    Failed,
    InviteCreate,
    InviteCreated,
    PrekeysClaim,
    PrekeysCount,
    PrekeysUpload,
    ProofUse,
    Refusal,
    Revoked,
    RolledBack,
    SignedList,
    UndeliveredReason,
    Username,
    UsernameClaim,
    UsernameOf,
    UsernameResolve,
    rows,
)

CODE = b"c" * 32
REFUSED = Failed(Refusal.PROOF_REFUSED)


@pytest.fixture(params=[False, True], ids=["remembering", "forgetful"])
def world(request: pytest.FixtureRequest) -> World:
    """An empty server, with and without a cache."""
    return World(is_forgetful=request.param)


def test_registration_signs_the_device_in(world: World) -> None:
    """AUTH_OK is its answer."""
    answer = world.ask(register(ALICE_1))
    assert answer == Connected(0, 0, NO_ID, 0, 0, 0, 1, ())


def test_an_invite_is_used_up(world: World) -> None:
    """Uses and expiry bound who can come in."""
    expires = world.now_ms + 1_000
    created = world.ask(InviteCreate(CODE, 2, expires))
    assert created == InviteCreated(expires)
    devices = [bytes((n,)) * 16 + b"\x01" for n in (1, 2, 3)]
    answers = [world.ask(register(one, invite=CODE)) for one in devices]
    assert [type(one) for one in answers] == [Connected, Connected, Failed]
    assert answers[2] == REFUSED
    assert world.ask(register(devices[2], invite=b"x" * 32)) == REFUSED


def test_an_expired_invite_is_refused(world: World) -> None:
    """Expiry is judged by the record's time."""
    world.ask(InviteCreate(CODE, 9, world.now_ms + 1_000))
    world.now_ms += 999
    assert isinstance(world.ask(register(ALICE_1, invite=CODE)), Connected)
    world.now_ms += 1
    assert world.ask(register(BOB_1, invite=CODE)) == REFUSED


def test_a_proof_that_is_used_once_is_used_up_until_its_end(world: World) -> None:
    """R-REG-008: whoever saw a token on its way can do nothing with it."""
    once = ProofUse(CODE, world.now_ms, world.now_ms + 1_000)
    assert isinstance(world.ask(register(ALICE_1, once=once)), Connected)
    assert world.ask(register(BOB_1, once=once)) == REFUSED
    # The row is gone at the earliest when the token's time is over.
    world.now_ms += 1_000
    world.tables[rows.INVITES].pop(CODE)
    world.state.forget_everything()
    assert world.ask(register(BOB_1, once=once)) == REFUSED
    assert BOB not in world.tables[rows.ACCOUNTS]


@pytest.mark.parametrize(
    ("apart_ms", "is_taken"),
    [(-1, False), (0, True), (999, True), (1_000, False)],
)
def test_a_proof_is_good_in_its_time_alone(
    world: World, apart_ms: int, is_taken: bool
) -> None:
    """By the record's time: first and last millisecond, and those beside them."""
    once = ProofUse(CODE, world.now_ms + 5_000, world.now_ms + 6_000)
    world.now_ms += 5_000 + apart_ms
    answer = world.ask(register(ALICE_1, once=once))
    assert isinstance(answer, Connected) == is_taken
    assert (CODE in world.tables[rows.INVITES]) == is_taken


def test_a_used_proof_of_an_equal_registration_is_not_asked_for(world: World) -> None:
    """R-REG-002: the answer was lost, and the token has ended meanwhile."""
    once = ProofUse(CODE, world.now_ms, world.now_ms + 1_000)
    request = register(ALICE_1, once=once)
    first = world.ask(request)
    world.now_ms += 5_000
    assert world.ask(request) == first


def test_a_used_proof_invites_nobody(world: World) -> None:
    """Tokens and invites are kept in one table; neither stands for the other."""
    once = ProofUse(CODE, world.now_ms, world.now_ms + 1_000)
    world.ask(register(ALICE_1, once=once))
    assert world.ask(register(BOB_1, invite=CODE)) == REFUSED


def test_an_equal_registration_gets_the_equal_answer(world: World) -> None:
    """R-REG-002: the answer was lost; the used invite is not asked for again."""
    world.ask(InviteCreate(CODE, 1, world.now_ms + 1_000))
    request = register(ALICE_1, invite=CODE)
    assert world.ask(request) == world.ask(request)
    assert world.tables[rows.INVITES][CODE].uses_left == 0


def test_an_account_id_is_taken_once(world: World) -> None:
    """Another body for the same id is another person."""
    world.ask(register(ALICE_1))
    assert world.ask(register(ALICE_1, digest=b"e" * 32)) == Failed(Refusal.ID_TAKEN)


def test_an_old_registration_body_can_not_sign_in_later(world: World) -> None:
    """The device has connected since: whoever replays it is an old copy."""
    request = register(ALICE_1)
    world.ask(request)
    world.connect(ALICE_1, 0)
    assert isinstance(world.ask(request), RolledBack)


def test_two_requests_for_one_invite_in_one_group(world: World) -> None:
    """The second is judged on what the first left."""
    world.ask(InviteCreate(CODE, 1, world.now_ms + 1_000))
    first, second = world.group(
        register(ALICE_1, invite=CODE), register(BOB_1, invite=CODE)
    )
    assert isinstance(first, Connected)
    assert second == REFUSED


def test_a_name_belongs_to_one_account_for_good(world: World) -> None:
    """R-NAME-002."""
    for device in (ALICE_1, BOB_1):
        world.register(device)
    assert world.ask(UsernameClaim(ALICE, "alice")) == Username(ALICE, "alice")
    assert world.ask(UsernameClaim(ALICE, "alice")) == Username(ALICE, "alice")
    assert world.ask(UsernameClaim(BOB, "alice")) == Failed(Refusal.NAME_TAKEN)
    assert world.ask(UsernameClaim(ALICE, "alicia")) == Failed(Refusal.QUOTA)
    assert world.ask(UsernameClaim(BOB, "bob")) == Username(BOB, "bob")


def test_names_are_found_both_ways(world: World) -> None:
    """R-NAME-003."""
    world.register(ALICE_1)
    missing = Failed(Refusal.NOT_FOUND)
    assert world.ask(UsernameOf(ALICE)) == missing
    world.ask(UsernameClaim(ALICE, "alice"))
    assert world.ask(UsernameResolve("alice")) == Username(ALICE, "alice")
    assert world.ask(UsernameOf(ALICE)) == Username(ALICE, "alice")
    assert world.ask(UsernameResolve("bob")) == missing
    assert world.ask(UsernameOf(BOB)) == missing


def publish(world: World, seq: int, *numbers: int, **fields: object) -> object:
    """Publish Bob's next list."""
    values: dict[str, Any] = {
        "prev_hash": str(seq - 1).encode() * 32,
        "list_hash": str(seq).encode() * 32,
        "blob": f"list {seq}".encode(),
        "signature": b"l" * 64,
        "numbers": numbers,
    }
    values.update(fields)
    return world.ask(DeviceListPublish(BOB_1, seq, **values))


@pytest.fixture
def household(world: World) -> World:
    """Alice, and Bob with two devices."""
    world.register(ALICE_1)
    world.register(BOB_1)
    world.add_device(BOB_2)
    return world


def test_lists_form_a_chain(household: World) -> None:
    """R-LIST-001: one above the newest, with its hash; repeating it succeeds."""
    conflict = Failed(Refusal.CONFLICT)
    assert publish(household, 3, 1, 2) == conflict
    assert publish(household, 2, 1, 2, prev_hash=b"x" * 32) == conflict
    assert publish(household, 2, 1, 2) == DeviceListPublished(2)
    assert publish(household, 2, 1, 2) == DeviceListPublished(2)
    assert publish(household, 2, 1, 2, blob=b"other") == conflict
    assert publish(household, 3, 1, 2) == DeviceListPublished(3)


def test_an_account_has_eight_devices_at_most(household: World) -> None:
    """Each costs every sender an envelope."""
    assert publish(household, 2, *range(1, 10)) == Failed(Refusal.QUOTA)
    assert publish(household, 2, *range(1, 9)) == DeviceListPublished(2)


def test_a_device_left_out_is_revoked(household: World) -> None:
    """Queue, keys and sessions end with the record; its senders are told."""
    world = household
    world.ask(PrekeysUpload(BOB_2, REGISTRATION, ec_prekeys(1, 2), kem_prekeys(2, 3)))
    sent = world.sent(envelope(BOB_1), envelope(BOB_2))
    world.expect(DeviceListPublished, _next_list(1))
    assert Revoked(BOB_2) in world.events
    assert not world.inboxes[BOB_2]
    assert not world.tables[rows.PAGES]
    assert world.ask(DeviceLookup(BOB_2)) == Failed(Refusal.AUTH_FAILED)
    assert world.ask(world.sign_in(BOB_2, 0)) == Failed(Refusal.AUTH_FAILED)
    assert isinstance(world.ask(PrekeysCount(BOB_2)), Dropped)
    assert isinstance(world.ask(Ack(BOB_2, REGISTRATION, 1)), Dropped)
    (report,) = world.read(ALICE_1)
    assert report.client_msg_id == sent.client_msg_id
    assert report.frame[-3:-1] == bytes((2, UndeliveredReason.DEVICE_GONE))
    bundles = world.expect(Bundles, PrekeysClaim(ALICE_1, BOB))
    assert [one.device for one in bundles.bundles] == [1]
    world.sent(envelope(BOB_1))


def _next_list(*numbers: int) -> DeviceListPublish:
    return DeviceListPublish(
        BOB_1, 2, b"1" * 32, b"2" * 32, b"list 2", b"l" * 64, numbers
    )


def test_the_account_of_a_revoked_device_can_not_register_with_it(
    household: World,
) -> None:
    """Device numbers are never used again."""
    world = household
    account = world.tables[rows.ACCOUNTS][BOB]
    world.expect(DeviceListPublished, _next_list(1))
    again = register(BOB_2, digest=account.digest)
    assert world.ask(again) == Failed(Refusal.AUTH_FAILED)


def test_a_revoked_device_that_was_never_reachable(household: World) -> None:
    """It is in no roster; revoking it is still whole."""
    world = household
    roster = world.tables[rows.ROSTERS]
    roster[BOB] = ((1, REGISTRATION),)
    world.state.forget_everything()
    world.expect(DeviceListPublished, _next_list(1))
    assert roster[BOB] == ((1, REGISTRATION),)


def test_lists_are_fetched_oldest_first_in_portions(household: World) -> None:
    """R-LIST-003: above 0 every later one, 0 the newest alone."""
    for seq in range(2, 20):
        assert publish(household, seq, 1, 2) == DeviceListPublished(seq)
    newest = household.expect(DeviceLists, DeviceListGet(ALICE, BOB, 0))
    assert newest.lists == (SignedList(19, b"list 19", b"l" * 64),)
    assert newest.account_key == b"a" * 32
    assert not newest.more
    found = household.expect(DeviceLists, DeviceListGet(ALICE, BOB, 1))
    assert [one.seq for one in found.lists] == list(range(2, 18))
    assert found.more
    rest = household.expect(DeviceLists, DeviceListGet(ALICE, BOB, 17))
    assert [one.seq for one in rest.lists] == [18, 19]
    assert not rest.more
    for above in (19, 2**64 - 1):
        none = household.expect(DeviceLists, DeviceListGet(ALICE, BOB, above))
        assert none.lists == ()


def test_an_account_that_none_can_reach_is_found_by_itself_only(
    world: World,
) -> None:
    """A device is neither listed nor claimable before its last-resort key is there."""
    world.ask(register(BOB_1))
    world.register(ALICE_1)
    missing = Failed(Refusal.NOT_FOUND)
    assert world.ask(DeviceListGet(ALICE, BOB, 0)) == missing
    assert world.ask(DeviceListGet(ALICE, b"Z" * 16, 0)) == missing
    assert world.ask(PrekeysClaim(ALICE_1, BOB)) == missing
    assert isinstance(world.ask(DeviceListGet(BOB, BOB, 0)), DeviceLists)


def test_a_huge_inbox_of_a_revoked_device_goes_in_portions(
    household: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One record drops a portion; the rest is doomed: unread, reported later."""
    for module in ("_inbox_drop", "_wanted"):
        monkeypatch.setattr(f"wigwag.server.core.{module}.DROP_ENTRIES_MAX", 2)
    world = household
    for _ in range(3):
        world.sent(envelope(BOB_1), envelope(BOB_2))
    world.expect(DeviceListPublished, _next_list(1))
    assert world.head(BOB_2).doomed == EPOCH << 32 | 3
    assert len(world.inboxes[BOB_2]) == 1
    assert len(world.read(ALICE_1)) == 2
    assert CAROL_1 not in world.inboxes
