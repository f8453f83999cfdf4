"""`backup`: a verified copy of the data folder, made while the server runs.

The copy grows in a hidden folder beside its place and gets its name when every
file is durable and was read back: a crash leaves no folder of that name, and what
it leaves has no manifest. The writer is held up for a few milliseconds at a time;
hashing, checking and fsync run on a thread of their own.
"""

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import trio

from wigwag.server._admin import AdminRefusedError, AdminRequest, Reply, Tell
from wigwag.server._config import Config
from wigwag.server._config_text import config_text
from wigwag.server._errors import ServerError
from wigwag.server._folder import (
    DATABASE_NAME,
    FOLDER_MODE,
    SECRET_MODE,
    DataFolder,
    fsync_folder,
    storage_error,
)
from wigwag.server._manifest import (
    FOLDER_NAMES,
    MANIFEST_FORMAT,
    MANIFEST_NAME,
    Manifest,
    describe_file,
    verify_backup,
)
from wigwag.server.engines import examine_database
from wigwag.server.ports import CopySource, StorageError, WallClock

# Progress lines: enough for a person to see that it moves.
PROGRESS_SECONDS = 0.5

Result = TypeVar("Result")


class Backups:
    """Makes backups of one server's folder, one at a time.

    Args:
        engine: Whose database is copied.
        folder: The data folder.
        config: What the server runs with.
        clock: For the time in the manifest.
        version: Of this build.
    """

    def __init__(
        self,
        engine: CopySource,
        folder: DataFolder,
        config: Config,
        clock: WallClock,
        version: str,
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._config = config
        self._clock = clock
        self._version = version
        self._is_busy = False

    async def command(self, request: AdminRequest, tell: Tell) -> Reply:
        """Make a backup for the admin socket.

        Raises:
            AdminRefusedError: It can't be made; nothing is left at its place.
        """
        if self._is_busy:
            raise AdminRefusedError("another backup is under way: wait for its end")
        self._is_busy = True
        try:
            return await self._make(Path(request.path), tell)
        except (ServerError, StorageError) as error:
            raise AdminRefusedError(str(error)) from error
        finally:
            self._is_busy = False

    async def _make(self, target: Path, tell: Tell) -> Reply:
        started = trio.current_time()
        unfinished = target.with_name(f".{target.name}.unfinished")
        await _aside(lambda: self._begin(target, unfinished))
        try:
            manifest = await self._fill(unfinished, tell)
            await tell({"doing": "checking", "done": 0, "of": manifest.bytes_all})
            await _aside(lambda: verify_backup(unfinished))
            await _aside(lambda: _name(unfinished, target))
        except BaseException:
            with trio.CancelScope(shield=True):
                await _aside(lambda: shutil.rmtree(unfinished, ignore_errors=True))
            raise
        facts = manifest.database
        return {
            "path": str(target),
            "bytes": manifest.bytes_all,
            "files": [file.name for file in manifest.files],
            "accounts": facts.accounts,
            "devices": facts.devices,
            "chats": facts.chats,
            "entries": facts.entries,
            "made_ms": manifest.made_ms,
            "seconds": round(trio.current_time() - started, 3),
        }

    def _begin(self, target: Path, unfinished: Path) -> None:
        """Make the hidden folder, if the place is free."""
        if not target.is_absolute():
            raise AdminRefusedError("a backup needs an absolute path")
        inside = self._folder.path.resolve()
        if inside in (target.resolve(), *target.resolve().parents):
            raise AdminRefusedError(
                f"{target} is inside the data folder: choose a place on another disk"
            )
        try:
            if target.exists() and (not target.is_dir() or any(target.iterdir())):
                raise AdminRefusedError(
                    f"{target} is there already: choose a new name for each backup"
                )
            # Of a backup that was cut short: without a manifest it is worth nothing.
            if unfinished.exists():
                shutil.rmtree(unfinished)
            unfinished.mkdir(mode=FOLDER_MODE)
        except OSError as error:
            raise storage_error(target, error) from error

    async def _fill(self, folder: Path, tell: Tell) -> Manifest:
        """Write all files, the manifest last."""
        told_at = trio.current_time()

        async def tell_pages(pages: int, pages_all: int) -> None:
            nonlocal told_at
            if trio.current_time() >= told_at + PROGRESS_SECONDS:
                told_at = trio.current_time()
                await tell({"doing": "copying", "done": pages, "of": pages_all})

        database = folder / DATABASE_NAME
        await self._engine.copy_to(database, tell_pages)
        made_ms = self._clock.now_ms()
        return await _aside(lambda: self._finish(folder, database, made_ms))

    def _finish(self, folder: Path, database: Path, made_ms: int) -> Manifest:
        """Add the small files and the manifest; everything is durable then."""
        try:
            _fsync_file(database)
            given = self._config.tls
            sources = {
                name: self._folder.path / name
                for name in FOLDER_NAMES
                if name != DATABASE_NAME
            }
            if given.certificate:
                sources["certificate.pem"] = Path(given.certificate)
                sources["private_key.pem"] = Path(given.private_key)
            names = [DATABASE_NAME]
            for name, source in sources.items():
                with contextlib.suppress(FileNotFoundError):  # it was never made
                    _write(folder / name, source.read_bytes())
                    names.append(name)
            _write(folder / "configuration.toml", config_text(self._config).encode())
            names.append("configuration.toml")
            manifest = Manifest(
                format=MANIFEST_FORMAT,
                version=self._version,
                made_ms=made_ms,
                database=examine_database(database),
                files=[describe_file(folder / name) for name in names],
            ).sealed()
            text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
            _write(folder / MANIFEST_NAME, text + b"\n")
            fsync_folder(folder)
        except OSError as error:
            raise storage_error(folder, error) from error
        return manifest


async def _aside(work: Callable[[], Result]) -> Result:
    """Do what blocks for long on a thread that nobody waits for but us."""
    return await trio.to_thread.run_sync(work)


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _fsync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _name(unfinished: Path, target: Path) -> None:
    """Give a finished backup its name."""
    try:
        # Takes the place of an empty folder, and of nothing else.
        unfinished.rename(target)
        fsync_folder(target.parent)
    except OSError as error:
        raise storage_error(target, error) from error
