"""One seed's run, from the first registration to the verdict.

1. The server and the clients start, register and begin to write.
2. For the hours that were asked for, things go wrong.
3. Faults end, everybody is up; nobody composes anything new. Everybody comes online,
   then has T_settle to get what is on the way.
4. Everybody stops; what is on the disks goes into the history; the checkers judge it.
"""

import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import msgspec
import trio
from tests.simulation._checkers import check
from tests.simulation._faults import FaultInjector
from tests.simulation._gather import gather
from tests.simulation._history import Settled
from tests.simulation._machines import database_files, server_machine
from tests.simulation._network import Network
from tests.simulation._people import Pace, Person, person_machine
from tests.simulation._plan import FaultKind, Plan, draw_plan
from tests.simulation._secure import Secure
from tests.simulation._server import HOST, read_tables
from tests.simulation._violation import Violation
from tests.simulation._world import World, run_world

from wigwag.server._limits import Limits
from wigwag.server.engines._embedded import CHECKPOINT_SECONDS

T_SETTLE_SECONDS: Final = 30.0
"""I5: from READY until everything has arrived."""

ONLINE_SECONDS_MAX: Final = 60.0
"""The longest back-off, and a handshake."""

UNWIND_SECONDS_MAX: Final = 60.0
"""For everybody to stop in good order."""

RECOVERY_SECONDS: Final = 5.0
"""For a start on a database of any state."""

MEMORY_FOLDER: Final = Path("/dev/shm")  # noqa: S108 - a file system in memory
"""Real files, but no real fsync: what it would wait for is simulated."""

MESSAGES_PER_HOUR_MIN: Final = 1000
FAULTS_PER_HOUR_MIN: Final = 20
KINDS_MIN: Final = 3
"""An hour with less than these doesn't count (RELIABILITY.md §6)."""

