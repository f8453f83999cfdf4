"""Turn a suite into the Python module that server and client use.

The result is straight-line code without a table at run time: adjacent constant
bytes (labels, length prefixes, fixed values) become one literal. Every call and
signature is written one argument a line, so that the formatter leaves it alone.
"""

from collections.abc import Iterable, Sequence

from wigwag.spec._suite_layout import render_layouts
from wigwag.spec._suite_model import (
    Constant,
    KeyDerivation,
    Part,
    PartKind,
    PartType,
    Record,
    Suite,
    Transcript,
)
from wigwag.spec._suite_text import (
    INTEGER_PACKERS,
    camel_case,
    docstring,
    literal,
    python_type,
)

_HEAD = '''"""Suite {suite_id} of the cryptography: {name}.

{doc}

Made from `suites/{suite_id}.toml` by `wigwag spec generate`; never edited.
"""

from collections.abc import Iterable
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

from wigwag.wire._lp import lp as lp

SUITE = {suite_id}
"""Number of this suite in bundles, device lists and envelopes."""

_U8 = Struct(">B").pack
_U16 = Struct(">H").pack
_U32 = Struct(">I").pack
_U64 = Struct(">Q").pack


class LayoutError(ValueError):
    """Bytes from outside that don't have the layout they must have.

    Attributes:
        layout: Name of the layout.
        field: The field at which it shows.
        problem: What is wrong, without any of the bytes.
    """

    def __init__(self, layout: str, field: str, problem: str) -> None:
        super().__init__(f"{{layout}}.{{field}}: {{problem}}")
        self.layout = layout
        self.field = field
        self.problem = problem


def _sized(value: bytes, size: int) -> bytes:
    if len(value) != size:
        message = f"expected {{size}} bytes, got {{len(value)}}"
        raise ValueError(message)
    return value
'''


def render_suite(suite: Suite) -> str:
    """Write the module of a suite.

    Args:
        suite: As `load_suite` gives it.

    Returns:
        Source text that a formatter leaves as it is, ending in a line break.
    """
    name = _HEAD.format(suite_id=suite.suite_id, name=suite.name, doc=suite.doc)
    arrays = {
        part.type.target
        for transcript in suite.transcripts
        for part in transcript.parts
        if part.type.kind is PartKind.ARRAY
    }
    blocks = [name]
    blocks += [_constants(suite.constants), _derivations(suite.derivations)]
    blocks += [_record(record, record.name in arrays) for record in suite.records]
    records = {record.name: record for record in suite.records}
    blocks += [_transcript(item, records) for item in suite.transcripts]
    blocks += render_layouts(suite.layouts)
    # Classes and functions stand two lines apart; a block brings none of its own.
    return "\n\n\n".join(block.strip("\n") for block in blocks if block) + "\n"


def _constants(constants: Iterable[Constant]) -> str:
    lines: list[str] = []
    for constant in constants:
        lines.append(f"{constant.name.upper()} = {constant.value}")
        lines += docstring(f"{constant.doc} Unit: {constant.unit}.", indent=0)
        lines.append("")
    return "\n".join(lines)


def _derivations(derivations: Iterable[KeyDerivation]) -> str:
    lines: list[str] = []
    for item in derivations:
        name = item.name.upper()
        lines.append(f"{name}_BYTES = {item.length_bytes}")
        lines += docstring(f"{item.algorithm}. {item.doc}", indent=0)
        if item.salt is not None:
            lines.append(f"{name}_SALT = {literal(item.salt)}")
        if item.info is not None:
            lines.append(f"{name}_INFO = {literal(item.info.encode('ascii'))}")
        if item.constants is not None:
            lines.append(f"{name}_CONSTANTS = {literal(item.constants)}")
        lines.append("")
    return "\n".join(lines)


def _record(record: Record, in_array: bool) -> str:
    parameters = [item for part in record.parts for item in _parameters(part, {})]
    if in_array:
        return _array_encoder(record, parameters)
    lines = [f"class {camel_case(record.name)}(NamedTuple):"]
    lines += docstring(record.doc, indent=4)
    lines.append("")
    for name, annotation, doc in parameters:
        lines.append(f"    {name}: {annotation}")
        lines += docstring(doc, indent=4)
    lines += ["", "", f"def _{record.name}(value: {camel_case(record.name)}) -> bytes:"]
    pieces = _pieces(record.parts, prefixed=True, source="value.")
    lines += [f"    return {_joined(pieces, 4)}"]
    return "\n".join(lines)


def _array_encoder(record: Record, parameters: Sequence[tuple[str, str, str]]) -> str:
    names = ", ".join(name for name, _, _ in parameters)
    types = ", ".join(annotation for _, annotation, _ in parameters)
    pieces = [
        text if isinstance(text, str) else literal(text)
        for text in _pieces(record.parts, prefixed=True, source="")
    ]
    lines = [f"def _{record.name}_array("]
    lines += [f"    values: Iterable[tuple[{types}]],", ") -> bytes:"]
    lines += ["    pieces: list[bytes] = []", "    count = 0"]
    lines += [
        f"    for {names} in values:",
        "        count += 1",
        "        pieces += (",
    ]
    lines += [f"            {piece}," for piece in pieces]
    lines += ["        )"]
    width = literal((2).to_bytes(4, "big"))
    lines += [f'    return {width} + _U16(count) + b"".join(pieces)']
    return "\n".join(lines)


