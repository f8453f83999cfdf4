"""`wigwag doctor` beside servers: each problem is made, found, and mended."""

import fcntl
import os
import resource
import shutil
import socket
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest
import trio
from tests.client._cli_world import Home
from tests.doctor._world import (
    PROBLEM,
    Verdict,
    diagnose,
    look_of,
    mend,
    started,
    with_options,
)

from wigwag.doctor import ServerOptions, _folder
from wigwag.doctor._folder import check_space
from wigwag.doctor._server import check_server
from wigwag.server import Config, DataFolder, TLSConfig
from wigwag.server._certificates import load_identity
from wigwag.server.engines import SystemClock, checked_vfs
from wigwag.server.engines._sql import typed
from wigwag.testing import server, server_process

LIMITED = "WIGWAG_SERVER_LIMITS__CONNECTIONS_MAX"
"""So many that every machine that runs tests has the descriptors."""

FEW = {LIMITED: "100"}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that a server has left cleanly; copied, never changed."""
    folder = tmp_path_factory.mktemp("pristine")
    with server_process(folder) as running:
        assert running.stop() == 0
        return running.folder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with commands, where the server's usual data folder is free."""
    return Home(tmp_path)


@pytest.fixture
def data(home: Home, pristine: Path) -> Path:
    """A copy of the pristine folder, at the usual place."""
    return Path(shutil.copytree(pristine, home.home / "data" / "wigwag" / "server"))


@pytest.fixture
def port() -> Generator[int, None, None]:
    """A port that nobody else is given meanwhile: bound, and not listening."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def ask(home: Home, *arguments: str, port: int = 0, **variables: str) -> Verdict:
    """Ask the doctor of a server that has a port of its own."""
    listen = ["--listen", f"127.0.0.1:{port}", "--health", "off"]
    return diagnose(home, "--server", *listen, *arguments, **{**FEW, **variables})


def test_a_server_that_was_stopped_well_has_no_problem(home: Home, data: Path) -> None:
    """And a look at it leaves no trace: a doctor who changes things is a risk."""
    before = look_of(data)
    verdict = ask(home)
    assert verdict.code == 0
    assert verdict.not_ok() == {}
    assert look_of(data) == before
    assert set(verdict.value) == {"checks", "summary", "exit_code"}
    for check in verdict.value["checks"]:
        assert check.keys() == {
            "subject",
            "name",
            "status",
            "text",
            "remedy",
            "milliseconds",
        }
    assert verdict.of("certificate-expiry")["text"].startswith("it ends in ")


def test_a_person_reads_a_line_a_check_and_below_it_the_remedy(
    home: Home, data: Path
) -> None:
    """Without --json, as most will see it."""
    data.chmod(0o755)
    listen = ("--listen", "127.0.0.1:0", "--health", "off")
    done = home.run("doctor", *listen, environment=FEW)
    assert done.code == PROBLEM
    lines = done.out.splitlines()
    place = next(number for number, line in enumerate(lines) if "folder-mode" in line)
    assert lines[place].split()[0] == "problem"
    assert lines[place + 1].split(None, 2)[2] == f"chmod 700 {data}"
    assert lines[-1].endswith("checks: 1 problem, 0 warnings")
    assert not done.err


def test_others_may_not_look_into_the_folder_or_its_keys(
    home: Home, data: Path
) -> None:
    """Wrong modes come with every copy by hand; the remedy is run as it stands."""
    data.chmod(0o755)
    (data / "leaf-key.pem").chmod(0o644)
    verdict = ask(home)
    assert verdict.code == PROBLEM
    assert verdict.not_ok() == {"folder-mode": "problem", "file-modes": "problem"}
    for name in verdict.not_ok():
        mend(home, verdict.of(name)["remedy"])
    assert ask(home).not_ok() == {}


def expire(data: Path) -> None:
    """Let the server's own leaf be one of two years ago, with a CA that lasts."""
    for path in data.glob("*.pem"):
        path.unlink()
    then = datetime.now(UTC) - timedelta(days=700)
    load_identity(DataFolder(data), TLSConfig(), ("127.0.0.1",), then)


def mistake_key(data: Path) -> None:
    """Put another key beside the leaf."""
    shutil.copy(data / "ca-key.pem", data / "leaf-key.pem")


