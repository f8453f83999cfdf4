"""The chat in a terminal and in a pipe, as processes against a real server."""

import json
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.client._cli_world import PASSPHRASE, World, finish, open_world
from tests.client._terminal import Terminal


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server, with alice and bob, who have talked."""
    with open_world(tmp_path_factory.mktemp("chat")) as world:
        world.register("alice")
        world.register("bob")
        world.run("send", "bob", "from before", "-p", "alice").succeeded()
        world.run("listen", "-p", "bob", "--count", "1").succeeded()
        yield world


@contextmanager
def terminal(world: World, *arguments: str) -> Generator[Terminal, None, None]:
    """Run a command in a terminal."""
    program = [sys.executable, "-m", "wigwag", *arguments]
    shown = Terminal(program, world.environment)
    try:
        yield shown
    finally:
        shown.close()


def typed_line(lines: list[str]) -> str:
    """Return the line that is typed in: the last but one."""
    return lines[-2]


def test_a_message_that_arrives_while_typing_leaves_the_line_alone(
    world: World,
) -> None:
    """The one thing that a chat in a terminal must get right."""
    with terminal(world, "chat", "bob", "-p", "alice") as shown:
        lines = shown.wait_for("connected")
        assert any("you from before" in line for line in lines)
        shown.type("I am half way thr")
        shown.wait(lambda lines: typed_line(lines) == "> I am half way thr")
        world.run("send", "alice", "an interruption", "-p", "bob").succeeded()
        lines = shown.wait_for("bob an interruption")
        assert typed_line(lines) == "> I am half way thr"
        shown.type("ough\r")
        lines = shown.wait_for("you I am half way through ✓")
        assert typed_line(lines) == ">"
        places = [
            next(place for place, line in enumerate(lines) if words in line)
            for words in ("an interruption", "half way through", "> ")
            if words != "> "
        ]
        assert places == sorted(places)
        shown.type("\x04")
        assert shown.finish() == 0
        assert shown.modes() == shown.before


def test_check_marks_change_where_they_stand(world: World) -> None:
    """Single, double, read: one line that goes on, not three lines."""
    with terminal(world, "chat", "bob", "-p", "alice") as shown:
        shown.wait_for("connected")
        shown.type("watch my marks\r")
        shown.wait_for("watch my marks ✓")
        world.run("listen", "-p", "bob", "--wait", "5").succeeded()
        shown.wait_for("watch my marks ✓✓")
        with terminal(world, "chat", "alice", "-p", "bob") as other:
            other.wait_for("alice watch my marks")
            lines = shown.wait_for("watch my marks ✓✓ read")
            other.type("/quit\r")
            assert other.finish() == 0
        assert sum("watch my marks" in line for line in lines) == 1
        shown.type("\x04")
        assert shown.finish() == 0


def test_the_toolbar_says_what_the_connection_does(world: World) -> None:
    """Whoever types into nothing must see that it is queued, and then that it isn't."""
    with terminal(world, "chat", "bob", "-p", "alice") as shown:
        shown.wait_for("connected")
        world.server.kill()
        try:
            shown.wait_for("offline")
            shown.type("into the void\r")
            shown.wait_for("into the void …")
            shown.wait_for("offline: 1 message queued")
        finally:
            world.server.start()
        shown.wait_for("into the void ✓")
        lines = shown.wait_for(" connected │")
        assert not any("queued │" in line for line in lines)
        shown.type("\x03")
        assert shown.finish() == 0


def test_commands_are_never_sent(world: World) -> None:
    """A mistyped /quit is nobody else's business."""
    with terminal(world, "chat", "bob", "-p", "alice") as shown:
        shown.wait_for("connected")
        shown.type("/quti\r")
        shown.wait_for("did you mean /quit?")
        shown.type("/help\r")
        shown.wait_for("/verify")
        shown.type("/verify\r")
        lines = shown.wait_for("bob must see the same number")
        number = world.run("verify", "alice", "-p", "bob").succeeded().out.splitlines()
        assert all(any(row in line for line in lines) for row in number)
        shown.type("/mark\r")
        shown.wait_for("bob, verified")
        shown.type("//slash\r")
        shown.wait_for("you /slash ✓")
        shown.type("/quit\r")
        assert shown.finish() == 0
    kept = world.run("history", "bob", "-p", "alice", "--json").values()
    texts = [value["text"] for value in kept]
    assert texts[-1] == "/slash"
    assert not any("qu" in text for text in texts)


def test_a_signal_leaves_the_terminal_as_it_was(world: World) -> None:
    """Closing a window or logging out must not end in a garbled shell."""
    with terminal(world, "chat", "bob", "-p", "alice") as shown:
        shown.wait_for("connected")
        shown.type("not sent")
        shown.wait(lambda lines: typed_line(lines) == "> not sent")
        assert shown.modes() != shown.before
        shown.process.send_signal(signal.SIGTERM)
        assert shown.finish() == 0
        assert shown.modes() == shown.before
        # The alternate screen is left.
        assert shown.written.rstrip().rfind(b"\x1b[?1049l") > 0


