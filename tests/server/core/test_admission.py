"""Devices and quotas, judged on exact rows within the group."""

import pytest
from tests.server.core.world import (
    ALICE_1,
    ALICE_2,
    BOB,
    BOB_1,
    BOB_2,
    CAROL_1,
    NO_ID,
    REGISTRATION,
    World,
    envelope,
    signed_prekey,
)

from wigwag.server.core import (
    Ack,
    DeviceRef,
    DevicesStale,
    EngineLimits,
    Envelope,
    Refusal,
    Refused,
    ReRegister,
    Send,
    Sequenced,
    rows,
)
from wigwag.wire import suite1


@pytest.fixture
def world() -> World:
    """Alice with one device, Bob with two."""
    world = World()
    world.register(ALICE_1)
    world.register(BOB_1)
    world.add_device(BOB_2)
    return world


def stale(world: World, *envelopes: Envelope, **fields: object) -> DevicesStale:
    """Send and return how the devices differ."""
    fields.setdefault("users", (BOB,))
    answer = world.expect(Refused, world.send(*envelopes, **fields))
    assert answer.code is Refusal.DEVICES_STALE
    assert answer.devices is not None
    return answer.devices


def ref(device: bytes, registration: int = REGISTRATION) -> DeviceRef:
    """Name a device."""
    return DeviceRef(device[:16], device[16], registration)


def test_a_device_without_an_envelope_is_missing(world: World) -> None:
    """Every device of everybody gets its copy."""
    assert stale(world, envelope(BOB_1)) == DevicesStale((ref(BOB_2),), (), (), False)


def test_an_envelope_for_no_device_is_extra(world: World) -> None:
    """A removed device must not be encrypted to."""
    gone = BOB + b"\x05"
    found = stale(world, envelope(BOB_1), envelope(BOB_2), envelope(gone))
    assert found == DevicesStale((), (ref(gone),), (), False)


def test_an_envelope_for_an_older_registration_is_stale(world: World) -> None:
    """The device can't open it; the current registration is told."""
    world.ask(ReRegister(BOB_2, 8, 2, signed_prekey(2)))
    found = stale(world, envelope(BOB_1), envelope(BOB_2))
    assert found == DevicesStale((), (), (ref(BOB_2, 8),), False)


def test_own_other_devices_count_when_the_own_list_is_named(world: World) -> None:
    """Completeness is judged for the users named, never for the sending device."""
    world.add_device(ALICE_2)
    both = (envelope(BOB_1), envelope(BOB_2))
    assert isinstance(world.ask(world.send(*both)), Sequenced)
    found = stale(world, *both, users=(ALICE_1[:16], BOB))
    assert found == DevicesStale((ref(ALICE_2),), (), (), False)
    own = (envelope(ALICE_1), envelope(ALICE_2), *both)
    assert stale(world, *own, users=(ALICE_1[:16], BOB)).extra == (ref(ALICE_1),)
    whole = world.send(envelope(ALICE_2), *both)
    assert isinstance(world.ask(whole), Sequenced)


def test_an_envelope_for_a_user_who_is_not_named_is_extra(world: World) -> None:
    """The lists a SEND names are all it was encrypted for."""
    both = (envelope(BOB_1), envelope(BOB_2))
    assert stale(world, *both, envelope(CAROL_1)).extra == (ref(CAROL_1),)


def test_more_differences_than_fit_are_said_to_be_more(world: World) -> None:
    """The answer's arrays are bounded; the sender then fetches the lists."""
    world.tables[rows.ROSTERS][BOB] = tuple((n, REGISTRATION) for n in range(1, 70))
    world.state.forget_everything()
    found = stale(world, users=(BOB,), envelopes=())
    assert len(found.missing) == 64
    assert found.more


