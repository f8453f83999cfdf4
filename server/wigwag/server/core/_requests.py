"""Everything that can be asked of an engine, writes and look-ups alike.

There is one entrance and one order: an engine answers requests as if one after
the other, in the order of `append`. Signatures, limits and legal states are
judged by the session before it appends; the folds judge what only the log can
know. An id, digest or hash is raw bytes.
"""

from typing import TypeAlias

import msgspec

from wigwag.server.core._refusals import Refusal
from wigwag.server.core._values import (
    Chat,
    Device,
    EcPrekeyLike,
    EnvelopeLike,
    KemPrekeyLike,
    MessageId,
    Position,
    SignedPrekeyLike,
    User,
)


class Send(msgspec.Struct, frozen=True, gc=False):
    """Store a message (SEND). Answers: Sequenced, Refused, Dropped.

    Attributes:
        sender: The signed-in device.
        registration_id: Its registration, of the connection that read the SEND.
        generation: Likewise; a request of an older connection is dropped.
        chat: Chat id; a direct one is computed again from `users`.
        client_msg_id: UUIDv7 of the client.
        attempt: From 1.
        after: client_msg_id of this device's previous message in the chat, or zeros.
        class_: MessageClass as sent.
        users: Users whose lists it was encrypted for, sorted, unique.
        envelopes: Sorted by (user, device), unique.
        marked: A refusal that the session's admission decided on; applied after
            dedupe, so that a known id still gets its stored answer.
        retry_after_ms: Goes with `marked`; 0: not said.
    """

    sender: Device
    registration_id: int
    generation: int
    chat: Chat
    client_msg_id: MessageId
    attempt: int
    after: MessageId
    class_: int
    users: tuple[User, ...]
    envelopes: tuple[EnvelopeLike, ...]
    marked: Refusal | None = None
    retry_after_ms: int = 0


class Ack(msgspec.Struct, frozen=True, gc=False):
    """Take a device's cursor (ACK). Answers: Acked, Failed(PROTOCOL_ERROR), Dropped.

    A position above the inbox's last fails; one going back changes nothing.
    """

    device: Device
    registration_id: int
    position: Position


class Connect(msgspec.Struct, frozen=True, gc=False):
    """Sign a device in (AUTH), its signature verified. Its cursor counts as an ACK.

    Answers: Connected, RolledBack (another registration than the stored one, or a
    generation at or below the highest of it), Failed(AUTH_FAILED) (no such device,
    revoked).
    Being behind the older connection's requests, it is also their fence.
    """

    device: Device
    registration_id: int
    generation: int
    cursor: Position


class ProofUse(msgspec.Struct, frozen=True, gc=False):
    """The one use of a proof that nobody has told the log of before (R-REG-008).

    Attributes:
        digest: Of issuer and id of the proof, 32 bytes; remembered until the end.
        starts_ms: From when on it is taken, ms since the Unix epoch.
        ends_ms: Until when, exclusively.
    """

    digest: bytes
    starts_ms: int
    ends_ms: int


class Register(msgspec.Struct, frozen=True, gc=False):
    """Create an account and its first device (REGISTER), signatures verified.

    Answers: Connected (also for an equal repetition), RolledBack,
    Failed(ID_TAKEN | PROOF_REFUSED).

    Attributes:
        device: User and number.
        digest: SHA-256 of body[128:]; an equal one gets the equal answer.
        list_hash: The suite's device_list_hash of `list_blob`.
        invite: SHA-256 of the invite code, or None when another verifier
            (open registration, token) has accepted the proof.
        once: The proof's one use (token); None: it may be used again.
    """

    device: Device
    account_key: bytes
    registration_id: int
    generation: int
    signing_key: bytes
    agreement_key: bytes
    list_blob: bytes
    list_signature: bytes
    list_hash: bytes
    signed_prekey: SignedPrekeyLike
    digest: bytes
    invite: bytes | None
    once: ProofUse | None = None


class ReRegister(msgspec.Struct, frozen=True, gc=False):
    """Give a device a new registration (RE_REGISTER), signature verified.

    Unacknowledged entries are dropped and reported UNDELIVERED(REREGISTERED),
    one-time and last-resort prekeys dropped, last_stored and chains zeroed.
    Repeating it (same registration id) changes nothing. Answers: Connected,
    Failed(AUTH_FAILED).
    """

    device: Device
    registration_id: int
    generation: int
    signed_prekey: SignedPrekeyLike


class DeviceLookup(msgspec.Struct, frozen=True, gc=False):
    """Find the keys that AUTH or RE_REGISTER is verified with.

    Answers: DeviceFound, Failed(AUTH_FAILED).
    """

    device: Device


class AccountLookup(msgspec.Struct, frozen=True, gc=False):
    """Find the key that DELETE_ACCOUNT is verified with, of a deleted account too.

    Answers: AccountFound, Failed(AUTH_FAILED).
    """

    user: User


class AccountDelete(msgspec.Struct, frozen=True, gc=False):
    """Delete an account (DELETE_ACCOUNT), its signature verified.

    Devices, lists, prekeys and inboxes go, undelivered entries are reported
    UNDELIVERED(DEVICE_GONE), sessions end; the id never comes back, the name stays
    taken for a while. Answers: AccountDeleted (repeated: of the first time),
    Failed(AUTH_FAILED).

    Attributes:
        account_key: The key that it was verified with.
    """

    user: User
    account_key: bytes


