"""Parses `[[field]]` and `[[tombstone]]` tables, with every rule of one field alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from wigwag.spec._ir import (
    ALWAYS,
    Default,
    Field,
    Presence,
    RevisionRange,
    Tombstone,
    Type,
)
from wigwag.spec._locate import Table
from wigwag.spec._mistakes import Mistakes, suggestion
from wigwag.spec._model import (
    DeclaredEnum,
    DeclaredField,
    DeclaredFlagSet,
    DeclaredTombstone,
)
from wigwag.spec._parse_tables import LOWER, LOWER_FORM
from wigwag.spec._reader import Reader

UNSIGNED_WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}
ID_BYTES = 16
# A record with more places than this is a design to split.
ORD_MAX = 200
LENGTH_MAX = 0xFFFF_FFFF
PRESENCES: tuple[Presence, ...] = ("required", "asymmetric", "optional")
# What a record of ours needs for itself.
RESERVED_NAMES = frozenset({"unknown", "self"})

_FIXED = re.compile(r"bytes\[([1-9][0-9]{0,4})\]$")
_ARRAY = re.compile(r"array<([^<>]+)>$")

# A struct is only a name here: its own fields may name it before they are parsed.
NamedTypes = Mapping[str, DeclaredEnum | DeclaredFlagSet | str]


def prefix_width(high: int) -> int:
    """Return the bytes of a length or count whose greatest value is `high`."""
    return 1 if high <= 0xFF else 2 if high <= 0xFFFF else 4


def parse_type(text: str, named: NamedTypes) -> Type | None:
    """Return the type that a text names, or None if there is no such type."""
    if text in UNSIGNED_WIDTHS:
        return Type("integer", text, UNSIGNED_WIDTHS[text])
    if text in ("i64", "ts_ms"):
        return Type("integer", text, 8, signed=text == "i64")
    if text == "bool":
        return Type("bool", text, 1)
    if text == "uuid":
        return Type("raw", text, ID_BYTES)
    if text == "bytes":
        return Type("bytes", text)
    if text == "str":
        return Type("text", text)
    if match := _FIXED.match(text):
        return Type("raw", text, int(match[1]))
    if match := _ARRAY.match(text):
        element = parse_type(match[1].strip(), named)
        return None if element is None else Type("array", text, element=element)
    declared = named.get(text)
    if isinstance(declared, DeclaredEnum):
        return Type("enum", text, declared.item.width, name=text)
    if isinstance(declared, DeclaredFlagSet):
        return Type("flagset", text, declared.item.width, name=text)
    return None if declared is None else Type("struct", text, name=text)


def _type(reader: Reader, named: NamedTypes) -> Type:
    text = reader.text("type")
    parsed = parse_type(text, named)
    if parsed is None:
        words = [
            *UNSIGNED_WIDTHS,
            "i64",
            "ts_ms",
            "bool",
            "uuid",
            "bytes[32]",
            "bytes",
            "str",
            "array<…>",
            *named,
        ]
        if text:
            reader.wrong("type", f"there is no type {text!r}", suggestion(text, words))
        return Type("integer", "u8", 1)
    element = parsed.element
    if element is not None and element.kind in ("bytes", "text", "array"):
        reader.wrong(
            "type",
            f"an array of {element.text} has no bound for its elements",
            "wrap the element in a struct",
        )
        return Type("array", "array<u8>", element=Type("integer", "u8", 1))
    return parsed


def _integer_bounds(reader: Reader, type_: Type) -> tuple[int, int]:
    lowest = -(2 ** (8 * type_.width - 1)) if type_.signed else 0
    highest = 2 ** (8 * type_.width - int(type_.signed)) - 1
    low = reader.whole("min", lowest, highest, lowest)
    high = reader.whole("max", lowest, highest, highest)
    return low, high


def _length_bounds(reader: Reader, type_: Type) -> tuple[int, int]:
    exact = reader.maybe_whole("exact", 0, LENGTH_MAX)
    if exact is not None:
        for key in ("min", "max"):
            if reader.has(key):
                reader.wrong(key, f"`{key}` beside `exact`", "keep one of them")
        reader.raw("min")
        reader.raw("max")
        return exact, exact
    if not reader.has("max"):
        reader.wrong(
            "type", f"a field of type {type_.text} has no bound", "write max = …"
        )
    low = reader.whole("min", 0, LENGTH_MAX, 0)
    return low, reader.whole("max", 1, LENGTH_MAX, max(low, 1))


def _bounds(reader: Reader, type_: Type) -> tuple[int, int]:
    """Return the least and greatest value, length or count."""
    if type_.kind == "integer":
        low, high = _integer_bounds(reader, type_)
    elif type_.kind in ("bytes", "text", "array"):
        low, high = _length_bounds(reader, type_)
    else:
        low, high = 0, 0
    if low > high:
        reader.wrong(
            "min", f"`min` {low} is above `max` {high}", "swap them or raise `max`"
        )
    return min(low, high), high


def _refuses_zeros(reader: Reader, type_: Type) -> bool:
    scalar = type_.element or type_
    zero_ok, nonzero = reader.flag("zero_ok"), reader.flag("nonzero")
    if zero_ok and scalar.text != "uuid":
        reader.wrong(
            "zero_ok",
            f"`zero_ok` on a {scalar.text}",
            "only a uuid refuses zeros by itself; take it away",
        )
    if nonzero and (scalar.kind not in ("integer", "raw") or scalar.text == "uuid"):
        reader.wrong(
            "nonzero",
            f"`nonzero` on a {scalar.text}",
            "it is for integers and bytes[N]; take it away",
        )
    return (scalar.text == "uuid" and not zero_ok) or nonzero


def _named_number(
    reader: Reader, value: str, declared: DeclaredEnum | DeclaredFlagSet
) -> int:
    if isinstance(declared, DeclaredEnum):
        numbers = {item.name: item.value for item in declared.item.values}
    else:
        numbers = {item.name: 1 << item.value for item in declared.item.bits}
    if value not in numbers:
        reader.wrong(
            "default",
            f"{declared.item.name} has no {value!r}",
            suggestion(value, numbers),
        )
    return numbers.get(value, 0)


def _raw_default(
    reader: Reader, value: object, type_: Type, low: int, high: int
) -> str:
    """Read bytes written as hexadecimal digits, or a text."""
    if not isinstance(value, str):
        reader.wrong(
            "default",
            f"the default of a {type_.text} is not a text",
            'write default = "…"',
        )
        return "00" * type_.width
    if type_.kind == "text":
        size = len(value.encode())
    else:
        try:
            size = len(bytes.fromhex(value))
        except ValueError:
            reader.wrong(
                "default", "the default is not hexadecimal", 'write default = "00ff"'
            )
            return "00" * type_.width
    if not (size == type_.width if type_.width else low <= size <= high):
        reader.wrong(
            "default",
            f"the default has {size} bytes",
            "write one within the field's bounds",
        )
    return value


def _default(
    reader: Reader, type_: Type, named: NamedTypes, low: int, high: int
) -> Default:
    value = reader.raw("default")
    match type_.kind:
        case "bool":
            if not isinstance(value, bool):
                reader.wrong(
                    "default",
                    "the default of a bool is not one",
                    "write default = false",
                )
            return bool(value)
        case "integer":
            if (
                isinstance(value, bool)
                or not isinstance(value, int)
                or not low <= value <= high
            ):
                reader.wrong(
                    "default",
                    f"the default is not a number within {low}..{high}",
                    f"write default = {low}",
                )
                return low
            return value
        case "raw" | "bytes" | "text":
            return _raw_default(reader, value, type_, low, high)
        case "enum" | "flagset":
            declared = named[type_.name]
            assert not isinstance(declared, str)
            if type_.kind == "flagset" and value == 0 and not isinstance(value, bool):
                return 0
            return _named_number(reader, str(value), declared)
        case "array":
            if value != [] or low > 0:
                reader.wrong(
                    "default",
                    "the default of an array is not the empty list",
                    "write default = [] and no `min`",
                )
            return None
        case _:
            reader.wrong("default", "a struct has no default", "make it a tag instead")
            return None


def _number(reader: Reader) -> tuple[int, bool]:
    is_tag = reader.has("tag")
    if is_tag == reader.has("ord"):
        reader.wrong(
            None,
            f"`{reader.table.name}` needs one of `ord` and `tag`",
            "write ord = 1 for a place, tag = 1 for an optional field",
        )
        reader.raw("ord")
        reader.raw("tag")
        return 1, False
    if is_tag:
        return reader.whole("tag", 1, 0xFFFF), True
    return reader.whole("ord", 1, ORD_MAX), False


def _check_key(reader: Reader, type_: Type) -> tuple[str, ...]:
    if not reader.has("key"):
        return ()
    if type_.kind != "array":
        reader.wrong(
            "key", f"`key` on a {type_.text}", "only arrays are sorted; take it away"
        )
    return tuple(part.strip() for part in reader.text("key").split(","))


def _field(reader: Reader, named: NamedTypes, owner: RevisionRange) -> Field:
    number, is_tag = _number(reader)
    name = reader.name("name", LOWER, LOWER_FORM)
    if name in RESERVED_NAMES:
        reader.wrong("name", f"{name!r} is a reserved word", f'write name = "{name}_"')
    type_ = _type(reader, named)
    low, high = _bounds(reader, type_)
    nonzero = _refuses_zeros(reader, type_)
    has_default = reader.has("default")
    default = _default(reader, type_, named, low, high) if has_default else None
    fallback: Presence = "optional" if is_tag else "required"
    presence: Presence = reader.choice("presence", PRESENCES, fallback)
    if not is_tag and presence != "required":
        reader.wrong(
            "presence", "a field with an `ord` is always on the wire", "make it a tag"
        )
    if has_default and is_tag and presence != "optional":
        reader.wrong(
            "presence",
            "a tag with a default is absent when it has that value",
            "take `default` or `presence` away",
        )
    return Field(
        name=name,
        number=number,
        is_tag=is_tag,
        type=type_,
        revisions=reader.revisions() or owner,
        presence=presence,
        low=low,
        high=high,
        prefix=prefix_width(high) if type_.kind in ("bytes", "text", "array") else 0,
        nonzero=nonzero,
        default=default,
        has_default=has_default,
        lossy_ok=reader.flag("lossy_ok"),
        sensitive=reader.flag("sensitive"),
        key=_check_key(reader, type_),
        doc=reader.text("doc"),
    )


def _tombstone(reader: Reader) -> Tombstone:
    number, is_tag = _number(reader)
    return Tombstone(
        name=reader.name("name", LOWER, LOWER_FORM),
        number=number,
        is_tag=is_tag,
        reason=reader.text("reason"),
        revisions=reader.revisions() or ALWAYS,
    )


def parse_fields(
    tables: Sequence[Table], named: NamedTypes, owner: RevisionRange, mistakes: Mistakes
) -> tuple[tuple[DeclaredField, ...], tuple[DeclaredTombstone, ...]]:
    """Parse the fields and tombstones of one message or struct.

    Args:
        tables: All tables of the file.
        named: The declared types by name.
        owner: Revisions of the message or struct; a field without `rev` has them too.
        mistakes: Receives what is wrong.
    """
    fields: list[DeclaredField] = []
    tombstones: list[DeclaredTombstone] = []
    for table in tables:
        reader = Reader(table, mistakes)
        if table.name == "field":
            fields.append(DeclaredField(_field(reader, named, owner), table))
        elif table.name == "tombstone":
            tombstones.append(DeclaredTombstone(_tombstone(reader), table))
        else:
            continue
        reader.finish()
    return _freeze_prefixes(fields), tuple(tombstones)


def _freeze_prefixes(fields: Sequence[DeclaredField]) -> tuple[DeclaredField, ...]:
    """Give every range of a field the length prefix of its first."""
    widths: dict[tuple[bool, int], int] = {}
    frozen: list[DeclaredField] = []
    for field in fields:
        width = widths.setdefault(
            (field.item.is_tag, field.item.number), field.item.prefix
        )
        frozen.append(DeclaredField(replace(field.item, prefix=width), field.table))
    return tuple(frozen)