def spoil_leaf(data: Path) -> None:
    """Make the leaf unreadable."""
    (data / "leaf.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")


def spoil_authority(data: Path) -> None:
    """Make the CA unreadable."""
    (data / "ca.pem").write_text("nonsense")


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        (expire, "certificate-expiry"),
        (mistake_key, "certificate-key"),
        (spoil_leaf, "certificate"),
        (spoil_authority, "certificate"),
    ],
)
def test_a_certificate_that_clients_refuse_is_found_and_made_anew(
    home: Home, data: Path, damage: Callable[[Path], None], name: str
) -> None:
    """Each remedy is run, and the next look finds nothing."""
    damage(data)
    verdict = ask(home)
    assert verdict.code == PROBLEM
    assert verdict.not_ok() == {name: "problem"}
    with started(home, verdict.of(name)["remedy"]):
        pass
    assert ask(home).not_ok() == {}


def test_a_given_certificate_is_asked_for_again_by_a_request(
    home: Home, data: Path
) -> None:
    """Only its issuer can make it; the request to him is made by the remedy."""
    given = home.home / "given"
    given.mkdir()
    now = datetime.now(UTC) - timedelta(days=700)
    load_identity(DataFolder(given), TLSConfig(), ("chat.example",), now)
    paths = f'certificate = "{given}/leaf.pem"\nprivate_key = "{given}/leaf-key.pem"'
    options = with_options(home, f"[tls]\n{paths}\n")
    (given / "leaf-key.pem").chmod(0o640)
    verdict = ask(home, *options, "--public-name", "other.example")
    assert verdict.not_ok() == {
        "certificate-expiry": "problem",
        "certificate-name": "problem",
        "key-mode": "problem",
    }
    mend(home, verdict.of("key-mode")["remedy"])
    if shutil.which("openssl"):
        mend(home, verdict.of("certificate-expiry")["remedy"])
        assert "CERTIFICATE REQUEST" in (home.home / "leaf.csr").read_text()


def test_the_name_that_clients_dial_is_held_against_the_certificate(
    home: Home, data: Path
) -> None:
    """A server's own certificate gets a new name at the next start."""
    named = ("--public-name", "chat.example")
    verdict = ask(home, *named)
    assert verdict.not_ok() == {"certificate-name": "problem"}
    assert "clients dial chat.example" in verdict.of("certificate-name")["text"]
    with started(home, verdict.of("certificate-name")["remedy"]):
        pass
    assert ask(home, *named).not_ok() == {}


def test_a_misspelt_setting_is_spelt_right_by_the_remedy(
    home: Home, data: Path
) -> None:
    """The most frequent mistake of all costs one command."""
    options = with_options(home, '# mine\npublic_nam = "chat.example"\n')
    verdict = ask(home, *options)
    assert verdict.code == PROBLEM
    assert verdict.not_ok() == {"configuration": "problem"}
    mend(home, verdict.of("configuration")["remedy"])
    assert "configuration" not in ask(home, *options).not_ok()
    verdict = ask(home, WIGWAG_SERVER_LOG__FORMAT="xml")
    assert verdict.of("configuration")["remedy"] == "unset WIGWAG_SERVER_LOG__FORMAT"
    verdict = ask(home, *with_options(home, "\n[log]\nlevel = 7\n"))
    assert " +3 " in verdict.of("configuration")["remedy"]


