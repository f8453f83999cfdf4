"""Messages as a terminal shows them."""

import dataclasses
import json
import time

import pytest

from wigwag.client import Message, MessageState
from wigwag.client._render import (
    check_mark,
    clock_time,
    counted,
    indented,
    message_value,
    message_words,
    one_line,
    safe_text,
    shown_text,
)

MESSAGE = Message(
    id="ab" * 16,
    peer="bob",
    is_own=True,
    text="hello",
    state=MessageState.QUEUED,
    reason="",
    chat_seq=0,
    sent_at_ms=0,
)


def mark(state: MessageState, reason: str = "") -> str:
    """Return the mark of a message in a state."""
    return check_mark(dataclasses.replace(MESSAGE, state=state, reason=reason))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Grüße 👋🏽 日本", "Grüße 👋🏽 日本"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("\x1b]0;title\x07", "<001B>]0;title<0007>"),
        ("\x9b2J", "<009B>2J"),
        ("a\rb", "a<000D>b"),
        ("a\r\nb", "a\nb"),
        ("a\tb", "a    b"),
        ("\u202eevil\u2066", "<202E>evil<2066>"),
        ("a\u2028b", "a<2028>b"),
        ("\ud800", "<D800>"),
    ],
)
def test_text_cannot_move_the_cursor_or_turn_a_line(text: str, shown: str) -> None:
    """A peer writes what he likes; what he can do is be read (CWE-150)."""
    assert safe_text(text) == shown


def test_later_lines_stand_under_the_first() -> None:
    """So nobody can write a line that looks as if somebody else had said it."""
    assert indented("one\nbob: two", 4) == "one\n    bob: two"
    assert one_line("one\ntwo") == "one⏎two"


def test_each_state_has_its_mark() -> None:
    """Single, double, read; what went wrong is named."""
    marks = [mark(state) for state in (*MessageState,)[:4]]
    assert marks == ["…", "✓", "✓✓", "✓✓ read"]
    assert mark(MessageState.REJECTED, "not_found") == "✗ rejected (not_found)"
    assert mark(MessageState.SEQUENCED, "reregistered") == "✓ (reregistered)"


def test_what_has_no_text_says_why() -> None:
    """A placeholder must not look like an empty message."""
    stub = dataclasses.replace(
        MESSAGE, text=None, state=MessageState.UNREADABLE, reason="missed"
    )
    assert "missed" in shown_text(stub)
    newer = dataclasses.replace(MESSAGE, text=None, state=MessageState.RECEIVED)
    assert "newer program" in shown_text(newer)


def test_a_place_in_the_chat_survives_every_json_reader() -> None:
    """Positions are above 2⁵³, where JavaScript and jq round numbers."""
    seq = 121537524253327361
    value = message_value(dataclasses.replace(MESSAGE, chat_seq=seq))
    assert json.loads(json.dumps(value), parse_int=float)["chat_seq"] == str(seq)
    assert message_value(MESSAGE)["chat_seq"] is None


def test_times_of_today_stand_alone() -> None:
    """A date at every line would only be noise."""
    noon = time.mktime((2026, 11, 24, 12, 0, 0, 0, 0, -1)) * 1000
    assert clock_time(int(noon), int(noon)) == "12:00"
    tomorrow = int(noon) + 24 * 3_600_000
    assert clock_time(int(noon), tomorrow) == "2026-11-24 12:00"


def test_words_of_a_message_name_its_writer() -> None:
    """Own messages carry their mark, the peer's don't."""
    assert message_words(MESSAGE).endswith("  you: hello  …")
    theirs = dataclasses.replace(MESSAGE, is_own=False, state=MessageState.RECEIVED)
    assert message_words(theirs).endswith("  bob: hello")


def test_counts_agree_with_their_nouns() -> None:
    """One message, two messages."""
    assert (counted(1, "message"), counted(2, "message")) == ("1 message", "2 messages")
