"""The devices of our own account: which there are, and taking one out for good.

A device is removed by a list without it (R-LIST-005). The list is made durable
before it is sent; a lost answer is settled by the next connection, which brings the
server up to our newest list, or is refused because we took ourselves out.
"""

from dataclasses import dataclass
from typing import Final

import anyio
import anyio.lowlevel

from wigwag.client._device import Device, change_account_txn
from wigwag.client._errors import (
    ConnectionLost,
    PeerUnknown,
    SessionEnded,
    TimedOut,
    WigwagError,
)
from wigwag.client._link import Link
from wigwag.client._store_account import (
    Account,
    own_documents_txn,
    own_lists_above_txn,
    sign_own_list_txn,
)
from wigwag.client._txn import Txn
from wigwag.wire import (
    DeviceListPublish,
    DeviceListPublished,
    ErrorCode,
)

REMOVE_SECONDS: Final = 30.0
"""Several connections may be needed until it is certain."""

_REMOVED: Final = (ErrorCode.DEVICE_REMOVED, ErrorCode.AUTH_FAILED)


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A device of our account.

    Attributes:
        number: Its number within the account.
        is_this: Whether it is this profile's.
        created_at_ms: When it was first listed; None: before our oldest list.
        seen_at_ms: When it was last seen; None: the server doesn't tell.
    """

    number: int
    is_this: bool
    created_at_ms: int | None
    seen_at_ms: int | None


async def list_devices(device: Device) -> list[DeviceInfo]:
    """Return the devices of our newest list, by rising number."""
    account = device.account
    documents = await device.store.run(own_documents_txn)
    created: dict[int, int] = {}
    for document in documents:
        for entry in document.devices:
            created.setdefault(entry.device, document.time)
    is_online = device.connectivity.is_online
    return [
        DeviceInfo(
            number=listed.number,
            is_this=listed.number == account.device,
            created_at_ms=created.get(listed.number),
            seen_at_ms=device.now_ms()
            if is_online and listed.number == account.device
            else None,
        )
        for listed in account.list_pin.devices
    ]


async def remove_device(device: Device, number: int) -> None:
    """Take a device out of our account for good; returns when the server has it.

    Args:
        device: This device.
        number: Whose number; our own: this profile can't sign in any more.

    Raises:
        PeerUnknown: The account has no such device.
        TimedOut: The server doesn't say; the next connection sees to it.
        WigwagError: The server refused.
    """
    if device.account.list_pin.device(number) is None:
        raise PeerUnknown(
            f"The account has no device {number}.", action="See `wigwag devices`."
        )
    await device.wait_online(REMOVE_SECONDS)
    now_ms = device.now_ms()

    def work(txn: Txn) -> Account:
        return change_account_txn(
            txn, lambda old: sign_own_list_txn(txn, old, now_ms, without=number)
        )

    device.account = await device.store.run(work)
    with anyio.move_on_after(REMOVE_SECONDS):
        while not await _is_published(device):
            continue
        return
    raise TimedOut(
        f"The server hasn't confirmed that device {number} is removed.",
        action="Run it again; the new list is kept and goes out at the next connect.",
    )


async def _is_published(device: Device) -> bool:
    """Publish our newest list on one connection; False: it was lost, try another."""
    try:
        link = await device.wait_online(REMOVE_SECONDS)
        # Publishing it again succeeds (R-LIST-002), whoever was first.
        await publish_lists(device, link, device.account.list_pin.seq - 1)
    except SessionEnded as error:
        if is_removed(device, error.__cause__):
            return True
        raise
    except ConnectionLost:
        await anyio.lowlevel.checkpoint()
        return False
    return True


async def publish_lists(device: Device, link: Link, server_seq: int) -> None:
    """Bring the server up to our newest device list.

    Args:
        device: This device.
        link: The connection.
        server_seq: Number of the newest list that the server has.

    Raises:
        WigwagError: The connection ended, or the server refused.
    """
    above = await device.store.run(lambda txn: own_lists_above_txn(txn, server_seq))
    for signed in above:
        await link.ask(DeviceListPublish(list=signed), DeviceListPublished)


def is_removed(device: Device, error: BaseException | None) -> bool:
    """Tell whether a connection's end means that we took ourselves out."""
    account = device.account
    return (
        account.list_pin.device(account.device) is None
        and isinstance(error, WigwagError)
        and error.code in _REMOVED
    )
