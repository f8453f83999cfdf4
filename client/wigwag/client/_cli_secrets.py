"""Every secret of a profile, for an audit that looks for them where they mustn't be."""

from dataclasses import dataclass, field
from pathlib import Path

from wigwag.client._executor import ThreadExecutor
from wigwag.client._keys import PassphraseKeys
from wigwag.client._profile import DATABASE_FILE, ProfileLock, check_folder
from wigwag.client._store import open_store
from wigwag.client._store_account import load_account_txn
from wigwag.client._store_prekeys import PrekeyKind
from wigwag.client._txn import Txn
from wigwag.client.crypto import (
    OwnKemPrekey,
    OwnOneTimePrekey,
    OwnSignedPrekey,
    PeerSessions,
)


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that never leaves this machine.

    Attributes:
        label: What it is.
        data: Itself.
    """

    label: str
    data: bytes = field(repr=False)


async def profile_secrets(folder: Path, passphrase: str) -> list[Secret]:
    """Return the private keys, chain keys and message keys that a profile holds now.

    For audits, as `wigwag demo` makes one: whoever has these can read the messages.

    Args:
        folder: The profile's folder; no process may have it open.
        passphrase: Its passphrase.

    Raises:
        WigwagError: The profile can't be opened.
    """
    check_folder(folder)
    with ProfileLock(folder):
        key = await PassphraseKeys(passphrase).unlock(folder)
        executor = ThreadExecutor()
        async with open_store(folder / DATABASE_FILE, key, executor) as store:
            return [Secret("database key", key), *await store.run(secrets_txn)]


def secrets_txn(txn: Txn) -> list[Secret]:
    """Return the private keys, chain keys and message keys that a profile holds now."""
    return [*_own_keys_txn(txn), *_prekeys_txn(txn), *_sessions_txn(txn)]


def _own_keys_txn(txn: Txn) -> list[Secret]:
    account = load_account_txn(txn)
    assert account is not None, "a registered profile"
    pair = account.device_keys.secret
    half = len(pair) // 2
    return [
        Secret("account key", account.account_key.secret),
        Secret("signing key", pair[:half]),
        Secret("agreement key", pair[half:]),
    ]


def _prekeys_txn(txn: Txn) -> list[Secret]:
    rows = txn.all(tuple[int, int, bytes], "SELECT kind, id, data FROM prekey")
    secrets: list[Secret] = []
    for kind, number, data in rows:
        match PrekeyKind(kind):
            case PrekeyKind.SIGNED:
                secret = OwnSignedPrekey.load(data).key.secret
            case PrekeyKind.ONE_TIME:
                secret = OwnOneTimePrekey.load(data).key.secret
            case PrekeyKind.KEM:
                secret = OwnKemPrekey.load(data).key.seed
        secrets.append(Secret(f"prekey {kind}.{number}", secret))
    return secrets


def _sessions_txn(txn: Txn) -> list[Secret]:
    secrets: list[Secret] = []
    for (state,) in txn.all(tuple[bytes], "SELECT state FROM session"):
        for record in PeerSessions.load(state).all:
            ratchet = record.ratchet
            secrets += [
                Secret("ratchet key", ratchet.own_private),
                Secret("root key", ratchet.root_key),
                Secret("sending chain key", ratchet.sending_key),
            ]
            if ratchet.receiving_key is not None:
                secrets.append(Secret("receiving chain key", ratchet.receiving_key))
    rows = txn.all(tuple[bytes], "SELECT message_key FROM skipped_key")
    return secrets + [Secret("message key", key) for (key,) in rows]
