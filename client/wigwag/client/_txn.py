"""A piece of work inside a transaction of the store."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import msgspec

from wigwag.client._sqlite import Database, SQLiteRow, SQLiteValue
from wigwag.client.crypto import PeerSessions, SkippedChange, SkippedRow, SkippedRowId

Row = TypeVar("Row")

DeviceKey = tuple[bytes, int]
"""User and device number."""

SESSIONS_CACHED_MAX: Final = 512
"""Sessions kept open in memory; a state is some kilobytes."""


class Changes:
    """What a commit changed that somebody may wait for.

    Attributes:
        messages: Ids of messages whose state changed.
        has_events: Whether events were added.
        after: What to call on the event loop, in the order of the work: nothing in
            memory may run ahead of what is durable.
    """

    __slots__ = ("after", "has_events", "messages")

    def __init__(self) -> None:
        self.messages: set[bytes] = set()
        self.has_events = False
        self.after: list[Callable[[], None]] = []

    def join(self, other: "Changes") -> None:
        """Add what another piece of work changed."""
        self.messages |= other.messages
        self.has_events |= other.has_events
        self.after += other.after


class Txn:
    """What a piece of work may use: SQL, and the sessions' cache.

    Args:
        db: The database, inside a transaction.
        cached: Sessions as of the last piece of work; not changed here.
    """

    def __init__(self, db: Database, cached: Mapping[DeviceKey, PeerSessions]) -> None:
        self._db = db
        self._cached = cached
        self.opened: dict[DeviceKey, PeerSessions] = {}
        self._unsaved: set[DeviceKey] = set()
        self.changes = Changes()

    def do(self, sql: str, *values: SQLiteValue) -> None:
        """Run a statement that returns nothing."""
        self._db.execute(sql, values)

    def do_many(self, sql: str, rows: list[SQLiteRow]) -> None:
        """Run a statement for each row of values."""
        self._db.executemany(sql, rows)

    def all(self, shape: type[Row], sql: str, *values: SQLiteValue) -> list[Row]:
        """Return all rows of a query, each as `shape` (a NamedTuple or tuple)."""
        return [
            msgspec.convert(row, shape)
            for row in self._db.execute(sql, values).fetchall()
        ]

    def one(self, shape: type[Row], sql: str, *values: SQLiteValue) -> Row | None:
        """Return the first row of a query as `shape`, or None."""
        row = self._db.execute(sql, values).fetchone()
        return None if row is None else msgspec.convert(row, shape)

    def value(self, shape: type[Row], sql: str, *values: SQLiteValue) -> Row | None:
        """Return the first column of the first row, or None for no row or NULL."""
        row = self._db.execute(sql, values).fetchone()
        if row is None or row[0] is None:
            return None
        return msgspec.convert(row[0], shape)

    def changed(self) -> int:
        """Return how many rows the last statement changed."""
        return self._db.changes()

    # Sessions

    def sessions(self, user: bytes, device: int) -> PeerSessions:
        """Return the sessions with a device; empty ones if there are none."""
        key = (user, device)
        found = self.opened.get(key) or self._cached.get(key)
        if found is None:
            found = self._load_sessions(user, device)
            self.opened[key] = found
        return found

    def put_sessions(
        self, user: bytes, device: int, sessions: PeerSessions, skipped: SkippedChange
    ) -> None:
        """Store the sessions with a device; the state itself at the end of the work."""
        key = (user, device)
        self.opened[key] = sessions
        self._unsaved.add(key)
        for row_id in skipped.removed:
            self.do(
                "DELETE FROM skipped_key WHERE user = ? AND device = ?"
                " AND session_id = ? AND ratchet_key = ? AND number = ?",
                user,
                device,
                row_id.session_id,
                row_id.ratchet_key,
                row_id.number,
            )
        if skipped.added:
            self.do_many(
                "INSERT INTO skipped_key VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        user,
                        device,
                        row.row_id.session_id,
                        row.row_id.ratchet_key,
                        row.row_id.number,
                        row.position,
                        row.message_key,
                        row.created_at_ms,
                    )
                    for row in skipped.added
                ],
            )

    def save(self) -> None:
        """Write the states of the sessions that changed, each once."""
        for user, device in self._unsaved:
            self.do(
                "INSERT INTO session VALUES (?, ?, ?, 0)"
                " ON CONFLICT DO UPDATE SET state = excluded.state",
                user,
                device,
                self.opened[(user, device)].dump(),
            )
        self._unsaved.clear()

    def forget_sessions(self) -> None:
        """Drop all sessions: they belong to an older registration."""
        self.do("DELETE FROM session")
        self.do("DELETE FROM skipped_key")
        self._unsaved.clear()
        for key in {*self._cached, *self.opened}:
            self.opened[key] = PeerSessions.empty()

    def _load_sessions(self, user: bytes, device: int) -> PeerSessions:
        state = self.value(
            bytes,
            "SELECT state FROM session WHERE user = ? AND device = ?",
            user,
            device,
        )
        if state is None:
            return PeerSessions.empty()
        rows = self.all(
            tuple[bytes, bytes, int, int, bytes, int],
            "SELECT session_id, ratchet_key, number, position, message_key, made_ms"
            " FROM skipped_key WHERE user = ? AND device = ?",
            user,
            device,
        )
        skipped = [
            SkippedRow(
                row_id=SkippedRowId(session_id, ratchet_key, number),
                position=position,
                message_key=message_key,
                created_at_ms=made_ms,
            )
            for session_id, ratchet_key, number, position, message_key, made_ms in rows
        ]
        return PeerSessions.load(state, skipped)
