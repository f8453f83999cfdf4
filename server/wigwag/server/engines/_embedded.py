"""The embedded engine: requests in, groups folded, one transaction a group.

The loop, for each group:

1. Take whatever arrived while the previous commit ran. There is no timer: idle,
   a request waits for one fsync and nothing else.
2. Fold, record by record, on this thread.
3. If a fold names a row that memory lacks, read it and what the rest lacks besides.
4. Hand the changes to the writer, and only now give the answers of the *previous*
   group, so that this fsync and that sending overlap.
5. When the commit is done, go on. Nothing of a group is seen by anybody before.

A group whose folds changed nothing needs no transaction.
"""

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import apsw
import msgspec
import trio

from wigwag.server.core import (
    Answer,
    Changes,
    Device,
    EngineLimits,
    Outcome,
    Refusal,
    Request,
    RowMissing,
    Send,
    State,
    fold,
    is_growth,
    refuse,
    wanted,
)
from wigwag.server.engines._copy import PAUSE_SECONDS_MIN
from wigwag.server.engines._crash import crash_point
from wigwag.server.engines._database import OpenDatabase, open_database
from wigwag.server.engines._notify import Notifier
from wigwag.server.engines._reserve import RESERVE_BYTES, Reserve
from wigwag.server.engines._store import DiskFullError, Store, open_store
from wigwag.server.ports import (
    EngineClosedError,
    Executor,
    Listener,
    StorageError,
    WallClock,
    Watcher,
)
from wigwag.wire import DRAFT

# Acked bodies live on in the WAL until it is truncated; so this bounds their life.
CHECKPOINT_SECONDS = 60
# What the final commit and checkpoint may take before the process ends without.
CLOSE_SECONDS_MAX = 10
# Rows lead to rows (a chat to its members, a member to his devices); more rounds
# than this are our bug.
_READ_ROUNDS_MAX = 8

Waiting: TypeAlias = tuple[Request, Callable[[Answer], None]]


class Group(msgspec.Struct, frozen=True):
    """A folded group: who waits for what, and what it changed."""

    waiting: list[Waiting]
    outcomes: list[Outcome]
    changes: Changes
    commit_seconds: float = 0.0


