"""On which line of a TOML text a key stands: `tomllib` reads values, not places."""

import re

_TABLE = re.compile(r"^\s*\[\s*([A-Za-z0-9_.\-\" ]+?)\s*\]")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\-\"]+)\s*=")

KeyPath = tuple[str, ...]


def locate_keys(text: str) -> dict[KeyPath, int]:
    """Map each table and key of a TOML text to its line, counted from 1.

    Configuration is written one key a line; a key inside an inline table or a
    multi-line string isn't found, and its line is then the enclosing key's.
    """
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _TABLE.match(line)
        if header:
            table = _parts(header.group(1))
            lines.setdefault(table, number)
            continue
        key = _KEY.match(line)
        if key:
            lines.setdefault((*table, *_parts(key.group(1))), number)
    return lines


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int:
    """Returns the line of a key, or of the nearest table that encloses it, or 1."""
    for end in range(len(path), 0, -1):
        line = lines.get(path[:end])
        if line is not None:
            return line
    return 1


def _parts(dotted: str) -> KeyPath:
    return tuple(part.strip().strip('"') for part in dotted.split("."))
