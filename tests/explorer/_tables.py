"""The server's disk: rows and entries; a commit swaps one value for the next."""

from collections.abc import Hashable, Mapping
from typing import Any, TypeVar, cast

from wigwag.server.core import (
    Changes,
    Device,
    InboxEntry,
    Meta,
    Wanted,
    epoch_at,
    rows,
)

KeyT = TypeVar("KeyT", bound=Hashable)
RowT = TypeVar("RowT")

Rows = Mapping[tuple[int, Hashable], object]
Inboxes = Mapping[Device, tuple[InboxEntry, ...]]


class Tables:
    """What is durable. Never changed in place.

    Attributes:
        stored: Rows, by table index and key.
        inboxes: Entries that are not deleted, by device, rising.
        log: Chat-log headers, in the order they were written.
        meta: What the log remembers of itself.
    """

    __slots__ = ("inboxes", "log", "meta", "stored")

    def __init__(
        self, stored: Rows, inboxes: Inboxes, log: tuple[rows.LogRow, ...], meta: Meta
    ) -> None:
        self.stored = stored
        self.inboxes = inboxes
        self.log = log
        self.meta = meta

    def row(self, table: rows.Table[KeyT, RowT], key: KeyT) -> RowT | None:
        """Return a row, or None."""
        return cast("RowT | None", self.stored.get((table.index, key)))

    def must_have(self, table: rows.Table[KeyT, RowT], key: KeyT) -> RowT:
        """Return a row that is there."""
        row = self.row(table, key)
        assert row is not None, f"no {table.name} row"
        return row

    def with_row(self, table: rows.Table[KeyT, RowT], key: KeyT, row: RowT) -> "Tables":
        """Return tables with another row."""
        changed = {**self.stored, (table.index, key): row}
        return Tables(changed, self.inboxes, self.log, self.meta)

    def key(self) -> Hashable:
        """Return everything as one hashable value."""
        return (
            frozenset((place, _hashable(row)) for place, row in self.stored.items()),
            frozenset(self.inboxes.items()),
            self.log,
            self.meta,
        )


def read(tables: Tables, wanted: Wanted) -> list[tuple[Any, Hashable, object]]:
    """Read rows as the engine's reader does; every key is answered."""
    loaded: list[tuple[Any, Hashable, object]] = []
    for table, keys in wanted.items():
        for key, floor in keys.items():
            if table is rows.SLICES:
                assert isinstance(key, rows.SliceKey)
                loaded.append((table, key, _slice(tables, key, floor)))
            elif table is rows.SHARES:
                loaded.append((table, key, {}))  # no inbox here is that large
            else:
                loaded.append((table, key, tables.row(table, key)))
    return loaded


def write(tables: Tables, changes: Changes, clock_ms: int, void_below: int) -> Tables:
    """Take a group's changes over, as the engine's writer does."""
    stored = dict(tables.stored)
    for table in rows.TABLES:
        if table in rows.VIRTUAL_TABLES:
            continue
        for key, row in changes.rows[table.index].items():
            if row is None:
                stored.pop((table.index, key), None)
            else:
                stored[table.index, key] = row
    inboxes = dict(tables.inboxes)
    for device, entry in changes.entries:
        inboxes[device] = (*inboxes.get(device, ()), entry)
    for device, above, upto in changes.trims:
        inboxes[device] = tuple(
            one for one in inboxes.get(device, ()) if not above < one.position <= upto
        )
    epochs = (*tables.meta.epochs, *changes.epochs)
    meta = Meta(clock_ms, void_below, epochs)
    return Tables(stored, inboxes, (*tables.log, *changes.log), meta)


def start(tables: Tables, now_ms: int) -> Tables:
    """Open the epoch of a start, as the engine does when it opens its database."""
    meta = tables.meta
    epoch = epoch_at(max(0, *meta.epochs, meta.void_below - 1), now_ms)
    opened = Meta(now_ms, meta.void_below, (*meta.epochs, epoch))
    return Tables(tables.stored, tables.inboxes, tables.log, opened)


def _slice(tables: Tables, key: rows.SliceKey, floor: int) -> rows.Slice:
    found: list[rows.AnyEntry] = []
    size = 0
    above = max(key.above, floor)
    for entry in tables.inboxes.get(key.device, ()):
        if not above < entry.position <= key.upto:
            continue
        if entry.ts >= key.before_ms:
            break
        size += entry.size
        if len(found) >= key.count_max or (size > key.bytes_max and found):
            return rows.Slice(tuple(found), (), is_whole=False)
        found.append(entry if key.has_frames else _head_of(entry))
    return rows.Slice(tuple(found), (), is_whole=True)


def _head_of(entry: InboxEntry) -> rows.EntryHead:
    return rows.EntryHead(
        entry.position,
        entry.kind,
        entry.chat,
        entry.chat_seq,
        entry.sender,
        entry.client_msg_id,
        entry.ts,
        entry.size,
    )


def _hashable(row: object) -> Hashable:
    """Return a row as something hashable; a chat holds a dictionary."""
    if not isinstance(row, rows.ChatRow):
        assert isinstance(row, Hashable), "other rows hold values alone"
        return row
    return (row.users, row.head, tuple(sorted(row.tails.items())))
