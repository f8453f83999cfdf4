"""Read and check a suite's source (`suites/N.toml`).

The TOML keeps to the subset of the whole specification: one key a line,
`[table]` and `[[table]]`, no dotted keys. Every mistake is reported with its
file and line.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wigwag.spec._locate import Table, read_tables
from wigwag.spec._mistakes import Mistake, Mistakes, SpecificationError, suggestion
from wigwag.spec._suite_model import (
    INTEGER_BYTES,
    Constant,
    KeyDerivation,
    Layout,
    Part,
    PartKind,
    PartType,
    Record,
    Suite,
    Transcript,
)

_TABLE_KEYS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "suite": (frozenset({"id", "name", "doc"}), frozenset()),
    "constant": (frozenset({"name", "value", "unit", "doc"}), frozenset()),
    "record": (frozenset({"name", "doc"}), frozenset()),
    "transcript": (
        frozenset({"name", "result", "doc"}),
        frozenset({"label", "encoding", "order", "signer"}),
    ),
    "part": (
        frozenset({"of", "name", "type", "doc"}),
        frozenset({"value", "optional"}),
    ),
    "kdf": (
        frozenset({"name", "algorithm", "length_bytes", "doc"}),
        frozenset({"salt", "info", "constants"}),
    ),
    "layout": (frozenset({"name", "doc"}), frozenset()),
    "field": (
        frozenset({"of", "name", "type", "doc"}),
        frozenset({"value", "flag", "mask", "min"}),
    ),
}
"""Per table: the keys it must have and the keys it may have."""

_INTEGER_KEYS = frozenset({"id", "length_bytes", "flag", "mask", "min"})
_BOOL_KEYS = frozenset({"optional"})
_ALGORITHMS = frozenset({"HKDF-SHA-256", "HMAC-SHA-256"})
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LABEL = re.compile(r"[\x20-\x7e]+")
_FIXED = re.compile(r"bytes\[([1-9][0-9]{0,4})\]")
_ARRAY = re.compile(r"array<([a-z][a-z0-9_]*)>")
_RESULT = re.compile(r"sha256\[([1-9][0-9]?)\]")
_SHA256_BYTES = 32


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of the file with typed access to its keys."""

    located: Table

    @property
    def kind(self) -> str:
        return self.located.name

    @property
    def line(self) -> int:
        return self.located.line

    @property
    def values(self) -> Mapping[str, object]:
        return self.located.values

    def fail(self, rule: str, key: str = "") -> SpecificationError:
        """Say which rule `key`, or the table, breaks, and where."""
        wrong = f"`{key}` breaks a rule" if key else f"[{self.kind}] breaks a rule"
        return _mistake(self.located.at(key), wrong, rule)

    def text(self, key: str) -> str:
        """Give a string value; "" when absent."""
        value = self.values.get(key, "")
        assert isinstance(value, str)  # _check_keys has seen it
        return value

    def integer(self, key: str) -> int | None:
        """Give an integer value that is not negative; None when absent."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.fail(f"{key} is an integer from 0 on", key)
        return value

    def name(self) -> str:
        """Give the table's name, checked."""
        name = self.text("name")
        if _NAME.fullmatch(name) is None:
            raise self.fail("a name is a-z, then a-z, 0-9 and _", "name")
        return name


def _mistake(where: tuple[str, int], wrong: str, write: str) -> SpecificationError:
    return SpecificationError([Mistake(*where, wrong, write)])


def load_suite(root: Path, number: int = 1) -> Suite:
    """Read, check and resolve a suite.

    Args:
        root: The specification's folder; the suite is in `suites/`.
        number: The suite's number.

    Returns:
        The suite; every reference in it resolves.

    Raises:
        SpecificationError: With file and line of the first mistake.
        OSError: If the file can't be read.
    """
    file = f"suites/{number}.toml"
    return parse_suite(file, (root / file).read_text(encoding="utf-8"))


def parse_suite(file: str, source: str) -> Suite:
    """Check and resolve a suite's source text; `file` is for error messages."""
    mistakes = Mistakes()
    tables = [_Table(located) for located in read_tables(file, source, mistakes)]
    mistakes.raise_any()
    for table in tables:
        _check_keys(table)
    heads = _of_kind(tables, "suite")
    if len(heads) != 1:
        raise _mistake((file, 1), "there is no [suite]", "begin with [suite]")
    _check_names(tables)
    _check_owners(tables)
    records = tuple(
        Record(table.name(), table.text("doc"), _parts(table, tables, "part"))
        for table in _of_kind(tables, "record")
    )
    transcripts = tuple(
        _transcript(table, tables) for table in _of_kind(tables, "transcript")
    )
    layouts = tuple(_layout(table, tables) for table in _of_kind(tables, "layout"))
    suite_id = heads[0].integer("id")
    if suite_id is None or not 1 <= suite_id <= 0xFFFF:
        raise heads[0].fail("id is within 1..65535", "id")
    return Suite(
        suite_id=suite_id,
        name=heads[0].text("name"),
        doc=heads[0].text("doc"),
        constants=tuple(_constant(table) for table in _of_kind(tables, "constant")),
        records=records,
        transcripts=transcripts,
        derivations=tuple(_derivation(table) for table in _of_kind(tables, "kdf")),
        layouts=layouts,
    )


