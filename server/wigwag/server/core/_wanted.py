"""Which rows the folds of a group will read that are not in memory.

Folding is optimistic: usually everything is in memory. When a fold raises
RowMissing, the engine asks here what that record and all behind it will need, reads
it, one query a key on the writer, and asks again, since rows lead to other rows,
until nothing is wanted; then it folds on. What the group has changed so far is in
memory and stays there, so a read in its midst finds only rows that it has not.
"""

from collections.abc import Hashable, Sequence
from typing import Any, TypeAlias, assert_never

from wigwag.server.core._connect import must_move
from wigwag.server.core._draft import (
    doomed_key,
    expired_key,
    portion_key,
    read_key,
    upto_key,
    whole_key,
)
from wigwag.server.core._inbox_drop import RETENTION_MS, scan_key
from wigwag.server.core._limits import (
    DROP_ENTRIES_MAX,
    LISTS_MAX,
    MOVE_ENTRIES_MAX,
)
from wigwag.server.core._prekeys import EC_KIND, KEM_KIND, page_key, without_void
from wigwag.server.core._requests import (
    AccountDelete,
    AccountLookup,
    Ack,
    Connect,
    DeviceListGet,
    DeviceListPublish,
    DeviceLookup,
    InboxRead,
    InviteCreate,
    PrekeysClaim,
    PrekeysCount,
    PrekeysUpload,
    ReceiptsGet,
    Register,
    Request,
    ReRegister,
    Send,
    Status,
    Tick,
    UsernameClaim,
    UsernameOf,
    UsernameResolve,
)
from wigwag.server.core._rows import (
    ACCOUNTS,
    CHATS,
    COUNTS,
    DELETED,
    DEVICES,
    HEADS,
    INVITES,
    LISTS,
    MARKS,
    NAMES,
    OPENED,
    PAGES,
    PREKEYS,
    ROSTERS,
    SCANS,
    SENDERS,
    SENT,
    SHARES,
    SLICES,
    AnyEntry,
    KeyT,
    PrekeyRow,
    RosterRow,
    RowT,
    SliceKey,
    Table,
    list_key,
    sent_key,
)
from wigwag.server.core._state import ABSENT, State
from wigwag.server.core._values import (
    CLASS_OPERATION,
    USER_BYTES,
    Device,
    MessageId,
    Position,
    User,
    device_of,
)

Wanted: TypeAlias = dict[Table[Any, Any], dict[Hashable, Position]]
"""By table: the keys to read. The value is the floor of a slice: read above it."""


