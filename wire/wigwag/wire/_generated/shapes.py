"""Layouts as data, read only to name a fault.

Made from the specification by `wigwag spec generate`. Do not edit.
"""

from __future__ import annotations

from wigwag.wire._shapes import (Blob, Choice, Flag, Items, Nested, Raw, Record, Tag, Whole)

SIGNED_PREKEY_1 = Record(
    "SignedPrekey",
    (
        Whole("id", 4, 0, 4294967295, nonzero=True),
        Raw("key", 32, False),
        Whole("created", 8, 0, 18446744073709551615),
        Whole("expires", 8, 0, 18446744073709551615),
        Raw("signature", 64, False),
    ),
    None,
)

EC_PREKEY_1 = Record(
    "EcPrekey",
    (
        Whole("id", 4, 0, 4294967295, nonzero=True),
        Raw("key", 32, False),
    ),
    None,
)

KEM_PREKEY_1 = Record(
    "KemPrekey",
    (
        Whole("id", 4, 0, 4294967295, nonzero=True),
        Flag("last_resort"),
        Raw("key", 1568, False),
        Raw("signature", 64, False),
    ),
    None,
)

BUNDLE_1 = Record(
    "Bundle",
    (
        Whole("suite", 2, 0, 65535, nonzero=True),
        Whole("device", 1, 1, 127),
        Whole("registration_id", 4, 0, 4294967295, nonzero=True),
        Nested("signed_prekey", SIGNED_PREKEY_1),
        Items("one_time", 1, 0, 1, Nested(".", EC_PREKEY_1), ()),
        Nested("kem", KEM_PREKEY_1),
    ),
    None,
)

CONNECTION_LIMITS_1 = Record(
    "ConnectionLimits",
    (
        Whole("frame_bytes_max", 4, 4096, 4294967295),
        Whole("in_flight_max", 2, 1, 65535),
        Whole("in_flight_bytes_max", 4, 4096, 4294967295),
        Whole("window_entries", 2, 1, 65535),
        Whole("window_bytes", 4, 4096, 4294967295),
        Whole("auth_seconds", 2, 1, 65535),
        Whole("idle_seconds", 2, 1, 65535),
        Whole("pong_seconds", 2, 1, 65535),
        Whole("frame_seconds", 2, 1, 65535),
        Whole("stall_seconds", 2, 1, 65535),
    ),
    None,
)

LISTED_DEVICE_1 = Record(
    "ListedDevice",
    (
        Whole("device", 1, 1, 127),
        Raw("signing_key", 32, False),
        Raw("agreement_key", 32, False),
        Items("suites", 1, 1, 8, Whole(".", 2, 0, 65535), ('.',)),
        Raw("membership", 64, False),
    ),
    None,
)

DEVICE_LIST_1 = Record(
    "DeviceList",
    (
        Raw("user", 16, True),
        Whole("seq", 8, 1, 18446744073709551615),
        Raw("prev_hash", 32, False),
        Whole("time", 8, 0, 18446744073709551615),
        Items("devices", 1, 0, 8, Nested(".", LISTED_DEVICE_1), ('device',)),
    ),
    (),
)

DEVICE_REF_1 = Record(
    "DeviceRef",
    (
        Raw("user", 16, True),
        Whole("device", 1, 1, 127),
        Whole("registration_id", 4, 0, 4294967295, nonzero=True),
    ),
    None,
)

DEVICES_STALE_1 = Record(
    "DevicesStale",
    (
        Items("missing", 1, 0, 64, Nested(".", DEVICE_REF_1), ('user', 'device')),
        Items("extra", 1, 0, 64, Nested(".", DEVICE_REF_1), ('user', 'device')),
        Items("stale", 1, 0, 64, Nested(".", DEVICE_REF_1), ('user', 'device')),
        Flag("more"),
    ),
    None,
)

ENVELOPE_1 = Record(
    "Envelope",
    (
        Raw("user", 16, True),
        Whole("device", 1, 1, 127),
        Whole("registration_id", 4, 0, 4294967295, nonzero=True),
        Blob("ciphertext", 2, 1, 16384, False),
    ),
    None,
)

MARK_1 = Record(
    "Mark",
    (
        Raw("chat", 16, True),
        Raw("user", 16, True),
        Whole("mark", 8, 0, 18446744073709551615),
    ),
    None,
)

