"""What a cryptographic suite consists of, as values.

A suite is data: transcripts (what is signed, hashed or bound), key derivations,
byte layouts and constants. These classes hold it after `load_suite` has checked
it; `render_suite` turns it into Python, other generators into other languages.
"""

from dataclasses import dataclass
from enum import Enum


class PartKind(Enum):
    """How a part of a transcript, or a field of a layout, is written."""

    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    U64 = "u64"
    TS_MS = "ts_ms"
    BOOL = "bool"
    UUID = "uuid"
    FIXED = "bytes[N]"
    VARIABLE = "bytes"
    DEVICE = "device"
    RECORD = "record"
    ARRAY = "array<record>"


INTEGER_BYTES = {
    PartKind.U8: 1,
    PartKind.U16: 2,
    PartKind.U32: 4,
    PartKind.U64: 8,
    PartKind.TS_MS: 8,
    PartKind.BOOL: 1,
}
"""Width of the kinds that are integers in Python."""


@dataclass(frozen=True, slots=True)
class PartType:
    """A parsed type.

    Attributes:
        kind: How it is written.
        size: Bytes, for the kinds with a fixed size; 0 for the others.
        target: Name of the record or layout that RECORD and ARRAY mean.
    """

    kind: PartKind
    size: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a transcript or record, or one field of a layout.

    Attributes:
        name: Parameter or attribute name.
        type: Its type.
        doc: What it holds.
        constant: The bytes it always has, or None.
        optional: Whether it may be absent (then empty).
        flag: Layouts only: bit of `flags` that says it is present.
        mask: Layouts only, `flags`: the bits that may be set.
        min_bytes: Layouts only, the rest: fewest bytes.
    """

    name: str
    type: PartType
    doc: str
    constant: bytes | None = None
    optional: bool = False
    flag: int | None = None
    mask: int | None = None
    min_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Constant:
    """A named number with its unit and the reason for it."""

    name: str
    value: int
    unit: str
    doc: str


@dataclass(frozen=True, slots=True)
class Record:
    """Parts that occur together, inside transcripts."""

    name: str
    doc: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """Bytes that are signed, hashed or bound.

    Attributes:
        name: Function name.
        label: Domain label, or None for a raw concatenation.
        hashed_bytes: Length of the SHA-256 prefix returned; 0: the bytes themselves.
        ascending: Whether the parts are put in ascending order first.
        signer: Which key signs it, or "".
        doc: What it is for.
        parts: In order.
    """

    name: str
    label: str | None
    hashed_bytes: int
    ascending: bool
    signer: str
    doc: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class KeyDerivation:
    """A key derivation; what isn't constant is None."""

    name: str
    algorithm: str
    salt: bytes | None
    info: str | None
    constants: bytes | None
    length_bytes: int
    doc: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Bytes in order, without gaps."""

    name: str
    doc: str
    fields: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """A whole suite.

    Attributes:
        suite_id: Its number in bundles, lists and envelopes, u16, not 0.
        name: Its algorithms in words.
        doc: What it is.
        constants: Named numbers.
        records: By name.
        transcripts: In the order of the file.
        derivations: In the order of the file.
        layouts: In the order of the file; used ones before their users.
    """

    suite_id: int
    name: str
    doc: str
    constants: tuple[Constant, ...]
    records: tuple[Record, ...]
    transcripts: tuple[Transcript, ...]
    derivations: tuple[KeyDerivation, ...]
    layouts: tuple[Layout, ...]
