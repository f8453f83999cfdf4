"""The oracle: what an engine must answer, said with dictionaries and sets.

Written from the rules, not from the folds: no rows, no runs, no caches, no tails,
no groups; everything is recomputed from lists of what happened. It covers the
requests that scripts of this folder make.
"""

from dataclasses import dataclass, field

from wigwag.server.core import (
    AccountDelete,
    AccountDeleted,
    Ack,
    Acked,
    Answer,
    Connect,
    Connected,
    Device,
    DeviceRef,
    DevicesStale,
    Dropped,
    Entries,
    Failed,
    Gap,
    GapReason,
    InboxRead,
    Mark,
    Marks,
    ReceiptsGet,
    Refusal,
    Refused,
    Register,
    Request,
    ReRegister,
    RolledBack,
    Send,
    Sequenced,
    Username,
    UsernameClaim,
)
from wigwag.wire import suite1

DAY_MS = 86_400_000
NO_ID = bytes(16)
CHATS_MAX = 5_000


@dataclass
class Entry:
    """What a device was given."""

    position: int
    prev: int
    chat: bytes
    seq: int
    sender: Device
    message: bytes
    text: bytes  # the ciphertext; of an UNDELIVERED b""
    is_report: bool = False


@dataclass
class Box:
    """A device, as a receiver."""

    given: list[Entry] = field(default_factory=list[Entry])
    acked: int = 0
    last: int = 0


