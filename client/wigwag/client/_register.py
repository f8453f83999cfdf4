"""Makes a profile and registers its account."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import anyio

from wigwag.client._device import Device, with_authority
from wigwag.client._dial import (
    NO_SIGNATURE,
    SIGN_IN_SECONDS,
    SIGNATURE_BYTES,
    Facts,
    Handshake,
    open_handshake,
    read_register_body,
)
from wigwag.client._directory import NAME
from wigwag.client._errors import (
    DialFailed,
    PeerUnknown,
    ProfileExists,
    ServerRefused,
)
from wigwag.client._ids import ID_BYTES
from wigwag.client._join import Join, parse_join
from wigwag.client._open import default_ports
from wigwag.client._ports import KeySource, Ports, Trust
from wigwag.client._prekey_upkeep import PrekeyUpkeep
from wigwag.client._profile import (
    DATABASE_FILE,
    ProfileLock,
    make_folder,
    profile_folder,
)
from wigwag.client._proof import Proof, TokenSource, account_key_sha256, get_proof
from wigwag.client._store import Store, open_store
from wigwag.client._store_account import (
    Account,
    bump_generation_txn,
    counter_txn,
    load_account_txn,
    save_account_txn,
    save_own_list_txn,
)
from wigwag.client._store_prekeys import (
    PrekeyKind,
    confirm_upload_txn,
    current_signed_txn,
    make_signed_txn,
)
from wigwag.client._txn import Txn
from wigwag.client.crypto import (
    AccountKey,
    DeviceKeys,
    LocalDevice,
    OwnSignedPrekey,
    accept_first_list,
    list_device,
    new_registration_id,
    sign_first_list,
)
from wigwag.wire import (
    ErrorCode,
    Register,
    UsernameClaim,
    UsernameResolved,
    encode_message,
)

FIRST_DEVICE: Final = 1


@dataclass(frozen=True, slots=True)
class Registered:
    """A new account.

    Attributes:
        name: Its username.
        user: Its account id, hexadecimal.
        folder: Its profile.
    """

    name: str
    user: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Prepared:
    """An account that no server knows yet.

    Attributes:
        account_key_sha256: What a registration token for it must hold (R-REG-007).
        folder: Its profile.
    """

    account_key_sha256: str
    folder: Path


async def prepare_registration(
    join: str | Join,
    *,
    profile: str | Path | None = None,
    passphrase: str | None = None,
    keys: KeySource | None = None,
    ports: Ports | None = None,
) -> Prepared:
    """Make a profile and an account's keys, for a token to be made for; no network.

    `register` on the same profile goes on with them. Calling it again returns the
    same.

    Args:
        join: Join string of the server.
        profile: As for `register`.
        passphrase: As for `register`.
        keys: As for `register`.
        ports: As for `register`.

    Raises:
        JoinStringWrong: The join string can't be read.
        ProfileExists: The profile has an account already.
        WigwagError: The profile can't be made.
    """
    place = parse_join(join) if isinstance(join, str) else join
    ports = ports or default_ports(passphrase, keys=keys)
    folder = profile_folder(profile)
    async with _open_profile(folder, ports) as store:
        account = await _account(place, store, ports)
    key = account_key_sha256(account.account_key.public)
    return Prepared(account_key_sha256=key, folder=folder)


async def register(
    name: str,
    join: str | Join,
    *,
    token: str | TokenSource | None = None,
    profile: str | Path | None = None,
    passphrase: str | None = None,
    keys: KeySource | None = None,
    ports: Ports | None = None,
) -> Registered:
    """Make a profile, register its account at a server and claim a username.

    Whatever breaks it off, calling it again goes on where it stopped; with another
    name after NAME_TAKEN, with another join string after PROOF_REFUSED.

    Args:
        name: 3 to 32 characters of a-z 0-9 _ . -, the first a letter.
        join: Join string of the server.
        token: Of the identity service whose tokens the server takes, instead of an
            invite; or what gets one when it is told the account key's SHA-256.
        profile: Name or folder; None: `WIGWAG_PROFILE`, else the default one.
        passphrase: Locks the profile; None: `WIGWAG_PASSPHRASE`.
        keys: Where the profile's key comes from; None: the passphrase.
        ports: The outside world; None: the real one, with these keys.

    Raises:
        JoinStringWrong: The join string can't be read.
        ProfileExists: The profile has an account already.
        TokenWrong: The token can't be one, or is for another account key.
        ServerRefused: PROOF_REFUSED, NAME_TAKEN and others.
        WigwagError: The server can't be reached, or the profile not be made.
    """
    if not NAME.fullmatch(name):
        raise PeerUnknown(
            f"{name!r} can't be a username: 3 to 32 characters of a-z 0-9 _ . -,"
            " the first a letter."
        )
    place = parse_join(join) if isinstance(join, str) else join
    folder = profile_folder(profile)
    ports = ports or default_ports(passphrase, keys=keys)
    async with _open_profile(folder, ports) as store:
        account = await _account(place, store, ports)
        device = Device(store, ports, account)
        is_old = account.register_body is not None
        try:
            await _register(name, place, token, device)
        except ServerRefused as error:
            if not is_old or error.code != ErrorCode.PROOF_REFUSED:
                raise
            # What was refused was of a try that broke off: the proof may have ended
            # meanwhile, and there is another one.
            await _register(name, place, token, device)
    return Registered(name=name, user=account.user.hex(), folder=folder)


@asynccontextmanager
async def _open_profile(folder: Path, ports: Ports) -> AsyncGenerator[Store, None]:
    """Open a profile that may have to be made."""
    make_folder(folder)
    with ProfileLock(folder):
        path = folder / DATABASE_FILE
        source = ports.keys
        is_new = not path.exists()
        key = await (source.create(folder) if is_new else source.unlock(folder))
        async with open_store(path, key, ports.executor, vfs=ports.vfs) as store:
            yield store


async def _account(join: Join, store: Store, ports: Ports) -> Account:
    """Return the profile's account, made if there is none, with the newest address."""
    account = await store.run(load_account_txn)
    if account is not None and account.name is not None:
        raise ProfileExists(f"The profile belongs to {account.name} already.")
    if account is None:
        account = await store.run(
            lambda txn: _make_account_txn(txn, join, ports, ports.clock.now_ms())
        )
    elif not account.is_registered:
        trust = account.trust
        if trust.pin != join.pin:
            trust = Trust(join.pin)
        account = replace(account, address=join.address, trust=trust)
    return account


