"""Deletes an account for good, then its profile.

The server's word comes first: only when it says that the account is gone does the
profile go. Whatever breaks it off, calling it again asks again, and a server that
deleted the account before says so (R-ACCOUNT-003).
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio

from wigwag.client._device import Device
from wigwag.client._dial import SIGN_IN_SECONDS, open_handshake
from wigwag.client._errors import (
    ConnectionLost,
    ProfileError,
    ProfileMissing,
    ServerRefused,
)
from wigwag.client._open import default_ports
from wigwag.client._ports import KeySource, Ports
from wigwag.client._profile import (
    DATABASE_FILE,
    KEY_FILE,
    ProfileLock,
    check_folder,
    profile_folder,
    sync_folder,
)
from wigwag.client._store import open_store
from wigwag.client._store_account import Account, load_account_txn
from wigwag.wire import ErrorCode

ASK_AGAIN: Final = "Run it again: the server then says whether the account is gone."


@dataclass(frozen=True, slots=True)
class DeletedAccount:
    """An account that is gone.

    Attributes:
        name: The username that it had; nobody can take it for 32 days.
        user: The account id that it had, hexadecimal.
        deleted_at_ms: When the server deleted it, in ms since the Unix epoch.
        folder: Where its profile was.
    """

    name: str
    user: str
    deleted_at_ms: int
    folder: Path


async def delete_account(
    profile: str | Path | None = None,
    *,
    name: str | None = None,
    passphrase: str | None = None,
    keys: KeySource | None = None,
    ports: Ports | None = None,
) -> DeletedAccount:
    """Delete an account at its server for good, then its profile.

    What others sent and no device has fetched is reported to them as undelivered.
    It needs no device that can still sign in: the account's key is enough.

    Args:
        profile: Name or folder; None: `WIGWAG_PROFILE`, else the default one.
        name: The account's username as the caller believes it; None: not compared.
        passphrase: Of the profile; None: `WIGWAG_PASSPHRASE`.
        keys: Where the profile's key comes from; None: the passphrase.
        ports: The outside world; None: the real one, with these keys.

    Raises:
        ProfileError: The account has another name; nothing was asked.
        ProfileMissing: There is no such profile, or no account in it.
        ProfileInUse: Another process has it open.
        ServerRefused: The server refused; AUTH_FAILED: it doesn't know the account.
        ConnectionLost: The answer was lost: whether it is gone isn't known. Again.
        WigwagError: The profile can't be opened, or the server not be reached.
    """
    folder = profile_folder(profile)
    ports = ports or default_ports(passphrase, keys=keys)
    if ports.vfs is None:
        check_folder(folder)
    with ProfileLock(folder):
        key = await ports.keys.unlock(folder)
        path = folder / DATABASE_FILE
        async with open_store(path, key, ports.executor, vfs=ports.vfs) as store:
            account = await store.run(load_account_txn)
            if account is None:
                raise ProfileMissing(f"The profile {folder.name} has no account.")
            if name is not None and name != account.name:
                raise ProfileError(
                    f"The profile {folder.name} isn't {name}'s; nothing was deleted.",
                    action="Type the name of its account, as `wigwag status` shows it.",
                )
            deleted_at_ms = await _ask_server(Device(store, ports, account))
        _remove_profile(folder)
    return DeletedAccount(account.name or "", account.user.hex(), deleted_at_ms, folder)


async def _ask_server(device: Device) -> int:
    """Have the server delete the account; returns when it did, in ms."""
    account: Account = device.account
    handshake = await open_handshake(device.ports, account.address, account.trust)
    try:
        with anyio.fail_after(SIGN_IN_SECONDS):
            await device.set_server_time(handshake.welcome.server_time)
            answer = await handshake.delete_account(
                account.user, account.account_key, device.now_ms()
            )
    except TimeoutError as error:
        raise ConnectionLost(
            "The server doesn't answer; the account may be gone.", action=ASK_AGAIN
        ) from error
    except ConnectionLost as error:
        error.action = ASK_AGAIN
        raise
    except ServerRefused as error:
        if error.code == ErrorCode.AUTH_FAILED:
            error.action = (
                "The server doesn't know this account. If it was set up anew, remove"
                " the profile's folder yourself."
            )
        raise
    finally:
        with anyio.CancelScope(shield=True):
            await handshake.stream.aclose()
    return answer.time


def _remove_profile(folder: Path) -> None:
    """Delete a profile's files, its key first: what is left then can't be read.

    Cut off in between, the rest is no profile any more (the key file is gone) and
    the database can be deleted like any file.
    """
    if not folder.exists():
        return  # a profile in another file system
    (folder / KEY_FILE).unlink(missing_ok=True)
    sync_folder(folder)
    shutil.rmtree(folder)
    sync_folder(folder.parent)
