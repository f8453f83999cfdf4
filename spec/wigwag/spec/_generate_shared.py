"""What the renderers of decoders and encoders share: structs, tables, checks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wigwag.spec._code import FORMATS, Catalogue, snake
from wigwag.spec._ir import Field, Type
from wigwag.spec._layout import Layout, Part, RecordLayout


class Module:
    """What the functions of a generated module share: structs, constants, tables."""

    def __init__(self, catalogue: Catalogue, tags_prefix: str) -> None:
        self.catalogue = catalogue
        self._tags_prefix = tags_prefix
        self.structs: dict[str, str] = {}
        self.zeros: set[int] = set()
        self.tables: dict[str, str] = {}
        self.tag_functions: dict[str, RecordLayout] = {}

    def struct(self, use: str, formats: str) -> str:
        """Return the name of a struct's method: unpack, iterate or pack."""
        method = {"unpack": "unpack_from", "iterate": "iter_unpack", "pack": "pack"}[
            use
        ]
        name = f"{use}_{formats.replace('?', 'b')}"
        self.structs[name] = f'{name} = Struct(">{formats}").{method}'
        return name

    def zero(self, width: int) -> str:
        """Return the name of a constant of zeros."""
        self.zeros.add(width)
        return f"ZERO_{width}"

    def table(self, name: str, values: tuple[int, ...]) -> str:
        """Return the name of a table from a closed enum's numbers to its members."""
        enum = self.catalogue.specification.enum(name)
        whole = len(values) == len(enum.values)
        table = snake(name).upper() + (
            "" if whole else "_" + "_".join(map(str, values))
        )
        members = [item.name for item in enum.values if item.value in values]
        entries = ", ".join(
            f"{name}.{member}.value: {name}.{member}" for member in members
        )
        self.tables[table] = f"{table}: dict[int, {name}] = {{{entries}}}"
        return table

    def tags_function(self, layout: RecordLayout) -> str:
        """Return the name of the function for a record's tag section."""
        name = f"{self._tags_prefix}_{self.catalogue.layout_name(layout)}"
        self.tag_functions[name] = layout
        return name

    def constants(self) -> list[str]:
        """Return the lines that declare all of it."""
        zeros = [f"ZERO_{width} = bytes({width})" for width in sorted(self.zeros)]
        return [*sorted(self.structs.values()), *zeros, *sorted(self.tables.values())]


def format_of(type_: Type) -> str:
    """Return the struct format of a type of fixed width."""
    if type_.kind == "raw":
        return f"{type_.width}s"
    return "q" if type_.signed else FORMATS[type_.width]


def bound_checks(
    variable: str, field: Field, part: Part, type_: Type, module: Module
) -> list[str]:
    """Return what must not hold of a value of fixed width, alone or as an element."""
    if type_.kind == "raw":
        return [f"{variable} == {module.zero(type_.width)}"] if field.nonzero else []
    if type_.kind == "flagset" and part.mask is not None:
        outside = ~part.mask & (256**type_.width - 1)
        return [f"{variable} & {outside:#x}"] if outside else []
    if type_.kind != "integer":
        return []
    lowest = -(2 ** (8 * type_.width - 1)) if type_.signed else 0
    highest = 2 ** (8 * type_.width - int(type_.signed)) - 1
    low, high = (
        (field.low, field.high) if field.type.kind != "array" else (lowest, highest)
    )
    checks: list[str] = []
    if field.nonzero and low <= 0 and type_.signed:
        checks.append(f"not {variable}")
    elif field.nonzero:
        low = max(low, 1)
    return checks + range_checks(variable, low, high, lowest, highest)


def range_checks(
    variable: str, low: int, high: int, lowest: int, highest: int
) -> list[str]:
    """Return the check that a number is outside low..high, as short as it can be."""
    if low > lowest and high < highest:
        return [
            f"{variable} != {low}"
            if low == high
            else f"not {low} <= {variable} <= {high}"
        ]
    if low > lowest:
        return [f"not {variable}" if (low, lowest) == (1, 0) else f"{variable} < {low}"]
    return [f"{variable} > {high}"] if high < highest else []


def format_width(form: str) -> int:
    widths = {"B": 1, "H": 2, "I": 4, "Q": 8, "q": 8}
    return widths[form] if form in widths else int(form[:-1])


def struct_width(formats: str) -> int:
    """Return the bytes that formats take."""
    width, digits = 0, ""
    for sign in formats:
        if sign.isdigit():
            digits += sign
        else:
            width += format_width(digits + sign)
            digits = ""
    return width


def about(layout: Layout, verb: str) -> str:
    """Return the first line of a codec function."""
    revisions = layout.revisions
    span = str(revisions[0]) if len(revisions) == 1 else ", ".join(map(str, revisions))
    return f"{verb} {layout.layout.record} at revision {span}."


def used_names(body: str, names: Iterable[str]) -> list[str]:
    """Return the names that a module's text uses, for its imports."""
    return [name for name in names if re.search(rf"\b{name}\b", body)]