SIGNED_LIST_1 = Record(
    "SignedList",
    (
        Blob("blob", 2, 1, 2048, False),
        Raw("signature", 64, False),
    ),
    None,
)

HELLO_1 = Record(
    "HELLO",
    (
        Raw("client_nonce", 32, False),
        Whole("revision_min", 2, 0, 32767),
        Whole("revision_max", 2, 0, 32767),
        Whole("draft", 2, 0, 65535),
        Items("features", 1, 0, 64, Whole(".", 2, 0, 65535), ('.',)),
        Whole("frame_bytes_max", 4, 65536, 4294967295),
        Whole("window_entries", 2, 1, 65535),
        Blob("client_name", 1, 0, 64, True),
    ),
    (),
)

WELCOME_1 = Record(
    "WELCOME",
    (
        Raw("server_nonce", 32, False),
        Whole("revision", 2, 0, 65535, nonzero=True),
        Items("features", 1, 0, 64, Whole(".", 2, 0, 65535), ('.',)),
        Nested("limits", CONNECTION_LIMITS_1),
        Whole("server_time", 8, 0, 18446744073709551615),
        Whole("finalized", 4, 0, 4294967295),
        Raw("session_id", 16, False),
    ),
    (
        Tag(1, Blob("home", 1, 0, 255, True)),
    ),
)

REJECT_1 = Record(
    "REJECT",
    (
        Whole("code", 2, 0, 65535, nonzero=True),
        Whole("revision_min", 2, 0, 32767),
        Whole("revision_max", 2, 0, 32767),
        Whole("draft", 2, 0, 65535),
        Whole("retry_after_ms", 4, 0, 4294967295),
    ),
    (
        Tag(1, Blob("home", 1, 0, 255, True)),
    ),
)

ERROR_1 = Record(
    "ERROR",
    (
        Whole("code", 2, 0, 65535, nonzero=True),
        Choice("outcome", 1, frozenset((0, 1))),
        Whole("frame_type", 2, 0, 65535),
        Whole("retry_after_ms", 4, 0, 4294967295),
    ),
    (),
)

GOAWAY_1 = Record(
    "GOAWAY",
    (
        Whole("code", 2, 0, 65535, nonzero=True),
        Whole("last_corr", 4, 0, 4294967295),
        Whole("retry_after_ms", 4, 0, 4294967295),
    ),
    (
        Tag(1, Blob("home", 1, 0, 255, True)),
    ),
)

PING_1 = Record(
    "PING",
    (
        Whole("token", 8, 0, 18446744073709551615),
    ),
    (),
)

PONG_1 = Record(
    "PONG",
    (
        Whole("token", 8, 0, 18446744073709551615),
    ),
    (),
)

AUTH_1 = Record(
    "AUTH",
    (
        Raw("signature", 64, False),
        Raw("user", 16, True),
        Whole("device", 1, 1, 127),
        Whole("registration_id", 4, 0, 4294967295, nonzero=True),
        Whole("generation", 8, 1, 18446744073709551615),
        Whole("cursor", 8, 0, 18446744073709551615),
    ),
    (
        Tag(1, Raw("session", 16, False)),
    ),
)

AUTH_OK_1 = Record(
    "AUTH_OK",
    (
        Whole("acked", 8, 0, 18446744073709551615),
        Whole("last", 8, 0, 18446744073709551615),
        Raw("last_stored_id", 16, False),
        Whole("last_stored_attempt", 1, 0, 255),
        Whole("ec_left", 2, 0, 65535),
        Whole("kem_left", 2, 0, 65535),
        Whole("list_seq", 8, 0, 18446744073709551615),
    ),
    (),
)

REGISTER_1 = Record(
    "REGISTER",
    (
        Raw("account_signature", 64, False),
        Raw("device_signature", 64, False),
        Raw("user", 16, True),
        Raw("account_key", 32, False),
        Whole("device", 1, 1, 127),
        Whole("registration_id", 4, 0, 4294967295, nonzero=True),
        Whole("generation", 8, 1, 18446744073709551615),
        Raw("signing_key", 32, False),
        Raw("agreement_key", 32, False),
        Blob("list_blob", 2, 1, 512, False),
        Raw("list_signature", 64, False),
        Nested("signed_prekey", SIGNED_PREKEY_1),
        Choice("proof_kind", 1, frozenset((1, 2, 3))),
        Blob("proof", 2, 0, 2048, False),
    ),
    (),
)

