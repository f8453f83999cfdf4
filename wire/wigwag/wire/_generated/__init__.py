"""The codec of the protocol: records, tables, errors, limits, states, features.

Made from the specification by `wigwag spec generate`. Do not edit.
"""

from __future__ import annotations

from wigwag.wire._generated.errors import (
    ERRORS as ERRORS,
    ErrorCode as ErrorCode,
)
from wigwag.wire._generated.limits import (
    LIMITS as LIMITS,
)
from wigwag.wire._generated.features import (
    ALPN as ALPN,
    DRAFT as DRAFT,
    FEATURES as FEATURES,
    GREASE_LOW_BITS as GREASE_LOW_BITS,
    GREASE_MASK as GREASE_MASK,
    HEADER_BYTES as HEADER_BYTES,
    NEWEST_REVISION as NEWEST_REVISION,
    RELEASES as RELEASES,
    REVISIONS as REVISIONS,
    VENDOR_IDS_FROM as VENDOR_IDS_FROM,
    Feature as Feature,
)
from wigwag.wire._generated.states import (
    LEGAL as LEGAL,
    STATES as STATES,
    TIMEOUTS as TIMEOUTS,
    TRANSITIONS as TRANSITIONS,
)
from wigwag.wire._generated.table import (
    INFO_BY_RECORD as INFO_BY_RECORD,
    MESSAGES as MESSAGES,
    STRUCTS as STRUCTS,
    MessageType as MessageType,
)
from wigwag.wire._generated.records import (
    Message as Message,
    AccountDeleted as AccountDeleted,
    Ack as Ack,
    Auth as Auth,
    AuthOk as AuthOk,
    Bundle as Bundle,
    Bundles as Bundles,
    ConnectionLimits as ConnectionLimits,
    DeleteAccount as DeleteAccount,
    Deliver as Deliver,
    DeviceList as DeviceList,
    DeviceListGet as DeviceListGet,
    DeviceListPublish as DeviceListPublish,
    DeviceListPublished as DeviceListPublished,
    DeviceLists as DeviceLists,
    DeviceRef as DeviceRef,
    DevicesStale as DevicesStale,
    EcPrekey as EcPrekey,
    Envelope as Envelope,
    Error as Error,
    Gap as Gap,
    GapReason as GapReason,
    Goaway as Goaway,
    Hello as Hello,
    InboxEmpty as InboxEmpty,
    KemPrekey as KemPrekey,
    ListedDevice as ListedDevice,
    Mark as Mark,
    MessageClass as MessageClass,
    Missed as Missed,
    Outcome as Outcome,
    Ping as Ping,
    Pong as Pong,
    PrekeysClaim as PrekeysClaim,
    PrekeysCount as PrekeysCount,
    PrekeysLow as PrekeysLow,
    PrekeysStored as PrekeysStored,
    PrekeysUpload as PrekeysUpload,
    ProofKind as ProofKind,
    ReRegister as ReRegister,
    Receipt as Receipt,
    Receipts as Receipts,
    ReceiptsGet as ReceiptsGet,
    Refused as Refused,
    Register as Register,
    Reject as Reject,
    Send as Send,
    Sequenced as Sequenced,
    SignedList as SignedList,
    SignedPrekey as SignedPrekey,
    Undelivered as Undelivered,
    UndeliveredReason as UndeliveredReason,
    Unreadable as Unreadable,
    UsernameClaim as UsernameClaim,
    UsernameOf as UsernameOf,
    UsernameResolve as UsernameResolve,
    UsernameResolved as UsernameResolved,
    Welcome as Welcome,
)
