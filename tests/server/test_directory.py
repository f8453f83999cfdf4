"""Names, prekeys, device lists, receipts: over real sockets, right and wrong."""

from collections.abc import AsyncIterator
from os import urandom

import msgspec
import pytest
from tests.server._peer import DAY_MS, Account, PeerClient, connect, now_ms

from wigwag.server import Limits
from wigwag.testing import RunningServer, server
from wigwag.wire import (
    Bundles,
    DeviceList,
    DeviceListGet,
    DeviceListPublish,
    DeviceListPublished,
    DeviceLists,
    EcPrekey,
    ErrorCode,
    Message,
    PrekeysClaim,
    PrekeysCount,
    PrekeysLow,
    PrekeysStored,
    PrekeysUpload,
    Receipt,
    Receipts,
    ReceiptsGet,
    Sequenced,
    SignedList,
    UsernameClaim,
    UsernameOf,
    UsernameResolve,
    UsernameResolved,
    decode_struct,
    encode_struct,
    suite1,
)
from wigwag.wire import Error as ErrorMessage


class Pair:
    """Two registered devices, connected."""

    def __init__(
        self,
        running: RunningServer,
        alice: PeerClient,
        bob: PeerClient,
    ) -> None:
        self.running = running
        self.alice = alice
        self.bob = bob

    @property
    def alice_account(self) -> Account:
        """Alice's keys."""
        assert self.alice.account is not None
        return self.alice.account

    @property
    def bob_account(self) -> Account:
        """Bob's keys."""
        assert self.bob.account is not None
        return self.bob.account


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """Two devices on a server without token buckets."""
    async with server(limits=Limits.for_profile("bench")) as running:
        port = running.address.port
        async with connect(port) as alice, connect(port) as bob:
            await alice.register(Account(), running.join)
            await bob.register(Account(), running.join)
            yield Pair(running, alice, bob)


async def code_of(peer: PeerClient, message: Message) -> ErrorCode:
    """The code that a request is refused with."""
    answer = await peer.ask(message)
    assert isinstance(answer, ErrorMessage), answer
    return ErrorCode(answer.code)


async def test_a_name_is_taken_once_and_found_both_ways(pair: Pair) -> None:
    """People are found by names; nobody gets another's (R-NAME-002)."""
    taken = await pair.alice.ask(UsernameClaim(name="alice"))
    assert isinstance(taken, UsernameResolved)
    assert await pair.alice.ask(UsernameClaim(name="alice")) == taken
    assert await pair.bob.ask(UsernameResolve(name="alice")) == taken
    assert await pair.bob.ask(UsernameOf(user=pair.alice_account.user)) == taken
    assert await code_of(pair.bob, UsernameClaim(name="alice")) is ErrorCode.NAME_TAKEN
    assert await code_of(pair.alice, UsernameClaim(name="other")) is ErrorCode.QUOTA
    assert await code_of(pair.bob, UsernameResolve(name="nob")) is ErrorCode.NOT_FOUND
    assert await code_of(pair.bob, UsernameOf(user=urandom(16))) is ErrorCode.NOT_FOUND


@pytest.mark.parametrize(
    "name", ["Alice", "1alice", "al ice", "alicé", "-al", "a\u202eb"]
)
async def test_a_name_has_one_spelling(name: str, pair: Pair) -> None:
    """What looks like another name must not be one (R-NAME-001)."""
    assert await code_of(pair.alice, UsernameClaim(name=name)) is ErrorCode.INVALID_TEXT
    assert (
        await code_of(pair.alice, UsernameResolve(name=name)) is ErrorCode.INVALID_TEXT
    )


async def test_each_one_time_key_is_handed_out_once(pair: Pair) -> None:
    """Two messages under one key would be readable together (R-KEYS-003)."""
    account = pair.bob_account
    keys = tuple(EcPrekey(id=number, key=urandom(32)) for number in (1, 2))
    kems = tuple(account.kem_prekey(number) for number in (2, 3))
    stored = await pair.bob.ask(PrekeysUpload(one_time=keys, kem=kems))
    assert isinstance(stored, PrekeysStored)
    assert (stored.ec_left, stored.kem_left) == (2, 2)
    assert (stored.ec_highest, stored.last_resort_id) == (2, 1)
    claims: list[Bundles] = []
    for _ in range(3):
        claim = await pair.alice.ask(PrekeysClaim(user=account.user))
        assert isinstance(claim, Bundles)
        claims.append(claim)
    handed_out = [bundle.one_time for claim in claims for bundle in claim.bundles]
    assert [[key.id for key in one_time] for one_time in handed_out] == [[1], [2], []]
    assert [claim.bundles[0].kem.last_resort for claim in claims] == [
        False,
        False,
        True,
    ]
    assert claims[0].bundles[0].suite == suite1.SUITE
    left = await pair.bob.ask(PrekeysCount())
    assert isinstance(left, PrekeysStored)
    assert (left.ec_left, left.kem_left) == (0, 0)
    await pair.bob.expect(PrekeysLow)