def test_nothing_is_stored_and_the_next_attempt_goes_through(world: World) -> None:
    """DEVICES_STALE is retryable: the id stays free."""
    one = world.id()
    stale(world, envelope(BOB_1), client_msg_id=one)
    answer = world.sent(envelope(BOB_1), envelope(BOB_2), client_msg_id=one, attempt=2)
    assert answer.attempt == 2


def small() -> World:
    """A world in which little is too much."""
    world = World(EngineLimits(device_bytes_max=3_000, sender_bytes_max=1_500))
    world.register(ALICE_1)
    world.register(BOB_1)
    world.register(CAROL_1)
    return world


def from_carol(world: World, size: int) -> Send:
    """Make a SEND from Carol to Bob."""
    return world.send(
        envelope(BOB_1, b"c" * size),
        sender=CAROL_1,
        chat=suite1.direct_chat_id(CAROL_1[:16], BOB),
    )


def test_one_account_can_not_fill_a_strangers_inbox() -> None:
    """Quota refuses new mail of that sender; others still get through."""
    world = small()
    world.sent(envelope(BOB_1, b"a" * 1_000))
    full = world.expect(Refused, world.send(envelope(BOB_1, b"a" * 600)))
    assert full.code is Refusal.RECIPIENT_FULL
    assert isinstance(world.ask(from_carol(world, 600)), Sequenced)


def test_acknowledging_makes_room_again() -> None:
    """What was refused is retryable, so it must become possible."""
    world = small()
    world.sent(envelope(BOB_1, b"a" * 1_000))
    world.ask(from_carol(world, 600))
    again = world.id()
    refused = world.expect(
        Refused, world.send(envelope(BOB_1, b"a" * 600), client_msg_id=again)
    )
    assert refused.code is Refusal.RECIPIENT_FULL
    first = world.read(BOB_1)[0]
    world.ask(Ack(BOB_1, REGISTRATION, first.position))
    world.sent(envelope(BOB_1, b"a" * 600), client_msg_id=again)


def test_a_full_inbox_takes_nothing_from_anybody() -> None:
    """The device's bound holds over all senders together."""
    world = small()
    world.sent(envelope(BOB_1, b"a" * 1_300))
    world.ask(from_carol(world, 1_200))
    refused = world.expect(Refused, from_carol(world, 300))
    assert refused.code is Refusal.RECIPIENT_FULL


def test_shares_are_counted_while_an_inbox_is_large() -> None:
    """Bytes in and out by sender, also across groups, in memory and read again."""
    for is_forgetful in (False, True):
        world = small()
        world.is_forgetful = is_forgetful
        world.sent(envelope(BOB_1, b"a" * 600))
        world.ask(from_carol(world, 600))
        world.sent(envelope(BOB_1, b"a" * 500))
        refused = world.expect(Refused, world.send(envelope(BOB_1, b"a" * 500)))
        assert refused.code is Refusal.RECIPIENT_FULL
        first, second, *_ = world.read(BOB_1)
        world.ask(Ack(BOB_1, REGISTRATION, second.position))
        assert world.head(BOB_1).size < 1_500
        world.sent(envelope(BOB_1, b"a" * 500))
        assert first.sender == ALICE_1


def test_an_own_copy_is_not_bound_by_the_share_of_one_account() -> None:
    """A second device that is off for long must not silence the first."""
    world = small()
    world.add_device(ALICE_2)
    for _ in range(2):
        world.sent(envelope(ALICE_2, b"a" * 1_000), envelope(BOB_1, b"a"))
    refused = world.expect(
        Refused, world.send(envelope(ALICE_2, b"a" * 1_000), envelope(BOB_1, b"a"))
    )
    assert refused.code is Refusal.RECIPIENT_FULL


def test_admission_comes_before_order(world: World) -> None:
    """As in the model: devices first, so that one refusal names what to repair."""
    world.sent(envelope(BOB_1), envelope(BOB_2))
    assert stale(world, envelope(BOB_1), after=NO_ID).missing == (ref(BOB_2),)
