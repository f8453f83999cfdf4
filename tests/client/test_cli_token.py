"""Registering with a token of an identity service, as people and scripts do it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from tests.client._cli_world import Finished, World, open_world
from tests.server._issuer import AUDIENCE, ISSUER, Issuer, key_hash

from wigwag.client import Address, Join, TokenWrong
from wigwag.client._cli_output import Output
from wigwag.client._cli_token import token_source
from wigwag.client._proof import account_key_sha256 as of_client
from wigwag.client._proof import get_proof

SERVICE = Issuer("service")
JOIN = Join(Address("127.0.0.1", 1), bytes(32), "")

COMMAND = """\
import os, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from tests.server._issuer import Issuer
from cryptography.hazmat.primitives.serialization import load_pem_private_key
private = load_pem_private_key(Path({key!r}).read_bytes(), None)
issuer = Issuer("service", private=private)
claims = issuer.claims(b"", account_key_sha256=os.environ["WIGWAG_ACCOUNT_KEY_SHA256"])
assert "WIGWAG_PASSPHRASE" not in os.environ
print(issuer.sign({{**claims, "sub": os.environ["WIGWAG_USERNAME"]}}).decode())
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server that takes tokens of one service."""
    folder = tmp_path_factory.mktemp("tokens")
    config = folder / "wigwag.toml"
    config.write_text(
        f"""\
registration = "token"
limits_profile = "bench"

[registration_token]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
keys = ["{SERVICE.pem_file(folder)}"]
"""
    )
    with open_world(folder, ("--config", str(config))) as world:
        yield world


def token_for(key: str, **changed: object) -> str:
    """A token for the hash of an account key."""
    claims = SERVICE.claims(b"", account_key_sha256=key, **changed)
    return SERVICE.sign(claims).decode()


def address(world: World) -> str:
    """The server's join string without an invite."""
    return world.server.join


def failed(done: Finished, code: int, name: str) -> str:
    """Hold a command to have failed; return what it says to do."""
    assert done.code == code, done
    error = done.value()["error"]
    assert error["name"] == name
    return f"{error['message']} {error['action']}"


def test_the_ready_line_hands_out_no_invite(world: World) -> None:
    """An invite that nobody asked for would be a way round the identity service."""
    assert address(world).endswith(".")
    done = world.run("register", "mallory", address(world), "--json")
    failed(done, 5, "UNSUPPORTED")


def test_prepare_then_register_with_a_file(world: World) -> None:
    """For whoever gets tokens by hand: the hash first, then the token for it."""
    made = world.run("register", "alice", address(world), "--prepare").succeeded()
    key = made.out.strip()
    assert len(key) == 43
    again = world.run("register", "alice", address(world), "--prepare", "--json")
    assert again.value()["account_key_sha256"] == key
    path = world.home / "token"
    path.write_text(token_for(key) + "\n")
    arguments = ["register", "alice", address(world), "--token", str(path), "--json"]
    world.run(*arguments).succeeded()
    assert world.run("status", "-p", "alice", "--json").value()["name"] == "alice"
    # A second account with what was used: the client sees it before the server.
    other = world.run("register", "alan", *arguments[2:])
    assert "another account key" in failed(other, 6, "TOKEN")


def test_a_command_gets_the_token(world: World, tmp_path: Path) -> None:
    """For scripts: the service's own command is told which key is to register."""
    key = tmp_path / "service-key.pem"
    key.write_bytes(
        SERVICE.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    script = tmp_path / "make_token.py"
    script.write_text(COMMAND.format(paths=[str(Path.cwd())], key=str(key)))
    arguments = ["register", "bob", address(world), "--json", "--token-command"]
    line = f"'{sys.executable}' '{script}'"
    assert world.run(*arguments, line).succeeded().value()["name"] == "bob"
    world.run("send", "alice", "hello", "-p", "bob").succeeded()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exit 7", "ended with 7"),
        ("head -c 100000 /dev/zero", "more than a token"),
        ("echo none", "three parts"),
        ("printf '\\303\\251'", "isn't ASCII"),
        (f"echo {'a' * 1000}.{'b' * 1000}.{'c' * 47}", "2049 characters"),
        (f"echo {SERVICE.token(b'x' * 32).decode()}", "for another account key"),
    ],
)
async def test_a_command_that_gives_no_token_is_said(command: str, said: str) -> None:
    """The server would refuse all of it alike; here it can be told what is wrong."""
    source = token_source(Output(as_json=True), "carol", None, command)
    with pytest.raises(TokenWrong, match=said):
        await get_proof(JOIN, source, key_hash(b"k" * 32))


