"""`wigwag doctor` at a client's profile, and the canary."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import anyio
import pytest
from tests.client._cli_world import PASSPHRASE, World, open_world
from tests.doctor._world import PROBLEM, diagnose, look_of, mend

from wigwag.client import default_ports
from wigwag.client._keys import PassphraseKeys
from wigwag.client._store import open_store
from wigwag.client._txn import Txn
from wigwag.doctor import _profile
from wigwag.testing import server_process

ALICE = "profile alice"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Generator[World, None, None]:
    """A server and a profile, whose folder tests copy and don't change."""
    with open_world(tmp_path_factory.mktemp("world")) as world:
        world.register("alice")
        yield world


@pytest.fixture
def world(kept: World, tmp_path: Path) -> World:
    """A home of its own with a copy of the profile."""
    world = World(kept.server, tmp_path)
    shutil.copytree(kept.profile("alice"), world.profile("alice"))
    return world


def change(world: World, *statements: str) -> None:
    """Change the profile's database as nothing of ours would."""

    async def main() -> None:
        folder = world.profile("alice")
        key = await PassphraseKeys(PASSPHRASE).unlock(folder)
        executor = default_ports(PASSPHRASE).executor
        async with open_store(folder / "wigwag.db", key, executor) as store:

            def work(txn: Txn) -> None:
                for statement in statements:
                    txn.do(statement)

            await store.run(work)

    anyio.run(main)


def test_a_profile_in_order_has_no_problem_and_is_not_changed(world: World) -> None:
    """Without a word about it, the only profile of the user is looked at."""
    before = look_of(world.profile("alice"))
    verdict = diagnose(world)
    assert (verdict.code, verdict.not_ok()) == (0, {})
    assert verdict.of("server", ALICE)["text"].startswith("127.0.0.1:")
    assert "draft" in verdict.of("revision", ALICE)["text"]
    after = look_of(world.profile("alice"))
    # Opening may fold a log that was left into the database, and takes the lock.
    for name in ("key.json",):
        assert before[name] == after[name]


def test_files_that_others_can_read_are_closed_by_the_remedy(world: World) -> None:
    """Whoever reads key and database can try passphrases at leisure."""
    folder = world.profile("alice")
    (folder / "key.json").chmod(0o644)
    verdict = diagnose(world)
    assert verdict.not_ok() == {"file-modes": "problem"}
    mend(world, verdict.of("file-modes", ALICE)["remedy"])
    folder.chmod(0o750)
    verdict = diagnose(world, "-p", "alice")
    assert verdict.code == PROBLEM
    assert verdict.not_ok() == {"folder-mode": "problem"}
    mend(world, verdict.of("folder-mode", ALICE)["remedy"])
    assert diagnose(world).not_ok() == {}


def test_without_or_with_a_wrong_passphrase_the_inside_stays_unseen(
    world: World,
) -> None:
    """What can't be looked at is said, not left out."""
    wrong = {"WIGWAG_PASSPHRASE": "wrong"}
    verdict = diagnose(world, **wrong)
    assert verdict.not_ok() == {"profile": "problem"}
    del world.environment["WIGWAG_PASSPHRASE"]
    verdict = diagnose(world)
    assert (verdict.code, verdict.not_ok()) == (0, {"profile": "warning"})
    file = world.home / "word"
    file.write_text(PASSPHRASE)
    assert diagnose(world, "--passphrase-file", str(file)).not_ok() == {}


def test_damaged_files_of_a_profile_are_told_apart(world: World) -> None:
    """A damaged key file must not look like a wrong passphrase."""
    folder = world.profile("alice")
    database = folder / "wigwag.db"
    content = database.read_bytes()
    database.write_bytes(bytes(len(content)))
    verdict = diagnose(world)
    assert verdict.not_ok() == {"profile": "problem"}
    assert "database" in verdict.of("profile", ALICE)["text"]
    (folder / "key.json").write_text("{}")
    assert "key file" in diagnose(world).of("profile", ALICE)["text"]


def test_a_profile_that_is_open_elsewhere_answers_through_its_holder(
    kept: World,
) -> None:
    """Taking it away would end somebody's conversation."""
    # A socket's name has a hundred bytes, and tests' own folders lie deep.
    with tempfile.TemporaryDirectory(prefix="w") as short:
        world = World(kept.server, Path(short))
        shutil.copytree(kept.profile("alice"), world.profile("alice"))
        check_held(world)


def check_held(world: World) -> None:
    """Look at a profile while `wigwag listen` has it open."""
    held = world.start("listen")
    try:
        socket_file = world.profile("alice") / "holder"
        anyio.run(wait_until, socket_file.exists)
        verdict = diagnose(world)
        assert verdict.code == 0
        assert f"process {held.pid} has it open" in verdict.of("profile", ALICE)["text"]
    finally:
        held.terminate()
        held.communicate()


