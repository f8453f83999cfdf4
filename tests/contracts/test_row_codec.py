"""Rows survive their tables, whatever they hold."""

import hypothesis.strategies as st
from hypothesis import given

from wigwag.server.core import Gap, InboxEntry, KemPrekey, SignedPrekey, rows
from wigwag.server.engines._record import entry_of, inbox_columns
from wigwag.server.engines._row_codec import SHAPES

U8 = st.integers(0, 255)
U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
PLACE = st.integers(0, 2**63 - 1)
ID = st.binary(min_size=16, max_size=16)
DEVICE = st.binary(min_size=17, max_size=17)
KEY = st.binary(min_size=32, max_size=32)
SIGNATURE = st.binary(min_size=64, max_size=64)
RUNS = st.lists(st.tuples(PLACE, PLACE), max_size=5).map(tuple)
PAGES = st.lists(st.builds(rows.PageRef, U32, U32, U64), max_size=4).map(tuple)
KEM = st.builds(
    KemPrekey, U32, st.just(b"k" * 1568), SIGNATURE, last_resort=st.just(value=True)
)

CASES = {
    "chat": (
        ID,
        st.builds(
            rows.ChatRow,
            st.lists(ID, max_size=3).map(tuple),
            PLACE,
            st.dictionaries(DEVICE, st.tuples(U32, ID), max_size=4),
        ),
    ),
    "sender": (DEVICE, st.builds(rows.SenderRow, U32, U64, ID, ID, U8)),
    "inbox_head": (
        DEVICE,
        st.builds(
            rows.HeadRow,
            *(PLACE, PLACE, PLACE, PLACE, st.booleans(), PLACE, U8),
            st.lists(st.builds(Gap, U64, U64, U8), max_size=3).map(tuple),
        ),
    ),
    "mark": (
        st.binary(min_size=32, max_size=32),
        st.builds(rows.MarkRow, PLACE, PLACE, RUNS),
    ),
    "roster": (ID, st.lists(st.tuples(U8, U32), max_size=8).map(tuple)),
    "account": (
        ID,
        st.builds(
            rows.AccountRow,
            *(KEY, KEY, PLACE, PLACE, st.lists(U8, max_size=8).map(tuple)),
            st.text("abc.", max_size=9),
        ),
    ),
    "opened_chats": (ID, PLACE),
    "deleted_account": (ID, st.builds(rows.DeletedRow, KEY, PLACE)),
    "device": (DEVICE, st.builds(rows.DeviceRow, KEY, KEY, PLACE, st.booleans())),
    "device_list": (
        st.tuples(ID, PLACE).map(lambda one: rows.list_key(*one)),
        st.builds(rows.ListRow, st.binary(max_size=90), SIGNATURE, KEY),
    ),
    "username": (st.text("abc.", min_size=1), ID),
    "invite": (KEY, st.builds(rows.InviteRow, PLACE, PLACE)),
    "prekey_base": (
        DEVICE,
        st.builds(
            rows.PrekeyRow,
            st.builds(SignedPrekey, U32, KEY, U64, U64, SIGNATURE),
            st.none() | KEM,
            *(U32, U32, PAGES, U32, PAGES, U32),
        ),
    ),
    "prekey_page": (
        st.tuples(DEVICE, U8, U32).map(
            lambda one: one[0] + bytes((one[1],)) + one[2].to_bytes(4)
        ),
        st.builds(rows.PageRow, PLACE, st.binary(max_size=99)),
    ),
}


@given(data=st.data())
def test_a_row_comes_back_as_it_was(data: st.DataObject) -> None:
    """What folds decide on after a restart is what they wrote before it."""
    assert {shape.table.name for shape in SHAPES} == set(CASES)
    for shape in SHAPES:
        keys, values = CASES[shape.table.name]
        key, row = data.draw(keys), data.draw(values)
        columns = shape.columns(key, row)
        split = tuple(shape.split(key))
        assert tuple(columns[: len(split)]) == split
        assert shape.row(columns[len(split) :]) == row


ENTRY = st.builds(
    InboxEntry,
    *(PLACE, st.just(0), U8, st.binary(min_size=28, max_size=80), ID, PLACE),
    *(st.just(b"") | DEVICE, ID, PLACE, st.integers(0, 2**16 - 1)),
)


@given(device=DEVICE, entry=ENTRY)
def test_a_record_comes_back_and_nothing_else_does(
    device: bytes, entry: InboxEntry
) -> None:
    """Revision, frame and checksum; the checksum covers the whole row."""
    columns = inbox_columns(device, entry)
    back = entry_of(columns)
    assert back is not None
    assert back.frame == entry.frame
    assert back.revision == entry.revision
    assert back.prev == int.from_bytes(entry.frame[20:28])
    *rest, record = columns
    for at in range(len(record)):
        flipped = record[:at] + bytes((record[at] ^ 4,)) + record[at + 1 :]
        assert entry_of((*rest, flipped)) is None  # type: ignore[arg-type]
    moved = (bytes(17), *columns[1:])
    assert device == bytes(17) or entry_of(moved) is None
