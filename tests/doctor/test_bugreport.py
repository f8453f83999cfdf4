"""`wigwag bugreport`: what is in it, what isn't, and what stops it."""

import base64
import json
import tarfile
from collections.abc import Generator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.client._cli_world import PASSPHRASE, World, open_world

from wigwag.audit import Needle
from wigwag.doctor._cli import bugreport
from wigwag.doctor._pseudonyms import Pseudonyms
from wigwag.doctor._search import Secrets, search
from wigwag.spec import ExitCode

TEXT = "Meet me at the old mill at seven"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World, None, None]:
    """A server with two people, one of whom has written to the other."""
    with open_world(tmp_path_factory.mktemp("world")) as world:
        for name in ("alice", "bobolina"):
            world.register(name)
        world.run("send", "bobolina", TEXT, "-p", "alice").succeeded()
        yield world


def report(world: World, path: Path, *arguments: str) -> Result:
    """Run the command here, with the world's environment."""
    data = ("--server", "--client", "--data", str(world.server.folder))
    return CliRunner().invoke(
        bugreport,
        [str(path), *data, "--health", "off", *arguments],
        env=dict(world.environment),
        catch_exceptions=False,
    )


def unpack(path: Path) -> dict[str, bytes]:
    """Return the files of a report by name."""
    found: dict[str, bytes] = {}
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            assert member.mode == 0o600
            assert not member.uname
            file = archive.extractfile(member)
            assert file is not None
            found[member.name.removeprefix("wigwag-report/")] = file.read()
    return found


def test_a_report_says_what_a_repair_needs_and_lists_what_it_says(
    world: World, tmp_path: Path
) -> None:
    """And asks that it be looked at: nothing leaves the machine."""
    path = tmp_path / "report.tar.gz"
    log = tmp_path / "server.log"
    log.write_text("".join(f"line {number}\n" for number in range(50)))
    done = report(world, path, "--log", str(log), "--log-lines", "7")
    assert done.exit_code == 0, done.output
    assert "Nothing was sent anywhere" in done.stdout
    assert path.stat().st_mode & 0o777 == 0o600
    files = unpack(path)
    for name in files:
        assert name in done.stdout
    assert files.keys() == {
        "README.txt",
        "versions.json",
        "configuration.json",
        "doctor.json",
        "status.json",
        "profile-1.json",
        "profile-2.json",
        "log-1.txt",
    }
    assert files["log-1.txt"].split()[0::2] == [b"line"] * 7
    assert json.loads(files["status.json"])["accounts"] == 2
    assert json.loads(files["profile-1.json"])["messages"] == 1
    assert json.loads(files["versions.json"])["packages"]["wigwag"]
    doctor = json.loads(files["doctor.json"])
    assert {check["subject"] for check in doctor["checks"]} >= {"server"}


def test_nobody_is_named_and_the_same_one_has_the_same_name(
    world: World, tmp_path: Path
) -> None:
    """Who is in a report can't be told; that it is one person can."""
    path = tmp_path / "report.tar.gz"
    log = tmp_path / "client.log"
    user = world.run("status", "-p", "alice", "--json").value()["user"]
    log.write_text(
        f"bobolina came from 203.0.113.7, alice ({user}) from 2001:db8::7\n"
        f"bobolina left 203.0.113.7 at 12:34:56 with 127.0.0.1\n"
        f"joined by {world.server.join} at {world.server.folder}/wigwag.db\n"
    )
    done = report(world, path, "--log", str(log), "--json")
    assert done.exit_code == 0, done.output
    value = json.loads(done.stdout)
    assert value["written"] is True
    assert [file["name"] for file in value["files"]] == list(unpack(path))
    text = b"".join(unpack(path).values()).decode()
    for secret in ("alice", "bobolina", user, "203.0.113.7", str(world.home), "db8"):
        assert secret not in text
    first, second, third = unpack(path)["log-1.txt"].decode().splitlines()
    assert first.split()[0] == second.split()[0]
    assert first.split()[3].rstrip(",") == second.split()[2]
    assert second.endswith("at 12:34:56 with 127.0.0.1")
    assert third.startswith("joined by join-")
    assert third.endswith("/wigwag.db")


def planted(world: World) -> dict[str, str]:
    """Return lines that no report may hold, by what is said of them."""
    key = (world.server.folder / "leaf-key.pem").read_text()
    body = "".join(key.splitlines()[1:-1])
    return {
        "a PEM block": key,
        "a private key of the server": base64.b64decode(body).hex(),
        "the text of a message": f"event=send text={TEXT!r}",
        "a passphrase": f"unlocked with {PASSPHRASE}",
        "a 16-byte id or a key, in hexadecimal": "k=" + "ab" * 32,
        "a signed token": "Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2ln",
    }