def test_one_can_look_back_while_messages_come(world: World) -> None:
    """What is read must not jump away."""
    with terminal(world, "chat", "bob", "-p", "alice") as shown:
        shown.wait_for("connected")
        for number in range(30):
            shown.type(f"line {number:02}\r")
        shown.wait_for("line 29 ✓")
        shown.type("\x1b[5~")
        lines = shown.wait_for("PageDown: newer messages")
        assert not any("line 29" in line for line in lines)
        first = lines[0]
        world.run("send", "alice", "far below", "-p", "bob").succeeded()
        shown.type("x")
        lines = shown.wait(lambda lines: typed_line(lines) == "> x")
        assert lines[0] == first
        shown.type("\x1b[6~\x1b[6~")
        shown.wait_for("far below")
        shown.type("\x03\x04")
        assert shown.finish() == 0


def test_a_passphrase_is_asked_for_and_not_shown(world: World) -> None:
    """Three tries, as everywhere; nothing of it on the screen."""
    world.environment.pop("WIGWAG_PASSPHRASE")
    try:
        with terminal(world, "status", "-p", "alice") as shown:
            shown.wait_for("Passphrase of alice:")
            shown.type("a wrong one\r")
            shown.wait_for("wrong")
            shown.wait(lambda lines: "\n".join(lines).count("Passphrase of") == 2)
            shown.type(PASSPHRASE + "\r")
            lines = shown.wait_for("alice (")
            assert shown.finish() == 0
            assert not any("horse" in line for line in lines)
    finally:
        world.environment["WIGWAG_PASSPHRASE"] = PASSPHRASE


def test_a_new_passphrase_is_typed_twice(world: World) -> None:
    """A slip of the finger would lock the profile for ever."""
    world.environment.pop("WIGWAG_PASSPHRASE")
    invite = world.invite()
    try:
        with terminal(world, "register", "judy", invite) as shown:
            shown.wait_for("New passphrase:")
            shown.type("one\r")
            shown.wait_for("Once more:")
            shown.type("two\r")
            shown.wait_for("differ")
            shown.wait(lambda lines: "\n".join(lines).count("New passphrase:") == 2)
            shown.type("same\r")
            shown.wait(lambda lines: "\n".join(lines).count("Once more:") == 2)
            shown.type("same\r")
            shown.wait_for("judy is registered")
            assert shown.finish() == 0
    finally:
        world.environment["WIGWAG_PASSPHRASE"] = PASSPHRASE
    same = {"WIGWAG_PASSPHRASE": "same"}
    status = world.run("status", "-p", "judy", "--json", environment=same)
    assert status.value()["name"] == "judy"


def test_in_a_pipe_each_line_is_a_message(world: World) -> None:
    """Scripts talk too; the command ends with its input, once all of it is sent."""
    world.run("chat", "bob", "-p", "alice", given="piped one\npiped two").succeeded()
    kept = world.run("history", "bob", "-p", "alice", "--json").values()[-2:]
    assert [value["text"] for value in kept] == ["piped one", "piped two"]
    assert all(value["chat_seq"] for value in kept)


def test_in_a_pipe_only_the_peer_is_on_standard_output(world: World) -> None:
    """`wigwag chat bob > log` has what bob says, and nothing about marks."""
    talking = world.start("chat", "bob", "-p", "alice")
    try:
        assert talking.stdin is not None
        assert talking.stdout is not None
        world.run("send", "alice", "for the pipe", "-p", "bob").succeeded()
        line = talking.stdout.readline().decode()
    finally:
        done = finish(talking, "and back\n").succeeded()
    assert line.endswith("bob: for the pipe\n")
    assert done.out == ""
    assert "✓  and back" in done.err


def test_in_a_pipe_with_json_everything_is_an_event(world: World) -> None:
    """A program follows the whole life of its messages."""
    alice = world.start("chat", "bob", "-p", "alice", "--json")
    bob = world.start("chat", "alice", "-p", "bob", "--json")
    seen: list[dict[str, Any]] = []
    try:
        assert alice.stdin is not None
        assert alice.stdout is not None
        alice.stdin.write(b"/verify\nfollow me\n")
        alice.stdin.flush()
        while not any(
            value.get("text") == "follow me" and value.get("state") == "read"
            for value in seen
        ):
            seen.append(json.loads(alice.stdout.readline()))
    finally:
        finish(bob).succeeded()
        done = finish(alice).succeeded()
    done.values()
    states = [value["state"] for value in seen if value.get("text") == "follow me"]
    assert states[0] in ("queued", "sequenced")
    order = ["queued", "sequenced", "delivered", "read"]
    assert states == sorted(set(states), key=order.index)
    first = next(value for value in seen if value.get("text") == "follow me")
    assert (first["event"], first["is_own"], first["is_history"]) == (
        "message",
        True,
        False,
    )
    assert any(value["event"] == "remark" for value in seen)
    assert any(value["event"] == "status" and value["is_connected"] for value in seen)
