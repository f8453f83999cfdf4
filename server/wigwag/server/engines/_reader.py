"""Reading the rows that a group's folds want."""

from collections.abc import Hashable
from typing import Any, TypeAlias

import apsw

from wigwag.server.core import Device, Wanted, day_of, minted_ms, rows
from wigwag.server.engines._checked import is_checksum_fault, unchecked
from wigwag.server.engines._record import OVERHEAD_BYTES, InboxColumns, entry_of
from wigwag.server.engines._row_codec import SHAPES
from wigwag.server.engines._schema import SENT_PREFIX
from wigwag.server.engines._sql import Database, fetch_one

Loaded: TypeAlias = list[tuple[rows.Table[Any, Any], Hashable, object]]
"""Table, key, row; None for a row that isn't stored."""

# SQLite's integers are signed; a position that a peer sent may not be.
_INTEGER_MAX = (1 << 63) - 1

_SHAPE_OF = {shape.table: shape for shape in SHAPES}

_SLICE = (
    "SELECT device, position, kind, chat, chat_seq, sender, client_msg_id, ts, {} "
    "FROM inbox WHERE device = ? AND position > ? AND position <= ? "
    "ORDER BY position"
)
_SLICE_HEADS = _SLICE.format("length(record)")
_SLICE_FRAMES = _SLICE.format("record")

# From one device to the next by the key, looking at the oldest entry of each.
_NEXT_OLDEST = (
    "SELECT device, ts FROM inbox WHERE device > ? ORDER BY device, position LIMIT 1"
)
_DOOMED = (
    "SELECT device FROM inbox_head WHERE doomed > 0 AND device > ? AND device <= ? "
    "ORDER BY device LIMIT ?"
)
# Inboxes that one scan looks at: about 10 ms of the writer.
_SCAN_DEVICES_MAX = 4096
_BEYOND_ALL: Device = b"\xff" * 18

_COUNTS = """
SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM device),
  (SELECT count(*) FROM chat), (SELECT coalesce(sum(size), 0) FROM inbox_head),
  (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)
"""

_SHARES = (
    "SELECT substr(sender, 1, 16), sum(length(record) - ?) FROM inbox "
    "WHERE device = ? AND position > ? AND sender != x'' GROUP BY 1"
)


def read_rows(database: Database, sent_days: set[int], wanted: Wanted) -> Loaded:
    """Read what is wanted; every key is answered, with None if need be.

    Args:
        database: The database, no transaction open.
        sent_days: Days that have a sent index.
        wanted: Keys by table.
    """
    loaded: Loaded = []
    for table, keys in wanted.items():
        shape = _SHAPE_OF.get(table)
        for key, floor in keys.items():
            row: object
            if shape is not None:
                found = database.execute(shape.select, shape.split(key)).fetchone()
                row = None if found is None else shape.row(found)
            else:
                row = _read_special(database, sent_days, table, key, floor)
            loaded.append((table, key, row))
    return loaded


def _read_special(
    database: Database,
    sent_days: set[int],
    table: rows.Table[Any, Any],
    key: Hashable,
    floor: int,
) -> object:
    if table is rows.SENT:
        assert isinstance(key, bytes)
        return _read_sent(database, sent_days, key)
    if table is rows.COUNTS:
        return rows.Counts(*fetch_one(database, _COUNTS))
    try:
        return _read_inbox(database, table, key, floor, has_damage=False)
    except apsw.IOError as error:
        if not is_checksum_fault(error):
            raise
    # A page of the inbox: its rows carry checksums, so each is judged by its own.
    with unchecked(database):
        return _read_inbox(database, table, key, floor, has_damage=True)


def _read_inbox(
    database: Database,
    table: rows.Table[Any, Any],
    key: Hashable,
    floor: int,
    *,
    has_damage: bool,
) -> object:
    if table is rows.SLICES:
        assert isinstance(key, rows.SliceKey)
        return read_slice(database, key, floor, has_damage=has_damage)
    if table is rows.SHARES:
        assert isinstance(key, bytes)
        return _read_shares(database, key)
    assert table is rows.SCANS
    assert isinstance(key, rows.ScanKey)
    return _scan(database, key)


