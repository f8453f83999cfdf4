"""Writing a group's changes: one transaction, one fsync.

Statements go out table by table with `executemany`, so that each is prepared once
and rows of one table are written together. Inserts of inbox entries come before
quarantine and deletes: what a group adds and takes away again is gone.
"""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import nullcontext

from wigwag.server.core import (
    NAME_HOLD_DAYS,
    RETENTION_DAYS,
    SENT_INDEX_DAYS,
    Changes,
    day_of,
    minted_ms,
    rows,
)
from wigwag.server.engines._checked import unchecked
from wigwag.server.engines._crash import crash_point
from wigwag.server.engines._record import inbox_columns
from wigwag.server.engines._row_codec import SHAPES
from wigwag.server.engines._schema import (
    LOG_PREFIX,
    SENT_PREFIX,
    create_log_table,
    create_sent_table,
)
from wigwag.server.engines._sql import Database

DAY_MS = 86_400_000

_INSERT_ENTRY = "INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_TRIM = "DELETE FROM inbox WHERE device = ? AND position > ? AND position <= ?"
_QUARANTINE = (
    "INSERT OR REPLACE INTO quarantine "
    "SELECT *, ? FROM inbox WHERE device = ? AND position = ?"
)
_REMOVE = "DELETE FROM inbox WHERE device = ? AND position = ?"
# What a deleted account's devices leave; an inbox that is still being reported stays
# until the ticks are through with it.
_RANGE = "WHERE device BETWEEN ? AND ?"
_PURGES = (
    f"DELETE FROM device {_RANGE}",  # noqa: S608 - the literal above
    f"DELETE FROM sender {_RANGE}",  # noqa: S608
    f"DELETE FROM quarantine {_RANGE}",  # noqa: S608
    f"DELETE FROM inbox_head {_RANGE} AND doomed = 0",  # noqa: S608
)
_FIRST_NUMBER, _LAST_NUMBER = b"\x00", b"\xff"
_EPOCH = "INSERT INTO epoch VALUES (?, ?, 0)"
_END_EPOCH = (
    "UPDATE epoch SET ended = (SELECT ordinal FROM log) "
    "WHERE epoch = (SELECT max(epoch) FROM epoch)"
)
_LOG_STATE = "UPDATE log SET clock_ms = ?, ordinal = ?, void_below = ?, settled = ?"


class Days:
    """Which UTC days have a sent index and a chat log.

    Tables made in a transaction that was rolled back are gone again: `restore`.
    """

    def __init__(self, sent: set[int], log: set[int]) -> None:
        self.sent = sent
        self.log = log
        self._before = (frozenset(sent), frozenset(log))

    def remember(self) -> None:
        """Note what is there before a transaction."""
        self._before = (frozenset(self.sent), frozenset(self.log))

    def restore(self) -> None:
        """Return to what was there before the transaction."""
        self.sent = set(self._before[0])
        self.log = set(self._before[1])


def write_changes_txn(
    database: Database,
    days: Days,
    changes: Changes,
    clock_ms: int,
    ordinal: int,
    void_below: int,
    settled: int,
    *,
    is_inbox_damaged: bool = False,
) -> None:
    """Write a group's changes within an open transaction.

    `settled` is which number the database's file bears (`_stamp`).

    With `is_inbox_damaged`, pages are not compared while the inbox is written: each of
    its rows has a checksum of its own.
    """
    many = database.executemany
    for epoch in changes.epochs:
        database.execute(_END_EPOCH)
        database.execute(_EPOCH, (epoch, clock_ms))
    database.execute(_LOG_STATE, (clock_ms, ordinal, void_below, settled))
    for shape in SHAPES:
        dirty = changes.rows[shape.table.index]
        if not dirty:
            continue
        columns = shape.columns
        kept = [columns(key, row) for key, row in dirty.items() if row is not None]
        if kept:
            many(shape.upsert, kept)
        gone = [shape.split(key) for key, row in dirty.items() if row is None]
        if gone:
            many(shape.delete, gone)
    if changes.rows[rows.ACCOUNTS.index]:
        crash_point("writer.after_registration")
    sent = changes.rows[rows.SENT.index]
    if sent:
        _write_sent_txn(database, days, sent)
    if changes.log:
        _write_log_txn(database, days, changes.log)
    with unchecked(database) if is_inbox_damaged else nullcontext():
        _write_inbox_txn(database, changes, clock_ms)
    for user in changes.purged:
        _purge_txn(database, user)
    if changes.void_below:
        _void_pages_txn(database, changes.void_below)
    if changes.tick_ms:
        _prune_txn(database, days, changes.tick_ms, void_below)


