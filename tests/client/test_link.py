"""Connections that end in every way, and servers that answer badly."""

from pathlib import Path

import pytest
from tests.client.scripted import (
    READY,
    Peer,
    alice_at,
    enrol,
    error,
    scripted,
)
from tests.client.worlds import ports

from wigwag.client import (
    Address,
    ConnectionLost,
    Join,
    ListsDiffer,
    PeerUnknown,
    ProfileMissing,
    ServerRefused,
    SessionEnded,
    open_session,
    register,
)
from wigwag.wire import (
    Auth,
    AuthOk,
    DeviceListGet,
    DeviceListPublish,
    ErrorCode,
    Message,
    Outcome,
    PrekeysLow,
    PrekeysUpload,
    Register,
    ReRegister,
    UsernameClaim,
    UsernameResolve,
)

BOB = Peer.make("bob", 2)


async def test_a_server_that_goes_away_is_come_back_to(tmp_path: Path) -> None:
    """Drain and restart are nothing that a user has to see."""
    async with scripted() as server, alice_at(server, tmp_path) as session:
        line = await server.line(1)
        await line.close(ErrorCode.GOING_AWAY)
        await session.connectivity_change()
        assert isinstance(session.connectivity.error, ServerRefused)
        await server.line(2)
        await session.wait_online(10)


async def test_generations_rise_with_every_connection(tmp_path: Path) -> None:
    """A copy of the store is found out by it (R-AUTH-003)."""
    async with scripted() as server, alice_at(server, tmp_path):
        for number in (1, 2):
            await server.heard(Auth, number)
            await (await server.line(number)).close(ErrorCode.GOING_AWAY)
        generations = [message.generation for message in await server.heard(Auth, 3)]
        assert generations == sorted(set(generations))
        assert generations[0] > 1


@pytest.mark.parametrize(
    "code", [ErrorCode.REPLACED, ErrorCode.AUTH_FAILED, ErrorCode.UNSUPPORTED]
)
async def test_some_ends_are_for_good(tmp_path: Path, code: ErrorCode) -> None:
    """Trying again would take another's connection, or get the same answer."""
    async with scripted() as server, alice_at(server, tmp_path) as session:
        await (await server.line(1)).close(code)
        while not session.connectivity.is_final:
            await session.connectivity_change()
        with pytest.raises(SessionEnded):
            await session.wait_online(10)
        with pytest.raises(SessionEnded):
            await session.send("bob", "x")
        with pytest.raises(SessionEnded):
            await anext(session.events())
        assert len(server.lines) == 1


async def test_a_reject_is_told_and_tried_again(tmp_path: Path) -> None:
    """An overloaded server says so before AUTH."""
    async with scripted() as server:
        profile = await enrol(server, tmp_path)
        server.rejects_with = ErrorCode.OVERLOADED
        async with open_session(profile, ports=ports(net=server)) as session:
            await session.connectivity_change()
            assert isinstance(session.connectivity.error, ServerRefused)
            assert session.connectivity.error.name == "OVERLOADED"
            server.rejects_with = None
            await session.wait_online(10)


async def test_a_refused_sign_in_is_told(tmp_path: Path) -> None:
    """A removed device must not knock for ever."""
    async with scripted() as server:
        profile = await enrol(server, tmp_path)
        server.answers[Auth] = lambda _: error(ErrorCode.AUTH_FAILED)
        async with open_session(profile, ports=ports(net=server)) as session:
            with pytest.raises(SessionEnded, match="not right"):
                await session.wait_online(10)


async def test_look_ups_are_answered_or_refused(tmp_path: Path) -> None:
    """Each refusal with the error that says what to do."""
    async with scripted() as server, alice_at(server, tmp_path) as session:
        server.answers[UsernameResolve] = lambda _: error(ErrorCode.RATE_LIMITED)
        with pytest.raises(ServerRefused) as refused:
            await session.send("bob", "x")
        assert (refused.value.name, refused.value.retryable) == ("RATE_LIMITED", True)
        server.answers[UsernameResolve] = lambda _: error(0x9999)  # type: ignore[arg-type] # a newer code
        with pytest.raises(ServerRefused, match="newer than this client"):
            await session.send("bob", "x")
        server.knows(BOB)
        server.answers[DeviceListGet] = lambda _: error(ErrorCode.NOT_FOUND)
        with pytest.raises(PeerUnknown, match="no such account"):
            await session.send("bob", "x")
        forged = Peer.make("bob", 3).lists()
        server.answers[DeviceListGet] = lambda _: forged
        with pytest.raises(PeerUnknown, match="genuine"):
            await session.send("bob", "x")


async def test_a_cut_during_a_look_up_is_told(tmp_path: Path) -> None:
    """Nobody waits for an answer that can't come."""
    async with scripted() as server, alice_at(server, tmp_path) as session:

        def vanish(_: Message) -> Message | None:
            server.lines[-1].connection.close_with(ErrorCode.GOING_AWAY)
            return None

        server.answers[UsernameResolve] = vanish
        with pytest.raises(ConnectionLost):
            await session.send("bob", "x")


