"""The rows in memory, and what a group of records changes of them.

A `State` holds the rows that folds have read or made, in two generations: a row
that was used stays, one that wasn't for a while goes. A key that was looked for
and isn't stored is remembered as None. A fold that needs a row which is not in
memory raises `RowMissing`; the engine reads it and folds the record again.
"""

from collections import deque
from collections.abc import Hashable
from typing import Any, Final, cast

import msgspec

from wigwag.server.core._limits import EngineLimits
from wigwag.server.core._rows import (
    SLICES,
    TABLES,
    HeadRow,
    KeyT,
    LogRow,
    RowT,
    Slice,
    SliceKey,
    Table,
)
from wigwag.server.core._values import (
    ORDINAL_MAX,
    Device,
    InboxEntry,
    Position,
    epoch_at,
    position,
)

# A row with its key and its place in a dictionary; prekeys and chats take more, marks
# and names less.
ROW_BYTES = 512
# An entry of 300 bytes is a record of twelve objects besides.
TAIL_FACTOR = 2


class RowMissing(Exception):  # noqa: N818 - a request for a row, not an error
    """A fold named a row that is not in memory."""

    def __init__(self, table: Table[Any, Any], key: Hashable) -> None:
        super().__init__(f"{table.name} row is not in memory")
        self.table = table
        self.key = key


class _Absent:
    __slots__ = ()


ABSENT: Final = _Absent()


class Cache:
    """The rows of one table in memory, the less used of them dropped.

    Attributes:
        young: Rows that were used lately; a hot path may look here first.
        is_used: Whether a row was ever put here.
    """

    __slots__ = ("_old", "_rows_max", "is_used", "young")

    def __init__(self, rows_max: int) -> None:
        self._rows_max = rows_max
        self.is_used = False
        self.young: dict[Hashable, object] = {}
        self._old: dict[Hashable, object] = {}

    def get(self, key: Hashable) -> object:
        """Return the row, None for "not stored", or ABSENT for "not in memory"."""
        row = self.young.get(key, ABSENT)
        if row is ABSENT and self._old:
            row = self._old.pop(key, ABSENT)
            if row is not ABSENT:
                self.young[key] = row
        return row

    def put(self, key: Hashable, row: object) -> None:
        """Keep a row, or None for "not stored"."""
        self.is_used = True
        self.young[key] = row

    def forget(self, key: Hashable) -> None:
        """Drop what is known of a key."""
        self.young.pop(key, None)
        self._old.pop(key, None)

    def age(self) -> None:
        """Drop the older generation once the younger is full."""
        if len(self.young) > self._rows_max:
            self._old = self.young
            self.young = {}

    def clear(self) -> None:
        """Drop everything."""
        self.young = {}
        self._old = {}

    def __len__(self) -> int:
        return len(self.young) + len(self._old)


class Tail:
    """The newest entries of an inbox: all above `floor` that are not acknowledged."""

    __slots__ = ("entries", "floor", "size")

    def __init__(self, floor: Position) -> None:
        self.floor = floor
        self.entries: deque[InboxEntry] = deque()
        self.size = 0

    def drop_first(self) -> int:
        """Drop the oldest entry and return its bytes."""
        entry = self.entries.popleft()
        self.floor = entry.position
        self.size -= len(entry.frame)
        return len(entry.frame)


class Changes:
    """What a group makes different, for the engine to write in one transaction.

    Attributes:
        rows: By table index: key → new row, or None to delete it.
        entries: Inbox entries to insert, in order.
        log: Chat-log headers to insert.
        trims: (device, above, upto): entries to delete, after the inserts.
        quarantined: (device, position): damaged entries to set aside.
        epochs: Epochs that were opened.
        void_below: Delete prekey pages of epochs below; 0: none.
        tick_ms: Time of a tick that ended a round: delete what is too old; 0: none.
        purged: Deleted accounts: delete what lies under their id, after the rows.
    """

    __slots__ = (
        *("entries", "epochs", "log", "purged", "quarantined", "rows", "tick_ms"),
        *("trims", "void_below"),
    )

    def __init__(self) -> None:
        self.rows: list[dict[Any, Any]] = [{} for _ in TABLES]
        self.entries: list[tuple[Device, InboxEntry]] = []
        self.log: list[LogRow] = []
        self.trims: list[tuple[Device, Position, Position]] = []
        self.quarantined: list[tuple[Device, Position]] = []
        self.epochs: list[int] = []
        self.void_below = 0
        self.tick_ms = 0
        self.purged: list[bytes] = []

    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (
            self.entries
            or self.trims
            or self.log
            or self.quarantined
            or self.epochs
            or self.tick_ms
            or self.void_below
            or any(self.rows)
        )


class Meta(msgspec.Struct, frozen=True, gc=False):
    """What one log remembers of itself between starts.

    Attributes:
        clock_ms: Time of the newest record.
        void_below: One-time prekeys of epochs below are not handed out.
        epochs: Every epoch ever opened, rising.
    """

    clock_ms: int
    void_below: int
    epochs: tuple[int, ...]


