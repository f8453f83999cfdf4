"""A mistake that a specification can hold, as an edit of the trial protocol.

The mark stands on the line that must be named.
"""

from __future__ import annotations

from dataclasses import dataclass

MARK = "#!"

SCALARS, ARRAYS = "messages/scalars.toml", "messages/arrays.toml"
CHANGING, GREET, OLD = (
    "messages/changing.toml",
    "messages/greet.toml",
    "messages/old.toml",
)
YOUNG, KEPT, RELAYED = (
    "messages/young.toml",
    "messages/kept.toml",
    "messages/relayed.toml",
)
GREETED, CHANGED = "messages/greeted.toml", "messages/changed.toml"
POINT, LEAF, BRANCH, DEED = (
    f"types/{name}.toml" for name in ("point", "leaf", "branch", "deed")
)
COLOR, MODE, RIGHTS = (f"types/{name}.toml" for name in ("color", "mode", "rights"))
SMALL = 'name = "small"\ntype = "u8"\nmin = 1\n'
DATA = 'type = "bytes"\nmax = 3'


@dataclass(frozen=True)
class MistakeCase:
    """Edits that spoil the trial protocol and what must then be said.

    Attributes:
        wrong: Part of what is said to be wrong.
        edits: (file, text, replacement); an empty text appends.
        at: File that is named, if not the last one edited.
    """

    wrong: str
    edits: tuple[tuple[str, str, str], ...]
    at: str = ""


def one(wrong: str, file: str, old: str, new: str, at: str = "") -> MistakeCase:
    """Return a case of one edit."""
    return MistakeCase(wrong, ((file, old, new),), at)


def field(text: str, number: str = "ord = 2") -> str:
    """Return a field to append to OLD, marked where it starts if nowhere else."""
    mark = "" if MARK in text + number else f" {MARK}"
    return f'[[field]]{mark}\n{number}\nname = "more"\n{text}\ndoc = "More."\n'
