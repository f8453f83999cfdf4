"""A device's registrations: the first one, and the next after its store was lost.

Everything is durable before it is sent, so that an answer that got lost can be
asked for again: REGISTER's body[128:] (R-REG-001) and the next registration's id.
"""

from dataclasses import replace
from typing import Final

import anyio

from wigwag.client._device import Device, change_account_txn
from wigwag.client._dial import Facts, Handshake
from wigwag.client._events import EventKind
from wigwag.client._restored import forget_sequenced_txn, offer_again_txn
from wigwag.client._sender import Sender
from wigwag.client._store_account import Account
from wigwag.client._store_events import add_event_txn
from wigwag.client._store_outbox import forget_ciphertexts_txn
from wigwag.client._store_peers import clear_chat_bases_txn
from wigwag.client._store_prekeys import (
    PrekeyKind,
    confirm_upload_txn,
    current_signed_txn,
    drop_all_prekeys_txn,
    make_signed_txn,
)
from wigwag.client._txn import Txn
from wigwag.client.crypto import OwnSignedPrekey, new_registration_id
from wigwag.wire import AuthOk

ROLLED_BACK: Final = "store_rolled_back"
"""Reason of the gap that an old copy of a store tells: the error's name."""


async def re_register(
    device: Device,
    sender: Sender,
    handshake: Handshake,
    facts: Facts,
    *,
    is_anew: bool = False,
) -> AuthOk:
    """Give this device a new registration: its store, or the server's, is an old copy.

    Sessions, prekeys and ciphertexts are dropped; every row of the outbox is
    sealed again under its own id, with the next attempt; so is what isn't known to be
    delivered, since it may be the server that was put back.

    Args:
        device: This device.
        sender: Its outbox.
        handshake: In AUTH, after STORE_ROLLED_BACK, or READY.
        facts: What AUTH said.
        is_anew: Whether to choose another id although one was begun with.

    Raises:
        ServerRefused: STORE_ROLLED_BACK too: the begun registration was gone through
            with by a newer self of this store.
    """
    device.account, prekey = await device.store.run(
        lambda txn: _begin_txn(txn, device, is_anew=is_anew)
    )
    registration_id = device.account.next_registration_id
    answer = await handshake.re_register(
        replace(facts, registration_id=registration_id),
        prekey.offer(),
        device.account.device_keys,
    )

    def work(txn: Txn) -> Account:
        confirm_upload_txn(txn, PrekeyKind.SIGNED, [prekey.prekey_id])
        offer_again_txn(txn, device.now_ms())
        return change_account_txn(
            txn,
            lambda account: replace(
                account, registration_id=registration_id, next_registration_id=0
            ),
        )

    # The answer is here: what the old registration could do is over.
    with anyio.CancelScope(shield=True):
        device.account = await device.store.run(work)
    sender.re_register()
    sender.reload_soon()
    return answer


def _begin_txn(
    txn: Txn, device: Device, *, is_anew: bool
) -> tuple[Account, OwnSignedPrekey]:
    """Drop what belongs to the old registration and choose the next one.

    Once begun it is gone through with: after a crash the same id is sent again.
    """
    if device.account.next_registration_id and not is_anew:
        found = current_signed_txn(txn)
        assert found is not None, "it was made with the registration's id"
        return device.account, found[0]
    registration_id = new_registration_id(device.entropy)
    drop_all_prekeys_txn(txn)
    txn.forget_sessions()
    forget_ciphertexts_txn(txn)
    clear_chat_bases_txn(txn)
    forget_sequenced_txn(txn)
    now_ms = device.now_ms()
    # What its newer self received is acknowledged and does not come again.
    add_event_txn(txn, EventKind.GAP, now_ms, reason=ROLLED_BACK)
    account = change_account_txn(
        txn, lambda old: replace(old, next_registration_id=registration_id)
    )
    me = replace(account.local, registration_id=registration_id)
    prekey = make_signed_txn(txn, me, entropy=device.entropy, now_ms=now_ms)
    return account, prekey
