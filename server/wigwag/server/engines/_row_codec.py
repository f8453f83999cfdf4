"""Rows of the folds ↔ columns of their tables."""

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any, TypeAlias

from wigwag.server.core import Gap, KemPrekey, SignedPrekey, rows

Columns: TypeAlias = Sequence[Any]

_TAIL = Struct(">17sI16s")
_RUN = Struct(">QQ")
_GAP = Struct(">QQB")
_LISTED = Struct(">BI")
_SIGNED = Struct(">I32sQQ64s")
_KEM = Struct(">I1568s64s")
_PAGE = Struct(">IIQ")
_USER_BYTES = 16
_DEVICE_BYTES = 17
# Of direct chats; groups will have a number of their own.
_DIRECT = 1


def chat_columns(key: bytes, row: rows.ChatRow) -> Columns:
    """Return a chat's columns."""
    tails = b"".join(
        _TAIL.pack(device, registration, last)
        for device, (registration, last) in row.tails.items()
    )
    return key, _DIRECT, b"".join(row.users), row.head, tails


def chat_row(columns: Columns) -> rows.ChatRow:
    """Return a chat of its columns, the key left out."""
    _, users, head, tails = columns
    return rows.ChatRow(
        tuple(users[at : at + _USER_BYTES] for at in range(0, len(users), _USER_BYTES)),
        head,
        {
            device: (registration, last)
            for device, registration, last in _TAIL.iter_unpack(tails)
        },
    )


def sender_columns(key: bytes, row: rows.SenderRow) -> Columns:
    """Return a sender's columns; a generation may use all of its 64 bits."""
    return (
        key,
        row.registration_id,
        row.generation.to_bytes(8),
        row.high,
        row.last_id,
        row.last_attempt,
    )


def sender_row(columns: Columns) -> rows.SenderRow:
    """Return a sender of its columns."""
    registration, generation, high, last_id, attempt = columns
    return rows.SenderRow(
        registration, int.from_bytes(generation), high, last_id, attempt
    )


def head_columns(key: bytes, row: rows.HeadRow) -> Columns:
    """Return an inbox head's columns."""
    return (
        key,
        row.acked,
        row.last,
        row.size,
        row.contact_ms,
        int(row.is_suspended),
        row.doomed,
        row.doomed_reason,
        b"".join(_GAP.pack(gap.first, gap.last, gap.reason) for gap in row.gaps),
    )


def head_row(columns: Columns) -> rows.HeadRow:
    """Return an inbox head of its columns."""
    acked, last, size, contact, suspended, doomed, reason, gaps = columns
    return rows.HeadRow(
        acked,
        last,
        size,
        contact,
        bool(suspended),
        doomed,
        reason,
        tuple(Gap(*gap) for gap in _GAP.iter_unpack(gaps)),
    )


def mark_columns(key: bytes, row: rows.MarkRow) -> Columns:
    """Return a mark's columns."""
    pending = b"".join(_RUN.pack(*run) for run in row.pending)
    return key[:_USER_BYTES], key[_USER_BYTES:], row.source, row.top, pending


def mark_row(columns: Columns) -> rows.MarkRow:
    """Return a mark of its columns."""
    source, top, pending = columns
    runs = tuple((first, last) for first, last in _RUN.iter_unpack(pending))
    return rows.MarkRow(source, top, runs)


def roster_columns(key: bytes, row: rows.RosterRow) -> Columns:
    """Return a roster's columns."""
    return key, b"".join(_LISTED.pack(*one) for one in row)


def roster_row(columns: Columns) -> rows.RosterRow:
    """Return a roster of its columns."""
    return tuple((number, reg) for number, reg in _LISTED.iter_unpack(columns[0]))


def opened_columns(key: bytes, row: rows.OpenedRow) -> Columns:
    """Return the columns of a count of chats."""
    return key, row


def opened_row(columns: Columns) -> rows.OpenedRow:
    """Return how many chats an account opened."""
    (chats,) = columns
    assert isinstance(chats, int)
    return chats


