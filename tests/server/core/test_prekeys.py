"""The prekey directory: ids that rise, keys handed out once, fallbacks."""

from typing import Any

import pytest
from tests.server.core.world import (
    ALICE_1,
    ALICE_2,
    BOB,
    BOB_1,
    BOB_2,
    REGISTRATION,
    World,
    ec_prekeys,
    kem_prekeys,
    last_resort,
    signed_prekey,
)

from wigwag.server.core import (
    Bundles,
    DeviceBundle,
    Dropped,
    EcPrekey,
    Failed,
    PrekeysClaim,
    PrekeysCount,
    PrekeysHeld,
    PrekeysLow,
    PrekeysUpload,
    Refusal,
    ReRegister,
    rows,
)
from wigwag.server.core._limits import PREKEYS_MAX


@pytest.fixture(params=[False, True], ids=["remembering", "forgetful"])
def world(request: pytest.FixtureRequest) -> World:
    """Alice asks for Bob's keys."""
    world = World(is_forgetful=request.param)
    world.register(ALICE_1)
    world.register(BOB_1)
    return world


def give(world: World, *ids: int, **fields: object) -> PrekeysHeld:
    """Upload one-time keys of both kinds with these ids for Bob."""
    values: dict[str, Any] = {"one_time": ec_prekeys(*ids), "kem": kem_prekeys(*ids)}
    values.update(fields)
    return world.expect(PrekeysHeld, PrekeysUpload(BOB_1, REGISTRATION, **values))


def claim(world: World, *, one_time: bool = True) -> DeviceBundle:
    """Claim a bundle of Bob's first device."""
    request = PrekeysClaim(ALICE_1, BOB, one_time)
    return world.expect(Bundles, request).bundles[0]


def test_each_one_time_key_is_handed_out_once(world: World) -> None:
    """I24: over page borders, groups and restarts."""
    give(world, 2, 3)
    give(world, 4)
    seen = [claim(world), claim(world)]
    world.restart()
    seen.append(claim(world))
    assert [one.one_time and one.one_time.id for one in seen] == [2, 3, 4]
    assert [one.kem.id for one in seen] == [2, 3, 4]
    assert [one.kem.last_resort for one in seen] == [False] * 3
    assert not world.tables[rows.PAGES]


def test_two_claims_of_one_group_get_different_keys(world: World) -> None:
    """The second is folded on what the first left, also over a page's end."""
    give(world, 2)
    give(world, 3)
    request = PrekeysClaim(ALICE_1, BOB)
    answers = world.group(request, request, request)
    keys = [one.bundles[0].one_time for one in answers if isinstance(one, Bundles)]
    assert [key and key.id for key in keys] == [2, 3, None]


def test_exhaustion_is_not_an_error(world: World) -> None:
    """R-KEYS-004: the signed prekey and the last-resort key remain."""
    bundle = claim(world)
    assert bundle.one_time is None
    assert bundle.kem == last_resort(1)
    assert bundle.signed_prekey == signed_prekey(1)
    assert bundle.registration_id == REGISTRATION


def test_over_its_bucket_a_requester_uses_nothing_up(world: World) -> None:
    """A10: nobody can drain a victim's keys."""
    give(world, 2)
    bundle = claim(world, one_time=False)
    assert (bundle.one_time, bundle.kem) == (None, last_resort(1))
    assert world.expect(PrekeysHeld, PrekeysCount(BOB_1)).ec_left == 1


def test_ids_rise_or_add_nothing(world: World) -> None:
    """R-KEYS-001: a repeated upload succeeds and changes nothing."""
    assert give(world, 2, 3) == PrekeysHeld(2, 2, 3, 3, 1, 1)
    assert give(world, 2, 3) == PrekeysHeld(2, 2, 3, 3, 1, 1)
    assert give(world, 3, 4) == PrekeysHeld(3, 3, 4, 4, 1, 1)
    claim(world)
    assert give(world, 2, 3, 4) == PrekeysHeld(2, 2, 4, 4, 1, 1)


def test_lasting_keys_are_replaced_by_newer_ones_only(world: World) -> None:
    """An old upload that arrives late must not bring an old key back."""
    renewed = give(world, signed=signed_prekey(5), last_resort=last_resort(6))
    assert (renewed.signed_id, renewed.last_resort_id) == (5, 6)
    assert renewed.kem_highest == 6
    late = give(world, signed=signed_prekey(4), last_resort=last_resort(5))
    assert (late.signed_id, late.last_resort_id) == (5, 6)
    bundle = claim(world)
    assert (bundle.signed_prekey.id, bundle.kem.id) == (5, 6)


