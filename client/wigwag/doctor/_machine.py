"""What the operating system tells of files, locks, memory and ports."""

import os
import pwd
import shutil
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOCKS: Final = Path("/proc/locks")
"""Who holds which lock, on Linux. Asking for the lock itself would disturb whoever
takes it at that moment."""

CGROUP_MEMORY: Final = Path("/sys/fs/cgroup/memory.max")
"""A container's bound, where there is one."""

LOCK_TEXT_BYTES_MAX: Final = 512

CONNECT_SECONDS: Final = 3.0
"""What is on this machine or near it answers in far less."""


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds a lock file.

    Attributes:
        pid: Its process id; 0: it can't be told.
    """

    pid: int


def lock_holder(path: Path) -> Held | None:
    """Say who holds a lock file, without asking for the lock; None: nobody.

    Where the system has no list of locks, the process that the file names is believed
    as long as it lives.
    """
    try:
        status = path.stat()
        text = path.read_bytes()[:LOCK_TEXT_BYTES_MAX].decode("utf-8", "replace")
    except OSError:
        return None
    named = next((int(word) for word in text.split() if word.isdigit()), 0)
    try:
        lines = LOCKS.read_text("ascii").splitlines()
    except OSError:
        return Held(named) if named and _lives(named) else None
    for line in lines:
        # 1: FLOCK  ADVISORY  WRITE 4711 08:02:1234 0 EOF; "->" marks who waits.
        words = line.split()
        if len(words) < 6 or words[1] != "FLOCK":
            continue
        pid, place = int(words[4]), words[5].split(":")
        if int(place[2]) != status.st_ino:
            continue
        device = os.makedev(int(place[0], 16), int(place[1], 16))
        # Layered file systems name another device than stat does.
        if device == status.st_dev or pid in (named, 0):
            return Held(max(pid, 0) or named)
    return None


def mode_of(path: Path) -> int:
    """Return the permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def owner_of(path: Path) -> str:
    """Return the name, or number, of a file's owner."""
    number = path.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def is_ours(path: Path) -> bool:
    """Whether this process' user owns a file."""
    return path.stat().st_uid == os.geteuid()


def user_name() -> str:
    """Return the name, or number, of this process' user."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def free_bytes(path: Path) -> int:
    """Return what may still be written beside a file."""
    return shutil.disk_usage(path).free


def memory_bytes() -> int:
    """Return the memory of this machine, or of its container if that has less."""
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):
        return min(whole, int(CGROUP_MEMORY.read_text("ascii")))
    return whole


def answers(host: str, port: int) -> str:
    """Connect to a port and leave; returns "" if somebody answers, else why not."""
    try:
        with socket.create_connection((host, port), CONNECT_SECONDS):
            return ""
    except TimeoutError:
        return "nobody answers"
    except OSError as error:
        return (error.strerror or str(error)).lower()


def size_words(count: float) -> str:
    """Write a number of bytes for a person."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("the last unit returns")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
