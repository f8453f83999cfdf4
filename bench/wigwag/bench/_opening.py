"""The real client against a real server: a full inbox, and a long history.

Alice writes to Bob, who is away. Then Bob comes: how fast are her messages opened
and stored? At last his profile is opened with all of them in it.
"""

import secrets
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import anyio

from wigwag.bench._errors import BenchError
from wigwag.bench._figures import Figure, WorkReport
from wigwag.bench._server_process import BenchServer, server_process
from wigwag.bench._worker import Say
from wigwag.client import (
    PeerUnknown,
    Ports,
    Session,
    default_ports,
    open_session,
    register,
)

QUEUED = 10_000
STORED = 100_000
TEXT_CHARACTERS = 150
# Sealed but unsent messages at a time: the client's outbox has a bound.
SEND_AHEAD = 500
POLL_SECONDS = 0.02
HISTORY_SHOWN = 50
WAIT_SECONDS_MAX = 600.0
OPEN_MUST, OPEN_STRETCH = 2_000, 4_000
START_MUST, START_STRETCH = 1.0, 0.3
ALICE, BOB = "alice", "bob"


class HeldKeys:
    """A database key that is at hand, so that Argon2id is timed apart."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def __repr__(self) -> str:
        return "<HeldKeys>"

    async def create(self, folder: Path) -> bytes:
        """Returns the key."""
        return self._key

    async def unlock(self, folder: Path) -> bytes:
        """Returns the key."""
        return self._key


@dataclass(frozen=True, slots=True)
class Profile:
    """Somebody's folder, and the world with his key."""

    folder: Path
    ports: Ports


@dataclass(frozen=True, slots=True)
class Opened:
    """What Bob's return took."""

    per_second: float
    server_cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Started:
    """What a start took, each from its beginning, in seconds."""

    opened_seconds: float
    history_seconds: float
    online_seconds: float


def run_opening(*, repeat: int, queued: int, stored: int, say: Say) -> WorkReport:
    """Measures the real client.

    Args:
        repeat: Returns and starts to measure.
        queued: Messages in Bob's inbox each time.
        stored: Messages in his profile when its start is measured, at least.
        say: Told what is going on.

    Raises:
        BenchError: Messages did not come in time.
    """
    with (
        server_process() as server,
        tempfile.TemporaryDirectory(prefix="wigwag-bench-profiles-") as name,
    ):
        bench = _Opening(server, Path(name), say)
        unlocks = [_unlock_seconds() for _ in range(repeat)]
        return anyio.run(bench.run, repeat, queued, stored, unlocks, backend="trio")