async def test_claims_over_the_limit_get_no_one_time_keys() -> None:
    """Nobody can drain a victim's keys; exhaustion is no error (R-KEYS-004, A10)."""
    async with server(limits=Limits(claim_burst=1)) as running:
        port = running.address.port
        async with connect(port) as alice, connect(port) as bob:
            await alice.register(Account(), running.join)
            await bob.register(account := Account(), running.join)
            keys = tuple(EcPrekey(id=number, key=urandom(32)) for number in (1, 2, 3))
            await bob.ask(PrekeysUpload(one_time=keys, kem=()))
            claim = PrekeysClaim(user=account.user)
            first, second = await alice.ask(claim), await alice.ask(claim)
            assert isinstance(first, Bundles)
            assert isinstance(second, Bundles)
            assert len(first.bundles[0].one_time) == 1
            assert second.bundles[0].one_time == ()
            left = await bob.ask(PrekeysCount())
            assert isinstance(left, PrekeysStored)
            assert left.ec_left == 2


async def test_an_unknown_users_keys_are_not_found(pair: Pair) -> None:
    """And so is one whose device has no keys yet."""
    claim = PrekeysClaim(user=urandom(16))
    assert await code_of(pair.alice, claim) is ErrorCode.NOT_FOUND


async def test_prekeys_that_are_not_the_devices_own_are_refused(pair: Pair) -> None:
    """A foreign key in one's own place would be somebody else's mail."""
    mine, other = pair.bob_account, pair.alice_account
    wrong_kem = other.kem_prekey(9)
    uploads = [
        PrekeysUpload(one_time=(), kem=(wrong_kem,)),
        PrekeysUpload(one_time=(), kem=(mine.kem_prekey(9, last_resort=True),)),
        PrekeysUpload(one_time=(), kem=(), last_resort=mine.kem_prekey(9)),
        PrekeysUpload(one_time=(), kem=(), signed=other.signed_prekey(2)),
    ]
    for upload in uploads:
        assert await code_of(pair.bob, upload) is ErrorCode.AUTH_FAILED
    fresh = PrekeysUpload(one_time=(), kem=(), signed=mine.signed_prekey(2))
    stored = await pair.bob.ask(fresh)
    assert isinstance(stored, PrekeysStored)
    assert stored.signed_id == 2


@pytest.mark.parametrize(
    ("created", "expires"),
    [(-100 * DAY_MS, -DAY_MS), (2 * DAY_MS, 3 * DAY_MS), (0, 91 * DAY_MS), (0, 0)],
    ids=["expired", "from the future", "too long", "without life"],
)
async def test_a_signed_prekey_has_a_sane_life(
    created: int, expires: int, pair: Pair
) -> None:
    """A key that never ends is never rotated."""
    base = now_ms()
    prekey = msgspec.structs.replace(
        pair.bob_account.signed_prekey(2),
        created=base + created,
        expires=base + expires,
    )
    upload = PrekeysUpload(one_time=(), kem=(), signed=prekey)
    assert await code_of(pair.bob, upload) is ErrorCode.INVALID_TIME


def signed_list(account: Account, devices: DeviceList) -> SignedList:
    """A list, signed by its account."""
    blob = encode_struct(devices)
    signature = account.account_key.sign(suite1.device_list_transcript(blob))
    return SignedList(blob=blob, signature=signature)


async def newest_list(peer: PeerClient, user: bytes) -> tuple[bytes, DeviceList]:
    """The newest list of a user."""
    answer = await peer.ask(DeviceListGet(user=user, above=0))
    assert isinstance(answer, DeviceLists), answer
    (listed,) = answer.lists
    return listed.blob, decode_struct(DeviceList, listed.blob)


async def test_a_device_list_grows_by_links_of_a_chain(pair: Pair) -> None:
    """A forked or shortened chain is how a device would be smuggled in (R-LIST-001)."""
    account = pair.alice_account
    blob, first = await newest_list(pair.bob, account.user)
    second = msgspec.structs.replace(
        first, seq=2, prev_hash=suite1.device_list_hash(blob), time=now_ms()
    )
    publish = DeviceListPublish(list=signed_list(account, second))
    published = await pair.alice.ask(publish)
    assert published == DeviceListPublished(list_seq=2)
    assert await pair.alice.ask(publish) == published
    fork = msgspec.structs.replace(second, time=second.time + 1)
    third_unchained = msgspec.structs.replace(second, seq=3)
    for wrong in (fork, third_unchained):
        message = DeviceListPublish(list=signed_list(account, wrong))
        assert await code_of(pair.alice, message) is ErrorCode.CONFLICT
    above = await pair.bob.ask(DeviceListGet(user=account.user, above=1))
    assert isinstance(above, DeviceLists)
    assert [one.blob for one in above.lists] == [encode_struct(second)]
    assert above.account_key == account.account_public
    assert not above.more