def _scan(database: Database, key: rows.ScanKey) -> rows.Scan:
    """Find inboxes with old or doomed entries, walking a bounded way."""
    found: set[Device] = set()
    at, upto = key.after, key.after
    for _ in range(_SCAN_DEVICES_MAX):
        oldest = database.execute(_NEXT_OLDEST, (at,)).fetchone()
        if oldest is None:
            upto = _BEYOND_ALL
            break
        at = upto = oldest[0]
        if oldest[1] < key.before_ms:
            found.add(at)
            if len(found) >= key.count_max:
                break
    doomed = database.execute(_DOOMED, (key.after, upto, key.count_max))
    found.update(device for (device,) in doomed)
    devices = sorted(found)
    if len(devices) > key.count_max:
        devices = devices[: key.count_max]
        upto = devices[-1]
    return rows.Scan(tuple(devices), None if upto == _BEYOND_ALL else upto)


def _read_sent(database: Database, days: set[int], key: bytes) -> rows.SentRow | None:
    sender, message_id, chat = key[:17], key[17:33], key[33:]
    day = day_of(minted_ms(message_id))
    if day not in days:
        return None
    found = database.execute(
        "SELECT chat_seq, ts, attempt, registration_id, digest "  # noqa: S608 - a day number
        f"FROM {SENT_PREFIX}{day} "
        "WHERE client_msg_id = ? AND sender = ? AND chat = ?",
        (message_id, sender, chat),
    ).fetchone()
    return None if found is None else rows.SentRow(*found)


def _read_shares(database: Database, device: Device) -> rows.SharesRow:
    (floor,) = fetch_one(
        database,
        "SELECT max(acked, doomed) FROM inbox_head WHERE device = ?",
        (device,),
    )
    sums = database.execute(_SHARES, (OVERHEAD_BYTES, device, floor))
    return {user: size for user, size in sums}  # noqa: C416 - typed pairs


def read_slice(
    database: Database, key: rows.SliceKey, floor: int, *, has_damage: bool = False
) -> rows.Slice:
    """Read entries of an inbox, oldest first, until a bound of the key is reached.

    With `has_damage` headers alone are not trusted either: their records are read and
    compared.
    """
    bounds = (key.device, max(key.above, floor), min(key.upto, _INTEGER_MAX))
    entries: list[rows.AnyEntry] = []
    damaged: list[rows.EntryHead] = []
    size = 0
    has_records = key.has_frames or has_damage
    statement = _SLICE_FRAMES if has_records else _SLICE_HEADS
    cursor = database.execute(statement, bounds)
    for columns in cursor:
        if columns[7] >= key.before_ms:
            break
        if len(entries) + len(damaged) >= key.count_max:
            cursor.close()
            return rows.Slice(tuple(entries), tuple(damaged), is_whole=False)
        if not has_records:
            entries.append(_head_of(columns, columns[8]))
            continue
        length = len(columns[8])
        size += length
        if size > key.bytes_max and key.has_frames and (entries or damaged):
            cursor.close()
            return rows.Slice(tuple(entries), tuple(damaged), is_whole=False)
        entry = entry_of(columns)
        if entry is None:
            damaged.append(_head_of(columns, length))
        else:
            entries.append(entry if key.has_frames else _head_of(columns, length))
    cursor.close()
    return rows.Slice(tuple(entries), tuple(damaged), is_whole=True)


def _head_of(columns: InboxColumns, record_bytes: int) -> rows.EntryHead:
    _, position, kind, chat, chat_seq, sender, message_id, ts, _ = columns
    return rows.EntryHead(
        position,
        kind,
        chat,
        chat_seq,
        sender,
        message_id,
        ts,
        record_bytes - OVERHEAD_BYTES,
    )
