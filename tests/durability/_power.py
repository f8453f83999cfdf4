"""Power cuts under the server's engine: real schema, real commits, real recovery.

A chain begins with an empty folder and lives a random script against the dictionary
model (`tests.contracts`). Somewhere in it, perhaps while the schema is made, a day
table dropped or the log checkpointed, the power goes. Several pictures of what the
disk may hold are recovered, some with another cut in the recovery, and compared:

* what was answered is there; beyond it at most the one group that was being committed,
  whole or not at all (I1, rule 1);
* no message has two places, inboxes hold what the model says, in its order (I2, I3);
* epochs only rise, cursors never go back (I23).

One of the pictures lives on until the next cut.
"""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import apsw
import trio
from tests.contracts.harness import InlineExecutor, Lab, ask
from tests.contracts.model import Box, Model
from tests.contracts.test_engine_model import (
    DEVICES,
    Script,
    essential,
    plain,
    shape_of,
    stored,
)
from tests.durability._power_disk import Power, PowerDisk
from tests.durability._tally import Tally, check
from tests.server.core.world import DAY_MS, START_MS, register, upload

from wigwag.server.core import (
    Ack,
    Answer,
    Connect,
    EngineLimits,
    Entries,
    InboxRead,
    Register,
    Request,
    Send,
    Sequenced,
    Tick,
    Ticked,
)
from wigwag.server.engines import EmbeddedEngine, _store, open_database
from wigwag.server.ports import StorageError

OpenFile = Callable[..., apsw.Connection]

CUTS_PER_CHAIN = 12
PICTURES_MAX = 3
CALLS_MAX = 160
"""A cut comes within so many calls of the last one: two or three groups."""
RECOVERY_CUT_SHARE = 0.3
MAINTENANCE_SHARE = 0.08
WAL_PAGES_MAX = 24
"""Small, so that checkpoints are as frequent as cuts."""
SHARE_REOFFERED = 12
JUMP_MS = 20 * DAY_MS
SECONDS_MAX = 60
BESIDE = ("wigwag.db.mark",)


class PowerLab(Lab):
    """An engine's folder on a disk that can lose power."""

    def __init__(
        self, folder: Path, power: Power, clock_ms: int, open_file: OpenFile
    ) -> None:
        super().__init__(folder)
        self.power = power
        self.clock.ms = clock_ms
        self._open_file = open_file

    def open_database(self, path: Path) -> apsw.Connection:
        """Open the file as always, its folder being the disk's."""
        self.connection = self._open_file(path, fsync_folder=self.power.fsync_folder)
        return self.connection


