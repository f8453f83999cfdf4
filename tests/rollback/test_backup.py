"""`wigwag admin backup` and `restore`: whole, verified, and honest about the rest."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import anyio
import msgspec
import pytest
import trio
from anyio.to_thread import run_sync
from click.testing import CliRunner, Result
from tests.client.worlds import at, join
from tests.contracts.harness import Lab, ask, expect, settle
from tests.contracts.test_engine_order import sends
from tests.rollback._scenes import gaps_of, kinds_told, read
from tests.server.core.world import ALICE_1, BOB_1

from wigwag.client import Session
from wigwag.client._events import EventKind
from wigwag.server import (
    Config,
    ConfigError,
    DamagedDataError,
    InUseError,
    Limits,
    ServerError,
    open_folder,
)
from wigwag.server import _restore as restoring
from wigwag.server._admin_cli import admin
from wigwag.server._admin_client import ask_admin
from wigwag.server._manifest import MANIFEST_NAME, read_manifest, verify_backup
from wigwag.server._restore import restore_backup
from wigwag.server.core import EngineStatus, Sequenced, Status
from wigwag.server.engines import examine_database, mark_restored
from wigwag.spec import ExitCode
from wigwag.testing import server, server_in_thread, server_process

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def back_up(folder: Path, target: Path) -> dict[str, object]:
    """Do what `wigwag admin backup` does."""
    progress: list[object] = []
    request: dict[str, object] = {"command": "backup", "path": str(target)}
    return ask_admin(folder, request, progress.append)


def restore(backup: Path, folder: Path) -> None:
    """Do what `wigwag admin restore --replace` does."""
    restore_backup(backup, folder, datetime.now(UTC), replaces=True)


def invoke(*arguments: str) -> Result:
    """Run `wigwag admin`."""
    return CliRunner().invoke(admin, arguments)


def names_in(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


async def write(session: Session, texts: list[str], count: int) -> None:
    """Write numbered texts until there are so many."""
    while len(texts) < count:
        texts.append(f"{len(texts)}")
        await (await session.send("bob", texts[-1])).wait("sequenced", 30)


async def test_a_backup_under_load_is_restored_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    """Before it: in it. After it: offered again by who sent it. Each once, in order."""
    backup = tmp_path / "backup"
    texts: list[str] = []
    with server_process(options=("--limits-profile", "bench")) as process:
        alice = await join("alice", process.join, tmp_path)
        bob = await join("bob", process.join, tmp_path)
        async with at(alice) as a, at(bob) as b:
            async with anyio.create_task_group() as tasks:
                await write(a, texts, 10)
                tasks.start_soon(write, a, texts, 40)
                made = await run_sync(back_up, process.folder, backup)
                assert made["accounts"] == 2
            assert await read(b, 40) == texts
        async with at(alice) as a:
            # Nobody but Alice and the server has these, and the server loses them.
            await write(a, texts, 50)
            await run_sync(process.stop)
            await run_sync(restore, backup, process.folder)
            await run_sync(process.start)
            async with at(bob) as b:
                assert await read(b, 10) == texts[40:]
                await write(a, texts, 51)
                assert await read(b, 1) == ["50"]
                assert [one.text for one in await b.history("alice", 99)] == texts
                assert "server_restored" in {gap.reason for gap in await gaps_of(b, 1)}
    assert kinds_told(bob, EventKind.UNREADABLE) == 0


async def test_a_copy_is_of_one_moment_and_holds_nobody_up(tmp_path: Path) -> None:
    """Commits go on between its steps, and what they wrote is in it."""
    lab, target = Lab(tmp_path), tmp_path / "copy.db"
    messages = sends(60, size=20_000)
    answered: list[object] = []
    steps: list[tuple[int, int]] = []
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        for message in messages[:50]:
            await expect(Sequenced, engine, message)

        async def tell(pages: int, pages_all: int) -> None:
            steps.append((pages, pages_all))
            if len(answered) < 10:
                answered.append(await ask(engine, messages[50 + len(answered)]))

        await engine.copy_to(target, tell)
        status = await expect(EngineStatus, engine, Status())
    assert all(isinstance(answer, Sequenced) for answer in answered)
    assert len(steps) >= len(answered) > 3
    assert [pages for pages, _ in steps] == sorted(pages for pages, _ in steps)
    facts = examine_database(target)
    # The last told step is the end of the copy: what it answered came too late.
    assert 50 + len(answered) - facts.entries in (0, 1)
    assert facts.accounts == status.accounts == 2


async def test_a_copy_that_fails_leaves_the_engine_as_it_was(tmp_path: Path) -> None:
    """A listener that went away, a target that is there, an engine that ends."""
    lab, target = Lab(tmp_path), tmp_path / "copy.db"

    async def leave(pages: int, pages_all: int) -> None:
        raise trio.BrokenResourceError

    async def stay(pages: int, pages_all: int) -> None:
        return

    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        with pytest.raises(trio.BrokenResourceError):
            await engine.copy_to(target, leave)
        with pytest.raises(Exception, match="could not be copied"):
            await engine.copy_to(target, stay)
        assert isinstance(await ask(engine, sends(1)[0]), Sequenced)
        target.unlink()
        await engine.copy_to(target, stay)
    assert examine_database(target).entries == 1


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a bit of the database": lambda backup: flip(backup / "wigwag.db"),
    "a bit of a key": lambda backup: flip(backup / "ca-key.pem"),
    "a bit of the manifest": lambda backup: flip(backup / MANIFEST_NAME),
    "a shorter database": lambda backup: (backup / "wigwag.db").write_bytes(
        (backup / "wigwag.db").read_bytes()[:-4096]
    ),
    "no manifest": lambda backup: (backup / MANIFEST_NAME).unlink(),
    "no leaf": lambda backup: (backup / "leaf.pem").unlink(),
    "a later format": lambda backup: rewrite(backup, format=99),
    "another database": lambda backup: rewrite(backup, schema=1),
}


def rewrite(backup: Path, **values: int) -> None:
    """Write a manifest anew whose checksum fits."""
    manifest = read_manifest(backup)
    if "schema" in values:
        facts = msgspec.structs.replace(manifest.database, **values)
        manifest = msgspec.structs.replace(manifest, database=facts)
    else:
        manifest = msgspec.structs.replace(manifest, **values)
    (backup / MANIFEST_NAME).write_bytes(msgspec.json.encode(manifest.sealed()))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a server that nobody has joined."""
    folder = tmp_path_factory.mktemp("made")
    with server_in_thread() as running:
        back_up(running.folder, folder / "backup")
    return folder / "backup"


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_backup_is_refused(made: Path, tmp_path: Path, damage: str) -> None:
    """Before anything is touched, and the file is named."""
    backup, data = tmp_path / "backup", tmp_path / "data"
    shutil.copytree(made, backup)
    assert verify_backup(backup) == read_manifest(made)
    DAMAGE[damage](backup)
    with pytest.raises(DamagedDataError) as caught:
        restore_backup(backup, data, NOW, replaces=True)
    assert str(backup) in caught.value.sentence
    assert not data.exists()


