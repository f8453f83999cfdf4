"""Rules of enums, flagsets and structs, and of names in generated code."""

from __future__ import annotations

from collections.abc import Iterator

from wigwag.spec._check_tables import check_unique, is_grease
from wigwag.spec._ir import ALWAYS, Field, Type
from wigwag.spec._locate import Table
from wigwag.spec._mistakes import Mistakes, suggestion
from wigwag.spec._model import DeclaredField, DeclaredStruct, DeclaredValue, Model

# Names that generated modules use themselves.
TAKEN_CLASSES = frozenset(
    {"Message", "MessageType", "ErrorCode", "State", "Feature", "Struct", "Record"}
)


def record_name(message_name: str) -> str:
    """Return the class of a message: every part capitalised (AUTH_OK → AuthOk)."""
    return "".join(part.capitalize() for part in message_name.split("_"))


def _check_class_names(model: Model, mistakes: Mistakes) -> None:
    named: list[tuple[object, Table]] = [
        (enum.item.name, enum.table) for enum in model.enums
    ]
    named += [(flagset.item.name, flagset.table) for flagset in model.flagsets]
    named += [(struct.item.name, struct.table) for struct in model.structs]
    named += [
        (record_name(message.item.name), message.table) for message in model.messages
    ]
    check_unique(named, "name", "record name", mistakes)
    for name, table in named:
        if name in TAKEN_CLASSES:
            mistakes.add(
                table.at("name"),
                f"the name {name} is used by the generated code",
                "choose another",
            )


def _check_values(
    values: tuple[DeclaredValue, ...], key: str, newest: int, mistakes: Mistakes
) -> None:
    check_unique(
        ((value.item.name, value.table) for value in values), "name", "name", mistakes
    )
    check_unique(
        ((value.item.value, value.table) for value in values), key, key, mistakes
    )
    for value in values:
        if value.item.revisions.first > newest:
            mistakes.add(
                value.table.at("rev"),
                f"revision {value.item.revisions.first} does not exist",
                f"the newest is {newest}",
            )


def _check_enums(model: Model, mistakes: Mistakes) -> None:
    newest = model.tables.newest_revision
    for enum in model.enums:
        if not enum.values:
            mistakes.add(
                enum.table.at(), f"{enum.item.name} has no value", "write a [[value]]"
            )
        _check_values(enum.values, "value", newest, mistakes)
        names = [value.item.name for value in enum.values]
        if enum.item.fallback and enum.item.fallback not in names:
            mistakes.add(
                enum.table.at("fallback"),
                f"{enum.item.name} has no value {enum.item.fallback!r}",
                suggestion(enum.item.fallback, names),
            )
        for value in enum.values:
            if enum.item.open and is_grease(value.item.value, model.tables.protocol):
                mistakes.add(
                    value.table.at("value"),
                    f"value {value.item.value} is reserved for grease",
                    "take the next one",
                )
    for flagset in model.flagsets:
        if not flagset.bits:
            mistakes.add(
                flagset.table.at(), f"{flagset.item.name} has no bit", "write a [[bit]]"
            )
        _check_values(flagset.bits, "bit", newest, mistakes)


def struct_names(type_: Type) -> str:
    """Return the struct that a type holds, directly or as elements; "" if none."""
    inner = type_.element or type_
    return inner.name if inner.kind == "struct" else ""


def _depth(name: str, model: Model, above: tuple[str, ...]) -> int | None:
    """Return the levels of structs from this one on, None if it contains itself."""
    if name in above:
        return None
    struct = next(item for item in model.structs if item.item.name == name)
    deepest = 0
    for field in struct.item.fields:
        if inner := struct_names(field.type):
            depth = _depth(inner, model, (*above, name))
            if depth is None:
                return None
            deepest = max(deepest, depth)
    return 1 + deepest


def _check_struct(struct: DeclaredStruct, model: Model, mistakes: Mistakes) -> None:
    item = struct.item
    if not struct.fields:
        mistakes.add(
            struct.table.at(), f"{item.name} has no field", "write a [[field]]"
        )
    for field in struct.fields:
        if field.item.is_tag and not item.open:
            mistakes.add(
                field.table.at("tag"),
                f"a tag in the closed struct {item.name}",
                "write open = true or give it an `ord`",
            )
    depth = _depth(item.name, model, ())
    deepest = model.tables.limit("nesting_max", 8)
    if depth is None:
        mistakes.add(
            struct.table.at("name"), f"{item.name} contains itself", "break the circle"
        )
    elif depth >= deepest:
        mistakes.add(
            struct.table.at("name"),
            f"{item.name} nests {depth} levels, in a message one more",
            f"stay below {deepest}",
        )


def _check_document(struct: DeclaredStruct, model: Model, mistakes: Mistakes) -> None:
    """A document is signed and kept: its bytes must not depend on a revision."""
    if not struct.item.document:
        return
    waiting: list[DeclaredField] = list(struct.fields)
    seen: set[str] = {struct.item.name}
    while waiting:
        field = waiting.pop()
        if field.item.revisions != ALWAYS and not (
            field.item.is_tag and field.item.revisions.last is None
        ):
            mistakes.add(
                field.table.at("rev"),
                f"a field of the document {struct.item.name} depends on the revision",
                "add a tag instead",
            )
        inner = struct_names(field.item.type)
        if inner and inner not in seen:
            seen.add(inner)
            waiting += next(
                item.fields for item in model.structs if item.item.name == inner
            )


def fields_of(model: Model) -> Iterator[DeclaredField]:
    """Yield every field of every struct and message."""
    for struct in model.structs:
        yield from struct.fields
    for message in model.messages:
        yield from message.fields


def _inner(field: Field) -> Type:
    return field.type.element or field.type


def _check_use(model: Model, mistakes: Mistakes) -> None:
    used = {_inner(field.item).name for field in fields_of(model)}
    named: list[tuple[str, Table]] = [
        (enum.item.name, enum.table) for enum in model.enums
    ]
    named += [(flagset.item.name, flagset.table) for flagset in model.flagsets]
    named += [
        (struct.item.name, struct.table)
        for struct in model.structs
        if not struct.item.document
    ]
    for name, table in named:
        if name not in used:
            mistakes.add(
                table.at("name"), f"nothing uses {name}", "use it or remove the file"
            )
    opened = {struct.item.name for struct in model.structs if struct.item.open}
    for field in fields_of(model):
        element = field.item.type.element
        if element is not None and element.name in opened:
            mistakes.add(
                field.table.at("type"),
                f"an array of the open struct {element.name}",
                "make the struct closed: elements have no tag section",
            )


def check_types(model: Model, mistakes: Mistakes) -> None:
    """Check all types and the names that the generated code gives them."""
    _check_class_names(model, mistakes)
    _check_enums(model, mistakes)
    for struct in model.structs:
        _check_struct(struct, model, mistakes)
        _check_document(struct, model, mistakes)
    _check_use(model, mistakes)