def account_columns(key: bytes, row: rows.AccountRow) -> Columns:
    """Return an account's columns."""
    return (
        key,
        row.account_key,
        row.digest,
        row.created_ms,
        row.list_seq,
        bytes(row.numbers),
        row.name,
    )


def account_row(columns: Columns) -> rows.AccountRow:
    """Return an account of its columns."""
    account_key, digest, created, list_seq, numbers, name = columns
    return rows.AccountRow(account_key, digest, created, list_seq, tuple(numbers), name)


def deleted_columns(key: bytes, row: rows.DeletedRow) -> Columns:
    """Return a deleted account's columns."""
    return key, row.account_key, row.deleted_ms


def deleted_row(columns: Columns) -> rows.DeletedRow:
    """Return a deleted account of its columns."""
    return rows.DeletedRow(*columns)


def device_columns(key: bytes, row: rows.DeviceRow) -> Columns:
    """Return a device's columns."""
    return (
        key,
        row.signing_key,
        row.agreement_key,
        row.created_ms,
        int(row.is_revoked),
    )


def device_row(columns: Columns) -> rows.DeviceRow:
    """Return a device of its columns."""
    signing_key, agreement_key, created, revoked = columns
    return rows.DeviceRow(signing_key, agreement_key, created, bool(revoked))


def list_columns(key: bytes, row: rows.ListRow) -> Columns:
    """Return a device list's columns."""
    seq = int.from_bytes(key[_USER_BYTES:])
    return key[:_USER_BYTES], seq, row.blob, row.signature, row.hash


def list_row(columns: Columns) -> rows.ListRow:
    """Return a device list of its columns."""
    return rows.ListRow(*columns)


def name_columns(key: str, row: bytes) -> Columns:
    """Return a username's columns."""
    return key, row


def name_row(columns: Columns) -> bytes:
    """Return whose a username is."""
    user: bytes = columns[0]
    return user


def invite_columns(key: bytes, row: rows.InviteRow) -> Columns:
    """Return an invite's columns."""
    return key, row.uses_left, row.expires_ms


def invite_row(columns: Columns) -> rows.InviteRow:
    """Return an invite of its columns."""
    return rows.InviteRow(*columns)


def prekey_columns(key: bytes, row: rows.PrekeyRow) -> Columns:
    """Return a device's prekeys' columns; no last-resort key is an empty blob."""
    signed, last = row.signed, row.last_resort
    return (
        key,
        _SIGNED.pack(
            signed.id, signed.key, signed.created, signed.expires, signed.signature
        ),
        b"" if last is None else _KEM.pack(last.id, last.key, last.signature),
        row.ec_highest,
        row.kem_highest,
        _pages(row.ec_pages),
        row.ec_next,
        _pages(row.kem_pages),
        row.kem_next,
    )


def prekey_row(columns: Columns) -> rows.PrekeyRow:
    """Return a device's prekeys of their columns."""
    signed, last, ec_highest, kem_highest, ec, ec_next, kem, kem_next = columns
    return rows.PrekeyRow(
        SignedPrekey(*_SIGNED.unpack(signed)),
        _last_resort(last) if last else None,
        ec_highest,
        kem_highest,
        tuple(rows.PageRef(*page) for page in _PAGE.iter_unpack(ec)),
        ec_next,
        tuple(rows.PageRef(*page) for page in _PAGE.iter_unpack(kem)),
        kem_next,
    )


def _last_resort(packed: bytes) -> KemPrekey:
    number, key, signature = _KEM.unpack(packed)
    return KemPrekey(number, key, signature, last_resort=True)


def _pages(pages: Sequence[rows.PageRef]) -> bytes:
    return b"".join(_PAGE.pack(one.first_id, one.count, one.epoch) for one in pages)


def page_columns(key: bytes, row: rows.PageRow) -> Columns:
    """Return a prekey page's columns."""
    return (*split_page_key(key), row.epoch, row.keys)


