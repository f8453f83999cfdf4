"""What an attack is: who it is done to, what the server must answer, what it did.

Two kinds exist and the runner treats them alike: a `Row` is one bad input (a line of
the design's bad-input catalogue), done again and again; a `Flood` goes on by itself,
with so many connections at once.
"""

import enum
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from wigwag.bench.adversary._people import Account, People
from wigwag.bench.adversary._sources import Sources
from wigwag.wire import ErrorCode

# An attacker gets at most this share of one core, whatever it wants: it must be
# the server's work that slows the honest pair, not the attacker's own.
CPU_SHARE_MAX = 0.25
# Connections a second of one row: so many handshakes cost a server some percent of a
# core, and the bound for all addresses together is ten times that. More is a flood.
CONNECTIONS_PER_SECOND_MAX = 40.0
# Workers that wait for a deadline side by side; each needs an account at most.
SLOW_WORKERS = 8
# Different surprises that are kept in words; the rest is counted.
SURPRISES_MAX = 8


class Told(enum.Enum):
    """How the server said what it thinks."""

    NOTHING = "nothing"
    """Not one byte."""
    ALERT = "TLS alert"
    HELLO = "TLS hello"
    """The server's half of a handshake, and then a cut at the deadline."""
    TLS_END = "TLS end"
    """A handshake, then a clean end without a byte of ours."""
    REJECT = "REJECT"
    ENDED = "ERROR and GOAWAY"
    GOAWAY = "GOAWAY"
    ANSWER = "an answer"
    """ERROR or REFUSED with the number of the request."""
    SERVED = "service as ever"


@dataclass(frozen=True, slots=True)
class Seen:
    """What came back for a bad input; also what must come back.

    Attributes:
        code: Error code; None: no error was said.
        closes: Whether the server ended the connection.
        told: How.
    """

    code: ErrorCode | None
    closes: bool
    told: Told

    def __str__(self) -> str:
        what = self.told.value if self.code is None else self.code.name
        return f"{what}, {'closes' if self.closes else 'stays'}"


SILENCE = Seen(None, True, Told.NOTHING)
"""Ended without a byte."""
ALERT = Seen(None, True, Told.ALERT)
SERVED = Seen(None, False, Told.SERVED)
"""Nothing wrong, or ignored: the connection works on."""


def ends_with(code: ErrorCode) -> Seen:
    """ERROR and GOAWAY with this code, then a clean TLS end."""
    return Seen(code, True, Told.ENDED)


def refused_with(code: ErrorCode) -> Seen:
    """The request gets this code, and the connection works on."""
    return Seen(code, False, Told.ANSWER)


class UnexpectedError(Exception):
    """The server did what its specification doesn't say; the message tells what."""


class TurnedAwayError(Exception):
    """A limit came first: no connection, or RATE_LIMITED. That is protection."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server and what an attacker has.

    Attributes:
        host: Its address.
        port: Its port.
        sources: Addresses to come from.
        people: Accounts of the attacker's own, and who else is known.
        honest: Devices of the honest pairs, as a stranger may know them.
    """

    host: str
    port: int
    sources: Sources
    people: People
    honest: tuple[Account, ...] = ()


@dataclass(slots=True)
class Tally:
    """What an attack did and what came of it.

    Attributes:
        runs: Finished runs of a row, or connections of a flood.
        as_expected: Of these, how many got what the specification says.
        turned_away: How many a limit stopped before that.
        unexpected: How many got something else.
        surprises: What these got, in words, each once.
        actions: Frames, handshakes or whatever else was thrown; 0: not counted.
    """

    runs: int = 0
    as_expected: int = 0
    turned_away: int = 0
    unexpected: int = 0
    surprises: list[str] = field(default_factory=list[str])
    actions: int = 0

    def surprise(self, what: str) -> None:
        """Count something that the specification doesn't say."""
        self.unexpected += 1
        if what not in self.surprises and len(self.surprises) < SURPRISES_MAX:
            self.surprises.append(what)

    def add(self, other: "Tally") -> None:
        """Take the counts of another over, one of a thread's."""
        self.runs += other.runs
        self.as_expected += other.as_expected
        self.turned_away += other.turned_away
        self.unexpected += other.unexpected
        self.actions += other.actions
        for what in other.surprises:
            if what not in self.surprises and len(self.surprises) < SURPRISES_MAX:
                self.surprises.append(what)