TAIL_LINES: Final = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run came to.

    Attributes:
        seed: Of the run.
        plan: What the seed had decided.
        hours: Simulated hours with faults.
        sequenced: Messages in the log.
        faults: Faults by kind.
        kills: Processes killed.
        steps: Lines of the trace.
        digest: SHA-256 of the trace.
        fault_count: Faults drawn: their numbers are 1 to this.
        kept: Numbers of those that happened; None: all.
        violations: What the checkers found.
        tail: The history's lines about the first of them.
    """

    seed: int
    plan: Plan
    hours: float
    sequenced: int
    faults: dict[str, int]
    steps: int
    digest: str
    fault_count: int
    kept: frozenset[int] | None
    violations: list[Violation]
    tail: list[str]

    @property
    def counts(self) -> bool:
        """Whether enough happened for its hours to count."""
        return (
            self.sequenced >= MESSAGES_PER_HOUR_MIN * self.hours
            and sum(self.faults.values()) >= FAULTS_PER_HOUR_MIN * self.hours
            and len(self.faults) >= KINDS_MIN
        )

    def report(self, command: str) -> str:
        """Say what went wrong and how to see it again."""
        lines = [f"seed {self.seed} ({self.plan}) violates:"]
        lines += [f"  {violation}" for violation in self.violations[:10]]
        if len(self.violations) > 10:
            lines.append(f"  and {len(self.violations) - 10} more")
        lines.append(f"replay: {command}")
        lines.append("what happened to the first one:")
        lines += [f"  {line}" for line in self.tail]
        return "\n".join(lines)


def run_seed(
    seed: int,
    hours: float,
    trace_file: TextIO | None = None,
    kept: frozenset[int] | None = None,
    *,
    is_secure: bool = False,
) -> Verdict:
    """Run a seed and judge it.

    Args:
        seed: Decides everything.
        hours: Simulated, with faults.
        trace_file: Where the trace goes.
        kept: Numbers of the faults that happen; None: all.
        is_secure: Whether connections are under TLS.
    """
    fault_count = 0
    with _folder() as folder:
        world = World(seed, folder, trace_file)
        plan = draw_plan(world)

        async def main(world: World) -> None:
            nonlocal fault_count
            secure = Secure(world.folder, HOST) if is_secure else None
            fault_count = await _live(world, plan, hours, kept, secure)

        settling = CHECKPOINT_SECONDS + 2 * ONLINE_SECONDS_MAX + T_SETTLE_SECONDS
        bound = hours * 3600 + settling
        run_world(world, main, seconds_max=bound + UNWIND_SECONDS_MAX)
    violations = check(world.history)
    facts = gather(world.history)
    tail: list[str] = []
    if violations:
        ids = violations[0].ids
        # Frames name a message by its client_msg_id.
        also = {copy.client_msg_id for copy in facts.copies if copy.id in ids}
        needles = tuple(id_.hex() for id_ in (*ids, *sorted(also)))
        tail = world.history.tail(needles, TAIL_LINES)
    return Verdict(
        seed=seed,
        plan=plan,
        hours=hours,
        sequenced=len(
            {(row.chat, row.chat_seq) for row in facts.log}
            | {(one.chat, one.chat_seq) for one in facts.answered}
        ),
        faults=dict(Counter(fault.kind for fault in facts.faults)),
        steps=world.steps,
        digest=world.trace_digest,
        fault_count=fault_count,
        kept=kept,
        violations=violations,
        tail=tail,
    )


@contextlib.contextmanager
def _folder() -> Generator[Path, None, None]:
    place = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="wigwag-simulation-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


async def _live(
    world: World,
    plan: Plan,
    hours: float,
    kept: frozenset[int] | None,
    secure: Secure | None,
) -> int:
    """Live through it all; return how many faults were drawn."""
    network = Network(world.random)
    database = world.folder / "server.db"
    limits = msgspec.structs.replace(
        Limits.for_profile("default"),
        send_burst=plan.send_burst,
        send_per_second=plan.send_per_second,
    )
    server = server_machine(world, network, database, limits, secure)
    pace = Pace(plan.messages_per_second)
    people = [Person(world, network, plan, pace, name, secure) for name in plan.names]
    machines = [person_machine(world, person) for person in people]

    def files() -> list[Path]:
        # An older copy would not know whoever registers after it.
        is_complete = all(person.is_registered for person in people)
        return database_files(database) if is_complete else []

    server.files = files
    injector = FaultInjector(world, plan, network, server, list(machines), kept)
    for name in plan.names:
        injector.calm(name)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run)
        for machine in machines:
            nursery.start_soon(machine.run)
        with trio.move_on_after(hours * 3600):
            await injector.run()
        injector.clear()
        for person in people:
            person.rest()
        for machine in (server, *machines):
            machine.wake()
        if FaultKind.SERVER_DISK_FULL in plan.kinds:
            # Only now does a server that had no space look again.
            await trio.sleep(CHECKPOINT_SECONDS)
        await _settle(people)
        world.record(Settled(trio.current_time(), "world"))
        with trio.fail_after(UNWIND_SECONDS_MAX):
            for machine in machines:
                machine.finish(is_orderly=True)
            for person in people:
                if person.name != plan.leaver:
                    world.record(await person.keep())
            server.finish(is_orderly=False)
            await server.ended.wait()
    world.record(read_tables(database))
    await _recover_again(world, network, database, limits)
    world.record(read_tables(database))
    return injector.count


async def _recover_again(
    world: World, network: Network, database: Path, limits: Limits
) -> None:
    """Start the server once more on what it left, and kill it (I20)."""
    again = server_machine(world, network, database, limits)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(again.run)
        await trio.sleep(RECOVERY_SECONDS)
        again.finish(is_orderly=False)
        await again.ended.wait()


async def _settle(people: list[Person]) -> None:
    """Wait until everybody is online, then T_settle."""
    with trio.move_on_after(ONLINE_SECONDS_MAX):
        for person in people:
            await person.online()
    await trio.sleep(T_SETTLE_SECONDS)
