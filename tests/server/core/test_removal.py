"""Deleting an account, and what a removed device can still do: nothing."""

import pytest
from tests.server.core.world import (
    ALICE,
    ALICE_1,
    BOB,
    BOB_1,
    BOB_2,
    CAROL,
    CAROL_1,
    CHAT,
    DAY_MS,
    REGISTRATION,
    World,
    ec_prekeys,
    envelope,
    kem_prekeys,
    register,
    signed_prekey,
)

from wigwag.server.core import (
    NAME_HOLD_DAYS,
    AccountDelete,
    AccountDeleted,
    AccountFound,
    AccountLookup,
    Ack,
    Bundles,
    Device,
    DeviceListGet,
    DeviceListPublish,
    DeviceListPublished,
    DeviceLookup,
    Doomed,
    Dropped,
    Entries,
    Failed,
    InboxRead,
    Mark,
    Marks,
    PrekeysClaim,
    PrekeysUpload,
    ReceiptMoved,
    ReceiptsGet,
    Refusal,
    Refused,
    ReRegister,
    Revoked,
    Tick,
    Ticked,
    UndeliveredReason,
    Username,
    UsernameClaim,
    UsernameOf,
    UsernameResolve,
    rows,
)
from wigwag.wire import LIMITS, suite1

KEY = b"a" * 32
NOT_FOUND = Failed(Refusal.NOT_FOUND)
AUTH_FAILED = Failed(Refusal.AUTH_FAILED)
DELETE_BOB = AccountDelete(BOB, KEY)
GONE_TABLES = (
    *(rows.ACCOUNTS, rows.DEVICES, rows.SENDERS, rows.HEADS, rows.ROSTERS),
    *(rows.PREKEYS, rows.PAGES, rows.LISTS, rows.OPENED),
)


@pytest.fixture(params=[False, True], ids=["remembering", "forgetful"])
def world(request: pytest.FixtureRequest) -> World:
    """Alice, and Bob with two devices; each has a name."""
    world = World(is_forgetful=request.param)
    world.register(ALICE_1)
    world.register(BOB_1)
    world.add_device(BOB_2)
    world.ask(UsernameClaim(ALICE, "alice"))
    world.ask(UsernameClaim(BOB, "bob"))
    world.events.clear()
    return world


def publish(device: Device, *numbers: int) -> DeviceListPublish:
    """Make an account's second list."""
    return DeviceListPublish(
        device, 2, b"1" * 32, b"2" * 32, b"list 2", b"l" * 64, numbers
    )


def test_the_bound_is_that_of_the_specification() -> None:
    """The folds may not know the wire; this holds the two together."""
    assert LIMITS["name_hold_days"].value == NAME_HOLD_DAYS


def test_nothing_of_a_deleted_account_is_left_but_its_id_and_key(world: World) -> None:
    """R-ACCOUNT-004: keys, lists and inboxes go with the record."""
    world.ask(PrekeysUpload(BOB_2, REGISTRATION, ec_prekeys(1, 2), kem_prekeys(2, 3)))
    world.sent(envelope(ALICE_1), envelope(BOB_2), sender=BOB_1)
    world.sent(envelope(BOB_1), envelope(BOB_2))
    assert world.tables[rows.OPENED] == {BOB: 1}
    assert world.ask(DELETE_BOB) == AccountDeleted(world.now_ms)
    for table in GONE_TABLES:
        left = [key for key in world.tables[table] if key[:16] == BOB]
        assert not left, table
    assert world.tables[rows.DELETED] == {BOB: rows.DeletedRow(KEY, world.now_ms)}
    assert world.changes.purged == [BOB]
    assert not world.inboxes[BOB_1]
    assert not world.inboxes[BOB_2]
    assert world.tables[rows.ACCOUNTS].keys() == {ALICE}


def test_the_sessions_of_all_devices_end(world: World) -> None:
    """R-ACCOUNT-005."""
    world.ask(DELETE_BOB)
    assert world.events == [Revoked(BOB_1), Revoked(BOB_2)]


