"""The real command as a process: ready line, reasons, signals, kill -9 under load."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trio
from tests.server._peer import Account, connect

from wigwag.spec import ExitCode
from wigwag.testing import ServerNotReadyError, ServerProcess, server_process
from wigwag.wire import ErrorCode, PeerGoingAway, Sequenced


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "wigwag", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


def only_line(text: str) -> str:
    """The one line that a text consists of."""
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    return lines[0]


def test_a_wrong_configuration_is_one_sentence(tmp_path: Path) -> None:
    """With file, line, and what was meant; status 3."""
    path = tmp_path / "wigwag.toml"
    path.write_text("[log]\nformt = 'json'\n")
    checked = run("serve", "--config", str(path), "--check-config")
    served = run("serve", "--config", str(path), "--data", str(tmp_path / "data"))
    for result in (checked, served):
        assert result.returncode == ExitCode.CONFIGURATION
        assert only_line(result.stderr) == (
            f"wigwag serve: {path}:2: there is no setting 'formt' in [log]; "
            "did you mean 'format'?"
        )
        assert result.stdout == ""
    assert not (tmp_path / "data").exists()


def test_a_good_configuration_is_said_to_be_good(tmp_path: Path) -> None:
    """--check-config touches nothing."""
    data = str(tmp_path / "data")
    result = run("serve", "--check-config", "--data", data, "--listen", "[::1]:1")
    assert result.returncode == ExitCode.OK
    assert result.stdout == "the configuration is good\n"
    assert not (tmp_path / "data").exists()
    result = run("serve", "--check-config", WIGWAG_SERVER_LISTEN="nowhere")
    assert result.returncode == ExitCode.CONFIGURATION
    assert "WIGWAG_SERVER_LISTEN" in result.stderr


def test_too_few_descriptors_are_a_warning_with_what_to_do(tmp_path: Path) -> None:
    """Fewer connections than configured must not be found out in a storm."""
    (tmp_path / "data").touch()  # no folder, so that it ends at once
    line = 'ulimit -n 300 && exec "$0" -m wigwag "$@"'
    result = subprocess.run(
        ["/bin/sh", "-c", line, sys.executable, "serve", "--data", tmp_path / "data"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "WIGWAG_SERVER_LOG__FORMAT": "json"},
    )
    warning = json.loads(result.stderr.splitlines()[0])
    assert (warning["event"], warning["level"]) == ("fewer_connections", "warning")
    assert warning["connections"] == 44
    assert "20000 need 20256 descriptors and the system allows 300" in warning["reason"]
    assert "LimitNOFILE=20256" in warning["reason"]
    assert "limits.connections_max = 44" in warning["reason"]


def test_a_second_server_on_the_folder_is_told_who_holds_it(tmp_path: Path) -> None:
    """Two servers on one folder would be two truths; status 8."""
    with server_process(tmp_path) as process:
        second = ServerProcess(tmp_path)
        with pytest.raises(ServerNotReadyError) as caught:
            second.start()
        assert caught.value.exit_code == ExitCode.IN_USE
        assert f"is held by process {process.pid} since" in str(caught.value)


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    """Status 8, and the folder is left as it was."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = ("--data", str(tmp_path / "data"), "--listen", f"127.0.0.1:{port}")
        result = run("serve", *options)
    assert result.returncode == ExitCode.IN_USE
    assert f"127.0.0.1:{port} is in use" in result.stderr.splitlines()[-1]


def test_an_address_of_another_machine_is_one_sentence(tmp_path: Path) -> None:
    """Status 3: it will not become right by waiting."""
    options = ("--data", str(tmp_path / "data"), "--listen", "192.0.2.1:7411")
    result = run("serve", *options)
    assert result.returncode == ExitCode.CONFIGURATION
    assert "192.0.2.1:7411: " in result.stderr.splitlines()[-1]


def test_a_damaged_database_is_said(tmp_path: Path) -> None:
    """Status 3; nothing is written over it."""
    data = tmp_path / "data"
    data.mkdir()
    damaged = b"this is no database, and never was" * 200
    (data / "wigwag.db").write_bytes(damaged)
    result = run("serve", "--data", str(data), "--listen", "127.0.0.1:0")
    assert result.returncode == ExitCode.CONFIGURATION, result.stderr
    assert "is not a usable Wigwag database" in result.stderr.splitlines()[-1]
    assert (data / "wigwag.db").read_bytes() == damaged


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    """Status 9: the file system refused."""
    path = tmp_path / "file"
    path.write_text("x")
    result = run("serve", "--data", str(path), "--listen", "127.0.0.1:0")
    assert result.returncode == ExitCode.STORAGE
    assert "a file stands where a folder is needed" in result.stderr


