"""A client process for `_kill_client`: the real SDK, which kills itself at one point.

    python -m tests.durability._kill_client_process PROFILE PEER COUNT POINT PASS

It sends numbered texts, says each that the server has, and acknowledges what it
receives. The points lie in its ports, where the outside world begins: before and after
a commit, before and after bytes leave.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import anyio
from tests.client.worlds import ports

from wigwag.client import (
    Address,
    ByteStream,
    Dialled,
    MessageReceived,
    Net,
    PeerUnknown,
    Ports,
    Session,
    Trust,
    open_session,
)
from wigwag.client._executor import ThreadExecutor

Result = TypeVar("Result")
POINTS = ("before commit", "after commit", "before bytes leave", "after bytes left")
WAIT_SECONDS = 30
HISTORY_MAX = 1_000


def say(line: str) -> None:
    """Print a line past every buffer."""
    os.write(1, line.encode() + b"\n")


@dataclass
class Countdown:
    """Kills this process when a point is passed for the nth time."""

    point: str
    passes_left: int

    def __call__(self, point: str) -> None:
        if point == self.point:
            self.passes_left -= 1
            if self.passes_left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class KilledExecutor:
    """The store's thread, with a point before and after each commit."""

    def __init__(self, passes: Countdown) -> None:
        self._passes = passes
        self._executor = ThreadExecutor()

    async def run(
        self,
        work: Callable[[], Result],
        commit: Callable[[], None],
        rollback: Callable[[], None],
    ) -> Result:
        """Run `work`, then `commit`."""

        def commit_between() -> None:
            self._passes("before commit")
            commit()
            self._passes("after commit")

        return await self._executor.run(work, commit_between, rollback)


class KilledStream:
    """A connection with a point before and after bytes leave."""

    def __init__(self, stream: ByteStream, passes: Countdown) -> None:
        self._stream = stream
        self._passes = passes

    async def receive(self, bytes_max: int) -> bytes:
        """Receive."""
        return await self._stream.receive(bytes_max)

    async def send(self, data: bytes) -> None:
        """Send."""
        self._passes("before bytes leave")
        await self._stream.send(data)
        self._passes("after bytes left")

    async def aclose(self) -> None:
        """Close."""
        await self._stream.aclose()


class KilledNet:
    """The network."""

    def __init__(self, net: Net, passes: Countdown) -> None:
        self._net = net
        self._passes = passes

    async def dial(self, address: Address, trust: Trust) -> Dialled:
        """Connect."""
        dialled = await self._net.dial(address, trust)
        return replace(dialled, stream=KilledStream(dialled.stream, self._passes))


def world(passes: Countdown) -> Ports:
    """Return the real outside world with points."""
    real = ports()
    return replace(
        real, executor=KilledExecutor(passes), net=KilledNet(real.net, passes)
    )


async def receive(session: Session) -> None:
    """Say what arrives; an event whose `done` was cut off comes again."""
    async for event in session.events("test"):
        if isinstance(event, MessageReceived):
            say(f"got {event.message.text}")
        await event.done()


async def main(profile: Path, peer: str, count: int, passes: Countdown) -> None:
    """Send, receive, say so."""
    async with (
        open_session(profile, ports=world(passes)) as session,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(receive, session)
        held = await texts_with(session, peer, is_own=True)
        sent = await session.send(peer, f"{len(held)}")
        say(f"stored {len(held)}")
        for number in range(len(held) + 1, len(held) + count):
            sent = await session.send(peer, f"{number}")
            say(f"stored {number}")
        with anyio.fail_after(WAIT_SECONDS):
            await sent.wait("sequenced", WAIT_SECONDS)
        tasks.cancel_scope.cancel()


async def texts_with(session: Session, peer: str, *, is_own: bool) -> list[str]:
    """Return our texts to somebody, or his to us; none: he isn't known yet."""
    try:
        history = await session.history(peer, HISTORY_MAX)
    except PeerUnknown:
        return []
    return [one.text or "" for one in history if one.is_own == is_own]


if __name__ == "__main__":
    anyio.run(
        main,
        Path(sys.argv[1]),
        sys.argv[2],
        int(sys.argv[3]),
        Countdown(sys.argv[4], int(sys.argv[5])),
        backend="trio",
    )
