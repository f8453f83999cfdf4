"""A disk whose n-th call fails: an APSW VFS above the real one.

Every call that reaches the system counts: open, read, write, sync, truncate, delete,
size, lock. The n-th fails, once or for ever after, with an I/O error or a full disk, or
a read that comes back short.
"""

from enum import Enum
from types import TracebackType
from typing import Any

import apsw


class Fault(Enum):
    """How a call fails."""

    IO_ERROR = "I/O error"
    FULL = "disk full"
    SHORT_READ = "short read"


GROWING = frozenset({"open", "write"})
"""What a full disk refuses."""

_made: list["FaultyDisk"] = []


class FaultyDisk(apsw.VFS):
    """The VFS.

    Attributes:
        calls: So far.
        fail_at: Which call fails; 0: none.
        fault: How.
        is_lasting: Whether all later ones fail as well.
        failed: What failed first, "" if nothing has.
    """

    def __init__(self, name: str, base: str) -> None:
        # The cipher's VFS over this one holds its address for ever, under its name:
        # so each has a name of its own, and none is ever freed.
        self.name = f"{name}-{len(_made)}"
        super().__init__(self.name, base=base)
        _made.append(self)
        self.base = base
        self.reset()

    def reset(
        self,
        fail_at: int = 0,
        fault: Fault = Fault.IO_ERROR,
        *,
        is_lasting: bool = False,
    ) -> None:
        """Begin to count anew."""
        self.calls = 0
        self.fail_at = fail_at
        self.fault = fault
        self.is_lasting = is_lasting
        self.failed = ""

    def is_short(self, what: str) -> bool:
        """Count a call; say whether it is a read that comes back short.

        Raises:
            apsw.IOError: The call fails.
            apsw.FullError: It fails for want of space.
        """
        self.calls += 1
        is_due = self.calls == self.fail_at or (
            self.is_lasting and 0 < self.fail_at < self.calls
        )
        if not is_due:
            return False
        match self.fault:
            case Fault.SHORT_READ if what == "read":
                self.failed = self.failed or what
                return True
            case Fault.IO_ERROR:
                self.failed = self.failed or what
                raise apsw.IOError("the disk is broken")
            case Fault.FULL if what in GROWING:
                self.failed = self.failed or what
                raise apsw.FullError("the disk is full")
            case _:
                return False

    def excepthook(
        self,
        etype: type[BaseException] | None,
        evalue: BaseException | None,
        etraceback: TracebackType | None,
    ) -> bool:
        """Say nothing where SQLite can't be told."""
        return True

    def xOpen(self, name: Any, flags: Any) -> "FaultyFile":  # noqa: N802, ANN401 - apsw
        """Open."""
        self.is_short("open")
        return FaultyFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - apsw
        """Delete."""
        self.is_short("delete")
        super().xDelete(filename, syncdir)


class FaultyFile(apsw.VFSFile):
    """A file of a `FaultyDisk`."""

    def __init__(self, disk: FaultyDisk, name: Any, flags: Any) -> None:  # noqa: ANN401
        super().__init__(disk.base, name, flags)
        self._disk = disk

    def excepthook(
        self,
        etype: type[BaseException] | None,
        evalue: BaseException | None,
        etraceback: TracebackType | None,
    ) -> bool:
        """Say nothing where SQLite can't be told."""
        return True

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - apsw
        """Read."""
        if self._disk.is_short("read"):
            return b""
        return super().xRead(amount, offset)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802, ANN401 - apsw
        """Write."""
        self._disk.is_short("write")
        super().xWrite(data, offset)  # pyright: ignore[reportUnknownMemberType]  # apsw

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw
        """Sync."""
        self._disk.is_short("sync")
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - apsw
        """Truncate."""
        self._disk.is_short("truncate")
        super().xTruncate(newsize)

    def xFileSize(self) -> int:  # noqa: N802 - apsw
        """Tell the size."""
        self._disk.is_short("size")
        return super().xFileSize()

    def xLock(self, level: int) -> None:  # noqa: N802 - apsw
        """Lock."""
        self._disk.is_short("lock")
        super().xLock(level)
