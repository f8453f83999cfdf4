"""SQL for the simulation's own reading of databases (border of an untyped library)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import apsw


def run_sql(connection: apsw.Connection, text: str) -> list[tuple[Any, ...]]:
    """Execute statements; return the rows of the last one."""
    found: object = connection.execute(text)  # pyright: ignore[reportUnknownMemberType] # apsw's stubs name a type that Python 3.11 lacks
    return list(cast("Iterator[tuple[Any, ...]]", found))


def open_for_reading(path: Path) -> apsw.Connection:
    """Open a database that no process uses any more."""
    return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
