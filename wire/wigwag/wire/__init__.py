"""Bytes ↔ messages: records, codec, tables, and the connection, without any I/O.

Everything here is generated from or checked against the specification:

    body = encode_message(Ping(7), DRAFT)
    ping = decode_message(MessageType.PING, DRAFT, body)
    limit = MESSAGES[MessageType.SEND].layout(DRAFT).body_bytes_max
    blob = encode_struct(device_list)
    same = decode_struct(DeviceList, blob)
"""

from wigwag.wire._codec import (
    NoLayout as NoLayout,
)
from wigwag.wire._codec import (
    decode_message as decode_message,
)
from wigwag.wire._codec import (
    decode_struct as decode_struct,
)
from wigwag.wire._codec import (
    decoders as decoders,
)
from wigwag.wire._codec import (
    encode_message as encode_message,
)
from wigwag.wire._codec import (
    encode_struct as encode_struct,
)
from wigwag.wire._codec import (
    encoders as encoders,
)
from wigwag.wire._codec import (
    error_class as error_class,
)
from wigwag.wire._codec_errors import (
    CodecError as CodecError,
)
from wigwag.wire._codec_errors import (
    DecodeError as DecodeError,
)
from wigwag.wire._codec_errors import (
    EncodeError as EncodeError,
)
from wigwag.wire._codec_errors import (
    Malformed as Malformed,
)
from wigwag.wire._codec_errors import (
    NotExpressible as NotExpressible,
)
from wigwag.wire._codec_errors import (
    RequestRefused as RequestRefused,
)
from wigwag.wire._generated import (
    ALPN as ALPN,
)
from wigwag.wire._generated import (
    DRAFT as DRAFT,
)
from wigwag.wire._generated import (
    ERRORS as ERRORS,
)
from wigwag.wire._generated import (
    FEATURES as FEATURES,
)
from wigwag.wire._generated import (
    GREASE_LOW_BITS as GREASE_LOW_BITS,
)
from wigwag.wire._generated import (
    GREASE_MASK as GREASE_MASK,
)
from wigwag.wire._generated import (
    HEADER_BYTES as HEADER_BYTES,
)
from wigwag.wire._generated import (
    INFO_BY_RECORD as INFO_BY_RECORD,
)
from wigwag.wire._generated import (
    LEGAL as LEGAL,
)
from wigwag.wire._generated import (
    LIMITS as LIMITS,
)
from wigwag.wire._generated import (
    MESSAGES as MESSAGES,
)
from wigwag.wire._generated import (
    NEWEST_REVISION as NEWEST_REVISION,
)
from wigwag.wire._generated import (
    RELEASES as RELEASES,
)
from wigwag.wire._generated import (
    REVISIONS as REVISIONS,
)
from wigwag.wire._generated import (
    STATES as STATES,
)
from wigwag.wire._generated import (
    STRUCTS as STRUCTS,
)
from wigwag.wire._generated import (
    TIMEOUTS as TIMEOUTS,
)
from wigwag.wire._generated import (
    TRANSITIONS as TRANSITIONS,
)
from wigwag.wire._generated import (
    VENDOR_IDS_FROM as VENDOR_IDS_FROM,
)
from wigwag.wire._generated import (
    Ack as Ack,
)
from wigwag.wire._generated import (
    Auth as Auth,
)
from wigwag.wire._generated import (
    AuthOk as AuthOk,
)
from wigwag.wire._generated import (
    Bundle as Bundle,
)
from wigwag.wire._generated import (
    Bundles as Bundles,
)
from wigwag.wire._generated import (
    ConnectionLimits as ConnectionLimits,
)
from wigwag.wire._generated import (
    Deliver as Deliver,
)
from wigwag.wire._generated import (
    DeviceList as DeviceList,
)
from wigwag.wire._generated import (
    DeviceListGet as DeviceListGet,
)
from wigwag.wire._generated import (
    DeviceListPublish as DeviceListPublish,
)
from wigwag.wire._generated import (
    DeviceListPublished as DeviceListPublished,
)
from wigwag.wire._generated import (
    DeviceLists as DeviceLists,
)
from wigwag.wire._generated import (
    DeviceRef as DeviceRef,
)
from wigwag.wire._generated import (
    DevicesStale as DevicesStale,
)
from wigwag.wire._generated import (
    EcPrekey as EcPrekey,
)
from wigwag.wire._generated import (
    Envelope as Envelope,
)
from wigwag.wire._generated import (
    Error as Error,
)
from wigwag.wire._generated import (
    ErrorCode as ErrorCode,
)
from wigwag.wire._generated import (
    Feature as Feature,
)
from wigwag.wire._generated import (
    Gap as Gap,
)
from wigwag.wire._generated import (
    GapReason as GapReason,
)
from wigwag.wire._generated import (
    Goaway as Goaway,
)
from wigwag.wire._generated import (
    Hello as Hello,
)
from wigwag.wire._generated import (
    InboxEmpty as InboxEmpty,
)
from wigwag.wire._generated import (
    KemPrekey as KemPrekey,
)
from wigwag.wire._generated import (
    ListedDevice as ListedDevice,
)
from wigwag.wire._generated import (
    Mark as Mark,
)
from wigwag.wire._generated import (
    Message as Message,
)
from wigwag.wire._generated import (
    MessageClass as MessageClass,
)
from wigwag.wire._generated import (
    MessageType as MessageType,
)
from wigwag.wire._generated import (
    Missed as Missed,
)
from wigwag.wire._generated import (
    Outcome as Outcome,
)
from wigwag.wire._generated import (
    Ping as Ping,
)
from wigwag.wire._generated import (
    Pong as Pong,
)
from wigwag.wire._generated import (
    PrekeysClaim as PrekeysClaim,
)
from wigwag.wire._generated import (
    PrekeysCount as PrekeysCount,
)
from wigwag.wire._generated import (
    PrekeysLow as PrekeysLow,
)
from wigwag.wire._generated import (
    PrekeysStored as PrekeysStored,
)
from wigwag.wire._generated import (
    PrekeysUpload as PrekeysUpload,
)
from wigwag.wire._generated import (
    ProofKind as ProofKind,
)
from wigwag.wire._generated import (
    Receipt as Receipt,
)
from wigwag.wire._generated import (
    Receipts as Receipts,
)
from wigwag.wire._generated import (
    ReceiptsGet as ReceiptsGet,
)
from wigwag.wire._generated import (
    Refused as Refused,
)
from wigwag.wire._generated import (
    Register as Register,
)
from wigwag.wire._generated import (
    Reject as Reject,
)
from wigwag.wire._generated import (
    ReRegister as ReRegister,
)
from wigwag.wire._generated import (
    Send as Send,
)
from wigwag.wire._generated import (
    Sequenced as Sequenced,
)
from wigwag.wire._generated import (
    SignedList as SignedList,
)
from wigwag.wire._generated import (
    SignedPrekey as SignedPrekey,
)
from wigwag.wire._generated import (
    Undelivered as Undelivered,
)
from wigwag.wire._generated import (
    UndeliveredReason as UndeliveredReason,
)
from wigwag.wire._generated import (
    Unreadable as Unreadable,
)
from wigwag.wire._generated import (
    UsernameClaim as UsernameClaim,
)
from wigwag.wire._generated import (
    UsernameOf as UsernameOf,
)
from wigwag.wire._generated import (
    UsernameResolve as UsernameResolve,
)
from wigwag.wire._generated import (
    UsernameResolved as UsernameResolved,
)
from wigwag.wire._generated import (
    Welcome as Welcome,
)
from wigwag.wire._generated import content_1 as content1
from wigwag.wire._generated import suite_1 as suite1
from wigwag.wire._message_info import (
    ErrorInfo as ErrorInfo,
)
from wigwag.wire._message_info import (
    FeatureInfo as FeatureInfo,
)
from wigwag.wire._message_info import (
    Layout as Layout,
)
from wigwag.wire._message_info import (
    LimitInfo as LimitInfo,
)
from wigwag.wire._message_info import (
    MessageInfo as MessageInfo,
)
from wigwag.wire._message_info import (
    StateInfo as StateInfo,
)
from wigwag.wire._message_info import (
    TimeoutInfo as TimeoutInfo,
)

