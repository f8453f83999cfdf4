"""The commands as processes against a real server: what they do when all is well."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.client._cli_world import World, finish, open_world

from wigwag.client import _cli
from wigwag.client._cli_command import ClientCommand

COMMANDS = (
    "register",
    "send",
    "listen",
    "chat",
    "history",
    "status",
    "verify",
    "errors",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server, with alice and bob."""
    with open_world(tmp_path_factory.mktemp("cli")) as world:
        world.register("alice")
        world.register("bob")
        yield world


def command_of(name: str) -> ClientCommand:
    """Return a command by its name."""
    command = getattr(_cli, name)
    assert isinstance(command, ClientCommand)
    return command


def test_a_message_goes_from_one_person_to_the_other(world: World) -> None:
    """What the whole product is for, in three commands."""
    sent = world.run("send", "bob", "good morning", "-p", "alice", "--json").value()
    assert (sent["peer"], sent["state"]) == ("bob", "sequenced")
    heard = world.run("listen", "--json", "--count", "1", "-p", "bob").value()
    assert heard["event"] == "message"
    assert (heard["peer"], heard["text"]) == ("alice", "good morning")
    assert heard["message_id"] == sent["message_id"]
    (kept,) = world.run("history", "alice", "-p", "bob", "--json").values()
    assert kept["text"] == "good morning"
    assert kept["chat_seq"] == heard["chat_seq"]


def test_a_text_comes_from_standard_input_as_it_is(world: World) -> None:
    """`cmd | wigwag send peer -` must not change more than the last line's end."""
    text = "two\nlines, and ümläuts\n"
    arguments = ["send", "bob", "-", "-p", "alice"]
    world.run(*arguments, given=text).succeeded()
    last = world.run("history", "bob", "-p", "alice", "--json").values()[-1]
    assert last["text"] == text.removesuffix("\n")


def test_send_waits_until_the_peer_has_it(world: World) -> None:
    """`--until delivered` is what a script relies on before it goes on."""
    listening = world.start("listen", "-p", "bob", "--consumer", "until")
    try:
        sent = world.run(
            "send", "bob", "seen?", "-p", "alice", "--until", "delivered", "--json"
        ).value()
    finally:
        listening.send_signal(signal.SIGTERM)
        heard = finish(listening).succeeded()
    assert sent["state"] == "delivered"
    assert "alice: seen?" in heard.out


def test_send_goes_through_the_process_that_holds_the_profile(world: World) -> None:
    """Two processes on one ratchet would lose messages; one of them asks the other."""
    listening = world.start("listen", "--json", "-p", "alice", "--consumer", "held")
    try:
        # The first words prove that the profile is open.
        world.run("send", "alice", "wake", "-p", "bob").succeeded()
        assert listening.stdout is not None
        assert json.loads(listening.stdout.readline())["event"] == "message"
        nothing = {"WIGWAG_PASSPHRASE": "needed by the holder alone"}
        sent = world.run(
            "send", "bob", "handed over", "-p", "alice", "--json", environment=nothing
        ).value()
        status = world.run("status", "-p", "alice", "--json", environment=nothing)
        kept = world.run(
            "history", "bob", "-p", "alice", "--json", environment=nothing
        ).values()
        taken = world.run("verify", "bob", "-p", "alice", "--json")
    finally:
        listening.terminate()
        finish(listening).succeeded()
    assert sent["state"] == "sequenced"
    assert status.value()["is_held"]
    assert status.value()["is_online"]
    assert kept[-1]["text"] == "handed over"
    assert taken.code == 8
    assert taken.value()["error"]["name"] == "PROFILE_IN_USE"


def test_sends_at_the_same_time_are_all_sent_once(world: World) -> None:
    """A script runs commands in parallel; each finds the profile or its holder."""
    texts = [f"parallel {number}" for number in range(6)]

    def send(text: str) -> str:
        sent = world.run("send", "bob", text, "-p", "alice", "--json").succeeded()
        return str(sent.value()["state"])

    with ThreadPoolExecutor(len(texts)) as pool:
        assert set(pool.map(send, texts)) == {"sequenced"}
    kept = world.run("history", "bob", "-p", "alice", "--json", "--limit", "6").values()
    assert sorted(value["text"] for value in kept) == texts


def test_a_message_is_handled_only_when_the_command_succeeds(world: World) -> None:
    """A bot that fails gets the message again: at least once, never lost."""
    consumer = ["-p", "bob", "--consumer", "handler"]
    world.run("listen", *consumer, "--wait", "3").succeeded()
    world.run("send", "bob", "handle me", "-p", "alice").succeeded()
    command = 'cat > got.json; echo "$WIGWAG_PEER: $WIGWAG_TEXT"; exit 3'
    failed = world.run("listen", *consumer, "--exec", command, "--count", "1")
    assert failed.code == 7
    assert "ended with 3" in failed.err
    assert "alice: handle me" in failed.out
    assert not re.search("Traceback", failed.err)
    handled = world.run(
        "listen", *consumer, "--exec", "cat > got.json", "--count", "1"
    ).succeeded()
    assert handled.out == ""
    got = json.loads((world.home / "got.json").read_text("utf-8"))
    assert (got["peer"], got["text"]) == ("alice", "handle me")
    over = world.run("listen", *consumer, "--count", "1", "--wait", "0.5", "--json")
    assert over.code == 7
    assert over.value()["error"]["name"] == "TIMED_OUT"


def test_a_handler_gets_no_passphrase_and_writes_no_json(world: World) -> None:
    """What a message starts must not learn more than the message."""
    consumer = ["-p", "bob", "--consumer", "no secrets"]
    world.run("listen", *consumer, "--wait", "3").succeeded()
    world.run("send", "bob", "what do you see?", "-p", "alice").succeeded()
    command = 'echo "passphrase=[$WIGWAG_PASSPHRASE]"'
    heard = world.run(
        "listen", *consumer, "--exec", command, "--count", "1", "--json"
    ).succeeded()
    assert "passphrase=[]" in heard.err
    assert heard.value()["text"] == "what do you see?"


