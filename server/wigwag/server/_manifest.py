"""What a backup holds, written down so that it can be held against its files.

A backup is a folder of mode 0700:

    manifest.json        this, written last: without it there is no backup
    wigwag.db            the database, whole, as of the end of the copy
    ca.pem, leaf.pem, …  the certificates that the server made, with their keys
    configuration.toml   what the server ran with, where it isn't the default
    certificate.pem, private_key.pem   a certificate that the operator gave

`checksum` covers the manifest itself; each file has its size and SHA-256. They show
damage, not malice: whoever may write here may write a manifest too.
"""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from wigwag.server._engine_errors import engine_errors
from wigwag.server._errors import DamagedDataError
from wigwag.server._folder import DATABASE_NAME, storage_error
from wigwag.server.engines import DatabaseFacts, examine_database

MANIFEST_NAME = "manifest.json"
MANIFEST_FORMAT = 1
# A few files of a line each; more is no manifest.
MANIFEST_BYTES_MAX = 65_536
FILES_MAX = 16
READ_BYTES = 1 << 20

# Into the data folder on a restore; other files are for the operator.
FOLDER_NAMES = (
    DATABASE_NAME,
    "ca.pem",
    "ca-key.pem",
    "leaf.pem",
    "leaf-key.pem",
)

Tell = Callable[[str, int, int], None]
"""Takes a file's name, bytes that were read, and its bytes."""


class BackupFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a backup."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.-]{0,62}$")]
    bytes: Annotated[int, Meta(ge=0)]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup is.

    Attributes:
        format: Of the backup's folder.
        version: The Wigwag release that made it.
        made_ms: When the copy was complete, ms since the Unix epoch.
        database: What the copy holds.
        files: All files but this one.
        checksum: SHA-256 of the manifest without it.
    """

    format: int
    version: str
    made_ms: int
    database: DatabaseFacts
    files: Annotated[list[BackupFile], Meta(min_length=1, max_length=FILES_MAX)]
    checksum: str = ""

    def sealed(self) -> "Manifest":
        """Return it with its checksum."""
        bare = msgspec.structs.replace(self, checksum="")
        digest = sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()
        return msgspec.structs.replace(self, checksum=digest)

    @property
    def bytes_all(self) -> int:
        """Bytes of all files."""
        return sum(file.bytes for file in self.files)


def describe_file(path: Path, tell: Tell | None = None) -> BackupFile:
    """Read a file and say what it is.

    Raises:
        OSError: It can't be read.
    """
    digest = sha256()
    size = 0
    with path.open("rb") as file:
        size_all = os.fstat(file.fileno()).st_size
        while data := file.read(READ_BYTES):
            digest.update(data)
            size += len(data)
            if tell is not None:
                tell(path.name, size, max(size, size_all))
    return BackupFile(path.name, size, digest.hexdigest())


def read_manifest(folder: Path) -> Manifest:
    """Read a backup's manifest.

    Raises:
        DamagedDataError: There is none, or it isn't what was written.
    """
    path = folder / MANIFEST_NAME
    try:
        with path.open("rb") as file:
            text = file.read(MANIFEST_BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise DamagedDataError(
            f"{folder} holds no finished backup: there is no {MANIFEST_NAME}"
        ) from error
    except OSError as error:
        raise storage_error(path, error) from error
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError as error:
        raise DamagedDataError(f"{path} is damaged: {error}") from error
    if manifest.sealed().checksum != manifest.checksum:
        raise DamagedDataError(f"{path} is damaged: its checksum doesn't fit")
    if manifest.format > MANIFEST_FORMAT:
        raise DamagedDataError(
            f"{path} was made by Wigwag {manifest.version}: use that or a newer one"
        )
    return manifest


def verify_backup(folder: Path, tell: Tell | None = None) -> Manifest:
    """Hold every file of a backup against its manifest, the database from within.

    Args:
        folder: The backup.
        tell: Takes how far it is.

    Raises:
        DamagedDataError: Something is missing, damaged, or of a newer build.
        StorageError: It can't be read.
    """
    manifest = read_manifest(folder)
    for expected in manifest.files:
        path = folder / expected.name
        try:
            found = describe_file(path, tell)
        except FileNotFoundError as error:
            raise DamagedDataError(f"{path} is missing") from error
        except OSError as error:
            raise storage_error(path, error) from error
        if found.bytes != expected.bytes:
            raise DamagedDataError(
                f"{path} has {found.bytes} bytes and was written with {expected.bytes}"
            )
        if found != expected:
            raise DamagedDataError(f"{path} is damaged: its checksum doesn't fit")
    if DATABASE_NAME not in {file.name for file in manifest.files}:
        raise DamagedDataError(f"{folder} holds no {DATABASE_NAME}")
    with engine_errors():
        facts = examine_database(folder / DATABASE_NAME)
    if facts != manifest.database:
        raise DamagedDataError(f"{folder / DATABASE_NAME} isn't the one of the backup")
    return manifest
