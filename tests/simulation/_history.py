"""What happened in a run: every call, reply, frame, delivery and fault.

A run only appends; the checkers only read. Each event knows when and to which process
it happened. `shown` is an event's line in the trace: ids, lengths and times, never
ciphertext or key material, since ML-KEM can't be seeded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias, TypeVar, cast

import msgspec

from wigwag.wire import suite1

ID_SHOWN_BYTES: Final = 16
"""Byte strings up to this length are ids and shown; longer ones show their length."""

RUDE: Final = "rude"
"""Name of whoever has no account and makes trouble; his address, too."""

TEXT_SHOWN_CHARACTERS: Final = 16
"""Texts begin with who wrote them and a number; the rest is filling."""


@cache
def message_id_of(chat: bytes, sender: bytes, client_msg_id: bytes) -> bytes:
    """Return the server_msg_id: what a message is known by everywhere here.

    Args:
        chat: Chat id.
        sender: Device, 17 bytes.
        client_msg_id: The sender's id for it.
    """
    return suite1.server_msg_id(chat, sender[:16], sender[16], client_msg_id)


@dataclass(frozen=True, slots=True)
class Happening:
    """Anything that happened.

    Attributes:
        time: Simulated seconds since the world began.
        process: Whom it concerns.
    """

    time: float
    process: str


@dataclass(frozen=True, slots=True)
class Started(Happening):
    """A process began."""


@dataclass(frozen=True, slots=True)
class Killed(Happening):
    """A process was killed."""


@dataclass(frozen=True, slots=True)
class Stopped(Happening):
    """A process ended by itself."""


@dataclass(frozen=True, slots=True)
class Fault(Happening):
    """The world was made worse.

    Attributes:
        kind: Which fault.
        detail: Of it.
    """

    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Gone(Happening):
    """A client was told that its device or account is removed for good."""


@dataclass(frozen=True, slots=True)
class Copied(Happening):
    """A copy was made of what a machine has on its disk."""


@dataclass(frozen=True, slots=True)
class Restored(Happening):
    """A machine's disk was put back to what a copy has.

    Attributes:
        copied_at: When the copy was made.
    """

    copied_at: float


@dataclass(frozen=True, slots=True)
class Alarm(Happening):
    """A process reported a fault of its own, which no fault of the world excuses.

    Attributes:
        text: What it said.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Sending(Happening):
    """A client was asked to send; nothing is known yet.

    Attributes:
        peer: To which process's account.
        text: Unlike any other text of the run.
    """

    peer: str
    text: str


@dataclass(frozen=True, slots=True)
class Sent(Happening):
    """The call returned: the message is in the outbox.

    Attributes:
        text: As asked.
        message_id: Its server_msg_id.
    """

    text: str
    message_id: bytes


@dataclass(frozen=True, slots=True)
class Ended(Happening):
    """A client told that a message has reached an end state.

    Attributes:
        message_id: Its server_msg_id.
        state: SEQUENCED, REJECTED, EXPIRED or CANCELLED.
    """

    message_id: bytes
    state: str


@dataclass(frozen=True, slots=True)
class Shown(Happening):
    """A consumer was given a message of somebody else.

    Attributes:
        consumer: Name of its durable cursor.
        message_id: Its server_msg_id.
        text: As decrypted.
    """

    consumer: str
    message_id: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Handled(Happening):
    """A consumer's `done()` for a message has returned.

    Attributes:
        consumer: Name of its durable cursor.
        message_id: Its server_msg_id.
    """

    consumer: str
    message_id: bytes


@dataclass(frozen=True, slots=True)
class FrameLeft(Happening):
    """A client gave a whole frame to its connection.

    Attributes:
        connection: Number of the connection in the world.
        corr: Request number.
        message: As decoded by the codec.
    """

    connection: int
    corr: int
    message: msgspec.Struct


@dataclass(frozen=True, slots=True)
class FrameCame(Happening):
    """A whole frame reached a client.

    Attributes:
        connection: Number of the connection in the world.
        corr: Request number.
        message: As decoded by the codec.
    """

    connection: int
    corr: int
    message: msgspec.Struct


@dataclass(frozen=True, slots=True)
class Settled(Happening):
    """Faults had stopped and the time to settle has passed."""


@dataclass(frozen=True, slots=True)
class LogRow:
    """A row of the server's chat log, as found on disk at the end.

    Attributes:
        chat: Chat id.
        chat_seq: Its place.
        class_: Of the SEND.
        sender: Device, 17 bytes.
        client_msg_id: The sender's id for it.
    """

    chat: bytes
    chat_seq: int
    class_: int
    sender: bytes
    client_msg_id: bytes

    @property
    def message_id(self) -> bytes:
        """Its server_msg_id."""
        return message_id_of(self.chat, self.sender, self.client_msg_id)


@dataclass(frozen=True, slots=True)
class SentRow:
    """A row of the server's sent index, as found on disk at the end.

    Attributes:
        chat: Chat id.
        sender: Device, 17 bytes.
        client_msg_id: The sender's id for it.
        chat_seq: Its place; 0: of a class that has none.
        attempt: The one that is stored.
    """

    chat: bytes
    sender: bytes
    client_msg_id: bytes
    chat_seq: int
    attempt: int

    @property
    def message_id(self) -> bytes:
        """Its server_msg_id."""
        return message_id_of(self.chat, self.sender, self.client_msg_id)


