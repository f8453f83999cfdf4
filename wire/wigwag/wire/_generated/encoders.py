"""Encoders: one straight-line function for each layout.

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
    ENCODE_FAULTS,
    NO_KNOWN,
    NO_TAGS,
    Struct,
    find_record_fault,
    rising,
    tag_section,
)

pack_16s = Struct(">16s").pack
pack_16s16sB16sBH = Struct(">16s16sB16sBH").pack
pack_16s16sQ = Struct(">16s16sQ").pack
pack_16s32sB = Struct(">16s32sB").pack
pack_16sB = Struct(">16sB").pack
pack_16sBHBI = Struct(">16sBHBI").pack
pack_16sBI = Struct(">16sBI").pack
pack_16sBIH = Struct(">16sBIH").pack
pack_16sBQQ = Struct(">16sBQQ").pack
pack_16sQ = Struct(">16sQ").pack
pack_16sQ32sQB = Struct(">16sQ32sQB").pack
pack_16sQB = Struct(">16sQB").pack
pack_32sHB = Struct(">32sHB").pack
pack_32sHHHB = Struct(">32sHHHB").pack
pack_64s = Struct(">64s").pack
pack_64s16sBIQI32sQQ64s = Struct(">64s16sBIQI32sQQ64s").pack
pack_64s16sBIQQ = Struct(">64s16sBIQQ").pack
pack_64s16sQ = Struct(">64s16sQ").pack
pack_64s64s16s32sBIQ32s32sH = Struct(">64s64s16s32sBIQ32s32sH").pack
pack_64sI32sQQ64sBH = Struct(">64sI32sQQ64sBH").pack
pack_B = Struct(">B").pack
pack_B32s32sB = Struct(">B32s32sB").pack
pack_H = Struct(">H").pack
pack_HBHI = Struct(">HBHI").pack
pack_HBII32sQQ64sB = Struct(">HBII32sQQ64sB").pack
pack_HH = Struct(">HH").pack
pack_HHHHI = Struct(">HHHHI").pack
pack_HHIIII = Struct(">HHIIII").pack
pack_HII = Struct(">HII").pack
pack_I32s = Struct(">I32s").pack
pack_I32sQQ64s = Struct(">I32sQQ64s").pack
pack_IHB = Struct(">IHB").pack
pack_IHIHIHHHHH = Struct(">IHIHIHHHHH").pack
pack_IHIHIHHHHHQI16s = Struct(">IHIHIHHHHHQI16s").pack
pack_Ib1568s64s = Struct(">I?1568s64s").pack
pack_Q = Struct(">Q").pack
pack_QQ = Struct(">QQ").pack
pack_QQ16s16s16sBB = Struct(">QQ16s16s16sBB").pack
pack_QQ16sBHHQ = Struct(">QQ16sBHHQ").pack
pack_QQ16sQB16sB16sQ = Struct(">QQ16sQB16sB16sQ").pack
pack_QQ16sQB16sBI16sQH = Struct(">QQ16sQB16sBI16sQH").pack
pack_QQB = Struct(">QQB").pack
pack_b = Struct(">?").pack
ZERO_16 = bytes(16)
OUTCOME: dict[int, Outcome] = {Outcome.NONE.value: Outcome.NONE, Outcome.UNKNOWN.value: Outcome.UNKNOWN}
PROOF_KIND: dict[int, ProofKind] = {ProofKind.INVITE.value: ProofKind.INVITE, ProofKind.OPEN.value: ProofKind.OPEN, ProofKind.TOKEN.value: ProofKind.TOKEN}


def encode_bundle_1(record: Bundle) -> bytes:
    """Write Bundle at revision 1."""
    try:
        suite = record.suite
        device = record.device
        registration_id = record.registration_id
        signed_prekey = record.signed_prekey
        signed_prekey_id = signed_prekey.id
        signed_prekey_key = signed_prekey.key
        signed_prekey_created = signed_prekey.created
        signed_prekey_expires = signed_prekey.expires
        signed_prekey_signature = signed_prekey.signature
        one_time = record.one_time
        if (
            not suite
            or not 1 <= device <= 127
            or not registration_id
            or not signed_prekey_id
            or len(signed_prekey_key) != 32
            or len(signed_prekey_signature) != 64
            or len(one_time) > 1
        ):
            raise ValueError
        one_time_parts: list[bytes] = []
        for one_time_item in one_time:
            one_time_item_id = one_time_item.id
            one_time_item_key = one_time_item.key
            if not one_time_item_id or len(one_time_item_key) != 32:
                raise ValueError
            one_time_parts.append(pack_I32s(one_time_item_id, one_time_item_key))
        kem = record.kem
        kem_id = kem.id
        kem_last_resort = kem.last_resort
        kem_key = kem.key
        kem_signature = kem.signature
        if (
            not kem_id
            or kem_last_resort is not True and kem_last_resort is not False
            or len(kem_key) != 1568
            or len(kem_signature) != 64
        ):
            raise ValueError
        return b"".join((
            pack_HBII32sQQ64sB(suite, device, registration_id, signed_prekey_id, signed_prekey_key, signed_prekey_created, signed_prekey_expires, signed_prekey_signature, len(one_time)),
            *one_time_parts,
            pack_Ib1568s64s(kem_id, kem_last_resort, kem_key, kem_signature),
        ))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.BUNDLE_1, record) from None


def encode_connection_limits_1(record: ConnectionLimits) -> bytes:
    """Write ConnectionLimits at revision 1."""
    try:
        frame_bytes_max = record.frame_bytes_max
        in_flight_max = record.in_flight_max
        in_flight_bytes_max = record.in_flight_bytes_max
        window_entries = record.window_entries
        window_bytes = record.window_bytes
        auth_seconds = record.auth_seconds
        idle_seconds = record.idle_seconds
        pong_seconds = record.pong_seconds
        frame_seconds = record.frame_seconds
        stall_seconds = record.stall_seconds
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
        return pack_IHIHIHHHHH(frame_bytes_max, in_flight_max, in_flight_bytes_max, window_entries, window_bytes, auth_seconds, idle_seconds, pong_seconds, frame_seconds, stall_seconds)
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.CONNECTION_LIMITS_1, record) from None


def encode_device_list_1(record: DeviceList) -> bytes:
    """Write DeviceList at revision 1."""
    try:
        user = record.user
        seq = record.seq
        prev_hash = record.prev_hash
        time = record.time
        devices = record.devices
        if (
            len(user) != 16
            or user == ZERO_16
            or not seq
            or len(prev_hash) != 32
            or len(devices) > 8
            or len(devices) > 1 and not rising([item.device for item in devices])
        ):
            raise ValueError
        devices_parts: list[bytes] = []
        for devices_item in devices:
            devices_item_device = devices_item.device
            devices_item_signing_key = devices_item.signing_key
            devices_item_agreement_key = devices_item.agreement_key
            devices_item_suites = devices_item.suites
            devices_item_membership = devices_item.membership
            if (
                not 1 <= devices_item_device <= 127
                or len(devices_item_signing_key) != 32
                or len(devices_item_agreement_key) != 32
                or not 1 <= len(devices_item_suites) <= 8
                or len(devices_item_suites) > 1 and not rising(devices_item_suites)
                or len(devices_item_membership) != 64
            ):
                raise ValueError
            devices_parts += (
                pack_B32s32sB(devices_item_device, devices_item_signing_key, devices_item_agreement_key, len(devices_item_suites)),
                *[pack_H(item) for item in devices_item_suites],
                pack_64s(devices_item_membership),
            )
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return b"".join((
            pack_16sQ32sQB(user, seq, prev_hash, time, len(devices)),
            *devices_parts,
            section,
        ))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.DEVICE_LIST_1, record) from None


def encode_device_ref_1(record: DeviceRef) -> bytes:
    """Write DeviceRef at revision 1."""
    try:
        user = record.user
        device = record.device
        registration_id = record.registration_id
        if len(user) != 16 or user == ZERO_16 or not 1 <= device <= 127 or not registration_id:
            raise ValueError
        return pack_16sBI(user, device, registration_id)
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.DEVICE_REF_1, record) from None


def encode_devices_stale_1(record: DevicesStale) -> bytes:
    """Write DevicesStale at revision 1."""
    try:
        missing = record.missing
        if (
            len(missing) > 64
            or len(missing) > 1 and not rising([(item.user, item.device) for item in missing])
        ):
            raise ValueError
        missing_parts: list[bytes] = []
        for missing_item in missing:
            missing_item_user = missing_item.user
            missing_item_device = missing_item.device
            missing_item_registration_id = missing_item.registration_id
            if (
                len(missing_item_user) != 16
                or missing_item_user == ZERO_16
                or not 1 <= missing_item_device <= 127
                or not missing_item_registration_id
            ):
                raise ValueError
            missing_parts.append(pack_16sBI(missing_item_user, missing_item_device, missing_item_registration_id))
        extra = record.extra
        if (
            len(extra) > 64
            or len(extra) > 1 and not rising([(item.user, item.device) for item in extra])
        ):
            raise ValueError
        extra_parts: list[bytes] = []
        for extra_item in extra:
            extra_item_user = extra_item.user
            extra_item_device = extra_item.device
            extra_item_registration_id = extra_item.registration_id
            if (
                len(extra_item_user) != 16
                or extra_item_user == ZERO_16
                or not 1 <= extra_item_device <= 127
                or not extra_item_registration_id
            ):
                raise ValueError
            extra_parts.append(pack_16sBI(extra_item_user, extra_item_device, extra_item_registration_id))
        stale = record.stale
        if (
            len(stale) > 64
            or len(stale) > 1 and not rising([(item.user, item.device) for item in stale])
        ):
            raise ValueError
        stale_parts: list[bytes] = []
        for stale_item in stale:
            stale_item_user = stale_item.user
            stale_item_device = stale_item.device
            stale_item_registration_id = stale_item.registration_id
            if (
                len(stale_item_user) != 16
                or stale_item_user == ZERO_16
                or not 1 <= stale_item_device <= 127
                or not stale_item_registration_id
            ):
                raise ValueError
            stale_parts.append(pack_16sBI(stale_item_user, stale_item_device, stale_item_registration_id))
        more = record.more
        if more is not True and more is not False:
            raise ValueError
        return b"".join((
            pack_B(len(missing)),
            *missing_parts,
            pack_B(len(extra)),
            *extra_parts,
            pack_B(len(stale)),
            *stale_parts,
            pack_b(more),
        ))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.DEVICES_STALE_1, record) from None


def encode_ec_prekey_1(record: EcPrekey) -> bytes:
    """Write EcPrekey at revision 1."""
    try:
        id = record.id
        key = record.key
        if not id or len(key) != 32:
            raise ValueError
        return pack_I32s(id, key)
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.EC_PREKEY_1, record) from None


def encode_envelope_1(record: Envelope) -> bytes:
    """Write Envelope at revision 1."""
    try:
        user = record.user
        device = record.device
        registration_id = record.registration_id
        ciphertext = record.ciphertext
        if (
            len(user) != 16
            or user == ZERO_16
            or not 1 <= device <= 127
            or not registration_id
            or not 1 <= len(ciphertext) <= 16384
        ):
            raise ValueError
        return pack_16sBIH(user, device, registration_id, len(ciphertext)) + ciphertext
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.ENVELOPE_1, record) from None


def encode_kem_prekey_1(record: KemPrekey) -> bytes:
    """Write KemPrekey at revision 1."""
    try:
        id = record.id
        last_resort = record.last_resort
        key = record.key
        signature = record.signature
        if (
            not id
            or last_resort is not True and last_resort is not False
            or len(key) != 1568
            or len(signature) != 64
        ):
            raise ValueError
        return pack_Ib1568s64s(id, last_resort, key, signature)
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.KEM_PREKEY_1, record) from None


def encode_listed_device_1(record: ListedDevice) -> bytes:
    """Write ListedDevice at revision 1."""
    try:
        device = record.device
        signing_key = record.signing_key
        agreement_key = record.agreement_key
        suites = record.suites
        membership = record.membership
        if (
            not 1 <= device <= 127
            or len(signing_key) != 32
            or len(agreement_key) != 32
            or not 1 <= len(suites) <= 8
            or len(suites) > 1 and not rising(suites)
            or len(membership) != 64
        ):
            raise ValueError
        return b"".join((
            pack_B32s32sB(device, signing_key, agreement_key, len(suites)),
            *[pack_H(item) for item in suites],
            pack_64s(membership),
        ))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.LISTED_DEVICE_1, record) from None


def encode_mark_1(record: Mark) -> bytes:
    """Write Mark at revision 1."""
    try:
        chat = record.chat
        user = record.user
        mark = record.mark
        if len(chat) != 16 or chat == ZERO_16 or len(user) != 16 or user == ZERO_16:
            raise ValueError
        return pack_16s16sQ(chat, user, mark)
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.MARK_1, record) from None


def encode_signed_list_1(record: SignedList) -> bytes:
    """Write SignedList at revision 1."""
    try:
        blob = record.blob
        signature = record.signature
        if not 1 <= len(blob) <= 2048 or len(signature) != 64:
            raise ValueError
        return b"".join((pack_H(len(blob)), blob, pack_64s(signature)))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.SIGNED_LIST_1, record) from None


def encode_signed_prekey_1(record: SignedPrekey) -> bytes:
    """Write SignedPrekey at revision 1."""
    try:
        id = record.id
        key = record.key
        created = record.created
        expires = record.expires
        signature = record.signature
        if not id or len(key) != 32 or len(signature) != 64:
            raise ValueError
        return pack_I32sQQ64s(id, key, created, expires, signature)
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.SIGNED_PREKEY_1, record) from None


def encode_hello_1(record: Hello) -> bytes:
    """Write HELLO at revision 1."""
    try:
        client_nonce = record.client_nonce
        revision_min = record.revision_min
        revision_max = record.revision_max
        draft = record.draft
        features = record.features
        frame_bytes_max = record.frame_bytes_max
        window_entries = record.window_entries
        client_name = record.client_name
        client_name_utf8 = client_name.encode()
        if (
            len(client_nonce) != 32
            or revision_min > 32767
            or revision_max > 32767
            or len(features) > 64
            or len(features) > 1 and not rising(features)
            or frame_bytes_max < 65536
            or not window_entries
            or b"\0" in client_name_utf8
            or len(client_name_utf8) > 64
        ):
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return b"".join((
            pack_32sHHHB(client_nonce, revision_min, revision_max, draft, len(features)),
            *[pack_H(item) for item in features],
            pack_IHB(frame_bytes_max, window_entries, len(client_name_utf8)),
            client_name_utf8,
            section,
        ))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.HELLO_1, record) from None


def encode_welcome_1(record: Welcome) -> bytes:
    """Write WELCOME at revision 1."""
    try:
        server_nonce = record.server_nonce
        revision = record.revision
        features = record.features
        limits = record.limits
        limits_frame_bytes_max = limits.frame_bytes_max
        limits_in_flight_max = limits.in_flight_max
        limits_in_flight_bytes_max = limits.in_flight_bytes_max
        limits_window_entries = limits.window_entries
        limits_window_bytes = limits.window_bytes
        limits_auth_seconds = limits.auth_seconds
        limits_idle_seconds = limits.idle_seconds
        limits_pong_seconds = limits.pong_seconds
        limits_frame_seconds = limits.frame_seconds
        limits_stall_seconds = limits.stall_seconds
        server_time = record.server_time
        finalized = record.finalized
        session_id = record.session_id
        if (
            len(server_nonce) != 32
            or not revision
            or len(features) > 64
            or len(features) > 1 and not rising(features)
            or limits_frame_bytes_max < 4096
            or not limits_in_flight_max
            or limits_in_flight_bytes_max < 4096
            or not limits_window_entries
            or limits_window_bytes < 4096
            or not limits_auth_seconds
            or not limits_idle_seconds
            or not limits_pong_seconds
            or not limits_frame_seconds
            or not limits_stall_seconds
            or len(session_id) != 16
        ):
            raise ValueError
        section = write_tags_welcome_1(record) if record.unknown or record.home is not None else NO_TAGS
        return b"".join((
            pack_32sHB(server_nonce, revision, len(features)),
            *[pack_H(item) for item in features],
            pack_IHIHIHHHHHQI16s(limits_frame_bytes_max, limits_in_flight_max, limits_in_flight_bytes_max, limits_window_entries, limits_window_bytes, limits_auth_seconds, limits_idle_seconds, limits_pong_seconds, limits_frame_seconds, limits_stall_seconds, server_time, finalized, session_id),
            section,
        ))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.WELCOME_1, record) from None


def encode_reject_1(record: Reject) -> bytes:
    """Write REJECT at revision 1."""
    try:
        code = record.code
        revision_min = record.revision_min
        revision_max = record.revision_max
        draft = record.draft
        retry_after_ms = record.retry_after_ms
        if not code or revision_min > 32767 or revision_max > 32767:
            raise ValueError
        section = write_tags_reject_1(record) if record.unknown or record.home is not None else NO_TAGS
        return pack_HHHHI(code, revision_min, revision_max, draft, retry_after_ms) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.REJECT_1, record) from None


def encode_error_1(record: Error) -> bytes:
    """Write ERROR at revision 1."""
    try:
        code = record.code
        outcome = record.outcome
        frame_type = record.frame_type
        retry_after_ms = record.retry_after_ms
        if not code or outcome not in OUTCOME:
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_HBHI(code, outcome, frame_type, retry_after_ms) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.ERROR_1, record) from None


def encode_goaway_1(record: Goaway) -> bytes:
    """Write GOAWAY at revision 1."""
    try:
        code = record.code
        last_corr = record.last_corr
        retry_after_ms = record.retry_after_ms
        if not code:
            raise ValueError
        section = write_tags_goaway_1(record) if record.unknown or record.home is not None else NO_TAGS
        return pack_HII(code, last_corr, retry_after_ms) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.GOAWAY_1, record) from None


def encode_ping_1(record: Ping) -> bytes:
    """Write PING at revision 1."""
    try:
        token = record.token
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_Q(token) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.PING_1, record) from None


def encode_pong_1(record: Pong) -> bytes:
    """Write PONG at revision 1."""
    try:
        token = record.token
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_Q(token) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.PONG_1, record) from None


def encode_auth_1(record: Auth) -> bytes:
    """Write AUTH at revision 1."""
    try:
        signature = record.signature
        user = record.user
        device = record.device
        registration_id = record.registration_id
        generation = record.generation
        cursor = record.cursor
        if (
            len(signature) != 64
            or len(user) != 16
            or user == ZERO_16
            or not 1 <= device <= 127
            or not registration_id
            or not generation
        ):
            raise ValueError
        section = write_tags_auth_1(record) if record.unknown or record.session is not None else NO_TAGS
        return pack_64s16sBIQQ(signature, user, device, registration_id, generation, cursor) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.AUTH_1, record) from None


def encode_auth_ok_1(record: AuthOk) -> bytes:
    """Write AUTH_OK at revision 1."""
    try:
        acked = record.acked
        last = record.last
        last_stored_id = record.last_stored_id
        last_stored_attempt = record.last_stored_attempt
        ec_left = record.ec_left
        kem_left = record.kem_left
        list_seq = record.list_seq
        if len(last_stored_id) != 16:
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_QQ16sBHHQ(acked, last, last_stored_id, last_stored_attempt, ec_left, kem_left, list_seq) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.AUTH_OK_1, record) from None


def encode_register_1(record: Register) -> bytes:
    """Write REGISTER at revision 1."""
    try:
        account_signature = record.account_signature
        device_signature = record.device_signature
        user = record.user
        account_key = record.account_key
        device = record.device
        registration_id = record.registration_id
        generation = record.generation
        signing_key = record.signing_key
        agreement_key = record.agreement_key
        list_blob = record.list_blob
        list_signature = record.list_signature
        signed_prekey = record.signed_prekey
        signed_prekey_id = signed_prekey.id
        signed_prekey_key = signed_prekey.key
        signed_prekey_created = signed_prekey.created
        signed_prekey_expires = signed_prekey.expires
        signed_prekey_signature = signed_prekey.signature
        proof_kind = record.proof_kind
        proof = record.proof
        if (
            len(account_signature) != 64
            or len(device_signature) != 64
            or len(user) != 16
            or user == ZERO_16
            or len(account_key) != 32
            or not 1 <= device <= 127
            or not registration_id
            or not generation
            or len(signing_key) != 32
            or len(agreement_key) != 32
            or not 1 <= len(list_blob) <= 512
            or len(list_signature) != 64
            or not signed_prekey_id
            or len(signed_prekey_key) != 32
            or len(signed_prekey_signature) != 64
            or proof_kind not in PROOF_KIND
            or len(proof) > 2048
        ):
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return b"".join((
            pack_64s64s16s32sBIQ32s32sH(account_signature, device_signature, user, account_key, device, registration_id, generation, signing_key, agreement_key, len(list_blob)),
            list_blob,
            pack_64sI32sQQ64sBH(list_signature, signed_prekey_id, signed_prekey_key, signed_prekey_created, signed_prekey_expires, signed_prekey_signature, proof_kind, len(proof)),
            proof,
            section,
        ))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.REGISTER_1, record) from None


def encode_re_register_1(record: ReRegister) -> bytes:
    """Write RE_REGISTER at revision 1."""
    try:
        signature = record.signature
        user = record.user
        device = record.device
        registration_id = record.registration_id
        generation = record.generation
        signed_prekey = record.signed_prekey
        signed_prekey_id = signed_prekey.id
        signed_prekey_key = signed_prekey.key
        signed_prekey_created = signed_prekey.created
        signed_prekey_expires = signed_prekey.expires
        signed_prekey_signature = signed_prekey.signature
        if (
            len(signature) != 64
            or len(user) != 16
            or user == ZERO_16
            or not 1 <= device <= 127
            or not registration_id
            or not generation
            or not signed_prekey_id
            or len(signed_prekey_key) != 32
            or len(signed_prekey_signature) != 64
        ):
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_64s16sBIQI32sQQ64s(signature, user, device, registration_id, generation, signed_prekey_id, signed_prekey_key, signed_prekey_created, signed_prekey_expires, signed_prekey_signature) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.RE_REGISTER_1, record) from None


def encode_delete_account_1(record: DeleteAccount) -> bytes:
    """Write DELETE_ACCOUNT at revision 1."""
    try:
        signature = record.signature
        user = record.user
        time = record.time
        if len(signature) != 64 or len(user) != 16 or user == ZERO_16:
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_64s16sQ(signature, user, time) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.DELETE_ACCOUNT_1, record) from None


def encode_account_deleted_1(record: AccountDeleted) -> bytes:
    """Write ACCOUNT_DELETED at revision 1."""
    try:
        time = record.time
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_Q(time) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.ACCOUNT_DELETED_1, record) from None


def encode_username_claim_1(record: UsernameClaim) -> bytes:
    """Write USERNAME_CLAIM at revision 1."""
    try:
        name = record.name
        name_utf8 = name.encode()
        if b"\0" in name_utf8 or not 3 <= len(name_utf8) <= 32:
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return b"".join((pack_B(len(name_utf8)), name_utf8, section))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.USERNAME_CLAIM_1, record) from None


def encode_username_resolve_1(record: UsernameResolve) -> bytes:
    """Write USERNAME_RESOLVE at revision 1."""
    try:
        name = record.name
        name_utf8 = name.encode()
        if b"\0" in name_utf8 or not 3 <= len(name_utf8) <= 32:
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return b"".join((pack_B(len(name_utf8)), name_utf8, section))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.USERNAME_RESOLVE_1, record) from None


def encode_username_resolved_1(record: UsernameResolved) -> bytes:
    """Write USERNAME_RESOLVED at revision 1."""
    try:
        user = record.user
        name = record.name
        name_utf8 = name.encode()
        if (
            len(user) != 16
            or user == ZERO_16
            or b"\0" in name_utf8
            or not 3 <= len(name_utf8) <= 32
        ):
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return b"".join((pack_16sB(user, len(name_utf8)), name_utf8, section))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.USERNAME_RESOLVED_1, record) from None


def encode_username_of_1(record: UsernameOf) -> bytes:
    """Write USERNAME_OF at revision 1."""
    try:
        user = record.user
        if len(user) != 16 or user == ZERO_16:
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_16s(user) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.USERNAME_OF_1, record) from None


def encode_prekeys_upload_1(record: PrekeysUpload) -> bytes:
    """Write PREKEYS_UPLOAD at revision 1."""
    try:
        one_time = record.one_time
        if len(one_time) > 200 or len(one_time) > 1 and not rising([item.id for item in one_time]):
            raise ValueError
        one_time_parts: list[bytes] = []
        for one_time_item in one_time:
            one_time_item_id = one_time_item.id
            one_time_item_key = one_time_item.key
            if not one_time_item_id or len(one_time_item_key) != 32:
                raise ValueError
            one_time_parts.append(pack_I32s(one_time_item_id, one_time_item_key))
        kem = record.kem
        if len(kem) > 64 or len(kem) > 1 and not rising([item.id for item in kem]):
            raise ValueError
        kem_parts: list[bytes] = []
        for kem_item in kem:
            kem_item_id = kem_item.id
            kem_item_last_resort = kem_item.last_resort
            kem_item_key = kem_item.key
            kem_item_signature = kem_item.signature
            if (
                not kem_item_id
                or kem_item_last_resort is not True and kem_item_last_resort is not False
                or len(kem_item_key) != 1568
                or len(kem_item_signature) != 64
            ):
                raise ValueError
            kem_parts.append(pack_Ib1568s64s(kem_item_id, kem_item_last_resort, kem_item_key, kem_item_signature))
        section = write_tags_prekeys_upload_1(record) if record.unknown or record.signed is not None or record.last_resort is not None else NO_TAGS
        return b"".join((
            pack_B(len(one_time)),
            *one_time_parts,
            pack_B(len(kem)),
            *kem_parts,
            section,
        ))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.PREKEYS_UPLOAD_1, record) from None


def encode_prekeys_stored_1(record: PrekeysStored) -> bytes:
    """Write PREKEYS_STORED at revision 1."""
    try:
        ec_left = record.ec_left
        kem_left = record.kem_left
        ec_highest = record.ec_highest
        kem_highest = record.kem_highest
        signed_id = record.signed_id
        last_resort_id = record.last_resort_id
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_HHIIII(ec_left, kem_left, ec_highest, kem_highest, signed_id, last_resort_id) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.PREKEYS_STORED_1, record) from None


def encode_prekeys_count_1(record: PrekeysCount) -> bytes:
    """Write PREKEYS_COUNT at revision 1."""
    try:
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.PREKEYS_COUNT_1, record) from None


def encode_prekeys_claim_1(record: PrekeysClaim) -> bytes:
    """Write PREKEYS_CLAIM at revision 1."""
    try:
        user = record.user
        if len(user) != 16 or user == ZERO_16:
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_16s(user) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.PREKEYS_CLAIM_1, record) from None


def encode_bundles_1(record: Bundles) -> bytes:
    """Write BUNDLES at revision 1."""
    try:
        user = record.user
        list_seq = record.list_seq
        bundles = record.bundles
        if (
            len(user) != 16
            or user == ZERO_16
            or len(bundles) > 8
            or len(bundles) > 1 and not rising([item.device for item in bundles])
        ):
            raise ValueError
        bundles_parts: list[bytes] = []
        for bundles_item in bundles:
            bundles_item_suite = bundles_item.suite
            bundles_item_device = bundles_item.device
            bundles_item_registration_id = bundles_item.registration_id
            bundles_item_signed_prekey = bundles_item.signed_prekey
            bundles_item_signed_prekey_id = bundles_item_signed_prekey.id
            bundles_item_signed_prekey_key = bundles_item_signed_prekey.key
            bundles_item_signed_prekey_created = bundles_item_signed_prekey.created
            bundles_item_signed_prekey_expires = bundles_item_signed_prekey.expires
            bundles_item_signed_prekey_signature = bundles_item_signed_prekey.signature
            bundles_item_one_time = bundles_item.one_time
            if (
                not bundles_item_suite
                or not 1 <= bundles_item_device <= 127
                or not bundles_item_registration_id
                or not bundles_item_signed_prekey_id
                or len(bundles_item_signed_prekey_key) != 32
                or len(bundles_item_signed_prekey_signature) != 64
                or len(bundles_item_one_time) > 1
            ):
                raise ValueError
            bundles_item_one_time_parts: list[bytes] = []
            for bundles_item_one_time_item in bundles_item_one_time:
                bundles_item_one_time_item_id = bundles_item_one_time_item.id
                bundles_item_one_time_item_key = bundles_item_one_time_item.key
                if not bundles_item_one_time_item_id or len(bundles_item_one_time_item_key) != 32:
                    raise ValueError
                bundles_item_one_time_parts.append(pack_I32s(bundles_item_one_time_item_id, bundles_item_one_time_item_key))
            bundles_item_kem = bundles_item.kem
            bundles_item_kem_id = bundles_item_kem.id
            bundles_item_kem_last_resort = bundles_item_kem.last_resort
            bundles_item_kem_key = bundles_item_kem.key
            bundles_item_kem_signature = bundles_item_kem.signature
            if (
                not bundles_item_kem_id
                or bundles_item_kem_last_resort is not True and bundles_item_kem_last_resort is not False
                or len(bundles_item_kem_key) != 1568
                or len(bundles_item_kem_signature) != 64
            ):
                raise ValueError
            bundles_parts += (
                pack_HBII32sQQ64sB(bundles_item_suite, bundles_item_device, bundles_item_registration_id, bundles_item_signed_prekey_id, bundles_item_signed_prekey_key, bundles_item_signed_prekey_created, bundles_item_signed_prekey_expires, bundles_item_signed_prekey_signature, len(bundles_item_one_time)),
                *bundles_item_one_time_parts,
                pack_Ib1568s64s(bundles_item_kem_id, bundles_item_kem_last_resort, bundles_item_kem_key, bundles_item_kem_signature),
            )
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return b"".join((pack_16sQB(user, list_seq, len(bundles)), *bundles_parts, section))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.BUNDLES_1, record) from None


def encode_prekeys_low_1(record: PrekeysLow) -> bytes:
    """Write PREKEYS_LOW at revision 1."""
    try:
        ec_left = record.ec_left
        kem_left = record.kem_left
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_HH(ec_left, kem_left) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.PREKEYS_LOW_1, record) from None


def encode_device_list_publish_1(record: DeviceListPublish) -> bytes:
    """Write DEVICE_LIST_PUBLISH at revision 1."""
    try:
        list_ = record.list
        list__blob = list_.blob
        list__signature = list_.signature
        if not 1 <= len(list__blob) <= 2048 or len(list__signature) != 64:
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return b"".join((pack_H(len(list__blob)), list__blob, pack_64s(list__signature), section))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.DEVICE_LIST_PUBLISH_1, record) from None


def encode_device_list_published_1(record: DeviceListPublished) -> bytes:
    """Write DEVICE_LIST_PUBLISHED at revision 1."""
    try:
        list_seq = record.list_seq
        if not list_seq:
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_Q(list_seq) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.DEVICE_LIST_PUBLISHED_1, record) from None


def encode_device_list_get_1(record: DeviceListGet) -> bytes:
    """Write DEVICE_LIST_GET at revision 1."""
    try:
        user = record.user
        above = record.above
        if len(user) != 16 or user == ZERO_16:
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_16sQ(user, above) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.DEVICE_LIST_GET_1, record) from None


def encode_device_lists_1(record: DeviceLists) -> bytes:
    """Write DEVICE_LISTS at revision 1."""
    try:
        user = record.user
        account_key = record.account_key
        lists = record.lists
        if len(user) != 16 or user == ZERO_16 or len(account_key) != 32 or len(lists) > 16:
            raise ValueError
        lists_parts: list[bytes] = []
        for lists_item in lists:
            lists_item_blob = lists_item.blob
            lists_item_signature = lists_item.signature
            if not 1 <= len(lists_item_blob) <= 2048 or len(lists_item_signature) != 64:
                raise ValueError
            lists_parts += (
                pack_H(len(lists_item_blob)),
                lists_item_blob,
                pack_64s(lists_item_signature),
            )
        more = record.more
        if more is not True and more is not False:
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return b"".join((
            pack_16s32sB(user, account_key, len(lists)),
            *lists_parts,
            pack_b(more),
            section,
        ))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.DEVICE_LISTS_1, record) from None


def encode_send_1(record: Send) -> bytes:
    """Write SEND at revision 1."""
    try:
        chat = record.chat
        client_msg_id = record.client_msg_id
        attempt = record.attempt
        after = record.after
        class_ = record.class_
        users = record.users
        envelopes = record.envelopes
        if (
            len(chat) != 16
            or chat == ZERO_16
            or len(client_msg_id) != 16
            or client_msg_id == ZERO_16
            or not attempt
            or len(after) != 16
            or not 1 <= len(users) <= 1024
            or len(users) > 1 and not rising(users)
            or any([len(item) != 16 or item == ZERO_16 for item in users])
            or len(envelopes) > 512
            or len(envelopes) > 1 and not rising([(item.user, item.device) for item in envelopes])
        ):
            raise ValueError
        envelopes_parts: list[bytes] = []
        for envelopes_item in envelopes:
            envelopes_item_user = envelopes_item.user
            envelopes_item_device = envelopes_item.device
            envelopes_item_registration_id = envelopes_item.registration_id
            envelopes_item_ciphertext = envelopes_item.ciphertext
            if (
                len(envelopes_item_user) != 16
                or envelopes_item_user == ZERO_16
                or not 1 <= envelopes_item_device <= 127
                or not envelopes_item_registration_id
                or not 1 <= len(envelopes_item_ciphertext) <= 16384
            ):
                raise ValueError
            envelopes_parts += (
                pack_16sBIH(envelopes_item_user, envelopes_item_device, envelopes_item_registration_id, len(envelopes_item_ciphertext)),
                envelopes_item_ciphertext,
            )
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return b"".join((
            pack_16s16sB16sBH(chat, client_msg_id, attempt, after, class_, len(users)),
            *users,
            pack_H(len(envelopes)),
            *envelopes_parts,
            section,
        ))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.SEND_1, record) from None


def encode_sequenced_1(record: Sequenced) -> bytes:
    """Write SEQUENCED at revision 1."""
    try:
        client_msg_id = record.client_msg_id
        attempt = record.attempt
        chat_seq = record.chat_seq
        sent_at = record.sent_at
        if len(client_msg_id) != 16 or client_msg_id == ZERO_16 or not attempt:
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_16sBQQ(client_msg_id, attempt, chat_seq, sent_at) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.SEQUENCED_1, record) from None


def encode_refused_1(record: Refused) -> bytes:
    """Write REFUSED at revision 1."""
    try:
        client_msg_id = record.client_msg_id
        attempt = record.attempt
        code = record.code
        outcome = record.outcome
        retry_after_ms = record.retry_after_ms
        if (
            len(client_msg_id) != 16
            or client_msg_id == ZERO_16
            or not attempt
            or not code
            or outcome not in OUTCOME
        ):
            raise ValueError
        section = write_tags_refused_1(record) if record.unknown or record.last_id is not None or record.devices is not None or record.chat_seq is not None else NO_TAGS
        return pack_16sBHBI(client_msg_id, attempt, code, outcome, retry_after_ms) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.REFUSED_1, record) from None


def encode_deliver_1(record: Deliver) -> bytes:
    """Write DELIVER at revision 1."""
    try:
        inbox_seq = record.inbox_seq
        prev = record.prev
        chat = record.chat
        chat_seq = record.chat_seq
        class_ = record.class_
        sender = record.sender
        sender_device = record.sender_device
        registration_id = record.registration_id
        client_msg_id = record.client_msg_id
        sent_at = record.sent_at
        ciphertext = record.ciphertext
        if (
            not inbox_seq
            or len(chat) != 16
            or chat == ZERO_16
            or len(sender) != 16
            or sender == ZERO_16
            or not 1 <= sender_device <= 127
            or not registration_id
            or len(client_msg_id) != 16
            or client_msg_id == ZERO_16
            or not 1 <= len(ciphertext) <= 16384
        ):
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return b"".join((
            pack_QQ16sQB16sBI16sQH(inbox_seq, prev, chat, chat_seq, class_, sender, sender_device, registration_id, client_msg_id, sent_at, len(ciphertext)),
            ciphertext,
            section,
        ))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.DELIVER_1, record) from None


def encode_ack_1(record: Ack) -> bytes:
    """Write ACK at revision 1."""
    try:
        position = record.position
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_Q(position) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.ACK_1, record) from None


def encode_missed_1(record: Missed) -> bytes:
    """Write MISSED at revision 1."""
    try:
        inbox_seq = record.inbox_seq
        prev = record.prev
        chat = record.chat
        chat_seq = record.chat_seq
        class_ = record.class_
        sender = record.sender
        sender_device = record.sender_device
        client_msg_id = record.client_msg_id
        sent_at = record.sent_at
        if (
            not inbox_seq
            or len(chat) != 16
            or chat == ZERO_16
            or len(sender) != 16
            or sender == ZERO_16
            or not 1 <= sender_device <= 127
            or len(client_msg_id) != 16
            or client_msg_id == ZERO_16
        ):
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_QQ16sQB16sB16sQ(inbox_seq, prev, chat, chat_seq, class_, sender, sender_device, client_msg_id, sent_at) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.MISSED_1, record) from None


def encode_undelivered_1(record: Undelivered) -> bytes:
    """Write UNDELIVERED at revision 1."""
    try:
        inbox_seq = record.inbox_seq
        prev = record.prev
        chat = record.chat
        client_msg_id = record.client_msg_id
        user = record.user
        device = record.device
        reason = record.reason
        if (
            not inbox_seq
            or len(chat) != 16
            or chat == ZERO_16
            or len(client_msg_id) != 16
            or client_msg_id == ZERO_16
            or len(user) != 16
            or user == ZERO_16
            or device > 127
        ):
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_QQ16s16s16sBB(inbox_seq, prev, chat, client_msg_id, user, device, reason) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.UNDELIVERED_1, record) from None


def encode_unreadable_1(record: Unreadable) -> bytes:
    """Write UNREADABLE at revision 1."""
    try:
        inbox_seq = record.inbox_seq
        prev = record.prev
        if not inbox_seq:
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_QQ(inbox_seq, prev) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.UNREADABLE_1, record) from None


def encode_gap_1(record: Gap) -> bytes:
    """Write GAP at revision 1."""
    try:
        first = record.first
        last = record.last
        reason = record.reason
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_QQB(first, last, reason) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.GAP_1, record) from None


def encode_inbox_empty_1(record: InboxEmpty) -> bytes:
    """Write INBOX_EMPTY at revision 1."""
    try:
        last = record.last
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_Q(last) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.INBOX_EMPTY_1, record) from None


def encode_receipt_1(record: Receipt) -> bytes:
    """Write RECEIPT at revision 1."""
    try:
        mark = record.mark
        mark_chat = mark.chat
        mark_user = mark.user
        mark_mark = mark.mark
        if (
            len(mark_chat) != 16
            or mark_chat == ZERO_16
            or len(mark_user) != 16
            or mark_user == ZERO_16
        ):
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return pack_16s16sQ(mark_chat, mark_user, mark_mark) + section
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.RECEIPT_1, record) from None


def encode_receipts_get_1(record: ReceiptsGet) -> bytes:
    """Write RECEIPTS_GET at revision 1."""
    try:
        chats = record.chats
        if (
            not 1 <= len(chats) <= 64
            or len(chats) > 1 and not rising(chats)
            or any([len(item) != 16 or item == ZERO_16 for item in chats])
        ):
            raise ValueError
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return b"".join((pack_B(len(chats)), *chats, section))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.RECEIPTS_GET_1, record) from None


def encode_receipts_1(record: Receipts) -> bytes:
    """Write RECEIPTS at revision 1."""
    try:
        marks = record.marks
        if (
            len(marks) > 1024
            or len(marks) > 1 and not rising([(item.chat, item.user) for item in marks])
        ):
            raise ValueError
        marks_parts: list[bytes] = []
        for marks_item in marks:
            marks_item_chat = marks_item.chat
            marks_item_user = marks_item.user
            marks_item_mark = marks_item.mark
            if (
                len(marks_item_chat) != 16
                or marks_item_chat == ZERO_16
                or len(marks_item_user) != 16
                or marks_item_user == ZERO_16
            ):
                raise ValueError
            marks_parts.append(pack_16s16sQ(marks_item_chat, marks_item_user, marks_item_mark))
        section = tag_section([], record.unknown, NO_KNOWN) if record.unknown else NO_TAGS
        return b"".join((pack_H(len(marks)), *marks_parts, section))
    except ENCODE_FAULTS:
        raise find_record_fault(shapes.RECEIPTS_1, record) from None


def write_tags_welcome_1(record: Welcome) -> bytes:
    entries: list[tuple[int, bytes]] = []
    home = record.home
    if home is not None:
        home_utf8 = home.encode()
        if b"\0" in home_utf8:
            raise ValueError
        entries.append((1, pack_B(len(home_utf8)) + home_utf8))
    return tag_section(entries, record.unknown, frozenset((1,)))


def write_tags_reject_1(record: Reject) -> bytes:
    entries: list[tuple[int, bytes]] = []
    home = record.home
    if home is not None:
        home_utf8 = home.encode()
        if b"\0" in home_utf8:
            raise ValueError
        entries.append((1, pack_B(len(home_utf8)) + home_utf8))
    return tag_section(entries, record.unknown, frozenset((1,)))


def write_tags_goaway_1(record: Goaway) -> bytes:
    entries: list[tuple[int, bytes]] = []
    home = record.home
    if home is not None:
        home_utf8 = home.encode()
        if b"\0" in home_utf8:
            raise ValueError
        entries.append((1, pack_B(len(home_utf8)) + home_utf8))
    return tag_section(entries, record.unknown, frozenset((1,)))


def write_tags_auth_1(record: Auth) -> bytes:
    entries: list[tuple[int, bytes]] = []
    session = record.session
    if session is not None:
        if len(session) != 16:
            raise ValueError
        entries.append((1, pack_16s(session)))
    return tag_section(entries, record.unknown, frozenset((1,)))


def write_tags_prekeys_upload_1(record: PrekeysUpload) -> bytes:
    entries: list[tuple[int, bytes]] = []
    signed = record.signed
    if signed is not None:
        signed_id = signed.id
        signed_key = signed.key
        signed_created = signed.created
        signed_expires = signed.expires
        signed_signature = signed.signature
        if not signed_id or len(signed_key) != 32 or len(signed_signature) != 64:
            raise ValueError
        entries.append((2, pack_I32sQQ64s(signed_id, signed_key, signed_created, signed_expires, signed_signature)))
    last_resort = record.last_resort
    if last_resort is not None:
        last_resort_id = last_resort.id
        last_resort_last_resort = last_resort.last_resort
        last_resort_key = last_resort.key
        last_resort_signature = last_resort.signature
        if (
            not last_resort_id
            or last_resort_last_resort is not True and last_resort_last_resort is not False
            or len(last_resort_key) != 1568
            or len(last_resort_signature) != 64
        ):
            raise ValueError
        entries.append((4, pack_Ib1568s64s(last_resort_id, last_resort_last_resort, last_resort_key, last_resort_signature)))
    return tag_section(entries, record.unknown, frozenset((2, 4,)))


def write_tags_refused_1(record: Refused) -> bytes:
    entries: list[tuple[int, bytes]] = []
    last_id = record.last_id
    if last_id is not None:
        if len(last_id) != 16:
            raise ValueError
        entries.append((1, pack_16s(last_id)))
    devices = record.devices
    if devices is not None:
        devices_missing = devices.missing
        if (
            len(devices_missing) > 64
            or len(devices_missing) > 1 and not rising([(item.user, item.device) for item in devices_missing])
        ):
            raise ValueError
        devices_missing_parts: list[bytes] = []
        for devices_missing_item in devices_missing:
            devices_missing_item_user = devices_missing_item.user
            devices_missing_item_device = devices_missing_item.device
            devices_missing_item_registration_id = devices_missing_item.registration_id
            if (
                len(devices_missing_item_user) != 16
                or devices_missing_item_user == ZERO_16
                or not 1 <= devices_missing_item_device <= 127
                or not devices_missing_item_registration_id
            ):
                raise ValueError
            devices_missing_parts.append(pack_16sBI(devices_missing_item_user, devices_missing_item_device, devices_missing_item_registration_id))
        devices_extra = devices.extra
        if (
            len(devices_extra) > 64
            or len(devices_extra) > 1 and not rising([(item.user, item.device) for item in devices_extra])
        ):
            raise ValueError
        devices_extra_parts: list[bytes] = []
        for devices_extra_item in devices_extra:
            devices_extra_item_user = devices_extra_item.user
            devices_extra_item_device = devices_extra_item.device
            devices_extra_item_registration_id = devices_extra_item.registration_id
            if (
                len(devices_extra_item_user) != 16
                or devices_extra_item_user == ZERO_16
                or not 1 <= devices_extra_item_device <= 127
                or not devices_extra_item_registration_id
            ):
                raise ValueError
            devices_extra_parts.append(pack_16sBI(devices_extra_item_user, devices_extra_item_device, devices_extra_item_registration_id))
        devices_stale = devices.stale
        if (
            len(devices_stale) > 64
            or len(devices_stale) > 1 and not rising([(item.user, item.device) for item in devices_stale])
        ):
            raise ValueError
        devices_stale_parts: list[bytes] = []
        for devices_stale_item in devices_stale:
            devices_stale_item_user = devices_stale_item.user
            devices_stale_item_device = devices_stale_item.device
            devices_stale_item_registration_id = devices_stale_item.registration_id
            if (
                len(devices_stale_item_user) != 16
                or devices_stale_item_user == ZERO_16
                or not 1 <= devices_stale_item_device <= 127
                or not devices_stale_item_registration_id
            ):
                raise ValueError
            devices_stale_parts.append(pack_16sBI(devices_stale_item_user, devices_stale_item_device, devices_stale_item_registration_id))
        devices_more = devices.more
        if devices_more is not True and devices_more is not False:
            raise ValueError
        entries.append((3, b"".join((
            pack_B(len(devices_missing)),
            *devices_missing_parts,
            pack_B(len(devices_extra)),
            *devices_extra_parts,
            pack_B(len(devices_stale)),
            *devices_stale_parts,
            pack_b(devices_more),
        ))))
    chat_seq = record.chat_seq
    if chat_seq is not None:
        entries.append((5, pack_Q(chat_seq)))
    return tag_section(entries, record.unknown, frozenset((1, 3, 5,)))
