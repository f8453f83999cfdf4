"""kill -9 of the real server under load, over TLS: again and again, at any moment.

Pairs of raw clients write and read with a window; each offers again, with the same id,
what was not answered. The server is killed after a random number of answers, in the
middle of its start, or kills itself at a named point. In the end each sender's log of
answers and each receiver's log of deliveries are compared, and say nothing of how they
came about.
"""

import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import trio
from tests.durability._crash import START_POINTS
from tests.durability._tally import Tally, check
from tests.server._load import Receiver, Sender, Server
from tests.server._peer import Account, connect

from wigwag.spec import ExitCode
from wigwag.testing import ServerNotReadyError, ServerProcess

PAIRS = 4
ANSWERS_MAX = 240
"""A kill comes within so many answers of a start."""
PASSES_MAX = 30
CYCLE_SECONDS_MAX = 30
"""What a start, or load up to the next kill, may take at most; about 1 s each."""
OPTIONS = ("--limits-profile", "bench", "--log-level", "warning")
RUN_POINTS = (
    "engine.after_fold",
    "store.before_commit",
    "store.after_commit",
    "store.after_mark",
    "engine.before_answers",
    "engine.before_notices",
    "engine.after_answers",
)
"""Passed by every group."""
HOW = (
    "killed",
    "killed",
    "killed",
    "at a point",
    "at a point of its start",
    "starting",
)


class Kills:
    """One server folder, its clients, and what is done to it.

    Args:
        folder: An empty folder.
        pick: Decides what happens.
        tally: Where figures go.
    """

    def __init__(self, folder: Path, pick: Random, tally: Tally) -> None:
        self.folder = folder
        self.pick = pick
        self.tally = tally
        self.process = ServerProcess(folder, options=OPTIONS)
        self.senders: list[Sender] = []
        self.receivers: list[Receiver] = []

    async def run(self, count: int) -> None:
        """Kill the server so many times; then let everybody finish, and compare."""
        try:
            await self.start(self.process)
            world = Server(self.process.port)
            accounts = [Account() for _ in range(2 * PAIRS)]
            for account in accounts:
                async with connect(world.port) as peer:
                    await peer.register(account, self.process.join)
            for source, target in zip(accounts[::2], accounts[1::2], strict=True):
                self.senders.append(Sender(world, source, target, ANSWERS_MAX))
                self.receivers.append(Receiver(world, target))
            async with trio.open_nursery() as receiving:
                for receiver in self.receivers:
                    receiving.start_soon(receiver.run)
                async with trio.open_nursery() as sending:
                    for sender in self.senders:
                        sending.start_soon(sender.run)
                    await self.cycles(world, count)
                    sending.cancel_scope.deadline = (
                        trio.current_time() + CYCLE_SECONDS_MAX
                    )
                assert not sending.cancel_scope.cancelled_caught, "not all answered"
                with trio.fail_after(CYCLE_SECONDS_MAX):
                    for sender, receiver in zip(
                        self.senders, self.receivers, strict=True
                    ):
                        await receiver.has(len(sender.sent))
                receiving.cancel_scope.cancel()
        finally:
            self.process.kill()

    async def cycles(self, world: Server, count: int) -> None:
        """Kill and start."""
        for number in range(1, count + 1):
            how = self.pick.choice(HOW)
            if how == "at a point":
                passes = self.pick.randrange(1, PASSES_MAX)
                point = self.pick.choice(RUN_POINTS)
                await self.restart(world, f"{point}:{passes}")
                world.up.set()
                await trio.to_thread.run_sync(self.process.wait, CYCLE_SECONDS_MAX)
            else:
                for sender in self.senders:
                    sender.answers_wanted = self.pick.randrange(1, ANSWERS_MAX)
                world.up.set()
                with trio.fail_after(CYCLE_SECONDS_MAX):
                    await world.progress.wait()
            self.tally.counts["kills"] += 1
            self.tally.counts[how] += 1
            take_down(world)
            self.process.kill()
            if how == "at a point of its start":
                await self.fail_to_start(self.pick.choice(START_POINTS))
            elif how == "starting":
                await self.interrupt_start()
            await self.restart(world, None)
            world.answered = 0
            world.progress = trio.Event()
            world.is_over = number == count
        world.up.set()

    async def restart(self, world: Server, crash_at: str | None) -> None:
        """Start the server on its folder and port, perhaps to die at a point."""
        take_down(world)
        self.process.kill()
        environment = {"CRASH_AT": crash_at} if crash_at else {}
        self.process = ServerProcess(
            self.folder, options=OPTIONS, environment=environment
        )
        self.process.port = world.port
        try:
            await self.start(self.process)
        except ServerNotReadyError as error:
            if error.exit_code == ExitCode.IN_USE:
                # Somebody's outgoing connection has the port, who knows how long.
                world.port = 0
                await self.restart(world, crash_at)
                return
            # The first tick is a group, too: a point may be passed before "ready".
            if crash_at is None:
                raise
            await self.restart(world, None)
            self.process.send_signal(signal.SIGKILL)
        world.port = self.process.port

    async def start(
        self, process: ServerProcess, within_seconds: float = CYCLE_SECONDS_MAX
    ) -> None:
        """Start a server; one that isn't ready in time is killed."""
        await trio.to_thread.run_sync(
            partial(process.start, within_seconds=within_seconds)
        )

    async def fail_to_start(self, point: str) -> None:
        """Start a server that dies at a point of its start."""
        dying = ServerProcess(
            self.folder, options=OPTIONS, environment={"CRASH_AT": point}
        )
        dying.port = self.process.port
        try:
            await self.start(dying)
        except ServerNotReadyError:
            return
        dying.kill()
        check(self.tally, False, "unreached", point, "python -m tests.durability kill")

    async def interrupt_start(self) -> None:
        """Start a server and kill it somewhere on the way to its ready line."""
        starting = ServerProcess(self.folder, options=OPTIONS)
        starting.port = self.process.port
        # One thread starts and kills: killed from another, it could wait for a line
        # on a pipe that was closed meanwhile, to the end of its time.
        with suppress(ServerNotReadyError):
            await self.start(starting, self.pick.uniform(0.2, 1.5))
        starting.kill()

    def compare(self, replay: str) -> None:
        """Compare what senders and receivers noted."""
        for sender, receiver in zip(self.senders, self.receivers, strict=True):
            self.tally.counts["acknowledged"] += len(sender.acked)
            lost = set(sender.acked) - set(receiver.ids)
            check(self.tally, not lost, "lost", f"{len(lost)} messages", replay)
            doubled = len(receiver.ids) - len(set(receiver.ids))
            check(self.tally, not doubled, "doubled", f"{doubled} messages", replay)
            in_order = receiver.bodies == sender.sent
            in_order &= receiver.seqs == sorted(set(receiver.seqs))
            in_order &= receiver.seqs == list(sender.acked.values())
            check(self.tally, in_order, "reordered", "in a chat", replay)


def take_down(world: Server) -> None:
    """Have clients wait for the next start; those who wait already go on doing so."""
    if world.up.is_set():
        world.up = trio.Event()


def run(seed: int, count: int) -> Tally:
    """Kill one server so many times."""
    tally = Tally()
    replay = f"python -m tests.durability kill --seed {seed} --count {count}"
    with TemporaryDirectory(prefix="wigwag-kill-") as name:
        kills = Kills(Path(name), Random(seed), tally)  # noqa: S311 - a script
        trio.run(kills.run, count)
        kills.compare(replay)
        log = kills.process.log_path.read_text("utf-8", "replace")
        check(tally, "Traceback" not in log, "crashed", log[-600:], replay)
    return tally
