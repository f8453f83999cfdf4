"""Runs a soak: sets the world up, lets chaos loose, lets everybody settle, judges."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import trio
from tests.durability import _full
from tests.soak._canary import Search, search, secrets_of
from tests.soak._chaos import Chaos
from tests.soak._judge import (
    Finding,
    judge_pair,
    judge_raw,
    read_history,
    read_journal,
)
from tests.soak._people import PersonProcess
from tests.soak._plan import make_plan
from tests.soak._proxy import Proxy, Weather
from tests.soak._raw import RawPair, leave
from tests.soak._server import SoakServer
from tests.soak._watch import Drift, Watch, descriptors, until

from wigwag.bench.adversary import ATTACKS
from wigwag.bench.adversary._attacker import Attacker, attacker_process
from wigwag.client import format_join, parse_join, register
from wigwag.testing import ServerNotReadyError

PEOPLE = 12
RAW_PAIRS = 2
PACE_SECONDS = 0.4
MESSAGES_MAX = 4_500
"""Of one person: both sides of a chat fit into what a history shows at once."""
SETTLE_SECONDS_MAX = 120.0
"""T_settle is 30 s from READY; people who were killed come back first, and all share
two cores with the attacker."""
SAMPLE_SECONDS = 1.0
PROGRESS_SECONDS = 15.0
FD_SPARE = 8
"""Descriptors that a server may have open beside those of its start and one for each
connection: a log, a worker's wake-up."""
FD_SECONDS_MAX = 60.0
DISK_MIB = 512
"""Of the small file system; a ballast fills whatever the server leaves."""


@dataclass(slots=True)
class Result:
    """What a soak showed.

    Attributes:
        seed: Of the plan.
        seconds: Length of the chaos.
        counts: Figures.
        findings: What must not be.
        drift: Of the server's memory in its last life; None: it was too short.
        descriptors: Of the server: at its start, and in the end beyond what its
            connections need.
        search: For secrets; None: it didn't come to that.
    """

    seed: int
    seconds: float
    counts: Counter[str] = field(default_factory=Counter[str])
    findings: list[Finding] = field(default_factory=list[Finding])
    drift: Drift | None = None
    peak_kib: int = 0
    descriptors: tuple[int, int] = (0, 0)
    search: Search | None = None


@dataclass(slots=True)
class World:
    """Everybody."""

    folder: Path
    server: SoakServer
    people: list[PersonProcess]
    proxies: list[Proxy]
    pairs: list[RawPair]
    word: str
    opaque: str
    invite: str = ""
    descriptors_at_start: int = 0

    @property
    def stage(self) -> Path:
        """The file that people obey."""
        return self.folder / "stage"

    def enter(self, stage: str) -> None:
        """Tell people what comes now; a reader sees the old word or the new one."""
        new = self.stage.with_suffix(".new")
        new.write_text(stage, "utf-8")
        new.replace(self.stage)


