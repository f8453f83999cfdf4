"""Who gets in: over real sockets, with right and wrong signatures."""

from collections.abc import AsyncIterator
from dataclasses import replace
from os import urandom

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.server._peer import Account, PeerClient, connect, invite_of

from wigwag.server import Config, Limits
from wigwag.testing import RunningServer, server
from wigwag.wire import (
    AuthOk,
    ErrorCode,
    InboxEmpty,
    PeerError,
    PeerGoingAway,
    ProofKind,
    Register,
    Sequenced,
    encode_frame,
)
from wigwag.wire import Error as ErrorMessage


@pytest.fixture
async def running() -> AsyncIterator[RunningServer]:
    """A server with default limits."""
    async with server() as running:
        yield running


def assert_refused(answer: msgspec.Struct, code: ErrorCode) -> None:
    """Hold an answer to be an ERROR of a code, outcome none."""
    assert isinstance(answer, ErrorMessage), answer
    assert answer.code == code, ErrorCode(answer.code).name
    assert answer.outcome == 0


async def registered(running: RunningServer) -> Account:
    """An account that has registered and gone."""
    account = Account()
    async with connect(running.address.port) as peer:
        await peer.register(account, running.join)
    return account


async def test_every_wrong_sign_in_is_answered_alike(running: RunningServer) -> None:
    """Wrong key, unknown user and wrong registration tell a stranger nothing."""
    account = await registered(running)
    stranger = Account(generation=1)
    other = Account(
        user=account.user, registration_id=account.registration_id ^ 2, generation=9
    )
    async with connect(running.address.port) as peer:
        wrong_key = Ed25519PrivateKey.generate()
        account.generation += 1
        answers: list[msgspec.Struct] = [
            await peer.ask(peer.auth_message(account, key=wrong_key)),
            await peer.ask(peer.auth_message(stranger)),
        ]
        await peer.request(peer.auth_message(other))
        answers.append(await peer.expect(ErrorMessage))
        closed = await peer.wait_closed()
    assert len(set(map(repr, answers))) == 1
    assert_refused(answers[0], ErrorCode.AUTH_FAILED)
    assert any(isinstance(event, PeerGoingAway) for event in closed)


async def test_a_replayed_sign_in_is_worth_nothing(running: RunningServer) -> None:
    """A signature covers both nonces: it is good for one connection."""
    account = await registered(running)
    async with connect(running.address.port) as first:
        account.generation += 1
        captured = first.auth_message(account)
        assert isinstance(await first.ask(captured), AuthOk)
    async with connect(running.address.port) as second:
        assert_refused(await second.ask(captured), ErrorCode.AUTH_FAILED)


async def test_a_signature_over_another_certificate_is_refused(
    running: RunningServer,
) -> None:
    """A relay in the middle presents its own certificate."""
    account = await registered(running)
    async with connect(running.address.port) as peer:
        peer.leaf_sha256 = urandom(32)
        account.generation += 1
        answer = await peer.ask(peer.auth_message(account))
        assert_refused(answer, ErrorCode.AUTH_FAILED)


async def test_a_wrong_signature_displaces_nobody(running: RunningServer) -> None:
    """Else anybody could disconnect anybody."""
    account = await registered(running)
    async with connect(running.address.port) as owner:
        await owner.sign_in(account)
        await owner.expect(InboxEmpty)
        async with connect(running.address.port) as thief:
            forged = thief.auth_message(account, key=Ed25519PrivateKey.generate())
            assert_refused(await thief.ask(forged), ErrorCode.AUTH_FAILED)
            # The same account id with keys of one's own displaces nobody either.
            other = Account(user=account.user, generation=5)
            message = thief.register_message(other, invite_of(running.join))
            assert_refused(await thief.ask(message), ErrorCode.ID_TAKEN)
        friend = await registered(running)
        answer = await owner.ask(owner.send_message(friend, b"still here"))
        assert isinstance(answer, Sequenced)


async def test_a_sign_in_that_is_read_late_does_not_end_the_newer_connection(
    running: RunningServer,
) -> None:
    """A frame of a connection that the client gave up may come after its next one.

    The simulation found it (torn sign-in): the client was told REPLACED on its only
    connection, and stopped for good.
    """
    account = await registered(running)
    async with connect(running.address.port) as late:
        account.generation += 1
        old = late.auth_message(account)
        async with connect(running.address.port) as newer:
            await newer.sign_in(account)
            await newer.expect(InboxEmpty)
            assert_refused(await late.ask(old), ErrorCode.STORE_ROLLED_BACK)
            friend = await registered(running)
            answer = await newer.ask(newer.send_message(friend, b"still here"))
            assert isinstance(answer, Sequenced)


