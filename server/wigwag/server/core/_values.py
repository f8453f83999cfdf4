"""Ids, positions and small values that every fold uses.

Ids are raw bytes: a user (= account) and a chat are 16 bytes, a device is its
user's 16 bytes and its number as one byte. A *position* is `epoch << 32 | n`:
the epoch is new at every start of the engine, n is dense from 1 in each chat
and each inbox. So positions of one chat or inbox rise for ever, and a data
folder that was put back from a copy never hands one out twice.
"""

from typing import Protocol, TypeAlias

import msgspec

User: TypeAlias = bytes
"""16 bytes; `user` and `account` are one id."""
Device: TypeAlias = bytes
"""17 bytes: user, then the device's number 1..127."""
Chat: TypeAlias = bytes
"""16 bytes."""
MessageId: TypeAlias = bytes
"""16 bytes, a UUIDv7 minted by the sending client (client_msg_id)."""
Position: TypeAlias = int
"""u64: epoch << 32 | n. 0: none."""

USER_BYTES = 16
NO_MESSAGE: MessageId = bytes(16)

# Everything a position's low half can say. A log that reaches it opens a new epoch.
ORDINAL_MAX = 0xFFFF_FFFF

# 2026-01-01T00:00:00Z. Epochs count seconds from here, so a u32 lasts until 2162.
EPOCH_ZERO_MS = 1_767_225_600_000

DAY_MS = 86_400_000

# Classes 1 and 2 take a chat_seq and obey `after`; all others, also those that this
# build does not know, are inbox-only (the enum is open with fallback SIGNAL).
CLASS_MESSAGE = 1
CLASS_OPERATION = 2
CLASS_SIGNAL = 3
CLASS_RECEIPT = 4


class EnvelopeLike(Protocol):
    """A ciphertext for one device; the wire's Envelope record fits as it is."""

    @property
    def user(self) -> User: ...
    @property
    def device(self) -> int: ...
    @property
    def registration_id(self) -> int: ...
    @property
    def ciphertext(self) -> bytes: ...


class SignedPrekeyLike(Protocol):
    """A signed X25519 prekey; the wire's SignedPrekey record fits as it is."""

    @property
    def id(self) -> int: ...
    @property
    def key(self) -> bytes: ...
    @property
    def created(self) -> int: ...
    @property
    def expires(self) -> int: ...
    @property
    def signature(self) -> bytes: ...


class EcPrekeyLike(Protocol):
    """A one-time X25519 prekey; the wire's EcPrekey record fits as it is."""

    @property
    def id(self) -> int: ...
    @property
    def key(self) -> bytes: ...


class KemPrekeyLike(Protocol):
    """An ML-KEM prekey; the wire's KemPrekey record fits as it is."""

    @property
    def id(self) -> int: ...
    @property
    def key(self) -> bytes: ...
    @property
    def signature(self) -> bytes: ...


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """A ciphertext for one device."""

    user: User
    device: int
    registration_id: int
    ciphertext: bytes


class SignedPrekey(msgspec.Struct, frozen=True, gc=False):
    """A medium-term X25519 prekey (32 bytes) with the device's signature over it."""

    id: int
    key: bytes
    created: int
    expires: int
    signature: bytes


class EcPrekey(msgspec.Struct, frozen=True, gc=False):
    """A one-time X25519 prekey (32 bytes)."""

    id: int
    key: bytes


class KemPrekey(msgspec.Struct, frozen=True, gc=False):
    """An ML-KEM-1024 prekey (1,568 bytes), one-time or last-resort."""

    id: int
    key: bytes
    signature: bytes
    last_resort: bool = False


class SignedList(msgspec.Struct, frozen=True, gc=False):
    """One signed device list, exactly the bytes that its account signed."""

    seq: int
    blob: bytes
    signature: bytes


class DeviceRef(msgspec.Struct, frozen=True, gc=False):
    """A device and a registration of it."""

    user: User
    device: int
    registration_id: int


class DevicesStale(msgspec.Struct, frozen=True, gc=False):
    """How a SEND's envelopes differ from the devices of the users it names.

    Attributes:
        missing: Devices without an envelope, with their current registration.
        extra: Envelopes for devices that are not there (their own registration).
        stale: Devices whose envelope names another registration; the current one.
        more: There are more than DEVICES_STALE_MAX in one of the three.
    """

    missing: tuple[DeviceRef, ...]
    extra: tuple[DeviceRef, ...]
    stale: tuple[DeviceRef, ...]
    more: bool


class Gap(msgspec.Struct, frozen=True, gc=False):
    """Inbox positions first..last that will not be delivered, and why (GapReason)."""

    first: Position
    last: Position
    reason: int


class Mark(msgspec.Struct, frozen=True, gc=False):
    """How far a user has received a chat (the delivered mark)."""

    chat: Chat
    user: User
    mark: Position


class InboxEntry(msgspec.Struct, frozen=True, gc=False):
    """One numbered entry of a device's inbox.

    Attributes:
        position: Its place in this inbox.
        prev: The device's preceding position; 0: none.
        kind: The wire type of `frame` (DELIVER, MISSED or UNDELIVERED).
        frame: The canonical frame at `revision`, header included, sent as it is.
        chat: Of the message it is about.
        chat_seq: Of the message; 0 for classes 3 and 4 and for UNDELIVERED.
        sender: Device that sent the message; b"" for UNDELIVERED.
        client_msg_id: Of the message.
        ts: The server's time for it, ms since the Unix epoch.
        revision: At which `frame` is encoded.
    """

    position: Position
    prev: Position
    kind: int
    frame: bytes
    chat: Chat
    chat_seq: Position
    sender: Device
    client_msg_id: MessageId
    ts: int
    revision: int

    @property
    def size(self) -> int:
        """Bytes that it counts for, in windows and quotas."""
        return len(self.frame)


_NUMBERS = tuple(bytes((number,)) for number in range(256))


def device_of(user: User, number: int) -> Device:
    """Join a user id and a device number (1..127) to a device."""
    return user + _NUMBERS[number]


def position(epoch: int, ordinal: int) -> Position:
    """Join an epoch and an ordinal to a position."""
    return epoch << 32 | ordinal


def epoch_of(place: Position) -> int:
    """Return a position's epoch."""
    return place >> 32


def next_position(last: Position, epoch: int) -> Position:
    """Return the position after `last`, the first of `epoch` when that is newer."""
    return last + 1 if last >> 32 == epoch else epoch << 32 | 1


def minted_ms(message_id: MessageId) -> int:
    """Return the time in a UUIDv7, ms since the Unix epoch."""
    return int.from_bytes(message_id[:6])


def day_of(time_ms: int) -> int:
    """Return the UTC day of a time, counted from 1970-01-01."""
    return time_ms // DAY_MS


def epoch_at(last_epoch: int, now_ms: int) -> int:
    """Choose a new epoch: max(last + 1, seconds since 2026-01-01)."""
    return max(last_epoch + 1, (now_ms - EPOCH_ZERO_MS) // 1000)
