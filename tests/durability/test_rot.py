"""Damage in every table and at any byte: refused or set aside, and never served."""

import contextlib
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest.mock import patch

import apsw
import pytest
import trio
from tests.contracts.harness import Lab, ask, settle
from tests.durability._rot import TABLES, Server, damage_table, flip, run
from tests.durability._tally import Tally
from tests.server._load import BROKEN
from tests.server._peer import Account, connect
from tests.server.core.world import ALICE_1
from trio.testing import wait_all_tasks_blocked

from wigwag.server.core import Status
from wigwag.server.engines import checked_vfs
from wigwag.server.engines._sql import fetch_one, typed
from wigwag.spec import ExitCode
from wigwag.testing import ServerNotReadyError, ServerProcess, server_process

ENGINES = "wigwag.server.engines"
QUICK = 60


@pytest.mark.parametrize("seed", [1, 2])
def test_damage_is_never_served(seed: int) -> None:
    """I22: flips and cuts in database and log, of server and client."""
    tally = run(seed, QUICK)
    assert not tally.violations
    assert tally.counts["refused"] > QUICK // 4


def test_damage_in_any_table_is_noticed() -> None:
    """A table without a checksum would be served as it is."""
    verdicts = damage_table()
    assert set(verdicts) == set(TABLES)
    assert set(verdicts.values()) <= {"refused", "quarantined"}


@contextmanager
def no_checksums() -> Generator[None, None, None]:
    """Pages that nobody compares: SQLite trusts its disk."""
    with (
        patch(f"{ENGINES}._database.checked_vfs", return_value="unix"),
        patch(f"{ENGINES}._database.has_checksums", return_value=True),
    ):
        yield


@contextmanager
def no_mark() -> Generator[None, None, None]:
    """Nobody knows how far the log went."""
    with patch(f"{ENGINES}._mark.Mark.read", return_value=0):
        yield


@pytest.mark.parametrize("mutant", [no_checksums, no_mark])
def test_a_server_that_does_not_look_is_caught(
    mutant: Callable[[], AbstractContextManager[None]],
) -> None:
    """Else a green run would mean nothing."""
    tally = Tally()
    with mutant():
        for seed in range(4):
            tally.add(run(seed, QUICK))
            if tally.violations:
                break
    assert {one.what for one in tally.violations} == {"served"}


def test_the_truth_is_stable(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two good copies give the same answers, so that a difference means damage."""
    server = Server(tmp_path_factory.mktemp("rot"))
    verdict, detail, is_good = server.judge(server.copy("good"))
    assert (verdict, detail, is_good) == ("harmless", "", True)


def first_bit(database: Path, table: str) -> int:
    """Return where the root page of a closed database's table begins, in bits."""
    with contextlib.closing(apsw.Connection(str(database), vfs=checked_vfs())) as found:
        statement = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        page: int = fetch_one(typed(found), statement, (table,))[0]
    return (page - 1) * 4_096 * 8


def lines_of(process: ServerProcess) -> list[str]:
    """Return what a server wrote to standard error."""
    return process.log_path.read_text("utf-8", "replace").splitlines()


@pytest.mark.parametrize(
    ("name", "at", "sentence"),
    [
        ("wigwag.db", 3_000, "damaged"),
        ("wigwag.db", 5, "not a usable Wigwag database"),
        ("wigwag.db-wal", 4_200, "commits are lost"),
    ],
)
def test_a_damaged_folder_is_one_sentence(
    tmp_path: Path, name: str, at: int, sentence: str
) -> None:
    """The operator learns what is wrong and what to do, and sees no traceback."""
    with server_process(tmp_path) as process:
        # Tidied up, the log is empty; killed, it has everything.
        process.kill() if name.endswith("-wal") else process.stop()
        flip(process.folder / name, at * 8)
        for _ in range(2):
            with pytest.raises(ServerNotReadyError) as caught:
                process.start()
            assert caught.value.exit_code == ExitCode.CONFIGURATION
        lines = lines_of(process)
        assert sentence in lines[-1]
        assert "Traceback" not in "".join(lines)
        assert "wigwag admin restore" in lines[-1] or at == 5


async def test_damage_that_nobody_reads_is_found(tmp_path: Path) -> None:
    """Weeks later the last good backup may be gone; each page is told once."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1)
    flip(lab.path, first_bit(lab.path, "prekey_base") + 40)
    page = first_bit(lab.path, "prekey_base") // (4_096 * 8) + 1
    async with lab.engine() as engine:
        for _ in range(3):
            engine.want_checkpoint()
            await ask(engine, Status())
            await wait_all_tasks_blocked()
        assert lab.ears.of("page_damaged") == [(page,)]


def test_a_lost_log_can_be_accepted(tmp_path: Path) -> None:
    """The sentence names the way out, and the way is open."""
    with server_process(tmp_path) as process:
        process.kill()
        wal = process.folder / "wigwag.db-wal"
        with wal.open("r+b") as file:
            file.truncate(wal.stat().st_size // 2)
        with pytest.raises(ServerNotReadyError, match="--accept-loss"):
            process.start()
        accepting = ServerProcess(tmp_path, options=("--accept-loss",))
        accepting.start()
        accepting.stop()
        process.start()


async def test_damage_that_a_running_server_meets_ends_it_with_a_sentence(
    tmp_path: Path,
) -> None:
    """Rule 11: what can't be trusted is neither served nor guessed."""
    with server_process(tmp_path) as process:
        account = Account()
        async with connect(process.port) as peer:
            await peer.register(account, process.join)
        process.stop()
        database = process.folder / "wigwag.db"
        flip(database, first_bit(database, "sender") + 40)
        await trio.to_thread.run_sync(process.start)
        with contextlib.suppress(AssertionError, *BROKEN):
            async with connect(process.port) as peer:
                await peer.sign_in(account)
        exit_code = await trio.to_thread.run_sync(process.wait)
        lines = lines_of(process)
        assert exit_code == ExitCode.CONFIGURATION, lines
        assert "is damaged" in lines[-1]
        assert "Traceback" not in "".join(lines)
