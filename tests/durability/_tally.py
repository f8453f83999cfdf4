"""What a run of faults has shown: figures that add up, and what was violated."""

from collections import Counter
from dataclasses import dataclass, field

VIOLATIONS_TOLD_MAX = 5
"""More of one kind say nothing new."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not happen.

    Attributes:
        what: "lost", "doubled", "reordered", "served", "crashed" or another word.
        detail: What exactly, in one line.
        replay: The command that does it again.
    """

    what: str
    detail: str
    replay: str


@dataclass(slots=True)
class Tally:
    """Figures of one kind of fault.

    Attributes:
        counts: By name, in the order in which they are told.
        violations: What must not have happened.
    """

    counts: Counter[str] = field(default_factory=Counter[str])
    violations: list[Violation] = field(default_factory=list[Violation])

    def add(self, other: "Tally") -> None:
        """Add another run's."""
        self.counts.update(other.counts)
        self.violations += other.violations

    def line(self, kind: str, seed: int) -> str:
        """Return the figures in one line."""
        broken = Counter(one.what for one in self.violations)
        words = [f"{name} {count:,}" for name, count in self.counts.items()]
        words += [
            f"{name} {broken.pop(name, 0):,}"
            for name in ("lost", "doubled", "reordered")
        ]
        words += [f"{name} {count:,}" for name, count in sorted(broken.items())]
        return f"{kind}: {', '.join(words)}, seed {seed}"


def check(tally: Tally, is_true: bool, what: str, detail: str, replay: str) -> bool:
    """Note a violation unless something is true; return whether it is."""
    if not is_true:
        tally.violations.append(Violation(what, detail, replay))
    return is_true
