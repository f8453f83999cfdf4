"""What a checker finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that a history breaks.

    Attributes:
        invariant: Its id in RELIABILITY.md §2.
        time: When it was seen to be broken, simulated seconds; 0: at the end.
        text: What is wrong, with the ids.
        ids: Ids to look for in the history.
    """

    invariant: str
    time: float
    text: str
    ids: tuple[bytes, ...] = ()

    def __str__(self) -> str:
        return f"{self.invariant} at {self.time:.6f}: {self.text}"


def short(identifier: bytes) -> str:
    """Return an id as the trace shows it."""
    return identifier.hex()
