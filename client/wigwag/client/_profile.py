"""Profiles: the folder that holds one device of one account."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import platformdirs

from wigwag.client._errors import (
    ProfileError,
    ProfileInsecure,
    ProfileInUse,
    ProfileMissing,
)

DEFAULT_NAME: Final = "default"

VARIABLE: Final = "WIGWAG_PROFILE"

DATABASE_FILE: Final = "wigwag.db"
KEY_FILE: Final = "key.json"
LOCK_FILE: Final = "lock"
SOCKET_FILE: Final = "holder"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def profile_folder(
    profile: str | Path | None = None, environment: Mapping[str, str] | None = None
) -> Path:
    """Say where a profile lives.

    Args:
        profile: Name or folder; None: `WIGWAG_PROFILE`, else the default one. Text
            with a path separator, or that begins with a dot or tilde, is a folder.
        environment: Environment variables; None: those of the process.

    Raises:
        ProfileError: A name with characters that a name can't have.
    """
    if profile is None:
        variables = os.environ if environment is None else environment
        profile = variables.get(VARIABLE) or DEFAULT_NAME
    if isinstance(profile, Path):
        return profile.expanduser().absolute()
    if "/" in profile or os.sep in profile or profile.startswith((".", "~")):
        return Path(profile).expanduser().absolute()
    if not _NAME.fullmatch(profile):
        raise ProfileError(
            f"The profile name {profile!r} has characters other than letters,"
            " digits, dot, hyphen and underscore."
        )
    return platformdirs.user_data_path("wigwag") / "profiles" / profile


def make_folder(folder: Path) -> None:
    """Make a profile's folder, readable by its owner only; it may exist."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync_folder(folder.parent)


def check_folder(folder: Path) -> None:
    """Refuse a folder that isn't there or that others can read.

    Raises:
        ProfileMissing: It isn't there, or holds no profile.
        ProfileInsecure: Group or others have rights on it.
    """
    if not (folder / KEY_FILE).is_file() and not (folder / DATABASE_FILE).is_file():
        raise ProfileMissing(f"There is no profile {folder.name} in {folder.parent}.")
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        raise ProfileInsecure(f"Others can read the profile folder {folder}.")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable (fsync)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, mode 0600, durable on return."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
    )
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


class ProfileLock:
    """Holds a profile: two processes on one ratchet state would lose messages.

    The lock is the operating system's (flock), so it ends with the process,
    however that ends; the pid in the file only tells others whom to ask.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> Self:
        """Take the profile.

        Raises:
            ProfileInUse: Somebody has it; the error names the process.
        """
        import fcntl

        path = self._folder / LOCK_FILE
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _read_pid(descriptor)
            os.close(descriptor)
            raise ProfileInUse(self._folder, holder) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
        self._descriptor = descriptor
        return self

    def release(self) -> None:
        """Give the profile up; harmless when it isn't held."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self.acquire()

    def __exit__(self, *_details: object) -> None:
        self.release()


def _read_pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 20, 0)
    return int(text) if text.isdigit() else None