def _transcript(item: Transcript, records: dict[str, Record]) -> str:
    parameters = [row for part in item.parts for row in _parameters(part, records)]
    # Parameters with a default come last; the bytes keep the order of the parts.
    optional = {part.name for part in item.parts if part.optional}
    ordered = [row for row in parameters if row[0] not in optional]
    ordered += [row for row in parameters if row[0] in optional]
    lines = [f"def {item.name}("]
    for name, annotation, _ in ordered:
        default = ' = b""' if name in optional else ""
        lines.append(f"    {name}: {annotation}{default},")
    lines.append(") -> bytes:")
    doc = item.doc + (f" Signed by the {item.signer}." if item.signer else "")
    lines += docstring(doc, indent=4, arguments=[(row[0], row[2]) for row in ordered])
    if item.ascending:
        names = ", ".join(part.name for part in item.parts)
        lines.append(f"    {names} = sorted(({names}))")
    pieces = _pieces(item.parts, prefixed=item.label is not None, source="")
    if item.label is not None:
        pieces = [_prefixed(item.label.encode("ascii")), *pieces]
    encoded = _joined(pieces, 4)
    end = "" if item.hashed_bytes in (0, 32) else f"[:{item.hashed_bytes}]"
    if item.hashed_bytes == 0:
        lines.append(f"    return {encoded}")
    elif "\n" in encoded:
        lines.append(f"    encoded = {encoded}")
        lines.append(f"    return sha256(encoded).digest(){end}")
    else:
        lines.append(f"    return sha256({encoded}).digest(){end}")
    return "\n".join(lines)


def _parameters(
    part: Part, records: dict[str, Record]
) -> Iterable[tuple[str, str, str]]:
    if part.constant is not None:
        return
    match part.type.kind:
        case PartKind.DEVICE:
            user = part.name.removesuffix("device") + "user"
            yield user, "bytes", f"{part.doc} Its account."
            yield part.name, "int", f"{part.doc} Its number."
        case PartKind.RECORD:
            yield part.name, camel_case(part.type.target), part.doc
        case PartKind.ARRAY:
            parts = records[part.type.target].parts
            rows = [row for inner in parts for row in _parameters(inner, records)]
            types = ", ".join(annotation for _, annotation, _ in rows)
            names = ", ".join(name for name, _, _ in rows)
            annotation = f"Iterable[tuple[{types}]]"
            yield part.name, annotation, f"{part.doc} Each ({names})."
        case _:
            yield part.name, python_type(part.type), part.doc


def _prefixed(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _pieces(parts: Iterable[Part], *, prefixed: bool, source: str) -> list[bytes | str]:
    pieces: list[bytes | str] = []
    for part in parts:
        if part.constant is not None:
            pieces.append(_prefixed(part.constant) if prefixed else part.constant)
            continue
        name = source + part.name
        if part.type.kind is PartKind.RECORD:
            pieces.append(f"_{part.type.target}({name})")
        elif part.type.kind is PartKind.ARRAY:
            pieces.append(f"_{part.type.target}_array({name})")
        elif part.type.kind is PartKind.VARIABLE or part.optional:
            if prefixed:
                pieces.append(f"_U32(len({name}))")
            size = part.type.size
            pieces.append(
                f"_sized({name}, {size}) if {name} else {name}" if size else name
            )
        else:
            if prefixed:
                pieces.append(part.type.size.to_bytes(4, "big"))
            pieces += _fixed_pieces(part.type, name)
    return pieces


def _fixed_pieces(part_type: PartType, name: str) -> Iterable[str]:
    if part_type.kind is PartKind.DEVICE:
        yield f"_sized({name.removesuffix('device')}user, 16)"
        yield f"_U8({name})"
    elif part_type.kind in INTEGER_PACKERS:
        yield f"{INTEGER_PACKERS[part_type.kind]}({name})"
    else:
        yield f"_sized({name}, {part_type.size})"


def _joined(pieces: Iterable[bytes | str], indent: int) -> str:
    merged: list[bytes | str] = []
    for piece in pieces:
        if isinstance(piece, bytes) and merged and isinstance(merged[-1], bytes):
            merged[-1] += piece
        else:
            merged.append(piece)
    if merged and merged == [merged[0]]:
        return merged[0] if isinstance(merged[0], str) else literal(merged[0])
    lines = [
        'b"".join(',
        "    (",
    ]
    for piece in merged:
        text = piece if isinstance(piece, str) else literal(piece)
        lines.append(f"        {text},")
    lines += ["    )", ")"]
    return ("\n" + " " * indent).join(lines)
