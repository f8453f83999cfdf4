"""Length-prefixed concatenation: the one way this protocol builds what it signs.

``lp(a, b, …)`` is, for each part, its length as u32 big-endian and then its
bytes; there is no count and no terminator. Two different lists of parts never
give the same bytes, so nothing can be moved across the border between two
fields of a signed structure.
"""

from struct import Struct

_U32 = Struct(">I")


def lp(*parts: bytes) -> bytes:
    """Concatenate `parts`, each behind its length.

    Args:
        parts: Byte strings of less than 2³² bytes each; text is ASCII, an
            integer is big-endian in its declared width, what is absent is an
            empty part, a list is its u16 count as one part and then the parts
            of its elements.

    Returns:
        The encoding; equal only for equal lists of parts.
    """
    pack = _U32.pack
    pieces: list[bytes] = []
    for part in parts:
        pieces.append(pack(len(part)))
        pieces.append(part)
    return b"".join(pieces)