def test_a_restored_folder_is_above_every_epoch_that_was_used(
    made: Path, tmp_path: Path
) -> None:
    """Also of the folder that it replaces, whose clock was ahead (rule 2)."""
    data = tmp_path / "data"
    restore_backup(made, data, NOW)
    epoch = read_manifest(made).database.epoch
    ahead = mark_restored(data / "wigwag.db", 0, epoch + 10_000_000)
    assert ahead == epoch + 10_000_001
    with server_in_thread(folder=tmp_path) as running:
        status = ask_admin(running.folder, {"command": "status"})
        assert status["epoch"] == ahead
    done = restore_backup(made, data, NOW, replaces=True)
    assert done.set_aside == tmp_path / "data.replaced-20260701T000000Z"
    with server_in_thread(folder=tmp_path) as running:
        status = ask_admin(running.folder, {"command": "status"})
        assert status["epoch"] == ahead + 1


@pytest.mark.parametrize("step", ["_move_aside", "_copy_in", "mark_restored"])
def test_a_restore_that_was_cut_short_goes_on(
    made: Path, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No server starts on half a folder, and what was there before is kept."""
    data = tmp_path / "data"
    with server_in_thread(folder=tmp_path):
        pass
    (data / "note").write_text("mine")
    before = (data / "wigwag.db").read_bytes()
    real = getattr(restoring, step)

    def die(*arguments: object) -> None:
        # As a crash would: some of it is done.
        real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(restoring, step, die)
        with pytest.raises(KeyboardInterrupt):
            restore_backup(made, data, NOW, replaces=True)
    with pytest.raises(DamagedDataError, match="cut short"), open_folder(data):
        raise AssertionError
    later = datetime(2026, 7, 2, tzinfo=UTC)
    done = restore_backup(made, data, later, replaces=True)
    assert done.set_aside is not None
    assert (done.set_aside / "note").read_text() == "mine"
    assert (done.set_aside / "wigwag.db").read_bytes() == before
    assert set(names_in(data)) - {"wigwag.db-wal", "lock"} == {
        *("ca.pem", "ca-key.pem", "leaf.pem", "leaf-key.pem", "wigwag.db")
    }
    with server_in_thread(folder=tmp_path) as running:
        assert ask_admin(running.folder, {"command": "status"})["accounts"] == 0


async def test_a_backup_that_was_cut_short_is_no_backup(tmp_path: Path) -> None:
    """It has no name and no manifest; the next one of its name takes its place."""
    async with server() as running:
        left = tmp_path / ".backup.unfinished"
        left.mkdir()
        (left / "wigwag.db").write_bytes(b"half")
        with pytest.raises(DamagedDataError, match="no finished backup"):
            verify_backup(left)
        await run_sync(back_up, running.folder, tmp_path / "backup")
        assert not left.exists()
        assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700
        for entry in (tmp_path / "backup").iterdir():
            assert entry.stat().st_mode & 0o777 == 0o600
        # Its place is a file's: it fails at the end of its way, and leaves nothing.
        for place in (tmp_path / "none" / "backup", running.folder / "backup"):
            with pytest.raises(ServerError):
                await run_sync(back_up, running.folder, place)
        assert names_in(tmp_path) == ["backup"]


async def test_the_configuration_goes_along(tmp_path: Path) -> None:
    """A restored server needs what it ran with; the file says it in its own words."""
    config = Config(
        listen="127.0.0.1:0",
        trusted_networks=["10.0.0.0/8"],
        limits_profile="bench",
        limits=Limits.for_profile("bench"),
    )
    async with server(config) as running:
        await run_sync(back_up, running.folder, tmp_path / "backup")
    shown = invoke(
        *("config", "show", "--json", "--config"),
        str(tmp_path / "backup" / "configuration.toml"),
    )
    values = json.loads(shown.stdout)
    assert values["trusted_networks"]["value"] == ["10.0.0.0/8"]
    assert values["limits.has_token_buckets"]["value"] is False
    assert values["limits.has_token_buckets"]["origin"] == "limits_profile bench"
    assert values["listen"]["origin"].endswith("configuration.toml:2")


def test_the_commands_say_what_they_did_and_what_comes_next(tmp_path: Path) -> None:
    """To people in sentences, to programs in JSON; mistakes in one line."""
    backup = tmp_path / "backup"
    with server_in_thread(folder=tmp_path) as running:
        data = ("--data", str(running.folder))
        said = invoke("backup", str(backup), *data)
        assert said.exit_code == ExitCode.OK
        assert "0 accounts, 0 messages under way" in said.stdout
        again = invoke("backup", str(backup), *data)
        assert again.exit_code == ExitCode.UNREACHABLE
        assert "choose a new name" in again.stderr
        made = json.loads(
            invoke("backup", str(tmp_path / "b2"), "--json", *data).stdout
        )
        assert made["files"][0] == "wigwag.db"
        in_use = invoke("restore", str(backup), "--replace", *data)
        assert in_use.exit_code == ExitCode.IN_USE
        assert in_use.stderr.count("\n") == 1
    assert "is whole" in invoke("restore", str(backup), "--check").stdout
    assert invoke("restore", str(backup), *data).exit_code == ExitCode.CONFIGURATION
    done = invoke("restore", str(backup), "--replace", *data)
    assert f"Next: wigwag serve --data {running.folder}" in done.stdout
    value = json.loads(
        invoke("restore", str(backup), "--data", str(tmp_path / "new"), "--json").stdout
    )
    assert (value["set_aside"], value["left"]) == (None, ["configuration.toml"])


def test_a_restore_refuses_what_would_hurt(made: Path, tmp_path: Path) -> None:
    """A folder in use, one that isn't empty, a backup inside it."""
    data = tmp_path / "data"
    with open_folder(data), pytest.raises(InUseError):
        restore_backup(made, data, NOW, replaces=True)
    (data / "note").write_text("mine")
    with pytest.raises(ConfigError, match="isn't empty"):
        restore_backup(made, data, NOW)
    shutil.copytree(made, data / "backup")
    with pytest.raises(ConfigError, match="inside"):
        restore_backup(data / "backup", data, NOW, replaces=True)
    assert (data / "note").read_text() == "mine"
