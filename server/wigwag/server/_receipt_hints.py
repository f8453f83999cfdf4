"""Delivered marks on their way to a sender's device, gathered for a moment.

A mark moves with every acknowledgement of every recipient; what a person sees is the
last of them. Hints are dropped without harm: RECEIPTS_GET tells every mark.
"""

from wigwag.server.core import Position, User
from wigwag.wire import LIMITS

GATHER_SECONDS = LIMITS["receipt_coalesce_ms"].value / 1000
# More chats at once than a screen shows; the rest is asked for.
HINTS_MAX = 1024


class ReceiptHints:
    """The newest mark of each (chat, user) until they are due.

    Attributes:
        due_at: When to send them, on the caller's clock; None: there are none.
    """

    __slots__ = ("_marks", "due_at")

    def __init__(self) -> None:
        self._marks: dict[tuple[bytes, User], Position] = {}
        self.due_at: float | None = None

    def note(self, chat: bytes, user: User, mark: Position, now: float) -> bool:
        """Gather a mark; return whether it is the first of a new round."""
        key = (chat, user)
        if key not in self._marks and len(self._marks) >= HINTS_MAX:
            return False
        self._marks[key] = mark
        if self.due_at is not None:
            return False
        self.due_at = now + GATHER_SECONDS
        return True

    def take(self) -> dict[tuple[bytes, User], Position]:
        """Return what was gathered and begin anew."""
        marks, self._marks = self._marks, {}
        self.due_at = None
        return marks
