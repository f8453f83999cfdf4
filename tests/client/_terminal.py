"""A terminal for tests: a pseudo-terminal, and a screen drawn as a VT100 would.

It knows the sequences that prompt_toolkit writes. One that it doesn't know fails
the test, instead of leaving a screen that only looks right.
"""

import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from typing import Final

ROWS: Final = 24
COLUMNS: Final = 80
WAIT_SECONDS: Final = 40.0

_SEQUENCE: Final = re.compile(
    r"\x1b(?:\[(?P<args>[?>0-9;]*)(?:(?P<end>[A-Za-z@])| q)|[=>78c])"
)
_IGNORED: Final = frozenset("mhlnqtr")
"""Colours, modes, questions about the terminal: they move nothing."""


class Screen:
    """What a person sees."""

    def __init__(self) -> None:
        self._rows = [[" "] * COLUMNS for _ in range(ROWS)]
        self._row = 0
        self._column = 0
        self._rest = ""

    def lines(self) -> list[str]:
        """Return the rows, without spaces at their ends."""
        return ["".join(row).rstrip() for row in self._rows]

    def feed(self, text: str) -> None:
        """Draw what a program wrote."""
        text = self._rest + text
        self._rest = ""
        while text:
            if text[0] == "\x1b":
                match = _SEQUENCE.match(text)
                if match is None:
                    assert len(text) < 32, f"unknown sequence {text[:32]!r}"
                    self._rest = text
                    return
                self._obey(match["args"] or "", match["end"] or "")
                text = text[match.end() :]
            else:
                self._draw(text[0])
                text = text[1:]

    def _draw(self, letter: str) -> None:
        match letter:
            case "\r":
                self._column = 0
            case "\n":
                self._row = min(self._row + 1, ROWS - 1)
            case "\b":
                self._column = max(self._column - 1, 0)
            case "\x07":
                pass
            case _:
                assert letter.isprintable(), letter
                self._rows[self._row][self._column] = letter
                # Wrapping is switched off, or waits for a further letter.
                self._column = min(self._column + 1, COLUMNS - 1)

    def _obey(self, arguments: str, end: str) -> None:
        numbers = [int(part or 0) for part in re.findall(r"\d+", arguments)]
        count = max(numbers[0], 1) if numbers else 1
        match end:
            case "A":
                self._row = max(self._row - count, 0)
            case "B":
                self._row = min(self._row + count, ROWS - 1)
            case "C":
                self._column = min(self._column + count, COLUMNS - 1)
            case "D":
                self._column = max(self._column - count, 0)
            case "H":
                self._row = (numbers[0] if numbers else 1) - 1
                self._column = (numbers[1] if len(numbers) > 1 else 1) - 1
            case "J":
                self._erase_row()
                for row in self._rows[self._row + 1 :]:
                    row[:] = [" "] * COLUMNS
                if numbers == [2]:
                    self._rows = [[" "] * COLUMNS for _ in range(ROWS)]
            case "K":
                self._erase_row()
            case _:
                assert not end or end in _IGNORED, (arguments, end)

    def _erase_row(self) -> None:
        row = self._rows[self._row]
        row[self._column :] = [" "] * (COLUMNS - len(row[: self._column]))


class Terminal:
    """A program in a pseudo-terminal of 80 columns and 24 rows.

    Args:
        arguments: The program.
        environment: Its environment.
    """

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self._ours, theirs = os.openpty()
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self.process = subprocess.Popen(
            arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
        )
        self.screen = Screen()
        self.written = b""

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._ours, text.encode())

    def wait(self, is_so: Callable[[list[str]], bool]) -> list[str]:
        """Wait until the screen looks as it should; return its rows."""
        end = time.monotonic() + WAIT_SECONDS
        while not is_so(self.screen.lines()):
            left = end - time.monotonic()
            shown = "\n".join(self.screen.lines())
            assert left > 0, f"the screen never looked right:\n{shown}"
            assert self._read(left), f"the program ended:\n{shown}"
        return self.screen.lines()

    def wait_for(self, words: str) -> list[str]:
        """Wait until words are on the screen; return its rows."""
        return self.wait(lambda lines: any(words in line for line in lines))

    def finish(self) -> int:
        """Wait until the program has ended; return its exit status."""
        end = time.monotonic() + WAIT_SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            self._read(0.05)
        while self._read(0.0):
            pass
        return self.process.wait(1)

    def modes(self) -> list[object]:
        """Return the terminal's modes, to compare with `before`."""
        return termios.tcgetattr(self._theirs)

    def close(self) -> None:
        """End the program, if it still runs, and the terminal."""
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)

    def _read(self, timeout_seconds: float) -> bool:
        readable, _, _ = select.select([self._ours], [], [], timeout_seconds)
        if not readable:
            return False
        data = os.read(self._ours, 65_536)
        self.written += data
        # A character may be cut: what is left of it comes next time.
        whole = self.written[: len(self.written) - _cut_bytes(self.written)]
        self.screen.feed(whole[self._fed :].decode())
        self._fed = len(whole)
        return True

    _fed = 0


def _cut_bytes(data: bytes) -> int:
    """Count the bytes of a cut UTF-8 character at the end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
        return back if length > back else 0
    return 0
