"""Decoders: one straight-line function for each layout.

Made from the specification by `wigwag spec generate`. Do not edit.
"""

from __future__ import annotations

from wigwag.wire._generated import shapes
from wigwag.wire._generated.records import (
    AccountDeleted,
    Ack,
    Auth,
    AuthOk,
    Bundle,
    Bundles,
    ConnectionLimits,
    DeleteAccount,
    Deliver,
    DeviceList,
    DeviceListGet,
    DeviceListPublish,
    DeviceListPublished,
    DeviceLists,
    DeviceRef,
    DevicesStale,
    EcPrekey,
    Envelope,
    Error,
    Gap,
    Goaway,
    Hello,
    InboxEmpty,
    KemPrekey,
    ListedDevice,
    Mark,
    Missed,
    Outcome,
    Ping,
    Pong,
    PrekeysClaim,
    PrekeysCount,
    PrekeysLow,
    PrekeysStored,
    PrekeysUpload,
    ProofKind,
    ReRegister,
    Receipt,
    Receipts,
    ReceiptsGet,
    Refused,
    Register,
    Reject,
    Send,
    Sequenced,
    SignedList,
    SignedPrekey,
    Undelivered,
    Unreadable,
    UsernameClaim,
    UsernameOf,
    UsernameResolve,
    UsernameResolved,
    Welcome,
)
from wigwag.wire._primitives import (
    DECODE_FAULTS,
    TAGS_MAX,
    UNKNOWN_TAGS_BYTES_MAX,
    Struct,
    UnknownTags,
    find_fault,
    keep_tags,
    rising,
    skip_tags,
    unpack_tag,
)

iterate_16s = Struct(">16s").iter_unpack
iterate_16s16sQ = Struct(">16s16sQ").iter_unpack
iterate_16sBI = Struct(">16sBI").iter_unpack
iterate_H = Struct(">H").iter_unpack
iterate_I32s = Struct(">I32s").iter_unpack
iterate_IB1568s64s = Struct(">IB1568s64s").iter_unpack
unpack_16s = Struct(">16s").unpack_from
unpack_16s16sB16sBH = Struct(">16s16sB16sBH").unpack_from
unpack_16s16sQ = Struct(">16s16sQ").unpack_from
unpack_16s16sQB = Struct(">16s16sQB").unpack_from
unpack_16s32sB = Struct(">16s32sB").unpack_from
unpack_16sB = Struct(">16sB").unpack_from
unpack_16sBHBIB = Struct(">16sBHBIB").unpack_from
unpack_16sBI = Struct(">16sBI").unpack_from
unpack_16sBIH = Struct(">16sBIH").unpack_from
unpack_16sBQQB = Struct(">16sBQQB").unpack_from
unpack_16sQ32sQB = Struct(">16sQ32sQB").unpack_from
unpack_16sQB = Struct(">16sQB").unpack_from
unpack_32sHB = Struct(">32sHB").unpack_from
unpack_32sHHHB = Struct(">32sHHHB").unpack_from
unpack_64s = Struct(">64s").unpack_from
unpack_64s16sBIQI32sQQ64sB = Struct(">64s16sBIQI32sQQ64sB").unpack_from
unpack_64s16sBIQQB = Struct(">64s16sBIQQB").unpack_from
unpack_64s16sQB = Struct(">64s16sQB").unpack_from
unpack_64s64s16s32sBIQ32s32sH = Struct(">64s64s16s32sBIQ32s32sH").unpack_from
unpack_64sB = Struct(">64sB").unpack_from
unpack_64sI32sQQ64sBH = Struct(">64sI32sQQ64sBH").unpack_from
unpack_B32s32sB = Struct(">B32s32sB").unpack_from
unpack_BB = Struct(">BB").unpack_from
unpack_H = Struct(">H").unpack_from
unpack_HBHIB = Struct(">HBHIB").unpack_from
unpack_HBII32sQQ64sB = Struct(">HBII32sQQ64sB").unpack_from
unpack_HHB = Struct(">HHB").unpack_from
unpack_HHHHIB = Struct(">HHHHIB").unpack_from
unpack_HHIIIIB = Struct(">HHIIIIB").unpack_from
unpack_HIIB = Struct(">HIIB").unpack_from
unpack_I32s = Struct(">I32s").unpack_from
unpack_I32sQQ64s = Struct(">I32sQQ64s").unpack_from
unpack_IB1568s64s = Struct(">IB1568s64s").unpack_from
unpack_IHB = Struct(">IHB").unpack_from
unpack_IHIHIHHHHH = Struct(">IHIHIHHHHH").unpack_from
unpack_IHIHIHHHHHQI16sB = Struct(">IHIHIHHHHHQI16sB").unpack_from
unpack_Q = Struct(">Q").unpack_from
unpack_QB = Struct(">QB").unpack_from
unpack_QQ16s16s16sBBB = Struct(">QQ16s16s16sBBB").unpack_from
unpack_QQ16sBHHQB = Struct(">QQ16sBHHQB").unpack_from
unpack_QQ16sQB16sB16sQB = Struct(">QQ16sQB16sB16sQB").unpack_from
unpack_QQ16sQB16sBI16sQH = Struct(">QQ16sQB16sBI16sQH").unpack_from
unpack_QQB = Struct(">QQB").unpack_from
unpack_QQBB = Struct(">QQBB").unpack_from
ZERO_16 = bytes(16)
OUTCOME: dict[int, Outcome] = {Outcome.NONE.value: Outcome.NONE, Outcome.UNKNOWN.value: Outcome.UNKNOWN}
PROOF_KIND: dict[int, ProofKind] = {ProofKind.INVITE.value: ProofKind.INVITE, ProofKind.OPEN.value: ProofKind.OPEN, ProofKind.TOKEN.value: ProofKind.TOKEN}


def decode_bundle_1(body: bytes) -> Bundle:
    """Read Bundle at revision 1."""
    try:
        (
            suite,
            device,
            registration_id,
            signed_prekey_id,
            signed_prekey_key,
            signed_prekey_created,
            signed_prekey_expires,
            signed_prekey_signature,
            one_time_count,
        ) = unpack_HBII32sQQ64sB(body, 0)
        if (
            not suite
            or not 1 <= device <= 127
            or not registration_id
            or not signed_prekey_id
            or one_time_count > 1
        ):
            raise ValueError
        pos: int = 124 + 36 * one_time_count
        one_time_: list[EcPrekey] = []
        for item_id, item_key in iterate_I32s(body[124:pos]):
            if not item_id:
                raise ValueError
            one_time_.append(EcPrekey(item_id, item_key))
        one_time = tuple(one_time_)
        (kem_id, kem_last_resort, kem_key, kem_signature) = unpack_IB1568s64s(body, pos)
        if not kem_id or kem_last_resort > 1:
            raise ValueError
        if len(body) != pos + 1637:
            raise ValueError
        return Bundle(
            suite,
            device,
            registration_id,
            SignedPrekey(signed_prekey_id, signed_prekey_key, signed_prekey_created, signed_prekey_expires, signed_prekey_signature),
            one_time,
            KemPrekey(kem_id, kem_last_resort == 1, kem_key, kem_signature),
        )
    except DECODE_FAULTS:
        raise find_fault(shapes.BUNDLE_1, body) from None


def decode_connection_limits_1(body: bytes) -> ConnectionLimits:
    """Read ConnectionLimits at revision 1."""
    try:
        (
            frame_bytes_max,
            in_flight_max,
            in_flight_bytes_max,
            window_entries,
            window_bytes,
            auth_seconds,
            idle_seconds,
            pong_seconds,
            frame_seconds,
            stall_seconds,
        ) = unpack_IHIHIHHHHH(body, 0)
        if (
            frame_bytes_max < 4096
            or not in_flight_max
            or in_flight_bytes_max < 4096
            or not window_entries
            or window_bytes < 4096
            or not auth_seconds
            or not idle_seconds
            or not pong_seconds
            or not frame_seconds
            or not stall_seconds
        ):
            raise ValueError
        if len(body) != 26:
            raise ValueError
        return ConnectionLimits(
            frame_bytes_max,
            in_flight_max,
            in_flight_bytes_max,
            window_entries,
            window_bytes,
            auth_seconds,
            idle_seconds,
            pong_seconds,
            frame_seconds,
            stall_seconds,
        )
    except DECODE_FAULTS:
        raise find_fault(shapes.CONNECTION_LIMITS_1, body) from None


