"""A data folder of a newer build: refused, with the version that can open it."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from wigwag.server import DamagedDataError
from wigwag.server.engines import checked_vfs
from wigwag.server.engines._sql import typed
from wigwag.testing import server


async def test_a_newer_schema_is_refused_with_the_version_to_use(
    tmp_path: Path,
) -> None:
    """An older build that guesses would destroy what it doesn't know."""
    async with server(folder=tmp_path) as running:
        database = running.folder / "wigwag.db"
    with closing(apsw.Connection(str(database), vfs=checked_vfs())) as connection:
        typed(connection).execute("UPDATE log SET schema = 999, version = '9.9.9'")
    before = database.read_bytes()
    with pytest.raises(DamagedDataError, match=r"use Wigwag 9\.9\.9 or newer"):
        async with server(folder=tmp_path):
            raise AssertionError("an older build opened a newer folder")
    assert database.read_bytes() == before
