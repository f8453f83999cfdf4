"""The changes of one record, which can be taken back until its fold has returned.

Rule 11 of the design: a fold that raises leaves nothing behind. Rows are values, so
a `Draft` puts a new one in the place of the old one at once and remembers the old
one: reading is one look-up, also of what the record itself wrote. `revert` puts the
old rows back; `apply` adds what isn't rows to the group.
"""

from typing import Any

from wigwag.server.core._events import Event
from wigwag.server.core._rows import (
    HEADS,
    ROSTERS,
    SHARES,
    SLICES,
    AnyEntry,
    HeadRow,
    KeyT,
    LogRow,
    RosterRow,
    RowT,
    Slice,
    SliceKey,
    Table,
)
from wigwag.server.core._state import ABSENT, RowMissing, State
from wigwag.server.core._values import Device, InboxEntry, Position, User

_ALL = (1 << 63) - 1


class Draft:
    """One record's view of the state.

    Attributes:
        state: What the record finds; never written by a fold.
        now_ms: The record's time.
        source: The record's place in the log.
        epoch: The epoch of new positions; a fold may open a newer one.
    """

    __slots__ = (
        *(
            "_caches",
            "_dirty",
            "_forgotten",
            "_undo",
            "entries",
            "epoch",
            "events",
            "log",
            "now_ms",
        ),
        *("purged", "quarantined", "source", "state", "tick_ms", "trims", "void_below"),
    )

    def __init__(self, state: State) -> None:
        self.state = state
        self.now_ms = state.clock_ms
        self.source = state.next_source()
        self.epoch = state.epoch
        self._caches = state.caches
        self._dirty = state.changes.rows
        # (table index, key, what was in its place, whether the group had written it),
        # in the order of writing.
        self._undo: list[tuple[int, Any, object, bool]] = []
        self._forgotten: list[Device] = []
        self.entries: list[tuple[Device, InboxEntry]] = []
        self.log: list[LogRow] = []
        self.trims: list[tuple[Device, Position, Position]] = []
        self.quarantined: list[tuple[Device, Position]] = []
        self.events: list[Event] = []
        self.void_below = 0
        self.tick_ms = 0
        self.purged: list[User] = []

    def get(self, table: Table[KeyT, RowT], key: KeyT) -> RowT | None:
        """Return a row, or None when there is none.

        Raises:
            RowMissing: It is not in memory; the engine reads it and folds again.
        """
        cache = self._caches[table.index]
        row = cache.young.get(key, ABSENT)
        if row is ABSENT:
            row = cache.get(key)
            if row is ABSENT:
                raise RowMissing(table, key)
        return row  # type: ignore[return-value]  # rows are kept by table

    def must_get(self, table: Table[KeyT, RowT], key: KeyT) -> RowT:
        """Return a row that exists whenever another one does (our invariant)."""
        row = self.get(table, key)
        assert row is not None, f"no {table.name} row"
        return row

    def roster(self, user: User) -> RosterRow:
        """Return a user's reachable devices; () also for an unknown user."""
        found = self.get(ROSTERS, user)
        return () if found is None else found

    def put(self, table: Table[KeyT, RowT], key: KeyT, row: RowT | None) -> None:
        """Replace a row; None deletes it."""
        index = table.index
        young, dirty = self._caches[index].young, self._dirty[index]
        self._undo.append((index, key, young.get(key, ABSENT), key in dirty))
        young[key] = dirty[key] = row

    def slice_of(self, key: SliceKey) -> Slice:
        """Return stored entries of an inbox, those of the running group included.

        Raises:
            RowMissing: They must be read first.
        """
        found = self.state.slice_of(key)
        if found is None:
            raise RowMissing(SLICES, key)
        return found

    def entries_upto(
        self, device: Device, head: HeadRow, upto: Position
    ) -> tuple[AnyEntry, ...]:
        """Return a device's entries above its floor, up to a position."""
        floor = head.floor
        if upto <= floor:
            return ()
        if self.state.covers(device, head, floor):
            tail = self.state.tails.get(device)
            return tuple(
                entry
                for entry in (() if tail is None else tail.entries)
                if floor < entry.position <= upto
            )
        found = self.slice_of(upto_key(device, upto))
        return tuple(entry for entry in found.entries if entry.position > floor)

    def count_share(self, device: Device, user: User, size: int) -> None:
        """Add bytes of a sending account to a device's shares, if they are counted."""
        if not self._caches[SHARES.index].is_used:
            return  # no inbox is that large: the usual case
        shares = self.peek_shares(device)
        if shares is not None:
            self.put(SHARES, device, {**shares, user: shares.get(user, 0) + size})

    def peek_shares(self, device: Device) -> dict[User, int] | None:
        """Return a device's shares if they are in memory."""
        return self.state.peek(SHARES, device)

    def put_head(self, device: Device, head: HeadRow) -> None:
        """Replace an inbox's head; below the limit its shares needn't be counted."""
        self.put(HEADS, device, head)
        if head.size <= self.state.limits.sender_bytes_max and (
            self.peek_shares(device) is not None
        ):
            self.put(SHARES, device, None)
            self._forgotten.append(device)

    def revert(self) -> None:
        """Put back what the record replaced."""
        for index, key, before, was_dirty in reversed(self._undo):
            young, dirty = self._caches[index].young, self._dirty[index]
            if before is ABSENT:
                del young[key]
            else:
                young[key] = before
            if was_dirty:
                dirty[key] = before
            else:
                del dirty[key]

    def apply(self) -> None:
        """Make the record's changes the group's; then it can't be taken back."""
        state = self.state
        changes = state.changes
        if self.epoch != state.epoch:
            state.open_epoch(self.epoch)
        for device in self._forgotten:
            state.caches[SHARES.index].forget(device)
        for device, entry in self.entries:
            state.add_entry(device, entry)
        changes.entries += self.entries
        changes.log += self.log
        if self.trims:
            for device, _, upto in self.trims:
                state.trim_tail(device, upto)
            changes.trims += self.trims
        changes.quarantined += self.quarantined
        changes.purged += self.purged
        changes.tick_ms = self.tick_ms or changes.tick_ms
        if self.void_below:
            changes.void_below = state.void_below = self.void_below


def upto_key(device: Device, upto: Position) -> SliceKey:
    """Return the key of all headers up to a position."""
    return SliceKey(device, 0, upto, _ALL, _ALL, _ALL, has_frames=False)


def portion_key(device: Device, count_max: int) -> SliceKey:
    """Return the key of the oldest headers, at most so many."""
    return SliceKey(device, 0, _ALL, _ALL, count_max, _ALL, has_frames=False)


def doomed_key(device: Device, doomed: Position, count_max: int) -> SliceKey:
    """Return the key of the oldest headers up to a position, at most so many."""
    return SliceKey(device, 0, doomed, _ALL, count_max, _ALL, has_frames=False)


def expired_key(device: Device, before_ms: int, count_max: int) -> SliceKey:
    """Return the key of the headers older than a time, at most so many."""
    return SliceKey(device, 0, _ALL, before_ms, count_max, _ALL, has_frames=False)


def whole_key(device: Device, count_max: int) -> SliceKey:
    """Return the key of the oldest entries with frames, at most so many."""
    return SliceKey(device, 0, _ALL, _ALL, count_max, _ALL, has_frames=True)


def read_key(
    device: Device, above: Position, count_max: int, bytes_max: int
) -> SliceKey:
    """Return the key of the entries above a position that fit."""
    return SliceKey(device, above, _ALL, _ALL, count_max, bytes_max, has_frames=True)