async def test_what_can_not_be_looked_into_is_the_servers_to_judge() -> None:
    """A client that is too clever would refuse what a newer server takes."""
    for odd in ("e30.x.y", "e30.!!.y", f"e30.{'W' * 1400}.y", "e30.WzFd.y"):
        proof = await get_proof(JOIN, odd, key_hash(b"k" * 32))
        assert proof.data == odd.encode()
        assert "e30" not in repr(proof)


async def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A path is easily mistyped."""
    source = token_source(Output(as_json=True), "eve", str(tmp_path / "nowhere"), None)
    with pytest.raises(TokenWrong, match="nowhere: No such file"):
        await get_proof(JOIN, source, key_hash(b"k" * 32))


def test_standard_input_is_told_what_to_ask_for(world: World) -> None:
    """The hash comes before the question, on standard error."""
    process = world.start("register", "dora", address(world), "--token", "-")
    try:
        assert process.stderr is not None
        assert process.stdin is not None
        line = process.stderr.readline().decode()
        key = line.rpartition(" = ")[2].strip()
        assert len(key) == 43, line
        process.stdin.write(token_for(key).encode() + b"\n")
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err
    assert b"dora is registered" in out


def test_mistakes_of_the_command_line(world: World) -> None:
    """What can't be meant is refused before anything is made."""
    both = world.run(
        "register", "eve", address(world), "--token", "x", "--prepare", "--json"
    )
    assert both.code == 2
    empty = world.run("register", "eve", address(world), "--token", "-", "--json")
    assert "no token on standard input" in failed(empty, 6, "TOKEN")


def test_a_refused_token_can_be_followed_by_a_good_one(world: World) -> None:
    """What was sent first is kept for repetition, and mustn't stand in the way."""
    arguments = ["register", "frank", address(world), "--json"]
    key = world.run(*arguments, "--prepare").value()["account_key_sha256"]
    stale = token_for(key, iat=1_000_000_000, exp=1_000_000_600)
    refused = world.run(*arguments, "--token", "-", given=stale)
    failed(refused, 6, "PROOF_REFUSED")
    good = world.run(*arguments, "--token", "-", given=token_for(key)).succeeded()
    assert good.value()["name"] == "frank"


def test_an_invite_says_what_applies_beside_it(world: World) -> None:
    """The operator sees that tokens are the usual way here."""
    invited = world.run("admin", "invite", "--data", str(world.server.folder))
    assert ISSUER in invited.err
    assert address(world) in invited.err
    join = invited.succeeded().out.strip()
    world.run("register", "greta", join, "--json").succeeded()


def test_a_token_is_used_up_through_a_kill(world: World, tmp_path: Path) -> None:
    """R-REG-008: kill -9 right after the answer, then the same id again."""
    keys = {
        name: world.run("register", name, address(world), "--prepare").out.strip()
        for name in ("heidi", "ivan")
    }
    assert keys["heidi"] != keys["ivan"]
    first, second = (token_for(key, jti="only") for key in keys.values())
    arguments = [address(world), "--json", "--token", "-"]
    world.run("register", "heidi", *arguments, given=first).succeeded()
    assert world.server.kill() == -signal.SIGKILL
    world.server.start()
    replayed = world.run("register", "ivan", *arguments, given=second)
    failed(replayed, 6, "PROOF_REFUSED")
    world.run("register", "ivan", *arguments, given=token_for(keys["ivan"])).succeeded()
    logged = world.server.log_path.read_text()
    for token in (first, second):
        assert token.split(".")[1] not in logged


@pytest.mark.parametrize("check", [(), ("--check-config",)])
def test_a_key_that_can_not_be_used_stops_the_start(
    check: tuple[str, ...], tmp_path: Path
) -> None:
    """One sentence and status 3, not a server that lets nobody in."""
    config = tmp_path / "wigwag.toml"
    config.write_text(
        'registration = "token"\n[registration_token]\nissuer = "i"\naudience = "a"\n'
        f'keys = ["{tmp_path / "none.pem"}"]\n'
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "wigwag", "serve", "--config", str(config)),
            *("--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0", *check),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .endswith("none.pem: No such file or directory")
    )


def test_the_hash_of_a_key_is_that_of_the_server() -> None:
    """Two sides compute it; a token made for one must be good for the other."""
    assert of_client(b"k" * 32) == key_hash(b"k" * 32)