def decode_device_list_1(body: bytes) -> DeviceList:
    """Read DeviceList at revision 1."""
    try:
        (user, seq, prev_hash, time, devices_count) = unpack_16sQ32sQB(body, 0)
        if user == ZERO_16 or not seq or devices_count > 8:
            raise ValueError
        pos: int = 65
        devices_: list[ListedDevice] = []
        for _ in range(devices_count):
            (
                item_device,
                item_signing_key,
                item_agreement_key,
                item_suites_count,
            ) = unpack_B32s32sB(body, pos)
            if not 1 <= item_device <= 127 or not 1 <= item_suites_count <= 8:
                raise ValueError
            start = pos + 66
            pos = start + 2 * item_suites_count
            item_suites = tuple([item for (item,) in iterate_H(body[start:pos])])
            if item_suites_count > 1 and not rising(item_suites):
                raise ValueError
            (item_membership,) = unpack_64s(body, pos)
            pos = pos + 64
            devices_.append(ListedDevice(item_device, item_signing_key, item_agreement_key, item_suites, item_membership))
        devices = tuple(devices_)
        if devices_count > 1 and not rising([item.device for item in devices]):
            raise ValueError
        tags = body[pos]
        if not tags:
            if len(body) != pos + 1:
                raise ValueError
            return DeviceList(user, seq, prev_hash, time, devices)
        unknown, pos = keep_tags(body, pos + 1, tags)
        if len(body) != pos:
            raise ValueError
        return DeviceList(user, seq, prev_hash, time, devices, unknown)
    except DECODE_FAULTS:
        raise find_fault(shapes.DEVICE_LIST_1, body) from None


def decode_device_ref_1(body: bytes) -> DeviceRef:
    """Read DeviceRef at revision 1."""
    try:
        (user, device, registration_id) = unpack_16sBI(body, 0)
        if user == ZERO_16 or not 1 <= device <= 127 or not registration_id:
            raise ValueError
        if len(body) != 21:
            raise ValueError
        return DeviceRef(user, device, registration_id)
    except DECODE_FAULTS:
        raise find_fault(shapes.DEVICE_REF_1, body) from None


def decode_devices_stale_1(body: bytes) -> DevicesStale:
    """Read DevicesStale at revision 1."""
    try:
        missing_count = body[0]
        if missing_count > 64:
            raise ValueError
        pos: int = 1 + 21 * missing_count
        missing_: list[DeviceRef] = []
        for item_user, item_device, item_registration_id in iterate_16sBI(body[1:pos]):
            if item_user == ZERO_16 or not 1 <= item_device <= 127 or not item_registration_id:
                raise ValueError
            missing_.append(DeviceRef(item_user, item_device, item_registration_id))
        missing = tuple(missing_)
        if missing_count > 1 and not rising([(item.user, item.device) for item in missing]):
            raise ValueError
        extra_count = body[pos]
        if extra_count > 64:
            raise ValueError
        start = pos + 1
        pos = start + 21 * extra_count
        extra_: list[DeviceRef] = []
        for item_user_, item_device_, item_registration_id_ in iterate_16sBI(body[start:pos]):
            if item_user_ == ZERO_16 or not 1 <= item_device_ <= 127 or not item_registration_id_:
                raise ValueError
            extra_.append(DeviceRef(item_user_, item_device_, item_registration_id_))
        extra = tuple(extra_)
        if extra_count > 1 and not rising([(item.user, item.device) for item in extra]):
            raise ValueError
        stale_count = body[pos]
        if stale_count > 64:
            raise ValueError
        start = pos + 1
        pos = start + 21 * stale_count
        stale_: list[DeviceRef] = []
        for item_user__, item_device__, item_registration_id__ in iterate_16sBI(body[start:pos]):
            if (
                item_user__ == ZERO_16
                or not 1 <= item_device__ <= 127
                or not item_registration_id__
            ):
                raise ValueError
            stale_.append(DeviceRef(item_user__, item_device__, item_registration_id__))
        stale = tuple(stale_)
        if stale_count > 1 and not rising([(item.user, item.device) for item in stale]):
            raise ValueError
        more = body[pos]
        if more > 1:
            raise ValueError
        if len(body) != pos + 1:
            raise ValueError
        return DevicesStale(missing, extra, stale, more == 1)
    except DECODE_FAULTS:
        raise find_fault(shapes.DEVICES_STALE_1, body) from None


def decode_ec_prekey_1(body: bytes) -> EcPrekey:
    """Read EcPrekey at revision 1."""
    try:
        (id, key) = unpack_I32s(body, 0)
        if not id:
            raise ValueError
        if len(body) != 36:
            raise ValueError
        return EcPrekey(id, key)
    except DECODE_FAULTS:
        raise find_fault(shapes.EC_PREKEY_1, body) from None


def decode_envelope_1(body: bytes) -> Envelope:
    """Read Envelope at revision 1."""
    try:
        (user, device, registration_id, ciphertext_size) = unpack_16sBIH(body, 0)
        if (
            user == ZERO_16
            or not 1 <= device <= 127
            or not registration_id
            or not 1 <= ciphertext_size <= 16384
        ):
            raise ValueError
        pos: int = 23 + ciphertext_size
        ciphertext = body[23:pos]
        if len(body) != pos:
            raise ValueError
        return Envelope(user, device, registration_id, ciphertext)
    except DECODE_FAULTS:
        raise find_fault(shapes.ENVELOPE_1, body) from None


def decode_kem_prekey_1(body: bytes) -> KemPrekey:
    """Read KemPrekey at revision 1."""
    try:
        (id, last_resort, key, signature) = unpack_IB1568s64s(body, 0)
        if not id or last_resort > 1:
            raise ValueError
        if len(body) != 1637:
            raise ValueError
        return KemPrekey(id, last_resort == 1, key, signature)
    except DECODE_FAULTS:
        raise find_fault(shapes.KEM_PREKEY_1, body) from None


def decode_listed_device_1(body: bytes) -> ListedDevice:
    """Read ListedDevice at revision 1."""
    try:
        (device, signing_key, agreement_key, suites_count) = unpack_B32s32sB(body, 0)
        if not 1 <= device <= 127 or not 1 <= suites_count <= 8:
            raise ValueError
        pos: int = 66 + 2 * suites_count
        suites = tuple([item for (item,) in iterate_H(body[66:pos])])
        if suites_count > 1 and not rising(suites):
            raise ValueError
        (membership,) = unpack_64s(body, pos)
        if len(body) != pos + 64:
            raise ValueError
        return ListedDevice(device, signing_key, agreement_key, suites, membership)
    except DECODE_FAULTS:
        raise find_fault(shapes.LISTED_DEVICE_1, body) from None


def decode_mark_1(body: bytes) -> Mark:
    """Read Mark at revision 1."""
    try:
        (chat, user, mark) = unpack_16s16sQ(body, 0)
        if chat == ZERO_16 or user == ZERO_16:
            raise ValueError
        if len(body) != 40:
            raise ValueError
        return Mark(chat, user, mark)
    except DECODE_FAULTS:
        raise find_fault(shapes.MARK_1, body) from None