def page_row(columns: Columns) -> rows.PageRow:
    """Return a prekey page of its columns."""
    return rows.PageRow(*columns)


def split_page_key(key: bytes) -> Columns:
    """Return device, kind, first id."""
    kind = key[_DEVICE_BYTES]
    return key[:_DEVICE_BYTES], kind, int.from_bytes(key[_DEVICE_BYTES + 1 :])


def whole_key(key: bytes | str) -> Columns:
    """Return a key that is one column."""
    return (key,)


def split_mark_key(key: bytes) -> Columns:
    """Return chat, user."""
    return key[:_USER_BYTES], key[_USER_BYTES:]


def split_list_key(key: bytes) -> Columns:
    """Return user, seq."""
    return key[:_USER_BYTES], int.from_bytes(key[_USER_BYTES:])


class Shape:
    """How rows of one kind lie in their table: statements and conversions."""

    def __init__(
        self,
        table: rows.Table[Any, Any],
        keys: Sequence[str],
        values: Sequence[str],
        split: Callable[[Any], Columns],
        columns: Callable[[Any, Any], Columns],
        row: Callable[[Columns], object],
    ) -> None:
        self.table = table
        self.split = split
        self.columns = columns
        self.row = row
        where = " AND ".join(f"{name} = ?" for name in keys)
        marks = ", ".join("?" * (len(keys) + len(values)))
        # Names come from the literals below, never from outside.
        name = table.name
        self.select = f"SELECT {', '.join(values)} FROM {name} WHERE {where}"  # noqa: S608
        self.upsert = f"INSERT OR REPLACE INTO {name} VALUES ({marks})"  # noqa: S608
        self.delete = f"DELETE FROM {name} WHERE {where}"  # noqa: S608


def _shape(
    table: rows.Table[Any, Any],
    keys: str,
    values: str,
    columns: Callable[[Any, Any], Columns],
    row: Callable[[Columns], object],
    split: Callable[[Any], Columns] = whole_key,
) -> Shape:
    return Shape(table, keys.split(), values.split(), split, columns, row)


SHAPES = (
    _shape(rows.CHATS, "chat", "kind users head tails", chat_columns, chat_row),
    _shape(
        rows.SENDERS,
        "device",
        "registration_id generation high last_id last_attempt",
        sender_columns,
        sender_row,
    ),
    _shape(
        rows.HEADS,
        "device",
        "acked last size contact_ms is_suspended doomed doomed_reason gaps",
        head_columns,
        head_row,
    ),
    _shape(
        rows.MARKS,
        "chat user",
        "source top pending",
        mark_columns,
        mark_row,
        split_mark_key,
    ),
    _shape(rows.ROSTERS, "user", "devices", roster_columns, roster_row),
    _shape(rows.OPENED, "user", "chats", opened_columns, opened_row),
    _shape(
        rows.ACCOUNTS,
        "user",
        "account_key digest created_ms list_seq numbers name",
        account_columns,
        account_row,
    ),
    _shape(
        rows.DELETED,
        "user",
        "account_key deleted_ms",
        deleted_columns,
        deleted_row,
    ),
    _shape(
        rows.DEVICES,
        "device",
        "signing_key agreement_key created_ms is_revoked",
        device_columns,
        device_row,
    ),
    _shape(
        rows.LISTS,
        "user seq",
        "blob signature hash",
        list_columns,
        list_row,
        split_list_key,
    ),
    _shape(rows.NAMES, "name", "user", name_columns, name_row),
    _shape(
        rows.INVITES, "code_hash", "uses_left expires_ms", invite_columns, invite_row
    ),
    _shape(
        rows.PREKEYS,
        "device",
        "signed last_resort ec_highest kem_highest ec_pages ec_next kem_pages kem_next",
        prekey_columns,
        prekey_row,
    ),
    _shape(
        rows.PAGES,
        "device kind first_id",
        "epoch keys",
        page_columns,
        page_row,
        split_page_key,
    ),
)
