"""The folds: what the server decides, as pure functions of a log's prefix.

No input or output, no clock, no randomness: time comes with the record, rows come
in as values and go out as values. So a crash replays to the same rows, and the
whole server can be run from a seed.

    state = State(meta, limits)                    # rows in memory
    while keys := wanted(request, state):          # what a fold will read
        load(keys)
    outcome = fold(request, state)                 # answer, changes, events
"""

from wigwag.server.core import _rows as rows
from wigwag.server.core._answers import AccountDeleted as AccountDeleted
from wigwag.server.core._answers import AccountFound as AccountFound
from wigwag.server.core._answers import Acked as Acked
from wigwag.server.core._answers import Answer as Answer
from wigwag.server.core._answers import Bundles as Bundles
from wigwag.server.core._answers import Connected as Connected
from wigwag.server.core._answers import DeviceBundle as DeviceBundle
from wigwag.server.core._answers import DeviceFound as DeviceFound
from wigwag.server.core._answers import DeviceListPublished as DeviceListPublished
from wigwag.server.core._answers import DeviceLists as DeviceLists
from wigwag.server.core._answers import Dropped as Dropped
from wigwag.server.core._answers import EngineStatus as EngineStatus
from wigwag.server.core._answers import Entries as Entries
from wigwag.server.core._answers import Failed as Failed
from wigwag.server.core._answers import InviteCreated as InviteCreated
from wigwag.server.core._answers import Marks as Marks
from wigwag.server.core._answers import PrekeysHeld as PrekeysHeld
from wigwag.server.core._answers import Refused as Refused
from wigwag.server.core._answers import RolledBack as RolledBack
from wigwag.server.core._answers import Sequenced as Sequenced
from wigwag.server.core._answers import Ticked as Ticked
from wigwag.server.core._answers import Username as Username
from wigwag.server.core._events import Displaced as Displaced
from wigwag.server.core._events import Doomed as Doomed
from wigwag.server.core._events import EntryCorrupt as EntryCorrupt
from wigwag.server.core._events import Event as Event
from wigwag.server.core._events import GapOpened as GapOpened
from wigwag.server.core._events import PrekeysLow as PrekeysLow
from wigwag.server.core._events import ReceiptMoved as ReceiptMoved
from wigwag.server.core._events import RestoreProven as RestoreProven
from wigwag.server.core._events import Revoked as Revoked
from wigwag.server.core._fold import Outcome as Outcome
from wigwag.server.core._fold import fold as fold
from wigwag.server.core._fold import is_growth as is_growth
from wigwag.server.core._fold import refuse as refuse
from wigwag.server.core._limits import NAME_HOLD_DAYS as NAME_HOLD_DAYS
from wigwag.server.core._limits import RETENTION_DAYS as RETENTION_DAYS
from wigwag.server.core._limits import SENT_INDEX_DAYS as SENT_INDEX_DAYS
from wigwag.server.core._limits import EngineLimits as EngineLimits
from wigwag.server.core._refusals import GapReason as GapReason
from wigwag.server.core._refusals import Refusal as Refusal
from wigwag.server.core._refusals import UndeliveredReason as UndeliveredReason
from wigwag.server.core._requests import AccountDelete as AccountDelete
from wigwag.server.core._requests import AccountLookup as AccountLookup
from wigwag.server.core._requests import Ack as Ack
from wigwag.server.core._requests import Connect as Connect
from wigwag.server.core._requests import DeviceListGet as DeviceListGet
from wigwag.server.core._requests import DeviceListPublish as DeviceListPublish
from wigwag.server.core._requests import DeviceLookup as DeviceLookup
from wigwag.server.core._requests import InboxRead as InboxRead
from wigwag.server.core._requests import InviteCreate as InviteCreate
from wigwag.server.core._requests import PrekeysClaim as PrekeysClaim
from wigwag.server.core._requests import PrekeysCount as PrekeysCount
from wigwag.server.core._requests import PrekeysUpload as PrekeysUpload
from wigwag.server.core._requests import ProofUse as ProofUse
from wigwag.server.core._requests import ReceiptsGet as ReceiptsGet
from wigwag.server.core._requests import Register as Register
from wigwag.server.core._requests import Request as Request
from wigwag.server.core._requests import ReRegister as ReRegister
from wigwag.server.core._requests import Send as Send
from wigwag.server.core._requests import Status as Status
from wigwag.server.core._requests import Tick as Tick
from wigwag.server.core._requests import UsernameClaim as UsernameClaim
from wigwag.server.core._requests import UsernameOf as UsernameOf
from wigwag.server.core._requests import UsernameResolve as UsernameResolve
from wigwag.server.core._state import Changes as Changes
from wigwag.server.core._state import Meta as Meta
from wigwag.server.core._state import RowMissing as RowMissing
from wigwag.server.core._state import State as State
from wigwag.server.core._values import USER_BYTES as USER_BYTES
from wigwag.server.core._values import Device as Device
from wigwag.server.core._values import DeviceRef as DeviceRef
from wigwag.server.core._values import DevicesStale as DevicesStale
from wigwag.server.core._values import EcPrekey as EcPrekey
from wigwag.server.core._values import Envelope as Envelope
from wigwag.server.core._values import Gap as Gap
from wigwag.server.core._values import InboxEntry as InboxEntry
from wigwag.server.core._values import KemPrekey as KemPrekey
from wigwag.server.core._values import Mark as Mark
from wigwag.server.core._values import Position as Position
from wigwag.server.core._values import SignedList as SignedList
from wigwag.server.core._values import SignedPrekey as SignedPrekey
from wigwag.server.core._values import User as User
from wigwag.server.core._values import day_of as day_of
from wigwag.server.core._values import device_of as device_of
from wigwag.server.core._values import epoch_at as epoch_at
from wigwag.server.core._values import minted_ms as minted_ms
from wigwag.server.core._values import position as position
from wigwag.server.core._wanted import Wanted as Wanted
from wigwag.server.core._wanted import wanted as wanted

