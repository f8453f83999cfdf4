"""Prekeys and device lists: stored for a device, handed out to others."""

from collections.abc import Iterator

from wigwag.server._peer import Identity
from wigwag.server._pending import Pending
from wigwag.server._session import Session
from wigwag.server._signatures import (
    SignatureWrongError,
    verify_device_list,
    verify_kem_prekey,
    verify_signed_prekey,
)
from wigwag.server.core import (
    Answer,
    DeviceBundle,
    DeviceListPublished,
    DeviceLists,
    PrekeysHeld,
)
from wigwag.server.core import Bundles as BundlesFound
from wigwag.server.core import DeviceListGet as ListGetRequest
from wigwag.server.core import DeviceListPublish as ListPublishRequest
from wigwag.server.core import PrekeysClaim as ClaimRequest
from wigwag.server.core import PrekeysCount as CountRequest
from wigwag.server.core import PrekeysUpload as UploadRequest
from wigwag.wire import (
    Bundle,
    Bundles,
    DeviceList,
    DeviceListGet,
    DeviceListPublish,
    EcPrekey,
    ErrorCode,
    KemPrekey,
    PrekeysClaim,
    PrekeysCount,
    PrekeysStored,
    PrekeysUpload,
    Received,
    SignedList,
    SignedPrekey,
    suite1,
)
from wigwag.wire import DeviceListPublished as PublishedMessage
from wigwag.wire import DeviceLists as ListsMessage

DAY_MS = 86_400_000
# Verified in one piece: a millisecond. An upload may have 66.
SIGNATURES_AT_ONCE = 8
# A day covers a badly set clock, as for message ids.
AHEAD_MS_MAX = DAY_MS
# E2EE.md: expires = created + 90 days.
SIGNED_PREKEY_LIFE_MS_MAX = 90 * DAY_MS


def prekeys_upload(session: Session, event: Received) -> None:
    """Verify every signature, then store."""
    message = event.message
    identity = session.identity
    assert isinstance(message, PrekeysUpload)
    assert identity is not None
    if not _may_use_keys(session, event, identity):
        return
    signed = message.signed
    now_ms = session.services.clock.now_ms()
    if signed is not None and not _is_timely(signed, now_ms):
        session.refuse_event(event, ErrorCode.INVALID_TIME)
        return
    session.hold(len(event.body))
    session.flow.is_busy = True
    pieces = _verified_upload(session, event, message, identity)
    if len(message.kem) < SIGNATURES_AT_ONCE:
        for _ in pieces:
            pass  # so few that nobody has to wait for them
    else:
        session.services.hub.add_chore(session, pieces)


def _verified_upload(
    session: Session, event: Received, message: PrekeysUpload, identity: Identity
) -> Iterator[None]:
    """Verify an upload's signatures, a few in each piece, then ask the engine."""
    is_right = True
    try:
        for _ in _verify_upload(message, identity):
            yield
            if session.is_over:
                return
    except SignatureWrongError:
        is_right = False
    finally:
        session.flow.is_busy = False
        session.release(len(event.body))
    if not is_right:
        session.refuse_event(event, ErrorCode.AUTH_FAILED)
        return
    request = UploadRequest(
        device=identity.device,
        registration_id=identity.registration_id,
        one_time=message.one_time,
        kem=message.kem,
        signed=message.signed,
        last_resort=message.last_resort,
    )
    session.ask(request, event, _held)


def prekeys_count(session: Session, event: Received) -> None:
    """Count what the device has left."""
    identity = session.identity
    assert isinstance(event.message, PrekeysCount)
    assert identity is not None
    if _may_use_keys(session, event, identity):
        session.ask(CountRequest(device=identity.device), event, _held)


def prekeys_claim(session: Session, event: Received) -> None:
    """Take a bundle for each device; over the limit, one without one-time keys."""
    message = event.message
    identity = session.identity
    assert isinstance(message, PrekeysClaim)
    assert identity is not None
    limits = session.services.request_limits
    wait = limits.claims(identity.device, session.now)
    if wait:
        session.refuse_event(event, ErrorCode.RATE_LIMITED, wait)
        return
    wait = limits.claim(identity.user, message.user, session.now)
    request = ClaimRequest(device=identity.device, user=message.user, one_time=not wait)
    session.ask(request, event, _claimed)


def device_list_publish(session: Session, event: Received) -> None:
    """Verify a list and each statement in it, then store it."""
    message = event.message
    identity = session.identity
    assert isinstance(message, DeviceListPublish)
    assert identity is not None
    if not _may_use_keys(session, event, identity):
        return
    blob = message.list.blob
    try:
        devices = verify_device_list(
            blob,
            message.list.signature,
            user=identity.user,
            account_key=identity.account_key,
        )
    except SignatureWrongError:
        session.refuse_event(event, ErrorCode.AUTH_FAILED)
        return
    now_ms = session.services.clock.now_ms()
    if devices.time > now_ms + AHEAD_MS_MAX:
        session.refuse_event(event, ErrorCode.INVALID_TIME)
        return
    if not _keeps_own_key(devices, identity):
        session.refuse_event(event, ErrorCode.FORBIDDEN)
        return
    request = ListPublishRequest(
        device=identity.device,
        seq=devices.seq,
        prev_hash=devices.prev_hash,
        list_hash=suite1.device_list_hash(blob),
        blob=blob,
        signature=message.list.signature,
        numbers=tuple(listed.device for listed in devices.devices),
    )
    session.ask(request, event, _published)


