"""The outside world as the server sees it: time, randomness, the writer thread."""

from collections.abc import Callable
from typing import Protocol, TypeVar

Result = TypeVar("Result")
ResultCovariant = TypeVar("ResultCovariant", covariant=True)


class WallClock(Protocol):
    """The time of day."""

    def now_ms(self) -> int:
        """Return ms since the Unix epoch; steps by at most 60 s."""
        ...


class Entropy(Protocol):
    """Unpredictable bytes."""

    def token(self, count: int) -> bytes:
        """Return `count` random bytes."""
        ...


class Job(Protocol[ResultCovariant]):
    """Work that was handed over."""

    async def result(self) -> ResultCovariant:
        """Wait for the work and return what it returned, or raise what it raised."""
        ...


class Executor(Protocol):
    """Where a store's blocking work runs: one piece at a time, in order of `start`.

    The real one is a thread of its own. The simulated one runs the work inline when
    it is waited for, after a seeded delay; so a crash during the delay leaves the
    database as before. Between `start` and the end of `result` the work may run at
    any moment, and the caller must not touch what it works on.
    """

    def start(self, work: Callable[[], Result]) -> Job[Result]:
        """Hand work over without waiting."""
        ...

    async def run(self, work: Callable[[], Result]) -> Result:
        """Hand work over and wait for it."""
        ...
