"""What a typed line of a chat means: a message, or one of a few commands."""

import difflib
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Command(Enum):
    """What can be asked in a chat."""

    HELP = "help"
    VERIFY = "verify"
    MARK = "mark"
    ACCEPT = "accept"
    QUIT = "quit"


HELP: Final = """\
/verify   show the safety number that both of you must see
/mark     the numbers are equal: verified
/accept   the new key is really his or hers: send again
/quit     leave (also Ctrl-D)
//text    send a text that begins with /
PageUp and PageDown look back; … queued, ✓ at the server, ✓✓ delivered, ✓✓ read"""


@dataclass(frozen=True, slots=True)
class Say:
    """A text to send."""

    text: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A command that doesn't exist.

    Attributes:
        words: What to tell about it.
    """

    words: str


def read_line(line: str) -> Say | Command | Unknown:
    """Tell what a line means.

    A line that begins with a slash is never sent by mistake: `/` is doubled for that.
    """
    text = line.strip()
    if not text.startswith("/"):
        return Say(line.rstrip())
    if text.startswith("//"):
        return Say(text[1:])
    name = text[1:].lower()
    names = [command.value for command in Command]
    if name in names:
        return Command(name)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean /{near[0]}?" if near else "/help lists them."
    return Unknown(f"There is no {text.split()[0]} here; {hint} Nothing was sent.")