class Attack(Protocol):
    """What the runner knows of an attack."""

    @property
    def id(self) -> str:
        """Short, unique, permanent: the row's id, and a word if it has several."""
        ...

    @property
    def title(self) -> str:
        """What is done, in a few words."""
        ...

    @property
    def row(self) -> str:
        """The line of the bad-input catalogue, or of the limits, that it is of."""
        ...

    @property
    def expected(self) -> Seen:
        """What the server must do."""
        ...

    @property
    def seconds_min(self) -> float:
        """How long it takes to show, in seconds."""
        ...

    def go_on(self, target: Target, seconds: float) -> Tally:
        """Attack for so many seconds; return what came of it."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """One bad input: connect, do it, see what comes.

    Attributes:
        id: As `Attack`.
        title: As `Attack`.
        row: As `Attack`.
        expected: As `Attack`.
        run: Does it once. Raises UnexpectedError for what `Seen` can't say, and
            TurnedAwayError.
        seconds_min: As `Attack`; above 0: the row waits for a deadline.
        is_limit: A limit's answer is what is expected, so it isn't "turned away".
    """

    id: str
    title: str
    row: str
    expected: Seen
    run: Callable[[Target], Seen]
    seconds_min: float = 0.0
    is_limit: bool = False

    def check(self, target: Target) -> None:
        """Do it once and hold the server to what is expected.

        Raises:
            UnexpectedError: It did something else.
            TurnedAwayError: A limit came first.
        """
        seen = self.run(target)
        if seen == self.expected:
            return
        if seen.code is ErrorCode.RATE_LIMITED and not self.is_limit:
            raise TurnedAwayError("RATE_LIMITED")
        raise UnexpectedError(f"expected: {self.expected}; came: {seen}")

    def go_on(self, target: Target, seconds: float) -> Tally:
        """Repeat it, at a bounded rate and within a bounded share of a core.

        A row that waits for a deadline is done by several workers at once.
        """
        workers = SLOW_WORKERS if self.seconds_min else 1
        until = time.monotonic() + seconds
        tally = Tally()
        with ThreadPoolExecutor(workers) as pool:
            parts = [
                pool.submit(self._repeat, target, until, workers)
                for _ in range(workers)
            ]
            for part in parts:
                tally.add(part.result())
        return tally

    def _repeat(self, target: Target, until: float, workers: int) -> Tally:
        """Do one worker's share."""
        tally = Tally()
        # A run that can't end in time would only hold everybody up.
        while (began := time.monotonic()) + self.seconds_min < until:
            used, given = time.thread_time(), target.sources.given
            try:
                self.check(target)
            except TurnedAwayError:
                tally.turned_away += 1
            except (UnexpectedError, OSError) as error:
                tally.surprise(str(error) or type(error).__name__)
            else:
                tally.as_expected += 1
            tally.runs += 1
            cost = (time.thread_time() - used) * workers / CPU_SHARE_MAX
            # Of several workers each counts all, which is on the safe side.
            connections = max(1, target.sources.given - given)
            due = began + max(connections / CONNECTIONS_PER_SECOND_MAX, cost)
            time.sleep(max(0.0, min(due, until) - time.monotonic()))
        return tally


@dataclass(frozen=True, slots=True)
class Flood:
    """An attack that goes on by itself, with so many connections.

    Attributes:
        id: As `Attack`.
        title: As `Attack`.
        row: As `Attack`.
        expected: What each connection of it meets in the end.
        connections: How many at once.
        flood: (target, connections, seconds) -> what came of it. It paces itself:
            CPU_SHARE_MAX of a core.
        seconds_min: As `Attack`.
    """

    id: str
    title: str
    row: str
    expected: Seen
    connections: int
    flood: Callable[[Target, int, float], Tally]
    seconds_min: float = 0.0

    def go_on(self, target: Target, seconds: float) -> Tally:
        """Flood for so many seconds."""
        return self.flood(target, self.connections, seconds)
