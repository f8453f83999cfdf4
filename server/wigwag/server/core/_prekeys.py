"""The prekey directory: pages of one-time keys, each handed out once or burnt.

Keys lie in immutable pages; a claim advances an index, in the same commit as its
answer. So no crash can hand a key out twice. Pages of an epoch before a proven
restore are void: the lost future may have handed their keys out.
"""

from collections.abc import Sequence
from struct import Struct

import msgspec

from wigwag.server.core._answers import (
    Answer,
    Bundles,
    DeviceBundle,
    Dropped,
    Failed,
    PrekeysHeld,
)
from wigwag.server.core._draft import Draft
from wigwag.server.core._events import PrekeysLow
from wigwag.server.core._limits import PREKEYS_LOW, PREKEYS_MAX
from wigwag.server.core._refusals import Refusal
from wigwag.server.core._requests import PrekeysClaim, PrekeysCount, PrekeysUpload
from wigwag.server.core._rows import (
    ACCOUNTS,
    PAGES,
    PREKEYS,
    ROSTERS,
    SENDERS,
    PageRef,
    PageRow,
    PrekeyRow,
)
from wigwag.server.core._values import (
    USER_BYTES,
    Device,
    EcPrekey,
    EcPrekeyLike,
    KemPrekey,
    KemPrekeyLike,
    SignedPrekey,
    SignedPrekeyLike,
    device_of,
)

EC_KIND = 1
KEM_KIND = 2
_EC = Struct(">I32s")
_KEM = Struct(">I1568s64s")


def page_key(device: Device, kind: int, first_id: int) -> bytes:
    """Return the key of a page."""
    return device + bytes((kind,)) + first_id.to_bytes(4)


def signed_value(prekey: SignedPrekeyLike) -> SignedPrekey:
    """Copy a signed prekey of any origin."""
    return SignedPrekey(
        prekey.id, prekey.key, prekey.created, prekey.expires, prekey.signature
    )


def count_left(draft: Draft, row: PrekeyRow) -> tuple[int, int]:
    """Count the one-time keys left: X25519, ML-KEM."""
    row = without_void(row, draft.state.void_below)
    ec_left = sum(page.count for page in row.ec_pages) - row.ec_next
    return ec_left, sum(page.count for page in row.kem_pages) - row.kem_next


def without_void(row: PrekeyRow, void_below: int) -> PrekeyRow:
    """Return a device's prekeys without the pages of void epochs."""
    pages = (*row.ec_pages, *row.kem_pages)
    if all(page.epoch >= void_below for page in pages):
        return row
    ec_pages = tuple(page for page in row.ec_pages if page.epoch >= void_below)
    kem_pages = tuple(page for page in row.kem_pages if page.epoch >= void_below)
    return msgspec.structs.replace(
        row,
        ec_pages=ec_pages,
        ec_next=row.ec_next if ec_pages == row.ec_pages else 0,
        kem_pages=kem_pages,
        kem_next=row.kem_next if kem_pages == row.kem_pages else 0,
    )


def held(draft: Draft, row: PrekeyRow) -> PrekeysHeld:
    """Build the answer that counts a device's prekeys."""
    ec_left, kem_left = count_left(draft, row)
    return PrekeysHeld(
        ec_left,
        kem_left,
        row.ec_highest,
        row.kem_highest,
        row.signed.id,
        row.last_resort.id if row.last_resort is not None else 0,
    )


def fold_count(draft: Draft, request: PrekeysCount) -> Answer:
    """Count a device's prekeys."""
    row = draft.get(PREKEYS, request.device)
    return Dropped() if row is None else held(draft, row)


def fold_upload(draft: Draft, request: PrekeysUpload) -> Answer:
    """Store prekeys whose ids are above the stored highest.

    The first last-resort key makes the device reachable: only now is it named in
    its account's roster and its bundle claimable.
    """
    device = request.device
    sender = draft.get(SENDERS, device)
    row = draft.get(PREKEYS, device)
    if (
        sender is None
        or row is None
        or sender.registration_id != request.registration_id
    ):
        return Dropped()
    row = without_void(row, draft.state.void_below)
    ec_new = [key for key in request.one_time if key.id > row.ec_highest]
    kem_new = [key for key in request.kem if key.id > row.kem_highest]
    ec_left, kem_left = count_left(draft, row)
    if ec_left + len(ec_new) > PREKEYS_MAX or kem_left + len(kem_new) > PREKEYS_MAX:
        return Failed(Refusal.QUOTA)
    signed, last_resort = row.signed, row.last_resort
    if request.signed is not None and request.signed.id > signed.id:
        signed = signed_value(request.signed)
    kem_highest = max(row.kem_highest, *(key.id for key in kem_new), 0)
    offered = request.last_resort
    if offered is not None and offered.id > row.kem_highest:
        last_resort = KemPrekey(
            offered.id, offered.key, offered.signature, last_resort=True
        )
        kem_highest = max(kem_highest, offered.id)
    stored = PrekeyRow(
        signed,
        last_resort,
        max(row.ec_highest, *(key.id for key in ec_new), 0),
        kem_highest,
        (*row.ec_pages, *_add_page(draft, device, EC_KIND, _pack_ec(ec_new))),
        row.ec_next,
        (*row.kem_pages, *_add_page(draft, device, KEM_KIND, _pack_kem(kem_new))),
        row.kem_next,
    )
    draft.put(PREKEYS, device, stored)
    if last_resort is not None:
        _list_device(draft, device, sender.registration_id)
    return held(draft, stored)


