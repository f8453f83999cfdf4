"""Hand-made histories for the checkers' own tests.

`good_story` is a run in which everything is right: Ann and Bob write to each other in
turn, Bob's connection breaks once and he is sent an entry again. Each bad history is
this one with one thing changed.
"""

from collections.abc import Iterable
from dataclasses import replace

import msgspec
from tests.simulation._history import (
    ClientKept,
    Event,
    FrameCame,
    FrameLeft,
    Handled,
    History,
    KeptMessage,
    LogRow,
    Sending,
    Sent,
    SentRow,
    ServerKept,
    Settled,
    Shown,
    message_id_of,
)

from wigwag.wire import (
    Ack,
    Auth,
    AuthOk,
    Deliver,
    Envelope,
    Mark,
    Receipt,
    Send,
    Sequenced,
    suite1,
)

EPOCH = 5 << 32
ACCOUNTS = {"ann": b"a" * 16, "bob": b"b" * 16}
DEVICES = {name: account + b"\x01" for name, account in ACCOUNTS.items()}
CHAT = suite1.direct_chat_id(ACCOUNTS["ann"], ACCOUNTS["bob"])
OTHER = {"ann": "bob", "bob": "ann"}


def message_id(number: int) -> bytes:
    """Return the client_msg_id of the run's n-th message."""
    return number.to_bytes(16, "big")


def server_id(name: str, number: int) -> bytes:
    """Return the server_msg_id of somebody's n-th message."""
    return message_id_of(CHAT, DEVICES[name], message_id(number))


def ciphertext(key: bytes, number: int, filling: bytes = b"c") -> bytes:
    """Make a ciphertext under a message key."""
    header = suite1.RatchetHeader(key * 32, 0, number)
    return suite1.encode_envelope(suite1.Envelope(None, header, filling * 48))


class Story:
    """Writes a history step by step; every step takes a second."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.log: list[LogRow] = []
        self.kept: dict[str, list[KeptMessage]] = {"ann": [], "bob": []}
        self.inbox = {"ann": EPOCH, "bob": EPOCH}
        self.prev = {"ann": 0, "bob": 0}
        self.connection = {"ann": 0, "bob": 0}
        self.connections = 0
        self.counts = {"ann": 0, "bob": 0}

    @property
    def now(self) -> float:
        """The time of the next event."""
        return float(len(self.events))

    def left(self, name: str, message: msgspec.Struct) -> None:
        """Let a frame leave."""
        number = self.connection[name]
        self.events.append(FrameLeft(self.now, name, number, 1, message))

    def came(self, name: str, message: msgspec.Struct) -> None:
        """Let a frame come."""
        number = self.connection[name]
        self.events.append(FrameCame(self.now, name, number, 1, message))

    def sign_in(self, name: str, cursor: int, last: int) -> None:
        """Connect."""
        self.connections += 1
        self.connection[name] = self.connections
        account = ACCOUNTS[name]
        self.left(name, Auth(bytes(64), account, 1, 7, self.connections, cursor))
        self.came(name, AuthOk(cursor, last, bytes(16), 0, 9, 9, 1))

    def write(self, name: str, number: int) -> str:
        """Compose and offer the run's n-th message; return its text."""
        text = f"{name} {number}"
        peer = OTHER[name]
        self.events.append(Sending(self.now, name, peer, text))
        self.events.append(Sent(self.now, name, text, server_id(name, number)))
        self.left(name, self.send(name, number))
        return text

    def send(self, name: str, number: int) -> Send:
        """Make the SEND of a message."""
        self.counts[name] += 1
        account = ACCOUNTS[OTHER[name]]
        sealed = ciphertext(name[:1].encode(), self.counts[name])
        envelope = Envelope(account, 1, 7, sealed)
        after = bytes(16)
        id_ = message_id(number)
        return Send(CHAT, id_, 1, after, 1, (account,), (envelope,))

    def sequence(self, name: str, number: int) -> int:
        """Store a message and answer it; return its place."""
        place = EPOCH + len(self.log) + 1
        self.log.append(LogRow(CHAT, place, 1, DEVICES[name], message_id(number)))
        self.came(name, Sequenced(message_id(number), 1, place, 1000 + number))
        return place

    def deliver(self, name: str, number: int, place: int) -> Deliver:
        """Send an entry to the other one; return it."""
        peer = OTHER[name]
        self.inbox[peer] += 1
        message = Deliver(
            self.inbox[peer],
            self.prev[peer],
            CHAT,
            place,
            1,
            ACCOUNTS[name],
            1,
            7,
            message_id(number),
            1000 + number,
            b"c",
        )
        self.prev[peer] = self.inbox[peer]
        self.came(peer, message)
        return message

    def take(self, name: str, number: int, text: str) -> None:
        """Let the other one store, acknowledge, show and handle a message."""
        peer = OTHER[name]
        id_ = server_id(name, number)
        self.kept[peer].append(KeptMessage(id_, text))
        self.left(peer, Ack(self.inbox[peer]))
        self.events.append(Shown(self.now, peer, "bot", id_, text))
        self.events.append(Handled(self.now, peer, "bot", id_))

    def whole(self, name: str, number: int) -> None:
        """Take a message all the way."""
        text = self.write(name, number)
        place = self.sequence(name, number)
        self.deliver(name, number, place)
        self.take(name, number, text)
        self.came(name, Receipt(Mark(CHAT, ACCOUNTS[OTHER[name]], place)))

    def end(self) -> tuple[Event, ...]:
        """Settle, and keep what there is."""
        self.events.append(Settled(self.now, "world"))
        sent = tuple(
            SentRow(row.chat, row.sender, row.client_msg_id, row.chat_seq, 1)
            for row in self.log
        )
        self.events.append(ServerKept(self.now, "server", tuple(self.log), sent))
        for name, messages in self.kept.items():
            kept = ClientKept(self.now, name, ACCOUNTS[name], tuple(messages), ())
            self.events.append(kept)
        return tuple(self.events)


