"""A sending device as a value, and what its steps give back."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, NamedTuple

from tests.explorer._letters import Directory, Letter
from tests.explorer._names import INDEX_STEP

from wigwag.client._outbox import Outbox
from wigwag.server.core import Device, DevicesStale, Send, User


class Sender(NamedTuple):
    """A device's outbox and what its store holds beside it.

    Attributes:
        outbox: The real value.
        offered: Rows whose "offered" mark is durable.
        bases: By chat, durable.
        letters: By row: its ciphertexts, and whom it is for.
        hints: By row: how the server said that its devices are wrong; not durable.
        known: Ids of rows that ended.
        sent: Of them, those that the server has.
        stored: Of each message among them that isn't known to be delivered, the
            attempt that was answered.
        newest: The newest SEND that was answered; None: none was.
        directory: Pinned lists and sessions.
        ratchet: Next message key.
        made: Messages written.
    """

    outbox: Outbox
    offered: frozenset[bytes]
    bases: tuple[tuple[bytes, bytes], ...]
    letters: tuple[tuple[bytes, Letter], ...]
    hints: tuple[tuple[bytes, DevicesStale], ...]
    known: frozenset[bytes]
    sent: frozenset[bytes]
    stored: tuple[tuple[bytes, int], ...]
    newest: bytes | None
    directory: Directory
    ratchet: int
    made: int

    def key(self) -> Hashable:
        """Return everything as one hashable value."""
        return (self.outbox.key(), self[1:])


class Copy(NamedTuple):
    """A copy that leaves: its SEND without the connection's numbers, its number."""

    send: Send
    copy: int


class Told(NamedTuple):
    """What a step of the outbox came to, as sets of bits of messages."""

    acked: int = 0
    dead: int = 0


NOTHING: Final = Told()


@dataclass(frozen=True, slots=True, eq=False)
class Writer:
    """Whose outbox it is, and the chats he writes in.

    Attributes:
        sender: His number.
        device: His device.
        chats: Of each of his messages: chat and account.
        is_frugal: Whether message keys are told apart by a counter.
    """

    sender: int
    device: Device
    chats: tuple[tuple[bytes, User], ...]
    is_frugal: bool

    def chat_of(self, index: int) -> tuple[bytes, User]:
        """Return the chat and the account that a message is for."""
        return self.chats[index % INDEX_STEP - 1]
