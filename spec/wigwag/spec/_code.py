"""Writing Python text, and the names that generated modules share."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import cast

from wigwag.spec._check_types import record_name
from wigwag.spec._ir import Enumeration, Field, Message, Specification, Structure, Type
from wigwag.spec._layout import Layout, RecordLayout, layouts_of

LINE_MAX = 100
FORMATS = {1: "B", 2: "H", 4: "I", 8: "Q"}
# What generated functions call their own; a field of that name gets an underscore.
LOCALS = frozenset(
    [
        "body",
        "pos",
        "record",
        "end",
        "tag",
        "size",
        "previous",
        "count",
        "kept",
        "tags",
        "unknown",
        "unknown_bytes",
        "entries",
        "start",
        "item",
        "shapes",
        "rising",
        "list",
        "len",
        "tuple",
        "any",
        "max",
        "bytes",
        "range",
        "bool",
        "int",
        "frozenset",
    ]
)


def snake(name: str) -> str:
    """Return a class name as small words (DeviceList → device_list)."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Code:
    """Lines of Python at a depth of indentation."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._depth = 0

    def add(self, *lines: str) -> None:
        """Add lines at the present depth."""
        self.lines += [("    " * self._depth + line) if line else "" for line in lines]

    @contextmanager
    def block(self, heading: str) -> Generator[None]:
        """Add a heading; what is added inside stands below it."""
        self.add(heading)
        self._depth += 1
        yield
        self._depth -= 1

    def call(self, before: str, arguments: Iterable[str], after: str) -> None:
        """Add `before arguments after`, one argument a line if it is long."""
        words = list(arguments)
        whole = f"{before}{', '.join(words)}{after}"
        if not words or len(whole) + 4 * self._depth <= LINE_MAX:
            self.add(whole)
        else:
            self.add(before, *(f"    {word}," for word in words), after)

    def docstring(self, text: str, *more: str) -> None:
        """Add a docstring, wrapped."""
        width = LINE_MAX - 4 * self._depth - 7
        lines: list[str] = textwrap.wrap(
            text.replace("\\", "\\\\").replace('"""', "'''"), width
        )
        if not more and len(lines) == 1:
            self.add(f'"""{lines[0]}"""')
            return
        self.add(f'"""{lines[0]}', *lines[1:], *more, '"""')

    def checks(self, checks: list[str]) -> None:
        """Add one refusal for all checks and forget them."""
        if checks:
            whole = f"if {' or '.join(checks)}:"
            if len(whole) + 4 * self._depth <= LINE_MAX:
                self.add(whole)
            else:
                self.add(
                    "if (",
                    f"    {checks[0]}",
                    *(f"    or {check}" for check in checks[1:]),
                    "):",
                )
            self.add("    raise ValueError")
            checks.clear()

    def text(self) -> str:
        """Return the whole text."""
        return "\n".join(self.lines) + "\n"


class Names:
    """Names within one function: an attribute keeps its own where it can."""

    def __init__(self) -> None:
        self._taken = set(LOCALS)

    def fresh(self, name: str) -> str:
        """Return the name, or it with underscores if it is taken."""
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


class Catalogue:
    """Everything about a specification that several generated modules refer to."""

    def __init__(self, specification: Specification) -> None:
        self.specification = specification
        self.owners: list[Structure | Message] = [
            *specification.structs,
            *specification.messages,
        ]
        self.layouts: dict[str, tuple[Layout, ...]] = {
            owner.name: layouts_of(owner, specification) for owner in self.owners
        }
        self._record_names: dict[RecordLayout, str] = {}
        for owner in self.owners:
            for layout in self.layouts[owner.name]:
                name = f"{snake(self.class_of(owner))}_{layout.revisions[0]}"
                self._record_names.setdefault(layout.layout, name)

    def class_of(self, owner: Structure | Message) -> str:
        """Return the record class of a message or struct."""
        return owner.name if isinstance(owner, Structure) else record_name(owner.name)

    def owner(self, name: str) -> Structure | Message:
        """Return the message or struct of a name."""
        return next(owner for owner in self.owners if owner.name == name)

    def layout_name(self, layout: RecordLayout) -> str:
        """Return the name of a record layout, the same wherever it is used."""
        name = self._record_names.get(layout)
        if name is None:
            # The same struct inside a message that relays by value keeps unknown tags.
            base = snake(layout.record)
            taken = set(self._record_names.values())
            index = next(n for n in range(1, 10_000) if f"{base}_kept_{n}" not in taken)
            name = self._record_names[layout] = f"{base}_kept_{index}"
        return name

    def record_layouts(self) -> list[RecordLayout]:
        """Return every record layout, inner ones before those that hold them."""
        found: dict[RecordLayout, None] = {}

        def visit(layout: RecordLayout) -> None:
            for part in (*layout.parts, *layout.tags):
                if part.inner is not None:
                    visit(part.inner)
            found.setdefault(layout)

        for owner in self.owners:
            for layout in self.layouts[owner.name]:
                visit(layout.layout)
        return list(found)

    def closed(self, type_: Type) -> Enumeration | None:
        """Return the closed enum that a type is."""
        if type_.kind != "enum":
            return None
        enum = self.specification.enum(type_.name)
        return None if enum.open else enum

    def python_type(self, type_: Type) -> str:
        """Return a type as records annotate it."""
        match type_.kind:
            case "integer" | "flagset":
                return "int"
            case "bool":
                return "bool"
            case "raw" | "bytes":
                return "bytes"
            case "text":
                return "str"
            case "struct":
                return type_.name
            case "enum":
                return type_.name if self.closed(type_) else "int"
            case _:
                assert type_.element is not None
                return f"tuple[{self.python_type(type_.element)}, ...]"

    def is_maybe(self, owner: Structure | Message, field: Field) -> bool:
        """Say whether the attribute may be None: a tag that may be absent."""
        if not field.is_tag or field.has_default:
            return False
        declarations = [other for other in owner.fields if other.name == field.name]
        everywhere = all(
            any(other.revisions.holds(revision) for other in declarations)
            for layout in self.layouts[owner.name]
            for revision in layout.revisions
        )
        return not (
            everywhere and all(other.presence == "required" for other in declarations)
        )

    def annotation(self, owner: Structure | Message, field: Field) -> str:
        """Return a field's annotation in its record."""
        text = self.python_type(field.type)
        return f"{text} | None" if self.is_maybe(owner, field) else text

    def default_expression(self, field: Field) -> str:
        """Return a field's default as Python; None where it has none."""
        value, kind = field.default, field.type.kind
        if not field.has_default:
            return "None"
        if kind == "array":
            return "()"
        if kind in ("raw", "bytes"):
            return repr(bytes.fromhex(str(value)))
        enum = self.closed(field.type)
        if enum is not None:
            members = {item.value: item.name for item in enum.values}
            return f"{enum.name}.{members[cast('int', value)]}"
        return repr(value)


def is_sensitive(fields: Iterable[Field], specification: Specification) -> bool:
    """Say whether a record holds anything that must not be shown, at any depth."""
    for field in fields:
        scalar = field.type.element or field.type
        if field.sensitive:
            return True
        if scalar.kind == "struct" and is_sensitive(
            specification.struct(scalar.name).fields, specification
        ):
            return True
    return False