class Chain:
    """One life with many cuts.

    Args:
        seed: Decides everything.
        disk: The VFS of this process.
        root: An empty folder.
        tally: Where figures go.
        open_file: Opens the database; a planted bug has its own.
        syncs_folder: See `Power`.
    """

    def __init__(
        self,
        seed: int,
        disk: PowerDisk,
        root: Path,
        tally: Tally,
        *,
        open_file: OpenFile = open_database,
        syncs_folder: bool = False,
    ) -> None:
        self.pick = Random(seed)  # noqa: S311 - a script, no secret
        self.seed = seed
        self.disk = disk
        self.root = root
        self.tally = tally
        self.open_file = open_file
        self.syncs_folder = syncs_folder
        self.folders = 0
        self.script = Script(seed)
        self.model = Model(START_MS, 0)
        self.model.boxes = {device: Box() for device in DEVICES}
        self.script.model = self.model
        self.clock_ms = START_MS
        self.truth: dict[bytes, tuple[Send, Sequenced]] = {}
        self.reachable: set[bytes] = set()
        self.kinds: Counter[str] = Counter()
        self.possible: Callable[[], list[Model]] = list[Model]

    @property
    def replay(self) -> str:
        """The command that does this chain again."""
        return f"python -m tests.durability power --seed {self.seed} --count 1"

    def expect(self, is_true: bool, what: str, detail: str) -> bool:
        """Note a violation unless something is true."""
        return check(self.tally, is_true, what, detail[:900], self.replay)

    def new_folder(self) -> Path:
        """Make an empty folder."""
        self.folders += 1
        folder = self.root / f"{self.folders}"
        folder.mkdir()
        return folder

    def power_of(self, folder: Path, cut_at: int | None) -> Power:
        """Watch a folder."""
        self.disk.power = Power(
            folder, cut_at, syncs_folder=self.syncs_folder, beside=BESIDE
        )
        return self.disk.power

    def lab(self, power: Power) -> PowerLab:
        """Make a laboratory on a disk."""
        lab = PowerLab(power.folder, power, self.clock_ms, self.open_file)
        lab.executor = InlineExecutor(self.pick.randrange(99))
        lab.limits = EngineLimits(group_records_max=self.pick.choice((1, 4, 256)))
        lab.reserve_bytes = self.pick.choice((0, 5_000))
        return lab

    async def live(self) -> None:
        """Live through all cuts."""
        folder = self.new_folder()
        for _ in range(CUTS_PER_CHAIN):
            power = self.power_of(folder, self.pick.randrange(1, CALLS_MAX))
            await self.live_until_cut(power)
            self.tally.counts["cuts"] += 1
            self.kinds[power.kind] += 1
            possible = self.possible()
            kept: Model | None = None
            for _ in range(self.pick.randrange(1, PICTURES_MAX + 1)):
                folder = self.new_folder()
                power.after_cut(folder, self.pick)
                kept = await self.recover(folder, possible)
                if kept is None:
                    return
            assert kept is not None
            self.model = self.script.model = kept

    async def live_until_cut(self, power: Power) -> None:
        """Live until the power goes; `possible` then tells what may be found."""
        lab = self.lab(power)
        self.stand()
        try:
            async with lab.engine(accept_clock=True) as engine:
                self.model.epoch = newest_epoch(lab)
                self.stand()
                for device in DEVICES:
                    if device[:16] in self.model.deleted:
                        continue
                    if device not in self.model.registration:
                        await self.both(engine, register(device))
                    if device not in self.reachable:
                        await ask(engine, upload(device))
                        self.reachable.add(device)
                while not power.is_cut:
                    if self.pick.random() < MAINTENANCE_SHARE:
                        await self.maintain(engine, lab)
                    await self.burst(engine)
                    self.clock_ms += self.pick.choice((0, 1, 700))
                    lab.clock.ms = self.model.now_ms = self.clock_ms
        except StorageError:
            assert power.is_cut, "the disk failed without a cut"

    def stand(self) -> None:
        """Note that nothing is in flight."""
        model = deepcopy(self.model)
        self.possible = lambda: [model]

    async def both(self, engine: EmbeddedEngine, request: Request) -> None:
        """Ask engine and model the same."""
        before = deepcopy(self.model)
        expected = self.model.answer(request)
        after = deepcopy(self.model)
        self.possible = lambda: [before, after]
        answer = await ask(engine, request)
        self.note(request, expected, answer)
        self.stand()

    async def burst(self, engine: EmbeddedEngine) -> None:
        """Append requests at once and wait for all answers."""
        made: list[tuple[Request, Answer]] = []
        prefixes = [deepcopy(self.model)]
        for _ in range(self.pick.randrange(1, 20)):
            request = self.script.request()
            made.append((request, self.model.answer(request)))
            prefixes.append(deepcopy(self.model))
        answered = 0
        done = trio.Event()

        def take(answer: Answer) -> None:
            nonlocal answered
            self.note(*made[answered], answer)
            answered += 1
            if answered == len(made):
                done.set()

        def possible() -> list[Model]:
            taken = len(made) - answered - engine.depth
            return [prefixes[answered], prefixes[answered + taken]]

        self.possible = possible
        for request, _ in made:
            engine.append(request, take)
        with trio.fail_after(SECONDS_MAX):
            await done.wait()

    def note(self, request: Request, expected: Answer, answer: Answer) -> None:
        """Compare an answer with the model's; remember what was acknowledged."""
        is_right = essential(answer) == essential(expected)
        self.expect(
            is_right or isinstance(request, Register), "wrong", f"{request} {answer}"
        )
        if isinstance(answer, Sequenced) and isinstance(request, Send):
            self.truth[request.client_msg_id] = (request, answer)
        self.tally.counts["acknowledged"] += 1

    async def maintain(self, engine: EmbeddedEngine, lab: Lab) -> None:
        """Let forty days pass, with everything acknowledged; day tables are dropped."""
        model = self.model
        devices = list(model.registration)
        for device in devices:
            last = model.boxes[device].last
            await self.both(engine, Ack(device, model.registration[device], last))
        for _ in range(2):
            self.clock_ms += JUMP_MS
            lab.clock.ms = model.now_ms = self.clock_ms
            for device in devices:
                registration, acked = (
                    model.registration[device],
                    model.boxes[device].acked,
                )
                generation = model.generation[device] + 1
                await self.both(
                    engine, Connect(device, registration, generation, acked)
                )
        self.script.sends.clear()
        self.truth.clear()
        model.answers.clear()
        before = deepcopy(model)
        # A name of a deleted account is free after a month.
        model.names = {
            name: user
            for name, user in model.names.items()
            if user not in model.deleted
        }
        after = deepcopy(model)
        self.possible = lambda: [before, after]
        tick = Tick()
        while isinstance(answer := await ask(engine, tick), Ticked) and answer.after:
            tick = Tick(after=answer.after)
        self.stand()
        self.tally.counts["day drops"] += 1

    async def recover(self, folder: Path, possible: list[Model]) -> Model | None:
        """Recover a picture and compare; None: it is broken."""
        while self.pick.random() < RECOVERY_CUT_SHARE:
            power = self.power_of(folder, self.pick.randrange(1, 30))
            try:
                async with self.lab(power).engine(accept_clock=True):
                    power.cut_at = power.calls
            except StorageError as error:
                if not self.expect(power.is_cut, "refused", str(error)):
                    return None
            picture = self.new_folder()
            power.after_cut(picture, self.pick)
            replace_files(folder, picture)
            self.tally.counts["recoveries cut"] += 1
        lab = self.lab(self.power_of(folder, None))
        try:
            async with lab.engine(accept_clock=True) as engine:
                return await self.compare(engine, lab, possible)
        except StorageError as error:
            self.expect(
                False, "lost", f"after {self.tally.counts['cuts']} cuts: {error}"
            )
            return None

    async def compare(
        self, engine: EmbeddedEngine, lab: Lab, possible: list[Model]
    ) -> Model | None:
        """Compare what was recovered with what may be there."""
        found = stored(lab)
        fitting = [one for one in possible if shape_of(one) == found]
        if not fitting:
            wanted = shape_of(possible[0])
            self.expect(False, "lost", f"found {found} and not {wanted}")
            return None
        model = deepcopy(fitting[-1])
        epoch = newest_epoch(lab)
        if not self.expect(epoch > self.model.epoch, "doubled", f"epoch {epoch}"):
            return None
        model.epoch = epoch
        for device in model.registration:
            request = InboxRead(device, 0, 1 << 20, 1 << 30)
            answer = await ask(engine, request)
            assert isinstance(answer, Entries)
            have = [plain(one) for one in answer.entries]
            want = [plain(one) for one in model.unread(device)]
            self.expect(have == want, "reordered", f"{have} and not {want}")
        known = [
            one for one in self.truth.values() if one[0].sender in model.registration
        ]
        again = self.pick.sample(known, min(len(known), SHARE_REOFFERED))
        for send, expected in again:
            answer = await ask(engine, send)
            self.expect(answer == expected, "doubled", f"{answer} and not {expected}")
        self.check_log(lab)
        self.tally.counts["recoveries"] += 1
        return model

    def check_log(self, lab: Lab) -> None:
        """No message has two places, no place two messages."""
        names = lab.query("SELECT name FROM sqlite_schema WHERE name LIKE 'chat_log_%'")
        for (name,) in names:
            (counts,) = lab.query(
                "SELECT count(*), count(DISTINCT sender || client_msg_id || chat), "  # noqa: S608 - our table
                f"count(DISTINCT chat || '/' || chat_seq) FROM {name}"
            )
            self.expect(len(set(counts)) == 1, "doubled", f"{name}: {counts}")
        (verdict,) = lab.query("PRAGMA quick_check")[0]
        self.expect(verdict == "ok", "damaged", str(verdict))


def newest_epoch(lab: Lab) -> int:
    """Return the epoch that a start has opened."""
    epoch: int = lab.query("SELECT max(epoch) FROM epoch")[0][0]
    return epoch


def replace_files(folder: Path, picture: Path) -> None:
    """Put other files in a folder."""
    for path in folder.iterdir():
        path.unlink()
    for path in picture.iterdir():
        path.rename(folder / path.name)


def run_chain(seed: int, disk: PowerDisk, tally: Tally, **options: Any) -> None:  # noqa: ANN401 - passed on
    """Run one chain in a folder of its own."""
    _store.WAL_PAGES_MAX = WAL_PAGES_MAX
    with TemporaryDirectory(prefix="wigwag-power-", dir=memory_folder()) as name:
        chain = Chain(seed, disk, Path(name), tally, **options)
        trio.run(chain.live)
    disk.power = None


def memory_folder() -> str | None:
    """Return a folder in memory if there is one: these files need no real disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of our own in it