def test_the_admin_command_works_on_a_running_server(tmp_path: Path) -> None:
    """Status, invite, drain; --json puts only JSON on standard output."""
    with server_process(tmp_path) as process:
        data = ("--data", str(process.folder))
        status = run("admin", "status", *data)
        assert status.returncode == ExitCode.OK, status.stderr
        assert "accounts         0" in status.stdout
        invite = run("admin", "invite", "--uses", "3", "--expires", "48h", *data)
        assert invite.stdout.startswith(f"wigwag://127.0.0.1:{process.port}/#v1.")
        as_json = run("admin", "invite", "--json", *data)
        assert '"uses":1' in as_json.stdout
        wrong = run("admin", "invite", "--expires", "soon", *data)
        assert wrong.returncode == ExitCode.USAGE
        assert "write 30m, 24h or 7d" in wrong.stderr
        assert run("admin", "drain", *data).returncode == ExitCode.OK
        assert process.wait() == ExitCode.OK
    gone = run("admin", "status", *data)
    assert gone.returncode == ExitCode.UNREACHABLE
    assert "no server runs on" in only_line(gone.stderr)


def test_files_and_core_dumps_are_nobody_elses(tmp_path: Path) -> None:
    """What a server writes is for its own user, whatever the umask."""
    with server_process(tmp_path) as process:
        limits = Path(f"/proc/{process.pid}/limits")
        if limits.exists():
            (core,) = [
                line
                for line in limits.read_text().splitlines()
                if line.startswith("Max core file size")
            ]
            assert core.split()[4:6] == ["0", "0"]
        for path in process.folder.iterdir():
            assert path.stat().st_mode & 0o077 == 0, path


async def test_sigterm_drains_and_a_second_signal_does_not_wait(
    tmp_path: Path,
) -> None:
    """Init systems send the first; people in a hurry both."""
    with server_process(tmp_path, options=("--limits-profile", "bench")) as process:
        async with connect(process.port) as peer:
            await peer.register(Account(), process.join)
            process.send_signal(signal.SIGTERM)
            seen = await peer.wait_closed()
            away = [event for event in seen if isinstance(event, PeerGoingAway)]
            # One when it begins, one with the last request that was handled.
            assert {event.code for event in away} == {ErrorCode.GOING_AWAY}
        assert await trio.to_thread.run_sync(process.wait) == ExitCode.OK
        await trio.to_thread.run_sync(process.start)
        # It waits for this connection, which never gets as far as a handshake.
        async with await trio.open_tcp_stream("127.0.0.1", process.port):
            process.send_signal(signal.SIGINT)
            await _until_refused(process.port)
            process.send_signal(signal.SIGINT)
            code = await trio.to_thread.run_sync(process.wait)
        assert code == ExitCode.TRY_LATER


async def _until_refused(port: int) -> None:
    """Connect until nobody listens any more: the drain has begun."""
    with trio.fail_after(30):
        while True:
            try:
                stream = await trio.open_tcp_stream("127.0.0.1", port)
            except OSError:
                return
            await stream.aclose()


async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    """SEQUENCED means durable: the smallest form of the promise."""
    alice, bob = Account(), Account()
    with server_process(tmp_path) as process:
        async with connect(process.port) as to_bob:
            await to_bob.register(bob, process.join)
        async with connect(process.port) as to_alice:
            await to_alice.register(alice, process.join)
            send = to_alice.send_message(bob, b"before the crash")
            first = await to_alice.ask(send)
            assert isinstance(first, Sequenced)
            process.kill()
        await trio.to_thread.run_sync(process.start)
        async with connect(process.port) as to_alice:
            signed_in = await to_alice.sign_in(alice)
            assert signed_in.last_stored_id == send.client_msg_id
            assert await to_alice.ask(send) == first
        async with connect(process.port) as to_bob:
            await to_bob.sign_in(bob)
            entry = await to_bob.deliver_and_ack()
            assert entry.ciphertext == b"before the crash"
