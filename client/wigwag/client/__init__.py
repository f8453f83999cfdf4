"""The SDK: end-to-end encrypted messages from Python, under trio or asyncio.

A bot that answers, whole; it survives restarts of everything, itself included:

    async with wigwag.client.open_session("bot") as session:
        async for event in session.events(consumer="bot"):
            if isinstance(event, wigwag.client.MessageReceived):
                await session.send(event.message.peer, f"You said {event.message.text}")
            await event.done()

A profile is made once, with the server's join string:

    await wigwag.client.register("bot", "wigwag://…", profile="bot", passphrase="…")
"""

from wigwag.client._cli_profiles import AskingKeys as AskingKeys
from wigwag.client._cli_profiles import given_keys as given_keys
from wigwag.client._cli_profiles import known_profiles as known_profiles
from wigwag.client._cli_secrets import Secret as Secret
from wigwag.client._cli_secrets import profile_secrets as profile_secrets
from wigwag.client._device import Connectivity as Connectivity
from wigwag.client._devices import DeviceInfo as DeviceInfo
from wigwag.client._errors import ConnectionLost as ConnectionLost
from wigwag.client._errors import DialFailed as DialFailed
from wigwag.client._errors import HandoverRefused as HandoverRefused
from wigwag.client._errors import JoinStringWrong as JoinStringWrong
from wigwag.client._errors import MessageEmpty as MessageEmpty
from wigwag.client._errors import MessageRejected as MessageRejected
from wigwag.client._errors import MessageTooLong as MessageTooLong
from wigwag.client._errors import NetworkError as NetworkError
from wigwag.client._errors import OutboxFull as OutboxFull
from wigwag.client._errors import PassphraseMissing as PassphraseMissing
from wigwag.client._errors import PassphraseWrong as PassphraseWrong
from wigwag.client._errors import PeerChanged as PeerChanged
from wigwag.client._errors import PeerUnknown as PeerUnknown
from wigwag.client._errors import ProfileError as ProfileError
from wigwag.client._errors import ProfileExists as ProfileExists
from wigwag.client._errors import ProfileInsecure as ProfileInsecure
from wigwag.client._errors import ProfileInUse as ProfileInUse
from wigwag.client._errors import ProfileMissing as ProfileMissing
from wigwag.client._errors import ServerNotTrusted as ServerNotTrusted
from wigwag.client._errors import ServerRefused as ServerRefused
from wigwag.client._errors import SessionEnded as SessionEnded
from wigwag.client._errors import StoreDamaged as StoreDamaged
from wigwag.client._errors import StoreError as StoreError
from wigwag.client._errors import StoreTooNew as StoreTooNew
from wigwag.client._errors import StoreUnwritable as StoreUnwritable
from wigwag.client._errors import TimedOut as TimedOut
from wigwag.client._errors import TokenWrong as TokenWrong
from wigwag.client._errors import WigwagError as WigwagError
from wigwag.client._event_stream import EventStream as EventStream
from wigwag.client._events import AnyEvent as AnyEvent
from wigwag.client._events import Event as Event
from wigwag.client._events import Gap as Gap
from wigwag.client._events import ListsDiffer as ListsDiffer
from wigwag.client._events import MessageReceived as MessageReceived
from wigwag.client._events import MessageStateChanged as MessageStateChanged
from wigwag.client._events import MessageUndelivered as MessageUndelivered
from wigwag.client._events import MessageUnreadable as MessageUnreadable
from wigwag.client._events import PeerKeyChanged as PeerKeyChanged
from wigwag.client._handover_client import HeldMessage as HeldMessage
from wigwag.client._handover_client import Holder as Holder
from wigwag.client._handover_client import open_holder as open_holder
from wigwag.client._inspect import Greeting as Greeting
from wigwag.client._inspect import ProfileFacts as ProfileFacts
from wigwag.client._inspect import ProfileTraces as ProfileTraces
from wigwag.client._inspect import greet_server as greet_server
from wigwag.client._inspect import inspect_profile as inspect_profile
from wigwag.client._inspect import profile_traces as profile_traces
from wigwag.client._join import Join as Join
from wigwag.client._join import format_join as format_join
from wigwag.client._join import parse_join as parse_join
from wigwag.client._message import Message as Message
from wigwag.client._message import MessageState as MessageState
from wigwag.client._open import default_ports as default_ports
from wigwag.client._open import open_session as open_session
from wigwag.client._ports import Address as Address
from wigwag.client._ports import ByteStream as ByteStream
from wigwag.client._ports import Dialled as Dialled
from wigwag.client._ports import Entropy as Entropy
from wigwag.client._ports import Executor as Executor
from wigwag.client._ports import KeySource as KeySource
from wigwag.client._ports import Net as Net
from wigwag.client._ports import Ports as Ports
from wigwag.client._ports import Trust as Trust
from wigwag.client._ports import WallClock as WallClock
from wigwag.client._profile import profile_folder as profile_folder
from wigwag.client._proof import TokenSource as TokenSource
from wigwag.client._register import Prepared as Prepared
from wigwag.client._register import Registered as Registered
from wigwag.client._register import prepare_registration as prepare_registration
from wigwag.client._register import register as register
from wigwag.client._removal import DeletedAccount as DeletedAccount
from wigwag.client._removal import delete_account as delete_account
from wigwag.client._session import TEXT_BYTES_MAX as TEXT_BYTES_MAX
from wigwag.client._session import PeerInfo as PeerInfo
from wigwag.client._session import SentMessage as SentMessage
from wigwag.client._session import Session as Session
from wigwag.client._session import Status as Status
from wigwag.client._session import Until as Until
from wigwag.client.crypto import SafetyNumber as SafetyNumber

