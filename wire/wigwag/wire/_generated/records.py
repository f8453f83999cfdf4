"""Records: one class for each message and struct, for all revisions.

Made from the specification by `wigwag spec generate`. Do not edit.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias

from msgspec import Struct

from wigwag.wire._shown import shown


class GapReason(IntEnum):
    """Why a range of inbox positions will not be delivered."""

    OTHER = 0
    """A reason that this revision does not name."""
    ALREADY_ACKED = 1
    """This device acknowledged the range before; the store it now has is older."""
    SERVER_RESTORED = 2
    """The server was restored from an older copy of its data."""
    EXPIRED = 3
    """The retention time passed."""
    CORRUPT = 4
    """The stored entries were damaged."""
    SUSPENDED = 5
    """The inbox was dropped after 30 days without an acknowledgement."""
    REREGISTERED = 6
    """The device registered anew: what its lost state alone could open was dropped."""

    @classmethod
    def from_wire(cls, value: int) -> GapReason:
        """Return the member of a value; one that nobody knows is OTHER."""
        return _BY_VALUE_GapReason.get(value, cls.OTHER)


_BY_VALUE_GapReason = {member.value: member for member in GapReason}


class MessageClass(IntEnum):
    """What a SEND is for, as far as the server may know."""

    MESSAGE = 1
    """A message people read. Takes a chat_seq and obeys `after`."""
    OPERATION = 2
    """A group operation. Takes a chat_seq and obeys `after`."""
    SIGNAL = 3
    """Key distribution, retry, sync or resend: inbox only, to any subset of devices, chat_seq
    0.
    """
    RECEIPT = 4
    """Read receipts: inbox only, chat_seq 0, shed first."""

    @classmethod
    def from_wire(cls, value: int) -> MessageClass:
        """Return the member of a value; one that nobody knows is SIGNAL."""
        return _BY_VALUE_MessageClass.get(value, cls.SIGNAL)


_BY_VALUE_MessageClass = {member.value: member for member in MessageClass}


class Outcome(IntEnum):
    """Whether a refused request may still have taken effect."""

    NONE = 0
    """It had no effect and never will."""
    UNKNOWN = 1
    """It may have had its effect: retry with the same id."""


class ProofKind(IntEnum):
    """How the one who registers proves that he may."""

    INVITE = 1
    """An invite code made by the operator."""
    OPEN = 2
    """No proof: only a server with open registration (development) takes it."""
    TOKEN = 3
    """A signed token of an outside identity service, ASCII (R-REG-006)."""


class UndeliveredReason(IntEnum):
    """Why an accepted message did not reach a device."""

    OTHER = 0
    """A reason that this revision does not name."""
    REREGISTERED = 1
    """The device lost its private state and registered anew before it acknowledged."""
    EXPIRED = 2
    """The device did not acknowledge within the retention time."""
    DEVICE_GONE = 3
    """The device was removed or is not the one the envelope was made for."""
    SUSPENDED = 4
    """The device did not acknowledge anything for 30 days and its inbox was dropped."""
    CORRUPT = 5
    """The stored entry was damaged on the server."""

    @classmethod
    def from_wire(cls, value: int) -> UndeliveredReason:
        """Return the member of a value; one that nobody knows is OTHER."""
        return _BY_VALUE_UndeliveredReason.get(value, cls.OTHER)


_BY_VALUE_UndeliveredReason = {member.value: member for member in UndeliveredReason}


class SignedPrekey(Struct, frozen=True, gc=False):
    """A medium-term X25519 prekey, signed by the device key (suite 1, signed_prekey).

    Attributes:
        id: Prekey id; strictly rising per device.
        key: X25519 public key.
        created: When it was made, client time.
        expires: After this nobody may start a session with it.
        signature: Ed25519 by the device's signing key.
    """

    id: int
    key: bytes
    created: int
    expires: int
    signature: bytes


class EcPrekey(Struct, frozen=True, gc=False):
    """A one-time X25519 prekey.

    Attributes:
        id: Prekey id; strictly rising per device.
        key: X25519 public key.
    """

    id: int
    key: bytes


class KemPrekey(Struct, frozen=True, gc=False):
    """An ML-KEM-1024 prekey, one-time or last-resort, signed by the device key (suite 1,
    kem_prekey).

    Attributes:
        id: Prekey id; strictly rising per device, one-time and last-resort together.
        last_resort: Whether it is handed out again and again when no one-time key is left.
        key: ML-KEM-1024 encapsulation key.
        signature: Ed25519 by the device's signing key.
    """

    id: int
    last_resort: bool
    key: bytes
    signature: bytes


class Bundle(Struct, frozen=True, gc=False):
    """What one needs, beside the signed device list, to start a session with one device.

    Attributes:
        suite: Cryptographic suite of the keys.
        device: Number of the device within its account.
        registration_id: Registration of the device: random, new whenever its private state was
            lost.
        signed_prekey: The current signed prekey.
        one_time: A one-time X25519 prekey, handed out once; none when they are used up.
        kem: A one-time ML-KEM prekey, or the last-resort one.
    """

    suite: int
    device: int
    registration_id: int
    signed_prekey: SignedPrekey
    one_time: tuple[EcPrekey, ...]
    kem: KemPrekey


class ConnectionLimits(Struct, frozen=True, gc=False):
    """What the server enforces on this connection and the deadlines it keeps.

    Attributes:
        frame_bytes_max: Largest `length` of a frame once authenticated, in bytes.
        in_flight_max: Most SENDs without an answer before the server stops reading.
        in_flight_bytes_max: Most bytes of SENDs without an answer before the server stops
            reading.
        window_entries: Most inbox entries sent and not acknowledged.
        window_bytes: Most bytes of inbox entries sent and not acknowledged.
        auth_seconds: From the end of the TLS handshake to AUTH_OK, in seconds, absolute.
        idle_seconds: Silence after which the server sends PING, in seconds.
        pong_seconds: Time to answer a PING, in seconds; two missed end the connection.
        frame_seconds: Time for one frame from its first to its last byte, in seconds, plus one
            second for each 8 KiB.
        stall_seconds: Time without progress in writing to this peer, in seconds.
    """

    frame_bytes_max: int
    in_flight_max: int
    in_flight_bytes_max: int
    window_entries: int
    window_bytes: int
    auth_seconds: int
    idle_seconds: int
    pong_seconds: int
    frame_seconds: int
    stall_seconds: int


class ListedDevice(Struct, frozen=True, gc=False):
    """One device in a device list.

    Attributes:
        device: Number of the device within its account.
        signing_key: Ed25519 public key.
        agreement_key: X25519 public key.
        suites: Cryptographic suites the device speaks.
        membership: The device's own statement that it belongs to this account key (suite 1,
            device_membership).
    """

    device: int
    signing_key: bytes
    agreement_key: bytes
    suites: tuple[int, ...]
    membership: bytes


class DeviceList(Struct, frozen=True, gc=False):
    """The devices of an account, signed by the account key. A document: its layout is the same
    in every revision and grows by tags only.

    Attributes:
        user: Account id, 16 random bytes chosen by the client that registered it.
        seq: 1 for the first list, then one more each time.
        prev_hash: SHA-256 of the preceding list's blob; zeros in the first.
        time: When it was signed, client time.
        devices: The devices, by rising number; none: the account signed out everywhere.
    """

    user: bytes
    seq: int
    prev_hash: bytes
    time: int
    devices: tuple[ListedDevice, ...]
    unknown: tuple[tuple[int, bytes], ...] = ()


class DeviceRef(Struct, frozen=True, gc=False):
    """A device and its current registration.

    Attributes:
        user: Account id, 16 random bytes chosen by the client that registered it.
        device: Number of the device within its account.
        registration_id: Registration of the device: random, new whenever its private state was
            lost.
    """

    user: bytes
    device: int
    registration_id: int


class DevicesStale(Struct, frozen=True, gc=False):
    """How the envelopes of a SEND differ from the devices of the users it names.

    Attributes:
        missing: Devices without an envelope.
        extra: Envelopes for devices that are not there.
        stale: Devices whose envelope names an older registration; the current one is given.
        more: There are more than are listed here.
    """

    missing: tuple[DeviceRef, ...]
    extra: tuple[DeviceRef, ...]
    stale: tuple[DeviceRef, ...]
    more: bool


class Envelope(Struct, frozen=True, gc=False):
    """A ciphertext for one device.

    Attributes:
        user: Account id, 16 random bytes chosen by the client that registered it.
        device: Number of the device within its account.
        registration_id: Registration of the device: random, new whenever its private state was
            lost.
        ciphertext: Opaque to the server.
    """

    user: bytes
    device: int
    registration_id: int
    ciphertext: bytes

    def __repr__(self) -> str:
        return shown(self, ("user", "device", "registration_id"))


class Mark(Struct, frozen=True, gc=False):
    """How far a user has received a chat.

    Attributes:
        chat: Chat id.
        user: Account id, 16 random bytes chosen by the client that registered it.
        mark: The highest chat_seq up to which everything addressed to the user is stored by a
            device of his, or was reported UNDELIVERED.
    """

    chat: bytes
    user: bytes
    mark: int


class SignedList(Struct, frozen=True, gc=False):
    """A device list as its account signed it.

    Attributes:
        blob: The DeviceList document, exactly the bytes that were signed.
        signature: Ed25519 by the account key over the suite's device_list transcript.
    """

    blob: bytes
    signature: bytes


class Hello(Struct, frozen=True, gc=False):
    """Opens a connection and offers revisions.

    Attributes:
        client_nonce: Fresh random bytes; makes every AUTH signature fresh.
        revision_min: Lowest released revision the client speaks; 0 with revision_max 0: none.
        revision_max: Highest released revision the client speaks.
        draft: 0x8000 | build of the draft the client speaks; 0: none.
        features: Features the client offers; unknown ones are ignored.
        frame_bytes_max: Largest `length` the client takes, in bytes.
        window_entries: Most unacknowledged inbox entries the client takes; the server may send
            fewer.
        client_name: Coarse name and version of the client software.
    """

    client_nonce: bytes
    revision_min: int
    revision_max: int
    draft: int
    features: tuple[int, ...]
    frame_bytes_max: int
    window_entries: int
    client_name: str
    unknown: tuple[tuple[int, bytes], ...] = ()


class Welcome(Struct, frozen=True, gc=False):
    """Accepts a connection: revision, limits, deadlines.

    Attributes:
        server_nonce: Fresh random bytes; makes every AUTH signature fresh.
        revision: The draft if both named the same one, else the highest common release.
        features: The offered features that the server takes, and grease.
        limits: Limits and deadlines of this connection.
        server_time: The server's clock; clients mint ids in corrected time.
        finalized: Number of the finalized {revision, features, fold version} record.
        session_id: May restore subscriptions and limiter state for 300 s; never enough to sign
            in.
        home: Another address that serves this client better, HOST:PORT.
    """

    server_nonce: bytes
    revision: int
    features: tuple[int, ...]
    limits: ConnectionLimits
    server_time: int
    finalized: int
    session_id: bytes
    home: str | None = None
    unknown: tuple[tuple[int, bytes], ...] = ()


class Reject(Struct, frozen=True, gc=False):
    """Refuses a connection before AUTH.

    Attributes:
        code: Error code.
        revision_min: Lowest released revision the server speaks; 0: none.
        revision_max: Highest released revision the server speaks.
        draft: The draft the server speaks; 0: none.
        retry_after_ms: Earliest time to try again, in milliseconds; 0: the client's own back-
            off.
        home: Another address to try, HOST:PORT.
    """

    code: int
    revision_min: int
    revision_max: int
    draft: int
    retry_after_ms: int
    home: str | None = None
    unknown: tuple[tuple[int, bytes], ...] = ()


class Error(Struct, frozen=True, gc=False):
    """Answers a request that failed, or (without RESPONSE, corr 0) says why the connection
    ends.

    Attributes:
        code: Error code; the high nibble is its class, so an unknown one has defined behaviour.
        outcome: Whether the request may have had its effect.
        frame_type: Type of the frame in question; 0: none.
        retry_after_ms: Earliest time to try again, in milliseconds; 0: not said.
    """

    code: int
    outcome: Outcome
    frame_type: int
    retry_after_ms: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class Goaway(Struct, frozen=True, gc=False):
    """The sender will take no new work on this connection.

    Attributes:
        code: Why.
        last_corr: The last request that was handled; later ones were not.
        retry_after_ms: Earliest time to come back, in milliseconds; 0: the client's own back-
            off.
        home: Another address to go to, HOST:PORT.
    """

    code: int
    last_corr: int
    retry_after_ms: int
    home: str | None = None
    unknown: tuple[tuple[int, bytes], ...] = ()


class Ping(Struct, frozen=True, gc=False):
    """Asks whether the peer is there; also a barrier: the answer comes after all earlier frames
    were handled.

    Attributes:
        token: Comes back in PONG.
    """

    token: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class Pong(Struct, frozen=True, gc=False):
    """Answers PING.

    Attributes:
        token: The token of the PING.
    """

    token: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class Auth(Struct, frozen=True, gc=False):
    """Signs in with the device key. The signature covers both raw handshake frames, the TLS
    leaf certificate and the rest of this body (suite 1, auth).

    Attributes:
        signature: Ed25519 by the device's signing key over the suite's auth transcript of
            body[64:].
        user: Account id, 16 random bytes chosen by the client that registered it.
        device: Number of the device within its account.
        registration_id: Registration of the device: random, new whenever its private state was
            lost. Another one than the server has stored means that one of the two was put back
            from a copy (STORE_ROLLED_BACK).
        generation: Bumped and made durable by the client before every connect.
        cursor: Highest inbox position the device has stored; counts as its ACK.
        session: Session to continue; a wrong one starts a new session.
    """

    signature: bytes
    user: bytes
    device: int
    registration_id: int
    generation: int
    cursor: int
    session: bytes | None = None
    unknown: tuple[tuple[int, bytes], ...] = ()


class AuthOk(Struct, frozen=True, gc=False):
    """The device is signed in (READY), or registered.

    Attributes:
        acked: Highest position this device acknowledged, its AUTH included.
        last: Last position of this device's inbox; 0: empty since ever.
        last_stored_id: client_msg_id of this registration's newest stored SEND, any chat and
            class; zeros: none.
        last_stored_attempt: Its attempt; 0: none.
        ec_left: One-time X25519 prekeys left.
        kem_left: One-time ML-KEM prekeys left.
        list_seq: Number of the account's newest device list.
    """

    acked: int
    last: int
    last_stored_id: bytes
    last_stored_attempt: int
    ec_left: int
    kem_left: int
    list_seq: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class Register(Struct, frozen=True, gc=False):
    """Creates an account with its first device. Both signatures cover the suite's register
    transcript of body[128:]; an equal body[128:] gets the equal answer.

    Attributes:
        account_signature: Ed25519 by the account key.
        device_signature: Ed25519 by the device's signing key.
        user: Account id, 16 random bytes chosen by the client that registered it.
        account_key: Ed25519 public key of the account.
        device: Number of the device within its account.
        registration_id: Registration of the device: random, new whenever its private state was
            lost.
        generation: As in AUTH.
        signing_key: The device's Ed25519 public key.
        agreement_key: The device's X25519 public key.
        list_blob: The first DeviceList document.
        list_signature: Its signature by the account key.
        signed_prekey: The first signed prekey.
        proof_kind: What `proof` holds.
        proof: The identity proof.
    """

    account_signature: bytes
    device_signature: bytes
    user: bytes
    account_key: bytes
    device: int
    registration_id: int
    generation: int
    signing_key: bytes
    agreement_key: bytes
    list_blob: bytes
    list_signature: bytes
    signed_prekey: SignedPrekey
    proof_kind: ProofKind
    proof: bytes
    unknown: tuple[tuple[int, bytes], ...] = ()

    def __repr__(self) -> str:
        return shown(self, (
            "account_signature",
            "device_signature",
            "user",
            "account_key",
            "device",
            "registration_id",
            "generation",
            "signing_key",
            "agreement_key",
            "list_blob",
            "list_signature",
            "signed_prekey",
            "proof_kind",
        ))


class ReRegister(Struct, frozen=True, gc=False):
    """Gives the device a new registration after its store, or the server's, turned out to be an
    old copy. Signed like AUTH (suite 1, re_register).

    Attributes:
        signature: Ed25519 by the device's signing key over the suite's re_register transcript
            of body[64:].
        user: Account id, 16 random bytes chosen by the client that registered it.
        device: Number of the device within its account.
        registration_id: Registration of the device: random, new whenever its private state was
            lost.
        generation: As in AUTH.
        signed_prekey: A signed prekey for the new registration.
    """

    signature: bytes
    user: bytes
    device: int
    registration_id: int
    generation: int
    signed_prekey: SignedPrekey
    unknown: tuple[tuple[int, bytes], ...] = ()


class DeleteAccount(Struct, frozen=True, gc=False):
    """Deletes an account for good: devices, lists, keys, inboxes and name. Signed by the
    account key, so no device need be signed in (suite 1, delete_account).

    Attributes:
        signature: Ed25519 by the account key over the suite's delete_account transcript of
            body[64:].
        user: Account id, 16 random bytes chosen by the client that registered it.
        time: When it was signed, in server-corrected time.
    """

    signature: bytes
    user: bytes
    time: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class AccountDeleted(Struct, frozen=True, gc=False):
    """The account is gone, durably. The connections of its devices end with DEVICE_REMOVED.

    Attributes:
        time: When it was deleted, server time; the same each time it is asked again.
    """

    time: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class UsernameClaim(Struct, frozen=True, gc=False):
    """Takes a username for the account. An account has one; claiming its own again succeeds.

    Attributes:
        name: 3 to 32 characters of a-z 0-9 _ . -, the first a letter.
    """

    name: str
    unknown: tuple[tuple[int, bytes], ...] = ()


class UsernameResolve(Struct, frozen=True, gc=False):
    """Asks whose a username is.

    Attributes:
        name: 3 to 32 characters of a-z 0-9 _ . -, the first a letter.
    """

    name: str
    unknown: tuple[tuple[int, bytes], ...] = ()


class UsernameResolved(Struct, frozen=True, gc=False):
    """A username and whose it is.

    Attributes:
        user: Account id, 16 random bytes chosen by the client that registered it.
        name: 3 to 32 characters of a-z 0-9 _ . -, the first a letter.
    """

    user: bytes
    name: str
    unknown: tuple[tuple[int, bytes], ...] = ()


class UsernameOf(Struct, frozen=True, gc=False):
    """Asks for an account's username.

    Attributes:
        user: Account id, 16 random bytes chosen by the client that registered it.
    """

    user: bytes
    unknown: tuple[tuple[int, bytes], ...] = ()


class PrekeysUpload(Struct, frozen=True, gc=False):
    """Stores prekeys of the signed-in device. Ids at or below the stored highest add nothing
    and succeed.

    Attributes:
        one_time: One-time X25519 prekeys.
        kem: One-time ML-KEM prekeys.
        signed: A new signed prekey.
        last_resort: A new last-resort ML-KEM prekey.
    """

    one_time: tuple[EcPrekey, ...]
    kem: tuple[KemPrekey, ...]
    signed: SignedPrekey | None = None
    last_resort: KemPrekey | None = None
    unknown: tuple[tuple[int, bytes], ...] = ()


class PrekeysStored(Struct, frozen=True, gc=False):
    """What prekeys of the signed-in device the server holds.

    Attributes:
        ec_left: One-time X25519 prekeys left.
        kem_left: One-time ML-KEM prekeys left.
        ec_highest: Highest one-time X25519 id ever stored.
        kem_highest: Highest ML-KEM id ever stored.
        signed_id: Id of the current signed prekey.
        last_resort_id: Id of the current last-resort ML-KEM prekey; 0: none yet.
    """

    ec_left: int
    kem_left: int
    ec_highest: int
    kem_highest: int
    signed_id: int
    last_resort_id: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class PrekeysCount(Struct, frozen=True, gc=False):
    """Asks what prekeys of the signed-in device are left."""

    unknown: tuple[tuple[int, bytes], ...] = ()


class PrekeysClaim(Struct, frozen=True, gc=False):
    """Takes one bundle for every device of a user. A one-time key is handed out once, also
    across crashes.

    Attributes:
        user: Account id, 16 random bytes chosen by the client that registered it.
    """

    user: bytes
    unknown: tuple[tuple[int, bytes], ...] = ()


class Bundles(Struct, frozen=True, gc=False):
    """A bundle for each device of a user that can be reached.

    Attributes:
        user: Account id, 16 random bytes chosen by the client that registered it.
        list_seq: Number of the user's newest device list.
        bundles: By rising device number.
    """

    user: bytes
    list_seq: int
    bundles: tuple[Bundle, ...]
    unknown: tuple[tuple[int, bytes], ...] = ()


class PrekeysLow(Struct, frozen=True, gc=False):
    """Few one-time prekeys are left: upload more.

    Attributes:
        ec_left: One-time X25519 prekeys left.
        kem_left: One-time ML-KEM prekeys left.
    """

    ec_left: int
    kem_left: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class DeviceListPublish(Struct, frozen=True, gc=False):
    """Publishes the account's next device list; a device that it leaves out is removed.

    Attributes:
        list: seq must be one more than the newest, prev_hash its hash.
    """

    list: SignedList
    unknown: tuple[tuple[int, bytes], ...] = ()


class DeviceListPublished(Struct, frozen=True, gc=False):
    """The list is stored.

    Attributes:
        list_seq: Its number.
    """

    list_seq: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class DeviceListGet(Struct, frozen=True, gc=False):
    """Asks for a user's device lists.

    Attributes:
        user: Account id, 16 random bytes chosen by the client that registered it.
        above: Lists above this number, oldest first; 0: the newest alone.
    """

    user: bytes
    above: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class DeviceLists(Struct, frozen=True, gc=False):
    """Device lists of a user. The reader verifies signature, chain and pin; the server's word
    counts for nothing.

    Attributes:
        user: Account id, 16 random bytes chosen by the client that registered it.
        account_key: Ed25519 public key of the account.
        lists: By rising seq.
        more: More lists follow the last of these.
    """

    user: bytes
    account_key: bytes
    lists: tuple[SignedList, ...]
    more: bool
    unknown: tuple[tuple[int, bytes], ...] = ()


class Send(Struct, frozen=True, gc=False):
    """Sends a message. A retry with the same id gets the same answer for 32 days.

    Attributes:
        chat: Chat id; of a direct chat it is derived from both accounts (suite 1,
            direct_chat_id).
        client_msg_id: UUIDv7 by the sending client, in server-corrected time.
        attempt: From 1; one more whenever the ciphertexts change.
        after: client_msg_id of this device's previous message in this chat; zeros: none, and
            for classes 3 and 4.
        class_: What it is for.
        users: Users whose device lists it was encrypted for; completeness is judged for these.
        envelopes: One for each device.
    """

    chat: bytes
    client_msg_id: bytes
    attempt: int
    after: bytes
    class_: int
    users: tuple[bytes, ...]
    envelopes: tuple[Envelope, ...]
    unknown: tuple[tuple[int, bytes], ...] = ()


class Sequenced(Struct, frozen=True, gc=False):
    """The message is durable and has its place.

    Attributes:
        client_msg_id: UUIDv7 by the sending client, in server-corrected time.
        attempt: The attempt that was stored.
        chat_seq: Position in the chat; 0 for classes 3 and 4.
        sent_at: The server's time for it.
    """

    client_msg_id: bytes
    attempt: int
    chat_seq: int
    sent_at: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class Refused(Struct, frozen=True, gc=False):
    """The message was not stored.

    Attributes:
        client_msg_id: UUIDv7 by the sending client, in server-corrected time.
        attempt: The attempt this answers.
        code: Error code.
        outcome: Whether it may have been stored after all.
        retry_after_ms: Earliest time to try again, in milliseconds; 0: not said.
        last_id: OUT_OF_ORDER: the last stored client_msg_id of this device in the chat; zeros:
            none.
        devices: DEVICES_STALE: how the envelopes differ. A hint: encrypt only to devices of the
            signed list.
        chat_seq: CONFLICT: where the first message with this id is.
    """

    client_msg_id: bytes
    attempt: int
    code: int
    outcome: Outcome
    retry_after_ms: int
    last_id: bytes | None = None
    devices: DevicesStale | None = None
    chat_seq: int | None = None
    unknown: tuple[tuple[int, bytes], ...] = ()


class Deliver(Struct, frozen=True, gc=False):
    """An inbox entry: a message for this device.

    Attributes:
        inbox_seq: Position in this device's inbox.
        prev: The device's preceding position; a hole is seen by it. 0: none.
        chat: Chat id.
        chat_seq: Position in the chat; 0 for classes 3 and 4.
        class_: What it is for.
        sender: Account that sent it.
        sender_device: Device that sent it.
        registration_id: Registration of the device: random, new whenever its private state was
            lost.
        client_msg_id: UUIDv7 by the sending client, in server-corrected time.
        sent_at: The server's time for it.
        ciphertext: As the sender's envelope held it.
    """

    inbox_seq: int
    prev: int
    chat: bytes
    chat_seq: int
    class_: int
    sender: bytes
    sender_device: int
    registration_id: int
    client_msg_id: bytes
    sent_at: int
    ciphertext: bytes
    unknown: tuple[tuple[int, bytes], ...] = ()

    def __repr__(self) -> str:
        return shown(self, (
            "inbox_seq",
            "prev",
            "chat",
            "chat_seq",
            "class_",
            "sender",
            "sender_device",
            "registration_id",
            "client_msg_id",
            "sent_at",
        ))


class Ack(Struct, frozen=True, gc=False):
    """Everything up to this position is stored, durably.

    Attributes:
        position: Highest position stored; cumulative, never above what was delivered.
    """

    position: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class Missed(Struct, frozen=True, gc=False):
    """An inbox entry: a message that has no envelope for this device.

    Attributes:
        inbox_seq: Position in this device's inbox.
        prev: The device's preceding position; a hole is seen by it. 0: none.
        chat: Chat id.
        chat_seq: Position in the chat.
        class_: What it is for.
        sender: Account that sent it.
        sender_device: Device that sent it.
        client_msg_id: UUIDv7 by the sending client, in server-corrected time.
        sent_at: The server's time for it.
    """

    inbox_seq: int
    prev: int
    chat: bytes
    chat_seq: int
    class_: int
    sender: bytes
    sender_device: int
    client_msg_id: bytes
    sent_at: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class Undelivered(Struct, frozen=True, gc=False):
    """An inbox entry for the sender: an accepted message did not reach a device.

    Attributes:
        inbox_seq: Position in this device's inbox.
        prev: The device's preceding position; a hole is seen by it. 0: none.
        chat: Chat id.
        client_msg_id: UUIDv7 by the sending client, in server-corrected time.
        user: Whose device it is.
        device: The device; 0: all of the user's.
        reason: Why.
    """

    inbox_seq: int
    prev: int
    chat: bytes
    client_msg_id: bytes
    user: bytes
    device: int
    reason: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class Unreadable(Struct, frozen=True, gc=False):
    """An inbox entry that can't be expressed at this connection's revision. Acknowledged as a
    stub.

    Attributes:
        inbox_seq: Position in this device's inbox.
        prev: The device's preceding position; a hole is seen by it. 0: none.
    """

    inbox_seq: int
    prev: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class Gap(Struct, frozen=True, gc=False):
    """Positions that will not be delivered.

    Attributes:
        first: First position that is missing.
        last: Last position that is missing.
        reason: Why.
    """

    first: int
    last: int
    reason: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class InboxEmpty(Struct, frozen=True, gc=False):
    """Everything the inbox holds was sent on this connection.

    Attributes:
        last: Last position of the inbox.
    """

    last: int
    unknown: tuple[tuple[int, bytes], ...] = ()


class Receipt(Struct, frozen=True, gc=False):
    """A hint that a delivered mark moved; neither stored nor acknowledged.

    Attributes:
        mark: The new mark.
    """

    mark: Mark
    unknown: tuple[tuple[int, bytes], ...] = ()


class ReceiptsGet(Struct, frozen=True, gc=False):
    """Asks for the delivered marks of chats.

    Attributes:
        chats: Chat ids.
    """

    chats: tuple[bytes, ...]
    unknown: tuple[tuple[int, bytes], ...] = ()


class Receipts(Struct, frozen=True, gc=False):
    """Delivered marks; chats the account is not in are left out.

    Attributes:
        marks: By chat, then user.
    """

    marks: tuple[Mark, ...]
    unknown: tuple[tuple[int, bytes], ...] = ()


Message: TypeAlias = (
    Hello
    | Welcome
    | Reject
    | Error
    | Goaway
    | Ping
    | Pong
    | Auth
    | AuthOk
    | Register
    | ReRegister
    | DeleteAccount
    | AccountDeleted
    | UsernameClaim
    | UsernameResolve
    | UsernameResolved
    | UsernameOf
    | PrekeysUpload
    | PrekeysStored
    | PrekeysCount
    | PrekeysClaim
    | Bundles
    | PrekeysLow
    | DeviceListPublish
    | DeviceListPublished
    | DeviceListGet
    | DeviceLists
    | Send
    | Sequenced
    | Refused
    | Deliver
    | Ack
    | Missed
    | Undelivered
    | Unreadable
    | Gap
    | InboxEmpty
    | Receipt
    | ReceiptsGet
    | Receipts
)
"""Any message."""
