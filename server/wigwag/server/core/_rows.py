"""The folds' rows, each a frozen value that belongs to one fold.

A fold reads rows by key, makes new ones and never changes one in place; so a
fold that raises leaves nothing behind. `None` for a key means that there is no
such row. How rows lie in tables is the engine's affair.
"""

from collections.abc import Hashable
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from wigwag.server.core._values import (
    Chat,
    Device,
    Gap,
    InboxEntry,
    KemPrekey,
    MessageId,
    Position,
    SignedPrekey,
    User,
)

KeyT = TypeVar("KeyT", bound=Hashable)
RowT = TypeVar("RowT")


class Table(Generic[KeyT, RowT]):
    """A name for rows of one kind.

    Attributes:
        index: Its place in `TABLES`.
        is_kept: Whether its rows stay in memory after their group's commit.
    """

    __slots__ = ("index", "is_kept", "name")

    def __init__(self, name: str, index: int, *, is_kept: bool = True) -> None:
        self.name = name
        self.index = index
        self.is_kept = is_kept

    def __repr__(self) -> str:
        return f"<Table {self.name}>"


# --- chat fold


class ChatRow(msgspec.Struct, frozen=True):
    """A chat: who is in it, its newest position, the chain of each sending device.

    Attributes:
        users: Of a direct chat the two accounts, sorted.
        head: Newest chat_seq; 0: none.
        tails: Device → (registration id, its last sequenced client_msg_id).
    """

    users: tuple[User, ...]
    head: Position
    tails: dict[Device, tuple[int, MessageId]]


class SenderRow(msgspec.Struct, frozen=True, gc=False):
    """What the chat fold knows of a sending device.

    Attributes:
        registration_id: 0 once the device is revoked.
        generation: Highest of the registration.
        high: Highest client_msg_id ever folded: a higher one is new for certain.
        last_id: Newest stored SEND of the registration, any chat and class.
        last_attempt: Its attempt.
    """

    registration_id: int
    generation: int
    high: MessageId
    last_id: MessageId
    last_attempt: int


class SentRow(msgspec.Struct, frozen=True, gc=False):
    """The answer to a client_msg_id, kept for 32 days. Key: device ‖ id ‖ chat."""

    chat_seq: Position
    ts: int
    attempt: int
    registration_id: int
    digest: bytes


OpenedRow: TypeAlias = int
"""How many chats an account opened: those whose first message is one of its own."""


class LogRow(msgspec.Struct, frozen=True, gc=False):
    """A chat-log header: what has a place in a chat, without its bodies."""

    source: Position
    chat: Chat
    chat_seq: Position
    class_: int
    sender: Device
    client_msg_id: MessageId
    ts: int


# --- inbox fold


class HeadRow(msgspec.Struct, frozen=True, gc=False):
    """A device's inbox, without its entries.

    Attributes:
        acked: The cursor.
        last: Last position handed out; 0: none ever.
        size: Frame bytes of the entries above `acked` (and `doomed`).
        contact_ms: When the device last acknowledged or signed in.
        is_suspended: Nothing is stored for it until it signs in.
        doomed: Entries up to here are dropped but not all reported yet (0: none);
            they are never read, and Tick reports and deletes them in portions.
        doomed_reason: UndeliveredReason for them.
        gaps: What its owner must still be told; gone once the cursor passes it.
    """

    acked: Position
    last: Position
    size: int
    contact_ms: int
    is_suspended: bool = False
    doomed: Position = 0
    doomed_reason: int = 0
    gaps: tuple[Gap, ...] = ()

    @property
    def floor(self) -> Position:
        """Entries are read above this."""
        return self.doomed if self.doomed > self.acked else self.acked


class MarkRow(msgspec.Struct, frozen=True, gc=False):
    """A user in a chat, as the inbox fold sees it. Key: chat ‖ user.

    Attributes:
        source: Last log position whose delivery was folded; not above: a replay.
        top: Highest chat_seq ever addressed to the user.
        pending: Runs (first, last) of chat_seqs that were addressed to him and that no
            device of his has acknowledged and no UNDELIVERED named; rising.
    """

    source: Position
    top: Position
    pending: tuple[tuple[Position, Position], ...]


RosterRow: TypeAlias = tuple[tuple[int, int], ...]
"""A user's reachable devices: (number, registration id), by rising number."""

SharesRow: TypeAlias = dict[User, int]
"""Frame bytes in one device's inbox by sending account; kept only while the inbox
is larger than one account's share may be."""


class EntryHead(msgspec.Struct, frozen=True, gc=False):
    """An inbox entry without its frame (fields as InboxEntry)."""

    position: Position
    kind: int
    chat: Chat
    chat_seq: Position
    sender: Device
    client_msg_id: MessageId
    ts: int
    size: int


AnyEntry: TypeAlias = InboxEntry | EntryHead


class SliceKey(msgspec.Struct, frozen=True, gc=False):
    """Which stored entries of an inbox a fold wants, oldest first.

    Attributes:
        above: Positions above this (the wish carries the device's floor besides).
        upto: Positions up to this.
        before_ms: Entries older than this.
        count_max: At most so many.
        bytes_max: Stop once their records have so many bytes.
        has_frames: With frames, checked; else headers.
    """

    device: Device
    above: Position
    upto: Position
    before_ms: int
    count_max: int
    bytes_max: int
    has_frames: bool