async def test_a_newer_connection_of_a_device_replaces_the_older(
    running: RunningServer,
) -> None:
    """Newer wins; the older one is told why, so that it doesn't come back."""
    account = await registered(running)
    async with connect(running.address.port) as older:
        await older.sign_in(account)
        async with connect(running.address.port) as newer:
            await newer.sign_in(account)
            seen = await older.wait_closed()
            away = [event for event in seen if isinstance(event, PeerGoingAway)]
            assert [event.code for event in away] == [ErrorCode.REPLACED]
            await newer.expect(InboxEmpty)
    assert running.server.services.hub.counts.displaced == 1


async def test_an_old_generation_is_told_that_it_is_a_copy(
    running: RunningServer,
) -> None:
    """A restored profile must register anew before it sends; the state stays AUTH."""
    account = await registered(running)
    copy_generation = account.generation
    async with connect(running.address.port) as peer:
        await peer.sign_in(account)
    async with connect(running.address.port) as peer:
        account.generation = copy_generation
        answer = await peer.ask(peer.auth_message(account))
        assert_refused(answer, ErrorCode.STORE_ROLLED_BACK)
        account.registration_id ^= 2
        account.generation += 5
        answer = await peer.ask(peer.re_register_message(account))
        assert isinstance(answer, AuthOk), answer
        assert answer.last_stored_id == bytes(16)
        await peer.expect(InboxEmpty)
    async with connect(running.address.port) as peer:
        await peer.sign_in(account)


async def test_an_old_registration_is_told_that_it_is_a_copy(
    running: RunningServer,
) -> None:
    """It ends nobody's connection, may register anew, and then does end the other.

    The simulation found it (a copy older than the device's registration): it was
    answered AUTH_FAILED for ever.
    """
    account, friend = await registered(running), await registered(running)
    copy = replace(account, tails={})
    async with connect(running.address.port) as peer:
        await peer.sign_in(account)
        account.registration_id ^= 2
        account.generation += 1
        assert isinstance(await peer.ask(peer.re_register_message(account)), AuthOk)
        account.tails.clear()
        async with connect(running.address.port) as old:
            for generation in (copy.generation + 1, 2**40):
                copy.generation = generation
                answer = await old.ask(old.auth_message(copy))
                assert_refused(answer, ErrorCode.STORE_ROLLED_BACK)
            assert running.server.services.hub.counts.auth_failures == 0
            sent = await peer.ask(peer.send_message(friend, b"not ended by it"))
            assert isinstance(sent, Sequenced), sent
            copy.registration_id ^= 4
            answer = await old.ask(old.re_register_message(copy))
            assert isinstance(answer, AuthOk), answer
            seen = await peer.wait_closed()
            away = [event for event in seen if isinstance(event, PeerGoingAway)]
            assert [event.code for event in away] == [ErrorCode.REPLACED]


async def test_a_ready_device_may_register_anew(running: RunningServer) -> None:
    """What AUTH_OK names and the store doesn't hold proves a copy, too."""
    account, friend = await registered(running), await registered(running)
    async with connect(running.address.port) as peer:
        await peer.sign_in(account)
        account.registration_id ^= 2
        account.generation += 1
        answer = await peer.ask(peer.re_register_message(account))
        assert isinstance(answer, AuthOk), answer
        account.tails.clear()
        sent = await peer.ask(peer.send_message(friend, b"anew"))
        assert isinstance(sent, Sequenced), sent
        intruder = peer.re_register_message(friend)
        assert_refused(await peer.ask(intruder), ErrorCode.AUTH_FAILED)


async def test_an_equal_registration_gets_the_equal_answer(
    running: RunningServer,
) -> None:
    """The answer may have been lost with the connection; the invite is used once."""
    join = await running.invite(uses=1)
    account = Account(generation=1)
    async with connect(running.address.port) as peer:
        message = peer.register_message(account, invite_of(join))
        assert isinstance(await peer.ask(message), AuthOk)
    async with connect(running.address.port) as peer:
        again = await peer.ask(peer.sign_register(account, message))
        assert isinstance(again, AuthOk), again
    async with connect(running.address.port) as peer:
        other = peer.register_message(Account(generation=1), invite_of(join))
        assert_refused(await peer.ask(other), ErrorCode.PROOF_REFUSED)


