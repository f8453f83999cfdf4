"""Stable stand-ins for names, ids, addresses and folders: one thing, one stand-in."""

import ipaddress
import re
from collections import Counter
from collections.abc import Callable
from typing import Final, Literal, cast

Kind = Literal["user", "host", "path", "id", "join", "pin"]

NAME_CHARACTERS_MIN: Final = 2
"""A single letter stands for nothing that could be told from text."""

JOIN: Final = re.compile(r"wigwag://[^\s\"'<>]+")
HEX_ID: Final = re.compile(
    r"\b(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\b"
)
SHORT_ID: Final = re.compile(r"(?<=\baccount )[0-9a-f]{8}\b")
PIN: Final = re.compile(r"(?<![\w+/=-])[A-Za-z0-9_-]{43}(?![\w+/=-])")
IPV4: Final = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\d)")
IPV6: Final = re.compile(r"(?<![\w:.])[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*(?!\w)")


class Pseudonyms:
    """Replaces what identifies somebody.

    Attributes:
        count: How many different things were replaced so far.
    """

    def __init__(self) -> None:
        self._stand_ins: dict[str, str] = {}
        self._counts: Counter[Kind] = Counter()
        self._known: list[str] = []
        self._pattern: re.Pattern[str] | None = None

    @property
    def count(self) -> int:
        """How many different things have a stand-in."""
        return len(self._stand_ins)

    @property
    def known(self) -> tuple[str, ...]:
        """The names and folders that were made known."""
        return tuple(self._known)

    def learn(self, kind: Kind, text: str) -> None:
        """Make a name or folder known that is replaced wherever it stands as a word."""
        if len(text) >= NAME_CHARACTERS_MIN and text not in self._known:
            self._known.append(text)
            self._stand_in(kind, text)
            self._pattern = None

    def apply(self, text: str) -> str:
        """Return a text with stand-ins."""
        text = JOIN.sub(self._replacer("join"), text)
        if self._known:
            text = self._compiled().sub(lambda hit: self._stand_ins[hit[0]], text)
        text = HEX_ID.sub(self._replacer("id"), text)
        text = SHORT_ID.sub(self._replacer("id"), text)
        text = PIN.sub(self._replacer("pin"), text)
        text = IPV4.sub(self._address, text)
        return IPV6.sub(self._address, text)

    def apply_within(self, value: object) -> object:
        """Return a value for JSON with stand-ins in its strings; keys stay."""
        match value:
            case str():
                return self.apply(value)
            case dict():
                items = cast("dict[str, object]", value).items()
                return {key: self.apply_within(inner) for key, inner in items}
            case list() | tuple():
                return [self.apply_within(one) for one in cast("list[object]", value)]
            case _:
                return value

    def _replacer(self, kind: Kind) -> Callable[[re.Match[str]], str]:
        return lambda hit: self._stand_in(kind, hit[0])

    def _stand_in(self, kind: Kind, text: str) -> str:
        found = self._stand_ins.get(text)
        if found is None:
            self._counts[kind] += 1
            found = self._stand_ins[text] = f"{kind}-{self._counts[kind]}"
        return found

    def _address(self, hit: re.Match[str]) -> str:
        """Replace an address, but not one that means this machine or all of it."""
        text = hit[0]
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return text  # a time of day, a version
        if address.is_loopback or address.is_unspecified:
            return text
        return self._stand_in("host", text)

    def _compiled(self) -> re.Pattern[str]:
        if self._pattern is None:
            longest_first = sorted(self._known, key=len, reverse=True)
            words = "|".join(re.escape(word) for word in longest_first)
            self._pattern = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])")
        return self._pattern
