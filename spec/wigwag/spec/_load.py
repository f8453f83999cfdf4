"""Reads the specification's source files into located tables."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from wigwag.spec._locate import Table, read_tables
from wigwag.spec._mistakes import Mistakes

# One file each at the root, and folders in which every file declares one construct.
ROOT_FILES = ("protocol", "revisions", "features", "errors", "limits", "states")
FOLDERS = ("types", "messages", "requirements")


@dataclass(frozen=True, slots=True)
class Source:
    """All tables of a specification, by file.

    Attributes:
        tables: Path relative to the root → its tables in order.
        texts: Path relative to the root → its text, for tools that quote lines.
    """

    tables: dict[str, tuple[Table, ...]]
    texts: dict[str, str]

    def of_file(self, name: str) -> tuple[Table, ...]:
        """Return the tables of one root file, none if it is missing."""
        return self.tables.get(name, ())

    def of_folder(self, folder: str) -> list[tuple[str, tuple[Table, ...]]]:
        """Return (path, tables) of every file in a folder, by path."""
        prefix = f"{folder}/"
        return [
            (path, tables)
            for path, tables in sorted(self.tables.items())
            if path.startswith(prefix)
        ]


def product_root() -> Traversable:
    """Return the folder that holds the product's specification."""
    return files("wigwag.spec")


def load_source(root: Traversable, mistakes: Mistakes) -> Source:
    """Read every source file below a root.

    Args:
        root: Folder with `protocol.toml`; a path or a package's resources.
        mistakes: Receives whatever is not of the TOML subset or not UTF-8.

    Returns:
        The tables that could be read.
    """
    found = [(f"{name}.toml", root / f"{name}.toml") for name in ROOT_FILES]
    for folder in FOLDERS:
        if (root / folder).is_dir():
            found += [
                (f"{folder}/{entry.name}", entry)
                for entry in (root / folder).iterdir()
                if entry.name.endswith(".toml")
            ]
    tables: dict[str, tuple[Table, ...]] = {}
    texts: dict[str, str] = {}
    for path, entry in sorted(found, key=lambda item: item[0]):
        if not entry.is_file():
            mistakes.add((path, 1), "the file is missing", "add it")
            continue
        try:
            texts[path] = entry.read_bytes().decode()
        except UnicodeDecodeError:
            mistakes.add((path, 1), "not UTF-8", "save it as UTF-8")
            continue
        tables[path] = tuple(read_tables(path, texts[path], mistakes))
    return Source(tables, texts)
