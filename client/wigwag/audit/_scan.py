"""Looks for secrets in files and bytes, in every usual spelling.

A needle is looked for as raw bytes, hexadecimal, base64 (three alignments, two
alphabets) and UTF-16, so that a log line or a JSON file counts as much as a
database page. All needles are looked for at once: their first bytes stand in a
table, and each place of the data is looked up there.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

HEAD_BYTES: Final = 12
"""What is compared first; a needle is at least this long in each spelling. By
chance 12 bytes meet in one of 2⁹⁶ places."""

_ZEROS: Final = re.compile(rb"\x00{64,}")
"""Free space of a database; no needle holds so many zeros."""


@dataclass(frozen=True, slots=True)
class Needle:
    """Something that must not be found.

    Attributes:
        label: What it is, without saying it.
        data: Itself, at least HEAD_BYTES long.
    """

    label: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """A needle that was found.

    Attributes:
        label: What it is.
        spelling: How it was written there, e.g. "hex".
        place: File, or frame, and offset in bytes.
    """

    label: str
    spelling: str
    place: str


@dataclass(slots=True)
class Looked:
    """How much was looked at: a scan of nothing finds nothing.

    Attributes:
        files: Number of files.
        frames: Number of frames.
        data_bytes: Bytes of both.
    """

    files: int = 0
    frames: int = 0
    data_bytes: int = 0


class Scanner:
    """Looks for a set of needles.

    Args:
        needles: What to look for.

    Raises:
        ValueError: A needle is too short to be told from chance.
    """

    def __init__(self, needles: Iterable[Needle]) -> None:
        self.looked = Looked()
        self._heads: dict[bytes, list[tuple[bytes, str, str]]] = {}
        for needle in needles:
            for spelling, pattern in spellings(needle.data):
                if len(pattern) < HEAD_BYTES:
                    raise ValueError(f"{needle.label} is too short to be looked for")
                entry = (pattern, needle.label, spelling)
                self._heads.setdefault(pattern[:HEAD_BYTES], []).append(entry)

    def scan_tree(self, folder: Path) -> list[Finding]:
        """Look through every file under a folder."""
        return [
            finding
            for path in sorted(folder.rglob("*"))
            if path.is_file()
            for finding in self.scan_file(path)
        ]

    def scan_file(self, path: Path) -> list[Finding]:
        """Look through one file."""
        data = path.read_bytes()
        self.looked.files += 1
        self.looked.data_bytes += len(data)
        return list(self._scan(data, path.name))

    def scan_trace(self, path: Path) -> list[Finding]:
        """Look through the frames that a server wrote with `trace_frames`."""
        findings: list[Finding] = []
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                frame = json.loads(line)
                content = bytes.fromhex(frame["content"])
                self.looked.frames += 1
                self.looked.data_bytes += len(content)
                place = f"frame {number} ({frame['direction']} {frame['message']})"
                findings += self._scan(content, place)
        return findings

    def scan_bytes(self, data: bytes, place: str) -> list[Finding]:
        """Look through some bytes."""
        self.looked.data_bytes += len(data)
        return list(self._scan(data, place))

    def _scan(self, data: bytes, place: str) -> Iterator[Finding]:
        start = 0
        for zeros in _ZEROS.finditer(data):
            # A needle may begin or end in a few zeros.
            end = zeros.start() + HEAD_BYTES
            yield from self._scan_part(data, start, end, place)
            start = zeros.end() - HEAD_BYTES
        yield from self._scan_part(data, start, len(data), place)

    def _scan_part(
        self, data: bytes, start: int, end: int, place: str
    ) -> Iterator[Finding]:
        heads = self._heads
        for offset in range(start, end - HEAD_BYTES + 1):
            candidates = heads.get(data[offset : offset + HEAD_BYTES])
            if candidates is None:
                continue
            for pattern, label, spelling in candidates:
                if data.startswith(pattern, offset):
                    yield Finding(label, spelling, f"{place}, byte {offset}")


def spellings(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the ways in which bytes get written down."""
    yield "raw", data
    yield "hex", data.hex().encode("ascii")
    yield "hex", data.hex().upper().encode("ascii")
    for shift in range(3):
        encoded = _shifted_base64(data, shift)
        yield "base64", encoded
        urlsafe = encoded.translate(bytes.maketrans(b"+/", b"-_"))
        if urlsafe != encoded:
            yield "base64", urlsafe
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return
    yield "UTF-16", text.encode("utf-16-le")
    yield "UTF-16", text.encode("utf-16-be")
    escaped = json.dumps(text)[1:-1].encode("ascii")
    if escaped != data:
        yield "JSON", escaped


def _shifted_base64(data: bytes, shift: int) -> bytes:
    """Return the characters of base64 that depend on `data` alone.

    Args:
        data: What is encoded.
        shift: How many bytes stand before it in its group of three.
    """
    encoded = base64.b64encode(bytes(shift) + data)
    first = (0, 2, 3)[shift]
    bits = (shift + len(data)) * 8
    return encoded[first : bits // 6]
