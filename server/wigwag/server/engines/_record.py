"""Stored records: `u16 revision ‖ canonical frame ‖ crc32(key ‖ record)`.

The key is the whole rest of the row, so that a record that turns up in another
row, or whose columns were damaged, is noticed as well. TLS and SQLite have no
checksum of their own for data at rest.
"""

from struct import Struct
from zlib import crc32

from wigwag.server.core import Device, InboxEntry, Position

_KEY = Struct(">17sQB16sQ17s16sQ")
_REVISION = Struct(">H")
_CRC = Struct(">I")
_REVISION_BYTES = _REVISION.size
_CRC_BYTES = _CRC.size
OVERHEAD_BYTES = _REVISION_BYTES + _CRC_BYTES

# Where an entry's frame holds `prev`: behind the header and its own position.
_PREV = slice(20, 28)

InboxColumns = tuple[bytes, int, int, bytes, int, bytes, bytes, int, bytes]
"""device, position, kind, chat, chat_seq, sender, client_msg_id, ts, record."""


def inbox_columns(device: Device, entry: InboxEntry) -> InboxColumns:
    """Return an entry's row, its record with checksum."""
    record = _REVISION.pack(entry.revision) + entry.frame
    key = _KEY.pack(
        device,
        entry.position,
        entry.kind,
        entry.chat,
        entry.chat_seq,
        entry.sender,
        entry.client_msg_id,
        entry.ts,
    )
    return (
        device,
        entry.position,
        entry.kind,
        entry.chat,
        entry.chat_seq,
        entry.sender,
        entry.client_msg_id,
        entry.ts,
        record + _CRC.pack(crc32(record, crc32(key))),
    )


def entry_of(columns: InboxColumns) -> InboxEntry | None:
    """Return the entry of a row; None when its checksum is wrong."""
    device, position, kind, chat, chat_seq, sender, message_id, ts, record = columns
    if len(record) < OVERHEAD_BYTES or len(sender) not in (0, 17):
        return None
    key = _KEY.pack(device, position, kind, chat, chat_seq, sender, message_id, ts)
    body, stored = record[:-_CRC_BYTES], record[-_CRC_BYTES:]
    if _CRC.unpack(stored)[0] != crc32(body, crc32(key)):
        return None
    frame = body[_REVISION_BYTES:]
    return InboxEntry(
        position,
        _prev_of(frame),
        kind,
        frame,
        chat,
        chat_seq,
        sender,
        message_id,
        ts,
        _REVISION.unpack_from(body)[0],
    )


def _prev_of(frame: bytes) -> Position:
    return int.from_bytes(frame[_PREV])