async def test_a_wrong_device_list_is_refused(pair: Pair) -> None:
    """Of another account, by another key, without oneself, or from the future."""
    account, other = pair.alice_account, pair.bob_account
    blob, first = await newest_list(pair.alice, account.user)
    following = msgspec.structs.replace(
        first, seq=2, prev_hash=suite1.device_list_hash(blob)
    )
    cases = [
        (signed_list(other, following), ErrorCode.AUTH_FAILED),
        (
            signed_list(account, msgspec.structs.replace(following, user=other.user)),
            ErrorCode.AUTH_FAILED,
        ),
        (
            signed_list(
                account,
                msgspec.structs.replace(following, time=now_ms() + 2 * DAY_MS),
            ),
            ErrorCode.INVALID_TIME,
        ),
    ]
    swapped = Account(user=account.user, account_key=account.account_key)
    own_number = decode_struct(DeviceList, swapped.device_list()).devices
    cases.append(
        (
            signed_list(
                account, msgspec.structs.replace(following, devices=own_number)
            ),
            ErrorCode.FORBIDDEN,
        )
    )
    for listed, code in cases:
        assert await code_of(pair.alice, DeviceListPublish(list=listed)) is code
    unknown = DeviceListGet(user=urandom(16), above=0)
    assert await code_of(pair.bob, unknown) is ErrorCode.NOT_FOUND


async def test_a_delivered_mark_reaches_the_sender_and_can_be_asked_for(
    pair: Pair,
) -> None:
    """The double check: a hint soon, and the truth on demand (R-RECEIPT-001, -002)."""
    sent = await pair.alice.ask(pair.alice.send_message(pair.bob_account, b"hi"))
    assert isinstance(sent, Sequenced)
    await pair.bob.deliver_and_ack()
    receipt = await pair.alice.expect(Receipt)
    assert receipt.mark.mark == sent.chat_seq
    assert receipt.mark.user == pair.bob_account.user
    asked = await pair.alice.ask(ReceiptsGet(chats=(receipt.mark.chat,)))
    assert isinstance(asked, Receipts)
    assert receipt.mark in asked.marks
    nothing = await pair.alice.ask(ReceiptsGet(chats=(urandom(16),)))
    assert nothing == Receipts(marks=())


async def test_directory_requests_are_bounded_by_device() -> None:
    """A directory that answers everything is a list of everybody (A14)."""
    limits = Limits(directory_burst=2, keys_burst=2, receipts_burst=1)
    async with (
        server(limits=limits) as running,
        connect(running.address.port) as peer,
    ):
        await peer.register(account := Account(), running.join)
        for _ in range(2):
            assert isinstance(
                await peer.ask(DeviceListGet(user=account.user, above=0)),
                DeviceLists,
            )
        for message in (
            DeviceListGet(user=account.user, above=0),
            UsernameOf(user=account.user),
            UsernameClaim(name="alice"),
            UsernameResolve(name="alice"),
        ):
            assert await code_of(peer, message) is ErrorCode.RATE_LIMITED
        upload = PrekeysUpload(one_time=(), kem=())
        await peer.ask(upload)
        assert await code_of(peer, upload) is ErrorCode.RATE_LIMITED
        publish = DeviceListPublish(
            list=SignedList(blob=account.device_list(), signature=bytes(64))
        )
        assert await code_of(peer, publish) is ErrorCode.RATE_LIMITED
        again = peer.re_register_message(account)
        assert await code_of(peer, again) is ErrorCode.RATE_LIMITED
        marks = ReceiptsGet(chats=(urandom(16),))
        await peer.ask(marks)
        assert await code_of(peer, marks) is ErrorCode.RATE_LIMITED


async def test_a_stranger_cannot_use_up_the_tokens_of_a_device() -> None:
    """Anybody may name a device in a RE_REGISTER; its owner still gets his answer."""
    limits = Limits(keys_burst=2)
    async with server(limits=limits) as running:
        port = running.address.port
        async with connect(port) as owner:
            await owner.register(account := Account(), running.join)
            async with connect(port) as stranger:
                again = stranger.re_register_message(account)
                forged = msgspec.structs.replace(again, signature=bytes(64))
                assert await code_of(stranger, forged) is ErrorCode.AUTH_FAILED
                assert await code_of(stranger, forged) is ErrorCode.AUTH_FAILED
            assert isinstance(await owner.ask(PrekeysCount()), PrekeysStored)