class EmbeddedEngine:
    """Implements `ports.Engine` on one SQLite database. Made by `open_engine`."""

    def __init__(
        self,
        store: Store,
        state: State,
        clock: WallClock,
        executor: Executor,
        listener: Listener,
    ) -> None:
        self._store = store
        self._state = state
        self._clock = clock
        self._executor = executor
        self._listener = listener
        self._notifier = Notifier(listener)
        self._queue: deque[Waiting] = deque()
        self._wake = trio.Event()
        self._is_closed = False
        self._is_abandoned = False
        self._is_checkpoint_due = False
        self._unanswered: Group | None = None
        self.failure: StorageError | None = None

    @property
    def depth(self) -> int:
        """Requests that wait for a group."""
        return len(self._queue)

    @property
    def memory_bytes(self) -> int:
        """Memory of the rows and entries that are kept, about, in bytes."""
        return self._state.memory_bytes

    @property
    def is_space_low(self) -> bool:
        """The disk was full: SENDs are refused until there is space."""
        return self._state.is_space_low

    def append(self, request: Request, answer: Callable[[Answer], None]) -> None:
        """Hand a request over; see `ports.Engine`."""
        if self._is_closed:
            raise EngineClosedError
        self._queue.append((request, answer))
        self._wake.set()

    def watch(self, device: Device, watcher: Watcher) -> None:
        """Tell `watcher` what is added to the device's inbox from now on."""
        self._notifier.watch(device, watcher)

    def unwatch(self, device: Device, watcher: Watcher) -> None:
        """Stop telling `watcher`."""
        self._notifier.unwatch(device, watcher)

    def abandon(self) -> None:
        """Stop as a crash would: nothing more is written, answered or tidied up."""
        self._is_closed = self._is_abandoned = True
        self._wake.set()

    def close(self) -> None:
        """Take nothing more; what was taken is still committed and answered."""
        self._is_closed = True
        self._wake.set()

    async def run(self) -> None:
        """Fold and commit until closed."""
        while not self._is_abandoned:
            if self._is_checkpoint_due:
                await self._checkpoint()
            if not self._queue:
                self._answer()
                if self._queue:
                    continue
                if self._is_closed:
                    return
                self._wake = trio.Event()
                await self._wake.wait()
                continue
            await self._advance()

    async def tick_checkpoints(self) -> None:
        """Have the WAL truncated every minute."""
        while True:
            await trio.sleep(CHECKPOINT_SECONDS)
            self.want_checkpoint()

    def want_checkpoint(self) -> None:
        """Have the WAL truncated before the next group."""
        self._is_checkpoint_due = True
        self._wake.set()

    async def _advance(self) -> None:
        """Take one group through folding and commit."""
        self._state.begin_group(self._clock.now_ms())
        waiting = self._take()
        outcomes: list[Outcome] = []
        while len(outcomes) < len(waiting):
            missing = self._fold(waiting, outcomes)
            if missing is not None:
                await self._read(waiting, outcomes, missing)
        if self._is_abandoned:
            return
        group = Group(waiting, outcomes, self._state.changes)
        self._state.end_group()
        crash_point("engine.after_fold")
        if not group.changes.is_empty():
            await self._commit(group)
            return
        self._answer()
        self._unanswered = group
        self._answer()
        await trio.lowlevel.checkpoint()

    def _take(self) -> list[Waiting]:
        """Take what has arrived, up to the bounds of a group.

        First come, first served, also when one device fills a group: its buckets
        bound what it may ask at once (SEND, look-ups, claims: 60 each), and what 256
        look-ups add to the wait of the SEND behind them is 1 to 6 ms, a commit's
        time. A share by device would cost order across devices, and a count each.
        """
        limits = self._state.limits
        waiting: list[Waiting] = []
        size = 0
        while self._queue and len(waiting) < limits.group_records_max:
            request = self._queue[0][0]
            if isinstance(request, Send):
                for one in request.envelopes:
                    size += len(one.ciphertext)
                if size > limits.group_bytes_max and waiting:
                    break
            waiting.append(self._queue.popleft())
        return waiting

    def _fold(
        self, waiting: list[Waiting], outcomes: list[Outcome]
    ) -> RowMissing | None:
        """Fold records until one needs a row that isn't in memory."""
        for request, _ in waiting[len(outcomes) :]:
            try:
                outcomes.append(self._fold_one(request))
            except RowMissing as missing:
                return missing
        return None

    async def _read(
        self, waiting: list[Waiting], outcomes: list[Outcome], missing: RowMissing
    ) -> None:
        """Read what the rest of the group wants; rows lead to rows, so several times.

        When nothing is wanted though a row was missing, that record's fold is wrong.
        """
        self._answer()
        requests = [request for request, _ in waiting[len(outcomes) :]]
        for reads in range(_READ_ROUNDS_MAX):
            keys = wanted(requests, self._state)
            if not keys and reads:
                return
            if not keys:
                break
            job = self._executor.start(partial(self._store.read, keys))
            for table, key, row in await job.result():
                self._state.load(table, key, row)
        error = AssertionError(f"a fold wants {missing.table.name} that none foresaw")
        outcomes.append(Outcome(refuse(requests[0], Refusal.INTERNAL), (), error))

    def _fold_one(self, request: Request) -> Outcome:
        if self._state.is_space_low and is_growth(request):
            if not isinstance(request, Send):
                return Outcome(refuse(request, Refusal.UNAVAILABLE))
            # Marked, not refused at once: a known id still gets its answer.
            request = msgspec.structs.replace(request, marked=Refusal.UNAVAILABLE)
        return fold(request, self._state)

    async def _commit(self, group: Group) -> None:
        state, store = self._state, self._store
        started = trio.current_time()
        clock_ms, ordinal, void_below = state.clock_ms, state.ordinal, state.void_below
        job = self._executor.start(
            lambda: store.write(group.changes, clock_ms, ordinal, void_below)
        )
        self._answer()
        try:
            await job.result()
        except DiskFullError:
            await self._refuse_all(group)
            return
        state.saved()
        self._unanswered = msgspec.structs.replace(
            group, commit_seconds=trio.current_time() - started
        )

    async def _refuse_all(self, group: Group) -> None:
        """Answer UNAVAILABLE to a group that was rolled back and all behind it."""
        state = self._state
        state.forget_everything()
        await self._executor.run(self._store.reserve.release)
        if not state.is_space_low:
            state.is_space_low = True
            self._listener.space_low(True)
        waiting = [*group.waiting, *self._queue]
        self._queue.clear()
        refusals = [
            Outcome(refuse(request, Refusal.UNAVAILABLE)) for request, _ in waiting
        ]
        self._unanswered = Group(waiting, refusals, Changes())

    def _answer(self) -> None:
        """Give the answers of the last group: it is durable."""
        group, self._unanswered = self._unanswered, None
        if group is None or self._is_abandoned:
            return
        crash_point("engine.before_answers")
        for (request, answer), outcome in zip(
            group.waiting, group.outcomes, strict=True
        ):
            self._notifier.answer(request, answer, outcome)
        crash_point("engine.before_notices")
        self._notifier.tell(group.changes.entries, group.outcomes)
        sends = sum(isinstance(request, Send) for request, _ in group.waiting)
        self._listener.committed(len(group.waiting), sends, group.commit_seconds)
        crash_point("engine.after_answers")

    async def _checkpoint(self) -> None:
        """Truncate the WAL; with space again, fill the reserve and take SENDs."""
        self._is_checkpoint_due = False
        self._answer()
        store = self._store
        await self._executor.run(
            lambda: store.checkpoint(apsw.SQLITE_CHECKPOINT_TRUNCATE)
        )
        for page in await self._executor.run(store.scrub):
            self._listener.page_damaged(page)
        if self._state.is_space_low and await self._executor.run(store.reserve.fill):
            self._state.is_space_low = False
            self._listener.space_low(False)

    def follow_clock(self) -> None:
        """Take the clock's time, also if it went back: the operator vouches for it."""
        self._state.clock_ms = min(self._state.clock_ms, self._clock.now_ms())

    async def copy_to(
        self, target: Path, tell: Callable[[int, int], Awaitable[None]]
    ) -> None:
        """Copy the database while it is used; see `ports.CopySource`."""
        store, run = self._store, self._executor.run
        copy = await run(lambda: store.begin_copy(target))
        try:
            step = await run(copy.step)
            while not step.is_last:
                await tell(step.pages, step.pages_all)
                # As long as the step was, the writer is free.
                await trio.sleep(max(step.seconds, PAUSE_SECONDS_MIN))
                step = await run(copy.step)
            await tell(step.pages, step.pages_all)
        finally:
            with trio.CancelScope(shield=True):
                await run(lambda: store.end_copy(copy))

    async def shut(self) -> None:
        """Close the database, tidily unless abandoned or failed."""
        store = self._store
        is_tidy = not self._is_abandoned and self.failure is None
        await self._executor.run(store.close if is_tidy else store.abandon)


