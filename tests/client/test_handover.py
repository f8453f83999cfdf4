"""Other processes at the holder's socket."""

from pathlib import Path

import anyio
import msgspec
import pytest
from tests.client.scripted import Peer, error, scripted
from tests.client.scripted import enrol as enrol_at
from tests.client.worlds import at, ports

from wigwag.client import (
    ConnectionLost,
    HandoverRefused,
    OutboxFull,
    ServerRefused,
    WigwagError,
    open_holder,
    open_session,
)
from wigwag.client._handover import Failure, error_of, failure_of
from wigwag.client._handover_server import SOCKET_PATH_BYTES_MAX
from wigwag.wire import ErrorCode, UsernameResolve


async def test_garbage_is_answered_and_the_session_goes_on(tmp_path: Path) -> None:
    """Another program of the same person may be of another version."""
    async with scripted() as server:
        profile = await enrol_at(server, tmp_path)
        world = ports(net=server, has_handover=True)
        async with open_session(profile, ports=world):
            stream = await anyio.connect_unix(profile / "holder")
            async with stream:
                for line in (b"{]\n", b'{"do": "dance"}\n', b'{"do": "send"}\n'):
                    await stream.send(line)
                    told = msgspec.json.decode(await stream.receive())
                    assert told["failure"]["text"]
                await stream.send(b'{"do": "wait", "message": "xyz"}\n')
                told = msgspec.json.decode(await stream.receive())
                assert "can't be read" in told["failure"]["text"]
            async with open_holder(profile) as holder:
                assert (await holder.status()).name == "alice"


async def test_the_servers_refusals_come_through(tmp_path: Path) -> None:
    """With code and retry time, as in the holder itself."""
    async with scripted() as server:
        profile = await enrol_at(server, tmp_path)
        server.knows(Peer.make("bob", 2))
        server.answers[UsernameResolve] = lambda _: error(ErrorCode.RATE_LIMITED)
        world = ports(net=server, has_handover=True)
        async with open_session(profile, ports=world) as session:
            await session.wait_online(10)
            async with open_holder(profile) as holder:
                with pytest.raises(ServerRefused) as refused:
                    await holder.send("bob", "x")
                assert refused.value.name == "RATE_LIMITED"
                assert refused.value.retryable


async def test_a_holder_that_ends_is_told(tmp_path: Path) -> None:
    """What was asked may be done or not: the outbox is durable."""
    async with scripted() as server:
        profile = await enrol_at(server, tmp_path)
        world = ports(net=server, has_handover=True)
        async with open_session(profile, ports=world):
            holder_context = open_holder(profile)
            holder = await holder_context.__aenter__()
        with pytest.raises(ConnectionLost, match="went away"):
            await holder.status()
        await holder_context.__aexit__(None, None, None)
        with pytest.raises(HandoverRefused):
            async with open_holder(profile):
                pass


async def test_a_socket_left_behind_is_replaced(tmp_path: Path) -> None:
    """A process that was killed doesn't clean up."""
    async with scripted() as server:
        profile = await enrol_at(server, tmp_path)
        (profile / "holder").write_text("left behind")
        world = ports(net=server, has_handover=True)
        async with open_session(profile, ports=world), open_holder(profile) as holder:
            assert (await holder.status()).name == "alice"


async def test_too_long_a_path_leaves_the_profile_without(tmp_path: Path) -> None:
    """The operating system's limit; others are told who holds the profile."""
    folder = tmp_path / ("long" * (SOCKET_PATH_BYTES_MAX // 4))
    async with scripted() as server:
        profile = await enrol_at(server, folder)
        world = ports(net=server, has_handover=True)
        async with open_session(profile, ports=world):
            with pytest.raises(HandoverRefused):
                async with open_holder(profile):
                    pass


def test_errors_are_the_same_at_both_ends() -> None:
    """A script catches one class, wherever the work is done."""
    full = OutboxFull("It is full.")
    again = error_of(failure_of(full))
    assert isinstance(again, OutboxFull)
    assert (str(again), again.retryable, again.action) == (
        "It is full.",
        True,
        full.action,
    )
    limited = ServerRefused(ErrorCode.RATE_LIMITED, retry_after_ms=1500)
    again = error_of(failure_of(limited))
    assert isinstance(again, ServerRefused)
    assert (again.code, again.retry_after_seconds) == (limited.code, 1.5)
    newer = Failure("NEWER", "Something new.", "Update.", None, False, "none", None)
    assert type(error_of(newer)) is WigwagError


async def test_a_session_without_handover_refuses(tmp_path: Path) -> None:
    """The simulation has no sockets."""
    async with scripted() as server:
        profile = await enrol_at(server, tmp_path)
        async with at(profile, net=server):
            with pytest.raises(HandoverRefused):
                async with open_holder(profile):
                    pass
