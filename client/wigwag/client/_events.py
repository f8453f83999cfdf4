"""What happens in a session, as a program is told.

Every event is durable before it is told, and told again after a crash until the
consumer said `done()`: at least once, in order.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum

from wigwag.client._message import Message, MessageState


class EventKind(IntEnum):
    """Column `kind` of the store's events."""

    MESSAGE_RECEIVED = 1
    STATE_CHANGED = 2
    UNDELIVERED = 3
    UNREADABLE = 4
    GAP = 5
    PEER_CHANGED = 6
    LISTS_DIFFER = 7


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        seq: Its number in this profile; they rise.
    """

    seq: int
    _acknowledge: Callable[[int], Awaitable[None]] = field(repr=False, compare=False)

    async def done(self) -> None:
        """Say that this event and all before it are handled; durable on return."""
        await self._acknowledge(self.seq)


@dataclass(frozen=True, slots=True)
class MessageReceived(Event):
    """A message came, or one that couldn't be opened now can.

    Attributes:
        message: The message.
        is_above: It belongs above one that was told before ("new above").
        is_repaired: It takes the place of an `MessageUnreadable`.
    """

    message: Message
    is_above: bool
    is_repaired: bool


@dataclass(frozen=True, slots=True)
class MessageStateChanged(Event):
    """A message of ours went on.

    Attributes:
        message: The message as it stands now.
        state: The state that this event is about; a later one may be reached.
    """

    message: Message
    state: MessageState


@dataclass(frozen=True, slots=True)
class MessageUndelivered(Event):
    """An accepted message of ours didn't reach a device.

    Attributes:
        message: The message.
        reason: Why, a word.
    """

    message: Message
    reason: str


@dataclass(frozen=True, slots=True)
class MessageUnreadable(Event):
    """A message came that can't be opened; it is asked for again where that helps.

    Attributes:
        message: The placeholder.
        reason: Why, a word.
    """

    message: Message
    reason: str


@dataclass(frozen=True, slots=True)
class Gap(Event):
    """Something is missing that will not come.

    Attributes:
        first: First missing inbox position; 0: it can't be told.
        last: Last missing inbox position; 0: it can't be told.
        reason: Why, a word.
    """

    first: int
    last: int
    reason: str


@dataclass(frozen=True, slots=True)
class PeerKeyChanged(Event):
    """A peer isn't who he was: nothing is sent to him until it is accepted.

    Attributes:
        peer: His name.
        reason: In what he changed, a word.
    """

    peer: str
    reason: str


@dataclass(frozen=True, slots=True)
class ListsDiffer(Event):
    """A peer sees other device lists than we do: somebody may be listening.

    Attributes:
        peer: His name.
        reason: Whose list differs, a word.
    """

    peer: str
    reason: str


AnyEvent = (
    MessageReceived
    | MessageStateChanged
    | MessageUndelivered
    | MessageUnreadable
    | Gap
    | PeerKeyChanged
    | ListsDiffer
)
