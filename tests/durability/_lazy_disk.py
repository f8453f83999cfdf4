"""A whole file system that loses power, for a whole process: a FUSE mount.

It does what lazyfs does (Ramos et al., "When Amnesia Strikes", VLDB 2024), and more of
it: contents live in memory; what no fsync has made durable lands, after a cut, whole,
in part, torn or not at all. That holds for every file that the process writes, not for
the database's alone, and for names: what was created, renamed or deleted since its
folder's last fsync has happened or not, in order or not.
"""

import errno
import os
import stat
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.durability import _fuse
from tests.durability._fuse import Op, Request
from tests.durability._power_disk import Content, Truncate, Write

ROOT = 1
IN_ORDER_SHARE = 0.5
"""As often as not names become durable in order, as in a journal."""
SERVE_SECONDS_MAX = 20.0
SIZE_BLOCKS = 1 << 20
"""4 GiB are free, as far as anybody is told."""


@dataclass(slots=True)
class Change:
    """A name that came, went or was turned to another node.

    Attributes:
        names: Name → node; 0: there is none any more. A rename has two.
    """

    names: dict[str, int]


@dataclass(slots=True)
class Node:
    """A file or a folder.

    Attributes:
        mode: Kind and permissions.
        content: Of a file.
        image: What a reader sees of a file.
        names: Of a folder: as they are.
        durable: Of a folder: as they were at its last fsync.
        changes: Of a folder: since then.
    """

    mode: int
    content: Content = field(default_factory=Content)
    image: bytearray = field(default_factory=bytearray)
    names: dict[str, int] = field(default_factory=dict[str, int])
    durable: dict[str, int] = field(default_factory=dict[str, int])
    changes: list[Change] = field(default_factory=list[Change])

    @property
    def is_folder(self) -> bool:
        """Whether it holds names."""
        return stat.S_ISDIR(self.mode)

    def change(self, **names: int) -> None:
        """Change names."""
        self.changes.append(Change(names))
        apply_names(self.names, names)

    def sync(self) -> None:
        """Make everything durable."""
        self.content.sync()
        self.durable = dict(self.names)
        self.changes.clear()

    def names_after_cut(self, pick: Random) -> dict[str, int]:
        """Return the names that a cut may leave."""
        kept = self.changes
        if pick.random() < IN_ORDER_SHARE:
            kept = kept[: pick.randrange(len(kept) + 1)]
        else:
            kept = [change for change in kept if pick.random() < 0.5]
        names = dict(self.durable)
        for change in kept:
            apply_names(names, change.names)
        return names


def apply_names(names: dict[str, int], changed: dict[str, int]) -> None:
    """Take changed names over."""
    for name, node in changed.items():
        if node:
            names[name] = node
        else:
            names.pop(name, None)


