"""What an engine answers; each is given exactly once, after its group's COMMIT.

An answer that says that nothing happened (Refused, Failed, Dropped) is final:
its outcome is *none*. The embedded engine has no unknown outcome; when it can't
know whether a commit landed it stops, and no answer is given at all.
"""

from typing import TypeAlias

import msgspec

from wigwag.server.core._refusals import Refusal
from wigwag.server.core._values import (
    Device,
    DevicesStale,
    EcPrekey,
    Gap,
    InboxEntry,
    KemPrekey,
    Mark,
    MessageId,
    Position,
    SignedList,
    SignedPrekey,
    User,
)


class Sequenced(msgspec.Struct, frozen=True, gc=False):
    """The message is stored: this attempt, at this position, at this time.

    Attributes:
        chat_seq: 0 for classes 3 and 4.
        ts: ms since the Unix epoch.
    """

    client_msg_id: MessageId
    attempt: int
    chat_seq: Position
    ts: int


class Refused(msgspec.Struct, frozen=True, gc=False):
    """The message was not stored; outcome none.

    Attributes:
        last_id: OUT_OF_ORDER only: the chain's last stored id (zeros: none).
        devices: DEVICES_STALE only.
        chat_seq: CONFLICT only: where the first message with this id is.
        retry_after_ms: 0: not said.
    """

    client_msg_id: MessageId
    attempt: int
    code: Refusal
    last_id: MessageId | None = None
    devices: DevicesStale | None = None
    chat_seq: Position | None = None
    retry_after_ms: int = 0


class Dropped(msgspec.Struct, frozen=True, gc=False):
    """The request came from a displaced connection or an old registration.

    Nothing was done and there is nobody to tell: the session sends nothing.
    """


class Acked(msgspec.Struct, frozen=True, gc=False):
    """The cursor stands here now (not below where it stood)."""

    acked: Position


class Connected(msgspec.Struct, frozen=True, gc=False):
    """The device is signed in: what AUTH_OK says, and the gaps to say after it.

    Attributes:
        acked: Its cursor as the server has it.
        last: Last position of its inbox; 0: none ever.
        last_stored_id: Newest stored SEND of this registration; zeros: none.
        last_stored_attempt: Its attempt; 0: none.
        ec_left: One-time X25519 prekeys left.
        kem_left: One-time ML-KEM prekeys left.
        list_seq: Newest device list of the account.
        gaps: Said right after AUTH_OK, before any entry.
    """

    acked: Position
    last: Position
    last_stored_id: MessageId
    last_stored_attempt: int
    ec_left: int
    kem_left: int
    list_seq: int
    gaps: tuple[Gap, ...]


class RolledBack(msgspec.Struct, frozen=True, gc=False):
    """Another registration, or a generation seen before (STORE_ROLLED_BACK)."""


class DeviceFound(msgspec.Struct, frozen=True, gc=False):
    """The keys of a device that may try to sign in."""

    registration_id: int
    signing_key: bytes
    account_key: bytes


class AccountFound(msgspec.Struct, frozen=True, gc=False):
    """The key of an account that may be deleted, or was."""

    account_key: bytes


class AccountDeleted(msgspec.Struct, frozen=True, gc=False):
    """The account is gone, since `deleted_ms`."""

    deleted_ms: int


class Username(msgspec.Struct, frozen=True, gc=False):
    """A username and whose it is."""

    user: User
    name: str


class DeviceListPublished(msgspec.Struct, frozen=True, gc=False):
    """The list is stored."""

    seq: int


class DeviceLists(msgspec.Struct, frozen=True, gc=False):
    """A user's device lists by rising seq, at most 16; `more` follow."""

    user: User
    account_key: bytes
    lists: tuple[SignedList, ...]
    more: bool


class PrekeysHeld(msgspec.Struct, frozen=True, gc=False):
    """What prekeys of a device the engine holds; an id 0: none yet."""

    ec_left: int
    kem_left: int
    ec_highest: int
    kem_highest: int
    signed_id: int
    last_resort_id: int


class DeviceBundle(msgspec.Struct, frozen=True, gc=False):
    """The prekeys handed out for one device.

    Attributes:
        one_time: None when they are used up or the bucket was empty.
        kem: One-time, or the last-resort one.
    """

    device: int
    registration_id: int
    signed_prekey: SignedPrekey
    one_time: EcPrekey | None
    kem: KemPrekey


class Bundles(msgspec.Struct, frozen=True, gc=False):
    """A bundle for every reachable device of a user, by rising number."""

    user: User
    list_seq: int
    bundles: tuple[DeviceBundle, ...]


class Marks(msgspec.Struct, frozen=True, gc=False):
    """Delivered marks, sorted by (chat, user); unknown chats are left out."""

    marks: tuple[Mark, ...]


class Entries(msgspec.Struct, frozen=True, gc=False):
    """Inbox entries by rising position, and what was found to be missing.

    Attributes:
        gaps: Damaged entries found by this read; say them before the entries.
        last: The inbox's last position. Above the last of `entries`: read on.
    """

    entries: tuple[InboxEntry, ...]
    gaps: tuple[Gap, ...]
    last: Position


class InviteCreated(msgspec.Struct, frozen=True, gc=False):
    """The invite is stored."""

    expires_ms: int


class EngineStatus(msgspec.Struct, frozen=True, gc=False):
    """Figures for the operator.

    Attributes:
        inbox_bytes: Frame bytes that wait in inboxes.
        clock_ms: Time of the newest record.
        is_space_low: The disk was full and the reserve is in use: SENDs are refused.
    """

    accounts: int
    devices: int
    chats: int
    inbox_bytes: int
    epoch: int
    clock_ms: int
    database_bytes: int
    is_space_low: bool


class Ticked(msgspec.Struct, frozen=True, gc=False):
    """What one tick did.

    Attributes:
        after: Append Tick(after) to go on; None: all devices were looked at.
        expired: Entries dropped for their age.
        suspended: Devices suspended.
    """

    after: Device | None
    expired: int
    suspended: int


class Failed(msgspec.Struct, frozen=True, gc=False):
    """Any request but a SEND was refused; outcome none."""

    code: Refusal


Answer: TypeAlias = (
    Sequenced
    | Refused
    | Dropped
    | Acked
    | Connected
    | RolledBack
    | DeviceFound
    | AccountFound
    | AccountDeleted
    | Username
    | DeviceListPublished
    | DeviceLists
    | PrekeysHeld
    | Bundles
    | Marks
    | Entries
    | InviteCreated
    | EngineStatus
    | Ticked
    | Failed
)