__all__ = [
    "TEXT_BYTES_MAX",
    "Address",
    "AnyEvent",
    "AskingKeys",
    "ByteStream",
    "ConnectionLost",
    "Connectivity",
    "DeletedAccount",
    "DeviceInfo",
    "DialFailed",
    "Dialled",
    "Entropy",
    "Event",
    "EventStream",
    "Executor",
    "Gap",
    "Greeting",
    "HandoverRefused",
    "HeldMessage",
    "Holder",
    "Join",
    "JoinStringWrong",
    "KeySource",
    "ListsDiffer",
    "Message",
    "MessageEmpty",
    "MessageReceived",
    "MessageRejected",
    "MessageState",
    "MessageStateChanged",
    "MessageTooLong",
    "MessageUndelivered",
    "MessageUnreadable",
    "Net",
    "NetworkError",
    "OutboxFull",
    "PassphraseMissing",
    "PassphraseWrong",
    "PeerChanged",
    "PeerInfo",
    "PeerKeyChanged",
    "PeerUnknown",
    "Ports",
    "Prepared",
    "ProfileError",
    "ProfileExists",
    "ProfileFacts",
    "ProfileInUse",
    "ProfileInsecure",
    "ProfileMissing",
    "ProfileTraces",
    "Registered",
    "SafetyNumber",
    "Secret",
    "SentMessage",
    "ServerNotTrusted",
    "ServerRefused",
    "Session",
    "SessionEnded",
    "Status",
    "StoreDamaged",
    "StoreError",
    "StoreTooNew",
    "StoreUnwritable",
    "TimedOut",
    "TokenSource",
    "TokenWrong",
    "Trust",
    "Until",
    "WallClock",
    "WigwagError",
    "default_ports",
    "delete_account",
    "format_join",
    "given_keys",
    "greet_server",
    "inspect_profile",
    "known_profiles",
    "open_holder",
    "open_session",
    "parse_join",
    "prepare_registration",
    "profile_folder",
    "profile_secrets",
    "profile_traces",
    "register",
]
