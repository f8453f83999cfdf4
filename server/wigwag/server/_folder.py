"""The data folder: whose it is, and how a file in it becomes durable.

A folder belongs to one process at a time. The lock is `flock`, so the kernel lets
it go with the process, however that ends; the text in the lock file only says who
holds it. Whatever is created is fsynced together with its parent folder: without
that a power cut may leave the folder without the file.
"""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wigwag.server._errors import DamagedDataError, InUseError, StorageError

FOLDER_MODE = 0o700
SECRET_MODE = 0o600
LOCK_NAME = "lock"
DATABASE_NAME = "wigwag.db"
ADMIN_SOCKET_NAME = "admin.sock"
# There while a restore is under way: the folder is half old and half new.
RESTORING_NAME = "restoring"
# The text of a lock file is one line; more is some other file.
LOCK_BYTES_MAX = 512


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A data folder that this process holds."""

    path: Path

    @property
    def database(self) -> Path:
        """The engine's database."""
        return self.path / DATABASE_NAME

    @property
    def admin_socket(self) -> Path:
        """The local admin socket."""
        return self.path / ADMIN_SOCKET_NAME

    def write_secret(self, name: str, data: bytes) -> Path:
        """Write a file that only its owner may read, whole or not at all.

        Raises:
            StorageError: The disk refused.
        """
        target = self.path / name
        temporary = self.path / f".{name}.new"
        try:
            temporary.unlink(missing_ok=True)
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE
            )
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(target)
            fsync_folder(self.path)
        except OSError as error:
            raise storage_error(target, error) from error
        return target


@contextlib.contextmanager
def open_folder(
    path: Path, *, is_restore: bool = False
) -> Generator[DataFolder, None, None]:
    """Create the data folder if needed and hold it until the block ends.

    Args:
        path: The folder.
        is_restore: Also one that a restore left unfinished.

    Raises:
        InUseError: Another process holds it; the sentence says which, since when.
        DamagedDataError: A restore of it was cut short.
        StorageError: It can't be created, entered or locked.
    """
    try:
        _make(path)
        descriptor = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT, SECRET_MODE)
    except OSError as error:
        raise storage_error(path, error) from error
    try:
        _lock(path, descriptor)
        if not is_restore and (path / RESTORING_NAME).exists():
            raise DamagedDataError(
                f"a restore of {path} was cut short: give the same "
                "`wigwag admin restore` again"
            )
        yield DataFolder(path)
    finally:
        os.close(descriptor)


def fsync_folder(path: Path) -> None:
    """Make a folder's list of names durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage_error(path: Path, error: OSError) -> StorageError:
    """Say what the disk refused and what to do about it."""
    advice = {
        errno.ENOSPC: "the disk is full: make room and start again",
        errno.EDQUOT: "the disk quota is used up: make room and start again",
        errno.EACCES: "permission denied: give the folder to the server's user",
        errno.EPERM: "permission denied: give the folder to the server's user",
        errno.EROFS: "the file system is read-only",
        errno.ENOTDIR: "a file stands where a folder is needed",
        errno.EEXIST: "a file stands where a folder is needed",
    }.get(error.errno or 0, error.strerror or str(error))
    return StorageError(f"{path}: {advice}")


def _make(path: Path) -> None:
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=FOLDER_MODE if folder == path else 0o755)
        fsync_folder(folder.parent)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(path))
    if stat.S_IMODE(path.stat().st_mode) != FOLDER_MODE:
        # A copied or hand-made folder: everybody of the machine could look in.
        path.chmod(FOLDER_MODE)


def _lock(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, LOCK_BYTES_MAX, 0).decode("utf-8", "replace")
        who = holder.strip() or "another process"
        raise InUseError(
            f"{path} is held by {who}: stop it first or use another --data"
        ) from error
    except OSError as error:
        raise storage_error(path / LOCK_NAME, error) from error
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} since {since}\n".encode(), 0)
    except OSError as error:
        raise storage_error(path / LOCK_NAME, error) from error