@dataclass(frozen=True, slots=True)
class ServerKept(Happening):
    """The server's tables at the end."""

    log: tuple[LogRow, ...]
    sent: tuple[SentRow, ...]


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message of somebody else in a client's store at the end.

    Attributes:
        message_id: Its server_msg_id.
        text: None: a stub that was never filled.
    """

    message_id: bytes
    text: str | None


@dataclass(frozen=True, slots=True)
class ClientKept(Happening):
    """A client's store at the end.

    Attributes:
        account: Its account id.
        messages: What it received, in the order of storing.
        unsent: client_msg_ids that its outbox still holds.
    """

    account: bytes
    messages: tuple[KeptMessage, ...]
    unsent: tuple[bytes, ...]


Event: TypeAlias = (
    Started
    | Killed
    | Stopped
    | Fault
    | Gone
    | Copied
    | Restored
    | Alarm
    | Sending
    | Sent
    | Ended
    | Shown
    | Handled
    | FrameLeft
    | FrameCame
    | Settled
    | ServerKept
    | ClientKept
)

SomeEvent = TypeVar("SomeEvent", bound=Happening)


class History:
    """All events of a run, in order."""

    def __init__(self, events: tuple[Event, ...] = ()) -> None:
        self._events: list[Event] = list(events)

    def append(self, event: Event) -> None:
        """Add what has just happened."""
        self._events.append(event)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def of(self, kind: type[SomeEvent]) -> Iterator[SomeEvent]:
        """Yield the events of one kind, in order."""
        for event in self._events:
            if isinstance(event, kind):
                yield event

    def tail(self, needles: tuple[str, ...], lines_max: int) -> list[str]:
        """Return the last lines that mention one of the needles, and all faults.

        Without needles: all lines.
        """
        found: list[str] = []
        for event in reversed(self._events):
            for text in _parts(event):
                line = f"{event.time:12.6f} {text}"
                is_told = isinstance(event, Fault) or not needles
                if is_told or any(needle in line for needle in needles):
                    found.append(line)
            if len(found) >= lines_max:
                break
        return found[:lines_max][::-1]


def _parts(event: Event) -> list[str]:
    """Return an event's line, or a line for each row of a store."""
    match event:
        case ServerKept(log=log, sent=sent):
            return [
                f"{event.process} kept {_shown_value(row)}" for row in (*log, *sent)
            ]
        case ClientKept(messages=messages, unsent=unsent):
            rows = [_shown_value(row) for row in (*messages, *unsent)]
            return [f"{event.process} kept {row}" for row in rows]
        case _:
            return [shown(event)]


def shown(event: Event) -> str:
    """Return an event's line in the trace, without its time."""
    match event:
        case FrameLeft() | FrameCame():
            way = "->" if isinstance(event, FrameLeft) else "<-"
            return (
                f"{event.process} {way} #{event.connection}.{event.corr}"
                f" {_shown_record(event.message)}"
            )
        case Alarm(text=text):
            # The last line of a traceback says what it was.
            return f"{event.process} alarm {text.rstrip().splitlines()[-1]}"
        case ServerKept(log=log, sent=sent):
            rows = [_shown_value(row) for row in (*log, *sent)]
            return f"{event.process} kept {' '.join(rows)}"
        case ClientKept(messages=messages, unsent=unsent):
            rows = [_shown_value(row) for row in (*messages, *unsent)]
            return f"{event.process} kept {' '.join(rows)}"
        case _:
            values = [
                _shown_value(getattr(event, name)) for name in _own_fields(type(event))
            ]
            name = type(event).__name__.lower()
            return " ".join((event.process, name, *values))


def _own_fields(kind: type[Happening]) -> tuple[str, ...]:
    return tuple(
        name
        for name in kind.__dataclass_fields__
        if name not in Happening.__dataclass_fields__
    )


def _shown_record(record: msgspec.Struct) -> str:
    values = [
        f"{name}={_shown_value(getattr(record, name))}"
        for name in record.__struct_fields__
        if name != "unknown"
    ]
    return f"{type(record).__name__}({' '.join(values)})"


def _shown_value(value: object) -> str:
    match value:
        case bytes() if len(value) <= ID_SHOWN_BYTES + 1:
            return value.hex() or "-"
        case bytes():
            return f"<{len(value)}>"
        case tuple():
            items = cast("tuple[object, ...]", value)
            return f"[{' '.join(_shown_value(item) for item in items)}]"
        case msgspec.Struct():
            return _shown_record(value)
        case str() if len(value) > TEXT_SHOWN_CHARACTERS:
            return f"{value[:TEXT_SHOWN_CHARACTERS]}<{len(value)}>"
        case LogRow() | SentRow() | KeptMessage():
            names = type(value).__dataclass_fields__
            values = [_shown_value(getattr(value, name)) for name in names]
            return f"{type(value).__name__}({' '.join(values)})"
        case _:
            return str(value)
