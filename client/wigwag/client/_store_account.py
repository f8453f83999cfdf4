"""Rows about ourselves: account, counters, own device lists."""

from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple

from wigwag.client._ids import ZERO_ID
from wigwag.client._ports import Address, Trust
from wigwag.client._txn import Txn
from wigwag.client.crypto import (
    AccountKey,
    DeviceKeys,
    ListPin,
    LocalDevice,
    accept_list,
    sign_next_list,
)
from wigwag.wire import DeviceList, SignedList, decode_struct

CounterName = Literal[
    "clock_offset_ms",
    "covered",
    "cursor",
    "generation",
    "next_kem",
    "next_one_time",
    "next_signed",
    "register_generation",
]

GENERATION_STEP: Final = 1


@dataclass(frozen=True, slots=True)
class Account:
    """Who this profile is, and its server.

    Attributes:
        user: Account id.
        device: Our device number.
        registration_id: The current registration.
        account_key: The account's key; only its first device holds it.
        device_keys: Our keys.
        list_pin: Our own newest device list.
        address: Where the server listens.
        trust: How it is recognised.
        name: Our username; None: not claimed yet.
        is_registered: Whether the server has the account.
        register_body: body[128:] of REGISTER while its answer isn't known.
        next_registration_id: Of a RE_REGISTER without an answer; 0: none.
    """

    user: bytes
    device: int
    registration_id: int
    account_key: AccountKey
    device_keys: DeviceKeys
    list_pin: ListPin
    address: Address
    trust: Trust
    name: str | None = None
    is_registered: bool = False
    register_body: bytes | None = field(default=None, repr=False)
    next_registration_id: int = 0

    @property
    def local(self) -> LocalDevice:
        """This device as the cryptography names it."""
        return LocalDevice(
            account=self.user,
            account_key=self.account_key.public,
            number=self.device,
            registration_id=self.registration_id,
            keys=self.device_keys,
        )


class _Row(NamedTuple):
    user: bytes
    device: int
    registration_id: int
    account_secret: bytes
    device_secret: bytes
    list_pin: bytes
    host: str
    port: int
    server_pin: bytes
    authority: bytes | None
    name: str | None
    is_registered: int
    register_body: bytes | None
    next_registration_id: int


_COLUMNS: Final = ", ".join(_Row._fields)


def load_account_txn(txn: Txn) -> Account | None:
    """Return the account; None in a profile that was only just made."""
    row = txn.one(_Row, f"SELECT {_COLUMNS} FROM account")  # noqa: S608 - our names
    if row is None:
        return None
    return Account(
        user=row.user,
        device=row.device,
        registration_id=row.registration_id,
        account_key=AccountKey.from_secret(row.account_secret),
        device_keys=DeviceKeys.from_secret(row.device_secret),
        list_pin=ListPin.load(row.list_pin),
        address=Address(row.host, row.port),
        trust=Trust(row.server_pin, row.authority),
        name=row.name,
        is_registered=bool(row.is_registered),
        register_body=row.register_body,
        next_registration_id=row.next_registration_id,
    )


def save_account_txn(txn: Txn, account: Account) -> None:
    """Write the account's row."""
    row = _Row(
        user=account.user,
        device=account.device,
        registration_id=account.registration_id,
        account_secret=account.account_key.secret,
        device_secret=account.device_keys.secret,
        list_pin=account.list_pin.dump(),
        host=account.address.host,
        port=account.address.port,
        server_pin=account.trust.pin,
        authority=account.trust.authority,
        name=account.name,
        is_registered=account.is_registered,
        register_body=account.register_body,
        next_registration_id=account.next_registration_id,
    )
    marks = ", ".join("?" * len(row))
    txn.do(
        f"INSERT OR REPLACE INTO account (one, {_COLUMNS}) VALUES (1, {marks})",  # noqa: S608 - our names
        *row,
    )


def counter_txn(txn: Txn, name: CounterName) -> int:
    """Return a counter; 0 before it was set."""
    return txn.value(int, "SELECT value FROM counter WHERE name = ?", name) or 0


def set_counter_txn(txn: Txn, name: CounterName, value: int) -> None:
    """Set a counter."""
    txn.do("INSERT OR REPLACE INTO counter VALUES (?, ?)", name, value)


def take_ids_txn(txn: Txn, name: CounterName, count: int) -> int:
    """Take `count` ids that were never given out; returns the first, from 1."""
    first = counter_txn(txn, name) + 1
    set_counter_txn(txn, name, first + count - 1)
    return first


def skip_ids_txn(txn: Txn, name: CounterName, highest: int) -> None:
    """Never give out the ids up to `highest`: somebody has."""
    set_counter_txn(txn, name, max(highest, counter_txn(txn, name)))


def bump_generation_txn(txn: Txn) -> int:
    """Raise the generation, before each connect; returns the new one."""
    generation = counter_txn(txn, "generation") + GENERATION_STEP
    set_counter_txn(txn, "generation", generation)
    return generation


def last_id_txn(txn: Txn) -> bytes:
    """Return the highest message id that we made; zeros: none."""
    found = txn.value(bytes, "SELECT value FROM counter WHERE name = 'last_id'")
    return found or ZERO_ID


def set_last_id_txn(txn: Txn, message_id: bytes) -> None:
    """Note a message id that we made."""
    txn.do("INSERT OR REPLACE INTO counter VALUES ('last_id', ?)", message_id)


def save_own_list_txn(txn: Txn, seq: int, signed: SignedList) -> None:
    """Keep a device list of our own: a restored server may need it again."""
    txn.do(
        "INSERT OR REPLACE INTO own_list VALUES (?, ?, ?)",
        seq,
        signed.blob,
        signed.signature,
    )


def own_lists_above_txn(txn: Txn, seq: int) -> list[SignedList]:
    """Return our own lists after one, oldest first."""
    rows = txn.all(
        tuple[bytes, bytes],
        "SELECT blob, signature FROM own_list WHERE seq > ? ORDER BY seq",
        seq,
    )
    return [SignedList(blob=blob, signature=signature) for blob, signature in rows]


def own_documents_txn(txn: Txn) -> list[DeviceList]:
    """Return our own device lists that this profile holds, oldest first."""
    return [
        decode_struct(DeviceList, signed.blob) for signed in own_lists_above_txn(txn, 0)
    ]


def sign_own_list_txn(
    txn: Txn, account: Account, now_ms: int, *, without: int = 0
) -> Account:
    """Make and keep our next device list, newly dated; publish it afterwards.

    Durable before it is published: two lists of one number would be a fork.

    Args:
        txn: The transaction.
        account: As it is.
        now_ms: When.
        without: Number of a device to leave out; 0: none.

    Returns:
        The account with the new list pinned; the caller saves it.
    """
    entries = [
        entry for entry in own_documents_txn(txn)[-1].devices if entry.device != without
    ]
    signed = sign_next_list(
        account.account_key, account.list_pin, entries, now_ms=now_ms
    )
    pin = accept_list(account.list_pin, account.account_key.public, [signed])
    save_own_list_txn(txn, pin.seq, signed)
    return replace(account, list_pin=pin)