def decode_signed_list_1(body: bytes) -> SignedList:
    """Read SignedList at revision 1."""
    try:
        (blob_size,) = unpack_H(body, 0)
        if not 1 <= blob_size <= 2048:
            raise ValueError
        pos: int = 2 + blob_size
        blob = body[2:pos]
        (signature,) = unpack_64s(body, pos)
        if len(body) != pos + 64:
            raise ValueError
        return SignedList(blob, signature)
    except DECODE_FAULTS:
        raise find_fault(shapes.SIGNED_LIST_1, body) from None


def decode_signed_prekey_1(body: bytes) -> SignedPrekey:
    """Read SignedPrekey at revision 1."""
    try:
        (id, key, created, expires, signature) = unpack_I32sQQ64s(body, 0)
        if not id:
            raise ValueError
        if len(body) != 116:
            raise ValueError
        return SignedPrekey(id, key, created, expires, signature)
    except DECODE_FAULTS:
        raise find_fault(shapes.SIGNED_PREKEY_1, body) from None


def decode_hello_1(body: bytes) -> Hello:
    """Read HELLO at revision 1."""
    try:
        (client_nonce, revision_min, revision_max, draft, features_count) = unpack_32sHHHB(body, 0)
        if revision_min > 32767 or revision_max > 32767 or features_count > 64:
            raise ValueError
        pos: int = 39 + 2 * features_count
        features = tuple([item for (item,) in iterate_H(body[39:pos])])
        if features_count > 1 and not rising(features):
            raise ValueError
        (frame_bytes_max, window_entries, client_name_size) = unpack_IHB(body, pos)
        if frame_bytes_max < 65536 or not window_entries or client_name_size > 64:
            raise ValueError
        start = pos + 7
        pos = start + client_name_size
        client_name = body[start:pos].decode()
        tags = body[pos]
        if "\0" in client_name:
            raise ValueError
        if not tags:
            if len(body) != pos + 1:
                raise ValueError
            return Hello(
                client_nonce,
                revision_min,
                revision_max,
                draft,
                features,
                frame_bytes_max,
                window_entries,
                client_name,
            )
        pos = skip_tags(body, pos + 1, tags)
        if len(body) != pos:
            raise ValueError
        return Hello(
            client_nonce,
            revision_min,
            revision_max,
            draft,
            features,
            frame_bytes_max,
            window_entries,
            client_name,
        )
    except DECODE_FAULTS:
        raise find_fault(shapes.HELLO_1, body) from None


def decode_welcome_1(body: bytes) -> Welcome:
    """Read WELCOME at revision 1."""
    try:
        (server_nonce, revision, features_count) = unpack_32sHB(body, 0)
        if not revision or features_count > 64:
            raise ValueError
        pos: int = 35 + 2 * features_count
        features = tuple([item for (item,) in iterate_H(body[35:pos])])
        if features_count > 1 and not rising(features):
            raise ValueError
        (
            limits_frame_bytes_max,
            limits_in_flight_max,
            limits_in_flight_bytes_max,
            limits_window_entries,
            limits_window_bytes,
            limits_auth_seconds,
            limits_idle_seconds,
            limits_pong_seconds,
            limits_frame_seconds,
            limits_stall_seconds,
            server_time,
            finalized,
            session_id,
            tags,
        ) = unpack_IHIHIHHHHHQI16sB(body, pos)
        if (
            limits_frame_bytes_max < 4096
            or not limits_in_flight_max
            or limits_in_flight_bytes_max < 4096
            or not limits_window_entries
            or limits_window_bytes < 4096
            or not limits_auth_seconds
            or not limits_idle_seconds
            or not limits_pong_seconds
            or not limits_frame_seconds
            or not limits_stall_seconds
        ):
            raise ValueError
        if not tags:
            if len(body) != pos + 55:
                raise ValueError
            return Welcome(
                server_nonce,
                revision,
                features,
                ConnectionLimits(limits_frame_bytes_max, limits_in_flight_max, limits_in_flight_bytes_max, limits_window_entries, limits_window_bytes, limits_auth_seconds, limits_idle_seconds, limits_pong_seconds, limits_frame_seconds, limits_stall_seconds),
                server_time,
                finalized,
                session_id,
                None,
            )
        (tag_home, unknown, pos) = read_tags_welcome_1(body, pos + 55, tags)
        if len(body) != pos:
            raise ValueError
        return Welcome(
            server_nonce,
            revision,
            features,
            ConnectionLimits(limits_frame_bytes_max, limits_in_flight_max, limits_in_flight_bytes_max, limits_window_entries, limits_window_bytes, limits_auth_seconds, limits_idle_seconds, limits_pong_seconds, limits_frame_seconds, limits_stall_seconds),
            server_time,
            finalized,
            session_id,
            tag_home,
            unknown,
        )
    except DECODE_FAULTS:
        raise find_fault(shapes.WELCOME_1, body) from None


def decode_reject_1(body: bytes) -> Reject:
    """Read REJECT at revision 1."""
    try:
        (code, revision_min, revision_max, draft, retry_after_ms, tags) = unpack_HHHHIB(body, 0)
        if not code or revision_min > 32767 or revision_max > 32767:
            raise ValueError
        if not tags:
            if len(body) != 13:
                raise ValueError
            return Reject(code, revision_min, revision_max, draft, retry_after_ms, None)
        (tag_home, unknown, pos) = read_tags_reject_1(body, 13, tags)
        if len(body) != pos:
            raise ValueError
        return Reject(code, revision_min, revision_max, draft, retry_after_ms, tag_home, unknown)
    except DECODE_FAULTS:
        raise find_fault(shapes.REJECT_1, body) from None


def decode_error_1(body: bytes) -> Error:
    """Read ERROR at revision 1."""
    try:
        (code, outcome, frame_type, retry_after_ms, tags) = unpack_HBHIB(body, 0)
        if not code:
            raise ValueError
        if not tags:
            if len(body) != 10:
                raise ValueError
            return Error(code, OUTCOME[outcome], frame_type, retry_after_ms)
        pos = skip_tags(body, 10, tags)
        if len(body) != pos:
            raise ValueError
        return Error(code, OUTCOME[outcome], frame_type, retry_after_ms)
    except DECODE_FAULTS:
        raise find_fault(shapes.ERROR_1, body) from None


def decode_goaway_1(body: bytes) -> Goaway:
    """Read GOAWAY at revision 1."""
    try:
        (code, last_corr, retry_after_ms, tags) = unpack_HIIB(body, 0)
        if not code:
            raise ValueError
        if not tags:
            if len(body) != 11:
                raise ValueError
            return Goaway(code, last_corr, retry_after_ms, None)
        (tag_home, unknown, pos) = read_tags_goaway_1(body, 11, tags)
        if len(body) != pos:
            raise ValueError
        return Goaway(code, last_corr, retry_after_ms, tag_home, unknown)
    except DECODE_FAULTS:
        raise find_fault(shapes.GOAWAY_1, body) from None


def decode_ping_1(body: bytes) -> Ping:
    """Read PING at revision 1."""
    try:
        (token, tags) = unpack_QB(body, 0)
        if not tags:
            if len(body) != 9:
                raise ValueError
            return Ping(token)
        pos = skip_tags(body, 9, tags)
        if len(body) != pos:
            raise ValueError
        return Ping(token)
    except DECODE_FAULTS:
        raise find_fault(shapes.PING_1, body) from None


def decode_pong_1(body: bytes) -> Pong:
    """Read PONG at revision 1."""
    try:
        (token, tags) = unpack_QB(body, 0)
        if not tags:
            if len(body) != 9:
                raise ValueError
            return Pong(token)
        pos = skip_tags(body, 9, tags)
        if len(body) != pos:
            raise ValueError
        return Pong(token)
    except DECODE_FAULTS:
        raise find_fault(shapes.PONG_1, body) from None


