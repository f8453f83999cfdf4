"""A disk that loses power: what was not synced lands as it likes.

An APSW VFS below everything else of SQLite's (checksums and ciphers lie upon it).
Files are real; beside them it keeps, per file, what a sync has made durable and what
was written since. A cut builds from that the files as they may look afterwards:

* each unsynced write lands whole, not at all, or in some of its sectors (512 bytes or
  4 KiB); a sector may be torn in the middle; later writes may land before earlier ones;
* a truncation lands or doesn't; a file may have grown without its data (zeros);
* a name that was created or deleted since its folder was synced is there or isn't.

One instance serves a process: the layers above it are bound to it for good.
"""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any

import apsw

VFS_NAME = "power"
BASE_VFS = "unix"
SECTORS = (512, 4096)


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes that were written and not synced."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    """A truncation that was not synced."""

    size: int


@dataclass(slots=True)
class Content:
    """A file: what is durable of it, and what was done since."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write | Truncate] = field(default_factory=list[Write | Truncate])

    def sync(self) -> None:
        """Make everything durable."""
        for one in self.pending:
            _apply(self.durable, one)
        self.pending.clear()

    def after_cut(self, pick: Random) -> bytes:
        """Return one of the contents that a cut may leave."""
        image = bytearray(self.durable)
        share = pick.choice((0.0, 1.0, 0.5, pick.random()))
        sector = pick.choice(SECTORS)
        torn = pick.choice((0.0, 0.1))
        upto = len(self.pending)
        if pick.random() < 0.3:
            upto = pick.randrange(upto + 1)  # in order, but not all of it
        size = len(image)
        for one in self.pending[:upto]:
            match one:
                case Truncate():
                    if pick.random() < share:
                        _apply(image, one)
                case Write():
                    size = max(size, one.offset + len(one.data))
                    for piece in _sectors(one, sector):
                        if pick.random() < share:
                            _apply(image, _torn(piece, image, torn, pick))
        if len(image) < size and pick.random() < 0.1:
            image += bytes(size - len(image))
        return bytes(image)


def _apply(image: bytearray, one: Write | Truncate) -> None:
    match one:
        case Truncate():
            del image[one.size :]
            image += bytes(one.size - len(image))
        case Write():
            end = one.offset + len(one.data)
            image += bytes(max(0, end - len(image)))
            image[one.offset : end] = one.data