class Wish:
    """Collects what a group lacks."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.keys: Wanted = {}
        # Ids that earlier records of the group will have made known, by sender.
        self._high: dict[Device, MessageId] = {}

    def row(self, table: Table[KeyT, RowT], key: KeyT) -> RowT | None:
        """Return a row; what isn't in memory is noted as wanted, and None for now."""
        found = self.state.caches[table.index].get(key)
        if found is ABSENT:
            self.keys.setdefault(table, {})[key] = 0
            return None
        return found  # type: ignore[return-value]  # the cache is keyed by table

    def slice(self, key: SliceKey, floor: Position) -> Sequence[AnyEntry]:
        """Return a slice's entries, damaged ones too; () for now if it is wanted."""
        found = self.state.slice_of(key)
        if found is None:
            self.keys.setdefault(SLICES, {})[key] = floor
            return ()
        return (*found.entries, *found.damaged)

    def send(self, send: Send) -> None:
        """Note what a SEND lacks."""
        sender = self.row(SENDERS, send.sender)
        high = self._high.get(send.sender) or (sender.high if sender else b"")
        if not sender or send.client_msg_id <= high:
            self.row(SENT, sent_key(send.sender, send.client_msg_id, send.chat))
        else:
            self._high[send.sender] = send.client_msg_id
        own = send.sender[:USER_BYTES]
        is_sequenced = send.class_ <= CLASS_OPERATION
        if self.row(CHATS, send.chat) is None and is_sequenced:
            self.row(OPENED, own)
        is_lost = False
        for user in send.users:
            roster = self.row(ROSTERS, user)
            self.row(MARKS, send.chat + user)
            if is_sequenced:
                self._heads(user, roster)
        for one in send.envelopes:
            device = device_of(one.user, one.device)
            head = self.row(HEADS, device)
            if head is None:
                is_lost = True
                continue
            size = head.size + len(one.ciphertext)
            if size > self.state.limits.sender_bytes_max:
                self.row(SHARES, device)
            is_lost = is_lost or head.is_suspended
            if not is_sequenced:
                roster = self.state.peek(ROSTERS, one.user) or ()
                is_lost = is_lost or (one.device, one.registration_id) not in roster
        if is_lost:
            self._heads(own, self.row(ROSTERS, own))

    def _heads(self, user: User, roster: RosterRow | None) -> None:
        for number, _ in roster or ():
            self.row(HEADS, device_of(user, number))

    def ack(self, device: Device, upto: Position) -> None:
        """Note what moving a cursor lacks."""
        head = self.row(HEADS, device)
        if head is None or upto <= head.floor:
            return
        entries: Sequence[AnyEntry]
        if self.state.covers(device, head, head.floor):
            tail = self.state.tails.get(device)
            entries = () if tail is None else tail.entries
        else:
            entries = self.slice(upto_key(device, upto), head.floor)
        self._marks(device[:USER_BYTES], entries)

    def _marks(self, user: User, entries: Sequence[AnyEntry]) -> None:
        for entry in entries:
            if entry.chat_seq and entry.sender[:USER_BYTES] != user:
                self.row(MARKS, entry.chat + user)

    def dropped(self, device: Device, entries: Sequence[AnyEntry]) -> None:
        """Note what reporting dropped entries lacks."""
        self._marks(device[:USER_BYTES], entries)
        for sender in dict.fromkeys(entry.sender[:USER_BYTES] for entry in entries):
            if sender:
                self._heads(sender, self.row(ROSTERS, sender))

    def connect(self, request: Connect) -> None:
        """Note what a sign-in lacks."""
        device = request.device
        self.connected(device)
        self.row(DEVICES, device)
        self.ack(device, request.cursor)
        head = self.state.peek(HEADS, device)
        if head is None or request.cursor <= head.acked:
            return
        # Only a cursor that proves a restore needs the entries themselves.
        if must_move(self.state, request.cursor):
            key = whole_key(device, MOVE_ENTRIES_MAX)
            self.slice(key, head.floor)
            found = self.state.peek(SLICES, key)
            self.dropped(device, found.damaged if found is not None else ())

    def connected(self, device: Device) -> None:
        """Note what the answer to a sign-in lacks."""
        self.row(SENDERS, device)
        self.row(HEADS, device)
        self.row(PREKEYS, device)
        self.row(ACCOUNTS, device[:USER_BYTES])

    def drop_inbox(self, device: Device) -> None:
        """Note what dropping an inbox lacks."""
        head = self.row(HEADS, device)
        if head is not None and head.last > head.acked:
            key = portion_key(device, DROP_ENTRIES_MAX)
            self.dropped(device, self.slice(key, head.floor))

    def read(self, request: InboxRead) -> None:
        """Note what reading an inbox lacks."""
        head = self.row(HEADS, request.device)
        if head is None:
            return
        above = max(request.above, head.floor)
        if self.state.covers(request.device, head, above):
            return
        key = read_key(request.device, above, request.count_max, request.bytes_max)
        self.slice(key, head.floor)
        found = self.state.peek(SLICES, key)
        if found is not None and found.damaged:
            self.dropped(request.device, found.damaged)

    def publish(self, request: DeviceListPublish) -> None:
        """Note what publishing a device list lacks."""
        user = request.device[:USER_BYTES]
        account = self.row(ACCOUNTS, user)
        self.row(ROSTERS, user)
        if account is None:
            return
        self.row(LISTS, list_key(user, account.list_seq))
        for number in account.numbers:
            if number not in request.numbers:
                self._removal(device_of(user, number))

    def _removal(self, gone: Device) -> None:
        self.row(DEVICES, gone)
        self.row(SENDERS, gone)
        self.row(PREKEYS, gone)
        self.drop_inbox(gone)

    def delete(self, user: User) -> None:
        """Note what deleting an account lacks."""
        self.row(DELETED, user)
        account = self.row(ACCOUNTS, user)
        self.row(ROSTERS, user)
        for number in () if account is None else account.numbers:
            self._removal(device_of(user, number))

    def name(self, name: str) -> None:
        """Note what is asked about a username: also whether its owner is gone."""
        owner = self.row(NAMES, name)
        if owner is not None:
            self.row(DELETED, owner)

    def lists(self, request: DeviceListGet) -> None:
        """Note what fetching device lists lacks."""
        account = self.row(ACCOUNTS, request.user)
        self.row(ROSTERS, request.user)
        if account is None:
            return
        first = request.above + 1 if request.above else account.list_seq
        for seq in range(first, min(account.list_seq, first + LISTS_MAX - 1) + 1):
            self.row(LISTS, list_key(request.user, seq))

    def claim(self, request: PrekeysClaim) -> None:
        """Note what claiming prekeys lacks."""
        self.row(SENDERS, request.device)
        self.row(ACCOUNTS, request.user)
        for number, _ in self.row(ROSTERS, request.user) or ():
            device = device_of(request.user, number)
            prekeys = self.row(PREKEYS, device)
            if prekeys is not None and request.one_time:
                self._pages(device, prekeys)

    def _pages(self, device: Device, prekeys: PrekeyRow) -> None:
        live = without_void(prekeys, self.state.void_below)
        for page in live.ec_pages[:1]:
            self.row(PAGES, page_key(device, EC_KIND, page.first_id))
        for page in live.kem_pages[:1]:
            self.row(PAGES, page_key(device, KEM_KIND, page.first_id))

    def receipts(self, request: ReceiptsGet) -> None:
        """Note what fetching delivered marks lacks."""
        for chat in request.chats:
            row = self.row(CHATS, chat)
            if row is not None and request.user in row.users:
                for user in row.users:
                    self.row(MARKS, chat + user)

    def tick(self, request: Tick) -> None:
        """Note what a tick lacks."""
        now_ms = self.state.clock_ms
        scan = self.row(SCANS, scan_key(request, now_ms))
        for device in () if scan is None else scan.devices:
            head = self.row(HEADS, device)
            if head is None:
                continue
            if head.doomed:
                key = doomed_key(device, head.doomed, DROP_ENTRIES_MAX)
                self.dropped(device, self.slice(key, 0))
                self.row(DELETED, device[:USER_BYTES])
            else:
                key = expired_key(device, now_ms - RETENTION_MS, DROP_ENTRIES_MAX)
                self.dropped(device, self.slice(key, head.floor))


