"""The directory fold: accounts, devices, signed lists, names, invites.

Signatures were verified by the session; here is judged what only the log knows:
whether an id, a name or an invite is still free, and whether a list joins the
chain. Each request may be repeated after a lost answer and gets it again.
"""

from wigwag.server.core._answers import (
    AccountDeleted,
    AccountFound,
    Answer,
    DeviceFound,
    DeviceListPublished,
    DeviceLists,
    Dropped,
    Failed,
    InviteCreated,
    RolledBack,
    Username,
)
from wigwag.server.core._connect import connected
from wigwag.server.core._draft import Draft
from wigwag.server.core._events import Displaced, Revoked
from wigwag.server.core._inbox_drop import drop_inbox
from wigwag.server.core._limits import DEVICES_MAX, LISTS_MAX, NAME_HOLD_DAYS
from wigwag.server.core._prekeys import drop_one_time, signed_value
from wigwag.server.core._refusals import GapReason, Refusal, UndeliveredReason
from wigwag.server.core._requests import (
    AccountDelete,
    AccountLookup,
    DeviceListGet,
    DeviceListPublish,
    DeviceLookup,
    InviteCreate,
    Register,
    ReRegister,
    UsernameClaim,
    UsernameOf,
    UsernameResolve,
)
from wigwag.server.core._rows import (
    ACCOUNTS,
    DELETED,
    DEVICES,
    HEADS,
    INVITES,
    LISTS,
    NAMES,
    OPENED,
    PREKEYS,
    ROSTERS,
    SENDERS,
    AccountRow,
    DeletedRow,
    DeviceRow,
    HeadRow,
    InviteRow,
    ListRow,
    PrekeyRow,
    SenderRow,
    list_key,
)
from wigwag.server.core._values import (
    DAY_MS,
    NO_MESSAGE,
    USER_BYTES,
    Device,
    Gap,
    SignedList,
    device_of,
)

_NAME_HOLD_MS = NAME_HOLD_DAYS * DAY_MS


def fold_register(draft: Draft, request: Register) -> Answer:
    """Create an account and its first device, using an invite up."""
    user = request.device[:USER_BYTES]
    account = draft.get(ACCOUNTS, user)
    if account is not None:
        return _register_again(draft, request, account)
    deleted = draft.get(DELETED, user)
    if deleted is not None:  # an id names one account, for ever
        is_own = deleted.account_key == request.account_key
        return Failed(Refusal.AUTH_FAILED if is_own else Refusal.ID_TAKEN)
    if not _use_proof(draft, request):
        return Failed(Refusal.PROOF_REFUSED)
    draft.put(
        ACCOUNTS,
        user,
        AccountRow(
            request.account_key,
            request.digest,
            draft.now_ms,
            1,
            (request.device[USER_BYTES],),
            "",
        ),
    )
    draft.put(
        DEVICES,
        request.device,
        DeviceRow(
            request.signing_key, request.agreement_key, draft.now_ms, is_revoked=False
        ),
    )
    draft.put(
        LISTS,
        list_key(user, 1),
        ListRow(request.list_blob, request.list_signature, request.list_hash),
    )
    draft.put(ROSTERS, user, ())
    draft.put(
        SENDERS,
        request.device,
        SenderRow(
            request.registration_id, request.generation, NO_MESSAGE, NO_MESSAGE, 0
        ),
    )
    draft.put(HEADS, request.device, HeadRow(0, 0, 0, draft.now_ms))
    draft.put(
        PREKEYS,
        request.device,
        PrekeyRow(signed_value(request.signed_prekey), None, 0, 0, (), 0, (), 0),
    )
    return connected(draft, request.device, ())


def _use_proof(draft: Draft, request: Register) -> bool:
    """Use up what may be used no more; returns whether it still could.

    By the record's time, which never goes back: what has ended stays so, and what is
    forgotten after its end can't come again.
    """
    if request.invite is not None:
        invite = draft.get(INVITES, request.invite)
        if invite is None or invite.uses_left < 1 or invite.expires_ms <= draft.now_ms:
            return False
        left = InviteRow(invite.uses_left - 1, invite.expires_ms)
        draft.put(INVITES, request.invite, left)
    once = request.once
    if once is not None:
        is_its_time = once.starts_ms <= draft.now_ms < once.ends_ms
        if not is_its_time or draft.get(INVITES, once.digest) is not None:
            return False
        draft.put(INVITES, once.digest, InviteRow(0, once.ends_ms))
    return True


