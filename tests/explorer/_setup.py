"""How a scenario begins: accounts, devices, and the requests that change them.

Accounts are made by the real fold of REGISTER, reachable by that of
PREKEYS_UPLOAD. There is no request yet that gives an account a second device, so
its rows are written here; it is listed by its upload, in the scenario.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from tests.explorer._names import (
    FIRST_NUMBER,
    FIRST_START_MS,
    PEERS,
    SECOND_NUMBER,
)
from tests.explorer._server import Ledger, Server
from tests.explorer._tables import Tables, start

from wigwag.server.core import (
    Device,
    DeviceListPublish,
    KemPrekey,
    Meta,
    PrekeysUpload,
    Register,
    Request,
    ReRegister,
    SignedPrekey,
    User,
    rows,
)

SENDER_REGISTRATION: Final = 100
PEER_REGISTRATION: Final = 200
"""Registrations count up from these; a real device draws them at random."""

_KEY: Final = bytes(32)
_SIGNATURE: Final = bytes(64)
_KEM_KEY: Final = bytes(1568)


def first_tables(server: Server, users: Iterable[User]) -> int:
    """Return the state with everybody registered, each with one listed device."""
    tables = start(Tables({}, {}, (), Meta(0, 0, ())), FIRST_START_MS)
    state = server.state_of(tables, Ledger())
    for user in users:
        device = user + bytes((FIRST_NUMBER,))
        registration = first_registration(device)
        requests = (_register(device, registration), upload(device, registration))
        state = server.fold(
            state, tuple(server.request_of(request) for request in requests)
        ).state
    return state


def with_second_device(server: Server, state: int, user: User) -> int:
    """Return the state with a second device in an account, not listed yet."""
    tables = server.tables(state)
    first, second = (user + bytes((n,)) for n in (FIRST_NUMBER, SECOND_NUMBER))
    keys = tables.must_have(rows.DEVICES, first)
    tables = tables.with_row(rows.DEVICES, second, keys)
    sender = tables.must_have(rows.SENDERS, first)
    tables = tables.with_row(rows.SENDERS, second, sender)
    head = tables.must_have(rows.HEADS, first)
    tables = tables.with_row(rows.HEADS, second, head)
    row = tables.must_have(rows.PREKEYS, first)
    unlisted = rows.PrekeyRow(row.signed, None, 0, 0, (), 0, (), 0)
    tables = tables.with_row(rows.PREKEYS, second, unlisted)
    account = tables.must_have(rows.ACCOUNTS, user)
    numbers = (FIRST_NUMBER, SECOND_NUMBER)
    both = msgspec.structs.replace(account, numbers=numbers)
    return server.state_of(tables.with_row(rows.ACCOUNTS, user, both), Ledger())


def first_registration(device: Device) -> int:
    """Return the registration that a device begins with."""
    is_peer = device[:-1] in PEERS
    return PEER_REGISTRATION if is_peer else SENDER_REGISTRATION


def upload(device: Device, registration: int) -> Request:
    """Return the upload that makes a device reachable."""
    last_resort = KemPrekey(1, _KEM_KEY, _SIGNATURE, last_resort=True)
    return PrekeysUpload(device, registration, (), (), None, last_resort)


def removal(device: Device) -> Request:
    """Return the list that names an account's first device alone."""
    return DeviceListPublish(
        device=device[:-1] + bytes((FIRST_NUMBER,)),
        seq=2,
        prev_hash=_KEY,
        list_hash=_KEY,
        blob=b"2",
        signature=_SIGNATURE,
        numbers=(FIRST_NUMBER,),
    )


def renewal(device: Device, registration: int, generation: int) -> Request:
    """Return the request that gives a device a new registration."""
    return ReRegister(device, registration, generation, _signed_prekey())


def _register(device: Device, registration: int) -> Register:
    return Register(
        device=device,
        account_key=_KEY,
        registration_id=registration,
        generation=1,
        signing_key=_KEY,
        agreement_key=_KEY,
        list_blob=b"1",
        list_signature=_SIGNATURE,
        list_hash=_KEY,
        signed_prekey=_signed_prekey(),
        digest=_KEY,
        invite=None,
    )


def _signed_prekey() -> SignedPrekey:
    return SignedPrekey(1, _KEY, 0, 0, _SIGNATURE)
