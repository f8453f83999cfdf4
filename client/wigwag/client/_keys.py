"""The key of a profile's database, wrapped by a passphrase (adapter).

The database key is random; the passphrase only wraps it (AES-256-GCM under
Argon2id), so that changing the passphrase rewrites one small file. The file
carries a checksum: a damaged file must not look like a wrong passphrase.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import anyio.to_thread
import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from wigwag.client._clock import SystemEntropy
from wigwag.client._errors import PassphraseMissing, PassphraseWrong, StoreDamaged
from wigwag.client._ports import Entropy
from wigwag.client._profile import KEY_FILE, write_durably

VARIABLE: Final = "WIGWAG_PASSPHRASE"

DATABASE_KEY_BYTES: Final = 32

MEMORY_KIB: Final = 64 * 1024
"""Argon2id memory (E2EE.md §6); RFC 9106's second recommended setting."""

PASSES: Final = 3
LANES: Final = 4

MEMORY_KIB_MAX: Final = 1024 * 1024
"""A key file that asks for more than 1 GiB was tampered with."""

KEY_FILE_BYTES_MAX: Final = 4096

_FORMAT: Final = 1
_NONCE_BYTES: Final = 12
_SALT_BYTES: Final = 16


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    kdf: str
    memory_kib: int
    passes: int
    lanes: int
    salt: str
    nonce: str
    wrapped: str
    checksum: str

    def body(self) -> bytes:
        """Everything but the checksum; also what the wrapping authenticates."""
        head = f"{self.format} {self.kdf} {self.memory_kib} {self.passes} {self.lanes}"
        return f"{head} {self.salt} {self.nonce}".encode("ascii")


class PassphraseKeys:
    """Database keys wrapped by a passphrase in a small file of the profile.

    Args:
        passphrase: UTF-8 text; None: there is none to give.
        entropy: Source of new keys.
    """

    def __init__(self, passphrase: str | None, entropy: Entropy | None = None) -> None:
        self._passphrase = passphrase
        self._entropy = entropy or SystemEntropy()

    def __repr__(self) -> str:
        return "<PassphraseKeys>"

    async def create(self, folder: Path) -> bytes:
        """Make a database key and its key file."""
        passphrase = self._require()
        database_key = self._entropy.token(DATABASE_KEY_BYTES)
        salt = self._entropy.token(_SALT_BYTES)
        nonce = self._entropy.token(_NONCE_BYTES)

        def work() -> None:
            data = _wrap(passphrase, database_key, salt, nonce)
            write_durably(folder / KEY_FILE, data)

        await anyio.to_thread.run_sync(work)
        return database_key

    async def unlock(self, folder: Path) -> bytes:
        """Open the key file with the passphrase."""
        passphrase = self._require()
        return await anyio.to_thread.run_sync(_unwrap, passphrase, folder / KEY_FILE)

    def _require(self) -> str:
        if not self._passphrase:
            raise PassphraseMissing("The profile is locked by a passphrase.")
        return self._passphrase


def given_passphrase(
    passphrase: str | None = None,
    key_file: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str | None:
    """Find the passphrase: argument, key file, environment, in this order.

    Args:
        passphrase: As the caller has it.
        key_file: File whose first line is the passphrase.
        environment: Environment variables; None: those of the process.

    Returns:
        The passphrase, or None: whoever has a terminal asks there.

    Raises:
        PassphraseMissing: The key file can't be read or is empty.
    """
    if passphrase is not None:
        return passphrase
    if key_file is not None:
        try:
            lines = key_file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise PassphraseMissing(
                f"The key file {key_file} can't be read."
            ) from error
        if not lines or not lines[0]:
            raise PassphraseMissing(f"The key file {key_file} is empty.")
        return lines[0]
    variables = os.environ if environment is None else environment
    return variables.get(VARIABLE)


def _wrap(passphrase: str, database_key: bytes, salt: bytes, nonce: bytes) -> bytes:
    file = _KeyFile(
        format=_FORMAT,
        kdf="argon2id",
        memory_kib=MEMORY_KIB,
        passes=PASSES,
        lanes=LANES,
        salt=base64.b64encode(salt).decode("ascii"),
        nonce=base64.b64encode(nonce).decode("ascii"),
        wrapped="",
        checksum="",
    )
    wrapping_key = _derive(passphrase, file, salt)
    sealed = AESGCM(wrapping_key).encrypt(nonce, database_key, file.body())
    wrapped = base64.b64encode(sealed).decode("ascii")
    checksum = _checksum(file.body(), wrapped)
    file = msgspec.structs.replace(file, wrapped=wrapped, checksum=checksum)
    return msgspec.json.format(msgspec.json.encode(file)) + b"\n"


def _unwrap(passphrase: str, path: Path) -> bytes:
    try:
        with path.open("rb") as opened:
            data = opened.read(KEY_FILE_BYTES_MAX)
        file = msgspec.json.decode(data, type=_KeyFile)
        salt = base64.b64decode(file.salt, validate=True)
        nonce = base64.b64decode(file.nonce, validate=True)
        sealed = base64.b64decode(file.wrapped, validate=True)
        is_whole = file.checksum == _checksum(file.body(), file.wrapped)
    except (OSError, ValueError) as error:
        # msgspec's and binascii's errors are ValueErrors.
        raise StoreDamaged(f"The key file {path} can't be read.") from error
    if not is_whole or file.kdf != "argon2id" or file.memory_kib > MEMORY_KIB_MAX:
        raise StoreDamaged(f"The key file {path} is damaged.")
    if file.format != _FORMAT:
        raise StoreDamaged(f"The key file {path} is of a newer program.")
    try:
        wrapping_key = _derive(passphrase, file, salt)
        return AESGCM(wrapping_key).decrypt(nonce, sealed, file.body())
    except InvalidTag as error:
        raise PassphraseWrong("The passphrase is wrong.") from error


def _derive(passphrase: str, file: _KeyFile, salt: bytes) -> bytes:
    kdf = Argon2id(
        salt=salt,
        length=32,
        iterations=file.passes,
        lanes=file.lanes,
        memory_cost=file.memory_kib,
    )
    return kdf.derive(passphrase.encode("utf-8"))


def _checksum(body: bytes, wrapped: str) -> str:
    return hashlib.sha256(body + b" " + wrapped.encode("ascii")).hexdigest()
