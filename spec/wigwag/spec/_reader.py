"""Typed reading of one located table; every wrong key becomes a mistake."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeGuard, TypeVar, cast

from wigwag.spec._ir import RevisionRange
from wigwag.spec._locate import Table
from wigwag.spec._mistakes import Mistakes, suggestion

_REVISIONS = re.compile(r"([1-9][0-9]*)(\+|-[1-9][0-9]*)?$")
_MISSING = object()

Choice = TypeVar("Choice", bound=str)


def _are_texts(value: object) -> TypeGuard[list[str]]:
    if not isinstance(value, list):
        return False
    return all(isinstance(item, str) for item in cast("list[object]", value))


class Reader:
    """Takes keys out of a table and says at the end which ones nobody knows."""

    def __init__(self, table: Table, mistakes: Mistakes) -> None:
        self.table = table
        self._mistakes = mistakes
        self._known: set[str] = set()

    def wrong(self, key: str | None, wrong: str, write: str) -> None:
        """Record a mistake at a key of this table, or at its heading."""
        self._mistakes.add(self.table.at(key), wrong, write)

    def has(self, key: str) -> bool:
        """Say whether the key is written, whatever its value."""
        return key in self.table.values

    def _take(self, key: str, needed: bool, example: str) -> object:
        self._known.add(key)
        value = self.table.values.get(key, _MISSING)
        if value is _MISSING and needed:
            self.wrong(
                None, f"`{self.table.name}` has no `{key}`", f"write {key} = {example}"
            )
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not empty."""
        value = self._take(key, default is None, '"…"')
        if value is _MISSING:
            return default or ""
        if not isinstance(value, str) or not value:
            self.wrong(key, f"`{key}` is not a text", f'write {key} = "…"')
            return default or ""
        return value

    def name(self, key: str, pattern: str, form: str) -> str:
        """Return a text that fully matches a pattern, which `form` describes."""
        value = self.text(key)
        if value and not re.fullmatch(pattern, value):
            self.wrong(key, f"`{key}` {value!r} is not {form}", f"write {form}")
        return value

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Return a number within low..high, else record it and return the nearest."""
        value = self._take(key, default is None, str(low))
        if value is _MISSING:
            return low if default is None else default
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(key, f"`{key}` is not a number", f"write {key} = {low}")
            return low if default is None else default
        if not low <= value <= high:
            self.wrong(
                key,
                f"`{key}` {value} is outside {low}..{high}",
                "write a number within it",
            )
        return min(max(value, low), high)

    def maybe_whole(self, key: str, low: int, high: int) -> int | None:
        """Return a number within low..high, or None if the key is absent."""
        return self.whole(key, low, high, low) if self._offered(key) else None

    def _offered(self, key: str) -> bool:
        self._known.add(key)
        return self.has(key)

    def flag(self, key: str, default: bool = False) -> bool:
        """Return true or false."""
        value = self._take(key, False, "true")
        if value is _MISSING:
            return default
        if not isinstance(value, bool):
            self.wrong(key, f"`{key}` is neither true nor false", f"write {key} = true")
            return default
        return value

    def choice(
        self, key: str, choices: Sequence[Choice], default: Choice | None = None
    ) -> Choice:
        """Return one of a closed set of words."""
        value = self.text(key, default)
        for choice in choices:
            if value == choice:
                return choice
        if value:
            self.wrong(
                key, f"`{key}` {value!r} is not known", suggestion(value, choices)
            )
        return choices[0]

    def names(self, key: str, needed: bool = False) -> tuple[str, ...]:
        """Return a list of texts, none twice."""
        value = self._take(key, needed, '["…"]')
        if value is _MISSING:
            return ()
        if not _are_texts(value):
            self.wrong(key, f"`{key}` is not a list of texts", f'write {key} = ["…"]')
            return ()
        if len(set(value)) != len(value):
            self.wrong(key, f"`{key}` names something twice", "name it once")
        return tuple(value)

    def raw(self, key: str) -> object | None:
        """Return a value of any type, or None if the key is absent."""
        value = self._take(key, False, "")
        return None if value is _MISSING else value

    def revisions(self, key: str = "rev") -> RevisionRange | None:
        """Return the range that a `rev` key names (`3+`, `1-4` or `2`), if any."""
        if not self._offered(key):
            return None
        value = self.table.values[key]
        match = _REVISIONS.match(value) if isinstance(value, str) else None
        if match is None:
            self.wrong(
                key,
                f"`{key}` is not a range of revisions",
                f'write {key} = "3+", "1-4" or "2"',
            )
            return None
        first = int(match[1])
        tail = match[2] or f"-{first}"
        last = None if tail == "+" else int(tail[1:])
        if last is not None and last < first:
            self.wrong(
                key, f"`{key}` ends before it starts", f'write {key} = "{last}-{first}"'
            )
            return None
        return RevisionRange(first, last)

    def finish(self) -> None:
        """Record every key that nothing asked for."""
        for key in self.table.values:
            if key not in self._known:
                self.wrong(
                    key,
                    f"`{self.table.name}` has no key `{key}`",
                    suggestion(key, self._known),
                )
