"""What engine tests share: a clock that is set, an executor that can crash, ears.

The engine under test is the real one on a real database file. Only time and the
thread are replaced, through the engine's own ports, so that a test decides when
things happen.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Generic, TypeVar

import apsw
import trio
from tests.server.core.world import START_MS, register, upload

from wigwag.server.core import (
    Answer,
    Connected,
    Device,
    EngineLimits,
    Gap,
    InboxEntry,
    Position,
    Request,
    User,
)
from wigwag.server.engines import (
    SCHEMA_VERSION,
    EmbeddedEngine,
    checked_vfs,
    open_database,
    open_engine,
)
from wigwag.server.engines._sql import typed
from wigwag.server.ports import Executor

Result = TypeVar("Result")
Kind = TypeVar("Kind")


class SetClock:
    """A wall clock that stands until it is set."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        """Return ms since the Unix epoch."""
        return self.ms


class InlineJob(Generic[Result]):
    """Work that is done when it is waited for, some scheduling later."""

    def __init__(self, executor: "InlineExecutor", work: Callable[[], Result]) -> None:
        self._executor = executor
        self._work = work
        self._crashes = executor.crashes

    async def result(self) -> Result:
        """Pass time, work, pass time; a crash meanwhile is the end of it."""
        await self._executor.pass_time()
        await self._stop_if_crashed()
        value = self._work()
        await self._executor.pass_time()
        await self._stop_if_crashed()
        return value

    async def _stop_if_crashed(self) -> None:
        if self._executor.crashes != self._crashes:
            await trio.sleep_forever()


class InlineExecutor:
    """Runs SQL on the event loop's thread, as the simulation does.

    Attributes:
        crashes: What was handed over before the last crash never ends.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = Random(seed)  # noqa: S311 - a script, no secret
        self.crashes = 0

    def crash(self) -> None:
        """Let nothing that was handed over go on."""
        self.crashes += 1

    async def pass_time(self) -> None:
        """Let others run for a while."""
        for _ in range(self._random.randrange(1, 4)):
            await trio.lowlevel.checkpoint()

    def start(self, work: Callable[[], Result]) -> InlineJob[Result]:
        """Hand work over."""
        return InlineJob(self, work)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Hand work over and wait for it."""
        return await self.start(work).result()


class Ears:
    """A listener that writes everything down."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        """Return what was heard of one kind."""
        return [one[1:] for one in self.heard if one[0] == kind]

    def receipt(self, to_user: User, chat: bytes, user: User, mark: Position) -> None:
        """Write down."""
        self.heard.append(("receipt", to_user, chat, user, mark))

    def gap(self, device: Device, gap: Gap) -> None:
        """Write down."""
        self.heard.append(("gap", device, gap))

    def prekeys_low(self, device: Device, ec_left: int, kem_left: int) -> None:
        """Write down."""
        self.heard.append(("prekeys_low", device, ec_left, kem_left))

    def displaced(self, device: Device, generation: int) -> None:
        """Write down."""
        self.heard.append(("displaced", device, generation))

    def revoked(self, device: Device) -> None:
        """Write down."""
        self.heard.append(("revoked", device))

    def doomed(self, device: Device) -> None:
        """Write down."""
        self.heard.append(("doomed", device))

    def restore_proven(self, device: Device, cursor: Position) -> None:
        """Write down."""
        self.heard.append(("restore_proven", device, cursor))

    def page_damaged(self, page: int) -> None:
        """Write down."""
        self.heard.append(("page_damaged", page))

    def entry_corrupt(self, device: Device, position: Position) -> None:
        """Write down."""
        self.heard.append(("entry_corrupt", device, position))

    def fold_failed(self, request: str, error: Exception) -> None:
        """Write down."""
        self.heard.append(("fold_failed", request, error))

    def space_low(self, is_low: bool) -> None:
        """Write down."""
        self.heard.append(("space_low", is_low))

    def committed(self, records: int, sends: int, commit_seconds: float) -> None:
        """Write down."""
        self.heard.append(("committed", records, sends, commit_seconds))


class Eyes:
    """A watcher that keeps what it is shown."""

    def __init__(self) -> None:
        self.seen: list[InboxEntry] = []

    def entries(self, entries: Sequence[InboxEntry], /) -> None:
        """Keep."""
        self.seen += entries


class Lab:
    """An engine's folder with everything around it; opened as often as a test likes."""

    def __init__(self, folder: Path, executor: Executor | None = None) -> None:
        self.path = folder / "wigwag.db"
        self.clock = SetClock()
        self.ears = Ears()
        self.executor: Executor = executor or InlineExecutor()
        self.limits = EngineLimits()
        self.connection: apsw.Connection | None = None
        self.reserve_bytes = 0

    def open_database(self, path: Path) -> apsw.Connection:
        """Open the file as always and keep the connection, to cut it off."""
        self.connection = open_database(path)
        return self.connection

    @asynccontextmanager
    async def engine(self, **options: object) -> AsyncGenerator[EmbeddedEngine, None]:
        """Open the engine."""
        values: dict[str, Any] = {
            "clock": self.clock,
            "executor": self.executor,
            "listener": self.ears,
            "limits": self.limits,
            "open_database": self.open_database,
            "reserve_bytes": self.reserve_bytes,
        }
        values.update(options)
        async with open_engine(self.path, **values) as engine:
            yield engine

    def query(self, statement: str, *bindings: object) -> list[tuple[Any, ...]]:
        """Ask the open database past the engine."""
        assert self.connection is not None
        return typed(self.connection).execute(statement, bindings).fetchall()

    def bytes_on_disk(self) -> bytes:
        """Return the database and its WAL."""
        wal = self.path.with_name(self.path.name + "-wal")
        return self.path.read_bytes() + (wal.read_bytes() if wal.exists() else b"")


# What each schema added, taken away again.
_TAKEN_AWAY = {
    2: "DROP TABLE deleted_account",
    3: "DROP TABLE opened_chats",
    4: "ALTER TABLE log DROP COLUMN settled",
}


def make_older(path: Path, schema: int) -> None:
    """Turn a closed database into what a build of an older schema wrote."""
    connection = apsw.Connection(str(path), vfs=checked_vfs())
    database = typed(connection)
    for version in range(SCHEMA_VERSION, schema, -1):
        database.execute(_TAKEN_AWAY[version])
    database.execute("UPDATE log SET schema = ?", (schema,))
    connection.close()


async def ask(engine: EmbeddedEngine, request: Request) -> Answer:
    """Append one request and wait for its answer."""
    (answer,) = await ask_all(engine, request)
    return answer


async def ask_all(engine: EmbeddedEngine, *requests: Request) -> list[Answer]:
    """Append requests at once and wait for all answers, which come in order."""
    answers: list[Answer] = []
    done = trio.Event()

    def take(answer: Answer) -> None:
        answers.append(answer)
        if len(answers) == len(requests):
            done.set()

    for request in requests:
        engine.append(request, take)
    with trio.fail_after(30):
        await done.wait()
    return answers


async def expect(kind: type[Kind], engine: EmbeddedEngine, request: Request) -> Kind:
    """Ask and check the kind of the answer."""
    answer = await ask(engine, request)
    assert isinstance(answer, kind), answer
    return answer


async def settle(engine: EmbeddedEngine, *devices: Device) -> None:
    """Register accounts and make their devices reachable."""
    for device in devices:
        await expect(Connected, engine, register(device))
        await ask(engine, upload(device))