async def test_low_prekeys_are_refilled(tmp_path: Path) -> None:
    """Without them first messages are less forward secret."""
    async with scripted() as server, alice_at(server, tmp_path):
        line = await server.line(1)
        before = len(server.said(PrekeysUpload))
        await line.tell(PrekeysLow(ec_left=3, kem_left=30))
        upload = (await server.heard(PrekeysUpload, before + 1))[-1]
        assert len(upload.one_time) == 100
        assert len(upload.kem) == 50
        assert upload.one_time[0].id == 101


async def test_a_restored_server_gets_our_list_again(tmp_path: Path) -> None:
    """It may know less than it did."""
    async with scripted() as server:
        profile = await enrol(server, tmp_path)
        older = AuthOk(0, 0, bytes(16), 0, 100, 50, 0)
        server.answers[Auth] = lambda _: older
        async with open_session(profile, ports=ports(net=server)) as session:
            await session.wait_online(10)
            assert await server.heard(DeviceListPublish)


async def test_a_list_of_ours_that_we_never_signed_is_told(tmp_path: Path) -> None:
    """Somebody else holds the account's key, or the server lies."""
    async with scripted() as server:
        profile = await enrol(server, tmp_path)
        newer = AuthOk(0, 0, bytes(16), 0, 100, 50, 2)
        server.answers[Auth] = lambda _: newer
        server.answers[DeviceListGet] = lambda _: BOB.lists()
        async with open_session(profile, ports=ports(net=server)) as session:
            event = await anext(session.events())
            assert isinstance(event, ListsDiffer)
            assert event.reason == "wrong_key"


async def test_a_lost_re_register_answer_is_asked_for_again(tmp_path: Path) -> None:
    """The same registration id, or the device would have two."""
    async with scripted() as server:
        profile = await enrol(server, tmp_path)
        server.answers[Auth] = lambda _: error(ErrorCode.STORE_ROLLED_BACK)
        answers: list[Message] = []

        def second_time(message: Message) -> Message | None:
            answers.append(message)
            if len(answers) == 1:
                server.lines[-1].connection.close_with(ErrorCode.GOING_AWAY)
                return None
            return READY

        server.answers[ReRegister] = second_time
        async with open_session(profile, ports=ports(net=server)) as session:
            await session.wait_online(20)
        first, again = (m for m in answers if isinstance(m, ReRegister))
        assert first.registration_id == again.registration_id
        assert first.signed_prekey == again.signed_prekey
        assert again.generation > first.generation


async def test_a_copy_of_a_begun_registration_begins_another_one(
    tmp_path: Path,
) -> None:
    """Its newer self has gone through with it: two would share it (R-AUTH-007)."""
    async with scripted() as server:
        profile = await enrol(server, tmp_path)
        server.answers[Auth] = lambda _: error(ErrorCode.STORE_ROLLED_BACK)
        registrations: list[int] = []

        def third_time(message: Message) -> Message | None:
            assert isinstance(message, ReRegister)
            registrations.append(message.registration_id)
            if len(registrations) == 1:
                server.lines[-1].connection.close_with(ErrorCode.GOING_AWAY)
                return None
            if len(registrations) == 2:
                return error(ErrorCode.STORE_ROLLED_BACK)
            return READY

        server.answers[ReRegister] = third_time
        async with open_session(profile, ports=ports(net=server)) as session:
            await session.wait_online(20)
            assert len(server.said(Auth)) == 1
        first, again, other = registrations
        assert first == again != other
        server.answers[Auth] = lambda _: READY
        async with open_session(profile, ports=ports(net=server)) as session:
            await session.wait_online(20)
        newest = server.said(Auth)[-1]
        assert isinstance(newest, Auth)
        assert newest.registration_id == other


async def test_a_lost_register_answer_is_asked_for_again(tmp_path: Path) -> None:
    """An equal body gets the equal answer, the used invite included (R-REG-002)."""
    async with scripted() as server:
        join = Join(Address("scripted", 1), bytes(32), "invite")
        folder = tmp_path / "alice"
        server.answers[Register] = lambda _: error(
            ErrorCode.UNAVAILABLE, Outcome.UNKNOWN
        )
        with pytest.raises(ServerRefused) as refused:
            await register("alice", join, profile=folder, ports=ports(net=server))
        assert refused.value.outcome == "unknown"
        with pytest.raises(ProfileMissing):
            async with open_session(folder, ports=ports(net=server)):
                pass
        server.answers[Register] = lambda _: READY
        await register("alice", join, profile=folder, ports=ports(net=server))
        first, again = server.said(Register)
        assert first.user == again.user
        assert first.signed_prekey == again.signed_prekey
        assert first.proof == again.proof == b"invite"
        assert len(server.said(UsernameClaim)) == 1


async def test_a_taken_id_is_replaced(tmp_path: Path) -> None:
    """Random ids don't collide; a replayed profile's does."""
    async with scripted() as server:
        join = Join(Address("scripted", 1), bytes(32), "")
        folder = tmp_path / "alice"
        server.answers[Register] = lambda _: error(ErrorCode.ID_TAKEN)
        with pytest.raises(ServerRefused, match="exists"):
            await register("alice", join, profile=folder, ports=ports(net=server))
        server.answers[Register] = lambda _: READY
        await register("alice", join, profile=folder, ports=ports(net=server))
        first, again = server.said(Register)
        assert first.user != again.user
