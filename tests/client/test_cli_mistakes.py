"""What people get wrong: one clear sentence, the right exit code, nothing lost."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client._cli_world import Finished, World, finish, open_world

OTHER_PASSPHRASE = {"WIGWAG_PASSPHRASE": "wrong"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server, with alice and bob."""
    with open_world(tmp_path_factory.mktemp("mistakes")) as world:
        world.register("alice")
        world.register("bob")
        yield world


def check_sentence(done: Finished, code: int, name: str) -> str:
    """Check that a command with `--json` failed as it should; return its sentence."""
    assert done.code == code, done
    error = done.value()["error"]
    assert error["name"] == name
    assert error["exit_code"] == code
    assert error["message"]
    assert error["action"]
    assert done.err == ""
    return str(error["message"])


def check_words(done: Finished, code: int) -> str:
    """Check that a command without `--json` failed in words; return them."""
    assert done.code == code, done
    assert done.out == ""
    assert "Traceback" not in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert done.err.startswith("wigwag: ")
    return done.err


def test_a_wrong_passphrase_opens_nothing(world: World) -> None:
    """It is told from a damaged file: the user only has to type it again."""
    arguments = ["history", "bob", "-p", "alice"]
    wrong = world.run(*arguments, "--json", environment=OTHER_PASSPHRASE)
    check_sentence(wrong, 6, "PASSPHRASE_WRONG")
    check_words(world.run(*arguments, environment=OTHER_PASSPHRASE), 6)
    right = world.run("status", "-p", "alice", "--json")
    assert right.value()["name"] == "alice"


def test_without_a_passphrase_and_a_terminal_it_says_what_to_set(world: World) -> None:
    """A script must not hang at a prompt that nobody sees."""
    done = world.run("status", "-p", "alice", environment={"WIGWAG_PASSPHRASE": ""})
    assert "WIGWAG_PASSPHRASE" in check_words(done, 6)


def test_a_passphrase_file_that_is_not_there_is_named(world: World) -> None:
    """A path is easily mistyped."""
    done = world.run("status", "-p", "alice", "--passphrase-file", "nowhere")
    assert "nowhere" in check_words(done, 6)


@pytest.mark.parametrize(
    "join",
    ["", "hello", "wigwag://127.0.0.1:1/", "wigwag://127.0.0.1:1/#v1.AAAA.x"],
)
def test_a_garbled_join_string_is_a_mistake_of_the_command_line(
    world: World, join: str
) -> None:
    """A shell cuts it at the # when it isn't in quotes."""
    done = world.run("register", "carol", join, "--json")
    check_sentence(done, 2, "JOIN_STRING")
    assert not world.profile("carol").exists()


def test_a_join_string_of_another_server_is_not_trusted(world: World) -> None:
    """The pin is what stands between the user and whoever answers at the address."""
    join = world.invite()
    pin = join.split("#v1.")[1].split(".")[0]
    other = join.replace(pin, "A" * len(pin))
    done = world.run("register", "carol", other, "--json")
    check_sentence(done, 6, "SERVER_NOT_TRUSTED")
    # The right one goes on where it stopped.
    world.run("register", "carol", join, "--json").succeeded()


def test_a_used_invite_is_refused(world: World) -> None:
    """An invite is for as many as the operator said."""
    join = world.invite()
    world.run("register", "dave", join, "--json").succeeded()
    done = world.run("register", "erin", join, "--json")
    check_sentence(done, 6, "PROOF_REFUSED")
    world.run("register", "erin", world.invite(), "--json").succeeded()


def test_a_taken_name_leaves_the_account_and_says_how_to_go_on(world: World) -> None:
    """The invite is used up by then: the next try must go on with what there is."""
    done = world.run(
        "register", "alice", world.invite(), "--profile", "second", "--json"
    )
    check_sentence(done, 5, "NAME_TAKEN")
    assert "--profile second" in done.value()["error"]["action"]
    again = ["register", "frank", world.invite(), "--profile", "second", "--json"]
    world.run(*again).succeeded()
    assert world.run("status", "-p", "second", "--json").value()["name"] == "frank"