def _of_kind(tables: Iterable[_Table], *kinds: str) -> list[_Table]:
    return [table for table in tables if table.kind in kinds]


def _check_keys(table: _Table) -> None:
    if table.kind not in _TABLE_KEYS:
        known = suggestion(table.kind, _TABLE_KEYS)
        raise _mistake(table.located.at(), f"unknown table [{table.kind}]", known)
    required, allowed = _TABLE_KEYS[table.kind]
    for key in table.values:
        if key not in required | allowed:
            known = suggestion(key, required | allowed)
            raise _mistake(table.located.at(key), f"unknown key `{key}`", known)
    for key in sorted(required - table.values.keys()):
        raise table.fail(f"[{table.kind}] has a key `{key}`")
    for key, value in table.values.items():
        if key == "value":
            continue
        wanted = int if key in _INTEGER_KEYS else bool if key in _BOOL_KEYS else str
        if type(value) is not wanted:
            raise table.fail(f"{key} is of type {wanted.__name__}", key)


def _check_names(tables: list[_Table]) -> None:
    names: dict[str, int] = {}
    labels: dict[str, int] = {}
    kinds = ("constant", "record", "transcript", "kdf", "layout")
    for table in _of_kind(tables, *kinds):
        first = names.setdefault(table.name(), table.line)
        if first != table.line:
            raise table.fail(f"names are unique, see line {first}", "name")
    for table in _of_kind(tables, "transcript"):
        label = table.text("label")
        if not label:
            continue
        first = labels.setdefault(label, table.line)
        if first != table.line:
            raise table.fail(f"labels are unique, see line {first}", "label")


def _check_owners(tables: list[_Table]) -> None:
    for child, owners in (("part", ("record", "transcript")), ("field", ("layout",))):
        known = {table.name() for table in _of_kind(tables, *owners)}
        for table in _of_kind(tables, child):
            if table.text("of") not in known:
                raise table.fail(f"it names a {' or '.join(owners)}", "of")


def _constant(table: _Table) -> Constant:
    value = table.integer("value")
    assert value is not None  # a required key
    return Constant(table.name(), value, table.text("unit"), table.text("doc"))


def _transcript(table: _Table, tables: list[_Table]) -> Transcript:
    encoding = table.text("encoding") or "lp"
    label = table.text("label")
    if encoding not in ("lp", "raw"):
        raise table.fail("encoding is 'lp' or 'raw'", "encoding")
    if (encoding == "lp") != bool(label):
        raise table.fail("an lp transcript has a label, a raw one has none", "label")
    if label and _LABEL.fullmatch(label) is None:
        raise table.fail("a label is printable ASCII", "label")
    result = table.text("result")
    hashed = _RESULT.fullmatch(result)
    if result not in ("bytes", "sha256") and hashed is None:
        raise table.fail("result is bytes, sha256 or sha256[N]", "result")
    hashed_bytes = int(hashed[1]) if hashed else _SHA256_BYTES
    if hashed_bytes > _SHA256_BYTES:
        raise table.fail("SHA-256 has 32 bytes", "result")
    parts = _parts(table, tables, "part")
    ascending = table.text("order") == "ascending"
    if "order" in table.values:
        if not ascending:
            raise table.fail("order is 'ascending' or absent", "order")
        if len({part.type for part in parts}) != 1 or parts[0].constant is not None:
            raise table.fail("parts in ascending order have one type", "order")
    return Transcript(
        name=table.name(),
        label=label or None,
        hashed_bytes=0 if result == "bytes" else hashed_bytes,
        ascending=ascending,
        signer=table.text("signer"),
        doc=table.text("doc"),
        parts=parts,
    )


