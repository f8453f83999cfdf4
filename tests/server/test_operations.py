"""What an operator sees and does: admin socket, health, metrics, logs."""

import io
import json
from pathlib import Path

import msgspec
import pytest
import trio
import trio.lowlevel
from tests.server._peer import Account, connect

from wigwag.server import AdminError, Config, HealthConfig, Limits, make_log
from wigwag.server._admin_client import ask_admin
from wigwag.server._observe import LOG_KEYS, keep_known_values
from wigwag.testing import RunningServer, server
from wigwag.wire import PeerGoingAway, Ping, Sequenced


async def ask(running: RunningServer, **request: object) -> dict[str, object]:
    """Ask the admin socket as the command does."""
    return await trio.to_thread.run_sync(ask_admin, running.folder, request)


async def http(running: RunningServer, head: bytes) -> tuple[int, str]:
    """One HTTP exchange with the health port."""
    address = running.server.health_address
    assert address is not None
    stream = await trio.open_tcp_stream(address.host, address.port)
    async with stream:
        await stream.send_all(head)
        answer = b""
        with trio.fail_after(10):
            while data := await stream.receive_some(65_536):
                answer += data
    status, _, rest = answer.partition(b"\r\n")
    body = rest.partition(b"\r\n\r\n")[2]
    return int(status.split()[1]), body.decode()


async def get(running: RunningServer, path: str) -> tuple[int, str]:
    """One GET."""
    return await http(running, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


async def test_the_admin_socket_is_its_owners_alone() -> None:
    """Whoever can open it can invite anybody."""
    async with server() as running:
        mode = (running.folder / "admin.sock").stat().st_mode
        assert mode & 0o777 == 0o600
    assert not (running.folder / "admin.sock").exists()


async def test_status_counts_what_there_is() -> None:
    """Figures, no names."""
    async with server() as running, connect(running.address.port) as peer:
        await peer.register(Account(), running.join)
        status = await ask(running, command="status")
        assert status["accounts"] == 1
        assert status["signed_in"] == 1
        assert status["address"] == str(running.address)


async def test_status_says_what_runs_and_by_which_clock() -> None:
    """A person who looks for a fault compares these with what he has set."""
    async with server() as running:
        status = await ask(running, command="status")
        assert status["listen"] == str(running.server.address)
        assert status["health"] == str(running.server.health_address)
        assert status["connections_max"] == Limits().connections_max
        # Also before the first record: the engine's first tick is one.
        now_ms, newest_ms = status["clock_ms"], status["newest_ms"]
        assert isinstance(now_ms, int)
        assert isinstance(newest_ms, int)
        assert newest_ms <= now_ms


async def test_the_admin_counts_what_waits_for_a_device() -> None:
    """Whether a message is gone from the server can be asked, not only believed."""
    alice, bob = Account(), Account()
    async with (
        server() as running,
        connect(running.address.port) as sender,
        connect(running.address.port) as receiver,
    ):
        await sender.register(alice, running.join)
        await receiver.register(bob, running.join)
        waiting = {"command": "inbox", "user": bob.user.hex()}
        assert (await ask(running, **waiting))["entries"] == 0
        message = sender.send_message(bob, b"x" * 100)
        assert isinstance(await sender.ask(message), Sequenced)
        before = await ask(running, **waiting)
        assert before["entries"] == 1
        await receiver.deliver_and_ack()
        await receiver.ask(Ping(1))
        assert await ask(running, **waiting) == {"entries": 0, "bytes": 0}
        for wrong in ({"user": "0a"}, {"user": "x" * 32}, {**waiting, "device": 128}):
            with pytest.raises(AdminError, match="an inbox is named"):
                await ask(running, **{**waiting, **wrong})


async def test_an_invite_of_the_admin_lets_one_person_in() -> None:
    """Single-use by default."""
    async with server() as running:
        reply = await ask(running, command="invite")
        join = str(reply["join"])
        assert reply["uses"] == 1
        async with connect(running.address.port) as peer:
            await peer.register(Account(), join)
        for wrong in ({"uses": 0}, {"expires_seconds": 0}, {"uses": 10**9}):
            with pytest.raises(AdminError):
                await ask(running, command="invite", **wrong)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"no json\n", "no admin request"),
        (b'{"command": "dance"}\n', "known: accept-clock, backup, drain, inbox, inv"),
        (b'{"command": "status", "x": 1}\n', "unknown field"),
        (b"[" * 5_000, "no admin request"),
        (b"", "no admin request"),
    ],
)
async def test_a_wrong_admin_request_is_answered(line: bytes, expected: str) -> None:
    """An operator's script deserves a reason."""
    async with server() as running:
        stream = await trio.open_unix_socket(running.folder / "admin.sock")
        async with stream:
            await stream.send_all(line)
            with trio.fail_after(10):
                await trio.lowlevel.checkpoint()
                stream.socket.shutdown(1)
                answer = await stream.receive_some(65_536)
        reply = json.loads(answer)
        assert reply["ok"] is False
        assert expected in reply["error"]
        assert (await ask(running, command="accept-clock"))["step_ms"] == 0