def _register_again(draft: Draft, request: Register, account: AccountRow) -> Answer:
    """Give an equal REGISTER the equal answer, and refuse any other."""
    if account.digest != request.digest:
        return Failed(Refusal.ID_TAKEN)
    keys = draft.must_get(DEVICES, request.device)
    sender = draft.must_get(SENDERS, request.device)
    if keys.is_revoked:
        return Failed(Refusal.AUTH_FAILED)
    if (
        sender.registration_id != request.registration_id
        or sender.generation != request.generation
    ):
        return RolledBack()  # the device has signed in since: this is an old copy
    draft.events.append(Displaced(request.device, request.generation))
    return connected(draft, request.device, ())


def fold_re_register(draft: Draft, request: ReRegister) -> Answer:
    """Give a device a new registration; what only its lost state could open goes."""
    device = request.device
    keys = draft.get(DEVICES, device)
    if keys is None or keys.is_revoked:
        return Failed(Refusal.AUTH_FAILED)
    sender = draft.must_get(SENDERS, device)
    gaps: tuple[Gap, ...] = ()
    if sender.registration_id == request.registration_id:
        if request.generation < sender.generation:
            return RolledBack()
        draft.put(
            SENDERS,
            device,
            SenderRow(
                sender.registration_id,
                request.generation,
                sender.high,
                sender.last_id,
                sender.last_attempt,
            ),
        )
    else:
        gaps = _renew(draft, request, sender)
    draft.events.append(Displaced(device, request.generation))
    return connected(draft, device, gaps)


def _renew(draft: Draft, request: ReRegister, sender: SenderRow) -> tuple[Gap, ...]:
    device = request.device
    user, number = device[:USER_BYTES], device[USER_BYTES]
    gap = drop_inbox(draft, device, UndeliveredReason.REREGISTERED)
    prekeys = draft.must_get(PREKEYS, device)
    drop_one_time(draft, device, prekeys)
    draft.put(
        PREKEYS,
        device,
        PrekeyRow(
            signed_value(request.signed_prekey),
            None,  # its signature names the old registration
            prekeys.ec_highest,
            prekeys.kem_highest,
            (),
            0,
            (),
            0,
        ),
    )
    roster = dict(draft.roster(user))
    if number in roster:
        # Still listed, so that senders are told to encrypt anew; claimable once its
        # last-resort key has come.
        roster[number] = request.registration_id
        draft.put(ROSTERS, user, tuple(sorted(roster.items())))
    draft.put(
        SENDERS,
        device,
        SenderRow(
            request.registration_id, request.generation, sender.high, NO_MESSAGE, 0
        ),
    )
    return () if gap is None else (Gap(*gap, GapReason.REREGISTERED),)


def fold_lookup(draft: Draft, request: DeviceLookup) -> Answer:
    """Find the keys that a sign-in is verified with."""
    keys = draft.get(DEVICES, request.device)
    if keys is None or keys.is_revoked:
        return Failed(Refusal.AUTH_FAILED)
    account = draft.must_get(ACCOUNTS, request.device[:USER_BYTES])
    sender = draft.must_get(SENDERS, request.device)
    return DeviceFound(sender.registration_id, keys.signing_key, account.account_key)


def fold_claim_name(draft: Draft, request: UsernameClaim) -> Answer:
    """Give an account a name: one each, and for good."""
    account = draft.get(ACCOUNTS, request.user)
    if account is None or (request.number and request.number not in account.numbers):
        return Dropped()
    owner = draft.get(NAMES, request.name)
    if owner is not None and owner != request.user:
        deleted = draft.get(DELETED, owner)
        if deleted is None or draft.now_ms < deleted.deleted_ms + _NAME_HOLD_MS:
            return Failed(Refusal.NAME_TAKEN)
    if owner != request.user:
        if account.name:
            return Failed(Refusal.QUOTA)
        draft.put(NAMES, request.name, request.user)
        draft.put(
            ACCOUNTS,
            request.user,
            AccountRow(
                account.account_key,
                account.digest,
                account.created_ms,
                account.list_seq,
                account.numbers,
                request.name,
            ),
        )
    return Username(request.user, request.name)


def fold_resolve(draft: Draft, request: UsernameResolve) -> Answer:
    """Find whose a name is."""
    owner = draft.get(NAMES, request.name)
    if owner is None or draft.get(DELETED, owner) is not None:
        return Failed(Refusal.NOT_FOUND)
    return Username(owner, request.name)


def fold_name_of(draft: Draft, request: UsernameOf) -> Answer:
    """Find an account's name."""
    account = draft.get(ACCOUNTS, request.user)
    if account is None or not account.name:
        return Failed(Refusal.NOT_FOUND)
    return Username(request.user, account.name)


