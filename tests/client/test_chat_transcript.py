"""What a chat shows and in which order, and how it is cut into rows."""

import dataclasses
import itertools

import pytest
from prompt_toolkit.utils import get_cwidth

from wigwag.client import Message, MessageState
from wigwag.client._chat_commands import Command, Say, Unknown, read_line
from wigwag.client._chat_control import TranscriptControl, entry_rows, wrapped
from wigwag.client._chat_transcript import (
    ENTRIES_MAX,
    Entry,
    Remark,
    Shown,
    Transcript,
)
from wigwag.client._chat_view import ChatStatus

NAMES = ("you", "bob")


def message(
    name: str, seq: int = 0, state: MessageState = MessageState.RECEIVED
) -> Message:
    """Return a message whose id and text are its name."""
    is_own = state is not MessageState.RECEIVED
    return Message(name, "bob", is_own, name, state, "", seq, 0)


def texts(entries: Transcript | list[Entry]) -> list[str]:
    """Return what is shown, from the top."""
    return [
        entry.message.id if isinstance(entry, Shown) else entry.text
        for entry in entries
    ]


def rows_of(entry: Entry, width: int) -> list[str]:
    """Return an entry's rows as text."""
    return ["".join(text for _, text in row) for row in entry_rows(entry, NAMES, width)]


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_order_is_the_server_s_however_messages_come(order: tuple[int, ...]) -> None:
    """Two people must see one conversation."""
    transcript = Transcript()
    for seq in order:
        transcript.put(message(f"m{seq}", seq))
    assert texts(transcript) == ["m1", "m2", "m3"]


def test_what_has_no_number_stands_at_the_end_until_it_has_one() -> None:
    """A queued message comes after everything that the server has."""
    transcript = Transcript()
    transcript.put(message("mine", 0, MessageState.QUEUED))
    transcript.put(message("theirs", 5))
    assert texts(transcript) == ["theirs", "mine"]
    transcript.put(message("mine", 4, MessageState.SEQUENCED))
    assert texts(transcript) == ["mine", "theirs"]


def test_a_state_never_goes_back() -> None:
    """News of two states may come in either order."""
    transcript = Transcript()
    transcript.put(message("mine", 4, MessageState.READ))
    assert transcript.put(message("mine", 4, MessageState.DELIVERED)) is None
    (shown,) = list(transcript)
    assert isinstance(shown, Shown)
    assert shown.message.state is MessageState.READ


def test_a_placeholder_is_filled_and_not_emptied_again() -> None:
    """A repaired message takes its placeholder's place."""
    transcript = Transcript()
    stub = dataclasses.replace(
        message("theirs", 3), text=None, state=MessageState.UNREADABLE
    )
    transcript.put(stub)
    assert transcript.put(message("theirs", 3)) is not None
    assert transcript.put(stub) is None
    assert len(transcript) == 1


def test_a_message_stays_above_the_remark_that_followed_it() -> None:
    """A check mark must not make a line jump."""
    transcript = Transcript()
    transcript.put(message("mine", 0, MessageState.QUEUED))
    transcript.remark(Remark("help"))
    transcript.put(message("mine", 7, MessageState.SEQUENCED))
    assert texts(transcript) == ["mine", "help"]
    transcript.put(message("theirs", 6))
    assert texts(transcript) == ["theirs", "mine", "help"]


def test_what_is_new_above_keeps_its_sign() -> None:
    """The reader must notice a line that appears where he has read already."""
    transcript = Transcript()
    transcript.put(message("late", 2), is_above=True)
    shown = transcript.put(dataclasses.replace(message("late", 2), reason="x"))
    assert shown is not None
    assert shown.is_above
    assert any("↑new above" in row for row in rows_of(shown, 80))


def test_the_oldest_entries_make_room() -> None:
    """A chat that is open for months must not grow for ever."""
    transcript = Transcript()
    for number in range(1, ENTRIES_MAX + 3):
        transcript.put(message(f"m{number}", number))
    assert len(transcript) == ENTRIES_MAX
    assert "m1" not in transcript
    assert "m3" in transcript


