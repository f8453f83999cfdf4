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
    """The newest mark of each (chat, user) until they are sent."""

    __slots__ = ("_marks",)

    def __init__(self) -> None:
        self._marks: dict[tuple[bytes, User], Position] = {}

    def note(self, chat: bytes, user: User, mark: Position) -> bool:
        """Gather a mark; return whether it is the first of a new round."""
        marks = self._marks
        key = (chat, user)
        if key not in marks and len(marks) >= HINTS_MAX:
            return False
        is_first = not marks
        marks[key] = mark
        return is_first

    def take(self) -> dict[tuple[bytes, User], Position]:
        """Return what was gathered and begin anew."""
        marks, self._marks = self._marks, {}
        return marks
