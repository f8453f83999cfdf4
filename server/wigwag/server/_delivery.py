"""One device's inbox on its way to one connection.

The connection holds no copies: what doesn't fit the window is read from the inbox
when there is room again. So there are two ways. *Live*: everything up to `sent` is
on its way, and what a commit adds is sent at once. *Behind*: the inbox is read above
`sent`, one read at a time, until a read finds nothing more; only then is it live.

Entries that a commit adds while a read is under way are not lost: they only raise
`known`, and the device is live when `sent` has reached it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from wigwag.server.core import Device, Entries, Gap, InboxEntry, InboxRead, Position


class Outlet(Protocol):
    """Where entries go: the session, as its delivery sees it."""

    def room_bytes(self) -> int:
        """Return how many bytes the write buffer still takes."""
        ...

    def read_inbox(self, request: InboxRead, answer: Callable[[Entries], None]) -> None:
        """Ask the engine; `answer` is called with what it says, if it says it."""
        ...

    def send_entries(self, frames: Sequence[bytes]) -> None:
        """Queue the frames of entries, at least one."""
        ...

    def say_gap(self, gap: Gap) -> None:
        """Queue a GAP."""
        ...

    def say_empty(self, last: Position) -> None:
        """Queue INBOX_EMPTY."""
        ...

    def guarded_entries(self, entries: Sequence[InboxEntry]) -> None:
        """Pass entries to `Delivery.take`; a failure ends the session alone."""
        ...


class Delivery:
    """What of a device's inbox is sent, and what is not acknowledged.

    Args:
        device: Whose inbox.
        outlet: Where to.
        acked: The device's cursor at sign-in.
        last: The inbox's last position at sign-in.
        window_entries: Most entries sent and not acknowledged.
        window_bytes: Most bytes of them; one entry may reach beyond.
    """

    __slots__ = (
        "_bytes",
        "_is_empty_said",
        "_is_over",
        "_is_reading",
        "_known",
        "_outlet",
        "_unacked",
        "_window_bytes",
        "_window_entries",
        "device",
        "sent",
    )

    def __init__(
        self,
        device: Device,
        outlet: Outlet,
        *,
        acked: Position,
        last: Position,
        window_entries: int,
        window_bytes: int,
    ) -> None:
        self.device = device
        self.sent = acked
        self._known = max(acked, last)
        self._outlet = outlet
        self._window_entries = window_entries
        self._window_bytes = window_bytes
        self._unacked: deque[tuple[Position, int]] = deque()
        self._bytes = 0
        self._is_reading = False
        self._is_empty_said = False
        self._is_over = False

    @property
    def unacked(self) -> int:
        """Entries sent and not acknowledged."""
        return len(self._unacked)

    @property
    def is_live(self) -> bool:
        """Whether everything known is on its way."""
        return self.sent >= self._known and not self._is_reading

    def stop(self) -> None:
        """Send nothing more; late answers are dropped."""
        self._is_over = True

    def entries(self, entries: Sequence[InboxEntry], /) -> None:
        """Take what a commit added (the engine's Watcher)."""
        self._outlet.guarded_entries(entries)

    def take(self, entries: Sequence[InboxEntry]) -> None:
        """Send new entries at once if live and there is room, else note them."""
        if self._is_over:
            return
        sent = self.sent
        is_live = self.is_live
        room = self._window_entries - len(self._unacked)
        window_bytes = self._window_bytes - self._bytes
        room_bytes = self._outlet.room_bytes()
        frames: list[bytes] = []
        for entry in entries:
            if entry.position <= sent:
                continue
            self._known = max(self._known, entry.position)
            if not is_live:
                continue
            if entry.prev != sent or min(room, window_bytes, room_bytes) <= 0:
                # Joins nothing we sent: the read will say what lies between.
                is_live = False
                continue
            size = len(entry.frame)
            room -= 1
            window_bytes -= size
            room_bytes -= size
            sent = entry.position
            self._unacked.append((sent, size))
            frames.append(entry.frame)
        if frames:
            self.sent = sent
            self._bytes = self._window_bytes - window_bytes
            self._outlet.send_entries(frames)

    def acknowledged(self, position: Position) -> None:
        """Free the window of everything up to `position`."""
        unacked = self._unacked
        while unacked and unacked[0][0] <= position:
            self._bytes -= unacked.popleft()[1]

    def settle(self) -> None:
        """Read on if behind and there is room; say once when all was sent."""
        if self._is_over or self._is_reading:
            return
        if self.sent >= self._known:
            if not self._is_empty_said:
                self._is_empty_said = True
                self._outlet.say_empty(self._known)
            return
        if not self._has_room():
            return
        self._is_empty_said = False
        self._is_reading = True
        request = InboxRead(
            device=self.device,
            above=self.sent,
            count_max=self._window_entries - len(self._unacked),
            bytes_max=min(self._window_bytes - self._bytes, self._outlet.room_bytes()),
        )
        self._outlet.read_inbox(request, self._read)

    def _read(self, answer: Entries) -> None:
        self._is_reading = False
        if self._is_over:
            return
        for gap in answer.gaps:
            self._outlet.say_gap(gap)
        frames: list[bytes] = []
        for entry in answer.entries:
            if entry.position > self.sent:
                self.sent = entry.position
                self._unacked.append((entry.position, entry.size))
                self._bytes += entry.size
                frames.append(entry.frame)
        if frames:
            self._outlet.send_entries(frames)
        self._known = max(self._known, answer.last)
        if not answer.entries:
            # Nothing is left below `last`: it was acknowledged, or a GAP names it.
            self.sent = max(self.sent, answer.last)

    def _has_room(self) -> bool:
        return (
            len(self._unacked) < self._window_entries
            and self._bytes < self._window_bytes
            and self._outlet.room_bytes() > 0
        )
