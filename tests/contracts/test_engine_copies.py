"""A folder that was copied by hand from under a running server: whole, or refused."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.contracts.harness import Lab, ask, settle
from tests.contracts.test_engine_order import sends
from tests.server.core.world import ALICE_1, BOB_1
from trio.testing import wait_all_tasks_blocked

from wigwag.server.core import Send, Sequenced, Status
from wigwag.server.engines import (
    EmbeddedEngine,
    inspect_database,
)
from wigwag.server.engines._sql import Database
from wigwag.server.engines._stamp import UNKNOWN, FileState, read_file_state, stamp
from wigwag.server.ports import DatabaseDamagedError, MixedCopyError

DATABASE, LOG = "wigwag.db", "wigwag.db-wal"
STAMP = "wigwag.server.engines._store.stamp"
STAMPS = "wigwag.server.engines._stamp"
SENDS = 60
BODY_BYTES = 600
"""So that a few messages need no new page, and many do."""


async def checkpoint(engine: EmbeddedEngine) -> None:
    """Do what is done each minute."""
    engine.want_checkpoint()
    await ask(engine, Status())
    await wait_all_tasks_blocked()


class Copied:
    """A running engine, and a copy of its folder that is made file by file.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "copy").mkdir()
        self.source = Lab(folder)
        self.copy = Lab(folder / "copy")
        self._sends = iter(sends(SENDS, BODY_BYTES))
        self._answered: list[tuple[Send, Sequenced]] = []

    @asynccontextmanager
    async def engine(self) -> AsyncGenerator[EmbeddedEngine, None]:
        """Open the engine, with people, a checkpoint, and a message in its log."""
        async with self.source.engine() as engine:
            await settle(engine, ALICE_1, BOB_1)
            await self.write_on(engine)
            yield engine

    async def send(self, engine: EmbeddedEngine, count: int = 1) -> None:
        """Send more messages."""
        for _ in range(count):
            message = next(self._sends)
            answer = await ask(engine, message)
            assert isinstance(answer, Sequenced)
            self._answered.append((message, answer))

    async def write_on(self, engine: EmbeddedEngine, count: int = 1) -> None:
        """Send, checkpoint, and send again."""
        await self.send(engine, count)
        await checkpoint(engine)
        await self.send(engine)

    def take(self, name: str) -> None:
        """Copy one file."""
        shutil.copy(self.source.path.with_name(name), self.copy.path.with_name(name))

    async def has_all(self) -> bool:
        """Open the copy; return whether it knows everything that was answered."""
        async with self.copy.engine() as engine:
            return all(
                [await ask(engine, one) == answer for one, answer in self._answered]
            )

    async def is_refused(self) -> bool:
        """Return True; the copy is not opened, not even a second time."""
        for _ in range(2):
            with pytest.raises(MixedCopyError, match=r"wigwag admin .*--accept-loss"):
                async with self.copy.engine():
                    raise AssertionError
        with pytest.raises(MixedCopyError, match="different times"):
            inspect_database(self.copy.path)
        return True


