"""What a command writes: JSON alone on standard output, or words for a person.

With `--json` standard output holds JSON objects only, one a line, and the last
line of a command that fails is `{"error": {...}}`; standard error stays silent.
Without it results go to standard output and remarks to standard error, so that a
pipe gets results alone.
"""

import json
import os
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from typing import TextIO


class Output:
    """Where a command's results, remarks and failures go.

    Args:
        as_json: Whether a program reads them.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def result(self, value: Mapping[str, object], words: str) -> None:
        """Write one result, flushed: what a reader has is never half a line.

        Args:
            value: As a program reads it.
            words: As a person reads it; may hold several lines.

        Raises:
            OSError: Standard output is closed or full.
        """
        text = json.dumps(value, ensure_ascii=False) if self.as_json else words
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def note(self, words: str) -> None:
        """Write a remark for a person; a program doesn't get it."""
        if not self.as_json:
            sys.stderr.write(words + "\n")
            sys.stderr.flush()

    def failure(self, value: Mapping[str, object], words: str) -> None:
        """Write why the command fails: its last words."""
        if self.as_json:
            self.result({"error": value}, words)
        else:
            self.note(f"wigwag: {words}")


def write_any_text() -> None:
    """Make the standard streams take every character, escaped where they can't.

    A terminal that isn't UTF-8 would otherwise end the command in the middle of a
    message that somebody else chose.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a person sits at a stream; a closed one has nobody."""
    try:
        return stream.isatty()
    except ValueError:
        return False


def give_up_stdout() -> None:
    """Let the interpreter's last flush go nowhere: the reader has left."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