async def _register(
    name: str, join: Join, token: str | TokenSource | None, device: Device
) -> None:
    account = device.account
    proof = None
    if not account.is_registered and account.register_body is None:
        key = account_key_sha256(account.account_key.public)
        proof = await get_proof(join, token, key)
    ports = device.ports
    handshake = await open_handshake(ports, account.address, account.trust)
    try:
        with anyio.fail_after(SIGN_IN_SECONDS):
            await device.set_server_time(handshake.welcome.server_time)
            await _sign_in(device, handshake, proof)
        authority = handshake.authority
        await device.change_account(lambda old: with_authority(old, authority))
        await _equip(device, handshake)
        await handshake.exchange(UsernameClaim(name), UsernameResolved)
        await device.change_account(lambda old: replace(old, name=name))
    except TimeoutError as error:
        raise DialFailed("The server doesn't finish the registration.") from error
    finally:
        with anyio.CancelScope(shield=True):
            await handshake.stream.aclose()


async def _sign_in(device: Device, handshake: Handshake, proof: Proof | None) -> None:
    """Register, or sign in to an account that was registered and has no name yet."""
    account = device.account
    if account.is_registered:
        facts = await device.store.run(lambda txn: _facts_txn(txn, account))
        await handshake.sign_in(facts, account.device_keys)
        return
    body = await device.store.run(
        lambda txn: _body_txn(txn, device, proof, handshake.connection.revision)
    )
    unsigned = read_register_body(body, handshake.connection.revision)
    try:
        await handshake.register(unsigned, account.account_key, account.device_keys)
    except ServerRefused as error:
        if error.code in (ErrorCode.ID_TAKEN, ErrorCode.PROOF_REFUSED):
            # Nothing was stored: the next try may say something else.
            is_taken = error.code == ErrorCode.ID_TAKEN
            await device.store.run(lambda txn: _forget_txn(txn, is_taken=is_taken))
            device.account = replace(account, register_body=None)
        raise

    def work(txn: Txn) -> Account:
        signed = current_signed_txn(txn)
        if signed is not None:
            confirm_upload_txn(txn, PrekeyKind.SIGNED, [signed[0].prekey_id])
        registered = replace(account, is_registered=True, register_body=None)
        save_account_txn(txn, registered)
        return registered

    device.account = await device.store.run(work)


