"""The server's memory and descriptors, over the lives that it has."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import trio

WARM_SECONDS_MAX = 60.0
"""Caches and the allocator settle; drift is measured after that."""
WARM_SHARE_MAX = 0.5
"""Of a life too short for that."""
DRIFT_SECONDS_MIN = 20.0
"""Less says nothing about an hour."""


def resident_kib(pid: int) -> int:
    """Return a process' resident memory in KiB; 0: it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    sizes = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(sizes[0]) if sizes else 0


def descriptors(pid: int) -> int:
    """Return how many files and sockets a process has open; 0: it is gone."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return 0


async def until(is_so: Callable[[], bool], every_seconds: float) -> None:
    """Look again and again at what another process does, which tells nobody."""
    while True:
        if is_so():
            return
        await trio.sleep(every_seconds)


@dataclass(frozen=True, slots=True)
class Drift:
    """How memory changed in a life.

    Attributes:
        from_kib: After warming up.
        to_kib: At the end.
        seconds: Between the two.
    """

    from_kib: int
    to_kib: int
    seconds: float

    @property
    def percent(self) -> float:
        """By how much, in percent."""
        return 100 * (self.to_kib - self.from_kib) / max(1, self.from_kib)

    @property
    def percent_per_hour(self) -> float:
        """As it would be in an hour, if it went on so."""
        return self.percent * 3_600 / self.seconds


@dataclass(slots=True)
class Watch:
    """Samples of the server's present life.

    Attributes:
        samples: (seconds, KiB) of the life.
        peak_kib: The most of all lives.
    """

    samples: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    peak_kib: int = 0
    pid: int = 0

    def look(self, pid: int, now: float) -> None:
        """Take a sample; another process id begins a new life."""
        size = resident_kib(pid)
        if not size:
            return
        if pid != self.pid:
            self.pid = pid
            self.samples.clear()
        self.samples.append((now, size))
        self.peak_kib = max(self.peak_kib, size)

    def drift(self) -> Drift | None:
        """Return how memory changed since the life was warm; None: it was too short."""
        if not self.samples:
            return None
        start, (end, last) = self.samples[0][0], self.samples[-1]
        warm = start + min(WARM_SECONDS_MAX, WARM_SHARE_MAX * (end - start))
        at, first = next(sample for sample in self.samples if sample[0] >= warm)
        if end - at < DRIFT_SECONDS_MIN:
            return None
        return Drift(first, last, end - at)
