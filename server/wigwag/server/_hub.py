"""Which sessions there are, and what they must be told.

The hub is the engine's listener: after each commit it passes hints on to the
sessions they concern. Sessions that have something to say are marked, and say it all
at once: one TLS write and one system call a connection, however many messages.

Whatever wakes the server (a socket, a deadline, the operator) stands between `begin`
and `flush`; what an engine tells after a commit has no such end, so the first mark
then wakes the flusher's task (`run`), which comes when the engine has told all.
A session's failure in a flush ends that session alone.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import trio

from wigwag.server._counts import Counts
from wigwag.server._memory import Memory
from wigwag.server._observe import Log, log_failure
from wigwag.server._peer import Identity
from wigwag.server.core import Device, Gap, Position, User
from wigwag.server.ports import Entropy
from wigwag.wire import ErrorCode

if TYPE_CHECKING:
    from wigwag.server._session import Session

# Where memory is short, who is sent away comes back no sooner.
SHED_RETRY_SECONDS = 10.0
# Of the budget, what is freed at once.
SHED_SHARE = 0.05


class Hub:
    """The sessions of one server; implements `ports.Listener`.

    Args:
        counts: What is counted.
        log: Where alarms go.
        entropy: For error ids.
        monotonic: The clock of deadlines, in seconds.
        memory: What is held for clients, and how much it may be.
    """

    def __init__(
        self,
        *,
        counts: Counts,
        log: Log,
        entropy: Entropy,
        monotonic: Callable[[], float],
        memory: Memory,
    ) -> None:
        self.counts = counts
        self.log = log
        self.monotonic = monotonic
        self.memory = memory
        self._entropy = entropy
        self._sessions: set[Session] = set()
        self._by_device: dict[Device, Session] = {}
        self._by_user: dict[User, list[Session]] = {}
        self._dirty: list[Session] = []
        # Sessions with delivered marks to tell, by the time when they are due: all
        # are gathered for equally long, so the queue is in order.
        self._hints: deque[tuple[float, Session]] = deque()
        self._has_hints = trio.Event()
        self._starved: dict[Session, None] = {}
        self.tick_wanted = trio.Event()
        """Set when the folds' time must not wait for the hour; replaced then."""
        self.is_draining = False
        """The server is about to end: nobody new is welcome."""
        self._is_awake = False
        self._flusher: trio.lowlevel.Task | None = None
        self._chores: deque[tuple[Session, Iterator[None]]] = deque()

    # Sessions

    def add(self, session: "Session") -> None:
        """Take note of a new session."""
        self._sessions.add(session)

    def sessions(self) -> list["Session"]:
        """Return all sessions, whatever their state."""
        return sorted(self._sessions, key=lambda session: session.number)

    def may_claim(self, identity: Identity, connections_max: int) -> bool:
        """Tell whether a user may have one more session, the device's own aside."""
        held = self._by_device.get(identity.device)
        others = len(self._by_user.get(identity.user, ())) - (held is not None)
        return others < connections_max

    def claim(self, identity: Identity, session: "Session") -> None:
        """Give a device to a newer session: the older one reads no further.

        Called before the newer session's Connect is appended. What the older one
        appended is before it in the log, and nothing of it can come after: that is
        the fence (R-AUTH-004).

        A sign-in of a lower generation is an older connection's, read late: the
        log will answer it STORE_ROLLED_BACK, and it must not end the newer one.
        """
        device = identity.device
        older = self._by_device.get(device)
        if older is not None and older is not session:
            if older.claimed is not None and older.claimed.supersedes(identity):
                return
            self.counts.displaced += 1
            older.guarded(older.displace)
            self.unclaim(older)
        session.claimed = identity
        if older is not session:
            self._by_device[device] = session
            self._by_user.setdefault(identity.user, []).append(session)

    def unclaim(self, session: "Session") -> None:
        """Take a device from the session that has it, if it has one."""
        claimed, session.claimed = session.claimed, None
        if claimed is None:
            return
        del self._by_device[claimed.device]
        others = self._by_user[claimed.user]
        others.remove(session)
        if not others:
            del self._by_user[claimed.user]

    def holds(self, device: Device, session: "Session") -> bool:
        """Tell whether the device is the session's."""
        return self._by_device.get(device) is session

    def remove(self, session: "Session") -> None:
        """Forget a session that has ended."""
        self._sessions.discard(session)
        self._starved.pop(session, None)
        self.unclaim(session)

    # Output

    def begin(self) -> None:
        """Begin a wake-up: whoever calls this calls `flush`, whatever happens."""
        self._is_awake = True

    def mark(self, session: "Session") -> None:
        """Have a session looked at in the next flush (the session sees to: once)."""
        self._dirty.append(session)
        if not self._is_awake and self._flusher is not None:
            flusher, self._flusher = self._flusher, None
            trio.lowlevel.reschedule(flusher)

    def flush(self) -> None:
        """Let every marked session settle and write."""
        self._is_awake = True
        now = self.monotonic()
        if self._starved and self.memory.has_room:
            starved, self._starved = self._starved, {}
            for session in starved:
                session.mark()
        # What one session does may mark another: a displacement, for example.
        while self._dirty:
            dirty, self._dirty = self._dirty, []
            for session in dirty:
                try:
                    session.flush(now)
                except Exception as error:
                    session.crash(error)
        self._is_awake = False

    def add_chore(self, session: "Session", pieces: Iterator[None]) -> None:
        """Have long work of a session done in pieces, between everybody's wake-ups.

        Args:
            session: Whose work it is; a failure ends it alone.
            pieces: Does a piece, a millisecond at most, each time it is asked for
                the next, and looks whether the session is over.
        """
        self._chores.append((session, pieces))
        if self._flusher is not None:
            flusher, self._flusher = self._flusher, None
            trio.lowlevel.reschedule(flusher)

    def work_on(self) -> None:
        """Do one piece of the chore that has waited longest."""
        if not self._chores:
            return
        session, pieces = self._chores.popleft()
        try:
            for _ in pieces:
                self._chores.append((session, pieces))
                return
        except Exception as error:
            session.crash(error)

    async def run(self) -> None:
        """Flush what an engine has told, and send hints when due; until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._flush_told)
            nursery.start_soon(self._send_hints)

    async def _flush_told(self) -> None:
        """Flush whenever an engine has told something."""

        def abort(_: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            self._flusher = None
            return trio.lowlevel.Abort.SUCCEEDED

        while True:
            if not self._dirty and not self._chores:
                self._flusher = trio.lowlevel.current_task()
                await trio.lowlevel.wait_task_rescheduled(abort)
            else:
                await trio.lowlevel.checkpoint()
            self.work_on()
            self.flush()

    def gather(self, session: "Session", due_at: float) -> None:
        """Have a session's delivered marks sent at a time, GATHER_SECONDS from now."""
        self._hints.append((due_at, session))
        if len(self._hints) == 1:
            self._has_hints.set()

    def send_hints(self, now: float) -> None:
        """Send the delivered marks that are due."""
        hints = self._hints
        self.begin()
        while hints and hints[0][0] <= now:
            _, session = hints.popleft()
            session.guarded(session.send_receipts)
        self.flush()

    async def _send_hints(self) -> None:
        while True:
            if not self._hints:
                self._has_hints = trio.Event()
                await self._has_hints.wait()
            await trio.sleep_until(self._hints[0][0])
            self.send_hints(self.monotonic())

    def starve(self, session: "Session") -> None:
        """Have a session marked once there is room again."""
        self._starved[session] = None

    def shed(self) -> int:
        """Send some of those away who hold most, if there is no room; return how many.

        A little at a time: what they leave behind can be given back to the system
        before others fill it anew.
        """
        memory = self.memory
        excess = min(
            memory.held_bytes - memory.pause_bytes,
            int(memory.budget_bytes * SHED_SHARE),
        )
        # Of those who are on their way out already, no more can be had.
        excess -= sum(one.held_bytes for one in self._sessions if one.is_over)
        if excess < 0:
            return 0
        shed = 0
        for session in sorted(
            (one for one in self._sessions if not one.is_over),
            key=lambda one: (-one.held_bytes, one.number),
        ):
            if excess < 0 or not session.held_bytes:
                break
            excess -= session.held_bytes
            session.guarded(
                session.close_with, ErrorCode.OVERLOADED, SHED_RETRY_SECONDS
            )
            shed += 1
        self.counts.shed += shed
        return shed

    def failed(self, event: str, error: BaseException, **values: object) -> str:
        """Count and log a fault of ours; return its error id."""
        self.counts.failures += 1
        return log_failure(self.log, self._entropy, event, error, **values)

    # What the engine tells after a commit

    def receipt(self, to_user: User, chat: bytes, user: User, mark: Position) -> None:
        """Pass a delivered mark on to the sender's sessions."""
        for session in self._of(to_user):
            session.guarded(session.note_receipt, chat, user, mark)

    def gap(self, device: Device, gap: Gap) -> None:
        """Tell a device what it will not get."""
        session = self._by_device.get(device)
        if session is not None:
            session.guarded(session.inbox.say_gap, gap)

    def prekeys_low(self, device: Device, ec_left: int, kem_left: int) -> None:
        """Ask a device for prekeys."""
        session = self._by_device.get(device)
        if session is not None:
            session.guarded(session.say_prekeys_low, ec_left, kem_left)

    def displaced(self, device: Device, generation: int) -> None:
        """End a session that an even newer sign-in has overtaken."""
        session = self._by_device.get(device)
        if session is not None and session.generation < generation:
            self.counts.displaced += 1
            session.guarded(session.displace)

    def revoked(self, device: Device) -> None:
        """End the session of a device that its account removed."""
        session = self._by_device.get(device)
        if session is not None:
            self.counts.removed += 1
            session.guarded(session.revoke)

    def doomed(self, device: Device) -> None:
        """Have the ticks come now: senders wait to be told."""
        del device  # a tick's scan finds it
        self.tick_wanted.set()

    def restore_proven(self, device: Device, cursor: Position) -> None:
        """Alarm: this folder was put back from a copy."""
        del device, cursor  # whose it was is nobody's business in a log
        self.counts.restores_proven += 1
        self.log.error("restore_proven", reason="a device is ahead of this folder")

    def page_damaged(self, page: int) -> None:
        """Alarm: a page of the database is damaged; to read it ends the server."""
        self.counts.pages_damaged += 1
        self.log.error(
            "page_damaged",
            page=page,
            reason="its checksum is wrong: check the disk and have a backup ready",
        )

    def entry_corrupt(self, device: Device, position: Position) -> None:
        """Alarm: a stored record is damaged."""
        del device, position
        self.counts.entries_corrupt += 1
        self.log.error("entry_corrupt", reason="a stored record failed its checksum")

    def fold_failed(self, request: str, error: Exception) -> None:
        """Alarm: our own code failed on a request, which was answered INTERNAL."""
        self.failed("fold_failed", error, request=request)

    def space_low(self, is_low: bool) -> None:
        """Alarm: the disk is full, or has space again."""
        self.counts.is_space_low = is_low
        if is_low:
            self.log.error("disk_full", reason="SENDs are refused until there is space")
        else:
            self.log.info("disk_has_space")

    def committed(self, records: int, sends: int, commit_seconds: float) -> None:
        """Count a group."""
        del sends
        self.counts.committed(records, commit_seconds)

    def _of(self, user: User) -> Iterator["Session"]:
        yield from tuple(self._by_user.get(user, ()))
