"""A planted bug: patches of the real code, for as long as it is planted."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

Patch = tuple[object, str, object]
"""Owner, attribute and what takes its place: mostly a function."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug.

    Attributes:
        catches: Invariants whose checkers may catch it; one of them must, another one
            may be reported beside it.
        patches: Owner, attribute and what takes its place.
    """

    catches: frozenset[str]
    patches: Sequence[Patch]

    @contextmanager
    def planted(self) -> Generator[None, None, None]:
        """Have the bug, for as long as the block lasts."""
        before = [
            (owner, name, getattr(owner, name)) for owner, name, _ in self.patches
        ]
        for owner, name, function in self.patches:
            setattr(owner, name, function)
        try:
            yield
        finally:
            for owner, name, function in before:
                setattr(owner, name, function)


def mutant(catches: str, *patches: Patch) -> Mutant:
    """Make a mutant of the invariants that may catch it, and its patches."""
    return Mutant(frozenset(catches.split()), patches)
