"""Opening a data folder: who may, when, and what each start leaves behind."""

import tomllib
from pathlib import Path

import apsw
import pytest
from tests.contracts.harness import Lab, ask, settle
from tests.contracts.test_engine_order import sends
from tests.server.core.world import ALICE_1, BOB_1, EPOCH, START_MS

import wigwag.server
from wigwag.server.core import EngineStatus, Sequenced, Status
from wigwag.server.engines import checked_vfs, mark_path
from wigwag.server.engines._schema import OPENED_BY_VERSION, SCHEMA_VERSION
from wigwag.server.engines._sql import typed
from wigwag.server.engines._store import CLOCK_AHEAD_MS_MAX, CLOCK_BEHIND_MS_MAX
from wigwag.server.ports import (
    ClockSuspectError,
    DatabaseInUseError,
    LogLostError,
    NotADatabaseError,
    SchemaTooNewError,
    StorageError,
)


def on_file(lab: Lab, statement: str) -> list[tuple[object, ...]]:
    """Run a statement on the closed database."""
    connection = apsw.Connection(str(lab.path), vfs=checked_vfs())
    found = typed(connection).execute(statement).fetchall()
    connection.close()
    return found


async def test_a_database_is_for_one_process(tmp_path: Path) -> None:
    """Two writers of one log would hand out the same positions."""
    lab, other = Lab(tmp_path), Lab(tmp_path)
    async with lab.engine() as engine:
        with pytest.raises(DatabaseInUseError, match="in use by another process"):
            async with other.engine():
                raise AssertionError
        assert isinstance(await ask(engine, Status()), EngineStatus)
    async with other.engine():
        assert other.connection is not None


async def test_an_older_build_refuses_a_newer_schema(tmp_path: Path) -> None:
    """It says which release to use, and touches nothing."""
    lab = Lab(tmp_path)
    async with lab.engine():
        pass
    on_file(lab, "UPDATE log SET schema = 99, version = '7.1.0'")
    before = lab.path.read_bytes()
    with pytest.raises(
        SchemaTooNewError, match=r"use Wigwag 7\.1\.0 or newer"
    ) as caught:
        async with lab.engine():
            raise AssertionError
    assert (caught.value.found, caught.value.supported) == (99, SCHEMA_VERSION)
    assert lab.path.read_bytes() == before


def test_the_schema_names_this_release() -> None:
    """What this build writes, this build can open."""
    root = Path(wigwag.server.__file__).parents[3]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["version"] == OPENED_BY_VERSION


@pytest.mark.parametrize("damage", ["noise", "folder", "foreign"])
async def test_what_is_no_database_is_refused(tmp_path: Path, damage: str) -> None:
    """One clear sentence; the file stays for whoever it belongs to."""
    lab = Lab(tmp_path)
    if damage == "noise":
        lab.path.write_bytes(b"noise " * 5_000)
    elif damage == "folder":
        lab.path.mkdir()
    else:
        on_file(lab, "CREATE TABLE photos(name)")
    with pytest.raises(NotADatabaseError, match="not a usable Wigwag database"):
        async with lab.engine():
            raise AssertionError
    assert lab.path.exists()


@pytest.mark.parametrize(
    ("offset_ms", "is_odd"),
    [
        (-CLOCK_BEHIND_MS_MAX, False),
        (-CLOCK_BEHIND_MS_MAX - 1, True),
        (CLOCK_AHEAD_MS_MAX, False),
        (CLOCK_AHEAD_MS_MAX + 1, True),
    ],
)
async def test_a_clock_that_does_not_fit_must_be_confirmed(
    tmp_path: Path, offset_ms: int, is_odd: bool
) -> None:
    """Rule 12: expiry and dedupe live by it."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1)
    lab.clock.ms += offset_ms
    if is_odd:
        with pytest.raises(ClockSuspectError, match="--accept-clock"):
            async with lab.engine():
                raise AssertionError
    async with lab.engine(accept_clock=is_odd) as engine:
        status = await ask(engine, Status())
    assert isinstance(status, EngineStatus)
    # Accepted, also back: standing still would refuse every id of the right time.
    assert status.clock_ms == (lab.clock.ms if is_odd else max(START_MS, lab.clock.ms))


async def test_every_start_opens_an_epoch_never_used_before(tmp_path: Path) -> None:
    """Rule 2; the list tells where each ended."""
    lab = Lab(tmp_path)
    messages = sends(3)
    seqs: list[int] = []
    for index, message in enumerate(messages):
        async with lab.engine() as engine:
            if index == 0:
                await settle(engine, ALICE_1, BOB_1)
            answer = await ask(engine, message)
            assert isinstance(answer, Sequenced)
            seqs.append(answer.chat_seq)
        if index == 1:
            lab.clock.ms += 60_000
    assert [seq >> 32 for seq in seqs] == [EPOCH, EPOCH + 1, EPOCH + 60]
    assert on_file(lab, "SELECT epoch, ended > 0 FROM epoch") == [
        (EPOCH, 1),
        (EPOCH + 1, 1),
        (EPOCH + 60, 0),
    ]


async def test_an_older_copy_put_back_by_hand_is_noticed(tmp_path: Path) -> None:
    """The mark beside it proves that more was durable; the operator must say so."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
    older = lab.path.read_bytes()
    async with lab.engine() as engine:
        await ask(engine, sends(1)[0])
    newer = lab.path.read_bytes()
    lab.path.write_bytes(older)
    for _ in range(2):
        with pytest.raises(LogLostError, match=r"commits are lost.*--accept-loss"):
            async with lab.engine():
                raise AssertionError
    lab.path.write_bytes(newer)
    async with lab.engine():
        pass
    lab.path.write_bytes(older)
    async with lab.engine(accept_loss=True):
        assert lab.query("SELECT void_below FROM log") == lab.query(
            "SELECT max(epoch) FROM epoch"
        )
    async with lab.engine():
        pass


@pytest.mark.parametrize("damage", [b"", b"12 bytes and more", bytes(12)])
async def test_a_damaged_mark_prevents_nothing(tmp_path: Path, damage: bytes) -> None:
    """It only proves; a server that can start must not be kept from it."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1)
    path = mark_path(lab.path)
    good = path.read_bytes()
    path.write_bytes(damage)
    async with lab.engine():
        pass
    assert path.read_bytes() > good


async def test_the_promises_of_the_file_are_set(tmp_path: Path) -> None:
    """FULL is the only mode in which a commit survives a power cut."""
    lab = Lab(tmp_path)
    async with lab.engine():
        pragmas = {
            name: lab.query(f"PRAGMA {name}")[0][0]
            for name in (
                *("journal_mode", "synchronous", "fullfsync", "secure_delete"),
                *("checkpoint_fullfsync", "locking_mode", "wal_autocheckpoint"),
            )
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "fullfsync": 1,
        "secure_delete": 1,
        "checkpoint_fullfsync": 1,
        "locking_mode": "exclusive",
        "wal_autocheckpoint": 0,
    }


def test_storage_errors_have_one_root() -> None:
    """The server turns all of them into one sentence and one exit code."""
    for kind in (
        *(ClockSuspectError, DatabaseInUseError, NotADatabaseError),
        SchemaTooNewError,
    ):
        assert issubclass(kind, StorageError)
