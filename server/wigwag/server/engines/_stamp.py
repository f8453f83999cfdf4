"""The stamp: that a database and its log are of one time.

A folder that is copied file by file from under a running server may hold the database
of before a checkpoint and the log of after it. SQLite opens that without a word, and
what lay between is missing, here a row and there a page. So each checkpoint ends with
a stamp:

1. The log is copied into the database and both are durable, as ever.
2. A transaction raises `user_version`, a number in the header on the file's first page,
   and takes back what the log says of it (`log.settled` = 0: nothing is proven).
3. That alone is copied into the database, durably.
4. From the next group on the log says which number the file bears. It is one more
   value of a row that every group writes anyway.

At a start the header's number is read past the log and compared with what the log says.
Whoever copies a file begins with its first page: a copy of the database that was begun
before a checkpoint had ended bears the older number, also if the checkpoint wrote into
it while it was copied, and fits no log of after it. A log that was copied before the
database is noticed as well, unless the checkpoint fell into the copying of the database
and neither let it grow nor wrote another group before the mark was copied (`_mark`);
tools that go by name or by age copy the database first.

After any crash the number is what the log says or the log says 0: it says a number only
after that number was durable, and the number changes only after a commit that says 0.
"""

from pathlib import Path

import apsw
import msgspec

from wigwag.server.engines._checked import checked_vfs
from wigwag.server.engines._crash import crash_point
from wigwag.server.engines._sql import Database, fetch_one, typed

# What the log says if it can't say which number the file bears.
UNKNOWN = 0
# The header's number is of 32 bits, with a sign; it begins again at 1.
_NUMBER_MAX = 2**31 - 1


class FileState(msgspec.Struct, frozen=True):
    """What a database's file says by itself, its log left aside.

    Attributes:
        number: In its header; `UNKNOWN` if that can't be read.
        size_bytes: Its size.
    """

    number: int
    size_bytes: int


def read_file_state(path: Path) -> FileState:
    """Look at a database's file past its log; nothing is written.

    It is read through SQLite, since closing a descriptor of one's own would drop the
    locks of a connection in this process.
    """
    if not path.exists():
        return FileState(UNKNOWN, 0)
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    size_bytes = path.stat().st_size
    try:
        database = typed(apsw.Connection(uri, flags=flags, vfs=checked_vfs()))
    except apsw.Error:
        return FileState(UNKNOWN, size_bytes)
    try:
        # A power cut in a checkpoint may have torn the page; the log then has it whole.
        database.execute("PRAGMA checksum_verification = OFF").fetchall()
        (number,) = fetch_one(database, "PRAGMA user_version")
    except apsw.Error:
        return FileState(UNKNOWN, size_bytes)
    finally:
        database.close()
    return FileState(number, size_bytes)


def is_mixed(database: Database, file: FileState) -> bool:
    """Whether a database's file is of another time than its log.

    Args:
        database: Open, its log taken in.
        file: What `read_file_state` found before.
    """
    has_column = "SELECT count(*) FROM pragma_table_info('log') WHERE name = 'settled'"
    if fetch_one(database, has_column) == (0,):
        return False  # new, of an older build, or of something else
    (settled,) = fetch_one(database, "SELECT settled FROM log")
    if settled == UNKNOWN or file.number == UNKNOWN:
        return False
    pages: int = fetch_one(database, "PRAGMA page_count")[0]
    page_bytes: int = fetch_one(database, "PRAGMA page_size")[0]
    # Files only grow; one that is larger than the log knows was written after it.
    has_grown = file.size_bytes > pages * page_bytes
    return has_grown or bool(settled != file.number)


def forget_stamp(database: Database) -> None:
    """Let the log say nothing of the file."""
    database.execute("UPDATE log SET settled = ?", (UNKNOWN,))


def settled_at_start(database: Database, file: FileState) -> int:
    """Return what the log may say from a start on.

    The number in the file stays the same until the next checkpoint, unless the log
    already has another one for it.
    """
    (number,) = fetch_one(database, "PRAGMA user_version")
    return file.number if number == file.number else UNKNOWN


def stamp(database: Database, mode: int) -> int:
    """Stamp a database whose log was just copied into it; return what the log may say.

    Raises:
        apsw.FullError: There is no space; no transaction is open.
        apsw.Error: The disk failed; nothing is known.
    """
    (number,) = fetch_one(database, "PRAGMA user_version")
    number = number % _NUMBER_MAX + 1
    try:
        database.execute("BEGIN IMMEDIATE")
        database.execute(f"PRAGMA user_version = {number:d}")
        forget_stamp(database)
        database.execute("COMMIT")
    except apsw.FullError:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    crash_point("store.while_stamping")
    frames, copied = database.wal_checkpoint(None, mode)
    return number if frames == copied else UNKNOWN