def test_a_profile_is_not_registered_twice(world: World) -> None:
    """A second account over the first would lose the first one's keys."""
    before = world.run("status", "-p", "alice", "--json").value()["user"]
    done = world.run("register", "alice", world.invite(), "--json")
    check_sentence(done, 3, "PROFILE_EXISTS")
    assert world.run("status", "-p", "alice", "--json").value()["user"] == before


@pytest.mark.parametrize("name", ["Al", "Alice", "al ice", "../alice", "9lives"])
def test_an_impossible_name_is_refused_before_anything_is_made(
    world: World, name: str
) -> None:
    """The server would refuse it after the invite was used."""
    done = world.run("register", name, world.invite(), "--json")
    check_sentence(done, 2, "USAGE")


def test_nobody_of_this_name(world: World) -> None:
    """A misspelt name must not wait in a queue for ever."""
    for arguments in (
        ["send", "nobody", "hello"],
        ["verify", "nobody"],
        ["history", "nobody"],
        ["chat", "nobody"],
    ):
        done = world.run(*arguments, "-p", "alice", "--json")
        assert "nobody" in check_sentence(done, 5, "PEER_UNKNOWN")
    queued = world.run("status", "-p", "alice", "--json").value()["queued"]
    assert queued == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["send", "bob", ""], 2),
        (["send", "bob", "x" * 20_000], 2),
        (["send", "bob"], 2),
        (["send", "bob", "hello", "--until", "eaten"], 2),
        (["listen", "--count", "0"], 2),
        (["verify", "bob", "--mark", "--accept-change"], 2),
        (["errors", "NO_SUCH_THING"], 2),
        (["status", "--profile", "nowhere"], 3),
        (["status", "--profile", "a b"], 3),
    ],
)
def test_a_wrong_command_line_is_json_too(
    world: World, arguments: list[str], code: int
) -> None:
    """A program that asked for JSON gets nothing else, whoever noticed the mistake."""
    environment = {} if "--profile" in arguments else {"WIGWAG_PROFILE": "alice"}
    if arguments[0] == "errors":
        environment = {}
    done = world.run(*arguments, "--json", environment=environment)
    assert done.code == code
    assert done.err == ""
    assert done.value()["error"]["message"]


def test_several_profiles_must_be_told_apart(world: World) -> None:
    """Writing as the wrong person can't be taken back."""
    done = world.run("send", "bob", "as whom?", "--json")
    assert "alice, bob" in check_sentence(done, 2, "USAGE")


def test_the_first_command_of_all_says_where_to_begin(
    world: World, tmp_path: Path
) -> None:
    """A newcomer's first mistake is to have no profile."""
    empty = {"XDG_DATA_HOME": str(tmp_path)}
    assert "wigwag register" in check_words(world.run("status", environment=empty), 3)


def test_the_only_profile_needs_no_name(world: World, tmp_path: Path) -> None:
    """Most people have one."""
    alone = {"XDG_DATA_HOME": str(tmp_path)}
    world.run("register", "gina", world.invite(), environment=alone).succeeded()
    assert world.run("status", "--json", environment=alone).value()["name"] == "gina"


def test_a_profile_that_is_open_cannot_be_listened_on_twice(world: World) -> None:
    """The second one would get half of the messages; it says who holds it."""
    consumer = ["--consumer", "twice"]
    first = world.start("listen", "--json", "-p", "bob", *consumer)
    try:
        world.run("send", "bob", "first", "-p", "alice").succeeded()
        assert first.stdout is not None
        assert first.stdout.readline()
        second = world.run("listen", "--json", "-p", "bob", *consumer)
        words = check_sentence(second, 8, "PROFILE_IN_USE")
        assert str(first.pid) in words
    finally:
        first.terminate()
        finish(first).succeeded()


def test_a_folder_that_others_can_read_is_refused(world: World) -> None:
    """The keys are encrypted, and still nobody else's."""
    folder = world.profile("alice")
    folder.chmod(0o755)
    try:
        check_sentence(
            world.run("status", "-p", "alice", "--json"), 3, "PROFILE_INSECURE"
        )
    finally:
        folder.chmod(0o700)
    assert world.run("status", "-p", "alice", "--json").value()["name"] == "alice"