def test_a_secret_in_a_log_stops_the_report(world: World, tmp_path: Path) -> None:
    """Each kind is planted in a log of its own; what is said never repeats it."""
    lines = planted(world)
    path, logs = tmp_path / "report.tar.gz", list[str]()
    for number, line in enumerate(lines.values(), 1):
        log = tmp_path / f"{number}.log"
        log.write_text(f"nothing here\n{line}\n")
        logs += ["--log", str(log)]
    done = report(world, path, *logs, "--json")
    assert done.exit_code == ExitCode.AUTHENTICATION
    value = json.loads(done.stdout)
    assert value["written"] is False
    assert not path.exists()
    found = {(one["file"], one["kind"], one["line"]) for one in value["findings"]}
    for number, (kind, line) in enumerate(lines.items(), 1):
        assert (f"log-{number}.txt", kind, 2) in found
        assert line not in done.output


def test_a_person_is_told_where_the_secret_is(world: World, tmp_path: Path) -> None:
    """Without --json, in words and on standard error."""
    log = tmp_path / "server.log"
    log.write_text(f"{TEXT}\n")
    done = report(world, tmp_path / "report.tar.gz", "--log", str(log))
    assert done.exit_code == ExitCode.AUTHENTICATION
    assert "log-1.txt, line 1: the text of a message" in done.stderr
    assert TEXT not in done.output


def test_a_report_takes_nothing_s_place(world: World, tmp_path: Path) -> None:
    """Nor is one left half written where the disk refuses."""
    path = tmp_path / "report.tar.gz"
    path.write_text("mine")
    assert report(world, path).exit_code == ExitCode.USAGE
    assert path.read_text() == "mine"
    assert report(world, tmp_path / "no" / "x.gz").exit_code == ExitCode.STORAGE


def test_a_stopped_server_is_counted_from_its_database(tmp_path: Path) -> None:
    """And a profile that can't be opened is said to be closed."""
    with open_world(tmp_path) as world:
        world.register("alice")
        world.server.stop()
        del world.environment["WIGWAG_PASSPHRASE"]
        path = tmp_path / "report.tar.gz"
        done = report(world, path)
    assert done.exit_code == 0, done.output
    files = unpack(path)
    assert json.loads(files["database.json"])["accounts"] == 1
    assert json.loads(files["profile-1.json"]) == {"is_open": False}
    assert "status.json" not in files


def test_the_search_does_not_trust_the_replacing() -> None:
    """It finds each thing by itself: names, needles in every spelling, patterns."""
    key = bytes(range(40, 72))
    secrets = Secrets(names=["bobolina"])
    secrets.add("a key", key)
    secrets.add("a passphrase", b"tiny")
    secrets.add("the text of a message", b"hi")
    assert secrets.needles == [Needle("a key", key)]
    documents = {
        "a": b"x\n" + base64.b64encode(b"." + key),
        "b": b'{"bobolina": "bobolina"}',
        "c": b"it is tiny",
        "d": b"wigwag://host:1/#v1.pin.invite",
        "e": b'"passphrase": "x"',
        "bobolina": b"bobolina",
    }
    found = {(one.file, one.kind, one.line) for one in search(documents, secrets, ())}
    assert {
        ("a", "a key", 2),
        ("b", "a name", 1),
        ("c", "a passphrase", 1),
        ("d", "a join string", 1),
        ("e", "a passphrase", 1),
    } <= found
    assert all(one.file != "bobolina" for one in search(documents, secrets, documents))
    assert not search({"a": b"plain words"}, secrets, ())


def test_a_stand_in_is_given_once_and_to_whole_words() -> None:
    """Half a word isn't a name, and a time of day no address."""
    names = Pseudonyms()
    names.learn("user", "ann")
    names.learn("host", "chat.example.org")
    names.learn("user", "x")
    text = "ann annoys ann at chat.example.org:7411, [2001:db8::1]:7411 and ::1, x"
    told = "user-1 annoys user-1 at host-1:7411, [host-2]:7411 and ::1, x"
    assert names.apply(text) == told
    for same in ("at 10:11:12", "0.0.0.0:1", "age 3.11.7", "999.1.1.1"):
        assert names.apply(same) == same
    nested = {"ann": ["ann", 1, None, {"x": "ann"}]}
    assert names.apply_within(nested) == {"ann": ["user-1", 1, None, {"x": "user-1"}]}
    assert names.count == 3
