"""Opens a profile: lock, key, database, tasks."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import anyio

from wigwag.client._clock import SystemClock, SystemEntropy
from wigwag.client._connector import Connector
from wigwag.client._device import Device
from wigwag.client._directory import Directory
from wigwag.client._errors import ProfileMissing
from wigwag.client._executor import ThreadExecutor
from wigwag.client._handover_server import HandoverServer
from wigwag.client._keys import PassphraseKeys, given_passphrase
from wigwag.client._net import TLSNet
from wigwag.client._ports import KeySource, Ports
from wigwag.client._profile import (
    DATABASE_FILE,
    SOCKET_FILE,
    ProfileLock,
    check_folder,
    profile_folder,
)
from wigwag.client._receiver import Receiver
from wigwag.client._sealer import Sealer
from wigwag.client._sender import Sender
from wigwag.client._session import Session
from wigwag.client._store import open_store
from wigwag.client._store_account import load_account_txn
from wigwag.client._upkeep import Upkeep
from wigwag.wire import suite1


def default_ports(
    passphrase: str | None = None, *, keys: KeySource | None = None
) -> Ports:
    """Return the real outside world.

    Args:
        passphrase: Of the profile; None: `WIGWAG_PASSPHRASE`.
        keys: Where the profile's key comes from; None: the passphrase.
    """
    return Ports(
        net=TLSNet(),
        executor=ThreadExecutor(),
        clock=SystemClock(),
        entropy=SystemEntropy(),
        keys=keys or PassphraseKeys(given_passphrase(passphrase)),
    )


@asynccontextmanager
async def open_session(
    profile: str | Path | None = None,
    *,
    passphrase: str | None = None,
    keys: KeySource | None = None,
    ports: Ports | None = None,
) -> AsyncGenerator[Session, None]:
    """Open a profile and keep it connected until the block ends.

    Args:
        profile: Name or folder; None: `WIGWAG_PROFILE`, else the default one.
        passphrase: Of the profile; None: `WIGWAG_PASSPHRASE`.
        keys: Where the profile's key comes from; None: the passphrase.
        ports: The outside world; None: the real one, with these keys.

    Raises:
        ProfileMissing: There is no such profile, or its registration isn't finished.
        ProfileInUse: Another process has it open: see `open_holder`.
        PassphraseWrong: The passphrase doesn't open it.
        StoreError: Its database can't be used.
    """
    folder = profile_folder(profile)
    ports = ports or default_ports(passphrase, keys=keys)
    if ports.vfs is None:
        # Another file system's names aren't to be seen here.
        check_folder(folder)
    with ProfileLock(folder):
        key = await ports.keys.unlock(folder)
        path = folder / DATABASE_FILE
        async with open_store(path, key, ports.executor, vfs=ports.vfs) as store:
            account = await store.run(load_account_txn)
            if account is None or not account.is_registered or account.name is None:
                raise ProfileMissing(
                    f"The registration of the profile {folder.name} isn't finished."
                )
            device = Device(store, ports, account)
            try:
                async with _running(device, folder) as session:
                    yield session
            except BaseExceptionGroup as group:
                # Tasks are ours, not the user's: he gets the error itself.
                only = _only_error(group)
                raise only from only.__cause__


@asynccontextmanager
async def _running(device: Device, folder: Path) -> AsyncGenerator[Session, None]:
    """Run a session's tasks around a block."""
    sender = Sender(device)

    def on_change(user: bytes) -> None:
        sender.hold(suite1.direct_chat_id(device.account.user, user))

    directory = Directory(device, on_change)
    upkeep = Upkeep(device, directory)
    sealer = Sealer(device, directory, sender)
    receiver = Receiver(device, directory, upkeep.stored)
    connector = Connector(device, sender, receiver, upkeep.serve, upkeep.take_hint)
    session = Session(device, directory, sender, upkeep)
    await device.load()
    await sender.load()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sender.run_offers)
        tasks.start_soon(sealer.run)
        tasks.start_soon(receiver.run)
        tasks.start_soon(connector.run)
        if device.ports.has_handover:
            server = HandoverServer(session, folder / SOCKET_FILE)
            await tasks.start(server.run)
        try:
            yield session
            await upkeep.finish()
        finally:
            tasks.cancel_scope.cancel()


def _only_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one error in a group, or the group if there are several."""
    if len(group.exceptions) != 1:
        return group
    only = group.exceptions[0]
    if isinstance(only, BaseExceptionGroup):
        return _only_error(cast("BaseExceptionGroup[BaseException]", only))
    return only
