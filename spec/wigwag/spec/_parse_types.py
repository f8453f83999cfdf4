"""Parses `types/*.toml` and `messages/*.toml`."""

from __future__ import annotations

from collections.abc import Sequence

from wigwag.spec._ir import (
    ALWAYS,
    Enumeration,
    FlagSet,
    Message,
    RevisionRange,
    Structure,
    Value,
)
from wigwag.spec._load import Source
from wigwag.spec._locate import Table
from wigwag.spec._mistakes import Mistakes
from wigwag.spec._model import (
    DeclaredEnum,
    DeclaredFlagSet,
    DeclaredMessage,
    DeclaredStruct,
    DeclaredValue,
    Model,
)
from wigwag.spec._parse_fields import UNSIGNED_WIDTHS, NamedTypes, parse_fields
from wigwag.spec._parse_tables import (
    LOWER,
    LOWER_FORM,
    U16_MAX,
    UPPER,
    UPPER_FORM,
    check_table_names,
    parse_tables,
)
from wigwag.spec._reader import Reader

CAMEL = r"[A-Z][A-Za-z0-9]*"
CAMEL_FORM = "words with capitals, as in MessageClass"
_BASES = ("u8", "u16", "u32", "u64")
REVISION_MAX = 0x7FFF


def _values(
    tables: Sequence[Table], name: str, key: str, high: int, mistakes: Mistakes
) -> tuple[DeclaredValue, ...]:
    found: list[DeclaredValue] = []
    for table in tables:
        if table.name == name:
            reader = Reader(table, mistakes)
            value = Value(
                name=reader.name("name", UPPER, UPPER_FORM),
                value=reader.whole(key, 0, high),
                revisions=reader.revisions() or ALWAYS,
                doc=reader.text("doc"),
            )
            reader.finish()
            found.append(DeclaredValue(value, table))
    return tuple(found)


def _enum(head: Table, tables: Sequence[Table], mistakes: Mistakes) -> DeclaredEnum:
    reader = Reader(head, mistakes)
    width = UNSIGNED_WIDTHS[reader.choice("base", _BASES)]
    values = _values(tables, "value", "value", 2 ** (8 * width) - 1, mistakes)
    is_open = reader.flag("open")
    fallback = reader.text("fallback", "")
    if is_open and not fallback:
        reader.wrong(
            "open",
            "an open enum has no `fallback`",
            'write fallback = "…", the value that an unknown one is read as',
        )
    if not is_open and fallback:
        reader.wrong(
            "fallback",
            "a closed enum has a `fallback`",
            "take it away or write open = true",
        )
    item = Enumeration(
        name=reader.name("name", CAMEL, CAMEL_FORM),
        width=width,
        open=is_open,
        fallback=fallback,
        values=tuple(value.item for value in values),
        doc=reader.text("doc"),
    )
    reader.finish()
    return DeclaredEnum(item, head, values)


def _flagset(
    head: Table, tables: Sequence[Table], mistakes: Mistakes
) -> DeclaredFlagSet:
    reader = Reader(head, mistakes)
    width = UNSIGNED_WIDTHS[reader.choice("base", _BASES)]
    bits = _values(tables, "bit", "bit", 8 * width - 1, mistakes)
    item = FlagSet(
        name=reader.name("name", CAMEL, CAMEL_FORM),
        width=width,
        open=reader.flag("open", default=True),
        bits=tuple(bit.item for bit in bits),
        doc=reader.text("doc"),
    )
    reader.finish()
    return DeclaredFlagSet(item, head, bits)


def _struct(
    head: Table, tables: Sequence[Table], named: NamedTypes, mistakes: Mistakes
) -> DeclaredStruct:
    reader = Reader(head, mistakes)
    fields, tombstones = parse_fields(tables, named, ALWAYS, mistakes)
    item = Structure(
        name=reader.name("name", CAMEL, CAMEL_FORM),
        open=reader.flag("open"),
        document=reader.flag("document"),
        fields=tuple(field.item for field in fields),
        tombstones=tuple(tombstone.item for tombstone in tombstones),
        doc=reader.text("doc"),
    )
    reader.finish()
    return DeclaredStruct(item, head, fields, tombstones)