def test_a_port_that_somebody_has_is_told_with_another(home: Home, data: Path) -> None:
    """The remedy starts the server elsewhere."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        verdict = ask(home, port=other.getsockname()[1])
        assert verdict.code == PROBLEM
        assert verdict.not_ok() == {"port": "problem"}
        with started(home, verdict.of("port")["remedy"]) as line:
            assert f":{other.getsockname()[1]}," not in line


def flip(data: Path) -> None:
    """Change one bit in the middle of the database."""
    path = data / "wigwag.db"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def make_newer(data: Path) -> None:
    """Let it be written by a later release."""
    connection = apsw.Connection(str(data / "wigwag.db"), vfs=checked_vfs())
    typed(connection).execute("UPDATE log SET schema = 99, version = '7.1.0'")
    typed(connection).wal_checkpoint(None, apsw.SQLITE_CHECKPOINT_TRUNCATE)
    connection.close()


@pytest.mark.parametrize(
    ("damage", "remedy"),
    [(flip, "wigwag admin restore BACKUP"), (make_newer, "'wigwag[server]>=7.1.0'")],
)
def test_a_database_that_no_start_would_take_is_found(
    home: Home, data: Path, damage: Callable[[Path], None], remedy: str
) -> None:
    """Before the start, and with what helps."""
    damage(data)
    verdict = ask(home)
    assert verdict.code == PROBLEM
    assert verdict.not_ok() == {"database": "problem"}
    assert remedy in verdict.of("database")["remedy"]


def test_what_a_crash_leaves_is_whole_and_what_is_cut_off_is_lost(home: Home) -> None:
    """The log is part of the database; without its end commits are missing."""
    folder = home.home / "data" / "wigwag"
    folder.mkdir(parents=True)
    with server_process(folder) as running:
        assert running.kill() < 0
    running.folder.rename(folder / "server")
    log = folder / "server" / "wigwag.db-wal"
    before = look_of(folder)
    verdict = ask(home)
    assert verdict.not_ok() == {}
    assert "that a crash has left are whole" in verdict.of("log")["text"]
    assert look_of(folder) == before
    os.truncate(log, log.stat().st_size // 2)
    verdict = ask(home)
    assert verdict.not_ok() == {"database": "problem"}
    assert "commits are lost" in verdict.of("database")["text"]
    with started(home, verdict.of("database")["remedy"]):
        pass
    assert ask(home).not_ok() == {}


async def test_a_clock_that_contradicts_the_records_must_be_confirmed(
    tmp_path: Path,
) -> None:
    """A stopped server's newest record is a day ahead of the machine."""
    day_ns = 86_400 * 10**9
    clock = SystemClock(lambda: time.time_ns() + day_ns)
    async with server(folder=tmp_path, clock=clock) as running:
        await running.invite()
    home = Home(tmp_path)
    options = ("--data", str(tmp_path / "data"))
    verdict = await trio.to_thread.run_sync(lambda: ask(home, *options))
    # The certificate, too, was made by that clock.
    assert verdict.not_ok()["clock"] == "problem"
    assert "s behind the newest record" in verdict.of("clock")["text"]
    remedy = verdict.of("clock")["remedy"]
    assert remedy.endswith("--accept-clock")

    def confirm() -> Verdict:
        with started(home, remedy):
            pass
        return ask(home, *options)

    assert "clock" not in (await trio.to_thread.run_sync(confirm)).not_ok()


async def test_a_running_server_that_does_not_follow_the_clock_is_found(
    tmp_path: Path,
) -> None:
    """The machine's clock was set by an hour while it ran."""
    wall = SystemClock(lambda: time.time_ns() - 3_600 * 10**9)
    async with server(folder=tmp_path, clock=wall) as running:
        options = ServerOptions(
            data=str(running.folder), listen="127.0.0.1:0", health="off"
        )
        checks = await trio.to_thread.run_sync(check_server, options)
        clock = next(check for check in checks if check.name == "clock")
        assert clock.is_problem
        assert "set by +3600" in clock.text
        assert clock.remedy == f"wigwag admin accept-clock --data {running.folder}"


def test_a_look_at_a_running_server_disturbs_nobody(tmp_path: Path) -> None:
    """No lock is asked for, nothing written, no connection refused, none left."""
    with server_process(tmp_path, environment=FEW) as running:
        home = Home(tmp_path)
        listen = ("--data", str(running.folder), "--listen", "127.0.0.1:0")
        verdict = diagnose(home, "--server", *listen, "--health", "off", **FEW)
        assert verdict.not_ok() == {}
        assert f"process {running.pid} serves" in verdict.of("running")["text"]
        assert verdict.of("port")["text"] == f"127.0.0.1:{running.port} answers"
        status = home.run("admin", "status", "--json", "--data", str(running.folder))
        assert status.value()["failures"] == 0
        assert running.stop() == 0
    assert "Traceback" not in running.log_path.read_text()


