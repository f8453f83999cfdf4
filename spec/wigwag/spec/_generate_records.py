"""Renders the record classes: one for each enum, flagset, struct and message."""

from __future__ import annotations

import textwrap

from wigwag.spec._code import LINE_MAX, Catalogue, Code
from wigwag.spec._ir import Enumeration, Field, FlagSet, Message, Structure
from wigwag.spec._layout import record_fields

HEADING = '''"""{title}

Made from the specification by `wigwag spec generate`. Do not edit.
"""

from __future__ import annotations
'''


def _values(code: Code, owner: Enumeration | FlagSet) -> None:
    items = owner.values if isinstance(owner, Enumeration) else owner.bits
    for item in items:
        value = item.value if isinstance(owner, Enumeration) else f"1 << {item.value}"
        code.add(f"{item.name} = {value}")
        code.docstring(item.doc)


def _enum(code: Code, enum: Enumeration) -> None:
    with code.block(f"class {enum.name}(IntEnum):"):
        code.docstring(enum.doc)
        code.add("")
        _values(code, enum)
        if enum.open:
            code.add("", "@classmethod")
            with code.block(f"def from_wire(cls, value: int) -> {enum.name}:"):
                code.docstring(
                    f"Return the member of a value; one that nobody knows is "
                    f"{enum.fallback}."
                )
                code.add(
                    f"return _BY_VALUE_{enum.name}.get(value, cls.{enum.fallback})"
                )
    code.add("", "")
    if enum.open:
        code.add(
            f"_BY_VALUE_{enum.name} = "
            f"{{member.value: member for member in {enum.name}}}",
            "",
            "",
        )


def _flagset(code: Code, flags: FlagSet) -> None:
    boundary = "KEEP" if flags.open else "STRICT"
    with code.block(f"class {flags.name}(IntFlag, boundary={boundary}):"):
        code.docstring(flags.doc)
        code.add("")
        _values(code, flags)
    code.add("", "")


def _attribute_docs(fields: tuple[Field, ...]) -> list[str]:
    lines = ["", "Attributes:"]
    for field in fields:
        entry = f"{field.attribute}: {field.doc}".replace("\\", "\\\\")
        lines += textwrap.wrap(
            entry, LINE_MAX - 8, initial_indent="    ", subsequent_indent="        "
        )
    return lines


def _record(code: Code, owner: Structure | Message, catalogue: Catalogue) -> None:
    fields = record_fields(owner.fields)
    has_unknown = isinstance(owner, Message) or owner.open
    # A default before a field without one would have to be named in every call.
    free = len(fields)
    while free and (
        fields[free - 1].has_default or catalogue.is_maybe(owner, fields[free - 1])
    ):
        free -= 1
    with code.block(
        f"class {catalogue.class_of(owner)}(Struct, frozen=True, gc=False):"
    ):
        code.docstring(owner.doc, *(_attribute_docs(fields) if fields else ()))
        code.add("")
        for place, field in enumerate(fields):
            line = f"{field.attribute}: {catalogue.annotation(owner, field)}"
            if place >= free:
                line += f" = {catalogue.default_expression(field)}"
            code.add(line)
        if has_unknown:
            code.add("unknown: tuple[tuple[int, bytes], ...] = ()")
        if any(field.sensitive for field in fields):
            shown = [field.attribute for field in fields if not field.sensitive]
            code.add("")
            with code.block("def __repr__(self) -> str:"):
                code.call(
                    "return shown(self, (",
                    [f'"{name}"' for name in shown],
                    ",))" if len(shown) == 1 else "))",
                )
    code.add("", "")


def _structs_inner_first(catalogue: Catalogue) -> list[Structure]:
    """Order structs so that a default or annotation only names what stands above."""
    ordered: dict[str, Structure] = {}

    def visit(struct: Structure) -> None:
        for field in struct.fields:
            scalar = field.type.element or field.type
            if scalar.kind == "struct":
                visit(catalogue.specification.struct(scalar.name))
        ordered.setdefault(struct.name, struct)

    for struct in catalogue.specification.structs:
        visit(struct)
    return list(ordered.values())


def render_records(catalogue: Catalogue, package: str) -> str:
    """Return the text of `records.py`."""
    specification = catalogue.specification
    code = Code()
    code.add(
        *HEADING.format(
            title="Records: one class for each message and struct, for all revisions."
        ).split("\n")
    )
    code.add(
        "from enum import KEEP, STRICT, IntEnum, IntFlag",
        "from typing import TypeAlias",
        "",
        "from msgspec import Struct",
        "",
    )
    code.add("from wigwag.wire._shown import shown", "", "")
    for enum in specification.enums:
        _enum(code, enum)
    for flags in specification.flagsets:
        _flagset(code, flags)
    for struct in _structs_inner_first(catalogue):
        _record(code, struct, catalogue)
    for message in specification.messages:
        _record(code, message, catalogue)
    code.add("Message: TypeAlias = (")
    classes = [catalogue.class_of(message) for message in specification.messages]
    code.add(
        *(f"    {'| ' if place else ''}{name}" for place, name in enumerate(classes)),
        ")",
    )
    code.docstring("Any message.")
    used = code.text()
    if not specification.flagsets:
        used = used.replace(
            "from enum import KEEP, STRICT, IntEnum, IntFlag",
            "from enum import IntEnum",
        )
    if "shown(self" not in used:
        used = used.replace("from wigwag.wire._shown import shown\n\n", "")
    return used
