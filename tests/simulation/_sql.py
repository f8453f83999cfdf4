"""SQL for the simulation's own reading of databases (border of an untyped library)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import apsw

from wigwag.server.engines._checked import checked_vfs


def run_sql(connection: apsw.Connection, text: str) -> list[tuple[Any, ...]]:
    """Execute statements; return the rows of the last one."""
    found: object = connection.execute(text)  # pyright: ignore[reportUnknownMemberType] # apsw's stubs name a type that Python 3.11 lacks
    return list(cast("Iterator[tuple[Any, ...]]", found))


def open_for_reading(path: Path) -> apsw.Connection:
    """Open a server's database that no process uses any more, and leave it as it is."""
    flags = apsw.SQLITE_OPEN_READWRITE
    connection = apsw.Connection(str(path), flags=flags, vfs=checked_vfs())
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    return connection
