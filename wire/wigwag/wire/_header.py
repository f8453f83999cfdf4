"""The 12-byte frame header, header extension and padding (specification: frame).

    0  u32 length   bytes after the header
    4  u16 type     even: must be understood; odd: may be skipped
    6  u8  flags
    7  u8  ext_len  bytes of header extension before the body, counted in length
    8  u32 corr     request number, chosen by the requester, echoed in answers
    12 ...          [extension][body][padding]

Everything here is an invariant of the protocol: no revision changes it.
"""

from struct import Struct
from typing import Final

HEADER: Final = Struct(">IHBBI")
HEADER_BYTES: Final = 12

RESPONSE: Final = 0x01
MORE: Final = 0x02
PADDED: Final = 0x08
FLAGS_RESERVED: Final = 0x34  # b2 b4 b5: a later meaning must be negotiated first
FLAGS_IGNORED: Final = 0xC0  # b6 b7: free for meanings that an old peer can miss

LENGTH_TOP_BIT: Final = 0x8000_0000
"""A length with this bit is no length but a negative number or other noise."""

EXTENSION_BYTES_MAX: Final = 255
PADDING_TRAILER_BYTES: Final = 4
BUCKET_BYTES_MIN: Final = 256
BUCKET_BYTES_MAX: Final = 16 * 1024

_ENTRY = Struct(">HB")
_TRAILER = Struct(">I")
_pack = HEADER.pack


def frame(type_: int, body: bytes, *, flags: int = 0, corr: int = 0) -> bytes:
    """Builds a frame without extension or padding.

    Args:
        type_: Message type, u16.
        body: The encoded message.
        flags: RESPONSE, MORE.
        corr: Request number, u32; 0 for events.

    Returns:
        Header and body, ready for `Connection.send_frames`.
    """
    return _pack(len(body), type_, flags, 0, corr) + body


def extension(entries: tuple[tuple[int, bytes], ...]) -> bytes:
    """Encodes header-extension entries {u16 id, u8 length, value}.

    Args:
        entries: Ids (u16) and values (at most 252 bytes); 255 bytes in all.

    Raises:
        ValueError: They don't fit.
    """
    encoded = b"".join(
        _ENTRY.pack(entry_id, len(value)) + value for entry_id, value in entries
    )
    if len(encoded) > EXTENSION_BYTES_MAX:
        raise ValueError("a header extension holds at most 255 bytes")
    return encoded


def extension_is_valid(content: bytes, ext_len: int) -> bool:
    """Tells whether entries fill the first `ext_len` bytes exactly (R-FRAME-011).

    No entry has a meaning yet, so all of them are skipped.

    Args:
        content: What follows the header.
        ext_len: As the header says, at most the length of `content`.
    """
    offset = 0
    while offset < ext_len:
        if ext_len - offset < _ENTRY.size:
            return False
        offset += _ENTRY.size + content[offset + 2]
    return offset == ext_len


def padded_bytes(content_bytes: int) -> int:
    """Returns the bucket for so many bytes of extension and body.

    256 times a power of two up to 16 KiB, then multiples of 16 KiB, the four
    bytes of the padding's own length included: an observer of the TLS stream
    learns the bucket and nothing finer.
    """
    wanted = content_bytes + PADDING_TRAILER_BYTES
    if wanted > BUCKET_BYTES_MAX:
        return -(-wanted // BUCKET_BYTES_MAX) * BUCKET_BYTES_MAX
    return max(BUCKET_BYTES_MIN, 1 << (wanted - 1).bit_length())


def padding(content_bytes: int) -> bytes:
    """Returns the padding that fills a frame up to its bucket.

    Args:
        content_bytes: Bytes of extension and body before it.
    """
    zeros = padded_bytes(content_bytes) - content_bytes - PADDING_TRAILER_BYTES
    return bytes(zeros) + _TRAILER.pack(zeros)


def body_end(content: bytes, ext_len: int) -> int:
    """Returns where the body of a PADDED frame ends, or -1 (R-FRAME-012).

    Args:
        content: What follows the header: extension, body, padding.
        ext_len: Bytes of extension, which padding may not reach into.
    """
    trailer_at = len(content) - PADDING_TRAILER_BYTES
    if trailer_at < ext_len:
        return -1
    (zeros,) = _TRAILER.unpack_from(content, trailer_at)
    end = trailer_at - int(zeros)
    if end < ext_len or content.count(0, end, trailer_at) != zeros:
        return -1
    return end