@asynccontextmanager
async def open_engine(
    path: Path,
    *,
    clock: WallClock,
    executor: Executor,
    listener: Listener,
    limits: EngineLimits | None = None,
    revision: int = DRAFT,
    open_database: OpenDatabase = open_database,
    reserve_bytes: int = RESERVE_BYTES,
    accept_clock: bool = False,
    accept_loss: bool = False,
) -> AsyncGenerator[EmbeddedEngine, None]:
    """Open the embedded engine on a database file; it runs until the block ends.

    On a normal end everything that was appended is committed and answered, then the
    WAL is truncated. When storage fails the block is cancelled and the error raised.

    Args:
        path: The database; made if it isn't there.
        clock: Time of records.
        executor: Where all SQL runs.
        listener: Hints and alarms.
        limits: Bounds; the defaults if None.
        revision: At which frames are built.
        open_database: How the file is opened; a test may open another file system.
        reserve_bytes: Space kept back for a full disk, beside the database; 0: none.
        accept_clock: Start even if the clock does not fit the newest record.
        accept_loss: Start even if the log ends before what was durable.

    Raises:
        StorageError: It can't be opened, or a commit's outcome is unknown.
    """
    reserve = Reserve(path.with_name(path.name + ".reserve"), reserve_bytes)
    now_ms = clock.now_ms()
    store = await executor.run(
        lambda: open_store(
            path,
            open_database,
            reserve,
            now_ms,
            accept_clock=accept_clock,
            accept_loss=accept_loss,
        )
    )
    state = State(store.meta, limits or EngineLimits(), revision)
    engine = EmbeddedEngine(store, state, clock, executor, listener)
    try:
        state.is_space_low = not await executor.run(reserve.fill)
        body_error: Exception | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_run, engine, nursery.cancel_scope)
            try:
                yield engine
            except Exception as error:
                body_error = error
            engine.close()
        if engine.failure is not None:
            raise engine.failure
        if body_error is not None:
            raise body_error
    finally:
        engine.close()
        with trio.move_on_after(CLOSE_SECONDS_MAX, shield=True):
            await engine.shut()


async def _run(engine: EmbeddedEngine, scope: trio.CancelScope) -> None:
    """Run an engine; its failure cancels whoever uses it."""
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.tick_checkpoints)
            await engine.run()
            nursery.cancel_scope.cancel()
    except* StorageError as errors:
        found = errors.exceptions[0]
        assert isinstance(found, StorageError)
        engine.failure = found
        engine.abandon()
        scope.cancel()