class State:
    """All that folds read, and the changes of the group that is being folded."""

    def __init__(self, meta: Meta, limits: EngineLimits, revision: int) -> None:
        self.limits = limits
        self.revision = revision
        self.clock_ms = meta.clock_ms
        self.void_below = meta.void_below
        self.epochs = set(meta.epochs)
        self.epoch = max(meta.epochs, default=0)
        self.unsaved_epochs: list[int] = []
        self.ordinal = 0
        self.caches = tuple(Cache(limits.cache_rows_max) for _ in TABLES)
        self.tails: dict[Device, Tail] = {}
        self.tail_bytes = 0
        self.grown: dict[Device, None] = {}
        self.changes = Changes()
        self.is_space_low = False

    @property
    def memory_bytes(self) -> int:
        """What is kept in memory, about, in bytes."""
        rows = sum(len(cache) for cache in self.caches)
        return rows * ROW_BYTES + self.tail_bytes * TAIL_FACTOR

    def begin_group(self, now_ms: int) -> None:
        """Start a group at this time; a clock that went back stands still."""
        self.changes = Changes()
        self.clock_ms = max(self.clock_ms, now_ms)
        if self.ordinal + self.limits.group_records_max >= ORDINAL_MAX:
            self.open_epoch(epoch_at(self.epoch, self.clock_ms))

    def open_epoch(self, epoch: int) -> None:
        """Begin a new epoch, never used before."""
        assert epoch > self.epoch
        self.epoch = epoch
        self.ordinal = 0
        self.epochs.add(epoch)
        self.unsaved_epochs.append(epoch)

    def next_source(self) -> Position:
        """Return the log position of the next record."""
        self.ordinal += 1
        return position(self.epoch, self.ordinal)

    def peek(self, table: Table[KeyT, RowT], key: KeyT) -> RowT | None:
        """Return a row, or None when it isn't stored or isn't in memory."""
        row = self.caches[table.index].get(key)
        return None if row is ABSENT else cast("RowT | None", row)

    def is_known(self, table: Table[KeyT, RowT], key: KeyT) -> bool:
        """Whether the row, or that there is none, is in memory."""
        return self.caches[table.index].get(key) is not ABSENT

    def load(self, table: Table[KeyT, RowT], key: KeyT, row: RowT | None) -> None:
        """Take a row that was read; None: it isn't stored."""
        self.caches[table.index].put(key, row)

    def covers(self, device: Device, head: HeadRow, above: Position) -> bool:
        """Whether every entry above a position is in memory."""
        tail = self.tails.get(device)
        return (head.last if tail is None else tail.floor) <= above

    def slice_of(self, key: SliceKey) -> Slice | None:
        """Return what was read for a key and what its group added; None: not read.

        Entries that the running group added are in no table yet, and in the tail for
        certain: it is cut at the group's end only.
        """
        found = self.peek(SLICES, key)
        tail = self.tails.get(key.device)
        if found is None or tail is None or not found.is_whole:
            return found
        read = (*found.entries, *found.damaged)
        seen = max((entry.position for entry in read), default=key.above)
        added = tuple(
            entry
            for entry in tail.entries
            if seen < entry.position <= key.upto and entry.ts < key.before_ms
        )
        return Slice((*found.entries, *added), found.damaged, is_whole=True)

    def add_entry(self, device: Device, entry: InboxEntry) -> None:
        """Append an entry to the tail of its inbox; it stays until the group's end."""
        tail = self.tails.get(device)
        if tail is None:
            tail = self.tails[device] = Tail(entry.prev)
        tail.entries.append(entry)
        size = len(entry.frame)
        tail.size += size
        self.tail_bytes += size
        self.grown[device] = None

    def trim_tail(self, device: Device, upto: Position) -> None:
        """Drop entries up to a position from memory."""
        tail = self.tails.get(device)
        if tail is None:
            return
        entries = tail.entries
        while entries and entries[0].position <= upto:
            self.tail_bytes -= tail.drop_first()
        tail.floor = max(tail.floor, upto)

    def end_group(self) -> None:
        """Drop what is only good for one group, and what is too much."""
        # Epochs of a group that was rolled back are written with the next.
        self.changes.epochs = self.unsaved_epochs
        for table, cache in zip(TABLES, self.caches, strict=True):
            if table.is_kept:
                cache.age()
            elif len(cache):
                cache.clear()
        for device in self.grown:
            tail = self.tails[device]
            while len(tail.entries) > self.limits.tail_entries_max:
                self.tail_bytes -= tail.drop_first()
        self.grown.clear()
        while self.tail_bytes > self.limits.tail_bytes_max:
            device = next(iter(self.tails))
            self.tail_bytes -= self.tails.pop(device).size

    def saved(self) -> None:
        """Note that the group's changes are durable."""
        self.unsaved_epochs = []

    def forget_everything(self) -> None:
        """Drop all rows from memory: a commit was rolled back."""
        for cache in self.caches:
            cache.clear()
        self.tails.clear()
        self.tail_bytes = 0
        self.grown.clear()
        self.changes = Changes()