def test_a_damaged_key_file_is_not_a_wrong_passphrase(
    world: World, tmp_path: Path
) -> None:
    """Who is told that the passphrase is wrong, tries for hours."""
    place = {"XDG_DATA_HOME": str(tmp_path)}
    world.run("register", "henry", world.invite(), environment=place).succeeded()
    key_file = tmp_path / "wigwag" / "profiles" / "henry" / "key.json"
    text = key_file.read_text("utf-8")
    key_file.write_text(text.replace('"wrapped": "', '"wrapped": "AAAA'), "utf-8")
    check_sentence(world.run("status", "--json", environment=place), 3, "STORE_DAMAGED")


def test_a_reader_that_leaves_is_no_failure(world: World) -> None:
    """`wigwag history bob | head -1` is what people type."""
    for number in range(3):
        world.run("send", "bob", f"line {number}", "-p", "alice").succeeded()
    for line in ("history bob -p alice", "errors", "errors --json"):
        read, write = os.pipe()
        os.close(read)
        process = subprocess.Popen(
            [sys.executable, "-m", "wigwag", *line.split()],
            stdin=subprocess.DEVNULL,
            stdout=write,
            stderr=subprocess.PIPE,
            env=world.environment,
        )
        os.close(write)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, line
        assert err == b"", line


def test_a_full_disk_is_told_from_other_failures(world: World) -> None:
    """Standard output on a full disk: the command didn't do what it was asked to."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "wigwag", "errors", "--json"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            env=world.environment,
        )
        _, err = process.communicate(timeout=60)
    assert process.returncode == 9
    assert b"Traceback" not in err


def test_a_fault_of_ours_is_one_sentence_and_a_file(world: World) -> None:
    """A traceback helps nobody at a terminal; it is kept for whoever can use it."""
    code = (
        "from wigwag.client import _cli, _cli_errors\n"
        "def fail(*arguments): raise KeyError('secret words')\n"
        "_cli_errors.run_errors = fail\n"
        "_cli.errors(['NOT_FOUND'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=world.environment,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("wigwag: An unexpected error")
    path = Path(line.split("details are in ")[1].removesuffix("."))
    kept = path.read_text("utf-8")
    assert "KeyError" in kept
    assert "in fail" in kept
    assert "secret words" not in kept
    assert path.stat().st_mode & 0o077 == 0


def test_messages_wait_while_the_server_is_gone(world: World) -> None:
    """Offline is a state, not an error: queued, said so, and sent later, once."""
    world.run("send", "bob", "before", "-p", "alice").succeeded()
    world.server.kill()
    try:
        queued = world.run(
            "send", "bob", "meanwhile", "-p", "alice", "--wait", "0.5", "--json"
        ).succeeded()
        assert queued.value()["state"] == "queued"
        words = world.run("send", "bob", "too", "-p", "alice", "--wait", "0")
        assert "queued" in words.succeeded().out
        strict = ["send", "bob", "three", "-p", "alice", "--until", "delivered"]
        done = world.run(*strict, "--wait", "0.5", "--json")
        check_sentence(done, 7, "TIMED_OUT")
        status = world.run("status", "-p", "alice", "--json").succeeded().value()
        assert (status["is_online"], status["queued"]) == (False, 3)
        assert status["error"]
        stranger = ["send", "stranger", "hi", "-p", "alice", "--wait", "0.5", "--json"]
        check_sentence(world.run(*stranger), 4, "UNREACHABLE")
        invite = f"wigwag://127.0.0.1:{world.server.port}/#v1.{'A' * 43}.x"
        gone = world.run("register", "ivan", invite, "--json")
        check_sentence(gone, 4, "UNREACHABLE")
    finally:
        world.server.start()
    world.run("send", "bob", "after", "-p", "alice").succeeded()
    kept = world.run("history", "bob", "-p", "alice", "--json", "--limit", "5").values()
    assert [value["text"] for value in kept] == [
        "before",
        "meanwhile",
        "too",
        "three",
        "after",
    ]
    assert all(value["chat_seq"] for value in kept)