async def test_a_folder_without_a_server_is_said(tmp_path: Path) -> None:
    """Not a stack trace."""
    with pytest.raises(AdminError, match="no server runs on"):
        ask_admin(tmp_path, {"command": "status"})


async def test_the_admin_socket_works_in_a_deep_folder(tmp_path: Path) -> None:
    """A Unix socket's own path has a hundred bytes; folders don't."""
    deep = tmp_path / ("d" * 90) / ("e" * 90)
    deep.mkdir(parents=True)
    async with server(folder=deep) as running:
        assert (await ask(running, command="status"))["accounts"] == 0


async def test_a_drain_says_goaway_and_stops() -> None:
    """Clients go elsewhere in peace; nothing that was taken is lost."""
    alice, bob = Account(), Account()
    async with server() as running:
        port = running.address.port
        async with connect(port) as to_alice, connect(port) as to_bob:
            await to_bob.register(bob, running.join)
            await to_alice.register(alice, running.join)
            sent = await to_alice.ask(to_alice.send_message(bob, b"before"))
            assert isinstance(sent, Sequenced)
            assert (await get(running, "/readyz"))[0] == 200
            await ask(running, command="drain")
            entry = await to_bob.deliver_and_ack()
            assert entry.ciphertext == b"before"
            for peer in (to_alice, to_bob):
                seen = await peer.wait_closed()
                assert any(isinstance(event, PeerGoingAway) for event in seen)
        with trio.fail_after(25):
            await running.server.wait_stopped()
        assert (await get(running, "/readyz"))[0] == 503
        with pytest.raises(OSError, match="all attempts to connect"):
            await trio.open_tcp_stream("127.0.0.1", port)


async def test_a_drain_does_not_wait_for_ever() -> None:
    """A peer that ignores GOAWAY is cut when the time is over."""
    limits = msgspec.structs.replace(Limits(), drain_seconds=0.5)
    async with (
        server(limits=limits) as running,
        connect(running.address.port) as peer,
    ):
        await peer.register(Account(), running.join)
        # Half a frame: the connection stays busy whatever is said to it.
        await peer.stream.send_all(b"\x00\x00\x10\x00\x00\x50\x00\x00")
        running.server.request_drain()
        with trio.fail_after(10):
            await running.server.wait_stopped()
        assert not running.server.is_ready


async def test_health_answers_what_it_knows() -> None:
    """Balancers and scrapers ask three things."""
    async with server() as running:
        assert await get(running, "/healthz") == (200, "ok\n")
        assert await get(running, "/readyz?x=1") == (200, "ready\n")
        status, metrics = await get(running, "/metrics")
        assert status == 200
        assert "wigwag_connections_opened_total 0.0" in metrics
        assert 'wigwag_commit_seconds_bucket{le="+Inf"}' in metrics
        assert (await get(running, "/etc/passwd"))[0] == 404
        assert (await http(running, b"POST /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))[
            0
        ] == 405
        assert await http(running, b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n") == (
            200,
            "",
        )


async def test_noise_at_the_health_port_changes_nothing() -> None:
    """It is a port like any other."""
    async with server() as running:
        address = running.server.health_address
        assert address is not None
        for noise in (b"\x16\x03\x01", b"x" * 20_000, b""):
            stream = await trio.open_tcp_stream(address.host, address.port)
            async with stream:
                await stream.send_all(noise)
                stream.socket.shutdown(1)
                with trio.fail_after(10):
                    try:
                        while await stream.receive_some(4_096):
                            pass
                    except trio.BrokenResourceError:
                        continue
        assert await get(running, "/healthz") == (200, "ok\n")
        assert running.server.services.hub.counts.failures == 0


async def test_health_can_be_off() -> None:
    """No port is the safest port."""
    config = Config(listen="127.0.0.1:0", health=HealthConfig(listen="off"))
    async with server(config) as running:
        assert running.server.health_address is None


def test_a_log_keeps_known_keys_and_no_bytes() -> None:
    """A key that nobody thought about must not carry a secret."""
    text = io.StringIO()
    log = make_log("json", "info", text)
    log.info("event", reason="fine", body="abc", address=b"bytes")
    log.debug("below the level")
    (line,) = text.getvalue().splitlines()
    event = json.loads(line)
    assert event["reason"] == "fine"
    assert sorted(event["dropped_keys"]) == ["address", "body"]
    assert "abc" not in line


def test_a_console_log_is_for_people() -> None:
    """One line, readable, without colours when it isn't a terminal."""
    text = io.StringIO()
    make_log("console", "info", text).warning("disk_full", reason="no space")
    assert "disk_full" in text.getvalue()
    assert "\x1b" not in text.getvalue()


def test_the_event_name_itself_is_kept() -> None:
    """Without it a log says nothing."""
    kept = keep_known_values(None, "info", {"event": "x", "level": "info"})
    assert kept == {"event": "x", "level": "info"}
    assert {"event", "level", "timestamp"} <= LOG_KEYS
