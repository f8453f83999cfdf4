"""Mistakes in the specification's source: where, what is wrong, what to write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake a person can go to and repair.

    Attributes:
        file: Path relative to the specification's root, with forward slashes.
        line: Line in that file, from 1.
        wrong: What is wrong, one clause.
        write: What to write instead, one clause.
    """

    file: str
    line: int
    wrong: str
    write: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.wrong}; {self.write}"


class SpecificationError(Exception):
    """The specification's source has mistakes; all of them are in `mistakes`."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(map(str, self.mistakes)))


class Mistakes:
    """Collects mistakes, so that one run names all of them and not the first."""

    def __init__(self) -> None:
        self._found: list[Mistake] = []

    def add(self, where: tuple[str, int], wrong: str, write: str) -> None:
        """Record one mistake at (file, line)."""
        self._found.append(Mistake(*where, wrong, write))

    def raise_any(self) -> None:
        """Stop here if anything was recorded.

        Raises:
            SpecificationError: With every recorded mistake, by file and line.
        """
        if self._found:
            raise SpecificationError(self._found)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Say which of the known words was probably meant, or name them all."""
    words = sorted(known)
    near = get_close_matches(word, words, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"write one of {', '.join(words)}" if words else "there is none to choose"