def decode_auth_1(body: bytes) -> Auth:
    """Read AUTH at revision 1."""
    try:
        (
            signature,
            user,
            device,
            registration_id,
            generation,
            cursor,
            tags,
        ) = unpack_64s16sBIQQB(body, 0)
        if user == ZERO_16 or not 1 <= device <= 127 or not registration_id or not generation:
            raise ValueError
        if not tags:
            if len(body) != 102:
                raise ValueError
            return Auth(signature, user, device, registration_id, generation, cursor, None)
        (tag_session, unknown, pos) = read_tags_auth_1(body, 102, tags)
        if len(body) != pos:
            raise ValueError
        return Auth(
            signature,
            user,
            device,
            registration_id,
            generation,
            cursor,
            tag_session,
            unknown,
        )
    except DECODE_FAULTS:
        raise find_fault(shapes.AUTH_1, body) from None


def decode_auth_ok_1(body: bytes) -> AuthOk:
    """Read AUTH_OK at revision 1."""
    try:
        (
            acked,
            last,
            last_stored_id,
            last_stored_attempt,
            ec_left,
            kem_left,
            list_seq,
            tags,
        ) = unpack_QQ16sBHHQB(body, 0)
        if not tags:
            if len(body) != 46:
                raise ValueError
            return AuthOk(
                acked,
                last,
                last_stored_id,
                last_stored_attempt,
                ec_left,
                kem_left,
                list_seq,
            )
        pos = skip_tags(body, 46, tags)
        if len(body) != pos:
            raise ValueError
        return AuthOk(acked, last, last_stored_id, last_stored_attempt, ec_left, kem_left, list_seq)
    except DECODE_FAULTS:
        raise find_fault(shapes.AUTH_OK_1, body) from None


def decode_register_1(body: bytes) -> Register:
    """Read REGISTER at revision 1."""
    try:
        (
            account_signature,
            device_signature,
            user,
            account_key,
            device,
            registration_id,
            generation,
            signing_key,
            agreement_key,
            list_blob_size,
        ) = unpack_64s64s16s32sBIQ32s32sH(body, 0)
        if (
            user == ZERO_16
            or not 1 <= device <= 127
            or not registration_id
            or not generation
            or not 1 <= list_blob_size <= 512
        ):
            raise ValueError
        pos: int = 255 + list_blob_size
        list_blob = body[255:pos]
        (
            list_signature,
            signed_prekey_id,
            signed_prekey_key,
            signed_prekey_created,
            signed_prekey_expires,
            signed_prekey_signature,
            proof_kind,
            proof_size,
        ) = unpack_64sI32sQQ64sBH(body, pos)
        if not signed_prekey_id or proof_size > 2048:
            raise ValueError
        start = pos + 183
        pos = start + proof_size
        proof = body[start:pos]
        tags = body[pos]
        if not tags:
            if len(body) != pos + 1:
                raise ValueError
            return Register(
                account_signature,
                device_signature,
                user,
                account_key,
                device,
                registration_id,
                generation,
                signing_key,
                agreement_key,
                list_blob,
                list_signature,
                SignedPrekey(signed_prekey_id, signed_prekey_key, signed_prekey_created, signed_prekey_expires, signed_prekey_signature),
                PROOF_KIND[proof_kind],
                proof,
            )
        pos = skip_tags(body, pos + 1, tags)
        if len(body) != pos:
            raise ValueError
        return Register(
            account_signature,
            device_signature,
            user,
            account_key,
            device,
            registration_id,
            generation,
            signing_key,
            agreement_key,
            list_blob,
            list_signature,
            SignedPrekey(signed_prekey_id, signed_prekey_key, signed_prekey_created, signed_prekey_expires, signed_prekey_signature),
            PROOF_KIND[proof_kind],
            proof,
        )
    except DECODE_FAULTS:
        raise find_fault(shapes.REGISTER_1, body) from None


def decode_re_register_1(body: bytes) -> ReRegister:
    """Read RE_REGISTER at revision 1."""
    try:
        (
            signature,
            user,
            device,
            registration_id,
            generation,
            signed_prekey_id,
            signed_prekey_key,
            signed_prekey_created,
            signed_prekey_expires,
            signed_prekey_signature,
            tags,
        ) = unpack_64s16sBIQI32sQQ64sB(body, 0)
        if (
            user == ZERO_16
            or not 1 <= device <= 127
            or not registration_id
            or not generation
            or not signed_prekey_id
        ):
            raise ValueError
        if not tags:
            if len(body) != 210:
                raise ValueError
            return ReRegister(
                signature,
                user,
                device,
                registration_id,
                generation,
                SignedPrekey(signed_prekey_id, signed_prekey_key, signed_prekey_created, signed_prekey_expires, signed_prekey_signature),
            )
        pos = skip_tags(body, 210, tags)
        if len(body) != pos:
            raise ValueError
        return ReRegister(
            signature,
            user,
            device,
            registration_id,
            generation,
            SignedPrekey(signed_prekey_id, signed_prekey_key, signed_prekey_created, signed_prekey_expires, signed_prekey_signature),
        )
    except DECODE_FAULTS:
        raise find_fault(shapes.RE_REGISTER_1, body) from None


def decode_delete_account_1(body: bytes) -> DeleteAccount:
    """Read DELETE_ACCOUNT at revision 1."""
    try:
        (signature, user, time, tags) = unpack_64s16sQB(body, 0)
        if user == ZERO_16:
            raise ValueError
        if not tags:
            if len(body) != 89:
                raise ValueError
            return DeleteAccount(signature, user, time)
        pos = skip_tags(body, 89, tags)
        if len(body) != pos:
            raise ValueError
        return DeleteAccount(signature, user, time)
    except DECODE_FAULTS:
        raise find_fault(shapes.DELETE_ACCOUNT_1, body) from None


def decode_account_deleted_1(body: bytes) -> AccountDeleted:
    """Read ACCOUNT_DELETED at revision 1."""
    try:
        (time, tags) = unpack_QB(body, 0)
        if not tags:
            if len(body) != 9:
                raise ValueError
            return AccountDeleted(time)
        pos = skip_tags(body, 9, tags)
        if len(body) != pos:
            raise ValueError
        return AccountDeleted(time)
    except DECODE_FAULTS:
        raise find_fault(shapes.ACCOUNT_DELETED_1, body) from None


def decode_username_claim_1(body: bytes) -> UsernameClaim:
    """Read USERNAME_CLAIM at revision 1."""
    try:
        name_size = body[0]
        if not 3 <= name_size <= 32:
            raise ValueError
        pos: int = 1 + name_size
        name = body[1:pos].decode()
        tags = body[pos]
        if "\0" in name:
            raise ValueError
        if not tags:
            if len(body) != pos + 1:
                raise ValueError
            return UsernameClaim(name)
        pos = skip_tags(body, pos + 1, tags)
        if len(body) != pos:
            raise ValueError
        return UsernameClaim(name)
    except DECODE_FAULTS:
        raise find_fault(shapes.USERNAME_CLAIM_1, body) from None


def decode_username_resolve_1(body: bytes) -> UsernameResolve:
    """Read USERNAME_RESOLVE at revision 1."""
    try:
        name_size = body[0]
        if not 3 <= name_size <= 32:
            raise ValueError
        pos: int = 1 + name_size
        name = body[1:pos].decode()
        tags = body[pos]
        if "\0" in name:
            raise ValueError
        if not tags:
            if len(body) != pos + 1:
                raise ValueError
            return UsernameResolve(name)
        pos = skip_tags(body, pos + 1, tags)
        if len(body) != pos:
            raise ValueError
        return UsernameResolve(name)
    except DECODE_FAULTS:
        raise find_fault(shapes.USERNAME_RESOLVE_1, body) from None


def decode_username_resolved_1(body: bytes) -> UsernameResolved:
    """Read USERNAME_RESOLVED at revision 1."""
    try:
        (user, name_size) = unpack_16sB(body, 0)
        if user == ZERO_16 or not 3 <= name_size <= 32:
            raise ValueError
        pos: int = 17 + name_size
        name = body[17:pos].decode()
        tags = body[pos]
        if "\0" in name:
            raise ValueError
        if not tags:
            if len(body) != pos + 1:
                raise ValueError
            return UsernameResolved(user, name)
        pos = skip_tags(body, pos + 1, tags)
        if len(body) != pos:
            raise ValueError
        return UsernameResolved(user, name)
    except DECODE_FAULTS:
        raise find_fault(shapes.USERNAME_RESOLVED_1, body) from None