def _pack_ec(keys: Sequence[EcPrekeyLike]) -> list[tuple[int, bytes]]:
    return [(key.id, _EC.pack(key.id, key.key)) for key in keys]


def _pack_kem(keys: Sequence[KemPrekeyLike]) -> list[tuple[int, bytes]]:
    return [(key.id, _KEM.pack(key.id, key.key, key.signature)) for key in keys]


def _add_page(
    draft: Draft, device: Device, kind: int, packed: list[tuple[int, bytes]]
) -> tuple[PageRef, ...]:
    """Store a page of new keys; none when there are none."""
    if not packed:
        return ()
    first_id = packed[0][0]
    blob = b"".join(one for _, one in packed)
    page = PageRow(draft.epoch, blob)
    draft.put(PAGES, page_key(device, kind, first_id), page)
    return (PageRef(first_id, len(packed), draft.epoch),)


def _list_device(draft: Draft, device: Device, registration_id: int) -> None:
    """Name a device in its account's roster."""
    user, number = device[:USER_BYTES], device[USER_BYTES]
    roster = dict(draft.roster(user))
    if roster.get(number) != registration_id:
        roster[number] = registration_id
        draft.put(ROSTERS, user, tuple(sorted(roster.items())))


def fold_claim(draft: Draft, request: PrekeysClaim) -> Answer:
    """Hand out a bundle for every reachable device of a user but the requester."""
    sender = draft.get(SENDERS, request.device)
    if sender is None or not sender.registration_id:
        return Dropped()  # removed since it asked: it uses nothing up
    account = draft.get(ACCOUNTS, request.user)
    roster = draft.roster(request.user)
    if account is None or not roster:
        return Failed(Refusal.NOT_FOUND)
    bundles: list[DeviceBundle] = []
    for number, registration_id in roster:
        device = device_of(request.user, number)
        if device == request.device:
            continue
        row = draft.must_get(PREKEYS, device)
        if row.last_resort is None:
            continue  # registered anew, its last-resort key is still to come
        bundles.append(
            _hand_out(draft, device, registration_id, row, one_time=request.one_time)
        )
    return Bundles(request.user, account.list_seq, tuple(bundles))


def _hand_out(
    draft: Draft,
    device: Device,
    registration_id: int,
    row: PrekeyRow,
    *,
    one_time: bool,
) -> DeviceBundle:
    """Take the next one-time keys of a device, or fall back to the lasting ones."""
    assert row.last_resort is not None
    ec_key: EcPrekey | None = None
    kem_key = row.last_resort
    if one_time:
        row = without_void(row, draft.state.void_below)
        if row.ec_pages:
            packed, pages, index = _take(
                draft, device, EC_KIND, _EC.size, row.ec_pages, row.ec_next
            )
            ec_key = EcPrekey(*_EC.unpack(packed))
            row = msgspec.structs.replace(row, ec_pages=pages, ec_next=index)
        if row.kem_pages:
            packed, pages, index = _take(
                draft, device, KEM_KIND, _KEM.size, row.kem_pages, row.kem_next
            )
            kem_key = KemPrekey(*_KEM.unpack(packed))
            row = msgspec.structs.replace(row, kem_pages=pages, kem_next=index)
        draft.put(PREKEYS, device, row)
        ec_left, kem_left = count_left(draft, row)
        if min(ec_left, kem_left) < PREKEYS_LOW:
            draft.events.append(PrekeysLow(device, ec_left, kem_left))
    return DeviceBundle(
        device[USER_BYTES], registration_id, row.signed, ec_key, kem_key
    )


def _take(
    draft: Draft,
    device: Device,
    kind: int,
    size: int,
    pages: tuple[PageRef, ...],
    index: int,
) -> tuple[bytes, tuple[PageRef, ...], int]:
    """Take the next key: its bytes, the pages then left, the next index."""
    page = pages[0]
    key = page_key(device, kind, page.first_id)
    keys = draft.must_get(PAGES, key).keys
    packed = keys[index * size : (index + 1) * size]
    if index + 1 < page.count:
        return packed, pages, index + 1
    draft.put(PAGES, key, None)
    return packed, pages[1:], 0


def drop_one_time(draft: Draft, device: Device, row: PrekeyRow) -> None:
    """Delete a device's pages; the caller replaces the row."""
    for page in row.ec_pages:
        draft.put(PAGES, page_key(device, EC_KIND, page.first_id), None)
    for page in row.kem_pages:
        draft.put(PAGES, page_key(device, KEM_KIND, page.first_id), None)
