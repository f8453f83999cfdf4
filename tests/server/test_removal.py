"""Deleting an account and removing a device, over real sockets."""

from collections.abc import AsyncIterator

import msgspec
import pytest
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.server._peer import DAY_MS, Account, PeerClient, connect, now_ms

from wigwag.server import Limits
from wigwag.testing import RunningServer, server
from wigwag.wire import (
    LIMITS,
    AccountDeleted,
    AuthOk,
    DeviceList,
    DeviceListGet,
    DeviceListPublish,
    DeviceListPublished,
    DeviceLists,
    ErrorCode,
    PeerGoingAway,
    PrekeysClaim,
    Refused,
    SignedList,
    Undelivered,
    UndeliveredReason,
    UsernameClaim,
    UsernameResolve,
    UsernameResolved,
    decode_struct,
    encode_struct,
    suite1,
)
from wigwag.wire import Error as ErrorMessage


@pytest.fixture
async def running() -> AsyncIterator[RunningServer]:
    """A server without token buckets."""
    async with server(limits=Limits.for_profile("bench")) as running:
        yield running


@pytest.fixture
async def alice(running: RunningServer) -> AsyncIterator[PeerClient]:
    """Alice, signed in."""
    async with connect(running.address.port) as peer:
        await peer.register(Account(), running.join)
        yield peer


@pytest.fixture
async def bob(running: RunningServer) -> AsyncIterator[PeerClient]:
    """Bob, signed in."""
    async with connect(running.address.port) as peer:
        await peer.register(Account(), running.join)
        yield peer


def account_of(peer: PeerClient) -> Account:
    """The keys of who signed in."""
    assert peer.account is not None
    return peer.account


async def code_at_end(peer: PeerClient) -> int:
    """Read to the end of a connection; return why it came."""
    seen = await peer.wait_closed()
    (code,) = [one.code for one in seen if isinstance(one, PeerGoingAway)]
    return code


async def empty_list(peer: PeerClient) -> DeviceListPublish:
    """The next list of the account that signed in; it names no device."""
    account = account_of(peer)
    found = await peer.ask(DeviceListGet(user=account.user, above=0))
    assert isinstance(found, DeviceLists)
    (newest,) = found.lists
    document = decode_struct(DeviceList, newest.blob)
    following = msgspec.structs.replace(
        document,
        seq=document.seq + 1,
        prev_hash=suite1.device_list_hash(newest.blob),
        devices=(),
    )
    blob = encode_struct(following)
    signature = account.account_key.sign(suite1.device_list_transcript(blob))
    return DeviceListPublish(list=SignedList(blob=blob, signature=signature))


async def test_a_signed_in_device_deletes_its_account(
    running: RunningServer, alice: PeerClient, bob: PeerClient
) -> None:
    """The answer, then the end with its code; the sender is told at once."""
    sent = await bob.ask(bob.send_message(account_of(alice), b"unread"))
    answer = await alice.ask(alice.delete_message(account_of(alice)))
    assert isinstance(answer, AccountDeleted)
    assert abs(answer.time - now_ms()) < DAY_MS
    assert await code_at_end(alice) == ErrorCode.DEVICE_REMOVED
    report = await bob.expect(Undelivered)
    assert report.client_msg_id == sent.client_msg_id  # type: ignore[attr-defined]  # a SEQUENCED
    assert report.reason == UndeliveredReason.DEVICE_GONE
    refused = await bob.ask(bob.send_message(account_of(alice), b"too late"))
    assert isinstance(refused, Refused)
    assert refused.code == ErrorCode.NOT_FOUND
    counts = running.server.services.hub.counts
    assert counts.accounts_deleted == 1


async def test_no_device_need_be_signed_in(
    running: RunningServer, alice: PeerClient
) -> None:
    """The account key is enough; the device's open connection ends (R-ACCOUNT-005)."""
    account = account_of(alice)
    async with connect(running.address.port) as other:
        answer = await other.ask(other.delete_message(account))
        assert isinstance(answer, AccountDeleted)
        assert await code_at_end(other) == ErrorCode.DEVICE_REMOVED
    with trio.fail_after(LIMITS["removal_seconds"].value):
        assert await code_at_end(alice) == ErrorCode.DEVICE_REMOVED
    async with connect(running.address.port) as other:
        refused = await other.ask(other.auth_message(account))
        assert isinstance(refused, ErrorMessage)
        assert refused.code == ErrorCode.AUTH_FAILED
        # The answer was lost: asked again, on whatever connection, it is the same.
        assert await other.ask(other.delete_message(account)) == answer