def decode_username_of_1(body: bytes) -> UsernameOf:
    """Read USERNAME_OF at revision 1."""
    try:
        (user, tags) = unpack_16sB(body, 0)
        if user == ZERO_16:
            raise ValueError
        if not tags:
            if len(body) != 17:
                raise ValueError
            return UsernameOf(user)
        pos = skip_tags(body, 17, tags)
        if len(body) != pos:
            raise ValueError
        return UsernameOf(user)
    except DECODE_FAULTS:
        raise find_fault(shapes.USERNAME_OF_1, body) from None


def decode_prekeys_upload_1(body: bytes) -> PrekeysUpload:
    """Read PREKEYS_UPLOAD at revision 1."""
    try:
        one_time_count = body[0]
        if one_time_count > 200:
            raise ValueError
        pos: int = 1 + 36 * one_time_count
        one_time_: list[EcPrekey] = []
        for item_id, item_key in iterate_I32s(body[1:pos]):
            if not item_id:
                raise ValueError
            one_time_.append(EcPrekey(item_id, item_key))
        one_time = tuple(one_time_)
        if one_time_count > 1 and not rising([item.id for item in one_time]):
            raise ValueError
        kem_count = body[pos]
        if kem_count > 64:
            raise ValueError
        start = pos + 1
        pos = start + 1637 * kem_count
        kem_: list[KemPrekey] = []
        for item_id_, item_last_resort, item_key_, item_signature in iterate_IB1568s64s(body[start:pos]):
            if not item_id_ or item_last_resort > 1:
                raise ValueError
            kem_.append(KemPrekey(item_id_, item_last_resort == 1, item_key_, item_signature))
        kem = tuple(kem_)
        if kem_count > 1 and not rising([item.id for item in kem]):
            raise ValueError
        tags = body[pos]
        if not tags:
            if len(body) != pos + 1:
                raise ValueError
            return PrekeysUpload(one_time, kem, None, None)
        (
            tag_signed,
            tag_last_resort,
            unknown,
            pos,
        ) = read_tags_prekeys_upload_1(body, pos + 1, tags)
        if len(body) != pos:
            raise ValueError
        return PrekeysUpload(one_time, kem, tag_signed, tag_last_resort, unknown)
    except DECODE_FAULTS:
        raise find_fault(shapes.PREKEYS_UPLOAD_1, body) from None


def decode_prekeys_stored_1(body: bytes) -> PrekeysStored:
    """Read PREKEYS_STORED at revision 1."""
    try:
        (
            ec_left,
            kem_left,
            ec_highest,
            kem_highest,
            signed_id,
            last_resort_id,
            tags,
        ) = unpack_HHIIIIB(body, 0)
        if not tags:
            if len(body) != 21:
                raise ValueError
            return PrekeysStored(
                ec_left,
                kem_left,
                ec_highest,
                kem_highest,
                signed_id,
                last_resort_id,
            )
        pos = skip_tags(body, 21, tags)
        if len(body) != pos:
            raise ValueError
        return PrekeysStored(ec_left, kem_left, ec_highest, kem_highest, signed_id, last_resort_id)
    except DECODE_FAULTS:
        raise find_fault(shapes.PREKEYS_STORED_1, body) from None


def decode_prekeys_count_1(body: bytes) -> PrekeysCount:
    """Read PREKEYS_COUNT at revision 1."""
    try:
        tags = body[0]
        if not tags:
            if len(body) != 1:
                raise ValueError
            return PrekeysCount()
        pos = skip_tags(body, 1, tags)
        if len(body) != pos:
            raise ValueError
        return PrekeysCount()
    except DECODE_FAULTS:
        raise find_fault(shapes.PREKEYS_COUNT_1, body) from None


def decode_prekeys_claim_1(body: bytes) -> PrekeysClaim:
    """Read PREKEYS_CLAIM at revision 1."""
    try:
        (user, tags) = unpack_16sB(body, 0)
        if user == ZERO_16:
            raise ValueError
        if not tags:
            if len(body) != 17:
                raise ValueError
            return PrekeysClaim(user)
        pos = skip_tags(body, 17, tags)
        if len(body) != pos:
            raise ValueError
        return PrekeysClaim(user)
    except DECODE_FAULTS:
        raise find_fault(shapes.PREKEYS_CLAIM_1, body) from None


def decode_bundles_1(body: bytes) -> Bundles:
    """Read BUNDLES at revision 1."""
    try:
        (user, list_seq, bundles_count) = unpack_16sQB(body, 0)
        if user == ZERO_16 or bundles_count > 8:
            raise ValueError
        pos: int = 25
        bundles_: list[Bundle] = []
        for _ in range(bundles_count):
            (
                item_suite,
                item_device,
                item_registration_id,
                item_signed_prekey_id,
                item_signed_prekey_key,
                item_signed_prekey_created,
                item_signed_prekey_expires,
                item_signed_prekey_signature,
                item_one_time_count,
            ) = unpack_HBII32sQQ64sB(body, pos)
            if (
                not item_suite
                or not 1 <= item_device <= 127
                or not item_registration_id
                or not item_signed_prekey_id
                or item_one_time_count > 1
            ):
                raise ValueError
            start = pos + 124
            pos = start + 36 * item_one_time_count
            item_one_time_: list[EcPrekey] = []
            for item_id, item_key in iterate_I32s(body[start:pos]):
                if not item_id:
                    raise ValueError
                item_one_time_.append(EcPrekey(item_id, item_key))
            item_one_time = tuple(item_one_time_)
            (
                item_kem_id,
                item_kem_last_resort,
                item_kem_key,
                item_kem_signature,
            ) = unpack_IB1568s64s(body, pos)
            if not item_kem_id or item_kem_last_resort > 1:
                raise ValueError
            pos = pos + 1637
            bundles_.append(Bundle(item_suite, item_device, item_registration_id, SignedPrekey(item_signed_prekey_id, item_signed_prekey_key, item_signed_prekey_created, item_signed_prekey_expires, item_signed_prekey_signature), item_one_time, KemPrekey(item_kem_id, item_kem_last_resort == 1, item_kem_key, item_kem_signature)))
        bundles = tuple(bundles_)
        if bundles_count > 1 and not rising([item.device for item in bundles]):
            raise ValueError
        tags = body[pos]
        if not tags:
            if len(body) != pos + 1:
                raise ValueError
            return Bundles(user, list_seq, bundles)
        pos = skip_tags(body, pos + 1, tags)
        if len(body) != pos:
            raise ValueError
        return Bundles(user, list_seq, bundles)
    except DECODE_FAULTS:
        raise find_fault(shapes.BUNDLES_1, body) from None


def decode_prekeys_low_1(body: bytes) -> PrekeysLow:
    """Read PREKEYS_LOW at revision 1."""
    try:
        (ec_left, kem_left, tags) = unpack_HHB(body, 0)
        if not tags:
            if len(body) != 5:
                raise ValueError
            return PrekeysLow(ec_left, kem_left)
        pos = skip_tags(body, 5, tags)
        if len(body) != pos:
            raise ValueError
        return PrekeysLow(ec_left, kem_left)
    except DECODE_FAULTS:
        raise find_fault(shapes.PREKEYS_LOW_1, body) from None