def test_the_sender_is_told_what_was_not_delivered(world: World) -> None:
    """UNDELIVERED for each device, and the delivered mark passes the message."""
    sent = world.sent(envelope(BOB_1), envelope(BOB_2))
    world.ask(DELETE_BOB)
    reports = world.read(ALICE_1)
    assert [one.client_msg_id for one in reports] == [sent.client_msg_id] * 2
    assert [one.frame[-3:-1] for one in reports] == [
        bytes((number, UndeliveredReason.DEVICE_GONE)) for number in (1, 2)
    ]
    marks = world.expect(Marks, ReceiptsGet(ALICE, (CHAT,)))
    assert marks == Marks((Mark(CHAT, BOB, sent.chat_seq),))


def test_what_he_had_sent_is_delivered(world: World) -> None:
    """SEQUENCED is a promise to the reader too."""
    for device in (BOB_1, BOB_2):
        registered = world.sent(
            envelope(ALICE_1),
            envelope(BOB_2 if device == BOB_1 else BOB_1),
            sender=device,
            users=(ALICE, BOB),
        )
        assert registered.chat_seq
    world.ask(DELETE_BOB)
    assert len(world.read(ALICE_1)) == 2


def test_a_deleted_account_is_answered_for_as_one_that_never_was(world: World) -> None:
    """NOT_FOUND and AUTH_FAILED, exactly as for an unknown id."""
    world.sent(envelope(BOB_1), envelope(BOB_2))
    claim = PrekeysClaim(ALICE_1, BOB)
    assert isinstance(world.ask(claim), Bundles)
    world.ask(DELETE_BOB)
    sent = world.send(envelope(BOB_1), envelope(BOB_2))
    unknown = world.send(
        envelope(CAROL_1), chat=suite1.direct_chat_id(ALICE, CAROL), users=(CAROL,)
    )
    assert world.ask(sent) == Refused(sent.client_msg_id, 1, Refusal.NOT_FOUND)
    assert world.ask(unknown) == Refused(unknown.client_msg_id, 1, Refusal.NOT_FOUND)
    for request in (
        claim,
        DeviceListGet(ALICE, BOB, 0),
        DeviceListGet(BOB, BOB, 0),
        UsernameResolve("bob"),
        UsernameOf(BOB),
    ):
        assert world.ask(request) == NOT_FOUND
    for device in (BOB_1, BOB_2):
        assert world.ask(DeviceLookup(device)) == AUTH_FAILED


def test_deleting_again_gets_the_first_answer(world: World) -> None:
    """R-ACCOUNT-003: the answer was lost; the time says it was the same deletion."""
    first = world.ask(DELETE_BOB)
    world.now_ms += 60_000
    assert world.ask(AccountLookup(BOB)) == AccountFound(KEY)
    assert world.ask(DELETE_BOB) == first
    assert world.changes.is_empty()


def test_two_deletions_in_one_group_are_one(world: World) -> None:
    """The second is judged on what the first left."""
    first, second = world.group(DELETE_BOB, DELETE_BOB)
    assert first == second == AccountDeleted(world.now_ms)
    assert world.changes.purged == [BOB]


def test_only_the_account_key_deletes(world: World) -> None:
    """R-ACCOUNT-002, before the deletion and after it."""
    other = AccountDelete(BOB, b"x" * 32)
    assert world.ask(other) == AUTH_FAILED
    assert world.ask(AccountDelete(CAROL, KEY)) == AUTH_FAILED
    assert world.ask(AccountLookup(CAROL)) == AUTH_FAILED
    assert world.ask(AccountLookup(BOB)) == AccountFound(KEY)
    assert isinstance(world.ask(DELETE_BOB), AccountDeleted)
    assert world.ask(other) == AUTH_FAILED


def test_the_id_never_comes_back(world: World) -> None:
    """Peers have pinned its key and know its device numbers."""
    world.ask(DELETE_BOB)
    world.now_ms += 400 * DAY_MS
    assert world.ask(register(BOB_1)) == AUTH_FAILED
    other = register(BOB_1, account_key=b"b" * 32)
    assert world.ask(other) == Failed(Refusal.ID_TAKEN)


def test_a_name_is_held_before_somebody_else_may_have_it(world: World) -> None:
    """name_hold_days, 32: nobody is taken for him while mail may still come."""
    world.ask(DELETE_BOB)
    world.register(CAROL_1)
    claim = UsernameClaim(CAROL, "bob")
    world.now_ms += NAME_HOLD_DAYS * DAY_MS - 1
    assert world.ask(claim) == Failed(Refusal.NAME_TAKEN)
    world.now_ms += 1
    assert world.ask(claim) == Username(CAROL, "bob")
    assert world.ask(UsernameResolve("bob")) == Username(CAROL, "bob")
    assert world.ask(claim) == Username(CAROL, "bob")


