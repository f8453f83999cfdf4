"""Folds over a dictionary: the smallest thing that answers what they want.

`World` stands for the engine without its database. Rows live in dictionaries; what
folds change is taken over after each group, as a commit would. A forgetful world
keeps nothing in memory between groups, so that every row is read again.
"""

from collections.abc import Hashable
from typing import Any, TypeVar, cast

from wigwag.server.core import (
    Answer,
    Changes,
    Connect,
    Connected,
    Device,
    EcPrekey,
    EngineLimits,
    Entries,
    Envelope,
    Event,
    InboxEntry,
    InboxRead,
    KemPrekey,
    Meta,
    Outcome,
    PrekeysUpload,
    Register,
    Request,
    RowMissing,
    Send,
    Sequenced,
    SignedPrekey,
    State,
    User,
    device_of,
    fold,
    rows,
    wanted,
)
from wigwag.server.core._state import Tail
from wigwag.wire import DRAFT, suite1

Kind = TypeVar("Kind")

START_MS = 1_800_000_000_000
DAY_MS = 86_400_000
EPOCH = 32_774_400  # seconds from 2026-01-01 to START_MS
ALICE: User = b"A" * 16
BOB: User = b"B" * 16
CAROL: User = b"C" * 16
ALICE_1 = device_of(ALICE, 1)
ALICE_2 = device_of(ALICE, 2)
BOB_1 = device_of(BOB, 1)
BOB_2 = device_of(BOB, 2)
CAROL_1 = device_of(CAROL, 1)
REGISTRATION = 7
NO_ID = bytes(16)
CHAT = suite1.direct_chat_id(ALICE, BOB)