def fold_publish_list(draft: Draft, request: DeviceListPublish) -> Answer:
    """Store the next device list of an account and revoke whom it leaves out."""
    user, number = request.device[:USER_BYTES], request.device[USER_BYTES]
    account = draft.get(ACCOUNTS, user)
    if account is None or number not in account.numbers:
        return Dropped()
    newest = draft.must_get(LISTS, list_key(user, account.list_seq))
    if request.seq == account.list_seq and request.blob == newest.blob:
        return DeviceListPublished(request.seq)
    if request.seq != account.list_seq + 1 or request.prev_hash != newest.hash:
        return Failed(Refusal.CONFLICT)
    if len(request.numbers) > DEVICES_MAX:
        return Failed(Refusal.QUOTA)
    draft.put(
        LISTS,
        list_key(user, request.seq),
        ListRow(request.blob, request.signature, request.list_hash),
    )
    for gone in account.numbers:
        if gone not in request.numbers:
            _revoke(draft, device_of(user, gone))
    draft.put(
        ACCOUNTS,
        user,
        AccountRow(
            account.account_key,
            account.digest,
            account.created_ms,
            request.seq,
            tuple(one for one in account.numbers if one in request.numbers),
            account.name,
        ),
    )
    return DeviceListPublished(request.seq)


def _revoke(draft: Draft, device: Device) -> None:
    """End a device: out of the roster first, so that it gets no report of its own."""
    user, number = device[:USER_BYTES], device[USER_BYTES]
    roster = dict(draft.roster(user))
    roster.pop(number, None)
    draft.put(ROSTERS, user, tuple(roster.items()))
    drop_inbox(draft, device, UndeliveredReason.DEVICE_GONE)
    prekeys = draft.must_get(PREKEYS, device)
    drop_one_time(draft, device, prekeys)
    draft.put(PREKEYS, device, None)
    keys = draft.must_get(DEVICES, device)
    draft.put(
        DEVICES,
        device,
        DeviceRow(
            keys.signing_key, keys.agreement_key, keys.created_ms, is_revoked=True
        ),
    )
    sender = draft.must_get(SENDERS, device)
    draft.put(
        SENDERS,
        device,
        SenderRow(0, sender.generation, sender.high, NO_MESSAGE, 0),
    )
    draft.events.append(Revoked(device))


def fold_account_lookup(draft: Draft, request: AccountLookup) -> Answer:
    """Find the key that a deletion is verified with; a deleted account has it too."""
    account = draft.get(ACCOUNTS, request.user)
    if account is not None:
        return AccountFound(account.account_key)
    deleted = draft.get(DELETED, request.user)
    if deleted is not None:
        return AccountFound(deleted.account_key)
    return Failed(Refusal.AUTH_FAILED)


def fold_delete_account(draft: Draft, request: AccountDelete) -> Answer:
    """Delete an account; what is left is its id, its key, and the held name."""
    user = request.user
    deleted = draft.get(DELETED, user)
    account = draft.get(ACCOUNTS, user)
    known = deleted or account
    if known is None or known.account_key != request.account_key:
        return Failed(Refusal.AUTH_FAILED)
    if deleted is not None:
        return AccountDeleted(deleted.deleted_ms)
    assert account is not None
    for number in account.numbers:
        device = device_of(user, number)
        _revoke(draft, device)
        draft.put(DEVICES, device, None)
        draft.put(SENDERS, device, None)
        if not draft.must_get(HEADS, device).doomed:
            draft.put(HEADS, device, None)
    draft.put(LISTS, list_key(user, account.list_seq), None)
    draft.put(ROSTERS, user, None)
    draft.put(ACCOUNTS, user, None)
    draft.put(OPENED, user, None)
    draft.put(DELETED, user, DeletedRow(request.account_key, draft.now_ms))
    # Older lists, and what is left of devices removed before, by their keys' range.
    draft.purged.append(user)
    return AccountDeleted(draft.now_ms)


def fold_get_lists(draft: Draft, request: DeviceListGet) -> Answer:
    """Find device lists above a number; an account that none can reach isn't there."""
    account = draft.get(ACCOUNTS, request.user)
    if account is None or (
        request.user != request.requester and not draft.roster(request.user)
    ):
        return Failed(Refusal.NOT_FOUND)
    first = request.above + 1 if request.above else account.list_seq
    wanted = range(first, min(account.list_seq, first + LISTS_MAX - 1) + 1)
    lists: list[SignedList] = []
    for seq in wanted:
        row = draft.must_get(LISTS, list_key(request.user, seq))
        lists.append(SignedList(seq, row.blob, row.signature))
    return DeviceLists(
        request.user,
        account.account_key,
        tuple(lists),
        bool(lists) and lists[-1].seq < account.list_seq,
    )


def fold_create_invite(draft: Draft, request: InviteCreate) -> Answer:
    """Store an invite."""
    draft.put(INVITES, request.code_hash, InviteRow(request.uses, request.expires_ms))
    return InviteCreated(request.expires_ms)