def wanted(requests: Sequence[Request], state: State) -> Wanted:
    """Return the keys that the folds of these records need and memory lacks."""
    wish = Wish(state)
    for request in requests:
        _note(wish, request)
    return wish.keys


def _note(wish: Wish, request: Request) -> None:
    match request:
        case Send():
            wish.send(request)
        case Ack():
            wish.row(SENDERS, request.device)
            head = wish.row(HEADS, request.device)
            if head is not None and request.position <= head.last:
                wish.ack(request.device, request.position)
        case InboxRead():
            wish.read(request)
        case Connect():
            wish.connect(request)
        case DeviceLookup():
            wish.row(DEVICES, request.device)
            wish.connected(request.device)
        case ReceiptsGet():
            wish.receipts(request)
        case Tick():
            wish.tick(request)
        case Status():
            wish.row(COUNTS, None)
        case _:
            _note_directory(wish, request)


def _note_directory(
    wish: Wish,
    request: Register
    | ReRegister
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
    | InviteCreate,
) -> None:
    match request:
        case Register():
            wish.connected(request.device)
            wish.row(DEVICES, request.device)
            wish.row(DELETED, request.device[:USER_BYTES])
            if request.invite is not None:
                wish.row(INVITES, request.invite)
            if request.once is not None:
                wish.row(INVITES, request.once.digest)
        case ReRegister():
            wish.connected(request.device)
            wish.row(DEVICES, request.device)
            wish.row(ROSTERS, request.device[:USER_BYTES])
            wish.drop_inbox(request.device)
        case AccountLookup():
            wish.row(ACCOUNTS, request.user)
            wish.row(DELETED, request.user)
        case AccountDelete():
            wish.delete(request.user)
        case UsernameClaim():
            wish.row(ACCOUNTS, request.user)
            wish.name(request.name)
        case UsernameResolve():
            wish.name(request.name)
        case UsernameOf():
            wish.row(ACCOUNTS, request.user)
        case DeviceListPublish():
            wish.publish(request)
        case DeviceListGet():
            wish.lists(request)
        case PrekeysUpload():
            wish.row(SENDERS, request.device)
            wish.row(PREKEYS, request.device)
            wish.row(ROSTERS, request.device[:USER_BYTES])
        case PrekeysCount():
            wish.row(PREKEYS, request.device)
        case PrekeysClaim():
            wish.claim(request)
        case InviteCreate():
            pass
        case _:
            assert_never(request)
