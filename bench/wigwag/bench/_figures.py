"""A figure, and the report of a work item: what is printed, kept and compared."""

import statistics
from dataclasses import dataclass, field
from typing import Literal

SCHEMA = 1
"""Version of the JSON; a reader refuses another one."""

Better = Literal["higher", "lower", ""]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, measured several times.

    Attributes:
        name: With its unit, as a script finds it: `messages_per_second`.
        label: As a person reads it: `messages/s`.
        samples: One for each repeat.
        better: Which way is up; "": neither, it describes the run.
        must: What it has to reach; None: nothing is asked.
        stretch: What it should reach.
    """

    name: str
    label: str
    samples: tuple[float, ...]
    better: Better = ""
    must: float | None = None
    stretch: float | None = None

    @property
    def median(self) -> float:
        """The median of the samples."""
        return statistics.median(self.samples)

    @property
    def verdict(self) -> str:
        """`stretch`, `must`, `missed`, or "" when nothing is asked."""
        if self.must is None:
            return ""
        if self.stretch is not None and self._reaches(self.stretch):
            return "stretch"
        return "must" if self._reaches(self.must) else "missed"

    def to_json(self) -> dict[str, object]:
        """Returns everything, medians and bounds worked out."""
        return {
            "label": self.label,
            "median": _rounded(self.median),
            "min": _rounded(min(self.samples)),
            "max": _rounded(max(self.samples)),
            "samples": [_rounded(sample) for sample in self.samples],
            "better": self.better,
            "must": self.must,
            "stretch": self.stretch,
            "verdict": self.verdict,
        }

    def _reaches(self, goal: float) -> bool:
        return self.median >= goal if self.better == "higher" else self.median <= goal


@dataclass(frozen=True, slots=True)
class WorkReport:
    """What one work item came to.

    Attributes:
        work: Its name, as on the command line.
        title: What was done, in one line.
        settings: Sizes, profile, what else the figures depend on.
        figures: The figures, most important first.
    """

    work: str
    title: str
    settings: dict[str, object]
    figures: tuple[Figure, ...]

    def to_json(self) -> dict[str, object]:
        """Returns the report for scripts."""
        return {
            "title": self.title,
            "settings": self.settings,
            "figures": {figure.name: figure.to_json() for figure in self.figures},
        }


@dataclass(slots=True)
class BenchReport:
    """All work items of one run, and what they ran on.

    Attributes:
        command: That makes these figures.
        machine: On which.
        works: In the order they were run.
    """

    command: str
    machine: str
    works: list[WorkReport] = field(default_factory=list[WorkReport])

    def to_json(self) -> dict[str, object]:
        """Returns the run for scripts and for `--compare`."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "machine": self.machine,
            "works": {work.work: work.to_json() for work in self.works},
        }


def percentile(sorted_samples: list[float], percent: float) -> float:
    """Returns the nearest-rank percentile of samples in rising order; 0.0 of none."""
    if not sorted_samples:
        return 0.0
    rank = min(len(sorted_samples) - 1, int(len(sorted_samples) * percent / 100))
    return sorted_samples[rank]


def _rounded(value: float) -> float:
    """Keeps four significant digits: a run drifts by far more than the fifth."""
    return float(f"{value:.4g}") if abs(value) < 1000 else round(value)