class Slice(msgspec.Struct, frozen=True):
    """What is stored for a SliceKey.

    Attributes:
        entries: InboxEntry with frames, else EntryHead.
        damaged: Entries whose checksum failed, in their order; not in `entries`.
        is_whole: Nothing more was there than fitted.
    """

    entries: tuple[AnyEntry, ...]
    damaged: tuple[EntryHead, ...]
    is_whole: bool


class ScanKey(msgspec.Struct, frozen=True, gc=False):
    """Which devices a tick has to look at: above `after`, at most `count_max`."""

    after: Device
    before_ms: int
    count_max: int


class Scan(msgspec.Struct, frozen=True, gc=False):
    """What a scan found: devices, rising, and where the next begins (None: the end)."""

    devices: tuple[Device, ...]
    next: Device | None


# --- directory fold


class AccountRow(msgspec.Struct, frozen=True, gc=False):
    """An account.

    Attributes:
        digest: SHA-256 of the REGISTER body[128:] that made it.
        list_seq: Newest device list.
        numbers: Registered devices that are not revoked, rising.
        name: Username; "": none.
    """

    account_key: bytes
    digest: bytes
    created_ms: int
    list_seq: int
    numbers: tuple[int, ...]
    name: str


class DeletedRow(msgspec.Struct, frozen=True, gc=False):
    """What is left of a deleted account: who may ask about it, and since when."""

    account_key: bytes
    deleted_ms: int


class DeviceRow(msgspec.Struct, frozen=True, gc=False):
    """A registered device's public keys."""

    signing_key: bytes
    agreement_key: bytes
    created_ms: int
    is_revoked: bool


class ListRow(msgspec.Struct, frozen=True, gc=False):
    """A signed device list. Key: user ‖ seq as u64."""

    blob: bytes
    signature: bytes
    hash: bytes


class InviteRow(msgspec.Struct, frozen=True, gc=False):
    """An invite, key: SHA-256 of its code. Or a used proof, key: `ProofUse.digest`.

    A proof that is good for one registration is an invite that nobody stored before
    it was used: it has no uses left, and is kept until it would have ended anyway.
    """

    uses_left: int
    expires_ms: int


class PageRef(msgspec.Struct, frozen=True, gc=False):
    """A page of one-time prekeys: first id, number of keys, epoch of its upload."""

    first_id: int
    count: int
    epoch: int


class PageRow(msgspec.Struct, frozen=True, gc=False):
    """A page of one-time prekeys, never changed: equal records one after the other."""

    epoch: int
    keys: bytes


class PrekeyRow(msgspec.Struct, frozen=True, gc=False):
    """A device's prekeys; `*_next` is the index of the next key of the first page."""

    signed: SignedPrekey
    last_resort: KemPrekey | None
    ec_highest: int
    kem_highest: int
    ec_pages: tuple[PageRef, ...]
    ec_next: int
    kem_pages: tuple[PageRef, ...]
    kem_next: int


class Counts(msgspec.Struct, frozen=True, gc=False):
    """What Status asks the tables for."""

    accounts: int
    devices: int
    chats: int
    inbox_bytes: int
    database_bytes: int


CHATS = Table[Chat, ChatRow]("chat", 0)
SENDERS = Table[Device, SenderRow]("sender", 1)
SENT = Table[bytes, SentRow]("sent_index", 2, is_kept=False)
HEADS = Table[Device, HeadRow]("inbox_head", 3)
MARKS = Table[bytes, MarkRow]("mark", 4)
ROSTERS = Table[User, RosterRow]("roster", 5)
SHARES = Table[Device, SharesRow]("shares", 6)
SLICES = Table[SliceKey, Slice]("slice", 7, is_kept=False)
SCANS = Table[ScanKey, Scan]("scan", 8, is_kept=False)
ACCOUNTS = Table[User, AccountRow]("account", 9)
DEVICES = Table[Device, DeviceRow]("device", 10)
LISTS = Table[bytes, ListRow]("device_list", 11)
NAMES = Table[str, User]("username", 12)
INVITES = Table[bytes, InviteRow]("invite", 13)
PREKEYS = Table[Device, PrekeyRow]("prekey_base", 14)
PAGES = Table[bytes, PageRow]("prekey_page", 15, is_kept=False)
COUNTS = Table[None, Counts]("counts", 16, is_kept=False)
DELETED = Table[User, DeletedRow]("deleted_account", 17)
OPENED = Table[User, OpenedRow]("opened_chats", 18)

TABLES: tuple[Table[Any, Any], ...] = (
    *(CHATS, SENDERS, SENT, HEADS, MARKS, ROSTERS, SHARES, SLICES, SCANS),
    *(ACCOUNTS, DEVICES, LISTS, NAMES, INVITES, PREKEYS, PAGES, COUNTS),
    *(DELETED, OPENED),
)

# Rows of these are answers of a query, not stored under their key.
VIRTUAL_TABLES: tuple[Table[Any, Any], ...] = (SHARES, SLICES, SCANS, COUNTS)


def list_key(user: User, seq: int) -> bytes:
    """Return the key of a device list."""
    return user + seq.to_bytes(8)


def sent_key(sender: Device, message_id: MessageId, chat: Chat) -> bytes:
    """Return the key of a sent-index entry: the sender first, its ids rising."""
    return sender + message_id + chat
