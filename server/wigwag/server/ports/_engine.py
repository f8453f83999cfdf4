"""The log with its tables, as the sessions see it."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from wigwag.server.core import (
    Answer,
    Device,
    Gap,
    InboxEntry,
    Position,
    Request,
    User,
)


class Watcher(Protocol):
    """Whoever wants to know at once what was added to one device's inbox."""

    def entries(self, entries: Sequence[InboxEntry], /) -> None:
        """Take the entries that one commit added, by rising position.

        Called on the event-loop thread, after the commit and after the answers of
        its group; must not wait and must not raise. `entries[0].prev` tells
        whether they join what the watcher has: if not, it reads the inbox.
        """
        ...


class Listener(Protocol):
    """Hints and alarms of an engine, after the commit and the answers they belong to.

    Called on the event-loop thread; must not wait and must not raise. A hint is
    never repeated; what must not be lost is in the tables.
    """

    def receipt(self, to_user: User, chat: bytes, user: User, mark: Position) -> None:
        """Note that `user` has received `chat` up to `mark`; `to_user` should know."""
        ...

    def gap(self, device: Device, gap: Gap) -> None:
        """Note that positions were dropped; told again at the next login."""
        ...

    def prekeys_low(self, device: Device, ec_left: int, kem_left: int) -> None:
        """Note that a device should upload one-time prekeys."""
        ...

    def displaced(self, device: Device, generation: int) -> None:
        """Note that connections of a device below this generation are over."""
        ...

    def revoked(self, device: Device) -> None:
        """Note that a device was removed: its connections are over.

        Called between the answer of the record that removed it and the next one.
        """
        ...

    def doomed(self, device: Device) -> None:
        """Note that an inbox waits to be reported: append Ticks now, not hourly."""
        ...

    def restore_proven(self, device: Device, cursor: Position) -> None:
        """Raise the alarm: the data folder was put back from an older copy."""
        ...

    def entry_corrupt(self, device: Device, position: Position) -> None:
        """Raise the alarm: a stored record was damaged."""
        ...

    def page_damaged(self, page: int) -> None:
        """Raise the alarm: a page of the database, from 1, isn't what was written."""
        ...

    def fold_failed(self, request: str, error: Exception) -> None:
        """Raise the alarm: our own code failed on a request of this type (INTERNAL).

        Also when an answer's or a watcher's callback raised.
        """
        ...

    def space_low(self, is_low: bool) -> None:
        """Note that the disk is full (SENDs are refused), or has space again."""
        ...

    def committed(self, records: int, sends: int, commit_seconds: float) -> None:
        """Note that all of a group's answers, entries and hints have been given.

        The last call for every group, also one that only looked up (0 s in the
        writer) or was refused: what it made sessions say can be written now.
        """
        ...


class Engine(Protocol):
    """Log, folds and tables behind one entrance.

    1. `append` takes requests in order and never waits.
    2. Whatever arrived while the previous commit ran is one group: folded in memory,
       written and fsynced in one transaction.
    3. Then each request's `answer` is called once, in order; then the watchers of
       inboxes that grew; then the listener. Nothing of a group can be seen earlier.
    4. A request that the engine could not commit is answered UNAVAILABLE with
       outcome none. If the outcome can't be known the engine stops: it answers
       nothing more, and its context raises CommitUncertainError.
    """

    def append(self, request: Request, answer: Callable[[Answer], None], /) -> None:
        """Hand a request over; `answer` is called on the event-loop thread.

        Raises:
            EngineClosedError: The engine has stopped.
        """
        ...

    def watch(self, device: Device, watcher: Watcher, /) -> None:
        """Tell `watcher` what is added to the device's inbox from now on.

        One watcher a device: a newer one replaces the older.
        """
        ...

    def unwatch(self, device: Device, watcher: Watcher, /) -> None:
        """Stop telling; nothing happens when a newer watcher has taken over."""
        ...

    @property
    def depth(self) -> int:
        """Requests that wait for a group; what admission sheds by."""
        ...

    @property
    def memory_bytes(self) -> int:
        """Memory of the rows and entries that are kept, about, in bytes."""
        ...

    @property
    def is_space_low(self) -> bool:
        """The disk was full: SENDs are refused until there is space."""
        ...


class CopySource(Protocol):
    """An engine whose database can be copied while it is used."""

    async def copy_to(
        self, target: Path, tell: Callable[[int, int], Awaitable[None]], /
    ) -> None:
        """Copy the database into a new file, as it stands when the copy ends.

        Requests wait a few milliseconds longer meanwhile. The file is whole, but
        not fsynced, when this returns.

        Args:
            target: The file; it must not be there.
            tell: Called with the pages copied and all pages; may take its time.

        Raises:
            CopyFailedError: The disk refused, or the engine was closed.
        """
        ...
