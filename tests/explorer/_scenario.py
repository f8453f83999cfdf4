"""What a scenario has: people, messages, windows, and how many faults of each kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scenario:
    """One small world and its budget of faults.

    Attributes:
        chats: Of each message of a sender, the chat that it is for.
        senders: People who write; two write to each other.
        receivers: Devices of the account written to whose receiving is explored.
        window: SENDs without an answer that a connection takes.
        inbox_window: Entries that a connection is sent before an ACK.
        changes: What happens to the devices of the account written to, in order:
            "add", "remove" its second one, "renew" its first one.
        budget: How often each fault may happen.
        is_lazy: Whether messages are written one by one, by a device whose profile
            may be copied: message keys and generations count.
        has_own_inbox: Whether what the senders are told of is explored.
        has_fence: Whether a new sign-in has the older connection's frames dropped.
        has_barrier: Whether a sign-in waits for the device's older requests.
        may_miss: Whether a listed device may be left without an envelope.
        early_replies: A planted bug: answers leave before the commit.
        early_delivery: A planted bug: entries leave before the commit.
        early_acks: A planted bug: a device acknowledges what it has not stored.
    """

    chats: tuple[int, ...]
    senders: int = 1
    receivers: int = 0
    window: int = 2
    inbox_window: int = 2
    changes: tuple[str, ...] = ()
    budget: Mapping[str, int] = field(default_factory=dict[str, int])
    is_lazy: bool = False
    has_own_inbox: bool = False
    has_fence: bool = True
    has_barrier: bool = True
    may_miss: bool = False
    early_replies: bool = False
    early_delivery: bool = False
    early_acks: bool = False


FAULTS = (
    *("drop", "crash", "block", "cancel", "receiver_drop", "backup", "restore"),
    *("failed_connect", "copy", "put_back", "late"),
)
"""Every kind of fault, in the order of a world's budget."""