async def test_what_does_not_prove_the_account_deletes_nothing(
    running: RunningServer, alice: PeerClient, bob: PeerClient
) -> None:
    """R-ACCOUNT-002: another key, another connection, another account, another day."""
    account = account_of(alice)
    stranger = Account()
    wrong_key = Ed25519PrivateKey.generate()
    elsewhere = alice.delete_message(account)
    async with connect(running.address.port) as other:
        day = 2 * DAY_MS
        cases = [
            (other.delete_message(account, time_ms=now_ms() - day), "INVALID_TIME"),
            (other.delete_message(account, time_ms=now_ms() + day), "INVALID_TIME"),
            (other.delete_message(account, key=wrong_key), "AUTH_FAILED"),
            (other.delete_message(stranger), "AUTH_FAILED"),
        ]
        for message, code in cases:
            answer = await other.ask(message)
            assert isinstance(answer, ErrorMessage)
            assert ErrorCode(answer.code).name == code
        answer = await other.ask(elsewhere)
        assert isinstance(answer, ErrorMessage)
        assert answer.code == ErrorCode.AUTH_FAILED
        # The third failure ends the connection, as with AUTH.
        assert await code_at_end(other) == ErrorCode.AUTH_FAILED
    answer = await bob.ask(bob.delete_message(account))
    assert isinstance(answer, ErrorMessage)
    assert answer.code == ErrorCode.AUTH_FAILED
    async with connect(running.address.port) as other:
        assert isinstance(await other.sign_in(account), AuthOk)


async def test_a_name_is_gone_and_stays_taken(
    running: RunningServer, alice: PeerClient, bob: PeerClient
) -> None:
    """Nobody gets a deleted person's mail by taking his name."""
    assert isinstance(await alice.ask(UsernameClaim(name="alice")), UsernameResolved)
    await alice.ask(alice.delete_message(account_of(alice)))
    for message, code in (
        (UsernameResolve(name="alice"), ErrorCode.NOT_FOUND),
        (UsernameClaim(name="alice"), ErrorCode.NAME_TAKEN),
    ):
        answer = await bob.ask(message)
        assert isinstance(answer, ErrorMessage)
        assert answer.code == code
    assert running.server.is_ready


async def test_a_device_signs_out_for_good(
    running: RunningServer, alice: PeerClient
) -> None:
    """R-LIST-005: a list without it; then its connection ends and no AUTH helps."""
    account = account_of(alice)
    published = await alice.ask(await empty_list(alice))
    assert isinstance(published, DeviceListPublished)
    assert await code_at_end(alice) == ErrorCode.DEVICE_REMOVED
    async with connect(running.address.port) as other:
        account.generation += 1
        refused = await other.ask(other.auth_message(account))
        assert isinstance(refused, ErrorMessage)
        assert refused.code == ErrorCode.AUTH_FAILED
        # The account is still there for its key.
        assert isinstance(
            await other.ask(other.delete_message(account)), AccountDeleted
        )


async def test_senders_to_a_full_inbox_are_told_at_once_not_hourly(
    running: RunningServer,
    alice: PeerClient,
    bob: PeerClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What one record doesn't report, ticks do, until nothing is left to tell."""
    for module in ("_inbox_drop", "_wanted"):
        monkeypatch.setattr(f"wigwag.server.core.{module}.DROP_ENTRIES_MAX", 2)
    sent: list[bytes] = []
    for number in range(7):
        message = bob.send_message(account_of(alice), bytes((number,)))
        await bob.ask(message)
        sent.append(message.client_msg_id)
    await alice.ask(alice.delete_message(account_of(alice)))
    told = [(await bob.expect(Undelivered)).client_msg_id for _ in sent]
    assert sorted(told) == sorted(sent)
    assert running.server.is_ready


async def test_nothing_read_behind_the_removal_is_answered(
    alice: PeerClient, bob: PeerClient
) -> None:
    """I14: frames in the same read as DELETE_ACCOUNT have no effect, no answer."""
    account = account_of(alice)
    alice.connection.send(alice.delete_message(account))
    alice.connection.send(PrekeysClaim(user=account_of(bob).user))
    alice.connection.send(alice.send_message(account_of(bob), b"late"))
    await alice.flush()
    seen = await alice.wait_closed()
    kinds = {type(getattr(one, "message", one)).__name__ for one in seen}
    assert "AccountDeleted" in kinds
    assert not kinds & {"Bundles", "Sequenced", "Refused"}
    resolved = await bob.ask(UsernameResolve(name="nobody"))
    assert isinstance(resolved, ErrorMessage)
    assert not [one for one in bob.events if "Deliver" in repr(one)]