RE_REGISTER_1 = Record(
    "RE_REGISTER",
    (
        Raw("signature", 64, False),
        Raw("user", 16, True),
        Whole("device", 1, 1, 127),
        Whole("registration_id", 4, 0, 4294967295, nonzero=True),
        Whole("generation", 8, 1, 18446744073709551615),
        Nested("signed_prekey", SIGNED_PREKEY_1),
    ),
    (),
)

DELETE_ACCOUNT_1 = Record(
    "DELETE_ACCOUNT",
    (
        Raw("signature", 64, False),
        Raw("user", 16, True),
        Whole("time", 8, 0, 18446744073709551615),
    ),
    (),
)

ACCOUNT_DELETED_1 = Record(
    "ACCOUNT_DELETED",
    (
        Whole("time", 8, 0, 18446744073709551615),
    ),
    (),
)

USERNAME_CLAIM_1 = Record(
    "USERNAME_CLAIM",
    (
        Blob("name", 1, 3, 32, True),
    ),
    (),
)

USERNAME_RESOLVE_1 = Record(
    "USERNAME_RESOLVE",
    (
        Blob("name", 1, 3, 32, True),
    ),
    (),
)

USERNAME_RESOLVED_1 = Record(
    "USERNAME_RESOLVED",
    (
        Raw("user", 16, True),
        Blob("name", 1, 3, 32, True),
    ),
    (),
)

USERNAME_OF_1 = Record(
    "USERNAME_OF",
    (
        Raw("user", 16, True),
    ),
    (),
)

PREKEYS_UPLOAD_1 = Record(
    "PREKEYS_UPLOAD",
    (
        Items("one_time", 1, 0, 200, Nested(".", EC_PREKEY_1), ('id',)),
        Items("kem", 1, 0, 64, Nested(".", KEM_PREKEY_1), ('id',)),
    ),
    (
        Tag(2, Nested("signed", SIGNED_PREKEY_1)),
        Tag(4, Nested("last_resort", KEM_PREKEY_1)),
    ),
)

PREKEYS_STORED_1 = Record(
    "PREKEYS_STORED",
    (
        Whole("ec_left", 2, 0, 65535),
        Whole("kem_left", 2, 0, 65535),
        Whole("ec_highest", 4, 0, 4294967295),
        Whole("kem_highest", 4, 0, 4294967295),
        Whole("signed_id", 4, 0, 4294967295),
        Whole("last_resort_id", 4, 0, 4294967295),
    ),
    (),
)

PREKEYS_COUNT_1 = Record(
    "PREKEYS_COUNT",
    (),
    (),
)

PREKEYS_CLAIM_1 = Record(
    "PREKEYS_CLAIM",
    (
        Raw("user", 16, True),
    ),
    (),
)

BUNDLES_1 = Record(
    "BUNDLES",
    (
        Raw("user", 16, True),
        Whole("list_seq", 8, 0, 18446744073709551615),
        Items("bundles", 1, 0, 8, Nested(".", BUNDLE_1), ('device',)),
    ),
    (),
)

PREKEYS_LOW_1 = Record(
    "PREKEYS_LOW",
    (
        Whole("ec_left", 2, 0, 65535),
        Whole("kem_left", 2, 0, 65535),
    ),
    (),
)

DEVICE_LIST_PUBLISH_1 = Record(
    "DEVICE_LIST_PUBLISH",
    (
        Nested("list", SIGNED_LIST_1),
    ),
    (),
)

DEVICE_LIST_PUBLISHED_1 = Record(
    "DEVICE_LIST_PUBLISHED",
    (
        Whole("list_seq", 8, 1, 18446744073709551615),
    ),
    (),
)

DEVICE_LIST_GET_1 = Record(
    "DEVICE_LIST_GET",
    (
        Raw("user", 16, True),
        Whole("above", 8, 0, 18446744073709551615),
    ),
    (),
)

DEVICE_LISTS_1 = Record(
    "DEVICE_LISTS",
    (
        Raw("user", 16, True),
        Raw("account_key", 32, False),
        Items("lists", 1, 0, 16, Nested(".", SIGNED_LIST_1), ()),
        Flag("more"),
    ),
    (),
)