@pytest.mark.parametrize("names", [(DATABASE, LOG), (LOG, DATABASE)])
async def test_a_copy_of_mixed_times_is_refused(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    """What lay between would be missing, and nobody would know."""
    world = Copied(tmp_path)
    async with world.engine() as engine:
        for name in names:
            world.take(name)
            await world.write_on(engine)
    assert await world.is_refused()


async def test_a_database_copied_during_a_checkpoint_is_refused(tmp_path: Path) -> None:
    """Half of its pages are of before, though the checkpoint had begun."""
    world = Copied(tmp_path)
    real = stamp

    def copy_and_stamp(database: Database, mode: int) -> int:
        world.take(DATABASE)
        return real(database, mode)

    async with world.engine() as engine:
        with patch(STAMP, copy_and_stamp):
            await world.write_on(engine)
        world.take(LOG)
    assert await world.is_refused()


async def test_a_database_that_grew_behind_its_copied_log_is_refused(
    tmp_path: Path,
) -> None:
    """Its first page is of before the checkpoint, its last ones of after."""
    world = Copied(tmp_path)
    async with world.engine() as engine:
        world.take(LOG)
        world.take(DATABASE)
        await world.write_on(engine, SENDS // 2)
        before = world.copy.path.read_bytes()
        now = world.source.path.read_bytes()
        assert len(now) > len(before)
        world.copy.path.write_bytes(before[:4_096] + now[4_096:])
    assert await world.is_refused()


async def test_a_copy_between_two_checkpoints_is_whole(tmp_path: Path) -> None:
    """Nothing is refused that needn't be: the log has all that the file lacks."""
    world = Copied(tmp_path)
    async with world.engine() as engine:
        for _ in range(3):
            await world.write_on(engine)
        world.take(DATABASE)
        await world.send(engine)
        world.take(LOG)
    assert await world.has_all()


@pytest.mark.parametrize("moment", ["before", "within", "after"])
async def test_a_crash_beside_a_stamp_is_no_mixed_copy(
    tmp_path: Path, moment: str
) -> None:
    """The same two files, of one moment: the log says 0 until the number is durable."""
    world = Copied(tmp_path)
    real = stamp

    def take() -> None:
        world.take(DATABASE)
        world.take(LOG)

    def stamping(point: str) -> None:
        assert point == "store.while_stamping"
        if moment == "within":
            take()

    def crash_and_stamp(database: Database, mode: int) -> int:
        if moment == "before":
            take()
        with patch(f"{STAMPS}.crash_point", stamping):
            number = real(database, mode)
        if moment == "after":
            take()
        return number

    async with world.engine() as engine:
        await world.send(engine)
        with patch(STAMP, crash_and_stamp):
            await checkpoint(engine)
    assert await world.has_all()
    # And it is proven again from the next start on.
    number = read_file_state(world.copy.path).number
    async with world.copy.engine() as engine:
        await world.send(engine)
        assert world.copy.query("SELECT settled FROM log") == [(number,)]


async def test_a_mixed_copy_can_be_accepted_if_it_is_whole(tmp_path: Path) -> None:
    """Data may be better than nothing; later starts need no option."""
    world = Copied(tmp_path)
    async with world.engine() as engine:
        world.take(DATABASE)
        await world.write_on(engine)
        world.take(LOG)
    async with world.copy.engine(accept_loss=True):
        assert world.copy.query("SELECT void_below FROM log") == world.copy.query(
            "SELECT max(epoch) FROM epoch"
        )
    async with world.copy.engine():
        pass


async def test_a_mixed_copy_that_is_not_whole_is_never_opened(tmp_path: Path) -> None:
    """Its tables name pages that are missing: nothing in it could be believed."""
    world = Copied(tmp_path)
    async with world.engine() as engine:
        world.take(DATABASE)
        await world.write_on(engine, SENDS // 2)
        await world.send(engine, SENDS // 4)
        world.take(LOG)
    with pytest.raises(DatabaseDamagedError, match="damaged"):
        async with world.copy.engine(accept_loss=True):
            raise AssertionError


async def test_an_idle_minute_writes_no_stamp(tmp_path: Path) -> None:
    """A server that has nothing to do leaves the disk alone."""
    world = Copied(tmp_path)
    async with world.engine() as engine:
        await checkpoint(engine)
        number = read_file_state(world.source.path).number
        await checkpoint(engine)
        assert read_file_state(world.source.path).number == number > 0


def test_a_file_that_says_nothing_proves_nothing(tmp_path: Path) -> None:
    """It is missing, empty, or something else: opening it tells what it is."""
    path = tmp_path / DATABASE
    assert read_file_state(path).number == UNKNOWN
    path.write_bytes(b"")
    assert read_file_state(path).number == UNKNOWN
    path.write_bytes(b"no database" * 999)
    assert read_file_state(path) == FileState(UNKNOWN, 10_989)
