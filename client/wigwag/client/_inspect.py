"""What a look at a profile and at its server tells, for whoever looks for a fault.

The profile is held while it is read, so it can't be read while a session has it open.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import anyio
from cryptography import x509

from wigwag.client._cli_secrets import Secret, secrets_txn
from wigwag.client._content import Text, decode_content
from wigwag.client._dial import open_handshake
from wigwag.client._errors import ProfileMissing
from wigwag.client._open import default_ports
from wigwag.client._ports import Address, KeySource, Trust
from wigwag.client._profile import DATABASE_FILE, ProfileLock, check_folder
from wigwag.client._schema import SCHEMA_VERSION
from wigwag.client._store import open_store
from wigwag.client._store_account import Account, load_account_txn
from wigwag.client._store_peers import peers_txn
from wigwag.client._store_prekeys import PrekeyKind, current_signed_txn
from wigwag.client._txn import Txn
from wigwag.wire import RELEASES

Result = TypeVar("Result")

TEXTS_MAX: Final = 2_000
"""Newest texts that are looked for; older ones are in no log that is kept."""


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """A profile, as it is stored.

    Attributes:
        name: Username; empty: the registration isn't finished.
        user: Account id, hexadecimal.
        is_registered: Whether the server has the account.
        address: Where its server is.
        trust: How that server is recognised.
        schema: Version of its tables.
        verdict: "ok", or what the check of the whole database found.
        messages: Messages and placeholders stored.
        queued: Messages and signals that the server hasn't taken.
        one_time_prekeys: One-time prekeys that were uploaded and not used, of the
            scarcer kind.
        signed_made_ms: When the signed prekey that others use was made, ms since the
            Unix epoch; None: there is none.
        authority_ends_ms: When the pinned CA ends; None: not fetched yet.
    """

    name: str
    user: str
    is_registered: bool
    address: Address
    trust: Trust
    schema: int
    verdict: str
    messages: int
    queued: int
    one_time_prekeys: int
    signed_made_ms: int | None
    authority_ends_ms: int | None


@dataclass(frozen=True, slots=True)
class ProfileTraces:
    """What of a profile must not be in anything that leaves this machine.

    Attributes:
        secrets: Its keys.
        names: Usernames, its own and those of peers.
        users: Account ids, likewise.
        texts: What was written, the newest `TEXTS_MAX`.
    """

    secrets: tuple[Secret, ...]
    names: tuple[str, ...]
    users: tuple[bytes, ...]
    texts: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<ProfileTraces of {len(self.names)} names>"


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server says before anybody signs in.

    Attributes:
        revision: On which revision client and server agreed.
        is_draft: Whether that is a draft.
        finalized: Number of its finalized {revision, features, fold version} record.
        clock_ms: Its clock when it answered, ms since the Unix epoch.
        ahead_ms: How far it is ahead of this machine's; negative: behind. The half of
            `seconds` is the most that this is wrong by.
        seconds: Time that connecting and greeting took.
    """

    revision: int
    is_draft: bool
    finalized: int
    clock_ms: int
    ahead_ms: int
    seconds: float


async def inspect_profile(folder: Path, keys: KeySource) -> ProfileFacts:
    """Check a profile's whole database and say what it holds.

    Args:
        folder: Its folder; no process may have it open.
        keys: Where its key comes from.

    Raises:
        ProfileMissing: There is no such profile, or no account in it.
        ProfileInUse: Another process has it open.
        WigwagError: It can't be opened.
    """
    return await _read(folder, keys, _facts_txn)


async def profile_traces(folder: Path, keys: KeySource) -> ProfileTraces:
    """Return what to look for in what must not hold anything of a profile.

    Arguments and errors are those of `inspect_profile`.
    """
    return await _read(folder, keys, _traces_txn)


async def greet_server(address: Address, trust: Trust) -> Greeting:
    """Connect to a server and let it say who it is, without signing in.

    Raises:
        NetworkError: It can't be reached or isn't who it must be.
        ServerRefused: It speaks no revision of ours, or takes nobody now.
    """
    ports = default_ports("")
    started = anyio.current_time()
    handshake = await open_handshake(ports, address, trust)
    try:
        seconds = anyio.current_time() - started
        welcome = handshake.welcome
        return Greeting(
            revision=welcome.revision,
            is_draft=welcome.revision not in RELEASES,
            finalized=welcome.finalized,
            clock_ms=welcome.server_time,
            ahead_ms=welcome.server_time - ports.clock.now_ms(),
            seconds=seconds,
        )
    finally:
        with anyio.CancelScope(shield=True):
            await handshake.stream.aclose()


async def _read(
    folder: Path, keys: KeySource, work: Callable[[Txn, Account], Result]
) -> Result:
    check_folder(folder)
    ports = default_ports(keys=keys)
    with ProfileLock(folder):
        key = await keys.unlock(folder)
        async with open_store(folder / DATABASE_FILE, key, ports.executor) as store:

            def whole(txn: Txn) -> Result:
                account = load_account_txn(txn)
                if account is None:
                    raise ProfileMissing(f"The profile {folder.name} has no account.")
                return work(txn, account)

            return await store.run(whole)


def _facts_txn(txn: Txn, account: Account) -> ProfileFacts:
    unused = [
        txn.value(
            int,
            "SELECT count(*) FROM prekey WHERE kind = ? AND is_last_resort = 0"
            " AND is_uploaded = 1",
            kind,
        )
        for kind in (PrekeyKind.ONE_TIME, PrekeyKind.KEM)
    ]
    authority = account.trust.authority
    signed = current_signed_txn(txn)
    return ProfileFacts(
        name=account.name or "",
        user=account.user.hex(),
        is_registered=account.is_registered,
        address=account.address,
        trust=account.trust,
        schema=SCHEMA_VERSION,
        verdict=txn.value(str, "PRAGMA quick_check(1)") or "nothing",
        messages=txn.value(int, "SELECT count(*) FROM message") or 0,
        queued=txn.value(int, "SELECT count(*) FROM outbox") or 0,
        one_time_prekeys=min(count or 0 for count in unused),
        signed_made_ms=signed[0].created_at_ms if signed and signed[1] else None,
        authority_ends_ms=None if authority is None else _ends_ms(authority),
    )


def _ends_ms(authority: bytes) -> int:
    certificate = x509.load_der_x509_certificate(authority)
    return int(certificate.not_valid_after_utc.timestamp() * 1000)


def _traces_txn(txn: Txn, account: Account) -> ProfileTraces:
    peers = peers_txn(txn)
    names = [account.name, *(peer.name for peer in peers)]
    rows = txn.all(
        tuple[bytes],
        "SELECT content FROM message WHERE content IS NOT NULL"
        " ORDER BY rowid DESC LIMIT ?",
        TEXTS_MAX,
    )
    contents = [decode_content(content) for (content,) in rows]
    return ProfileTraces(
        secrets=tuple(secrets_txn(txn)),
        names=tuple(sorted({name for name in names if name})),
        users=(account.user, *(peer.user for peer in peers)),
        texts=tuple(one.text for one in contents if isinstance(one, Text)),
    )
