"""What a chat shows, in order: messages, their states, and remarks between them.

Order is the server's (`chat_seq`); what has no number yet stands at the end. A
message that was numbered before one already shown is put in its place and marked,
as ARCHITECTURE.md §1 promises. No I/O: both kinds of chat, on the screen and in a
pipe, are fed from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wigwag.client._message import Message

ENTRIES_MAX: Final = 2000
"""What one can scroll back to; `wigwag history` has the rest."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of either side, as it is shown.

    Attributes:
        message: The message.
        is_above: Whether it was put above something already shown.
    """

    message: Message
    is_above: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that isn't a message: help, a gap, a changed key.

    Attributes:
        text: The words, safe for a terminal.
        is_warning: Whether it asks for attention.
    """

    text: str
    is_warning: bool = False


Entry = Shown | Remark


class Transcript:
    """The entries of a chat, oldest first."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._ids: set[str] = set()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._ids

    def remark(self, remark: Remark) -> None:
        """Add a remark at the end."""
        self._entries.append(remark)
        self._trim()

    def put(self, message: Message, *, is_above: bool = False) -> Shown | None:
        """Put a message in its place; a newer version replaces an older one.

        Args:
            message: The message.
            is_above: Whether it goes above something that was told before it.

        Returns:
            It as it is shown now; None: nothing changed. A state never goes back,
            since the news of two states may come in either order.
        """
        old = self._find(message.id)
        if old is None:
            shown = Shown(message, is_above)
            self._entries.insert(self._place(message), shown)
            self._ids.add(message.id)
            self._trim()
            return shown
        if not _is_news(old.message, message):
            return None
        shown = Shown(message, is_above or old.is_above)
        index = self._entries.index(old)
        del self._entries[index]
        place = self._place(message)
        between = self._entries[min(index, place) : max(index, place)]
        # It doesn't jump over remarks, which have no place of their own.
        stays = all(isinstance(entry, Remark) for entry in between)
        self._entries.insert(index if stays else place, shown)
        return shown

    def _find(self, message_id: str) -> Shown | None:
        if message_id not in self._ids:
            return None
        for entry in reversed(self._entries):
            if isinstance(entry, Shown) and entry.message.id == message_id:
                return entry
        raise AssertionError("every id has its entry")

    def _place(self, message: Message) -> int:
        """Find where a message goes: above everything with a higher number or none."""
        place = len(self._entries)
        if not message.chat_seq:
            return place
        for index in range(len(self._entries) - 1, -1, -1):
            entry = self._entries[index]
            if isinstance(entry, Remark):
                continue  # it goes along with the message above it
            seq = entry.message.chat_seq
            if seq and seq < message.chat_seq:
                break
            place = index
        return place

    def _trim(self) -> None:
        while len(self._entries) > ENTRIES_MAX:
            gone = self._entries.pop(0)
            if isinstance(gone, Shown):
                self._ids.discard(gone.message.id)


def _is_news(old: Message, new: Message) -> bool:
    if old == new:
        return False
    if old.is_own:
        return new.state >= old.state
    return new.text is not None or old.text is None