class Soak:
    """One run.

    Args:
        seed: Decides the plan and what is said.
        seconds: Length of the chaos.
        people: An even number of people.
        keep: A new folder for everything that is left behind; None: nothing is kept.
    """

    def __init__(
        self, seed: int, seconds: float, people: int, keep: Path | None = None
    ) -> None:
        self.result = Result(seed, seconds)
        self.seed = seed
        self.seconds = seconds
        self.people = people
        self.watch = Watch()
        self.keep = keep

    async def run(self) -> Result:
        """Run it whole."""
        with (
            kept_folder(self.keep) as folder,
            small_disk(folder / "data") as disk,
            attacker_process() as attacker,
        ):
            world = self._world(folder)
            try:
                await self._live(world, attacker, disk)
            finally:
                for person in world.people:
                    person.stop(is_stopped=False)
                    person.kill()
                world.server.process.kill()
            if self.keep is not None:
                # What lies on the small disk goes with it.
                shutil.copytree(folder / "data", folder / "data-kept", ignore=sockets)
        return self.result

    def _world(self, folder: Path) -> World:
        pick = Random(self.seed)  # noqa: S311 - a plan, no secret
        word, opaque = (f"{kind}-{os.urandom(12).hex()}" for kind in ("heron", "raw"))
        pace = max(PACE_SECONDS, self.seconds / MESSAGES_MAX)
        (folder / "people").mkdir()
        server = SoakServer(folder, folder / "data")
        return World(
            folder / "people",
            server,
            [
                PersonProcess(folder / "people", number, word, pace)
                for number in range(self.people)
            ],
            [],
            [
                RawPair(0, Random(pick.random()), opaque.encode())  # noqa: S311
                for _ in range(RAW_PAIRS)
            ],
            word,
            opaque,
        )

    async def _live(self, world: World, attacker: Attacker, disk: Path | None) -> None:
        process = world.server.process
        await trio.to_thread.run_sync(process.start)
        world.descriptors_at_start = descriptors(process.pid)
        async with trio.open_nursery() as nursery:
            await self._gather(world, nursery)
            await trio.to_thread.run_sync(attacker.begin, "127.0.0.1", process.port, ())
            chaos = Chaos(
                world.server,
                world.people,
                world.proxies,
                world.pairs,
                attacker,
                disk,
                self.seed,
            )
            nursery.start_soon(self._look, world, chaos)
            quick = [one.id for one in ATTACKS if not one.seconds_min]
            plan = make_plan(self.seed, self.seconds, self.people, quick)
            async with talking(world):
                start = trio.current_time()
                await chaos.run(plan)
                await trio.sleep_until(start + self.seconds)
                self.result.counts += chaos.counts
                await self._settle(world)
            nursery.cancel_scope.cancel()
        await self._judge(world)

    async def _gather(self, world: World, nursery: trio.Nursery) -> None:
        """Register everybody, each by a way of his own; start them."""
        port = world.server.process.port
        join_string = await trio.to_thread.run_sync(world.server.invite, 1_000)
        join = parse_join(join_string)
        world.invite = join.invite
        world.enter("talk")
        for person in world.people:
            proxy = Proxy(port)
            await nursery.start(proxy.run)
            world.proxies.append(proxy)
            own = replace(join, address=replace(join.address, port=proxy.port))
            await register(
                person.name,
                format_join(own),
                profile=person.profile,
                passphrase=person.passphrase,
            )
        for pair in world.pairs:
            pair.port = port
            await pair.register(join_string)
        await leave(port, join_string, world.opaque.encode())
        for person in world.people:
            person.start(self.seed)

    async def _look(self, world: World, chaos: Chaos) -> None:
        """Sample the server; say where we are."""
        start = told = trio.current_time()
        while True:
            now = trio.current_time()
            with contextlib.suppress(AssertionError):  # it isn't running just now
                self.watch.look(world.server.pid, now)
            if now - told >= PROGRESS_SECONDS:
                told = now
                await trio.to_thread.run_sync(world.server.read_metrics)
                acknowledged = sum(len(pair.acknowledged) for pair in world.pairs)
                journals = sum(one.journal_bytes() for one in world.people) // 1024
                print(
                    f"soak: {now - start:.0f} s, {world.server.kills} server kills, "
                    f"{sum(one.lives for one in world.people)} client lives, "
                    f"{acknowledged} raw acknowledged, {journals} KiB of journals, "
                    f"{chaos.counts.total()} done, "
                    f"peak {self.watch.peak_kib >> 10} MiB",
                    file=sys.stderr,
                    flush=True,
                )
            await trio.sleep(SAMPLE_SECONDS)

    async def _settle(self, world: World) -> None:
        """Clear weather; let everybody finish; note who doesn't."""
        for proxy in world.proxies:
            proxy.turn(Weather.CLEAR)
        for pair in world.pairs:
            pair.is_over = True
        world.enter("settle")
        began = time.monotonic()
        with trio.move_on_after(SETTLE_SECONDS_MAX):
            await until(lambda: everybody_settled(world), SAMPLE_SECONDS)
        self.result.counts["settled in s"] = round(time.monotonic() - began)
        await self._look_at_descriptors(world)
        await trio.to_thread.run_sync(self._operate, world)
        world.enter("end")
        for person in world.people:
            await trio.to_thread.run_sync(self._end, person)

    async def _look_at_descriptors(self, world: World) -> None:
        """The server must come down to what its connections need."""
        allowed = world.descriptors_at_start + FD_SPARE
        allowed += len(world.people) + 2 * len(world.pairs)
        pid = world.server.pid
        with trio.move_on_after(FD_SECONDS_MAX):
            await until(lambda: descriptors(pid) <= allowed, SAMPLE_SECONDS)
        count = descriptors(pid)
        self.result.descriptors = (world.descriptors_at_start, count)
        if count > allowed:
            self._find("descriptors", f"{count} are open, {allowed} are enough")

    def _operate(self, world: World) -> None:
        """Have the operator's pages said once more, for the search."""
        world.server.admin("status", "--json")
        world.server.admin("status")
        world.server.read_metrics()
        if not world.server.back_up():
            self._find("failed", "the last backup")
        world.server.drop_old_backups()

    def _end(self, person: PersonProcess) -> None:
        status = person.ended()
        if status is None and is_settled(person):
            try:
                status = person.wait()
            except subprocess.TimeoutExpired:
                self._find("stuck", f"{person.name} didn't end")
                return
        if status is None:
            self._find("unsettled", f"{person.name} {stderr_end(person)}")
        elif status:
            self._find("crashed", f"{person.name} {status} {stderr_end(person)}")

    def _find(self, what: str, detail: str) -> None:
        self.result.findings.append(Finding(what, detail))

    async def _judge(self, world: World) -> None:
        """Compare what everybody noted and holds; search for secrets."""
        result = self.result
        server = world.server
        for person in world.people:
            # Only somebody who was found wanting is alive still; his profile is read.
            person.kill()
        result.drift, result.peak_kib = self.watch.drift(), self.watch.peak_kib
        result.findings += [Finding("failed", one) for one in server.failures]
        code = await trio.to_thread.run_sync(server.process.stop)
        if code:
            self._find("crashed", f"the server ended with {code}")
        log = server.process.log_path.read_text("utf-8", "replace")
        if "Traceback" in log:
            at = log.index("Traceback")
            self._find("crashed", log[at : at + 900])
        self._judge_people(world)
        for number, pair in enumerate(world.pairs):
            result.counts["raw acknowledged"] += len(pair.acknowledged)
            result.findings += judge_raw(
                f"raw pair {number}",
                pair.sent,
                pair.acknowledged,
                pair.ids,
                pair.bodies,
                pair.places,
            )
            result.findings += [
                Finding("odd", f"raw pair {number}: {what}") for what in pair.odd
            ]
        await self._search(world)

    def _judge_people(self, world: World) -> None:
        result = self.result
        present = [one for one in world.people if one.history.exists()]
        histories = {one.name: read_history(one.history) for one in present}
        journals = {
            one.name: read_journal(one.journal)
            for one in world.people
            if one.journal.exists()
        }
        for journal in journals.values():
            result.counts["acknowledged"] += len(journal.sequenced)
            result.counts["messages"] += len(journal.queued)
            result.counts["client lives"] += len(journal.got)
        for person in world.people[::2]:
            names = (person.name, person.peer)
            if all(name in histories for name in names):
                result.findings += judge_pair(names, journals, histories)
            else:
                self._find("lost", f"{names} have no history to compare")

    async def _search(self, world: World) -> None:
        server = world.server
        needles = await secrets_of(world.people, world.pairs, world.word, world.invite)
        places = [
            server.process.folder,
            server.process.log_path,
            server.said,
            server.backups,
            *(person.profile for person in world.people),
            *(person.stderr for person in world.people),
        ]
        histories = [one.history for one in world.people if one.history.exists()]

        def work() -> Search:
            return search(
                needles,
                places,
                opaque=world.opaque,
                database=server.database,
                histories=histories,
                word=world.word,
            )

        self.result.search = await trio.to_thread.run_sync(work)
        self.result.findings += self.result.search.leaks