class World:
    """A log, its tables and its time.

    Attributes:
        now_ms: The time of the next group.
        events: What happened, in order.
        changes: Of the last group.
        is_forgetful: Whether memory is emptied after each group.
    """

    state: State

    def __init__(
        self, limits: EngineLimits | None = None, *, is_forgetful: bool = False
    ) -> None:
        self.now_ms = START_MS
        self.is_forgetful = is_forgetful
        self.limits = limits or EngineLimits()
        self.tables: dict[rows.Table[Any, Any], dict[Any, Any]] = {
            table: {} for table in rows.TABLES
        }
        self.inboxes: dict[Device, dict[int, InboxEntry]] = {}
        self.damaged: set[tuple[Device, int]] = set()
        self.quarantined: list[tuple[Device, int]] = []
        self.log: list[rows.LogRow] = []
        self.epochs: tuple[int, ...] = ()
        self.events: list[Event] = []
        self.outcomes: list[Outcome] = []
        self.ids = 0
        self.changes = Changes()
        self.restart()

    def restart(self) -> None:
        """Start anew, in a new epoch, with nothing in memory."""
        void_below = self.state.void_below if self.epochs else 0
        self.state = State(
            Meta(self.now_ms, void_below, self.epochs), self.limits, DRAFT
        )
        self.state.open_epoch(
            max(self.state.epoch + 1, EPOCH + (self.now_ms - START_MS) // 1000)
        )
        self.epochs = tuple(sorted(self.state.epochs))

    def group(self, *requests: Request) -> list[Answer]:
        """Fold requests as one group and take its changes over."""
        state = self.state
        state.begin_group(self.now_ms)
        outcomes: list[Outcome] = []
        while len(outcomes) < len(requests):
            try:
                outcomes.append(fold(requests[len(outcomes)], state))
            except RowMissing as missing:
                self._load(requests[len(outcomes) :], missing)
        state.end_group()
        self.changes = state.changes
        self._commit()
        state.saved()
        if self.is_forgetful:
            state.forget_everything()
        self.outcomes = outcomes
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
            self.events += outcome.events
        return [outcome.answer for outcome in outcomes]

    def ask(self, request: Request) -> Answer:
        """Fold one request as a group of its own."""
        return self.group(request)[0]

    def expect(self, kind: type[Kind], request: Request) -> Kind:
        """Fold one request and check the kind of its answer."""
        answer = self.ask(request)
        assert isinstance(answer, kind), answer
        return answer

    def _load(self, requests: tuple[Request, ...], missing: RowMissing) -> None:
        for _ in range(8):
            keys = wanted(requests, self.state)
            if not keys:
                break
            for table, named in keys.items():
                for key, floor in named.items():
                    self.state.load(table, key, self._row(table, key, floor))
        assert self.state.is_known(missing.table, missing.key), missing

    def _row(
        self, table: rows.Table[Any, Any], key: Hashable, floor: int
    ) -> object | None:
        if isinstance(key, rows.SliceKey):
            return self._slice(key, floor)
        if isinstance(key, rows.ScanKey):
            return self._scan(key)
        if table is rows.COUNTS:
            count = len(self.tables[rows.ACCOUNTS])
            return rows.Counts(count, count, len(self.tables[rows.CHATS]), 0, 0)
        if table is rows.SHARES:
            assert isinstance(key, bytes)
            head = self.tables[rows.HEADS][key]
            shares: dict[User, int] = {}
            for entry in self.inboxes.get(key, {}).values():
                if entry.position > head.floor and entry.sender:
                    user = entry.sender[:16]
                    shares[user] = shares.get(user, 0) + entry.size
            return shares
        return self.tables[table].get(key)

    def _slice(self, key: rows.SliceKey, floor: int) -> rows.Slice:
        above = max(key.above, floor)
        found: list[rows.AnyEntry] = []
        damaged: list[rows.EntryHead] = []
        size = 0
        for position, entry in sorted(self.inboxes.get(key.device, {}).items()):
            if not above < position <= key.upto:
                continue
            if entry.ts >= key.before_ms:
                break
            size += entry.size
            is_over = size > key.bytes_max and (found or damaged)
            if len(found) + len(damaged) >= key.count_max or is_over:
                return rows.Slice(tuple(found), tuple(damaged), is_whole=False)
            if (key.device, position) in self.damaged and key.has_frames:
                damaged.append(head_of(entry))
            else:
                found.append(entry if key.has_frames else head_of(entry))
        return rows.Slice(tuple(found), tuple(damaged), is_whole=True)

    def _scan(self, key: rows.ScanKey) -> rows.Scan:
        found = sorted(
            device
            for device, head in self.tables[rows.HEADS].items()
            if device > key.after
            and (head.doomed or self._oldest_ms(device) < key.before_ms)
        )
        devices = tuple(found[: key.count_max])
        return rows.Scan(devices, devices[-1] if len(found) > len(devices) else None)

    def _oldest_ms(self, device: Device) -> int:
        inbox = self.inboxes.get(device)
        return inbox[min(inbox)].ts if inbox else self.now_ms

    def _commit(self) -> None:
        changes = self.state.changes
        self.epochs = tuple(sorted({*self.epochs, *changes.epochs}))
        for table, dirty in zip(rows.TABLES, changes.rows, strict=True):
            for key, row in dirty.items():
                if row is None:
                    self.tables[table].pop(key, None)
                else:
                    self.tables[table][key] = row
        for device, entry in changes.entries:
            inbox = self.inboxes.setdefault(device, {})
            assert entry.position not in inbox
            inbox[entry.position] = entry
        self.log += changes.log
        for device, position in changes.quarantined:
            del self.inboxes[device][position]
            self.quarantined.append((device, position))
        for device, above, upto in changes.trims:
            inbox = self.inboxes.get(device, {})
            for position in [one for one in inbox if above < one <= upto]:
                del inbox[position]

    # What tests do all the time.

    def register(self, device: Device, registration: int = REGISTRATION) -> None:
        """Register an account's first device and make it reachable."""
        self.expect(Connected, register(device, registration))
        self.ask(upload(device, registration))

    def add_device(self, device: Device, registration: int = REGISTRATION) -> None:
        """Give an account another device, as linking will."""
        user, number = device[:16], device[16]
        account = self.tables[rows.ACCOUNTS][user]
        self.tables[rows.ACCOUNTS][user] = rows.AccountRow(
            account.account_key,
            account.digest,
            account.created_ms,
            account.list_seq,
            tuple(sorted((*account.numbers, number))),
            account.name,
        )
        key = rows.DeviceRow(b"s" * 32, b"a" * 32, self.now_ms, is_revoked=False)
        self.tables[rows.DEVICES][device] = key
        self.tables[rows.SENDERS][device] = rows.SenderRow(
            registration, 1, NO_ID, NO_ID, 0
        )
        self.tables[rows.HEADS][device] = rows.HeadRow(0, 0, 0, self.now_ms)
        self.tables[rows.PREKEYS][device] = rows.PrekeyRow(
            signed_prekey(1), None, 0, 0, (), 0, (), 0
        )
        self.state.forget_everything()
        self.ask(upload(device, registration))

    def id(self) -> bytes:
        """Mint the next client_msg_id, at the present time."""
        self.ids += 1
        return message_id(self.now_ms, self.ids)

    def sent(self, *envelopes: Envelope, **fields: object) -> Sequenced:
        """Send from Alice to Bob and check that it is sequenced."""
        return self.expect(Sequenced, self.send(*envelopes, **fields))

    def send(self, *envelopes: Envelope, **fields: object) -> Send:
        """Make a SEND from Alice to Bob, at the end of her chain."""
        sender = cast("Device", fields.get("sender", ALICE_1))
        chat = fields.get("chat", CHAT)
        row = self.tables[rows.CHATS].get(chat)
        tail = row.tails.get(sender, (0, NO_ID))[1] if row else NO_ID
        if fields.get("class_", 1) not in (1, 2):
            tail = NO_ID
        values: dict[str, Any] = {
            "sender": sender,
            "registration_id": REGISTRATION,
            "generation": 1,
            "chat": chat,
            "client_msg_id": fields.get("client_msg_id") or self.id(),
            "attempt": 1,
            "after": tail,
            "class_": 1,
            "users": tuple(sorted({one.user for one in envelopes})) or (BOB,),
            "envelopes": envelopes or (envelope(BOB_1),),
        }
        values.update(fields)
        return Send(**values)

    def read(self, device: Device, above: int = 0) -> tuple[InboxEntry, ...]:
        """Read an inbox whole, in portions that test their bounds."""
        entries: list[InboxEntry] = []
        while True:
            answer = self.ask(InboxRead(device, above, 3, 1 << 20))
            assert isinstance(answer, Entries)
            found = answer.entries
            if not found:
                return tuple(entries)
            entries += found
            above = found[-1].position

    def connect(self, device: Device, cursor: int, **fields: object) -> Connected:
        """Sign in with the next generation."""
        return self.expect(Connected, self.sign_in(device, cursor, **fields))

    def sign_in(self, device: Device, cursor: int, **fields: object) -> Connect:
        """Make a sign-in with the next generation."""
        sender = self.tables[rows.SENDERS][device]
        values: dict[str, Any] = {
            "registration_id": sender.registration_id,
            "generation": sender.generation + 1,
        }
        values.update(fields)
        return Connect(device, cursor=cursor, **values)

    def head(self, device: Device) -> rows.HeadRow:
        """Return an inbox's head."""
        head = self.tables[rows.HEADS][device]
        assert isinstance(head, rows.HeadRow)
        return head

    def tail(self, device: Device) -> Tail | None:
        """Return what memory holds of an inbox."""
        return self.state.tails.get(device)


def head_of(entry: InboxEntry) -> rows.EntryHead:
    """Return an entry without its frame."""
    return rows.EntryHead(
        entry.position,
        entry.kind,
        entry.chat,
        entry.chat_seq,
        entry.sender,
        entry.client_msg_id,
        entry.ts,
        entry.size,
    )


def message_id(time_ms: int, number: int) -> bytes:
    """Return a UUIDv7 of a time."""
    return time_ms.to_bytes(6) + b"\x70\x00\x80" + number.to_bytes(7)


def envelope(
    device: Device, text: bytes = b"ciphertext", registration: int = REGISTRATION
) -> Envelope:
    """Make a ciphertext for a device."""
    return Envelope(device[:16], device[16], registration, text)


def signed_prekey(number: int) -> SignedPrekey:
    """Make a signed prekey."""
    return SignedPrekey(number, b"k" * 32, START_MS, START_MS + DAY_MS, b"s" * 64)


def ec_prekeys(*numbers: int) -> tuple[EcPrekey, ...]:
    """Make one-time X25519 prekeys whose bytes tell their ids."""
    return tuple(EcPrekey(number, bytes((number,)) * 32) for number in numbers)


def kem_prekeys(*numbers: int) -> tuple[KemPrekey, ...]:
    """Make one-time ML-KEM prekeys whose bytes tell their ids."""
    return tuple(
        KemPrekey(number, bytes((number,)) * 1568, b"S" * 64) for number in numbers
    )


def last_resort(number: int) -> KemPrekey:
    """Make a last-resort ML-KEM prekey."""
    return KemPrekey(number, b"L" * 1568, b"S" * 64, last_resort=True)


def register(
    device: Device, registration: int = REGISTRATION, **fields: object
) -> Register:
    """Make a REGISTER."""
    values: dict[str, Any] = {
        "account_key": b"a" * 32,
        "registration_id": registration,
        "generation": 1,
        "signing_key": b"s" * 32,
        "agreement_key": b"g" * 32,
        "list_blob": b"list 1",
        "list_signature": b"l" * 64,
        "list_hash": b"1" * 32,
        "signed_prekey": signed_prekey(1),
        "digest": b"d" * 32,
        "invite": None,
    }
    values.update(fields)
    return Register(device, **values)


def upload(device: Device, registration: int = REGISTRATION) -> PrekeysUpload:
    """Make the upload that makes a device reachable."""
    return PrekeysUpload(device, registration, (), (), None, last_resort(1))
