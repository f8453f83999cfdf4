"""What the checkers need to know of a history, as values (`_gather.py` makes them).

Nothing is judged here. A connection's device is known from the AUTH, REGISTER or
RE_REGISTER that left on it; a message is known by its server_msg_id, which stands for
(chat, sender device, client_msg_id).
"""

from dataclasses import dataclass, field

from tests.simulation._history import (
    ClientKept,
    Ended,
    Fault,
    Handled,
    LogRow,
    Restored,
    Sending,
    Sent,
    SentRow,
    ServerKept,
    Shown,
)

from wigwag.wire import (
    Mark,
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that left a client.

    Attributes:
        time: When.
        device: 17 bytes.
        registration_id: Of the device.
        cursor: As told; None: a registration, which has none.
    """

    time: float
    device: bytes
    registration_id: int
    cursor: int | None


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a SEND that left a client."""

    time: float
    id: bytes
    client_msg_id: bytes
    chat: bytes
    sender: bytes
    attempt: int
    class_: int
    users: tuple[bytes, ...]
    registration_id: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ciphertext that left a client.

    Attributes:
        time: When.
        id: Of its message.
        message_key: Sender's device, the header's ratchet key and number: which
            message key it is under.
        digest: SHA-256 of the ciphertext.
    """

    time: float
    id: bytes
    message_key: tuple[bytes, bytes, int]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """A SEQUENCED that reached a client; without an id and chat: to what never left."""

    time: float
    id: bytes
    chat: bytes
    attempt: int
    chat_seq: int
    sent_at: int
    era: int = 0


@dataclass(frozen=True, slots=True)
class Turned:
    """A REFUSED that reached a client."""

    time: float
    id: bytes
    attempt: int
    code: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An inbox entry that reached a client.

    Attributes:
        turn: Place of the event in the history.
        time: When.
        device: To which.
        position: In its inbox.
        prev: The position before it, as told.
        is_delivery: DELIVER, neither MISSED nor UNDELIVERED.
        id: Of its message.
        chat: Of its message.
        sender: Device that sent its message; b"": UNDELIVERED.
        chat_seq: Of its message; 0: UNDELIVERED, and classes without a place.
        unreached: Of UNDELIVERED: the user.
    """

    turn: int
    time: float
    device: bytes
    position: int
    prev: int
    is_delivery: bool
    id: bytes
    chat: bytes
    sender: bytes = b""
    chat_seq: int = 0
    unreached: bytes = b""
    era: int = 0


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position that a client vouched for, by ACK or AUTH."""

    turn: int
    time: float
    device: bytes
    registration_id: int
    position: int
    is_sign_in: bool
    life: int = 0
    era: int = 0


@dataclass(frozen=True, slots=True)
class Welcomed:
    """An AUTH_OK that reached a client."""

    time: float
    device: bytes
    registration_id: int
    asked: int | None
    acked: int
    last: int
    era: int = 0
    life: int = 0


@dataclass(frozen=True, slots=True)
class MarkSeen:
    """A delivered mark that reached a client; as a hint, or as an answer."""

    turn: int
    time: float
    device: bytes
    mark: Mark
    is_hint: bool
    era: int = 0


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A one-time key that was handed to a client.

    Attributes:
        time: When.
        process: To whom.
        key: Owner's user, device, registration; kind; the key's number.
        era: Of the server.
    """

    time: float
    process: str
    key: tuple[bytes, int, int, str, int]
    era: int


@dataclass(frozen=True, slots=True)
class SignedOff:
    """An ERROR without a request, or a GOAWAY, that reached a client."""

    time: float
    process: str
    code: int


@dataclass(frozen=True, slots=True)
class GapTold:
    """A GAP that reached a client."""

    turn: int
    time: float
    device: bytes
    first: int
    last: int
    reason: int


@dataclass(slots=True)
class Facts:
    """A history, sorted by what it says; lists are in the order of time."""

    sign_ins: list[SignIn] = field(default_factory=list[SignIn])
    copies: list[Copy] = field(default_factory=list[Copy])
    sealed: list[Sealed] = field(default_factory=list[Sealed])
    answered: list[Answered] = field(default_factory=list[Answered])
    turned: list[Turned] = field(default_factory=list[Turned])
    entries: list[Entry] = field(default_factory=list[Entry])
    cursors: list[Cursor] = field(default_factory=list[Cursor])
    welcomed: list[Welcomed] = field(default_factory=list[Welcomed])
    marks: list[MarkSeen] = field(default_factory=list[MarkSeen])
    sendings: list[Sending] = field(default_factory=list[Sending])
    sent: list[Sent] = field(default_factory=list[Sent])
    ended: list[Ended] = field(default_factory=list[Ended])
    shown: list[Shown] = field(default_factory=list[Shown])
    handled: list[Handled] = field(default_factory=list[Handled])
    gaps: list[GapTold] = field(default_factory=list[GapTold])
    restores: dict[str, list[Restored]] = field(
        default_factory=dict[str, list[Restored]]
    )
    """By process, in the order of time."""
    handed_out: list[HandedOut] = field(default_factory=list[HandedOut])
    signed_off: list[SignedOff] = field(default_factory=list[SignedOff])
    faults: list[Fault] = field(default_factory=list[Fault])
    kept: list[ClientKept] = field(default_factory=list[ClientKept])
    server_kept: list[ServerKept] = field(default_factory=list[ServerKept])
    log: tuple[LogRow, ...] = ()
    sent_index: tuple[SentRow, ...] = ()
    has_settled: bool = False
    device_of: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """Device of a process."""
    users_of: dict[bytes, tuple[bytes, ...]] = field(
        default_factory=dict[bytes, tuple[bytes, ...]]
    )
    """Members of a chat: the users that SENDs in it named, and their senders."""
    _logs: dict[bytes, list[LogRow]] = field(default_factory=dict[bytes, list[LogRow]])

    @property
    def era(self) -> int:
        """The server's last era: how often it was put back."""
        return len(self.restores.get("server", ()))

    def is_lost(self, answer: Answered) -> bool:
        """Whether the server was put back to what it was before it gave an answer."""
        later = self.restores.get("server", [])[answer.era :]
        return any(one.copied_at < answer.time for one in later)

    def moved(self) -> set[bytes]:
        """Find the messages that got another place after the server was put back."""
        first: dict[bytes, int] = {}
        moved: set[bytes] = set()
        named = [(row.message_id, row.chat_seq) for row in self.log]
        named += [(one.id, one.chat_seq) for one in self.answered]
        named += [(one.id, one.chat_seq) for one in self.entries]
        for id_, place in named:
            if place and first.setdefault(id_, place) != place:
                moved.add(id_)
        return moved if self.restores else set()

    def was_undone(self, process: str, time: float, grace: float = 0.0) -> bool:
        """Whether what a client stored at a time was undone by a copy put back."""
        return any(
            one.copied_at - grace < time <= one.time
            for one in self.restores.get(process, ())
        )

    def log_of(self, chat: bytes) -> list[LogRow]:
        """Return a chat's log, by rising position."""
        if not self._logs:
            for row in sorted(self.log, key=lambda row: row.chat_seq):
                self._logs.setdefault(row.chat, []).append(row)
        return self._logs.get(chat, [])

    def chats(self) -> list[bytes]:
        """Return every chat in the log."""
        return sorted({row.chat for row in self.log})