def decode_device_list_publish_1(body: bytes) -> DeviceListPublish:
    """Read DEVICE_LIST_PUBLISH at revision 1."""
    try:
        (list__blob_size,) = unpack_H(body, 0)
        if not 1 <= list__blob_size <= 2048:
            raise ValueError
        pos: int = 2 + list__blob_size
        list__blob = body[2:pos]
        (list__signature, tags) = unpack_64sB(body, pos)
        if not tags:
            if len(body) != pos + 65:
                raise ValueError
            return DeviceListPublish(SignedList(list__blob, list__signature))
        pos = skip_tags(body, pos + 65, tags)
        if len(body) != pos:
            raise ValueError
        return DeviceListPublish(SignedList(list__blob, list__signature))
    except DECODE_FAULTS:
        raise find_fault(shapes.DEVICE_LIST_PUBLISH_1, body) from None


def decode_device_list_published_1(body: bytes) -> DeviceListPublished:
    """Read DEVICE_LIST_PUBLISHED at revision 1."""
    try:
        (list_seq, tags) = unpack_QB(body, 0)
        if not list_seq:
            raise ValueError
        if not tags:
            if len(body) != 9:
                raise ValueError
            return DeviceListPublished(list_seq)
        pos = skip_tags(body, 9, tags)
        if len(body) != pos:
            raise ValueError
        return DeviceListPublished(list_seq)
    except DECODE_FAULTS:
        raise find_fault(shapes.DEVICE_LIST_PUBLISHED_1, body) from None


def decode_device_list_get_1(body: bytes) -> DeviceListGet:
    """Read DEVICE_LIST_GET at revision 1."""
    try:
        (user, above, tags) = unpack_16sQB(body, 0)
        if user == ZERO_16:
            raise ValueError
        if not tags:
            if len(body) != 25:
                raise ValueError
            return DeviceListGet(user, above)
        pos = skip_tags(body, 25, tags)
        if len(body) != pos:
            raise ValueError
        return DeviceListGet(user, above)
    except DECODE_FAULTS:
        raise find_fault(shapes.DEVICE_LIST_GET_1, body) from None


def decode_device_lists_1(body: bytes) -> DeviceLists:
    """Read DEVICE_LISTS at revision 1."""
    try:
        (user, account_key, lists_count) = unpack_16s32sB(body, 0)
        if user == ZERO_16 or lists_count > 16:
            raise ValueError
        pos: int = 49
        lists_: list[SignedList] = []
        for _ in range(lists_count):
            (item_blob_size,) = unpack_H(body, pos)
            if not 1 <= item_blob_size <= 2048:
                raise ValueError
            start = pos + 2
            pos = start + item_blob_size
            item_blob = body[start:pos]
            (item_signature,) = unpack_64s(body, pos)
            pos = pos + 64
            lists_.append(SignedList(item_blob, item_signature))
        lists = tuple(lists_)
        (more, tags) = unpack_BB(body, pos)
        if more > 1:
            raise ValueError
        if not tags:
            if len(body) != pos + 2:
                raise ValueError
            return DeviceLists(user, account_key, lists, more == 1)
        pos = skip_tags(body, pos + 2, tags)
        if len(body) != pos:
            raise ValueError
        return DeviceLists(user, account_key, lists, more == 1)
    except DECODE_FAULTS:
        raise find_fault(shapes.DEVICE_LISTS_1, body) from None


def decode_send_1(body: bytes) -> Send:
    """Read SEND at revision 1."""
    try:
        (chat, client_msg_id, attempt, after, class_, users_count) = unpack_16s16sB16sBH(body, 0)
        if (
            chat == ZERO_16
            or client_msg_id == ZERO_16
            or not attempt
            or not 1 <= users_count <= 1024
        ):
            raise ValueError
        pos: int = 52 + 16 * users_count
        users = tuple([item for (item,) in iterate_16s(body[52:pos])])
        if ZERO_16 in users:
            raise ValueError
        if users_count > 1 and not rising(users):
            raise ValueError
        (envelopes_count,) = unpack_H(body, pos)
        if envelopes_count > 512:
            raise ValueError
        pos = pos + 2
        envelopes_: list[Envelope] = []
        for _ in range(envelopes_count):
            (
                item_user,
                item_device,
                item_registration_id,
                item_ciphertext_size,
            ) = unpack_16sBIH(body, pos)
            if (
                item_user == ZERO_16
                or not 1 <= item_device <= 127
                or not item_registration_id
                or not 1 <= item_ciphertext_size <= 16384
            ):
                raise ValueError
            start = pos + 23
            pos = start + item_ciphertext_size
            item_ciphertext = body[start:pos]
            envelopes_.append(Envelope(item_user, item_device, item_registration_id, item_ciphertext))
        envelopes = tuple(envelopes_)
        if envelopes_count > 1 and not rising([(item.user, item.device) for item in envelopes]):
            raise ValueError
        tags = body[pos]
        if not tags:
            if len(body) != pos + 1:
                raise ValueError
            return Send(chat, client_msg_id, attempt, after, class_, users, envelopes)
        pos = skip_tags(body, pos + 1, tags)
        if len(body) != pos:
            raise ValueError
        return Send(chat, client_msg_id, attempt, after, class_, users, envelopes)
    except DECODE_FAULTS:
        raise find_fault(shapes.SEND_1, body) from None


def decode_sequenced_1(body: bytes) -> Sequenced:
    """Read SEQUENCED at revision 1."""
    try:
        (client_msg_id, attempt, chat_seq, sent_at, tags) = unpack_16sBQQB(body, 0)
        if client_msg_id == ZERO_16 or not attempt:
            raise ValueError
        if not tags:
            if len(body) != 34:
                raise ValueError
            return Sequenced(client_msg_id, attempt, chat_seq, sent_at)
        pos = skip_tags(body, 34, tags)
        if len(body) != pos:
            raise ValueError
        return Sequenced(client_msg_id, attempt, chat_seq, sent_at)
    except DECODE_FAULTS:
        raise find_fault(shapes.SEQUENCED_1, body) from None


def decode_refused_1(body: bytes) -> Refused:
    """Read REFUSED at revision 1."""
    try:
        (client_msg_id, attempt, code, outcome, retry_after_ms, tags) = unpack_16sBHBIB(body, 0)
        if client_msg_id == ZERO_16 or not attempt or not code:
            raise ValueError
        if not tags:
            if len(body) != 25:
                raise ValueError
            return Refused(
                client_msg_id,
                attempt,
                code,
                OUTCOME[outcome],
                retry_after_ms,
                None,
                None,
                None,
            )
        (tag_last_id, tag_devices, tag_chat_seq, unknown, pos) = read_tags_refused_1(body, 25, tags)
        if len(body) != pos:
            raise ValueError
        return Refused(
            client_msg_id,
            attempt,
            code,
            OUTCOME[outcome],
            retry_after_ms,
            tag_last_id,
            tag_devices,
            tag_chat_seq,
            unknown,
        )
    except DECODE_FAULTS:
        raise find_fault(shapes.REFUSED_1, body) from None


def decode_deliver_1(body: bytes) -> Deliver:
    """Read DELIVER at revision 1."""
    try:
        (
            inbox_seq,
            prev,
            chat,
            chat_seq,
            class_,
            sender,
            sender_device,
            registration_id,
            client_msg_id,
            sent_at,
            ciphertext_size,
        ) = unpack_QQ16sQB16sBI16sQH(body, 0)
        if (
            not inbox_seq
            or chat == ZERO_16
            or sender == ZERO_16
            or not 1 <= sender_device <= 127
            or not registration_id
            or client_msg_id == ZERO_16
            or not 1 <= ciphertext_size <= 16384
        ):
            raise ValueError
        pos: int = 88 + ciphertext_size
        ciphertext = body[88:pos]
        tags = body[pos]
        if not tags:
            if len(body) != pos + 1:
                raise ValueError
            return Deliver(
                inbox_seq,
                prev,
                chat,
                chat_seq,
                class_,
                sender,
                sender_device,
                registration_id,
                client_msg_id,
                sent_at,
                ciphertext,
            )
        unknown, pos = keep_tags(body, pos + 1, tags)
        if len(body) != pos:
            raise ValueError
        return Deliver(
            inbox_seq,
            prev,
            chat,
            chat_seq,
            class_,
            sender,
            sender_device,
            registration_id,
            client_msg_id,
            sent_at,
            ciphertext,
            unknown,
        )
    except DECODE_FAULTS:
        raise find_fault(shapes.DELIVER_1, body) from None


