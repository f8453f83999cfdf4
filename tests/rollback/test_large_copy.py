"""A copy that is larger than its page cache, while the database is written to."""

from pathlib import Path
from random import Random

from wigwag.server.engines import open_database
from wigwag.server.engines._copy import DatabaseCopy
from wigwag.server.engines._sql import typed

ROWS = 1_600
ROW_BYTES = 1_500
"""Some 600 pages; SQLite's cache for the copy holds less than 500."""


def test_pages_that_leave_the_cache_early_have_their_checksums(tmp_path: Path) -> None:
    """Else a backup of a busy server beyond 2 MB is never good: found by the soak."""
    pick = Random(1)  # noqa: S311 - filling
    connection = open_database(tmp_path / "wigwag.db")
    source = typed(connection)
    for name in ("few", "many"):
        source.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, body BLOB)")
    source.execute("BEGIN")
    source.execute("INSERT INTO few VALUES (1, 0)")
    for _ in range(ROWS):
        row = (pick.randbytes(ROW_BYTES),)
        source.execute("INSERT INTO many (body) VALUES (?)", row)
    source.execute("COMMIT")
    copy = DatabaseCopy(source, tmp_path / "copy.db")
    updates = 0
    while not copy.step().is_last:
        source.execute("UPDATE few SET body = body + 1")
        updates += 1
    copy.close()
    connection.close()
    assert updates > 1
    copied = typed(open_database(tmp_path / "copy.db"))
    assert copied.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert copied.execute("SELECT body FROM few").fetchall() == [(updates,)]
    assert copied.execute("SELECT count(*) FROM many").fetchall() == [(ROWS,)]
    copied.close()