def device_list_get(session: Session, event: Received) -> None:
    """Find a user's device lists."""
    message = event.message
    identity = session.identity
    assert isinstance(message, DeviceListGet)
    assert identity is not None
    if _may_look_up(session, event, identity):
        request = ListGetRequest(
            requester=identity.user, user=message.user, above=message.above
        )
        session.ask(request, event, _listed)


def _may_use_keys(session: Session, event: Received, identity: Identity) -> bool:
    wait = session.services.request_limits.keys(identity.device, session.now)
    if wait:
        session.refuse_event(event, ErrorCode.RATE_LIMITED, wait)
    return not wait


def _may_look_up(session: Session, event: Received, identity: Identity) -> bool:
    wait = session.services.request_limits.directory(identity.device, session.now)
    if wait:
        session.refuse_event(event, ErrorCode.RATE_LIMITED, wait)
    return not wait


def _is_timely(prekey: SignedPrekey, now_ms: int) -> bool:
    return (
        prekey.created <= now_ms + AHEAD_MS_MAX
        and now_ms < prekey.expires
        and 0 < prekey.expires - prekey.created <= SIGNED_PREKEY_LIFE_MS_MAX
    )


def _verify_upload(message: PrekeysUpload, identity: Identity) -> Iterator[None]:
    """Verify every signature; yields after each few.

    Raises:
        SignatureWrongError: One is wrong.
    """
    if message.signed is not None:
        verify_signed_prekey(
            message.signed,
            user=identity.user,
            device=identity.number,
            registration_id=identity.registration_id,
            signing_key=identity.signing_key,
        )
    kems = list(message.kem)
    if any(kem.last_resort for kem in kems):
        raise SignatureWrongError
    if message.last_resort is not None:
        if not message.last_resort.last_resort:
            raise SignatureWrongError
        kems.append(message.last_resort)
    for number, kem in enumerate(kems, start=1):
        if number % SIGNATURES_AT_ONCE == 0:
            yield
        verify_kem_prekey(
            kem,
            user=identity.user,
            device=identity.number,
            registration_id=identity.registration_id,
            signing_key=identity.signing_key,
        )


def _keeps_own_key(devices: DeviceList, identity: Identity) -> bool:
    """Tell whether the list names the publishing device with the key it signs with."""
    own = [listed for listed in devices.devices if listed.device == identity.number]
    return not own or own[0].signing_key == identity.signing_key


def _held(pending: Pending, answer: Answer) -> None:
    match answer:
        case PrekeysHeld():
            pending.session.answer(
                PrekeysStored(
                    ec_left=answer.ec_left,
                    kem_left=answer.kem_left,
                    ec_highest=answer.ec_highest,
                    kem_highest=answer.kem_highest,
                    signed_id=answer.signed_id,
                    last_resort_id=answer.last_resort_id,
                ),
                pending.corr,
            )
        case _:
            pending.otherwise(answer)


def _claimed(pending: Pending, answer: Answer) -> None:
    match answer:
        case BundlesFound():
            pending.session.answer(
                Bundles(
                    user=answer.user,
                    list_seq=answer.list_seq,
                    bundles=tuple(_bundle(bundle) for bundle in answer.bundles),
                ),
                pending.corr,
            )
        case _:
            pending.otherwise(answer)


def _bundle(found: DeviceBundle) -> Bundle:
    signed, kem, one_time = found.signed_prekey, found.kem, found.one_time
    return Bundle(
        suite=suite1.SUITE,
        device=found.device,
        registration_id=found.registration_id,
        signed_prekey=SignedPrekey(
            id=signed.id,
            key=signed.key,
            created=signed.created,
            expires=signed.expires,
            signature=signed.signature,
        ),
        one_time=()
        if one_time is None
        else (EcPrekey(id=one_time.id, key=one_time.key),),
        kem=KemPrekey(
            id=kem.id,
            last_resort=kem.last_resort,
            key=kem.key,
            signature=kem.signature,
        ),
    )


def _published(pending: Pending, answer: Answer) -> None:
    match answer:
        case DeviceListPublished(seq):
            pending.session.answer(PublishedMessage(list_seq=seq), pending.corr)
        case _:
            pending.otherwise(answer)


def _listed(pending: Pending, answer: Answer) -> None:
    match answer:
        case DeviceLists():
            pending.session.answer(
                ListsMessage(
                    user=answer.user,
                    account_key=answer.account_key,
                    lists=tuple(
                        SignedList(blob=listed.blob, signature=listed.signature)
                        for listed in answer.lists
                    ),
                    more=answer.more,
                ),
                pending.corr,
            )
        case _:
            pending.otherwise(answer)