@contextlib.asynccontextmanager
async def talking(world: World) -> AsyncGenerator[None, None]:
    """Keep the raw load going; at the end senders finish and receivers are told to."""
    async with trio.open_nursery() as nursery:
        for pair in world.pairs:
            nursery.start_soon(pair.send)
            nursery.start_soon(pair.receive)
        yield
        nursery.cancel_scope.cancel()


@contextlib.contextmanager
def kept_folder(keep: Path | None) -> Generator[Path, None, None]:
    """Make the folder of a run; it goes with the block, unless it is to be kept."""
    if keep is not None:
        keep.mkdir(mode=0o700)
        yield keep.resolve()
        return
    with TemporaryDirectory(prefix="wigwag-soak-") as name:
        yield Path(name)


def sockets(folder: str, names: list[str]) -> list[str]:
    """Return what can't be copied."""
    return [name for name in names if Path(folder, name).is_socket()]


@contextlib.contextmanager
def small_disk(folder: Path) -> Generator[Path | None, None, None]:
    """Put a folder on a small file system of its own, if this user may."""
    folder.mkdir(mode=0o700)
    try:
        mounted = _full.small_file_system(folder, size_mib=DISK_MIB)
        with mounted:
            folder.chmod(0o700)
            yield folder
    except _full.NotPermittedError:
        yield None


def everybody_settled(world: World) -> bool:
    """Whether nobody waits for anything any more."""
    pairs = all(pair.is_settled for pair in world.pairs)
    return pairs and all(is_settled(person) for person in world.people)


def is_settled(person: PersonProcess) -> bool:
    """Whether the present life of a person has settled, or has ended."""
    if person.ended() is not None or not person.journal.exists():
        return True
    return b'["settled", ' in person.journal.read_bytes().rpartition(b'["life"]')[2]


def stderr_end(person: PersonProcess) -> str:
    """Return a person's last words."""
    return person.stderr.read_text("utf-8", "replace")[-600:]


def run(seed: int, seconds: float, people: int, keep: Path | None = None) -> Result:
    """Run a soak; a server that can't be started again is a finding, too."""
    soak = Soak(seed, seconds, people, keep)
    try:
        return trio.run(soak.run)
    except BaseExceptionGroup as group:
        dead, rest = group.split(ServerNotReadyError)
        if dead is None or rest is not None:
            raise
        soak.result.findings.append(Finding("dead", str(dead.exceptions[0])))
        return soak.result
