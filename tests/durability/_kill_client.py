"""kill -9 of the client's process: before and after a commit, before and after SEND.

Two people write numbered messages to each other through a real server; of the two
processes one runs at a time and kills itself at a point of its ports. In the end both
live on in peace, and each must have the other's messages once, in order, and none that
was said to be stored may be missing.
"""

import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import anyio
import trio
from tests.client.worlds import at, join
from tests.durability._crash import ROOT, environment
from tests.durability._kill_client_process import POINTS, texts_with
from tests.durability._tally import Tally, check

from wigwag.client import Session
from wigwag.testing import ServerProcess

PEOPLE = ("alice", "bob")
TEXTS = 6
PASSES_MAX = 24
PROCESS_SECONDS_MAX = 90
SETTLE_SECONDS_MAX = 90
OPTIONS = ("--limits-profile", "bench", "--log-level", "warning")


class ClientKills:
    """Two profiles, a server, and what is done to them."""

    def __init__(self, folder: Path, pick: Random, tally: Tally, replay: str) -> None:
        self.folder = folder
        self.pick = pick
        self.tally = tally
        self.replay = replay
        self.stored = dict.fromkeys(PEOPLE, 0)

    def expect(self, is_true: bool, what: str, detail: str) -> None:
        """Note a violation unless something is true."""
        check(self.tally, is_true, what, detail[:600], self.replay)

    async def run(self, count: int) -> None:
        """Kill so many times, then compare."""
        server = ServerProcess(self.folder, options=OPTIONS)
        try:
            await trio.to_thread.run_sync(server.start)
            for name in PEOPLE:
                await join(name, server.join, self.folder)
            for _ in range(count):
                await trio.to_thread.run_sync(self.kill_one)
            await self.compare()
        finally:
            server.kill()

    def kill_one(self) -> None:
        """Run one of the two until it kills itself, or ends."""
        name = self.pick.choice(PEOPLE)
        peer = PEOPLE[1 - PEOPLE.index(name)]
        point = self.pick.choice(POINTS)
        passes = self.pick.randrange(1, PASSES_MAX)
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.durability._kill_client_process",
                *(str(self.folder / name), peer, f"{TEXTS}", point, f"{passes}"),
            ],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=PROCESS_SECONDS_MAX,
            check=False,
        )
        is_killed = ended.returncode == -signal.SIGKILL
        if not is_killed:
            self.expect(ended.returncode == 0, "crashed", ended.stderr[-600:])
        self.tally.counts["kills"] += is_killed
        self.tally.counts[point] += is_killed
        for line in ended.stdout.splitlines():
            kind, _, text = line.partition(" ")
            if kind == "stored":
                self.stored[name] = max(self.stored[name], int(text) + 1)

    async def compare(self) -> None:
        """Let both live until everything has arrived; compare."""
        async with at(self.folder / "alice") as alice, at(self.folder / "bob") as bob:
            sessions = {"alice": alice, "bob": bob}
            for sender, receiver in (PEOPLE, PEOPLE[::-1]):
                own = await texts_with(sessions[sender], receiver, is_own=True)
                numbers = [f"{number}" for number in range(len(own))]
                self.expect(own == numbers, "doubled", f"{sender} has {own}")
                missing = self.stored[sender] - len(own)
                self.expect(missing <= 0, "lost", f"{missing} of {sender}")
                got = await self.wait_for(sessions[receiver], sender, len(own))
                what = "lost" if len(got) < len(own) else "reordered"
                self.expect(got == own, what, f"{receiver} got {got} and not {own}")
                self.tally.counts["acknowledged"] += self.stored[sender]

    async def wait_for(self, session: Session, peer: str, count: int) -> list[str]:
        """Wait until so many messages of somebody have come; return their texts."""
        got: list[str] = []
        with anyio.move_on_after(SETTLE_SECONDS_MAX):
            while len(got) < count:
                got = await texts_with(session, peer, is_own=False)
                await anyio.sleep(0.1)
        return got


def run(seed: int, count: int) -> Tally:
    """Kill two people's processes so many times."""
    tally = Tally()
    replay = f"python -m tests.durability kill-client --seed {seed} --count {count}"
    with TemporaryDirectory(prefix="wigwag-kill-") as name:
        kills = ClientKills(Path(name), Random(seed), tally, replay)  # noqa: S311
        trio.run(kills.run, count)
    return tally