async def _equip(device: Device, handshake: Handshake) -> None:
    """Upload the prekeys without which nobody can write to us."""
    prekeys = PrekeyUpkeep(device)
    prekeys.is_low = True
    await prekeys.stock(handshake.exchange)


def _make_account_txn(txn: Txn, join: Join, ports: Ports, now_ms: int) -> Account:
    entropy = ports.entropy
    account_key = AccountKey.generate(entropy)
    me = LocalDevice(
        account=entropy.token(ID_BYTES),
        account_key=account_key.public,
        number=FIRST_DEVICE,
        registration_id=new_registration_id(entropy),
        keys=DeviceKeys.generate(entropy),
    )
    signed = sign_first_list(account_key, me.account, [list_device(me)], now_ms=now_ms)
    account = Account(
        user=me.account,
        device=me.number,
        registration_id=me.registration_id,
        account_key=account_key,
        device_keys=me.keys,
        list_pin=accept_first_list(me.account, account_key.public, [signed]),
        address=join.address,
        trust=Trust(join.pin),
    )
    save_account_txn(txn, account)
    save_own_list_txn(txn, 1, signed)
    bump_generation_txn(txn)
    return account


def _body_txn(txn: Txn, device: Device, proof: Proof | None, revision: int) -> bytes:
    """Return body[128:] of REGISTER, durable before it is sent (R-REG-001)."""
    account = device.account
    if account.register_body is not None:
        return account.register_body
    assert proof is not None, "asked for before the server was dialled"
    prekey = _prekey_txn(txn, device)
    blob, signature = txn.one(
        tuple[bytes, bytes], "SELECT blob, signature FROM own_list WHERE seq = 1"
    ) or (b"", b"")
    unsigned = Register(
        account_signature=NO_SIGNATURE,
        device_signature=NO_SIGNATURE,
        user=account.user,
        account_key=account.account_key.public,
        device=account.device,
        registration_id=account.registration_id,
        generation=counter_txn(txn, "generation"),
        signing_key=account.device_keys.signing_public,
        agreement_key=account.device_keys.agreement_public,
        list_blob=blob,
        list_signature=signature,
        signed_prekey=prekey.offer(),
        proof_kind=proof.kind,
        proof=proof.data,
    )
    body = encode_message(unsigned, revision)[2 * SIGNATURE_BYTES :]
    save_account_txn(txn, replace(account, register_body=body))
    return body


def _prekey_txn(txn: Txn, device: Device) -> OwnSignedPrekey:
    found = current_signed_txn(txn)
    if found is not None:
        return found[0]
    return make_signed_txn(
        txn, device.account.local, entropy=device.entropy, now_ms=device.now_ms()
    )


def _forget_txn(txn: Txn, *, is_taken: bool) -> None:
    if is_taken:
        txn.do("DELETE FROM account")
        txn.do("DELETE FROM own_list")
        txn.do("DELETE FROM prekey")
    else:
        txn.do("UPDATE account SET register_body = NULL")


def _facts_txn(txn: Txn, account: Account) -> Facts:
    return Facts(
        user=account.user,
        device=account.device,
        registration_id=account.registration_id,
        generation=bump_generation_txn(txn),
        cursor=counter_txn(txn, "cursor"),
    )