def test_what_is_low_or_old_is_mended_by_connecting(world: World) -> None:
    """Prekeys come with a connection; without them nobody can begin to write."""
    change(
        world,
        "DELETE FROM prekey WHERE kind = 2 AND id > 5",
        "DELETE FROM prekey WHERE kind = 1",
    )
    verdict = diagnose(world)
    assert verdict.code == 0
    assert verdict.not_ok() == {"prekeys": "warning", "signed-prekey": "warning"}
    remedy = verdict.of("signed-prekey", ALICE)["remedy"]
    assert remedy == "wigwag listen --wait 5 -p alice"
    mend(world, remedy.replace("--wait 5", "--wait 2"))
    assert "signed-prekey" not in diagnose(world).not_ok()


def test_a_registration_that_was_cut_off_is_told(world: World) -> None:
    """The same command again goes on where it stopped."""
    change(world, "UPDATE account SET name = NULL")
    verdict = diagnose(world)
    assert verdict.not_ok() == {"account": "warning"}


def test_a_server_that_is_gone_or_another_is_told(world: World, tmp_path: Path) -> None:
    """Nobody there, and somebody else there, want different things."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
    change(world, f"UPDATE account SET port = {port}")  # noqa: S608
    verdict = diagnose(world)
    assert verdict.code == PROBLEM
    assert verdict.not_ok() == {"server": "problem"}
    assert verdict.of("server", ALICE)["remedy"] == "wigwag status -p alice"
    (tmp_path / "other").mkdir()
    with server_process(tmp_path / "other") as other:
        change(world, f"UPDATE account SET port = {other.port}")  # noqa: S608
        verdict = diagnose(world)
    assert verdict.not_ok() == {"server": "problem"}
    assert "is refused" in verdict.of("server", ALICE)["text"]


def test_a_clock_that_differs_from_the_servers_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Certificates and expiry go by this machine's clock."""
    monkeypatch.setattr(_profile, "SKEW_MS_MAX", -1)
    verdict = diagnose(world)
    assert verdict.not_ok() == {"clock": "warning"}
    assert verdict.of("clock", ALICE)["remedy"] == "sudo timedatectl set-ntp true"


def test_a_profile_that_is_not_there_is_a_problem(world: World) -> None:
    """Whoever names it believes that it is."""
    verdict = diagnose(world, "-p", "bob")
    assert verdict.code == PROBLEM
    assert verdict.of("profile", "profile bob")["remedy"].endswith("-p bob")
    verdict = diagnose(world, "-p", "b/../\0")
    assert verdict.code == PROBLEM


def test_the_canary_is_timed_to_its_end_and_leaves_no_account(kept: World) -> None:
    """Stored, durable, delivered, told, deleted: each is seen."""
    server = ("--server", "--data", str(kept.server.folder), "--health", "off")
    before = accounts(kept)
    verdict = diagnose(kept, *server, "--canary")
    steps = ["stored", "durable", "delivered", "acked", "deleted"]
    at = {name: verdict.of(name, "canary")["milliseconds"] for name in steps}
    # Two devices note what they hear; only what one causes in the other has an order.
    assert 0 < at["stored"] < min(at["durable"], at["delivered"], at["deleted"])
    assert at["acked"] > at["delivered"]
    assert verdict.of("removed", "canary")["status"] == "ok"
    assert accounts(kept) == before
    assert waiting_bytes(kept) == 0


def test_a_canary_from_elsewhere_needs_an_invite_and_says_what_it_cannot_see(
    kept: World,
) -> None:
    """A client's machine can't ask the server what it holds."""
    verdict = diagnose(kept, "-p", "alice", "--canary")
    assert verdict.code == PROBLEM
    remedy = verdict.of("canary", "canary")["remedy"]
    join = kept.run(*remedy.split()[1:], "--data", str(kept.server.folder)).out.strip()
    verdict = diagnose(kept, "-p", "alice", "--canary", "--join", join)
    assert "can't be seen from here" in verdict.of("deleted", "canary")["text"]
    assert verdict.of("removed", "canary")["status"] == "ok"
    assert diagnose(kept, "--server", "--canary").of("canary", "canary")["remedy"]


async def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so in the world outside."""
    with anyio.fail_after(30):
        while not is_so():  # noqa: ASYNC110 - another process tells nothing
            await anyio.sleep(0.02)


def accounts(world: World) -> int:
    """Return how many accounts the server has."""
    return int(status(world)["accounts"])


def waiting_bytes(world: World) -> int:
    """Return what waits in the server's inboxes."""
    return int(status(world)["inbox_bytes"])


def status(world: World) -> dict[str, int]:
    """Return what the server says of itself."""
    found = world.run("admin", "status", "--json", "--data", str(world.server.folder))
    return found.succeeded().value()


def test_a_person_is_told_of_two_sides_at_once(kept: World) -> None:
    """A machine may be a server and somebody's client."""
    done = subprocess.run(
        ["sh", "-c", f"wigwag doctor --client --server --data {kept.server.folder}"],
        env=kept.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, PROBLEM)
    subjects = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert subjects[:2] == ["server", ALICE]