def test_both_see_the_same_safety_number(world: World) -> None:
    """Twelve groups of five digits, equal on both sides, until somebody interferes."""
    one = world.run("verify", "bob", "-p", "alice").succeeded()
    other = world.run("verify", "alice", "-p", "bob").succeeded()
    assert one.out == other.out
    assert re.fullmatch(r"(\d{5}( |\n)){12}", one.out)
    marked = world.run("verify", "bob", "-p", "alice", "--mark", "--json").value()
    assert marked["is_verified"]
    peers = world.run("status", "-p", "alice", "--json").value()["peers"]
    assert {"name": "bob", "is_verified": True, "change": ""} in peers


def test_status_says_who_one_is_and_what_waits(world: World) -> None:
    """The first thing that is asked when something doesn't work."""
    value = world.run("status", "-p", "alice", "--json").value()
    assert (value["name"], value["is_online"], value["queued"]) == ("alice", True, 0)
    words = world.run("status", "-p", "alice").succeeded().out
    assert "alice" in words
    assert f"127.0.0.1:{world.server.port}, connected" in words


def test_a_profile_without_a_passphrase_opens_unasked(world: World) -> None:
    """A program has nobody to ask; the choice is made in words, once."""
    nothing = {"WIGWAG_PASSPHRASE": ""}
    invite = world.invite()
    refused = world.run("register", "robot", invite, "--json", environment=nothing)
    assert refused.code == 6
    assert refused.value()["error"]["name"] == "PASSPHRASE_MISSING"
    made = world.run(
        "register", "robot", invite, "--no-passphrase", environment=nothing
    ).succeeded()
    kept = world.profile("robot") / "passphrase"
    assert "robot is registered" in made.out
    assert kept.stat().st_mode & 0o077 == 0
    for environment in (nothing, {}):
        status = world.run("status", "-p", "robot", "--json", environment=environment)
        assert status.value()["name"] == "robot"


def test_the_environment_names_the_profile(world: World) -> None:
    """A terminal belongs to one person; the profile need not be named each time."""
    status = world.run("status", "--json", environment={"WIGWAG_PROFILE": "bob"})
    assert status.value()["name"] == "bob"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_in_two_examples(world: World, name: str) -> None:
    """Most people read the examples first."""
    command = command_of(name)
    text = world.run(name, "--help").succeeded().out
    lines = text.split("Examples:\n")[1].strip().splitlines()
    assert [line.split("  # ")[0].strip() for line in lines] == [
        example.line for example in command.examples
    ]


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name in COMMANDS for number in (0, 1)]
)
def test_the_examples_work(world: World, name: str, number: int) -> None:
    """An example that fails is worse than none."""
    environment = {"WIGWAG_PROFILE": "alice"}
    line = command_of(name).examples[number].line
    if name == "register":
        environment = {"JOIN": world.invite()}
        # alice exists in this world: another one is made in the example's place.
        line = line.replace(" alice ", " anna ")
    if name == "listen":
        environment["WIGWAG_PROFILE"] = "bob"
        world.run("send", "bob", "for the example", "-p", "alice").succeeded()
    listening = None
    if "--until" in line:
        listening = world.start("listen", "-p", "bob", "--consumer", "example")
    try:
        done = world.shell(line, environment)
        assert done.code == 0, done.err
    finally:
        if listening is not None:
            listening.terminate()
            finish(listening)


def test_the_list_of_commands_imports_none_of_them(world: World) -> None:
    """Completion runs it at every Tab."""
    code = (
        "import sys; from click.testing import CliRunner;"
        " from wigwag.__main__ import make_group;"
        " result = CliRunner().invoke(make_group(), ['--help']);"
        " heavy = {'wigwag.client', 'anyio', 'rich', 'prompt_toolkit'};"
        " print(result.exit_code, sorted(heavy & set(sys.modules)))"
    )
    program = [sys.executable, "-c", code]
    done = subprocess.run(
        program, capture_output=True, text=True, env=world.environment, check=True
    )
    assert done.stdout == "0 []\n"


def test_a_command_loads_no_terminal_library_that_it_does_not_use(
    world: World,
) -> None:
    """`send` in a loop pays for every import each time."""
    code = (
        "import sys; import wigwag.client._cli_send, wigwag.client._cli_listen;"
        " heavy = {'rich', 'prompt_toolkit', 'doubleratchet', 'trio'};"
        " print(sorted(heavy & set(sys.modules)))"
    )
    program = [sys.executable, "-c", code]
    done = subprocess.run(
        program, capture_output=True, text=True, env=world.environment, check=True
    )
    assert done.stdout == "[]\n"


def test_messages_cannot_drive_the_terminal(world: World, tmp_path: Path) -> None:
    """A peer could clear the screen or fake a line; he gets his characters shown."""
    evil = tmp_path / "evil"
    evil.write_text("red\x1b[31m\x07 \u202eback\nbob: fake", "utf-8")
    given = evil.read_bytes()
    listening = ["listen", "-p", "bob", "--consumer", "evil"]
    world.run(*listening, "--wait", "3").succeeded()
    world.run("send", "bob", "-", "-p", "alice", given=given).succeeded()
    out = world.run(*listening, "--count", "1").succeeded().out
    assert "\x1b" not in out
    assert "red<001B>[31m<0007> <202E>back" in out
    assert re.search(r"^ +bob: fake", out, re.MULTILINE)
    assert world.run("history", "alice", "-p", "bob", "--limit", "1").out == out
