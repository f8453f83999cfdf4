"""What can go wrong below the folds: the disk, the folder, the clock."""

from datetime import UTC, datetime


class StorageError(Exception):
    """Root of everything that a store reports."""


class DatabaseInUseError(StorageError):
    """Another process has the database open.

    Attributes:
        path: The database.
    """

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is in use by another process")
        self.path = path


class SchemaTooNewError(StorageError):
    """The database was written by a newer build.

    Attributes:
        found: Its schema version.
        supported: The newest that this build knows.
        version: The oldest Wigwag release that can open it.
    """

    def __init__(self, found: int, supported: int, version: str) -> None:
        super().__init__(
            f"the data folder has schema {found} and this build knows up to "
            f"{supported}: use Wigwag {version} or newer"
        )
        self.found = found
        self.supported = supported
        self.version = version


class NotADatabaseError(StorageError):
    """The file is no Wigwag database, or damaged beyond opening.

    Attributes:
        path: The database.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} is not a usable Wigwag database: {reason}")
        self.path = path


class DatabaseDamagedError(NotADatabaseError):
    """Bytes of the database are not what was written; they are not used.

    Attributes:
        path: The database.
        pages: Damaged pages of the file, counted from 1; empty: elsewhere, or unknown.
    """

    def __init__(self, path: str, reason: str, pages: tuple[int, ...] = ()) -> None:
        where = f"damaged in page {', '.join(map(str, pages))}" if pages else "damaged"
        StorageError.__init__(
            self,
            f"{path} is {where} ({reason}); nothing of it was used or changed: check "
            "the disk, then put a backup back with `wigwag admin restore`",
        )
        self.path = path
        self.pages = pages


class LogLostError(NotADatabaseError):
    """The database ends before what was durable: its log was damaged or cut off.

    Attributes:
        path: The database.
        found: Where it ends.
        proven: Where it had come to.
    """

    def __init__(self, path: str, found: int, proven: int) -> None:
        StorageError.__init__(
            self,
            f"{path} ends at {_place(found)}, though it was durable up to "
            f"{_place(proven)}: commits are lost, since its log was damaged, cut off "
            "or put back from an older copy. Put a backup back with `wigwag admin "
            "restore`, or go on without them: start once with --accept-loss",
        )
        self.path = path
        self.found = found
        self.proven = proven


class MixedCopyError(NotADatabaseError):
    """Database and log are of different times: they were copied while in use.

    Attributes:
        path: The database.
    """

    def __init__(self, path: str) -> None:
        StorageError.__init__(
            self,
            f"{path} and its log are of different times: they were copied from under "
            "a running server, and what was written between is missing. Put another "
            "copy back (`wigwag admin backup` makes one of a running server, `wigwag "
            "admin restore` puts it back), or go on with what there is: start once "
            "with --accept-loss",
        )
        self.path = path


def _utc(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _place(position: int) -> str:
    return f"epoch {position >> 32} record {position & 0xFFFFFFFF}"


class OpenFailedError(StorageError):
    """The disk refused while the database was opened; nothing was lost."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} can't be opened: {reason}")


class ClockSuspectError(StorageError):
    """The wall clock does not fit the newest record; the operator must confirm it.

    Attributes:
        now_ms: The clock, ms since the Unix epoch.
        last_ms: The newest record's time.
    """

    def __init__(self, now_ms: int, last_ms: int) -> None:
        side = "behind" if now_ms < last_ms else "after"
        seconds = abs(now_ms - last_ms) // 1000
        super().__init__(
            f"the clock of this machine says {_utc(now_ms)}, which is {seconds} s "
            f"{side} the newest record, {_utc(last_ms)}: set it, or, if it is right, "
            "start once with --accept-clock"
        )
        self.now_ms = now_ms
        self.last_ms = last_ms


class CommitUncertainError(StorageError):
    """A commit or checkpoint failed and nothing is known about it: the engine stops.

    After a failed fsync the operating system may have dropped the pages, so going
    on could answer for what is not durable. The process must end and start anew.
    """


class ReadFailedError(StorageError):
    """The database could not be read; the engine stops."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the database could not be read: {reason}")


class EngineClosedError(StorageError):
    """A request was appended to an engine that has stopped."""

    def __init__(self) -> None:
        super().__init__("the engine has stopped")


class CopyFailedError(StorageError):
    """A copy of the database could not be made; the engine itself goes on."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the database could not be copied: {reason}")