def _message(
    head: Table, tables: Sequence[Table], named: NamedTypes, mistakes: Mistakes
) -> DeclaredMessage:
    reader = Reader(head, mistakes)
    revisions = RevisionRange(
        reader.whole("since", 1, REVISION_MAX),
        reader.maybe_whole("until", 1, REVISION_MAX),
    )
    fields, tombstones = parse_fields(tables, named, revisions, mistakes)
    item = Message(
        name=reader.name("name", UPPER, UPPER_FORM),
        type=reader.whole("type", 1, U16_MAX),
        kind=reader.choice("kind", ("request", "response", "event", "oneway")),
        direction=reader.choice("direction", ("client", "server", "both")),
        revisions=revisions,
        states=reader.names("states", needed=True),
        replies=reader.names("replies"),
        errors=reader.names("errors"),
        rate_class=reader.name("rate_class", LOWER, LOWER_FORM)
        if reader.has("rate_class")
        else "",
        idempotency=reader.text("idempotency", "none"),
        relay=reader.choice("relay", ("opaque", "reencode"), "opaque"),
        stream=reader.flag("stream"),
        padding=reader.flag("padding"),
        invariant=reader.flag("invariant"),
        stored=reader.flag("stored"),
        unsolicited=reader.flag("unsolicited"),
        requirements=reader.names("requirements"),
        fields=tuple(field.item for field in fields),
        tombstones=tuple(tombstone.item for tombstone in tombstones),
        doc=reader.text("doc"),
    )
    reader.finish()
    return DeclaredMessage(item, head, fields, tombstones)


_TYPE_PARTS = {
    "enum": ("enum", "value"),
    "flagset": ("flagset", "bit"),
    "struct": ("struct", "field", "tombstone"),
}
_MESSAGE_PARTS = ("message", "field", "tombstone")


def _head(
    path: str, tables: Sequence[Table], kinds: Sequence[str], mistakes: Mistakes
) -> Table | None:
    """Return the table that says what the file declares: the first and only one."""
    if not tables or tables[0].name not in kinds:
        mistakes.add(
            (path, tables[0].line if tables else 1),
            "the file does not start with what it declares",
            f"write [{'] or ['.join(kinds)}] first",
        )
        return None
    return tables[0]


def parse_model(source: Source, mistakes: Mistakes) -> Model:
    """Parse a whole specification.

    Args:
        source: Its located tables.
        mistakes: Receives what is wrong; the model then holds the nearest guess, so
            that later checks find the other mistakes too.
    """
    tables = parse_tables(source, mistakes)
    enums: list[DeclaredEnum] = []
    flagsets: list[DeclaredFlagSet] = []
    struct_files: list[tuple[Table, tuple[Table, ...]]] = []
    for path, parts in source.of_folder("types"):
        head = _head(path, parts, tuple(_TYPE_PARTS), mistakes)
        if head is None:
            continue
        check_table_names(parts, _TYPE_PARTS[head.name], mistakes)
        if head.name == "enum":
            enums.append(_enum(head, parts, mistakes))
        elif head.name == "flagset":
            flagsets.append(_flagset(head, parts, mistakes))
        else:
            struct_files.append((head, parts))
    named: dict[str, DeclaredEnum | DeclaredFlagSet | str] = {}
    named |= {enum.item.name: enum for enum in enums}
    named |= {flagset.item.name: flagset for flagset in flagsets}
    named |= {str(head.values.get("name")): "struct" for head, _ in struct_files}
    structs = [_struct(head, parts, named, mistakes) for head, parts in struct_files]
    messages: list[DeclaredMessage] = []
    for path, parts in source.of_folder("messages"):
        head = _head(path, parts, ("message",), mistakes)
        if head is not None:
            check_table_names(parts, _MESSAGE_PARTS, mistakes)
            messages.append(_message(head, parts, named, mistakes))
    messages.sort(key=lambda message: message.item.type)
    return Model(tables, tuple(enums), tuple(flagsets), tuple(structs), tuple(messages))
