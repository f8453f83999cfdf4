"""Messages as a program sees them."""

from dataclasses import dataclass
from enum import IntEnum


class MessageState(IntEnum):
    """Where a message stands; the numbers are those of the store."""

    QUEUED = 1
    """In the outbox, durable here; the server hasn't taken it."""
    SEQUENCED = 2
    """Durable at the server and in its place (single check)."""
    DELIVERED = 3
    """Stored by a device of the recipient (double check)."""
    READ = 4
    """Shown to the recipient, as he says."""
    REJECTED = 5
    """Refused for good; it was not stored and never will be."""
    EXPIRED = 6
    """Never answered in 30 days; it may have been stored."""
    CANCELLED = 7
    """Taken back before it was ever offered."""
    RECEIVED = 8
    """From somebody else, readable."""
    UNREADABLE = 9
    """From somebody else: a placeholder for what can't be opened."""

    @property
    def is_final(self) -> bool:
        """Whether nothing better can follow."""
        return self in _FINAL


_FINAL = frozenset(
    {
        MessageState.READ,
        MessageState.REJECTED,
        MessageState.EXPIRED,
        MessageState.CANCELLED,
        MessageState.RECEIVED,
    }
)

FAILED_STATES = frozenset(
    {MessageState.REJECTED, MessageState.EXPIRED, MessageState.CANCELLED}
)
"""Ends of a message of ours in which it isn't known to be stored."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat.

    Attributes:
        id: Its id, the same at every device: hexadecimal `server_msg_id`.
        peer: The other person of the chat: his name, or what stands for it.
        is_own: Whether this account sent it.
        text: The text; None: a placeholder, or content of a newer program.
        state: Where it stands.
        reason: Why, a word, for states that have a reason; empty otherwise.
        chat_seq: Its place in the chat; 0: none yet.
        sent_at_ms: The server's time for it; before it is sequenced, ours.
    """

    id: str
    peer: str
    is_own: bool
    text: str | None
    state: MessageState
    reason: str
    chat_seq: int
    sent_at_ms: int
