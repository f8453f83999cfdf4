"""`restore`: puts a verified backup in the place of a data folder, offline.

The folder stays and is held by its lock; its files change. While they do, a file
`restoring` says so, and no server starts: after a crash the same command goes on.

    moving   what was there goes into a folder beside it (`--replace`)
    copying  the backup's files come in, the database last; cut short, they are
             deleted and come again

A restored server is an old copy of itself, and it knows: its next epoch is above
all that were used, and one-time prekeys that may have been handed out since are
gone. What devices hold then tells the rest, at their next sign-in.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from wigwag.server._engine_errors import engine_errors
from wigwag.server._errors import ConfigError, DamagedDataError, InUseError
from wigwag.server._folder import (
    ADMIN_SOCKET_NAME,
    DATABASE_NAME,
    FOLDER_MODE,
    LOCK_NAME,
    RESTORING_NAME,
    DataFolder,
    fsync_folder,
    open_folder,
    storage_error,
)
from wigwag.server._manifest import FOLDER_NAMES, Manifest, Tell, verify_backup
from wigwag.server.engines import mark_restored, newest_epoch

_STAYS = frozenset({LOCK_NAME, RESTORING_NAME, ADMIN_SOCKET_NAME})
COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes:
        manifest: Of the backup.
        set_aside: Where what was there before is now; None: nothing was there.
        left: Files of the backup that belong outside the data folder.
    """

    manifest: Manifest
    set_aside: Path | None
    left: tuple[str, ...]


class _Progress(msgspec.Struct, frozen=True):
    """What `restoring` says: how far it is."""

    phase: Literal["moving", "copying"]
    aside: str
    epoch_used: int = 0


def restore_backup(
    backup: Path,
    folder: Path,
    now: datetime,
    *,
    replaces: bool = False,
    tell: Tell | None = None,
) -> Restored:
    """Verify a backup and put it in the place of a data folder.

    Args:
        backup: The folder that `wigwag admin backup` made.
        folder: The data folder; no server may run on it.
        now: The current time, in UTC.
        replaces: What is there is moved into a folder beside it.
        tell: Takes how far the verification is.

    Raises:
        DamagedDataError: The backup isn't what was written.
        InUseError: A server runs on the folder.
        ConfigError: The folder isn't empty, or the backup is inside it.
        StorageError: The disk refused.
    """
    if folder.resolve() in (backup.resolve(), *backup.resolve().parents):
        raise ConfigError(f"{backup} is inside {folder}: move it out first")
    manifest = verify_backup(backup, tell)
    with open_folder(folder, is_restore=True) as held:
        try:
            progress = _begin(held, now, replaces=replaces)
            if progress.phase == "moving":
                progress = _move_aside(held, progress)
            aside = folder.with_name(progress.aside) if progress.aside else None
            _clear(held.path)
            _copy_in(backup, held, manifest)
            with engine_errors():
                now_ms = int(now.timestamp() * 1000)
                mark_restored(held.database, now_ms, progress.epoch_used)
            _fsync_all([held.database])
            fsync_folder(held.path)
            (held.path / RESTORING_NAME).unlink()
            fsync_folder(held.path)
        except OSError as error:
            raise storage_error(folder, error) from error
    left = [file.name for file in manifest.files if file.name not in FOLDER_NAMES]
    return Restored(manifest, aside, tuple(left))


def _begin(held: DataFolder, now: datetime, *, replaces: bool) -> _Progress:
    """Write down what is about to happen, or read where it stopped."""
    marker = held.path / RESTORING_NAME
    if marker.exists():
        try:
            return msgspec.json.decode(marker.read_bytes(), type=_Progress)
        except msgspec.MsgspecError as error:
            raise DamagedDataError(f"{marker} is damaged: {error}") from error
    if not _present(held.path):
        return _note(held, _Progress("copying", ""))
    if not replaces:
        raise ConfigError(
            f"{held.path} isn't empty: use another --data, or --replace, which "
            "moves what is there into a folder beside it"
        )
    aside = f"{held.path.name}.replaced-{now:%Y%m%dT%H%M%SZ}"
    if held.path.with_name(aside).exists():
        raise InUseError(f"{held.path.with_name(aside)} is there already: try again")
    return _note(held, _Progress("moving", aside))


def _move_aside(held: DataFolder, progress: _Progress) -> _Progress:
    """Move what is there into a folder beside it, and see how far it had come."""
    aside = held.path.with_name(progress.aside)
    aside.mkdir(mode=FOLDER_MODE, exist_ok=True)
    for entry in _present(held.path):
        entry.rename(aside / entry.name)
    fsync_folder(aside)
    fsync_folder(held.path)
    fsync_folder(held.path.parent)
    epoch_used = newest_epoch(aside / DATABASE_NAME)
    return _note(held, _Progress("copying", progress.aside, epoch_used))


def _note(held: DataFolder, progress: _Progress) -> _Progress:
    held.write_secret(RESTORING_NAME, msgspec.json.encode(progress) + b"\n")
    return progress


def _present(folder: Path) -> list[Path]:
    """Return what a server left in the folder."""
    return sorted(entry for entry in folder.iterdir() if entry.name not in _STAYS)


def _clear(folder: Path) -> None:
    """Delete what an attempt before this one copied."""
    for entry in _present(folder):
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _copy_in(backup: Path, held: DataFolder, manifest: Manifest) -> None:
    """Copy the files that belong into the folder, durably."""
    names = [file.name for file in manifest.files if file.name in FOLDER_NAMES]
    targets = [held.path / name for name in names]
    for name, target in zip(names, targets, strict=True):
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, (backup / name).open("rb") as source:
            shutil.copyfileobj(source, file, COPY_BYTES)
    _fsync_all(targets)
    fsync_folder(held.path)


def _fsync_all(paths: Iterable[Path]) -> None:
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())


def utc_now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)
