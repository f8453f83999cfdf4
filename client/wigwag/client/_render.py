"""Messages as a terminal shows them: safe text, check marks, times."""

import time
import unicodedata
from typing import Final

from wigwag.client._message import Message, MessageState

# "read" is a word besides a colour: a colour alone is lost on a monochrome terminal,
# in a log, and on many eyes.
_MARKS: Final = {
    MessageState.QUEUED: "…",
    MessageState.SEQUENCED: "✓",
    MessageState.DELIVERED: "✓✓",
    MessageState.READ: "✓✓ read",
}

# One sentence a reason: what happened, what is missing, what becomes of it.
_GAPS: Final = {
    "server_restored": "The server was put back from an older copy: messages to you"
    " may be missing; yours that it may have lost are sent again.",
    "store_rolled_back": "This profile is an older copy of itself: what was sent and"
    " received after the copy was made may be missing here.",
    "already_acked": "Another copy of this profile received messages that are missing"
    " here.",
    "reregistered": "Messages that waited can't be opened after this profile was put"
    " back; their senders send them again.",
    "expired": "Messages waited on the server for longer than it keeps them and are"
    " missing; their senders are told.",
    "suspended": "This profile was away for so long that the server dropped its"
    " messages; their senders are told.",
    "corrupt": "A message was damaged on the server and is missing; its sender is"
    " told.",
    "not_explained": "Messages are missing, and the server doesn't say why.",
    "newer_revision": "A message needs a newer program and is missing here.",
}

_KEPT_CONTROLS: Final = frozenset("\n")

_TAB: Final = "    "


def safe_text(text: str) -> str:
    """Return text that can't move a cursor, set a title or reverse a line.

    Control characters and invisible direction marks are shown by their number; a
    peer could otherwise overwrite what others said (CWE-150). Line breaks stay.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\t", _TAB)
    return "".join(
        character if _is_harmless(character) else f"<{ord(character):04X}>"
        for character in text
    )


def one_line(text: str) -> str:
    """Return text without line breaks, for places that hold one line."""
    return safe_text(text).replace("\n", "⏎")


def indented(text: str, width: int) -> str:
    """Return text whose later lines stand under its first.

    So nobody can write a line that looks as if somebody else had said it.
    """
    return safe_text(text).replace("\n", "\n" + " " * width)


def check_mark(message: Message) -> str:
    """Return how a message of ours stands, e.g. ✓✓ for delivered.

    A word says why, where there is a reason: a failure, or a device that it didn't
    reach.
    """
    mark = _MARKS.get(message.state)
    if mark is None:
        mark = f"✗ {message.state.name.lower()}"
    reason = one_line(message.reason)
    return f"{mark} ({reason})" if reason else mark


def shown_text(message: Message) -> str:
    """Return a message's text, or what stands for one that has none."""
    if message.text is not None:
        return message.text
    if message.state is MessageState.UNREADABLE:
        reason = f": {message.reason}" if message.reason else ""
        return f"(can't be opened{reason}; it was asked for again)"
    return "(content of a newer program; an update will show it)"


def message_value(message: Message) -> dict[str, object]:
    """Return a message as a program reads it.

    A place in the chat is text: as a number many programs would round it, since it
    is above 2⁵³ (RFC 8259 §6). It has 18 digits, so it also sorts as text.
    """
    return {
        "message_id": message.id,
        "peer": message.peer,
        "is_own": message.is_own,
        "text": message.text,
        "state": message.state.name.lower(),
        "reason": message.reason,
        "chat_seq": str(message.chat_seq) if message.chat_seq else None,
        "sent_at_ms": message.sent_at_ms,
    }


def message_words(message: Message) -> str:
    """Return a message as one line, or more for a text of several lines."""
    name = "you" if message.is_own else one_line(message.peer)
    head = f"{clock_time(message.sent_at_ms)}  {name}: "
    mark = f"  {check_mark(message)}" if message.is_own else ""
    return head + indented(shown_text(message), len(head)) + mark


def gap_words(reason: str) -> str:
    """Return what a gap means, as one sentence."""
    return _GAPS.get(reason) or f"Messages are missing: {one_line(reason)}."


def clock_time(at_ms: int, now_ms: int | None = None) -> str:
    """Return a local time: HH:MM today, with the date on other days.

    Args:
        at_ms: Milliseconds since the Unix epoch.
        now_ms: What is today; None: by the clock.
    """
    at = time.localtime(at_ms / 1000)
    now = time.localtime(None if now_ms is None else now_ms / 1000)
    if at[:3] == now[:3]:
        return time.strftime("%H:%M", at)
    return time.strftime("%Y-%m-%d %H:%M", at)


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: "1 message", "2 messages"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _is_harmless(character: str) -> bool:
    if character in _KEPT_CONTROLS:
        return True
    # Cc: control; Cf: format (direction marks); Zl, Zp: separators that break lines;
    # Cs, Co, Cn would print as nothing. ZWJ and ZWNJ are part of emoji and scripts.
    category = unicodedata.category(character)
    if character in "\u200c\u200d":
        return True
    return category not in {"Cc", "Cf", "Zl", "Zp", "Cs", "Cn"}