class LazyDisk:
    """The file system.

    Args:
        lies: A planted bug: it says "durable" and does nothing.

    Attributes:
        is_cut: Whether the power has gone: nothing happens any more.
        syncs: How many fsyncs there were.
    """

    def __init__(self, *, lies: bool = False) -> None:
        self.is_cut = False
        self.syncs = 0
        self._lies = lies
        self._lock = threading.Lock()
        self._nodes = {ROOT: Node(stat.S_IFDIR | 0o700)}
        self._newest = ROOT

    def load(self, folder: Path) -> None:
        """Take a folder's files over, as durable."""
        self._load(folder, self._nodes[ROOT])

    def _load(self, folder: Path, into: Node) -> None:
        for path in folder.iterdir():
            mode = path.stat().st_mode
            number = self._add(mode)
            node = self._nodes[number]
            into.change(**{path.name: number})
            if path.is_dir():
                self._load(path, node)
            else:
                node.image += path.read_bytes()
                node.content.durable += node.image
        into.sync()

    def cut(self) -> None:
        """Take the power away."""
        with self._lock:
            self.is_cut = True

    def after_cut(self, target: Path, pick: Random) -> None:
        """Write files as the cut may have left them into an empty folder."""
        assert self.is_cut, "the power is on"
        self._write(self._nodes[ROOT], target, pick)

    def _write(self, folder: Node, target: Path, pick: Random) -> None:
        for name, number in sorted(folder.names_after_cut(pick).items()):
            node, path = self._nodes[number], target / name
            if node.is_folder:
                path.mkdir(mode=0o700)
                self._write(node, path, pick)
            elif stat.S_ISREG(node.mode):
                path.touch(stat.S_IMODE(node.mode))
                path.write_bytes(node.content.after_cut(pick))

    @contextmanager
    def mounted(self, folder: Path) -> Generator[None, None, None]:
        """Serve it at a folder while the block lasts.

        Raises:
            NotPermittedError: This user can't.
        """
        device = _fuse.mount(folder)
        thread = threading.Thread(
            target=_fuse.serve, args=(device, self.answer), daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            _fuse.unmount(folder)
            thread.join(SERVE_SECONDS_MAX)
            os.close(device)

    # What the kernel asks

    def answer(self, request: Request) -> bytes:
        """Answer one request.

        Raises:
            OSError: It can't be done; without power nothing can.
        """
        with self._lock:
            if self.is_cut and request.op != Op.DESTROY:
                raise OSError(errno.EIO, "no power")
            match request.op:
                case Op.INIT:
                    return _init(request.body)
                case Op.STATFS:
                    return _fuse.STATFS_OUT.pack(
                        *(SIZE_BLOCKS, SIZE_BLOCKS, SIZE_BLOCKS, SIZE_BLOCKS),
                        *(SIZE_BLOCKS, 4_096, 255, 4_096, 0),
                    )
                case Op.OPEN | Op.OPENDIR:
                    return _fuse.OPEN_OUT.pack(0, 0, 0)
                case Op.FLUSH | Op.RELEASE | Op.RELEASEDIR | Op.DESTROY:
                    return b""
                case Op.FSYNC | Op.FSYNCDIR:
                    self.syncs += 1
                    if not self._lies:
                        self._nodes[request.node].sync()
                    return b""
                case Op.READ | Op.WRITE | Op.GETATTR | Op.SETATTR:
                    return self._file(request)
                case _:
                    return self._folder(request)

    def _file(self, request: Request) -> bytes:
        """Do something with a node's content or attributes."""
        node = self._nodes[request.node]
        if request.op == Op.GETATTR:
            return _fuse.ATTR_OUT.pack(0, 0, 0) + self._attributes(request.node)
        if request.op == Op.SETATTR:
            valid, _, _, size, *_, mode, _, _, _, _ = _fuse.SETATTR_IN.unpack_from(
                request.body
            )
            if valid & 1:
                node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
            if valid & 8:
                node.content.pending.append(Truncate(size))
                del node.image[size:]
                node.image += bytes(size - len(node.image))
            return _fuse.ATTR_OUT.pack(0, 0, 0) + self._attributes(request.node)
        _, offset, size, *_ = _fuse.READ_IN.unpack_from(request.body)
        if request.op == Op.READ:
            return bytes(node.image[offset : offset + size])
        data = request.body[_fuse.READ_IN.size :][:size]
        node.content.pending.append(Write(offset, data))
        node.image += bytes(max(0, offset + size - len(node.image)))
        node.image[offset : offset + size] = data
        return _fuse.WRITE_OUT.pack(size, 0)

    def _folder(self, request: Request) -> bytes:
        """Do something with names."""
        folder, body = self._nodes[request.node], request.body
        match request.op:
            case Op.LOOKUP:
                name = _names(body)[0]
                if name not in folder.names:
                    raise OSError(errno.ENOENT, name)
                return self._entry(folder.names[name])
            case Op.MKNOD:
                (mode, *_), rest = _fuse.MKNOD_IN.unpack_from(body), body[16:]
                return self._entry(self._make(folder, rest, mode))
            case Op.MKDIR:
                mode, _ = _fuse.MKDIR_IN.unpack_from(body)
                made = self._make(folder, body[8:], stat.S_IFDIR | mode)
                return self._entry(made)
            case Op.CREATE:
                (_, mode, *_), rest = _fuse.MKNOD_IN.unpack_from(body), body[16:]
                made = self._make(folder, rest, stat.S_IFREG | stat.S_IMODE(mode))
                return self._entry(made) + _fuse.OPEN_OUT.pack(0, 0, 0)
            case Op.UNLINK | Op.RMDIR:
                folder.change(**{_names(body)[0]: 0})
                return b""
            case Op.RENAME | Op.RENAME2:
                start = 8 if request.op == Op.RENAME else 16
                (target,) = struct.unpack_from("<Q", body)
                old, new = _names(body[start:])
                if target != request.node:
                    raise OSError(errno.EXDEV, "only within a folder")
                folder.change(**{old: 0, new: folder.names[old]})
                return b""
            case Op.READDIR:
                return self._list(folder, body)
            case _:
                raise OSError(errno.ENOSYS, "not made")

    def _make(self, folder: Node, name: bytes, mode: int) -> int:
        number = self._add(mode)
        folder.change(**{_names(name)[0]: number})
        return number

    def _add(self, mode: int) -> int:
        self._newest += 1
        self._nodes[self._newest] = Node(mode)
        return self._newest

    def _attributes(self, number: int) -> bytes:
        node = self._nodes[number]
        return _fuse.attributes(number, node.mode, len(node.image))

    def _entry(self, number: int) -> bytes:
        return _fuse.ENTRY.pack(number, 0, 0, 0, 0, 0) + self._attributes(number)

    def _list(self, folder: Node, body: bytes) -> bytes:
        _, offset, size, *_ = _fuse.READ_IN.unpack_from(body)
        listed = b""
        entries = [(".", ROOT), ("..", ROOT), *folder.names.items()]
        for place, (name, number) in enumerate(entries[offset:], offset + 1):
            encoded = name.encode()
            kind = self._nodes[number].mode >> 12
            one = _fuse.DIRENT.pack(number, place, len(encoded), kind) + encoded
            one += bytes(-len(one) % 8)
            if len(listed) + len(one) > size:
                break
            listed += one
        return listed


def _names(body: bytes) -> list[str]:
    """Return the names that end a request, each with a zero behind it."""
    return [name.decode() for name in body.split(b"\0") if name]


def _init(body: bytes) -> bytes:
    _, minor, readahead, flags = struct.unpack_from("<IIII", body)
    return _fuse.INIT_OUT.pack(
        *(_fuse.MAJOR, min(minor, _fuse.MINOR), readahead, flags & _fuse.BIG_WRITES),
        *(12, 9, _fuse.WRITE_BYTES_MAX, 1, 0, 0, 0),
    )
