"""The few words of the kernel's FUSE protocol that a disk in memory needs.

Spoken over /dev/fuse itself, without a library: a request is a header and a body, the
answer a header and a body. Constants and layouts are those of `linux/fuse.h`, protocol
7.31 (docs.kernel.org/filesystems/fuse.html).
"""

import ctypes
import enum
import errno
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEVICE: Final = Path("/dev/fuse")
MAJOR: Final = 7
MINOR: Final = 31
WRITE_BYTES_MAX: Final = 128 << 10
BUFFER_BYTES: Final = WRITE_BYTES_MAX + 8_192
"""The kernel refuses to talk to a smaller one."""
BIG_WRITES: Final = 1 << 5
MNT_DETACH: Final = 2

HEADER_IN: Final = struct.Struct("<IIQQIIII")
HEADER_OUT: Final = struct.Struct("<IiQ")
INIT_OUT: Final = struct.Struct("<IIIIHHIIHHI28x")
ATTRIBUTES: Final = struct.Struct("<QQQQQQIIIIIIIIII")
ENTRY: Final = struct.Struct("<QQQQII")
ATTR_OUT: Final = struct.Struct("<QII")
OPEN_OUT: Final = struct.Struct("<QII")
WRITE_OUT: Final = struct.Struct("<II")
STATFS_OUT: Final = struct.Struct("<QQQQQIIII24x")
SETATTR_IN: Final = struct.Struct("<IIQQQQQQIIIIIIII")
READ_IN: Final = struct.Struct("<QQIIQII")
MKNOD_IN: Final = struct.Struct("<IIII")
MKDIR_IN: Final = struct.Struct("<II")
DIRENT: Final = struct.Struct("<QQII")


class Op(enum.IntEnum):
    """What the kernel may ask; whatever isn't here is answered ENOSYS."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    MKNOD = 8
    MKDIR = 9
    UNLINK = 10
    RMDIR = 11
    RENAME = 12
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    FLUSH = 25
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    FSYNCDIR = 30
    CREATE = 35
    INTERRUPT = 36
    DESTROY = 38
    BATCH_FORGET = 42
    RENAME2 = 45


SILENT: Final = frozenset({Op.FORGET, Op.BATCH_FORGET, Op.INTERRUPT})
"""Never answered."""


class NotPermittedError(Exception):
    """This user can't mount, or this kernel has no FUSE."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the kernel.

    Attributes:
        op: What; a number that `Op` doesn't have is no member.
        node: On which node.
        body: The rest.
    """

    op: int
    node: int
    body: bytes


def attributes(node: int, mode: int, size: int, links: int = 1) -> bytes:
    """Return a node's attributes; times don't matter to anybody here."""
    return ATTRIBUTES.pack(
        *(node, size, -(-size // 512), 0, 0, 0, 0, 0, 0),
        *(mode, links, os.geteuid(), os.getegid(), 0, 4_096, 0),
    )


def mount(folder: Path) -> int:
    """Mount a file system that this process serves; return the device to read.

    Raises:
        NotPermittedError: It can't be done here.
    """
    try:
        device = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise NotPermittedError(str(error)) from error
    options = (
        f"fd={device},rootmode=40000,user_id={os.geteuid()},group_id={os.getegid()}"
    )
    if _libc().mount(
        b"wigwag", os.fsencode(folder), b"fuse.wigwag", 0, options.encode()
    ):
        reason = os.strerror(ctypes.get_errno())
        os.close(device)
        raise NotPermittedError(reason)
    return device


def unmount(folder: Path) -> None:
    """Take the file system away, also from those who have files of it open."""
    _libc().umount2(os.fsencode(folder), MNT_DETACH)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def serve(device: int, answer: Callable[[Request], bytes]) -> None:
    """Answer requests until the file system is unmounted.

    Args:
        device: As `mount` returned it.
        answer: Returns the body of an answer, or raises OSError with its number.
    """
    while True:
        try:
            data = os.read(device, BUFFER_BYTES)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):  # taken back meanwhile
                continue
            if error.errno == errno.ENODEV:
                return
            raise
        _, op, unique, node, *_ = HEADER_IN.unpack_from(data)
        if op in SILENT:
            continue
        body, number = b"", 0
        try:
            body = answer(Request(op, node, data[HEADER_IN.size :]))
        except OSError as error:
            number = error.errno or errno.EIO
        head = HEADER_OUT.pack(HEADER_OUT.size + len(body), -number, unique)
        try:
            os.write(device, head + body)
        except OSError as error:
            # Whoever asked was killed meanwhile.
            if error.errno != errno.ENOENT:
                raise