class Model:
    """All that was ever accepted."""

    def __init__(self, now_ms: int, epoch: int) -> None:
        self.now_ms = now_ms
        self.epoch = epoch
        self.registration: dict[Device, int] = {}
        self.generation: dict[Device, int] = {}
        self.newest: dict[Device, tuple[bytes, int]] = {}
        self.boxes: dict[Device, Box] = {}
        # (sender, id, chat) → answer, registration, what was sent
        self.answers: dict[
            tuple[Device, bytes, bytes], tuple[Sequenced, int, object]
        ] = {}
        self.heads: dict[bytes, int] = {}
        self.tails: dict[tuple[bytes, Device, int], bytes] = {}
        # (chat, user) → chat_seqs
        self.addressed: dict[tuple[bytes, bytes], set[int]] = {}
        self.settled: dict[tuple[bytes, bytes], set[int]] = {}
        self.names: dict[str, bytes] = {}
        # What a device was before its account was deleted, for whoever still asks.
        self.last_registration: dict[Device, int] = {}
        self.keys: dict[bytes, bytes] = {}
        self.deleted: dict[bytes, int] = {}
        # user → chats whose first message was his
        self.opened: dict[bytes, int] = {}

    def place(self, last: int) -> int:
        """Return the position after `last`."""
        return last + 1 if last >> 32 == self.epoch else (self.epoch << 32) + 1

    def give(self, device: Device, entry: Entry) -> None:
        """Append to an inbox."""
        box = self.boxes[device]
        entry.prev, entry.position = box.last, self.place(box.last)
        box.last = entry.position
        box.given.append(entry)

    def answer(self, request: Request) -> Answer:
        """Say what the engine must answer, and remember what it means."""
        if isinstance(request, AccountDelete):
            return self.delete(request)
        refusal = self.refuse_deleted(request)
        if refusal is not None:
            return refusal
        match request:
            case Send():
                return self.send(request)
            case Ack():
                return self.ack(request)
            case Connect():
                return self.connect(request)
            case ReRegister():
                return self.renew(request)
            case InboxRead():
                return self.read(request)
            case ReceiptsGet():
                return self.marks(request)
            case UsernameClaim():
                owner = self.names.setdefault(request.name, request.user)
                if owner != request.user:
                    return Failed(Refusal.NAME_TAKEN)
                return Username(request.user, request.name)
            case Register():
                self.registration[request.device] = request.registration_id
                self.generation[request.device] = request.generation
                self.boxes[request.device] = Box()
                self.last_registration[request.device] = request.registration_id
                self.keys[request.device[:16]] = request.account_key
                return self.connected(request.device, ())
            case _:
                raise AssertionError(request)

    def delete(self, request: AccountDelete) -> Answer:
        """Forget an account; what waited for it is reported."""
        user = request.user
        if self.keys[user] != request.account_key:
            return Failed(Refusal.AUTH_FAILED)
        if user not in self.deleted:
            self.deleted[user] = self.now_ms
            self.opened.pop(user, None)
            for device in self.devices(user):
                waiting = self.unread(device)
                self.last_registration[device] = self.registration.pop(device)
                del self.generation[device]
                for one in waiting:
                    if not one.is_report:
                        self.report(one.sender[:16], one.chat, one.message)
                self.settle(device, waiting)
                self.boxes[device] = Box()
        return AccountDeleted(self.deleted[user])

    def refuse_deleted(self, request: Request) -> Answer | None:
        """Answer what a device of a deleted account asks; None: it isn't one."""
        answer: Answer
        match request:
            case Send():
                user, answer = request.sender[:16], Dropped()
            case Ack():
                user, answer = request.device[:16], Dropped()
            case UsernameClaim():
                user, answer = request.user, Dropped()
            case Connect() | ReRegister():
                user, answer = request.device[:16], Failed(Refusal.AUTH_FAILED)
            case InboxRead():
                user, answer = request.device[:16], Entries((), (), 0)
            case _:
                return None
        return answer if user in self.deleted else None

    def registered(self, device: Device) -> int:
        """Return a device's registration, of a deleted account the last one."""
        return self.registration.get(device, self.last_registration[device])

    def devices(self, user: bytes) -> list[Device]:
        """Return a user's devices."""
        return sorted(one for one in self.registration if one[:16] == user)

    def send(self, send: Send) -> Answer:
        """Judge a SEND in the order of the rules."""
        key = (send.sender, send.client_msg_id, send.chat)
        body = (send.class_, send.envelopes)
        if key in self.answers:
            stored, registration, first = self.answers[key]
            is_same = (stored.attempt, registration) == (
                send.attempt,
                send.registration_id,
            )
            if is_same and first != body:
                return self.refuse(send, Refusal.CONFLICT, chat_seq=stored.chat_seq)
            return stored
        current = (self.registration[send.sender], self.generation[send.sender])
        if send.registration_id != current[0] or send.generation < current[1]:
            return Dropped()
        if send.marked is not None:
            return self.refuse(send, send.marked)
        age_ms = self.now_ms - int.from_bytes(send.client_msg_id[:6])
        if not -DAY_MS <= age_ms <= 31 * DAY_MS:
            return self.refuse(send, Refusal.EXPIRED)
        own = send.sender[:16]
        others = [user for user in send.users if user != own]
        if len(others) != 1 or suite1.direct_chat_id(own, others[0]) != send.chat:
            return self.refuse(send, Refusal.NOT_FOUND)
        if not self.devices(others[0]):
            return self.refuse(send, Refusal.NOT_FOUND)
        is_placed = send.class_ in (1, 2)
        is_opening = is_placed and send.chat not in self.heads
        if is_opening and self.opened.get(own, 0) >= CHATS_MAX:
            return self.refuse(send, Refusal.QUOTA)
        stale = self.stale(send)
        if is_placed and stale is not None:
            return self.refuse(send, Refusal.DEVICES_STALE, devices=stale)
        seq = 0
        if is_placed:
            tail = (send.chat, send.sender, send.registration_id)
            last = self.tails.get(tail, NO_ID)
            if send.after != last:
                return self.refuse(send, Refusal.OUT_OF_ORDER, last_id=last)
            self.tails[tail] = send.client_msg_id
            if is_opening:
                self.opened[own] = self.opened.get(own, 0) + 1
            seq = self.heads[send.chat] = self.place(self.heads.get(send.chat, 0))
        stored = Sequenced(send.client_msg_id, send.attempt, seq, self.now_ms)
        self.answers[key] = (stored, send.registration_id, body)
        self.newest[send.sender] = (send.client_msg_id, send.attempt)
        self.deliver(send, seq)
        return stored

    def refuse(self, send: Send, code: Refusal, **fields: object) -> Refused:
        """Make a refusal."""
        return Refused(send.client_msg_id, send.attempt, code, **fields)  # type: ignore[arg-type]

    def stale(self, send: Send) -> DevicesStale | None:
        """Compare sets of devices."""
        have = {(one.user, one.device): one.registration_id for one in send.envelopes}
        need = {
            (one[:16], one[16]): self.registration[one]
            for user in send.users
            for one in self.devices(user)
            if one != send.sender
        }
        missing = tuple(DeviceRef(*one, need[one]) for one in need if one not in have)
        extra = tuple(DeviceRef(*one, have[one]) for one in have if one not in need)
        stale = tuple(
            DeviceRef(*one, need[one])
            for one in need
            if one in have and have[one] != need[one]
        )
        if missing or extra or stale:
            return DevicesStale(missing, extra, stale, False)
        return None

    def deliver(self, send: Send, seq: int) -> None:
        """Give every envelope to its device, or report it."""
        own = send.sender[:16]
        lost: list[Device] = []
        for one in send.envelopes:
            device = one.user + bytes((one.device,))
            if self.registration.get(device) != one.registration_id:
                lost.append(device)
                continue
            entry = Entry(
                0, 0, send.chat, seq, send.sender, send.client_msg_id, one.ciphertext
            )
            self.give(device, entry)
            if seq and one.user != own:
                self.addressed.setdefault((send.chat, one.user), set()).add(seq)
        for _ in lost:
            self.report(own, send.chat, send.client_msg_id)

    def report(self, user: bytes, chat: bytes, message: bytes) -> None:
        """Tell all devices of a sender."""
        for device in self.devices(user):
            self.give(device, Entry(0, 0, chat, 0, b"", message, b"", is_report=True))

    def settle(self, device: Device, entries: list[Entry]) -> None:
        """Count entries as received by the user."""
        for one in entries:
            if one.seq and one.sender[:16] != device[:16]:
                key = (one.chat, device[:16])
                self.settled.setdefault(key, set()).add(one.seq)

    def unread(self, device: Device) -> list[Entry]:
        """Return what a device has not acknowledged."""
        box = self.boxes[device]
        return [one for one in box.given if one.position > box.acked]

    def ack(self, ack: Ack) -> Answer:
        """Move a cursor."""
        if self.registration[ack.device] != ack.registration_id:
            return Dropped()
        box = self.boxes[ack.device]
        if ack.position > box.last:
            return Failed(Refusal.PROTOCOL_ERROR)
        self.move(ack.device, ack.position)
        return Acked(box.acked)

    def move(self, device: Device, position: int) -> None:
        """Acknowledge up to a position."""
        read = [one for one in self.unread(device) if one.position <= position]
        self.settle(device, read)
        box = self.boxes[device]
        box.acked = max(box.acked, position)

    def connect(self, request: Connect) -> Answer:
        """Sign in with a cursor that this history gave out."""
        device = request.device
        is_same = self.registration[device] == request.registration_id
        if not is_same or request.generation <= self.generation[device]:
            return RolledBack()
        self.generation[device] = request.generation
        box = self.boxes[device]
        gaps: tuple[Gap, ...] = ()
        if request.cursor < box.acked:
            gaps = (Gap(request.cursor + 1, box.acked, GapReason.ALREADY_ACKED),)
        self.move(device, request.cursor)
        return self.connected(device, gaps)

    def connected(self, device: Device, gaps: tuple[Gap, ...]) -> Connected:
        """Make the answer to a sign-in."""
        box = self.boxes[device]
        newest, attempt = self.newest.get(device, (NO_ID, 0))
        return Connected(box.acked, box.last, newest, attempt, 0, 0, 1, gaps)

    def renew(self, request: ReRegister) -> Answer:
        """Drop what the lost state could open, and say so."""
        device = request.device
        self.generation[device] = request.generation
        gaps: tuple[Gap, ...] = ()
        if self.registration[device] != request.registration_id:
            self.registration[device] = request.registration_id
            self.newest.pop(device, None)
            box = self.boxes[device]
            dropped = self.unread(device)
            if box.last > box.acked:
                gaps = (Gap(box.acked + 1, box.last, GapReason.REREGISTERED),)
            box.acked = box.last
            for one in dropped:
                if not one.is_report:
                    self.report(one.sender[:16], one.chat, one.message)
            self.settle(device, dropped)
        return self.connected(device, gaps)

    def read(self, request: InboxRead) -> Answer:
        """Return frames' essentials; the comparison looks at these only."""
        box = self.boxes[request.device]
        unread = self.unread(request.device)
        found = [one for one in unread if one.position > request.above]
        return Entries(tuple(found[: request.count_max]), (), box.last)  # type: ignore[arg-type]

    def marks(self, request: ReceiptsGet) -> Answer:
        """Return the marks of the other side."""
        marks: list[Mark] = []
        for chat, user in sorted(self.addressed):
            waiting = self.addressed[chat, user] - self.settled.get((chat, user), set())
            if chat in request.chats and user != request.user:
                top = max(self.addressed[chat, user])
                mark = min(waiting) - 1 if waiting else top
                marks.append(Mark(chat, user, mark))
        return Marks(tuple(marks))