def decode_ack_1(body: bytes) -> Ack:
    """Read ACK at revision 1."""
    try:
        (position, tags) = unpack_QB(body, 0)
        if not tags:
            if len(body) != 9:
                raise ValueError
            return Ack(position)
        pos = skip_tags(body, 9, tags)
        if len(body) != pos:
            raise ValueError
        return Ack(position)
    except DECODE_FAULTS:
        raise find_fault(shapes.ACK_1, body) from None


def decode_missed_1(body: bytes) -> Missed:
    """Read MISSED at revision 1."""
    try:
        (
            inbox_seq,
            prev,
            chat,
            chat_seq,
            class_,
            sender,
            sender_device,
            client_msg_id,
            sent_at,
            tags,
        ) = unpack_QQ16sQB16sB16sQB(body, 0)
        if (
            not inbox_seq
            or chat == ZERO_16
            or sender == ZERO_16
            or not 1 <= sender_device <= 127
            or client_msg_id == ZERO_16
        ):
            raise ValueError
        if not tags:
            if len(body) != 83:
                raise ValueError
            return Missed(
                inbox_seq,
                prev,
                chat,
                chat_seq,
                class_,
                sender,
                sender_device,
                client_msg_id,
                sent_at,
            )
        unknown, pos = keep_tags(body, 83, tags)
        if len(body) != pos:
            raise ValueError
        return Missed(
            inbox_seq,
            prev,
            chat,
            chat_seq,
            class_,
            sender,
            sender_device,
            client_msg_id,
            sent_at,
            unknown,
        )
    except DECODE_FAULTS:
        raise find_fault(shapes.MISSED_1, body) from None


def decode_undelivered_1(body: bytes) -> Undelivered:
    """Read UNDELIVERED at revision 1."""
    try:
        (
            inbox_seq,
            prev,
            chat,
            client_msg_id,
            user,
            device,
            reason,
            tags,
        ) = unpack_QQ16s16s16sBBB(body, 0)
        if (
            not inbox_seq
            or chat == ZERO_16
            or client_msg_id == ZERO_16
            or user == ZERO_16
            or device > 127
        ):
            raise ValueError
        if not tags:
            if len(body) != 67:
                raise ValueError
            return Undelivered(inbox_seq, prev, chat, client_msg_id, user, device, reason)
        unknown, pos = keep_tags(body, 67, tags)
        if len(body) != pos:
            raise ValueError
        return Undelivered(inbox_seq, prev, chat, client_msg_id, user, device, reason, unknown)
    except DECODE_FAULTS:
        raise find_fault(shapes.UNDELIVERED_1, body) from None


def decode_unreadable_1(body: bytes) -> Unreadable:
    """Read UNREADABLE at revision 1."""
    try:
        (inbox_seq, prev, tags) = unpack_QQB(body, 0)
        if not inbox_seq:
            raise ValueError
        if not tags:
            if len(body) != 17:
                raise ValueError
            return Unreadable(inbox_seq, prev)
        unknown, pos = keep_tags(body, 17, tags)
        if len(body) != pos:
            raise ValueError
        return Unreadable(inbox_seq, prev, unknown)
    except DECODE_FAULTS:
        raise find_fault(shapes.UNREADABLE_1, body) from None


def decode_gap_1(body: bytes) -> Gap:
    """Read GAP at revision 1."""
    try:
        (first, last, reason, tags) = unpack_QQBB(body, 0)
        if not tags:
            if len(body) != 18:
                raise ValueError
            return Gap(first, last, reason)
        pos = skip_tags(body, 18, tags)
        if len(body) != pos:
            raise ValueError
        return Gap(first, last, reason)
    except DECODE_FAULTS:
        raise find_fault(shapes.GAP_1, body) from None


def decode_inbox_empty_1(body: bytes) -> InboxEmpty:
    """Read INBOX_EMPTY at revision 1."""
    try:
        (last, tags) = unpack_QB(body, 0)
        if not tags:
            if len(body) != 9:
                raise ValueError
            return InboxEmpty(last)
        pos = skip_tags(body, 9, tags)
        if len(body) != pos:
            raise ValueError
        return InboxEmpty(last)
    except DECODE_FAULTS:
        raise find_fault(shapes.INBOX_EMPTY_1, body) from None


def decode_receipt_1(body: bytes) -> Receipt:
    """Read RECEIPT at revision 1."""
    try:
        (mark_chat, mark_user, mark_mark, tags) = unpack_16s16sQB(body, 0)
        if mark_chat == ZERO_16 or mark_user == ZERO_16:
            raise ValueError
        if not tags:
            if len(body) != 41:
                raise ValueError
            return Receipt(Mark(mark_chat, mark_user, mark_mark))
        pos = skip_tags(body, 41, tags)
        if len(body) != pos:
            raise ValueError
        return Receipt(Mark(mark_chat, mark_user, mark_mark))
    except DECODE_FAULTS:
        raise find_fault(shapes.RECEIPT_1, body) from None


def decode_receipts_get_1(body: bytes) -> ReceiptsGet:
    """Read RECEIPTS_GET at revision 1."""
    try:
        chats_count = body[0]
        if not 1 <= chats_count <= 64:
            raise ValueError
        pos: int = 1 + 16 * chats_count
        chats = tuple([item for (item,) in iterate_16s(body[1:pos])])
        if ZERO_16 in chats:
            raise ValueError
        if chats_count > 1 and not rising(chats):
            raise ValueError
        tags = body[pos]
        if not tags:
            if len(body) != pos + 1:
                raise ValueError
            return ReceiptsGet(chats)
        pos = skip_tags(body, pos + 1, tags)
        if len(body) != pos:
            raise ValueError
        return ReceiptsGet(chats)
    except DECODE_FAULTS:
        raise find_fault(shapes.RECEIPTS_GET_1, body) from None


def decode_receipts_1(body: bytes) -> Receipts:
    """Read RECEIPTS at revision 1."""
    try:
        (marks_count,) = unpack_H(body, 0)
        if marks_count > 1024:
            raise ValueError
        pos: int = 2 + 40 * marks_count
        marks_: list[Mark] = []
        for item_chat, item_user, item_mark in iterate_16s16sQ(body[2:pos]):
            if item_chat == ZERO_16 or item_user == ZERO_16:
                raise ValueError
            marks_.append(Mark(item_chat, item_user, item_mark))
        marks = tuple(marks_)
        if marks_count > 1 and not rising([(item.chat, item.user) for item in marks]):
            raise ValueError
        tags = body[pos]
        if not tags:
            if len(body) != pos + 1:
                raise ValueError
            return Receipts(marks)
        pos = skip_tags(body, pos + 1, tags)
        if len(body) != pos:
            raise ValueError
        return Receipts(marks)
    except DECODE_FAULTS:
        raise find_fault(shapes.RECEIPTS_1, body) from None


def read_tags_welcome_1(body: bytes, pos: int, count: int) -> tuple[str | None, UnknownTags, int]:
    home: str | None = None
    previous = unknown_bytes = 0
    for _ in range(count):
        tag, size = unpack_tag(body, pos)
        pos += 6
        end = pos + size
        if tag <= previous or end > len(body):
            raise ValueError
        previous = tag
        if tag == 1:
            value_home_size = body[pos]
            start = pos + 1
            pos = start + value_home_size
            value_home = body[start:pos].decode()
            if "\0" in value_home:
                raise ValueError
            home = value_home
            if pos != end:
                raise ValueError
        elif tag & 1:
            unknown_bytes += size + 6
        else:
            raise ValueError
        pos = end
    if count > TAGS_MAX or unknown_bytes > UNKNOWN_TAGS_BYTES_MAX:
        raise ValueError
    return (home, (), pos)