def test_a_device_may_take_itself_out(world: World) -> None:
    """R-LIST-005: signing out for good."""
    assert world.ask(publish(BOB_1, 2)) == DeviceListPublished(2)
    assert world.events == [Revoked(BOB_1)]
    assert world.ask(DeviceLookup(BOB_1)) == AUTH_FAILED
    world.sent(envelope(BOB_2))


def test_the_last_list_may_name_no_device(world: World) -> None:
    """The account stays, out of reach; its key can still delete it."""
    assert world.ask(publish(BOB_1)) == DeviceListPublished(2)
    assert world.tables[rows.ACCOUNTS][BOB].numbers == ()
    assert world.ask(DeviceListGet(ALICE, BOB, 0)) == NOT_FOUND
    sent = world.send(envelope(BOB_1))
    assert world.ask(sent) == Refused(sent.client_msg_id, 1, Refusal.NOT_FOUND)
    assert world.ask(UsernameResolve("bob")) == Username(BOB, "bob")
    assert world.ask(DELETE_BOB) == AccountDeleted(world.now_ms)
    assert world.changes.purged == [BOB]


@pytest.mark.parametrize("is_deleted", [False, True], ids=["removed", "deleted"])
def test_what_a_removed_device_asked_after_the_record_has_no_effect(
    world: World, *, is_deleted: bool
) -> None:
    """I14: its requests may be in the same group; no row changes for them."""
    world.ask(PrekeysUpload(ALICE_1, REGISTRATION, ec_prekeys(1), kem_prekeys(2)))
    world.sent(envelope(BOB_1), envelope(BOB_2))
    removal = DELETE_BOB if is_deleted else publish(BOB_1, 1)
    world.ask(removal)
    world.events.clear()
    before = {table: dict(world.tables[table]) for table in rows.TABLES}
    late = (
        UsernameClaim(BOB, "robert", 2),
        DeviceListPublish(BOB_2, 3, b"2" * 32, b"3" * 32, b"list 3", b"l" * 64, (1, 2)),
        PrekeysClaim(BOB_2, ALICE),
        PrekeysUpload(BOB_2, REGISTRATION, ec_prekeys(9), ()),
        world.send(envelope(ALICE_1), sender=BOB_2, users=(ALICE,)),
        Ack(BOB_2, REGISTRATION, 1),
    )
    answers = world.group(*late)
    assert [type(one) for one in answers] == [Dropped] * len(late)
    assert world.ask(ReRegister(BOB_2, 9, 9, signed_prekey(2))) == (AUTH_FAILED)
    read = world.expect(Entries, InboxRead(BOB_2, 0, 9, 1 << 20))
    assert not read.entries
    assert {table: dict(world.tables[table]) for table in rows.TABLES} == before
    assert not world.events


def test_a_huge_inbox_is_told_of_in_portions_and_then_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One record reports a portion; ticks, called for at once, tell the rest."""
    for module in ("_inbox_drop", "_wanted"):
        monkeypatch.setattr(f"wigwag.server.core.{module}.DROP_ENTRIES_MAX", 2)
    for _ in range(5):
        world.sent(envelope(BOB_1), envelope(BOB_2))
    world.ask(DELETE_BOB)
    events = [one for one in world.events if not isinstance(one, ReceiptMoved)]
    assert events == [
        Doomed(BOB_1),
        Revoked(BOB_1),
        Doomed(BOB_2),
        Revoked(BOB_2),
    ]
    assert len(world.read(ALICE_1)) == 4
    assert {BOB_1, BOB_2} <= world.tables[rows.HEADS].keys()
    after: Device | None = b""
    for _ in range(20):
        if after is None:
            break
        after = world.expect(Ticked, Tick(after=after)).after
    assert after is None
    assert len(world.read(ALICE_1)) == 10
    assert not world.inboxes[BOB_1]
    assert not world.inboxes[BOB_2]
    assert world.tables[rows.HEADS].keys() == {ALICE_1}
