"""Alice writes to Bob with the real SDK, through a real server."""

import secrets
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from wigwag.bench._errors import BenchError
from wigwag.bench._server_process import BenchServer, server_folder
from wigwag.bench._worker import Say
from wigwag.client import (
    PeerUnknown,
    Ports,
    Session,
    default_ports,
    open_session,
    register,
)

ALICE, BOB = "alice", "bob"
TEXT_CHARACTERS = 150
# Messages that Alice writes at once: they share a commit, as a burst of hers would.
SEND_TOGETHER = 64
# Then she waits for the server, well below the bound of her outbox.
SEND_AHEAD = 32 * SEND_TOGETHER
POLL_SECONDS = 0.02
WAIT_SECONDS_MAX = 600.0
# A file system in memory, where one exists: a history is written there in minutes
# less, since nothing is waited for.
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108  # for data of no worth


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

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Session, None]:
        """Opens it with the SDK."""
        async with open_session(self.folder, ports=self.ports) as session:
            yield session


class TwoPeople:
    """Two registered people, and how many messages went from one to the other.

    Attributes:
        server: Between them.
        bob: Who receives.
        written: Messages that Alice has written.
        stored: Messages that Bob has.
    """

    def __init__(self, server: BenchServer, folder: Path, say: Say) -> None:
        self.server = server
        self._say = say
        self._alice = _profile(folder / ALICE)
        self.bob = _profile(folder / BOB)
        self.written = 0
        self.stored = 0

    async def register(self) -> None:
        """Makes both accounts."""
        for name, profile in ((ALICE, self._alice), (BOB, self.bob)):
            await register(
                name, self.server.join, profile=profile.folder, ports=profile.ports
            )

    async def write(self, count: int, what: str) -> float:
        """Lets Alice write while Bob is away.

        Returns:
            Messages a second, each durable in her store and at the server.
        """
        async with self._alice.open() as session:
            await session.wait_online()
            start, before = time.perf_counter(), self.written
            goal = before + count
            while self.written < goal:
                await self._burst(session, min(SEND_AHEAD, goal - self.written))
                self._say(f"{what}: {self.written - before:,} of {count:,}")
            return count / (time.perf_counter() - start)

    async def receive(self) -> float:
        """Lets Bob come until he has everything; returns messages a second.

        From before his sign-in to the commit of his last row.

        Raises:
            BenchError: Something did not come in time.
        """
        before, self.stored = self.stored, self.written
        async with self.bob.open() as session:
            start = time.perf_counter()
            await _wait_for(session, text_of(self.written))
            return (self.stored - before) / (time.perf_counter() - start)

    async def _burst(self, session: Session, count: int) -> None:
        last = self.written + count
        for first in range(self.written + 1, last, SEND_TOGETHER):
            async with anyio.create_task_group() as tasks:
                for number in range(first, min(first + SEND_TOGETHER, last)):
                    tasks.start_soon(session.send, BOB, text_of(number))
        # Alone and at last, so that it is the one to wait for.
        sent = await session.send(BOB, text_of(last))
        await sent.wait("sequenced", WAIT_SECONDS_MAX)
        self.written = last


@contextmanager
def two_people(say: Say, *, in_memory: bool = False) -> Generator[TwoPeople]:
    """Starts a server for them, in a folder of their own; ends it at the end."""
    parent = MEMORY_FOLDER if in_memory and MEMORY_FOLDER.is_dir() else None
    with (
        server_folder(parent) as server,
        tempfile.TemporaryDirectory(prefix="wigwag-bench-", dir=parent) as name,
    ):
        server.start()
        yield TwoPeople(server, Path(name), say)


def text_of(number: int) -> str:
    """Returns the text of a message."""
    return f"{number:08d} ".ljust(TEXT_CHARACTERS, "x")


async def _wait_for(session: Session, text: str) -> None:
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
