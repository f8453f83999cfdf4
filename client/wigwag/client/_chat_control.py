"""A chat's transcript as a control of prompt_toolkit: wrapped, newest at the bottom.

prompt_toolkit's own scrolling follows a cursor, and a transcript has none: so the
lines that are visible are cut out here, and the window never scrolls.
"""

import functools
import time
from collections.abc import Iterable
from typing import Final

from prompt_toolkit.layout.controls import UIContent, UIControl
from prompt_toolkit.utils import get_cwidth

from wigwag.client._chat_transcript import (
    ENTRIES_MAX,
    Entry,
    Remark,
    Shown,
    Transcript,
)
from wigwag.client._message import FAILED_STATES, Message, MessageState
from wigwag.client._render import check_mark, clock_time, safe_text, shown_text

Fragment = tuple[str, str]
Row = list[Fragment]

TEXT_COLUMNS_MIN: Final = 10
"""A narrower window shows messages without their margin."""

NAME_COLUMNS_MAX: Final = 12

OVERLAP_ROWS: Final = 2
"""Rows that stay visible when a page is turned."""

NO_BREAK_SPACE: Final = "\u00a0"

STYLES: Final = {
    "time": "#888888",
    "me": "bold",
    "peer": "bold ansicyan",
    "mark": "#888888",
    "mark-read": "bold ansiblue",
    "mark-failed": "bold ansired",
    "above": "ansiyellow",
    "remark": "italic #888888",
    "warning": "bold ansiyellow",
    "toolbar": "reverse",
    "rule": "#888888",
}


class TranscriptControl(UIControl):
    """Shows the end of a transcript, or an earlier part after scrolling.

    Args:
        transcript: What to show; it may change between two drawings.
        peer: The name before the peer's messages.
    """

    def __init__(self, transcript: Transcript, peer: str) -> None:
        self._transcript = transcript
        self._names = (_name("you"), _name(peer))
        self._rows_below = 0
        self._rows_seen = 0
        self._height = 1

    @property
    def is_at_end(self) -> bool:
        """Whether the newest entry is visible."""
        return self._rows_below == 0

    def page_up(self) -> None:
        """Show what is above."""
        step = max(self._height - OVERLAP_ROWS, 1)
        self._rows_below = min(
            self._rows_below + step, max(self._rows_seen - self._height, 0)
        )

    def page_down(self) -> None:
        """Show what is below."""
        step = max(self._height - OVERLAP_ROWS, 1)
        self._rows_below = max(self._rows_below - step, 0)

    def create_content(self, width: int, height: int | None) -> UIContent:
        """Return the visible rows (prompt_toolkit calls this for each drawing)."""
        self._height = height or 1
        today = time.localtime().tm_yday
        rows = [
            row
            for entry in self._transcript
            for row in _rows_of_day(entry, self._names, width, today)
        ]
        if not self.is_at_end:
            # What is looked at stays where it is while new rows come in below it.
            self._rows_below += max(len(rows) - self._rows_seen, 0)
        self._rows_seen = len(rows)
        self._rows_below = min(self._rows_below, max(len(rows) - self._height, 0))
        end = len(rows) - self._rows_below
        visible = rows[max(end - self._height, 0) : end]
        padding: list[Row] = [[] for _ in range(self._height - len(visible))]
        shown = padding + visible
        return UIContent(
            get_line=lambda index: list(shown[index]),
            line_count=len(shown),
            show_cursor=False,
        )


@functools.lru_cache(maxsize=2 * ENTRIES_MAX)
def _rows_of_day(
    entry: Entry, names: tuple[str, str], width: int, today: int
) -> list[Row]:
    """Remember rows: a drawing happens at every key, and most entries stay as they are.

    The day is part of what is remembered, since only times of today stand alone.
    """
    del today
    return entry_rows(entry, names, width)


def entry_rows(entry: Entry, names: tuple[str, str], width: int) -> list[Row]:
    """Return an entry as rows of at most `width` columns.

    Args:
        entry: The entry.
        names: What stands before our and before the peer's messages.
        width: Columns of the window.
    """
    match entry:
        case Remark(text=text, is_warning=is_warning):
            style = "class:warning" if is_warning else "class:remark"
            return wrapped([(style, text)], "", width)
        case Shown():
            return _message_rows(entry, names, width)


def wrapped(fragments: Iterable[Fragment], margin: str, width: int) -> list[Row]:
    """Break fragments into rows, at spaces where possible.

    Args:
        fragments: Style and text; line breaks in the text are kept.
        margin: What stands before each row but the first.
        width: Columns, at least 1.
    """
    margin_columns = get_cwidth(margin)
    if width - margin_columns < TEXT_COLUMNS_MIN:
        margin, margin_columns = "", 0
    cells = [(style, letter) for style, text in fragments for letter in text]
    rows: list[list[Fragment]] = [[]]
    used = 0
    for index, (style, letter) in enumerate(cells):
        columns = get_cwidth(letter)
        breaks_here = letter == " " and used + 1 + _word_columns(cells, index) > width
        if letter == "\n" or (breaks_here and used > margin_columns):
            rows.append([("", margin)] if margin else [])
            used = margin_columns
            continue
        if used + columns > width:
            rows.append([("", margin)] if margin else [])
            used = margin_columns
        # prompt_toolkit would underline it.
        shown = " " if letter == NO_BREAK_SPACE else letter
        rows[-1].append((style, shown))
        used += columns
    return [_joined(row) for row in rows]


def _message_rows(shown: Shown, names: tuple[str, str], width: int) -> list[Row]:
    message = shown.message
    name = names[0] if message.is_own else names[1]
    head = f"{clock_time(message.sent_at_ms)} "
    margin = " " * get_cwidth(f"{head}{name} ")
    is_stub = message.text is None
    fragments: list[Fragment] = [
        ("class:time", head),
        ("class:me" if message.is_own else "class:peer", name),
        ("", " "),
        ("class:remark" if is_stub else "", safe_text(shown_text(message))),
    ]
    if shown.is_above:
        fragments.append(("class:above", " ↑new above"))
    if message.is_own:
        # A mark isn't broken: its words hold together like one.
        mark = check_mark(message).replace(" ", NO_BREAK_SPACE)
        fragments += [("", " "), (_mark_style(message), mark)]
    return wrapped(fragments, margin, width)


def _mark_style(message: Message) -> str:
    if message.state in FAILED_STATES:
        return "class:mark-failed"
    is_read = message.state is MessageState.READ
    return "class:mark-read" if is_read else "class:mark"


def _name(name: str) -> str:
    return name if len(name) <= NAME_COLUMNS_MAX else name[: NAME_COLUMNS_MAX - 1] + "…"


def _word_columns(cells: list[Fragment], space: int) -> int:
    """Count the columns of the word behind a space; a long one isn't read whole."""
    columns = 0
    for _, letter in cells[space + 1 : space + 1 + 256]:
        if letter in " \n":
            break
        columns += get_cwidth(letter)
    return columns


def _joined(row: Row) -> Row:
    """Join neighbours of one style: fewer fragments draw faster."""
    joined: Row = []
    for style, text in row:
        if joined and joined[-1][0] == style:
            joined[-1] = (style, joined[-1][1] + text)
        else:
            joined.append((style, text))
    return joined