__all__ = [
    "NAME_HOLD_DAYS",
    "RETENTION_DAYS",
    "SENT_INDEX_DAYS",
    "USER_BYTES",
    "AccountDelete",
    "AccountDeleted",
    "AccountFound",
    "AccountLookup",
    "Ack",
    "Acked",
    "Answer",
    "Bundles",
    "Changes",
    "Connect",
    "Connected",
    "Device",
    "DeviceBundle",
    "DeviceFound",
    "DeviceListGet",
    "DeviceListPublish",
    "DeviceListPublished",
    "DeviceLists",
    "DeviceLookup",
    "DeviceRef",
    "DevicesStale",
    "Displaced",
    "Doomed",
    "Dropped",
    "EcPrekey",
    "EngineLimits",
    "EngineStatus",
    "Entries",
    "EntryCorrupt",
    "Envelope",
    "Event",
    "Failed",
    "Gap",
    "GapOpened",
    "GapReason",
    "InboxEntry",
    "InboxRead",
    "InviteCreate",
    "InviteCreated",
    "KemPrekey",
    "Mark",
    "Marks",
    "Meta",
    "Outcome",
    "Position",
    "PrekeysClaim",
    "PrekeysCount",
    "PrekeysHeld",
    "PrekeysLow",
    "PrekeysUpload",
    "ProofUse",
    "ReRegister",
    "ReceiptMoved",
    "ReceiptsGet",
    "Refusal",
    "Refused",
    "Register",
    "Request",
    "RestoreProven",
    "Revoked",
    "RolledBack",
    "RowMissing",
    "Send",
    "Sequenced",
    "SignedList",
    "SignedPrekey",
    "State",
    "Status",
    "Tick",
    "Ticked",
    "UndeliveredReason",
    "User",
    "Username",
    "UsernameClaim",
    "UsernameOf",
    "UsernameResolve",
    "Wanted",
    "day_of",
    "device_of",
    "epoch_at",
    "fold",
    "is_growth",
    "minted_ms",
    "position",
    "refuse",
    "rows",
    "wanted",
]
