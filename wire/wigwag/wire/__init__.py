"""Bytes ↔ messages: records, codec, tables, and the connection, without any I/O.

One connection, either side; the caller owns the transport and the clock:

    connection = Connection(Role.CLIENT, ConnectionConfig(), now=clock())
    connection.send_hello(client_nonce)
    transport.write(connection.data_to_send())
    connection.receive_data(transport.read(), clock())
    event = connection.next_event()    # Received(message=Welcome(...), ...)

The codec alone, with everything that the specification says as tables:

    body = encode_message(Ping(7), DRAFT)
    ping = decode_message(MessageType.PING, DRAFT, body)
    limit = MESSAGES[MessageType.SEND].layout(DRAFT).body_bytes_max
    blob = encode_struct(device_list)
    same = decode_struct(DeviceList, blob)
"""

from wigwag.wire._codec import NoLayout as NoLayout
from wigwag.wire._codec import decode_message as decode_message
from wigwag.wire._codec import decode_struct as decode_struct
from wigwag.wire._codec import decoders as decoders
from wigwag.wire._codec import encode_message as encode_message
from wigwag.wire._codec import encode_struct as encode_struct
from wigwag.wire._codec import encoders as encoders
from wigwag.wire._codec import error_class as error_class
from wigwag.wire._codec_errors import CodecError as CodecError
from wigwag.wire._codec_errors import DecodeError as DecodeError
from wigwag.wire._codec_errors import EncodeError as EncodeError
from wigwag.wire._codec_errors import Malformed as Malformed
from wigwag.wire._codec_errors import NotExpressible as NotExpressible
from wigwag.wire._codec_errors import RequestRefused as RequestRefused
from wigwag.wire._config import ConnectionConfig as ConnectionConfig
from wigwag.wire._config import Explain as Explain
from wigwag.wire._connection import Connection as Connection
from wigwag.wire._core import make_error as make_error
from wigwag.wire._errors import LocalProtocolError as LocalProtocolError
from wigwag.wire._errors import ProtocolError as ProtocolError
from wigwag.wire._errors import RemoteProtocolError as RemoteProtocolError
from wigwag.wire._errors import WireError as WireError
from wigwag.wire._events import NEED_DATA as NEED_DATA
from wigwag.wire._events import ConnectionClosed as ConnectionClosed
from wigwag.wire._events import Event as Event
from wigwag.wire._events import NeedData as NeedData
from wigwag.wire._events import PeerError as PeerError
from wigwag.wire._events import PeerGoingAway as PeerGoingAway
from wigwag.wire._events import Received as Received
from wigwag.wire._events import RefusalSent as RefusalSent
from wigwag.wire._explain import Explainer as Explainer
from wigwag.wire._frames import encode_frame as encode_frame
from wigwag.wire._generated import ALPN as ALPN
from wigwag.wire._generated import DRAFT as DRAFT
from wigwag.wire._generated import ERRORS as ERRORS
from wigwag.wire._generated import FEATURES as FEATURES
from wigwag.wire._generated import GREASE_LOW_BITS as GREASE_LOW_BITS
from wigwag.wire._generated import GREASE_MASK as GREASE_MASK
from wigwag.wire._generated import HEADER_BYTES as HEADER_BYTES
from wigwag.wire._generated import INFO_BY_RECORD as INFO_BY_RECORD
from wigwag.wire._generated import LEGAL as LEGAL
from wigwag.wire._generated import LIMITS as LIMITS
from wigwag.wire._generated import MESSAGES as MESSAGES
from wigwag.wire._generated import NEWEST_REVISION as NEWEST_REVISION
from wigwag.wire._generated import RELEASES as RELEASES
from wigwag.wire._generated import REVISIONS as REVISIONS
from wigwag.wire._generated import STATES as STATES
from wigwag.wire._generated import STRUCTS as STRUCTS
from wigwag.wire._generated import TIMEOUTS as TIMEOUTS
from wigwag.wire._generated import TRANSITIONS as TRANSITIONS
from wigwag.wire._generated import VENDOR_IDS_FROM as VENDOR_IDS_FROM
from wigwag.wire._generated import AccountDeleted as AccountDeleted
from wigwag.wire._generated import Ack as Ack
from wigwag.wire._generated import Auth as Auth
from wigwag.wire._generated import AuthOk as AuthOk
from wigwag.wire._generated import Bundle as Bundle
from wigwag.wire._generated import Bundles as Bundles
from wigwag.wire._generated import ConnectionLimits as ConnectionLimits
from wigwag.wire._generated import DeleteAccount as DeleteAccount
from wigwag.wire._generated import Deliver as Deliver
from wigwag.wire._generated import DeviceList as DeviceList
from wigwag.wire._generated import DeviceListGet as DeviceListGet
from wigwag.wire._generated import DeviceListPublish as DeviceListPublish
from wigwag.wire._generated import DeviceListPublished as DeviceListPublished
from wigwag.wire._generated import DeviceLists as DeviceLists
from wigwag.wire._generated import DeviceRef as DeviceRef
from wigwag.wire._generated import DevicesStale as DevicesStale
from wigwag.wire._generated import EcPrekey as EcPrekey
from wigwag.wire._generated import Envelope as Envelope
from wigwag.wire._generated import Error as Error
from wigwag.wire._generated import ErrorCode as ErrorCode
from wigwag.wire._generated import Feature as Feature
from wigwag.wire._generated import Gap as Gap
from wigwag.wire._generated import GapReason as GapReason
from wigwag.wire._generated import Goaway as Goaway
from wigwag.wire._generated import Hello as Hello
from wigwag.wire._generated import InboxEmpty as InboxEmpty
from wigwag.wire._generated import KemPrekey as KemPrekey
from wigwag.wire._generated import ListedDevice as ListedDevice
from wigwag.wire._generated import Mark as Mark
from wigwag.wire._generated import Message as Message
from wigwag.wire._generated import MessageClass as MessageClass
from wigwag.wire._generated import MessageType as MessageType
from wigwag.wire._generated import Missed as Missed
from wigwag.wire._generated import Outcome as Outcome
from wigwag.wire._generated import Ping as Ping
from wigwag.wire._generated import Pong as Pong
from wigwag.wire._generated import PrekeysClaim as PrekeysClaim
from wigwag.wire._generated import PrekeysCount as PrekeysCount
from wigwag.wire._generated import PrekeysLow as PrekeysLow
from wigwag.wire._generated import PrekeysStored as PrekeysStored
from wigwag.wire._generated import PrekeysUpload as PrekeysUpload
from wigwag.wire._generated import ProofKind as ProofKind
from wigwag.wire._generated import Receipt as Receipt
from wigwag.wire._generated import Receipts as Receipts
from wigwag.wire._generated import ReceiptsGet as ReceiptsGet
from wigwag.wire._generated import Refused as Refused
from wigwag.wire._generated import Register as Register
from wigwag.wire._generated import Reject as Reject
from wigwag.wire._generated import ReRegister as ReRegister
from wigwag.wire._generated import Send as Send
from wigwag.wire._generated import Sequenced as Sequenced
from wigwag.wire._generated import SignedList as SignedList
from wigwag.wire._generated import SignedPrekey as SignedPrekey
from wigwag.wire._generated import Undelivered as Undelivered
from wigwag.wire._generated import UndeliveredReason as UndeliveredReason
from wigwag.wire._generated import Unreadable as Unreadable
from wigwag.wire._generated import UsernameClaim as UsernameClaim
from wigwag.wire._generated import UsernameOf as UsernameOf
from wigwag.wire._generated import UsernameResolve as UsernameResolve
from wigwag.wire._generated import UsernameResolved as UsernameResolved
from wigwag.wire._generated import Welcome as Welcome
from wigwag.wire._generated import content_1 as content1
from wigwag.wire._generated import suite_1 as suite1
from wigwag.wire._grease import Grease as Grease
from wigwag.wire._grease import is_grease as is_grease
from wigwag.wire._header import MORE as MORE
from wigwag.wire._header import PADDED as PADDED
from wigwag.wire._header import RESPONSE as RESPONSE
from wigwag.wire._header import extension as extension
from wigwag.wire._header import frame as frame
from wigwag.wire._header import padding as padding
from wigwag.wire._message_info import ErrorInfo as ErrorInfo
from wigwag.wire._message_info import FeatureInfo as FeatureInfo
from wigwag.wire._message_info import Layout as Layout
from wigwag.wire._message_info import LimitInfo as LimitInfo
from wigwag.wire._message_info import MessageInfo as MessageInfo
from wigwag.wire._message_info import StateInfo as StateInfo
from wigwag.wire._message_info import TimeoutInfo as TimeoutInfo
from wigwag.wire._receive_buffer import READ_BYTES_MAX as READ_BYTES_MAX
from wigwag.wire._states import Role as Role
from wigwag.wire._states import State as State

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
    "MORE",
    "NEED_DATA",
    "NEWEST_REVISION",
    "PADDED",
    "READ_BYTES_MAX",
    "RELEASES",
    "RESPONSE",
    "REVISIONS",
    "STATES",
    "STRUCTS",
    "TIMEOUTS",
    "TRANSITIONS",
    "VENDOR_IDS_FROM",
    "AccountDeleted",
    "Ack",
    "Auth",
    "AuthOk",
    "Bundle",
    "Bundles",
    "CodecError",
    "Connection",
    "ConnectionClosed",
    "ConnectionConfig",
    "ConnectionLimits",
    "DecodeError",
    "DeleteAccount",
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
    "Event",
    "Explain",
    "Explainer",
    "Feature",
    "FeatureInfo",
    "Gap",
    "GapReason",
    "Goaway",
    "Grease",
    "Hello",
    "InboxEmpty",
    "KemPrekey",
    "Layout",
    "LimitInfo",
    "ListedDevice",
    "LocalProtocolError",
    "Malformed",
    "Mark",
    "Message",
    "MessageClass",
    "MessageInfo",
    "MessageType",
    "Missed",
    "NeedData",
    "NoLayout",
    "NotExpressible",
    "Outcome",
    "PeerError",
    "PeerGoingAway",
    "Ping",
    "Pong",
    "PrekeysClaim",
    "PrekeysCount",
    "PrekeysLow",
    "PrekeysStored",
    "PrekeysUpload",
    "ProofKind",
    "ProtocolError",
    "ReRegister",
    "Receipt",
    "Receipts",
    "ReceiptsGet",
    "Received",
    "RefusalSent",
    "Refused",
    "Register",
    "Reject",
    "RemoteProtocolError",
    "RequestRefused",
    "Role",
    "Send",
    "Sequenced",
    "SignedList",
    "SignedPrekey",
    "State",
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
    "WireError",
    "content1",
    "decode_message",
    "decode_struct",
    "decoders",
    "encode_frame",
    "encode_message",
    "encode_struct",
    "encoders",
    "error_class",
    "extension",
    "frame",
    "is_grease",
    "make_error",
    "padding",
    "suite1",
]
