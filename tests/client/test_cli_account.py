"""`wigwag account` and `wigwag devices` as processes against a real server."""

import sys
from collections.abc import Iterator

import pytest
from tests.client._cli_world import World, finish, open_world
from tests.client._terminal import Terminal

from wigwag.client import _cli
from wigwag.client._cli_command import ClientCommand
from wigwag.spec import ExitCode


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server, with alice and bob."""
    with open_world(tmp_path_factory.mktemp("account")) as world:
        world.register("alice")
        world.register("bob")
        yield world


def test_an_account_goes_with_its_profile(world: World) -> None:
    """A program says --yes, and reads what became of it."""
    deleted = world.run("account", "delete", "-p", "alice", "--yes", "--json").value()
    assert deleted["name"] == "alice"
    assert not world.profile("alice").exists()
    gone = world.run("status", "-p", "alice", "--json")
    assert gone.code == ExitCode.CONFIGURATION
    assert gone.value()["error"]["name"] == "PROFILE_MISSING"
    refused = world.run("register", "alice", world.invite(), "-p", "new", "--json")
    assert refused.value()["error"]["name"] == "NAME_TAKEN"


def test_nobody_to_ask_is_a_mistake_on_the_command_line(world: World) -> None:
    """What can't be undone needs a person or --yes."""
    for arguments in (
        ("account", "delete", "-p", "alice"),
        ("devices", "revoke", "1", "-p", "alice"),
    ):
        asked = world.run(*arguments)
        assert asked.code == ExitCode.USAGE
        assert "--yes" in asked.err
    without = world.run("devices", "revoke", "-p", "alice")
    assert without.code == ExitCode.USAGE
    assert "revoke NUMBER" in without.err
    assert world.profile("alice").exists()


def test_devices_are_shown_and_this_one_signs_out_for_good(world: World) -> None:
    """Each step says what it did; the last words name the way out."""
    (own,) = world.run("devices", "-p", "alice", "--json").values()
    assert (own["number"], own["is_this"]) == (1, True)
    shown = world.run("devices", "-p", "alice").succeeded()
    assert "this device" in shown.out
    unknown = world.run("devices", "revoke", "2", "--yes", "-p", "alice", "--json")
    assert unknown.value()["error"]["message"] == "The account has no device 2."
    revoked = world.run("devices", "revoke", "1", "--yes", "-p", "alice").succeeded()
    assert "Device 1 is removed" in revoked.out
    assert "account delete" in revoked.err
    status = world.run("status", "-p", "alice").succeeded()
    assert "offline: This device was removed" in status.out
    none = world.run("devices", "-p", "alice").succeeded()
    assert "no device any more" in none.err
    # A message to him can't be delivered, and says why.
    world.run("send", "alice", "hello?", "-p", "bob", "--json")
    deleted = world.run("account", "delete", "-p", "alice", "--yes").succeeded()
    assert "alice is deleted" in deleted.out
    assert not world.profile("alice").exists()


def test_a_chat_says_that_the_other_account_is_gone(world: World) -> None:
    """One line, beside the mark of the message that found it out."""
    world.run("send", "alice", "first", "-p", "bob", "--until", "sequenced").succeeded()
    world.run("account", "delete", "-p", "alice", "--yes").succeeded()
    chat = world.run("chat", "alice", "-p", "bob", given="anybody there?\n")
    assert "has no account any more" in chat.out + chat.err
    assert "rejected (not_found)" in chat.out + chat.err


def test_a_running_process_is_told_and_ends(world: World) -> None:
    """`listen` of a removed device doesn't try for ever."""
    listening = world.start("listen", "-p", "alice", "--json")
    world.run("send", "alice", "wake", "-p", "bob", "--until", "delivered").succeeded()
    in_use = world.run("account", "delete", "-p", "alice", "--yes", "--json")
    assert in_use.code == ExitCode.IN_USE
    listening.terminate()
    finish(listening).succeeded()
    world.run("account", "delete", "-p", "alice", "--yes").succeeded()


@pytest.mark.parametrize("name", ["account", "devices"])
def test_help_ends_with_two_examples(world: World, name: str) -> None:
    """They work as they stand; the one that asks needs a person."""
    command = getattr(_cli, name)
    assert isinstance(command, ClientCommand)
    shown = world.run(name, "--help").succeeded()
    for example in command.examples:
        assert example.line in shown.out
        done = world.shell(example.line, {"WIGWAG_PROFILE": "alice"})
        is_asking = example.line == "wigwag account delete -p alice"
        assert done.code == (ExitCode.USAGE if is_asking else ExitCode.OK), done.err


def test_a_person_types_the_name_to_delete_it(world: World) -> None:
    """Another name deletes nothing; the right one does, and both say so."""
    for typed, words, code in (
        ("bob", "nothing was deleted", ExitCode.CONFIGURATION),
        ("alice", "alice is deleted", ExitCode.OK),
    ):
        program = [sys.executable, "-m", "wigwag", "account", "delete", "-p", "alice"]
        shown = Terminal(program, world.environment)
        try:
            shown.wait_for("Type the account's name")
            shown.type(f"{typed}\n")
            assert shown.finish() == code
            assert words in " ".join(" ".join(shown.screen.lines()).split())
        finally:
            shown.close()
        assert world.profile("alice").exists() is (code != ExitCode.OK)