__all__ = [
    "ALPN",
    "DRAFT",
    "ERRORS",
    "FEATURES",
    "GREASE_LOW_BITS",
    "GREASE_MASK",
    "HEADER_BYTES",
    "INFO_BY_RECORD",
    "LEGAL",
    "LIMITS",
    "MESSAGES",
    "NEWEST_REVISION",
    "RELEASES",
    "REVISIONS",
    "STATES",
    "STRUCTS",
    "TIMEOUTS",
    "TRANSITIONS",
    "VENDOR_IDS_FROM",
    "Ack",
    "Auth",
    "AuthOk",
    "Bundle",
    "Bundles",
    "CodecError",
    "ConnectionLimits",
    "DecodeError",
    "Deliver",
    "DeviceList",
    "DeviceListGet",
    "DeviceListPublish",
    "DeviceListPublished",
    "DeviceLists",
    "DeviceRef",
    "DevicesStale",
    "EcPrekey",
    "EncodeError",
    "Envelope",
    "Error",
    "ErrorCode",
    "ErrorInfo",
    "Feature",
    "FeatureInfo",
    "Gap",
    "GapReason",
    "Goaway",
    "Hello",
    "InboxEmpty",
    "KemPrekey",
    "Layout",
    "LimitInfo",
    "ListedDevice",
    "Malformed",
    "Mark",
    "Message",
    "MessageClass",
    "MessageInfo",
    "MessageType",
    "Missed",
    "NoLayout",
    "NotExpressible",
    "Outcome",
    "Ping",
    "Pong",
    "PrekeysClaim",
    "PrekeysCount",
    "PrekeysLow",
    "PrekeysStored",
    "PrekeysUpload",
    "ProofKind",
    "ReRegister",
    "Receipt",
    "Receipts",
    "ReceiptsGet",
    "Refused",
    "Register",
    "Reject",
    "RequestRefused",
    "Send",
    "Sequenced",
    "SignedList",
    "SignedPrekey",
    "StateInfo",
    "TimeoutInfo",
    "Undelivered",
    "UndeliveredReason",
    "Unreadable",
    "UsernameClaim",
    "UsernameOf",
    "UsernameResolve",
    "UsernameResolved",
    "Welcome",
    "content1",
    "decode_message",
    "decode_struct",
    "decoders",
    "encode_message",
    "encode_struct",
    "encoders",
    "error_class",
    "suite1",
]