def test_a_server_with_too_few_descriptors_takes_fewer_connections(
    tmp_path: Path,
) -> None:
    """Found before a start, in a process that is allowed few."""
    home = Home(tmp_path)
    line = "ulimit -n 300; wigwag doctor --server --listen 127.0.0.1:0 --health off"
    done = home.shell(f"{line} --json", FEW)
    check = Verdict(done.code, done.value()).of("descriptors")
    assert check["status"] == "warning"
    assert "300 are allowed here" in check["text"]
    assert "--nofile=356:356" in check["remedy"]
    assert done.code == 0


def test_a_budget_above_the_memory_is_found_and_set(home: Home, data: Path) -> None:
    """The system would kill the server instead."""
    verdict = ask(home, WIGWAG_SERVER_LIMITS__MEMORY_BYTES_MAX=str(10**15))
    assert verdict.not_ok() == {"memory": "problem"}
    export, _, setting = verdict.of("memory")["remedy"].partition(" ")
    assert export == "export"
    name, _, value = setting.partition("=")
    assert ask(home, **{name: value}).not_ok() == {}


def test_settings_for_trials_are_told_on_a_public_server(
    home: Home, data: Path
) -> None:
    """What is fine on a laptop isn't where others can reach it."""
    public = {
        "WIGWAG_SERVER_LISTEN": "0.0.0.0:0",
        "WIGWAG_SERVER_DEVELOPMENT": "true",
        "WIGWAG_SERVER_REGISTRATION": "open",
        "WIGWAG_SERVER_TRACE_FRAMES": str(home.home / "trace"),
        "WIGWAG_SERVER_HEALTH__LISTEN": "0.0.0.0:0",
        "WIGWAG_SERVER_LIMITS_PROFILE": "bench",
        "WIGWAG_SERVER_LIMITS__MEMORY_BYTES_MAX": "2000000",
    }
    verdict = diagnose(home, "--server", **FEW, **public)
    names = ["public-name", "rate-limits", "registration", "trace", "health-port"]
    assert verdict.not_ok() == dict.fromkeys([*names, "connections"], "warning")
    assert verdict.code == 0


def test_space_that_runs_out_is_told_before_it_has(
    home: Home, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reserve is gone after a full disk; both say what takes the room."""
    (data / "wigwag.db.reserve").unlink()
    verdict = ask(home)
    assert verdict.not_ok() == {"reserve": "problem"}
    mend(home, verdict.of("reserve")["remedy"])
    free = shutil.disk_usage(data).free
    monkeypatch.setattr(_folder, "FREE_BYTES_LOW", 2 * free)
    assert check_space(data, "server").level == "warning"
    monkeypatch.setattr(_folder, "FREE_BYTES_MIN", 2 * free)
    assert check_space(data, "server").level == "problem"


def test_a_process_that_holds_the_folder_and_is_silent_is_named(
    home: Home, data: Path
) -> None:
    """It may start, restore or hang; the doctor takes nothing away from it."""
    with (data / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"process {os.getpid()} since now\n")
        lock.flush()
        (data / "restoring").write_text("{}")
        verdict = ask(home)
        assert verdict.not_ok() == {"running": "warning", "restore": "problem"}
        assert verdict.of("running")["remedy"] == f"kill {os.getpid()}"
    assert "none runs" in ask(home).of("running")["text"]


def test_there_is_nothing_to_look_at_before_the_first_start(home: Home) -> None:
    """No folder is no fault, and an empty one neither."""
    verdict = diagnose(home)
    assert (verdict.code, verdict.not_ok()) == (0, {"found": "warning"})
    verdict = ask(home)
    assert (verdict.code, verdict.not_ok()) == (0, {"folder": "warning"})
    with started(home, verdict.of("folder")["remedy"]):
        pass
    assert ask(home).not_ok() == {}


def test_what_belongs_to_somebody_else_is_not_judged(home: Home, data: Path) -> None:
    """Its content can't be read, and looking as the right user is the remedy."""
    if os.geteuid():
        pytest.skip("only root can give a file away")
    os.chown(data, 4_711, -1)
    verdict = ask(home)
    assert verdict.of("owner")["status"] == "problem"
    assert "4711" in verdict.of("owner")["text"]
    assert "database" not in {check["name"] for check in verdict.value["checks"]}


def test_the_limits_of_this_process_are_what_they_were() -> None:
    """A look raises no limit, as a start does."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    check_server(ServerOptions(data="/nonexistent", listen="127.0.0.1:0"))
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
    assert Config().limits.connections_max > 0