def read_tags_reject_1(body: bytes, pos: int, count: int) -> tuple[str | None, UnknownTags, int]:
    home: str | None = None
    previous = unknown_bytes = 0
    for _ in range(count):
        tag, size = unpack_tag(body, pos)
        pos += 6
        end = pos + size
        if tag <= previous or end > len(body):
            raise ValueError
        previous = tag
        if tag == 1:
            value_home_size = body[pos]
            start = pos + 1
            pos = start + value_home_size
            value_home = body[start:pos].decode()
            if "\0" in value_home:
                raise ValueError
            home = value_home
            if pos != end:
                raise ValueError
        elif tag & 1:
            unknown_bytes += size + 6
        else:
            raise ValueError
        pos = end
    if count > TAGS_MAX or unknown_bytes > UNKNOWN_TAGS_BYTES_MAX:
        raise ValueError
    return (home, (), pos)


def read_tags_goaway_1(body: bytes, pos: int, count: int) -> tuple[str | None, UnknownTags, int]:
    home: str | None = None
    previous = unknown_bytes = 0
    for _ in range(count):
        tag, size = unpack_tag(body, pos)
        pos += 6
        end = pos + size
        if tag <= previous or end > len(body):
            raise ValueError
        previous = tag
        if tag == 1:
            value_home_size = body[pos]
            start = pos + 1
            pos = start + value_home_size
            value_home = body[start:pos].decode()
            if "\0" in value_home:
                raise ValueError
            home = value_home
            if pos != end:
                raise ValueError
        elif tag & 1:
            unknown_bytes += size + 6
        else:
            raise ValueError
        pos = end
    if count > TAGS_MAX or unknown_bytes > UNKNOWN_TAGS_BYTES_MAX:
        raise ValueError
    return (home, (), pos)


def read_tags_auth_1(body: bytes, pos: int, count: int) -> tuple[bytes | None, UnknownTags, int]:
    session: bytes | None = None
    previous = unknown_bytes = 0
    for _ in range(count):
        tag, size = unpack_tag(body, pos)
        pos += 6
        end = pos + size
        if tag <= previous or end > len(body):
            raise ValueError
        previous = tag
        if tag == 1:
            (value_session,) = unpack_16s(body, pos)
            session = value_session
            if pos + 16 != end:
                raise ValueError
        elif tag & 1:
            unknown_bytes += size + 6
        else:
            raise ValueError
        pos = end
    if count > TAGS_MAX or unknown_bytes > UNKNOWN_TAGS_BYTES_MAX:
        raise ValueError
    return (session, (), pos)


def read_tags_prekeys_upload_1(body: bytes, pos: int, count: int) -> tuple[SignedPrekey | None, KemPrekey | None, UnknownTags, int]:
    signed: SignedPrekey | None = None
    last_resort: KemPrekey | None = None
    previous = unknown_bytes = 0
    for _ in range(count):
        tag, size = unpack_tag(body, pos)
        pos += 6
        end = pos + size
        if tag <= previous or end > len(body):
            raise ValueError
        previous = tag
        if tag == 2:
            (
                value_signed_id,
                value_signed_key,
                value_signed_created,
                value_signed_expires,
                value_signed_signature,
            ) = unpack_I32sQQ64s(body, pos)
            if not value_signed_id:
                raise ValueError
            signed = SignedPrekey(value_signed_id, value_signed_key, value_signed_created, value_signed_expires, value_signed_signature)
            if pos + 116 != end:
                raise ValueError
        elif tag == 4:
            (
                value_last_resort_id,
                value_last_resort_last_resort,
                value_last_resort_key,
                value_last_resort_signature,
            ) = unpack_IB1568s64s(body, pos)
            if not value_last_resort_id or value_last_resort_last_resort > 1:
                raise ValueError
            last_resort = KemPrekey(value_last_resort_id, value_last_resort_last_resort == 1, value_last_resort_key, value_last_resort_signature)
            if pos + 1637 != end:
                raise ValueError
        elif tag & 1:
            unknown_bytes += size + 6
        else:
            raise ValueError
        pos = end
    if count > TAGS_MAX or unknown_bytes > UNKNOWN_TAGS_BYTES_MAX:
        raise ValueError
    return (signed, last_resort, (), pos)


def read_tags_refused_1(body: bytes, pos: int, count: int) -> tuple[bytes | None, DevicesStale | None, int | None, UnknownTags, int]:
    last_id: bytes | None = None
    devices: DevicesStale | None = None
    chat_seq: int | None = None
    previous = unknown_bytes = 0
    for _ in range(count):
        tag, size = unpack_tag(body, pos)
        pos += 6
        end = pos + size
        if tag <= previous or end > len(body):
            raise ValueError
        previous = tag
        if tag == 1:
            (value_last_id,) = unpack_16s(body, pos)
            last_id = value_last_id
            if pos + 16 != end:
                raise ValueError
        elif tag == 3:
            value_devices_missing_count = body[pos]
            if value_devices_missing_count > 64:
                raise ValueError
            start = pos + 1
            pos = start + 21 * value_devices_missing_count
            value_devices_missing_: list[DeviceRef] = []
            for item_user, item_device, item_registration_id in iterate_16sBI(body[start:pos]):
                if item_user == ZERO_16 or not 1 <= item_device <= 127 or not item_registration_id:
                    raise ValueError
                value_devices_missing_.append(DeviceRef(item_user, item_device, item_registration_id))
            value_devices_missing = tuple(value_devices_missing_)
            if (
                value_devices_missing_count > 1 and not rising([(item.user, item.device) for item in value_devices_missing])
            ):
                raise ValueError
            value_devices_extra_count = body[pos]
            if value_devices_extra_count > 64:
                raise ValueError
            start = pos + 1
            pos = start + 21 * value_devices_extra_count
            value_devices_extra_: list[DeviceRef] = []
            for item_user_, item_device_, item_registration_id_ in iterate_16sBI(body[start:pos]):
                if (
                    item_user_ == ZERO_16
                    or not 1 <= item_device_ <= 127
                    or not item_registration_id_
                ):
                    raise ValueError
                value_devices_extra_.append(DeviceRef(item_user_, item_device_, item_registration_id_))
            value_devices_extra = tuple(value_devices_extra_)
            if (
                value_devices_extra_count > 1 and not rising([(item.user, item.device) for item in value_devices_extra])
            ):
                raise ValueError
            value_devices_stale_count = body[pos]
            if value_devices_stale_count > 64:
                raise ValueError
            start = pos + 1
            pos = start + 21 * value_devices_stale_count
            value_devices_stale_: list[DeviceRef] = []
            for item_user__, item_device__, item_registration_id__ in iterate_16sBI(body[start:pos]):
                if (
                    item_user__ == ZERO_16
                    or not 1 <= item_device__ <= 127
                    or not item_registration_id__
                ):
                    raise ValueError
                value_devices_stale_.append(DeviceRef(item_user__, item_device__, item_registration_id__))
            value_devices_stale = tuple(value_devices_stale_)
            if (
                value_devices_stale_count > 1 and not rising([(item.user, item.device) for item in value_devices_stale])
            ):
                raise ValueError
            value_devices_more = body[pos]
            if value_devices_more > 1:
                raise ValueError
            devices = DevicesStale(value_devices_missing, value_devices_extra, value_devices_stale, value_devices_more == 1)
            if pos + 1 != end:
                raise ValueError
        elif tag == 5:
            (value_chat_seq,) = unpack_Q(body, pos)
            chat_seq = value_chat_seq
            if pos + 8 != end:
                raise ValueError
        elif tag & 1:
            unknown_bytes += size + 6
        else:
            raise ValueError
        pos = end
    if count > TAGS_MAX or unknown_bytes > UNKNOWN_TAGS_BYTES_MAX:
        raise ValueError
    return (last_id, devices, chat_seq, (), pos)
