"""Tables of the TOML subset with the line of every key.

`tomllib` gives no positions, and a mistake without a line is a search. The files
keep to a subset in which every line stands alone: `[table]`, `[[table]]`, one
`key = value` a line, a comment, or nothing. So each value is read by `tomllib`
from its own line, which is what ties it to that line.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TypeGuard, cast

from wigwag.spec._mistakes import Mistakes

Value = bool | int | str | list[int] | list[str] | list[bool]

_HEADING = re.compile(r"(\[\[?)\s*([A-Za-z_][A-Za-z0-9_]*)\s*(\]\]?)\s*(?:#.*)?$")
_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*=")


@dataclass(frozen=True, slots=True)
class Table:
    """One `[table]` or `[[table]]` of a file.

    Attributes:
        file: Path relative to the specification's root.
        name: Name between the brackets.
        index: How many tables of this name stand before it in the file, from 0.
        line: Line of the heading, from 1.
        repeated: Whether it was written with double brackets.
        values: Value by key.
        lines: Line by key, from 1.
    """

    file: str
    name: str
    index: int
    line: int
    repeated: bool
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    lines: dict[str, int] = field(default_factory=dict[str, int])

    def at(self, key: str | None = None) -> tuple[str, int]:
        """Return (file, line) of a key, or of the heading if the key is absent."""
        return (self.file, self.lines.get(key or "", self.line))


def _is_value(value: object) -> TypeGuard[Value]:
    if isinstance(value, list):
        items = cast("list[object]", value)
        kinds = {type(item) for item in items}
        return len(kinds) <= 1 and kinds <= {bool, int, str}
    return isinstance(value, bool | int | str)


def _read_value(text: str) -> object:
    """Read `key = value` alone; a value that goes on below does not parse."""
    return next(iter(tomllib.loads(text).values()))


def _add_key(table: Table, text: str, line: int, mistakes: Mistakes) -> None:
    where = (table.file, line)
    match = _KEY.match(text)
    if match is None:
        mistakes.add(
            where,
            f"not a line of the subset: {text[:40]!r}",
            "write `key = value`, `[table]` or a comment",
        )
        return
    key = match[1]
    try:
        value = _read_value(text)
    except tomllib.TOMLDecodeError as error:
        mistakes.add(
            where,
            f"`{key}` has no value that is complete on its line ({error})",
            "write the whole value on one line",
        )
        return
    if not _is_value(value):
        mistakes.add(
            where,
            f"`{key}` is neither a scalar nor a list of scalars of one type",
            "write a table of its own instead",
        )
    elif key in table.values:
        mistakes.add(
            where, f"`{key}` was given on line {table.lines[key]}", "keep one of them"
        )
    else:
        table.values[key] = value
        table.lines[key] = line


def read_tables(file: str, text: str, mistakes: Mistakes) -> list[Table]:
    """Read a file of the subset.

    Args:
        file: What to call it in mistakes.
        text: Its content.
        mistakes: Receives every line that is not of the subset.

    Returns:
        Its tables in the order in which they are written.
    """
    tables: list[Table] = []
    for line, raw in enumerate(text.split("\n"), 1):
        stripped = raw.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("["):
            table = _heading(file, line, stripped, tables, mistakes)
            if table is not None:
                tables.append(table)
        elif tables:
            _add_key(tables[-1], stripped, line, mistakes)
        else:
            mistakes.add(
                (file, line), "a key before the first table", "put it below a `[table]`"
            )
    return tables


def _heading(
    file: str, line: int, text: str, tables: list[Table], mistakes: Mistakes
) -> Table | None:
    match = _HEADING.match(text)
    if match is None or len(match[1]) != len(match[3]):
        mistakes.add(
            (file, line),
            f"not a table's heading: {text[:40]!r}",
            "write `[name]` or `[[name]]`, without dots",
        )
        return None
    name, repeated = match[2], len(match[1]) == 2
    before = [table for table in tables if table.name == name]
    if before and not (repeated and before[0].repeated):
        mistakes.add(
            (file, line),
            f"a second table {name!r}",
            "write `[[name]]` each time if it may be repeated",
        )
    return Table(file, name, len(before), line, repeated)