def good_story() -> tuple[Event, ...]:
    """Tell a run in which everything is right."""
    story = Story()
    story.sign_in("ann", 0, 0)
    story.sign_in("bob", 0, 0)
    story.whole("ann", 1)
    story.whole("ann", 2)
    story.whole("bob", 3)
    # Sent to Bob, whose connection breaks before he can acknowledge it.
    text = story.write("ann", 4)
    place = story.sequence("ann", 4)
    again = story.deliver("ann", 4, place)
    story.sign_in("bob", EPOCH + 2, EPOCH + 3)
    story.came("bob", again)
    story.take("ann", 4, text)
    # An answer that was lost is asked for again.
    story.left("ann", _copy(story.events, 4))
    story.came("ann", Sequenced(message_id(4), 1, place, 1004))
    story.whole("bob", 5)
    return story.end()


def _copy(events: Iterable[Event], number: int) -> Send:
    wanted = message_id(number)
    for event in events:
        message = event.message if isinstance(event, FrameLeft) else None
        if isinstance(message, Send) and message.client_msg_id == wanted:
            return message
    raise AssertionError(number)


def frames(
    events: tuple[Event, ...], kind: type[msgspec.Struct], number: int
) -> list[int]:
    """Find the places of a message's frames of a kind."""
    return [
        at
        for at, event in enumerate(events)
        if isinstance(event, FrameLeft | FrameCame)
        and isinstance(event.message, kind)
        and getattr(event.message, "client_msg_id", None) == message_id(number)
    ]


def changed(events: tuple[Event, ...], at: int, **fields: object) -> tuple[Event, ...]:
    """Change the message of a frame."""
    event = events[at]
    assert isinstance(event, FrameLeft | FrameCame)
    message = msgspec.structs.replace(event.message, **fields)
    return (*events[:at], replace(event, message=message), *events[at + 1 :])


def with_log(events: tuple[Event, ...], log: Iterable[LogRow]) -> tuple[Event, ...]:
    """Change what the server kept in its log."""
    rows = tuple(log)
    return tuple(
        replace(event, log=rows) if isinstance(event, ServerKept) else event
        for event in events
    )


def log_of(events: tuple[Event, ...]) -> tuple[LogRow, ...]:
    """Return what the server kept in its log."""
    return next(event.log for event in events if isinstance(event, ServerKept))


def with_kept(
    events: tuple[Event, ...], name: str, messages: Iterable[KeptMessage]
) -> tuple[Event, ...]:
    """Change what a client kept."""
    kept = tuple(messages)
    return tuple(
        replace(event, messages=kept)
        if isinstance(event, ClientKept) and event.process == name
        else event
        for event in events
    )


def kept_by(events: tuple[Event, ...], name: str) -> tuple[KeptMessage, ...]:
    """Return what a client kept."""
    return next(
        event.messages
        for event in events
        if isinstance(event, ClientKept) and event.process == name
    )


def history(events: Iterable[Event]) -> History:
    """Make a history."""
    return History(tuple(events))