def test_one_upload_may_hold_both_kinds_of_kem_keys(world: World) -> None:
    """Their ids rise together; which comes first in the upload doesn't matter."""
    held = give(world, 2, 3, last_resort=last_resort(4))
    assert (held.kem_left, held.kem_highest, held.last_resort_id) == (2, 4, 4)
    low = give(world, 6, 7, last_resort=last_resort(5))
    assert (low.kem_left, low.kem_highest, low.last_resort_id) == (4, 7, 5)


def test_unclaimed_keys_are_bounded(world: World) -> None:
    """A client in a loop must not fill the disk."""
    keys = tuple(EcPrekey(n, b"k" * 32) for n in range(2, 402))
    assert len(keys) == PREKEYS_MAX
    assert give(world, one_time=keys, kem=()).ec_left == PREKEYS_MAX
    one_more = PrekeysUpload(BOB_1, REGISTRATION, (EcPrekey(999, b"k" * 32),), ())
    assert world.ask(one_more) == Failed(Refusal.QUOTA)
    kem = tuple(
        kem_prekeys(1)[0].__class__(n, b"k" * 1568, b"s" * 64) for n in range(2, 403)
    )
    too_many = PrekeysUpload(BOB_1, REGISTRATION, (), kem)
    assert world.ask(too_many) == Failed(Refusal.QUOTA)


def test_a_device_is_told_when_few_keys_are_left(world: World) -> None:
    """R-KEYS-006: it uploads more before they are gone."""
    give(world, *range(2, 23))
    claim(world)
    assert not world.events
    claim(world)
    assert world.events == [PrekeysLow(BOB_1, 19, 19)]


def test_an_old_registrations_keys_are_not_taken(world: World) -> None:
    """Their signatures name what is gone."""
    upload = PrekeysUpload(BOB_1, 6, ec_prekeys(5), ())
    assert isinstance(world.ask(upload), Dropped)
    stranger = PrekeysUpload(b"Z" * 17, 6, ec_prekeys(5), ())
    assert isinstance(world.ask(stranger), Dropped)


def test_a_reborn_device_is_claimable_once_its_last_resort_key_is_there(
    world: World,
) -> None:
    """In between it is listed, so that senders wait instead of leaving it out."""
    world.ask(ReRegister(BOB_1, 8, 2, signed_prekey(2)))
    assert world.expect(Bundles, PrekeysClaim(ALICE_1, BOB)).bundles == ()
    world.expect(PrekeysHeld, PrekeysUpload(BOB_1, 8, (), (), None, last_resort(9)))
    assert claim(world).registration_id == 8


def test_a_device_claims_its_siblings_but_not_itself(world: World) -> None:
    """Own copies need sessions too."""
    world.add_device(ALICE_2)
    answer = world.expect(Bundles, PrekeysClaim(ALICE_1, ALICE_1[:16]))
    assert [one.device for one in answer.bundles] == [2]


def test_bundles_come_by_rising_number(world: World) -> None:
    """The wire's array is sorted."""
    world.add_device(BOB_2)
    answer = world.expect(Bundles, PrekeysClaim(ALICE_1, BOB))
    assert [one.device for one in answer.bundles] == [1, 2]
    assert answer.list_seq == 1


def test_a_void_page_is_forgotten_and_its_index_with_it(world: World) -> None:
    """After a restore new pages begin at their first key."""
    give(world, 2, 3)
    claim(world)
    world.state.void_below = world.state.epoch + 1
    world.restart()
    held = give(world, 4, 5)
    assert (held.ec_left, held.kem_left) == (2, 2)
    first = claim(world).one_time
    assert first is not None
    assert first.id == 4


def test_a_void_page_of_one_kind_leaves_the_other_kinds_index(world: World) -> None:
    """Each kind has pages of its own."""
    give(world, 2, 3, kem=())
    world.restart()
    give(world, one_time=(), kem=kem_prekeys(2, 3))
    assert claim(world).kem.id == 2
    world.state.void_below = world.state.epoch
    bundle = claim(world)
    assert (bundle.one_time, bundle.kem.id) == (None, 3)