def _layout(table: _Table, tables: list[_Table]) -> Layout:
    fields = _parts(table, tables, "field")
    kinds = [field.type.kind for field in fields]
    if PartKind.VARIABLE in kinds[:-1]:
        raise table.fail("only the last field of a layout may be bytes")
    has_flags = False
    for field in fields:
        if field.flag is not None and not has_flags:
            raise table.fail(f"`flags` precede {field.name}, which has a flag")
        if field.mask is not None and (field.name, field.type.kind) != (
            "flags",
            PartKind.U8,
        ):
            raise table.fail("only `flags`, u8, has a mask")
        has_flags = has_flags or field.mask is not None
    return Layout(table.name(), table.text("doc"), fields)


def _parts(owner: _Table, tables: list[_Table], kind: str) -> tuple[Part, ...]:
    own = [
        table for table in _of_kind(tables, kind) if table.text("of") == owner.name()
    ]
    if not own:
        raise owner.fail(f"there is a [[{kind}]] of {owner.name()}")
    names = [table.name() for table in own]
    for index, table in enumerate(own):
        if names.index(names[index]) != index:
            raise table.fail("a name occurs once", "name")
    return tuple(_part(table, owner, tables) for table in own)


def _part(table: _Table, owner: _Table, tables: list[_Table]) -> Part:
    part_type = _type(table, owner, tables)
    optional = table.values.get("optional") is True
    if optional and part_type.kind not in (PartKind.FIXED, PartKind.VARIABLE):
        raise table.fail("only bytes can be optional", "optional")
    if part_type.kind is PartKind.DEVICE and not table.name().endswith("device"):
        raise table.fail("a part of type device has a name ending in it", "name")
    flag = table.integer("flag")
    if flag is not None and part_type.kind is not PartKind.RECORD:
        raise table.fail("only a nested layout can depend on a flag", "flag")
    return Part(
        name=table.name(),
        type=part_type,
        doc=table.text("doc"),
        constant=_constant_bytes(table, part_type),
        optional=optional,
        flag=flag,
        mask=table.integer("mask"),
        min_bytes=table.integer("min") or 0,
    )


def _type(table: _Table, owner: _Table, tables: list[_Table]) -> PartType:
    text = table.text("type")
    in_layout = table.kind == "field"
    for kind, size in INTEGER_BYTES.items():
        if text == kind.value:
            return PartType(kind, size)
    if text == "uuid":
        return PartType(PartKind.UUID, 16)
    if text == "bytes":
        return PartType(PartKind.VARIABLE)
    if (fixed := _FIXED.fullmatch(text)) is not None:
        return PartType(PartKind.FIXED, int(fixed[1]))
    if text == "device" and not in_layout:
        return PartType(PartKind.DEVICE, 17)
    array = _ARRAY.fullmatch(text)
    target = array[1] if array else text
    wanted = "layout" if in_layout else "record"
    targets = {other.name(): other.line for other in tables if other.kind == wanted}
    if target not in targets or (array and in_layout) or owner.kind == "record":
        raise table.fail(
            "a type is one of the head of the file, or a record or layout", "type"
        )
    if in_layout and targets[target] >= owner.line:
        raise table.fail("a layout comes after those it contains", "type")
    return PartType(PartKind.ARRAY if array else PartKind.RECORD, 0, target)


def _constant_bytes(table: _Table, part_type: PartType) -> bytes | None:
    if "value" not in table.values:
        return None
    if part_type.kind in INTEGER_BYTES:
        value = table.integer("value")
        assert value is not None  # the key is there
        if value >= 1 << (8 * part_type.size):
            raise table.fail(f"value fits {part_type.kind.value}", "value")
        return value.to_bytes(part_type.size, "big")
    if part_type.kind is not PartKind.FIXED:
        raise table.fail("only integers and bytes[N] can have a value", "value")
    constant = _hexadecimal(table, "value")
    if len(constant) != part_type.size:
        raise table.fail(f"value has {part_type.size} bytes", "value")
    return constant


def _hexadecimal(table: _Table, key: str) -> bytes:
    try:
        return bytes.fromhex(table.text(key))
    except ValueError as error:
        raise table.fail(f"{key} is hexadecimal", key) from error


def _derivation(table: _Table) -> KeyDerivation:
    algorithm = table.text("algorithm")
    if algorithm not in _ALGORITHMS:
        raise table.fail(f"algorithm is one of {sorted(_ALGORITHMS)}", "algorithm")
    length_bytes = table.integer("length_bytes")
    assert length_bytes is not None  # a required key
    return KeyDerivation(
        name=table.name(),
        algorithm=algorithm,
        salt=_hexadecimal(table, "salt") if "salt" in table.values else None,
        info=table.text("info") or None,
        constants=(
            _hexadecimal(table, "constants") if "constants" in table.values else None
        ),
        length_bytes=length_bytes,
        doc=table.text("doc"),
    )
