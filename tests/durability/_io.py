"""The n-th call to the disk fails, for every n, until a run passes without reaching it.

One life each of an engine and of a client store, on a copy of a database with an
unfinished log: opening, commits, reads, a checkpoint, closing. Wherever the disk fails,
the answer is a typed error (UNAVAILABLE, or the engine stops, as rule 11 says), and on
a good disk everything acknowledged is there, once, in order, and life goes on.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import apsw
import trio
from tests.contracts.harness import InlineExecutor, Lab, ask, settle
from tests.contracts.test_engine_order import sends
from tests.durability._client_life import KEY, difference, found_txn, work_txn
from tests.durability._faulty_disk import Fault, FaultyDisk
from tests.durability._power import memory_folder
from tests.durability._power_client import InlineExecutor as ClientExecutor
from tests.durability._tally import Tally, check
from tests.server.core.world import ALICE_1, BOB_1, REGISTRATION

from wigwag.client._errors import StoreError
from wigwag.client._store import open_store
from wigwag.server.core import (
    Ack,
    Answer,
    EngineStatus,
    Entries,
    Failed,
    InboxRead,
    Refusal,
    Refused,
    Sequenced,
    Status,
    Tick,
)
from wigwag.server.engines import EmbeddedEngine, checked_vfs, prepare
from wigwag.server.ports import StorageError

MODES = (
    (Fault.IO_ERROR, False),
    (Fault.IO_ERROR, True),
    (Fault.FULL, False),
    (Fault.FULL, True),
    (Fault.SHORT_READ, False),
)
BEFORE = 8
"""Messages in the database, the last of them in the log alone."""
DURING = 14
PIECES = 12
SECONDS_MAX = 30
RESERVE_BYTES = 5_000
EVERYTHING = (BOB_1, 0, 1_000, 1 << 30)


class Subject:
    """What a disk fails under.

    Attributes:
        name: For people.
        disk: Its disk.
    """

    name: str
    disk: FaultyDisk

    async def live(self, folder: Path) -> None:
        """Live on the faulty disk; note what was acknowledged."""
        raise NotImplementedError

    async def verify(self, folder: Path) -> tuple[str, str] | None:
        """Compare on a good disk; say what is wrong."""
        raise NotImplementedError


class EngineSubject(Subject):
    """The server's engine."""

    name = "engine"

    def __init__(self) -> None:
        self.disk = FaultyDisk("faulty-engine", checked_vfs())
        self.messages = sends(BEFORE + DURING, size=700)
        self.acknowledged: dict[bytes, Sequenced] = {}
        self.acked = 0
        self.unexpected = ""

    def open(self, path: Path) -> apsw.Connection:
        """Open the database on the faulty disk, as the engine's seam wants it."""
        connection = apsw.Connection(str(path), vfs=self.disk.name)
        try:
            prepare(connection)
        except BaseException:
            with suppress(apsw.Error):
                connection.close(True)
            raise
        return connection

    async def prepare(self, folder: Path) -> None:
        """Make a database with an unfinished log."""
        lab = Lab(folder)
        lab.reserve_bytes = RESERVE_BYTES
        async with lab.engine() as engine:
            await settle(engine, ALICE_1, BOB_1)
            for message in self.messages[: BEFORE // 2]:
                self.take(await ask(engine, message))
        async with lab.engine() as engine:
            for message in self.messages[BEFORE // 2 : BEFORE]:
                self.take(await ask(engine, message))
            engine.abandon()
        self.before = dict(self.acknowledged)

    def take(self, answer: Answer) -> None:
        """Note an answer."""
        match answer:
            case Sequenced():
                self.acknowledged[answer.client_msg_id] = answer
            case Refused(code=Refusal.UNAVAILABLE | Refusal.OUT_OF_ORDER):
                return
            case Failed(code=Refusal.UNAVAILABLE):
                return
            case _:
                self.unexpected = self.unexpected or repr(answer)

    async def live(self, folder: Path) -> None:
        """Open, commit, read, checkpoint, close."""
        self.acknowledged = dict(self.before)
        self.acked = 0
        self.unexpected = ""
        lab = Lab(folder, InlineExecutor())
        lab.reserve_bytes = RESERVE_BYTES
        async with lab.engine(open_database=self.open) as engine:
            for number, message in enumerate(self.messages[BEFORE:]):
                self.take(await self.ask(engine, message))
                if number == DURING // 2:
                    await self.read_and_ack(engine)
                    engine.want_checkpoint()
                    await self.ask(engine, Tick())
            await self.ask(engine, Status())

    async def ask(self, engine: EmbeddedEngine, request: Any) -> Answer:  # noqa: ANN401
        """Ask with a deadline: nothing may hang."""
        with trio.fail_after(SECONDS_MAX):
            return await ask(engine, request)

    async def read_and_ack(self, engine: EmbeddedEngine) -> None:
        """Take the inbox and acknowledge half of it."""
        found = await self.ask(engine, InboxRead(*EVERYTHING))
        if not isinstance(found, Entries):
            self.take(found)
            return
        place = found.entries[len(found.entries) // 2].position
        answer = await self.ask(engine, Ack(BOB_1, REGISTRATION, place))
        if not isinstance(answer, Failed):
            self.acked = place

    async def verify(self, folder: Path) -> tuple[str, str] | None:
        """Everything acknowledged is there; the rest can be sent."""
        if self.unexpected:
            return "untyped", self.unexpected
        lab = Lab(folder, InlineExecutor())
        async with lab.engine() as engine:
            if not isinstance(await ask(engine, Status()), EngineStatus):
                return "refused", "no status"
            for message in self.messages:
                answer = await ask(engine, message)
                known = self.acknowledged.get(message.client_msg_id, answer)
                if not isinstance(answer, Sequenced) or answer != known:
                    return "lost", f"{answer} and not {known}"
            found = await ask(engine, InboxRead(*EVERYTHING))
            assert isinstance(found, Entries)
            ids = [one.client_msg_id for one in found.entries]
            wanted = [one.client_msg_id for one in self.messages][-len(ids) :]
            if ids != wanted:
                return "reordered", f"{ids} and not {wanted}"
            if found.gaps or any(one.position <= self.acked for one in found.entries):
                return "doubled", "an acknowledged entry came back"
            acked = lab.query("SELECT acked FROM inbox_head WHERE device = ?", BOB_1)
            if acked[0][0] < self.acked:
                return "lost", f"cursor {self.acked} is {acked}"
        return None


class ClientSubject(Subject):
    """The client's store."""

    name = "client store"

    def __init__(self) -> None:
        self.disk = FaultyDisk("faulty-client", "unix")
        self.vfs = f"multipleciphers-{self.disk.name}"
        self.acknowledged = self.before = 0
        self.begun = 0

    async def prepare(self, folder: Path) -> None:
        """Make a database."""
        path = folder / "wigwag.db"
        async with open_store(path, KEY, ClientExecutor()) as store:
            for _ in range(PIECES):
                await store.run(work_txn)
        self.before = PIECES

    async def live(self, folder: Path) -> None:
        """Open, commit, close; a refused piece is tried again once."""
        self.acknowledged = self.begun = self.before
        path = folder / "wigwag.db"
        async with open_store(path, KEY, ClientExecutor(), vfs=self.vfs) as store:
            for _ in range(PIECES):
                self.begun += 1
                try:
                    await store.run(work_txn)
                except StoreError:
                    if store.has_failed:
                        raise
                    self.begun += 1
                    await store.run(work_txn)
                self.acknowledged += 1

    async def verify(self, folder: Path) -> tuple[str, str] | None:
        """Everything acknowledged is there; work goes on."""
        async with open_store(folder / "wigwag.db", KEY, ClientExecutor()) as store:
            found = await store.run(found_txn)
            wrong = difference(found, self.acknowledged, self.begun)
            if wrong is None:
                await store.run(work_txn)
            return wrong


def run(seed: int, count: int) -> Tally:
    """Fail calls drawn at random, or every one of every mode if that is fewer."""
    tally = Tally()
    pick = Random(seed)  # noqa: S311 - a script, no secret
    engine, client = EngineSubject(), ClientSubject()
    with TemporaryDirectory(prefix="wigwag-io-", dir=memory_folder()) as name:
        root = Path(name)
        cases: list[tuple[Subject, Path, Fault, bool, int]] = []
        for subject in (engine, client):
            template = root / subject.name.replace(" ", "-")
            template.mkdir()
            trio.run(subject.prepare, template)
            calls = count_calls(subject, template, root)
            tally.counts[f"{subject.name} calls"] = calls
            cases += [
                (subject, template, fault, is_lasting, number)
                for fault, is_lasting in MODES
                for number in range(1, calls + 1)
            ]
        if count < len(cases):
            cases = pick.sample(cases, count)
        for case in cases:
            run_case(*case, root / "run", tally)
    return tally


def count_calls(subject: Subject, template: Path, root: Path) -> int:
    """Live without a fault and count."""
    folder = root / "clean"
    shutil.copytree(template, folder)
    subject.disk.reset()
    trio.run(subject.live, folder)
    wrong = trio.run(subject.verify, folder)
    assert wrong is None, wrong
    shutil.rmtree(folder)
    return subject.disk.calls


def run_case(
    subject: Subject,
    template: Path,
    fault: Fault,
    is_lasting: bool,
    number: int,
    folder: Path,
    tally: Tally,
) -> None:
    """Live with one fault, then compare on a good disk."""
    shutil.copytree(template, folder)
    subject.disk.reset(number, fault, is_lasting=is_lasting)
    lasting = "for ever" if is_lasting else "once"
    case = f"{subject.name}: {fault.value} {lasting} at call {number}"
    replay = "python -m tests.durability io --full"

    def violate(what: str, detail: str) -> None:
        check(tally, False, what, f"{case} ({failed}): {detail}", replay)

    crashed = attempt(subject.live, folder)
    failed = subject.disk.failed or "nothing"
    tally.counts["faults"] += failed != "nothing"
    subject.disk.reset()
    if crashed is not None:
        violate("crashed", crashed)
    wrong: tuple[str, str] | None = None

    async def verify(folder: Path) -> None:
        nonlocal wrong
        wrong = await subject.verify(folder)

    error = attempt(verify, folder, is_good=True)
    if error is not None:
        violate("lost", error)
    elif wrong is not None:
        violate(*wrong)
    shutil.rmtree(folder)


def attempt(
    act: Callable[[Path], Any], folder: Path, *, is_good: bool = False
) -> str | None:
    """Run; say what was raised that must not be."""
    try:
        trio.run(act, folder)
    except (StorageError, StoreError) as error:
        return repr(error) if is_good else None
    except BaseException as error:
        return repr(error)
    return None