def _write_inbox_txn(database: Database, changes: Changes, clock_ms: int) -> None:
    many = database.executemany
    if changes.entries:
        many(_INSERT_ENTRY, [inbox_columns(*one) for one in changes.entries])
    for device, position in changes.quarantined:
        database.execute(_QUARANTINE, (clock_ms, device, position))
        database.execute(_REMOVE, (device, position))
    if changes.trims:
        many(_TRIM, changes.trims)


def _purge_txn(database: Database, user: bytes) -> None:
    """Delete what lies under the id of a deleted account."""
    for statement in _PURGES:
        database.execute(statement, (user + _FIRST_NUMBER, user + _LAST_NUMBER))
    database.execute("DELETE FROM device_list WHERE user = ?", (user,))


def _write_sent_txn(
    database: Database, days: Days, sent: dict[bytes, rows.SentRow]
) -> None:
    by_day: defaultdict[int, list[tuple[object, ...]]] = defaultdict(list)
    for key, row in sent.items():
        message_id = key[17:33]
        by_day[day_of(minted_ms(message_id))].append(
            (
                message_id,
                key[:17],
                key[33:],
                row.chat_seq,
                row.ts,
                row.attempt,
                row.registration_id,
                row.digest,
            )
        )
    for day, values in by_day.items():
        if day not in days.sent:
            create_sent_table(database, day)
            days.sent.add(day)
            crash_point("writer.after_day_table")
        database.executemany(
            f"INSERT INTO {SENT_PREFIX}{day} VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a day number
            values,
        )


def _write_log_txn(database: Database, days: Days, log: Iterable[rows.LogRow]) -> None:
    by_day: defaultdict[int, list[tuple[object, ...]]] = defaultdict(list)
    for row in log:
        by_day[day_of(row.ts)].append(
            (
                row.source,
                row.chat,
                row.chat_seq,
                row.class_,
                row.sender,
                row.client_msg_id,
                row.ts,
            )
        )
    for day, values in by_day.items():
        if day not in days.log:
            create_log_table(database, day)
            days.log.add(day)
        database.executemany(
            f"INSERT INTO {LOG_PREFIX}{day} VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a day number
            values,
        )


def _void_pages_txn(database: Database, void_below: int) -> None:
    database.execute("DELETE FROM prekey_page WHERE epoch < ?", (void_below,))


def _prune_txn(database: Database, days: Days, now_ms: int, void_below: int) -> None:
    """Drop day tables and rows whose time is over."""
    crash_point("writer.before_tick")
    today = day_of(now_ms)
    for day in sorted(one for one in days.sent if one < today - SENT_INDEX_DAYS):
        database.execute(f"DROP TABLE {SENT_PREFIX}{day}")
        days.sent.discard(day)
        crash_point("writer.after_day_drop")
    for day in sorted(one for one in days.log if one < today - RETENTION_DAYS):
        database.execute(f"DROP TABLE {LOG_PREFIX}{day}")
        days.log.discard(day)
    database.execute("DELETE FROM invite WHERE expires_ms < ?", (now_ms,))
    # A fold that still has the row in memory finds its owner's time over, too.
    database.execute(
        "DELETE FROM username WHERE user IN "
        "(SELECT user FROM deleted_account WHERE deleted_ms <= ?)",
        (now_ms - NAME_HOLD_DAYS * DAY_MS,),
    )
    database.execute(
        "DELETE FROM quarantine WHERE found_ms < ?", (now_ms - RETENTION_DAYS * DAY_MS,)
    )
    _void_pages_txn(database, void_below)