def _sectors(write: Write, size: int) -> list[Write]:
    pieces: list[Write] = []
    at, end = write.offset, write.offset + len(write.data)
    while at < end:
        stop = min(end, (at // size + 1) * size)
        first = at - write.offset
        pieces.append(Write(at, write.data[first : stop - write.offset]))
        at = stop
    return pieces


def _torn(piece: Write, image: bytearray, share: float, pick: Random) -> Write:
    if pick.random() >= share:
        return piece
    keep = pick.randrange(len(piece.data) + 1)
    old = bytes(image[piece.offset : piece.offset + len(piece.data)])
    old += bytes(len(piece.data) - len(old))
    return Write(piece.offset, piece.data[:keep] + old[keep:])


class PowerCutError(apsw.IOError):
    """There is no power any more."""


class Power:
    """The disk of one folder.

    Attributes:
        calls: Writes, syncs, truncations, deletions and creations so far.
        cut_at: At which call the power goes; None: not at all.
        is_cut: Whether it has gone.
        kinds: What was under way at the cuts: "write -wal", "sync .db", …
        syncs_folder: Whether SQLite itself syncs the folder of a new WAL, as its
            Unix VFS does; a disk without that is the harder one.
    """

    def __init__(
        self,
        folder: Path,
        cut_at: int | None = None,
        *,
        syncs_folder: bool = False,
        beside: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.calls = 0
        self.cut_at = cut_at
        self.is_cut = False
        self.kind = ""
        self.syncs_folder = syncs_folder
        self.files: dict[str, Content] = {}
        self._created: set[str] = set()
        self._deleted: dict[str, Content] = {}
        self._beside = {name: [b""] for name in beside}
        for path in folder.iterdir():
            if path.name not in self._beside:
                self.files[path.name] = Content(bytearray(path.read_bytes()))

    def step(self, what: str, name: str) -> None:
        """Count a call; the power may go with it.

        Raises:
            PowerCutError: It has gone.
        """
        if self.is_cut:
            raise PowerCutError("no power")
        self.calls += 1
        if self.cut_at is not None and self.calls >= self.cut_at:
            self._note_beside()
            self.is_cut = True
            self.kind = f"{what} {name.removeprefix('wigwag')}"
            raise PowerCutError("no power")

    def content(self, name: str) -> Content:
        """Return a file's record; one that is new has a name that isn't durable."""
        if name not in self.files:
            self.files[name] = Content()
            self._created.add(name)
        return self.files[name]

    def delete(self, name: str, is_synced: bool) -> None:
        """Take a name away."""
        content = self.files.pop(name, None)
        if content is None:
            return
        if name in self._created:
            self._created.discard(name)
        else:
            self._deleted[name] = content
        if is_synced:
            self.fsync_folder(self.folder)

    def fsync_folder(self, folder: Path) -> None:
        """Make names durable."""
        assert folder == self.folder
        self.step("fsync folder", "")
        self._created.clear()
        self._deleted.clear()

    def synced(self, name: str, is_new_log: bool) -> None:
        """Make a file durable."""
        self.content(name).sync()
        self._note_beside()
        if is_new_log:
            self._created.clear()
            self._deleted.clear()

    def _note_beside(self) -> None:
        """Note the files that nobody syncs in time: any older state may be left."""
        for name, states in self._beside.items():
            path = self.folder / name
            data = path.read_bytes() if path.exists() else b""
            if data != states[-1]:
                states.append(data)

    def after_cut(self, target: Path, pick: Random) -> None:
        """Write files as the cut may have left them into an empty folder."""
        names = dict(self.files)
        for name in self._created:
            if pick.random() < 0.5:
                del names[name]
        for name, content in self._deleted.items():
            if pick.random() < 0.5:
                names.setdefault(name, content)
        for name, content in names.items():
            (target / name).write_bytes(content.after_cut(pick))
        for name, states in self._beside.items():
            newer = states[-4:]
            data = pick.choice(newer)
            if pick.random() < 0.1:
                data = data[: pick.randrange(len(data) + 1)]
            if data:
                (target / name).write_bytes(data)


class PowerDisk(apsw.VFS):
    """The VFS; files outside of the watched folder are passed through.

    Attributes:
        power: The folder that is watched.
    """

    def __init__(self) -> None:
        super().__init__(VFS_NAME, base=BASE_VFS)
        self.power: Power | None = None

    def watched(self, path: str | None) -> Power | None:
        """Return the disk that a file lies on."""
        power = self.power
        if power is None or path is None:
            return None
        return power if os.path.dirname(path) == str(power.folder) else None

    def xOpen(self, name: Any, flags: Any) -> "PowerFile":  # noqa: N802, ANN401 - apsw
        """Open a file."""
        path = name if name is None or isinstance(name, str) else name.filename()
        power = self.watched(path)
        return PowerFile(power, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - apsw
        """Delete a file."""
        power = self.watched(filename)
        if power is not None:
            power.step("delete", os.path.basename(filename))
            power.delete(os.path.basename(filename), syncdir)
        super().xDelete(filename, syncdir)


class PowerFile(apsw.VFSFile):
    """A file of a `PowerDisk`."""

    def __init__(
        self,
        power: Power | None,
        path: str | None,
        name: Any,  # noqa: ANN401 - apsw's
        flags: Any,  # noqa: ANN401 - apsw's
    ) -> None:
        self._power = power
        self._name = os.path.basename(path or "")
        self._is_new_log = False
        if power is not None:
            # A journal's folder is synced with it by SQLite's Unix VFS, always.
            synced = apsw.SQLITE_OPEN_MAIN_JOURNAL
            if power.syncs_folder:
                synced |= apsw.SQLITE_OPEN_WAL
            if self._name not in power.files:
                power.step("create", self._name)
                self._is_new_log = bool(flags[0] & synced)
            power.content(self._name)
        super().__init__(BASE_VFS, name, flags)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802, ANN401 - apsw
        """Write."""
        power = self._power
        if power is not None:
            if not power.is_cut:
                power.content(self._name).pending.append(Write(offset, bytes(data)))
            power.step("write", self._name)
        super().xWrite(data, offset)  # pyright: ignore[reportUnknownMemberType]  # apsw

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - apsw
        """Truncate."""
        power = self._power
        if power is not None:
            if not power.is_cut:
                power.content(self._name).pending.append(Truncate(newsize))
            power.step("truncate", self._name)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw
        """Make durable; the real file needs no sync of its own."""
        power = self._power
        if power is None:
            super().xSync(flags)
            return
        power.step("sync", self._name)
        power.synced(self._name, self._is_new_log)
        self._is_new_log = False


_installed: list[PowerDisk] = []


def installed() -> PowerDisk:
    """Put the disk below everything that this process opens; once, before all else."""
    if not _installed:
        names = apsw.vfs_names()
        assert "cksmvfs" not in names, "the checksums lie on another disk already"
        _installed.append(PowerDisk())
        sys.excepthook = _tell_unless_cut
        apsw.set_default_vfs(VFS_NAME)
    return _installed[0]


def _tell_unless_cut(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Say nothing of a cut that SQLite met while it told of the cut."""
    if not issubclass(kind, PowerCutError):
        sys.__excepthook__(kind, error, traceback)
