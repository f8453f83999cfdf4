"""Power cuts under the client's encrypted store: real schema, groups and recovery.

SQLCipher's layer lies upon the disk, so torn sectors are torn ciphertext. Here SQLite
itself syncs the folder when it makes the log, as its Unix VFS does: the store leaves
that to it.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

import trio
from tests.durability._client_life import KEY, difference, found_txn, work_txn
from tests.durability._power import memory_folder, replace_files
from tests.durability._power_disk import VFS_NAME, Power, PowerDisk
from tests.durability._tally import Tally, check

from wigwag.client._errors import StoreError
from wigwag.client._store import Store, open_store

Result = TypeVar("Result")

CIPHER_VFS = f"multipleciphers-{VFS_NAME}"
CUTS_PER_CHAIN = 12
PICTURES_MAX = 3
CALLS_MAX = 120
RECOVERY_CUT_SHARE = 0.3
PIECES_MAX = 9
CHECKPOINT_PAGES = 40
"""SQLite checkpoints after so many, so that cuts meet it."""


class InlineExecutor:
    """The client's `Executor` port, on the event loop's thread."""

    async def run(
        self,
        work: Callable[[], Result],
        commit: Callable[[], None],
        rollback: Callable[[], None],
    ) -> Result:
        """Run `work`, then `commit`; `rollback` if either raises."""
        await trio.lowlevel.checkpoint()
        try:
            result = work()
            commit()
        except BaseException:
            rollback()
            raise
        return result


class ClientChain:
    """One profile's database with many cuts; see `_power.Chain`."""

    def __init__(self, seed: int, disk: PowerDisk, root: Path, tally: Tally) -> None:
        self.pick = Random(seed)  # noqa: S311 - a script, no secret
        self.seed = seed
        self.disk = disk
        self.root = root
        self.tally = tally
        self.folders = 0
        self.acknowledged = 0
        self.begun = 0
        self.kinds: Counter[str] = Counter()

    def new_folder(self) -> Path:
        """Make an empty folder."""
        self.folders += 1
        folder = self.root / f"{self.folders}"
        folder.mkdir()
        return folder

    def power_of(self, folder: Path, cut_at: int | None) -> Power:
        """Watch a folder."""
        self.disk.power = Power(folder, cut_at, syncs_folder=True)
        return self.disk.power

    async def live(self) -> None:
        """Live through all cuts."""
        folder = self.new_folder()
        for _ in range(CUTS_PER_CHAIN):
            power = self.power_of(folder, self.pick.randrange(1, CALLS_MAX))
            await self.live_until_cut(power)
            self.tally.counts["client cuts"] += 1
            found: int | None = None
            for _ in range(self.pick.randrange(1, PICTURES_MAX + 1)):
                folder = self.new_folder()
                power.after_cut(folder, self.pick)
                found = await self.recover(folder)
                if found is None:
                    return
            assert found is not None
            self.acknowledged = self.begun = found

    async def live_until_cut(self, power: Power) -> None:
        """Do groups of work until the power goes."""
        path = power.folder / "wigwag.db"
        try:
            async with open_store(path, KEY, InlineExecutor(), vfs=CIPHER_VFS) as store:
                await store.run(_checkpoint_often)
                while not power.is_cut:
                    count = self.pick.randrange(1, PIECES_MAX)
                    self.begun += count
                    async with trio.open_nursery() as nursery:
                        for _ in range(count):
                            nursery.start_soon(self.work, store)
        except* StoreError:
            assert power.is_cut, "the disk failed without a cut"

    async def work(self, store: Store) -> None:
        """Do one piece of work and note that it is durable."""
        await store.run(work_txn)
        self.acknowledged += 1
        self.tally.counts["acknowledged"] += 1

    async def recover(self, folder: Path) -> int | None:
        """Recover a picture and compare; return how far it goes."""
        while self.pick.random() < RECOVERY_CUT_SHARE:
            power = self.power_of(folder, self.pick.randrange(1, 20))
            try:
                async with open_store(
                    folder / "wigwag.db", KEY, InlineExecutor(), vfs=CIPHER_VFS
                ):
                    power.cut_at = power.calls
            except StoreError as error:
                if not self.expect(power.is_cut, "refused", repr(error.__cause__)):
                    return None
            picture = self.new_folder()
            power.after_cut(picture, self.pick)
            replace_files(folder, picture)
            self.tally.counts["recoveries cut"] += 1
        self.power_of(folder, None)
        path = folder / "wigwag.db"
        try:
            async with open_store(path, KEY, InlineExecutor(), vfs=CIPHER_VFS) as store:
                found = await store.run(found_txn)
        except StoreError as error:
            self.expect(False, "lost", f"{error} {error.__cause__!r}")
            return None
        wrong = difference(found, self.acknowledged, self.begun)
        self.tally.counts["recoveries"] += 1
        if wrong is not None:
            self.expect(False, *wrong)
            return None
        return found.cursor

    def expect(self, is_true: bool, what: str, detail: str) -> bool:
        """Note a violation unless something is true."""
        replay = f"python -m tests.durability power-client --seed {self.seed} --count 1"
        return check(self.tally, is_true, what, detail, replay)


def _checkpoint_often(txn: object) -> None:
    """Have SQLite checkpoint as often as the server's engine does in these runs."""
    database = getattr(txn, "_db")  # noqa: B009 - a private thing of another package
    database.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")


def run_client_chain(seed: int, disk: PowerDisk, tally: Tally) -> None:
    """Run one chain in a folder of its own."""
    with TemporaryDirectory(prefix="wigwag-power-", dir=memory_folder()) as name:
        trio.run(ClientChain(seed, disk, Path(name), tally).live)
    disk.power = None