@pytest.mark.parametrize("width", [1, 5, 12, 20, 40, 80])
def test_rows_are_never_wider_than_the_window(width: int) -> None:
    """The terminal would wrap them itself, and the screen be garbled."""
    long = dataclasses.replace(
        message("m", 1, MessageState.READ),
        text="word " * 9 + "x" * 60 + " 日本語テキスト" * 5 + "\n\nend",
    )
    rows = rows_of(Shown(long), width)
    limit = max(width, 2)  # a wide letter needs two columns
    assert all(get_cwidth(row) <= limit for row in rows)
    joined = "".join("".join(rows).split())
    assert "日本語テキスト" in joined
    assert joined.endswith("end✓✓read")


def test_words_are_kept_whole_where_they_fit() -> None:
    """Broken words are hard to read."""
    rows = wrapped([("", "alpha beta gamma")], "", 11)
    assert [row[0][1] for row in rows] == ["alpha beta", "gamma"]


def test_a_mark_is_never_alone_in_two_pieces() -> None:
    """The mark of a message that was read is one thing: ✓✓ read."""
    text = "x" * 60
    own = dataclasses.replace(message("m", 1, MessageState.READ), text=text)
    for width in range(24, 90):
        assert any("✓✓ read" in row for row in rows_of(Shown(own), width)), width


def control_rows(control: TranscriptControl, width: int, height: int) -> list[str]:
    """Return what a control draws."""
    content = control.create_content(width, height)
    return [
        "".join(fragment[1] for fragment in content.get_line(row))
        for row in range(content.line_count)
    ]


def test_the_newest_stand_at_the_bottom_and_one_can_look_back() -> None:
    """What is looked at stays where it is while new messages come."""
    transcript = Transcript()
    control = TranscriptControl(transcript, "bob")
    transcript.put(message("m01", 1))
    rows = control_rows(control, 80, 5)
    assert rows[:4] == ["", "", "", ""]
    assert rows[4].endswith("bob m01")
    for number in range(2, 31):
        transcript.put(message(f"m{number:02}", number))
    assert control_rows(control, 80, 5)[4].endswith("m30")
    control.page_up()
    rows = control_rows(control, 80, 5)
    assert rows[4].endswith("m27")
    assert not control.is_at_end
    transcript.put(message("m31", 31))
    assert control_rows(control, 80, 5) == rows
    for _ in range(20):
        control.page_up()
    assert control_rows(control, 80, 5)[0].endswith("m01")
    for _ in range(20):
        control.page_down()
    assert control.is_at_end
    assert control_rows(control, 80, 5)[4].endswith("m31")


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("hello", Say("hello")),
        ("  indented  ", Say("  indented")),
        ("//path", Say("/path")),
        ("/quit", Command.QUIT),
        ("/HELP ", Command.HELP),
        ("a /quit", Say("a /quit")),
    ],
)
def test_a_line_is_a_message_or_a_command(line: str, meaning: Say | Command) -> None:
    """Only a slash at the beginning asks for something."""
    assert read_line(line) == meaning


@pytest.mark.parametrize("line", ["/quti", "/", "/verify bob", "/msg hi"])
def test_what_looks_like_a_command_is_not_sent(line: str) -> None:
    """A mistyped command is nobody else's business."""
    meaning = read_line(line)
    assert isinstance(meaning, Unknown)
    assert "Nothing was sent" in meaning.words


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (ChatStatus(), "connecting…"),
        (ChatStatus(queued=2), "connecting…: 2 messages queued"),
        (ChatStatus(error="nobody there"), "offline"),
        (ChatStatus(error="nobody there", queued=1), "offline: 1 message queued"),
        (ChatStatus(is_connected=True), "connected"),
        (ChatStatus(is_connected=True, queued=1), "connected: 1 message queued"),
    ],
)
def test_the_connection_is_said_in_a_few_words(status: ChatStatus, words: str) -> None:
    """There is one line for it."""
    assert status.connection_words() == words
