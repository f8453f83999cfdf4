"""Looks through a report for what must not be in it: the last thing before it exists.

It knows nothing of what was replaced before: it looks for the things themselves
(keys, passphrases and texts of this machine, in every spelling), for names, and for
what looks like a secret whosever it is.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from wigwag.audit import HEAD_BYTES, Needle, Scanner

PATTERNS: Final = (
    ("a PEM block", re.compile(r"-----BEGIN [A-Z0-9 ]+-----")),
    ("a join string", re.compile(r"wigwag://\S*#v\d")),
    ("a 16-byte id or a key, in hexadecimal", re.compile(r"\b[0-9a-fA-F]{32,}\b")),
    ("a 32-byte key, in base64", re.compile(r"(?<![\w+/=-])[\w+/-]{43}=?(?![\w+/=-])")),
    ("a signed token", re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.")),
    (
        "a passphrase",
        re.compile(r"(?i)pass(?:phrase|word)\"?'?\s*[=:]\s*\"?'?[^\s\"']"),
    ),
)
"""What a secret looks like."""

PASSPHRASE_CHARACTERS_MIN: Final = 4
"""A shorter one can't be told from text."""

FINDINGS_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A secret that was found.

    Attributes:
        file: In which file.
        kind: What it is, without saying it.
        line: On which line, from 1.
    """

    file: str
    kind: str
    line: int


@dataclass(slots=True)
class Secrets:
    """What to look for besides the patterns.

    Attributes:
        needles: Long enough to be looked for in every spelling.
        words: Short ones, looked for as they are.
        names: Names, looked for as words where they may not stand.
    """

    needles: list[Needle] = field(default_factory=list[Needle], repr=False)
    words: list[tuple[str, str]] = field(
        default_factory=list[tuple[str, str]], repr=False
    )
    names: list[str] = field(default_factory=list[str], repr=False)

    def add(self, kind: str, data: bytes) -> None:
        """Look for something; if it is short only as it is, or not at all."""
        if len(data) >= HEAD_BYTES:
            self.needles.append(Needle(kind, data))
        elif len(data) >= PASSPHRASE_CHARACTERS_MIN and kind == "a passphrase":
            self.words.append((kind, data.decode("utf-8", "replace")))

    @property
    def count(self) -> int:
        """How many things are looked for."""
        return len(self.needles) + len(self.words) + len(self.names) + len(PATTERNS)


def search(
    documents: Mapping[str, bytes], secrets: Secrets, nameless: Iterable[str]
) -> list[Found]:
    """Look through the files of a report.

    Args:
        documents: Files by name.
        secrets: What to look for.
        nameless: Files that hold our own words only, which may be somebody's name.
    """
    findings: list[Found] = []
    scanner = Scanner(secrets.needles)
    own_words = set(nameless)
    for name, data in documents.items():
        for hit in scanner.scan_bytes(data, ""):
            offset = int(hit.place.rpartition(" ")[2])
            findings.append(Found(name, hit.label, data.count(b"\n", 0, offset) + 1))
        text = data.decode("utf-8", "replace")
        findings += _patterns(name, text)
        for kind, word in secrets.words:
            findings += _places(name, kind, re.compile(re.escape(word)), text)
        if name not in own_words and secrets.names:
            findings += _places(name, "a name", _any_of(secrets.names), text)
    return list(dict.fromkeys(findings))[:FINDINGS_MAX]


def _patterns(name: str, text: str) -> list[Found]:
    return [
        found
        for kind, pattern in PATTERNS
        for found in _places(name, kind, pattern, text)
    ]


def _places(
    name: str, kind: str, pattern: re.Pattern[str], text: str
) -> Iterable[Found]:
    for hit in pattern.finditer(text):
        yield Found(name, kind, text.count("\n", 0, hit.start()) + 1)


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    words = "|".join(re.escape(name) for name in names)
    # A key of a JSON object is a word of ours.
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])(?!\"\s*:)")