@pytest.mark.parametrize("proof", [b"", b"not-an-invite", b"a" * 16, b"\xff" * 16])
async def test_a_wrong_invite_is_refused(proof: bytes, running: RunningServer) -> None:
    """Whatever it is: unknown, malformed or no text at all."""
    async with connect(running.address.port) as peer:
        message = peer.register_message(Account(generation=1), proof)
        assert_refused(await peer.ask(message), ErrorCode.PROOF_REFUSED)


async def test_open_registration_needs_the_development_switch() -> None:
    """A public server that anybody can join by accident is a spam relay."""
    async with server() as running, connect(running.address.port) as peer:
        message = peer.register_message(Account(generation=1), b"", ProofKind.OPEN)
        assert_refused(await peer.ask(message), ErrorCode.UNSUPPORTED)
    config = Config(listen="127.0.0.1:0", registration="open", development=True)
    async with server(config) as running, connect(running.address.port) as peer:
        message = peer.register_message(Account(generation=1), b"", ProofKind.OPEN)
        assert isinstance(await peer.ask(message), AuthOk)


def _other_bytes(value: bytes) -> bytes:
    return value[:-1] + bytes((value[-1] ^ 1,))


@pytest.mark.parametrize(
    "field",
    [
        "account_signature",
        "device_signature",
        "list_signature",
        "agreement_key",
        "registration_id",
        "user",
        "list_blob",
    ],
)
async def test_a_registration_with_one_wrong_part_is_refused(
    field: str, running: RunningServer
) -> None:
    """Peers would refuse the account; its owner should hear of it now."""
    account = Account(generation=1)
    async with connect(running.address.port) as peer:
        message = peer.register_message(account, invite_of(running.join))
        value = getattr(message, field)
        wrong = value ^ 2 if isinstance(value, int) else _other_bytes(value)
        changed: Register = msgspec.structs.replace(message, **{field: wrong})
        if field not in ("account_signature", "device_signature"):
            # Signed as it is: what it says must be wrong by itself.
            changed = peer.sign_register(account, changed)
        assert_refused(await peer.ask(changed), ErrorCode.AUTH_FAILED)


async def test_registrations_are_bounded_by_address() -> None:
    """Six at once, then one in half a minute."""
    limits = Limits(registration_burst=2)
    async with server(limits=limits) as running:
        for _ in range(2):
            async with connect(running.address.port) as peer:
                await peer.register(Account(), running.join)
        async with connect(running.address.port) as peer:
            account = Account(generation=1)
            message = peer.register_message(account, invite_of(running.join))
            answer = await peer.ask(message)
            assert_refused(answer, ErrorCode.RATE_LIMITED)
            assert isinstance(answer, ErrorMessage)
            assert 0 < answer.retry_after_ms <= 30_001


async def test_an_address_that_keeps_failing_must_wait() -> None:
    """Guessing is slow, and the account's owner isn't locked out elsewhere."""
    limits = Limits(auth_failures_per_hour_per_address=2)
    async with server(limits=limits) as running:
        stranger = Account(generation=1)
        async with connect(running.address.port) as peer:
            for _ in range(2):
                answer = await peer.ask(peer.auth_message(stranger))
                assert_refused(answer, ErrorCode.AUTH_FAILED)
            answer = await peer.ask(peer.auth_message(stranger))
            assert_refused(answer, ErrorCode.RATE_LIMITED)


async def test_signing_in_twice_on_one_connection_is_a_breach(
    running: RunningServer,
) -> None:
    """A state machine with a way back has ways nobody thought of (S2)."""
    account = await registered(running)
    async with connect(running.address.port) as peer:
        await peer.sign_in(account)
        await _force(peer, account)
        seen = await peer.wait_closed()
        errors = [event for event in seen if isinstance(event, PeerError)]
        assert [event.code for event in errors] == [ErrorCode.PROTOCOL_ERROR]


async def _force(peer: PeerClient, account: Account) -> None:
    """Send a second AUTH, which our own Connection would not."""
    account.generation += 1
    frame = encode_frame(peer.auth_message(account), peer.connection.revision, 9_999)
    await peer.stream.send_all(frame)