SEND_1 = Record(
    "SEND",
    (
        Raw("chat", 16, True),
        Raw("client_msg_id", 16, True),
        Whole("attempt", 1, 1, 255),
        Raw("after", 16, False),
        Whole("class_", 1, 0, 255),
        Items("users", 2, 1, 1024, Raw(".", 16, True), ('.',)),
        Items("envelopes", 2, 0, 512, Nested(".", ENVELOPE_1), ('user', 'device')),
    ),
    (),
)

SEQUENCED_1 = Record(
    "SEQUENCED",
    (
        Raw("client_msg_id", 16, True),
        Whole("attempt", 1, 1, 255),
        Whole("chat_seq", 8, 0, 18446744073709551615),
        Whole("sent_at", 8, 0, 18446744073709551615),
    ),
    (),
)

REFUSED_1 = Record(
    "REFUSED",
    (
        Raw("client_msg_id", 16, True),
        Whole("attempt", 1, 1, 255),
        Whole("code", 2, 0, 65535, nonzero=True),
        Choice("outcome", 1, frozenset((0, 1))),
        Whole("retry_after_ms", 4, 0, 4294967295),
    ),
    (
        Tag(1, Raw("last_id", 16, False)),
        Tag(3, Nested("devices", DEVICES_STALE_1)),
        Tag(5, Whole("chat_seq", 8, 0, 18446744073709551615)),
    ),
)

DELIVER_1 = Record(
    "DELIVER",
    (
        Whole("inbox_seq", 8, 1, 18446744073709551615),
        Whole("prev", 8, 0, 18446744073709551615),
        Raw("chat", 16, True),
        Whole("chat_seq", 8, 0, 18446744073709551615),
        Whole("class_", 1, 0, 255),
        Raw("sender", 16, True),
        Whole("sender_device", 1, 1, 127),
        Whole("registration_id", 4, 0, 4294967295, nonzero=True),
        Raw("client_msg_id", 16, True),
        Whole("sent_at", 8, 0, 18446744073709551615),
        Blob("ciphertext", 2, 1, 16384, False),
    ),
    (),
)

ACK_1 = Record(
    "ACK",
    (
        Whole("position", 8, 0, 18446744073709551615),
    ),
    (),
)

MISSED_1 = Record(
    "MISSED",
    (
        Whole("inbox_seq", 8, 1, 18446744073709551615),
        Whole("prev", 8, 0, 18446744073709551615),
        Raw("chat", 16, True),
        Whole("chat_seq", 8, 0, 18446744073709551615),
        Whole("class_", 1, 0, 255),
        Raw("sender", 16, True),
        Whole("sender_device", 1, 1, 127),
        Raw("client_msg_id", 16, True),
        Whole("sent_at", 8, 0, 18446744073709551615),
    ),
    (),
)

UNDELIVERED_1 = Record(
    "UNDELIVERED",
    (
        Whole("inbox_seq", 8, 1, 18446744073709551615),
        Whole("prev", 8, 0, 18446744073709551615),
        Raw("chat", 16, True),
        Raw("client_msg_id", 16, True),
        Raw("user", 16, True),
        Whole("device", 1, 0, 127),
        Whole("reason", 1, 0, 255),
    ),
    (),
)

UNREADABLE_1 = Record(
    "UNREADABLE",
    (
        Whole("inbox_seq", 8, 1, 18446744073709551615),
        Whole("prev", 8, 0, 18446744073709551615),
    ),
    (),
)

GAP_1 = Record(
    "GAP",
    (
        Whole("first", 8, 0, 18446744073709551615),
        Whole("last", 8, 0, 18446744073709551615),
        Whole("reason", 1, 0, 255),
    ),
    (),
)

INBOX_EMPTY_1 = Record(
    "INBOX_EMPTY",
    (
        Whole("last", 8, 0, 18446744073709551615),
    ),
    (),
)

RECEIPT_1 = Record(
    "RECEIPT",
    (
        Nested("mark", MARK_1),
    ),
    (),
)

RECEIPTS_GET_1 = Record(
    "RECEIPTS_GET",
    (
        Items("chats", 1, 1, 64, Raw(".", 16, True), ('.',)),
    ),
    (),
)

RECEIPTS_1 = Record(
    "RECEIPTS",
    (
        Items("marks", 2, 0, 1024, Nested(".", MARK_1), ('chat', 'user')),
    ),
    (),
)

