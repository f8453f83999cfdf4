"""The inbox of whoever has signed in on a session: its delivery, and its outlet.

`Delivery` decides what is sent when; this is what it stands on: the engine that it
reads from, the connection that it writes to, the window that this client asked for.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from wigwag.server._delivery import Delivery
from wigwag.server.core import (
    Answer,
    Device,
    Entries,
    Gap,
    InboxEntry,
    InboxRead,
    Position,
)
from wigwag.server.ports import EngineClosedError
from wigwag.wire import ErrorCode, InboxEmpty
from wigwag.wire import Gap as GapMessage

if TYPE_CHECKING:
    from wigwag.server._session import Session

# A read that the engine refused is tried again: its disk may have space by then.
READ_RETRY_SECONDS = 1.0


class InboxFeed:
    """Feeds one session with its device's inbox; implements `Outlet`.

    Attributes:
        client_window_entries: Most unacknowledged entries that the client takes.
        retry_at: When a refused read is tried again; None: none was.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._delivery: Delivery | None = None
        self.client_window_entries = 1
        self.retry_at: float | None = None

    def open(self, device: Device, *, acked: Position, last: Position) -> None:
        """Take a device's inbox up, instead of what was open."""
        self.close()
        limits = self._session.services.limits
        self._delivery = Delivery(
            device,
            self,
            acked=acked,
            last=last,
            window_entries=min(limits.window_entries, self.client_window_entries),
            window_bytes=limits.window_bytes,
        )
        self._session.services.engine.watch(device, self._delivery)

    def close(self) -> None:
        """Let the inbox go."""
        delivery, self._delivery = self._delivery, None
        if delivery is not None:
            delivery.stop()
            self._session.services.engine.unwatch(delivery.device, delivery)

    def stop(self) -> None:
        """Send nothing more; what was sent can still be acknowledged."""
        if self._delivery is not None:
            self._delivery.stop()

    @property
    def unacked(self) -> int:
        """Entries sent and not acknowledged."""
        return 0 if self._delivery is None else self._delivery.unacked

    def acknowledged(self, position: Position) -> None:
        """Free the window up to `position`."""
        if self._delivery is not None:
            self._delivery.acknowledged(position)
            self._session.mark()

    def settle(self) -> None:
        """Read on if there is something to read and room for it."""
        if self._delivery is not None and self.retry_at is None:
            self._delivery.settle()

    def tick(self, now: float) -> None:
        """Allow a refused read again when its time has come."""
        if self.retry_at is not None and now >= self.retry_at:
            self.retry_at = None

    # The delivery's outlet

    def room_bytes(self) -> int:
        """Return how many bytes the write buffer still takes."""
        return self._session.flow.room_bytes

    def guarded_entries(self, entries: Sequence[InboxEntry]) -> None:
        """Pass a commit's entries to the delivery."""
        session = self._session
        if self._delivery is not None and not session.is_over:
            session.guarded(self._delivery.take, entries)
            session.mark()

    def read_inbox(self, request: InboxRead, answer: Callable[[Entries], None]) -> None:
        """Read on; a refused read is tried again a little later."""
        session = self._session

        def told(result: Answer) -> None:
            if session.is_over:
                return
            if isinstance(result, Entries):
                session.guarded(answer, result)
            else:
                session.guarded(answer, Entries(entries=(), gaps=(), last=0))
                self.retry_at = session.now + READ_RETRY_SECONDS
                session.has_new_deadline = True
            session.mark()

        try:
            session.services.engine.append(request, told)
        except EngineClosedError:
            session.close_with(ErrorCode.UNAVAILABLE)

    def send_entries(self, frames: Sequence[bytes]) -> None:
        """Queue the frames of entries."""
        session = self._session
        joined = b"".join(frames)
        session.connection.send_frames(joined, len(frames))
        session.flow.queued_bytes += len(joined)
        session.services.hub.counts.entries_sent += len(frames)

    def say_gap(self, gap: Gap) -> None:
        """Queue a GAP."""
        session = self._session
        session.services.hub.counts.gaps_sent += 1
        session.event(GapMessage(first=gap.first, last=gap.last, reason=gap.reason))

    def say_empty(self, last: Position) -> None:
        """Queue INBOX_EMPTY."""
        self._session.event(InboxEmpty(last=last))