class UsernameClaim(msgspec.Struct, frozen=True, gc=False):
    """Take a username, already in its one canonical form.

    Answers: Username, Failed(NAME_TAKEN | QUOTA) (QUOTA: the account has another),
    Dropped (the device was removed meanwhile).

    Attributes:
        number: The claiming device; 0: nobody's in particular.
    """

    user: User
    name: str
    number: int = 0


class UsernameResolve(msgspec.Struct, frozen=True, gc=False):
    """Find whose a username is. Answers: Username, Failed(NOT_FOUND)."""

    name: str


class UsernameOf(msgspec.Struct, frozen=True, gc=False):
    """Find an account's username. Answers: Username, Failed(NOT_FOUND)."""

    user: User


class DeviceListPublish(msgspec.Struct, frozen=True, gc=False):
    """Store the account's next device list, signatures verified.

    Answers: DeviceListPublished, Failed(CONFLICT) when `seq` is not one above the
    newest or `prev_hash` not its hash (the newest again succeeds), Failed(QUOTA),
    Dropped (the device was removed meanwhile). A device that the list no longer
    names, the publishing one too, is revoked: queue and prekeys dropped, sessions
    ended.

    Attributes:
        device: The publishing device.
        list_hash: The suite's device_list_hash of `blob`.
        numbers: The device numbers it names, rising.
    """

    device: Device
    seq: int
    prev_hash: bytes
    list_hash: bytes
    blob: bytes
    signature: bytes
    numbers: tuple[int, ...]


class DeviceListGet(msgspec.Struct, frozen=True, gc=False):
    """Find a user's device lists above a seq, oldest first; 0: the newest alone.

    Answers: DeviceLists, Failed(NOT_FOUND).

    Attributes:
        requester: An account that has no reachable device yet is found by itself only.
    """

    requester: User
    user: User
    above: int


class PrekeysUpload(msgspec.Struct, frozen=True, gc=False):
    """Store prekeys, signatures verified. Answers: PrekeysHeld, Failed(QUOTA).

    Ids at or below the stored highest add nothing and succeed.

    Attributes:
        registration_id: What the signatures name; an old one is Dropped.
        one_time: One-time X25519 prekeys, ids rising.
        kem: One-time ML-KEM prekeys, ids rising.
    """

    device: Device
    registration_id: int
    one_time: tuple[EcPrekeyLike, ...]
    kem: tuple[KemPrekeyLike, ...]
    signed: SignedPrekeyLike | None = None
    last_resort: KemPrekeyLike | None = None


class PrekeysCount(msgspec.Struct, frozen=True, gc=False):
    """Count what prekeys a device has left. Answers: PrekeysHeld."""

    device: Device


class PrekeysClaim(msgspec.Struct, frozen=True, gc=False):
    """Take a bundle for every reachable device of a user.

    Answers: Bundles, Failed(NOT_FOUND), Dropped (the requester was removed).

    Attributes:
        device: The requester; its own user's other devices can be claimed, itself not.
        one_time: False when the requester's bucket for this user is empty: the
            bundles then have no one-time keys, and nothing is used up.
    """

    device: Device
    user: User
    one_time: bool = True


class ReceiptsGet(msgspec.Struct, frozen=True, gc=False):
    """Find the delivered marks of chats (at most 64). Answers: Marks."""

    user: User
    chats: tuple[Chat, ...]


class InboxRead(msgspec.Struct, frozen=True, gc=False):
    """Read a device's inbox above a position. Answers: Entries.

    Attributes:
        count_max: 1..1,024 entries.
        bytes_max: Frame bytes; the first entry comes even if it is larger.
    """

    device: Device
    above: Position
    count_max: int
    bytes_max: int


class InviteCreate(msgspec.Struct, frozen=True, gc=False):
    """Store an invite by the hash of its code. Answers: InviteCreated.

    Attributes:
        code_hash: SHA-256 of the code; the code itself is never stored.
        uses: 1 or more.
        expires_ms: ms since the Unix epoch.
    """

    code_hash: bytes
    uses: int
    expires_ms: int


class Status(msgspec.Struct, frozen=True, gc=False):
    """Count what the engine holds. Answers: EngineStatus."""


class Tick(msgspec.Struct, frozen=True, gc=False):
    """Give the folds their time: expiry, suspension, old day tables (hourly).

    Answers: Ticked. One record looks at a bounded number of devices; while the
    answer names where to go on, append the next.

    Attributes:
        after: Devices above this one; b"" to begin.
    """

    after: Device = b""


Request: TypeAlias = (
    Send
    | Ack
    | Connect
    | Register
    | ReRegister
    | DeviceLookup
    | AccountLookup
    | AccountDelete
    | UsernameClaim
    | UsernameResolve
    | UsernameOf
    | DeviceListPublish
    | DeviceListGet
    | PrekeysUpload
    | PrekeysCount
    | PrekeysClaim
    | ReceiptsGet
    | InboxRead
    | InviteCreate
    | Status
    | Tick
)