class _Opening:
    """One run, with its two people."""

    def __init__(self, server: BenchServer, folder: Path, say: Say) -> None:
        self._server = server
        self._say = say
        self._alice = _profile(folder / ALICE)
        self._bob = _profile(folder / BOB)
        self._count = 0
        self._opened = 0

    async def run(
        self, repeat: int, queued: int, stored: int, unlocks: list[float]
    ) -> WorkReport:
        """Registers both, then measures."""
        for name, profile in ((ALICE, self._alice), (BOB, self._bob)):
            await register(
                name, self._server.join, profile=profile.folder, ports=profile.ports
            )
        sent: list[float] = []
        opened: list[Opened] = []
        for number in range(repeat):
            what = f"round {number + 1} of {repeat}"
            sent.append(await self._queue(queued, f"{what}: queueing"))
            self._say(f"{what}: opening {queued:,} messages")
            opened.append(await self._open())
        while self._count < stored:
            await self._queue(min(queued, stored - self._count), "a long history")
            await self._open()
        starts = [await self._start() for _ in range(repeat)]
        return WorkReport(
            "client",
            f"the SDK: {queued:,} queued messages, {self._count:,} stored ones",
            {"queued": queued, "stored": self._count, "limits_profile": "bench"},
            _figures(sent, opened, starts, unlocks, queued),
        )

    async def _queue(self, count: int, what: str) -> float:
        """Lets Alice write; returns messages a second, each durable in her store."""
        async with open_session(self._alice.folder, ports=self._alice.ports) as session:
            await session.wait_online()
            start = time.perf_counter()
            for number in range(1, count + 1):
                self._count += 1
                sent = await session.send(BOB, _text(self._count))
                if number == count or number % SEND_AHEAD == 0:
                    self._say(f"{what} {number:,} of {count:,}")
                    await sent.wait("sequenced", WAIT_SECONDS_MAX)
            return count / (time.perf_counter() - start)

    async def _open(self) -> Opened:
        """Lets Bob come until he has everything: from before his sign-in on."""
        before, self._opened = self._opened, self._count
        cpu = self._server.cpu_seconds()
        async with open_session(self._bob.folder, ports=self._bob.ports) as session:
            start = time.perf_counter()
            await _wait_for(session, _text(self._count))
            seconds = time.perf_counter() - start
        spent = self._server.cpu_seconds() - cpu
        return Opened((self._count - before) / seconds, spent)

    async def _start(self) -> Started:
        """Opens Bob's profile as a command does: to his last messages, and online."""
        self._say(f"starting with {self._count:,} stored messages")
        start = time.perf_counter()
        async with open_session(self._bob.folder, ports=self._bob.ports) as session:
            opened = time.perf_counter() - start
            shown = await session.history(ALICE, HISTORY_SHOWN)
            history = time.perf_counter() - start
            await session.wait_online()
            online = time.perf_counter() - start
        if shown[-1].text != _text(self._count):
            raise BenchError("a stored message is missing")
        return Started(opened, history, online)


async def _wait_for(session: Session, text: str) -> None:
    """Waits until the newest stored message is this one."""
    with anyio.move_on_after(WAIT_SECONDS_MAX):
        while True:
            try:
                newest = await session.history(ALICE, 1)
            except PeerUnknown:
                # Nothing of hers is stored yet.
                newest = []
            if newest and newest[0].text == text:
                return
            await anyio.sleep(POLL_SECONDS)
    raise BenchError("the client did not store everything in time")


def _profile(folder: Path) -> Profile:
    return Profile(folder, default_ports(keys=HeldKeys()))


def _text(number: int) -> str:
    return f"{number:08d} ".ljust(TEXT_CHARACTERS, "x")


def _unlock_seconds() -> float:
    """Times what a passphrase costs at every start: Argon2id, slow on purpose."""

    async def unlock() -> float:
        with tempfile.TemporaryDirectory(prefix="wigwag-bench-key-") as name:
            keys = default_ports("a passphrase").keys
            await keys.create(Path(name))
            start = time.perf_counter()
            await keys.unlock(Path(name))
            return time.perf_counter() - start

    return anyio.run(unlock, backend="trio")


def _figures(
    sent: list[float],
    opened: list[Opened],
    starts: list[Started],
    unlocks: list[float],
    queued: int,
) -> tuple[Figure, ...]:
    return (
        Figure(
            "opened_per_second",
            "open queued messages, messages/s",
            tuple(one.per_second for one in opened),
            "higher",
            OPEN_MUST,
            OPEN_STRETCH,
        ),
        Figure(
            "opening_server_cpu_us",
            "open: server CPU meanwhile, µs each",
            tuple(one.server_cpu_seconds / queued * 1e6 for one in opened),
        ),
        Figure(
            "start_seconds",
            f"start, with the last {HISTORY_SHOWN} messages, s",
            tuple(one.history_seconds for one in starts),
            "lower",
            START_MUST,
            START_STRETCH,
        ),
        Figure(
            "open_store_seconds",
            "start: profile opened, s",
            tuple(one.opened_seconds for one in starts),
            "lower",
        ),
        Figure(
            "online_seconds",
            "start: signed in, s",
            tuple(one.online_seconds for one in starts),
            "lower",
        ),
        Figure(
            "unlock_seconds",
            "passphrase (Argon2id) beside it, s",
            tuple(unlocks),
        ),
        Figure(
            "sent_per_second",
            "send: encrypt and commit, messages/s",
            tuple(sent),
            "higher",
        ),
    )
