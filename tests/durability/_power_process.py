"""Power cuts of a whole process: the real server, over TLS, on a disk that forgets.

Its whole data folder lies on a `LazyDisk`: keys, lock, mark, reserve, database and
log. The power goes after a random number of answers or somewhere in a start; what the
disk has left is the next life's folder. In the end each sender's log of answers and
each receiver's log of deliveries are compared, as after kill -9.
"""

from contextlib import ExitStack
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import trio
from tests.durability._fuse import NotPermittedError
from tests.durability._kill import ANSWERS_MAX, OPTIONS, PAIRS, take_down
from tests.durability._lazy_disk import LazyDisk
from tests.durability._tally import Tally, check
from tests.server._load import Receiver, Sender, Server
from tests.server._peer import Account, connect

from wigwag.testing import ServerNotReadyError, ServerProcess

CYCLE_SECONDS_MAX = 60
START_CUT_SHARE = 0.3
"""Of the cuts a start is hit by, too, on its way to the ready line."""
START_SECONDS_MAX = 1.5
LOOK_SECONDS = 0.05
PICTURES = 2
"""What a cut leaves is a matter of chance: one of so many is taken on, the others are
only started."""


class ProcessCuts:
    """One server and its clients through many cuts.

    Args:
        root: An empty folder.
        pick: Decides what happens.
        tally: Where figures go.
        replay: The command that does it again.
        lies: As `LazyDisk`.
    """

    def __init__(
        self, root: Path, pick: Random, tally: Tally, replay: str, *, lies: bool = False
    ) -> None:
        self.root = root
        self.pick = pick
        self.tally = tally
        self.replay = replay
        self.lies = lies
        self.folders = 0
        self.process = ServerProcess(root, options=OPTIONS)
        self.senders: list[Sender] = []
        self.receivers: list[Receiver] = []

    def expect(self, is_true: bool, what: str, detail: str) -> bool:
        """Note a violation unless something is true."""
        return check(self.tally, is_true, what, detail[-900:], self.replay)

    def new_folder(self) -> Path:
        """Make an empty folder."""
        self.folders += 1
        folder = self.root / f"{self.folders}"
        folder.mkdir(mode=0o700)
        return folder

    def server(self, folder: Path) -> ServerProcess:
        """Return a process that will serve a folder at the known port."""
        process = ServerProcess(self.root, options=OPTIONS)
        process.folder = folder
        process.port = self.process.port
        return process

    async def run(self, count: int) -> None:
        """Cut so often; then let everybody finish on an ordinary disk, and compare.

        Raises:
            NotPermittedError: This user can't mount a file system.
        """
        folder = self.new_folder()
        try:
            with trio.fail_after(CYCLE_SECONDS_MAX * (count + 2)):
                async with trio.open_nursery() as nursery:
                    world = Server(0)
                    for number in range(count):
                        folder = await self.live(world, folder, nursery, number == 0)
                    self.process = self.server(folder)
                    await self.finish(world)
                    nursery.cancel_scope.cancel()
        finally:
            self.process.kill()

    async def live(
        self, world: Server, folder: Path, nursery: trio.Nursery, is_first: bool
    ) -> Path:
        """Live on a disk that forgets until the power goes; return what is left."""
        disk = LazyDisk(lies=self.lies)
        disk.load(folder)
        place = self.new_folder()
        with ExitStack() as opened:
            opened.enter_context(disk.mounted(place))
            self.process = self.server(place)
            opened.callback(self.process.kill)
            if not await self.start():
                return folder
            if is_first:
                await self.gather(world, nursery)
            for sender in self.senders:
                sender.answers_wanted = self.pick.randrange(1, ANSWERS_MAX)
            world.answered, world.progress = 0, trio.Event()
            world.up.set()
            await world.progress.wait()
            disk.cut()
            self.process.kill()
            take_down(world)
        self.tally.counts["cuts"] += 1
        self.tally.counts["fsyncs"] += disk.syncs
        return await self.pictures(disk)

    async def start(self) -> bool:
        """Start the server; whether it could."""
        try:
            await trio.to_thread.run_sync(self.process.start)
        except ServerNotReadyError as error:
            return self.expect(False, "lost", f"it doesn't start any more: {error}")
        return True

    async def pictures(self, disk: LazyDisk) -> Path:
        """Start on each of some folders that a cut may have left; return the last."""
        folder = self.root
        for number in range(PICTURES):
            folder = self.new_folder()
            disk.after_cut(folder, self.pick)
            if number < PICTURES - 1:
                self.process = self.server(folder)
                await self.start()
                self.process.kill()
                self.tally.counts["recoveries"] += 1
            elif self.pick.random() < START_CUT_SHARE:
                folder = await self.cut_a_start(folder)
        return folder

    async def cut_a_start(self, folder: Path) -> Path:
        """Recover on a disk whose power goes meanwhile; return what is left."""
        disk = LazyDisk(lies=self.lies)
        disk.load(folder)
        place, left = self.new_folder(), self.new_folder()
        with disk.mounted(place):
            process = self.server(place)

            async def cut() -> None:
                await trio.sleep(self.pick.uniform(0.3, START_SECONDS_MAX))
                disk.cut()
                process.kill()

            def start() -> None:
                try:
                    process.start()
                except ServerNotReadyError:
                    return

            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.to_thread.run_sync, start)
                nursery.start_soon(cut)
            process.kill()
        disk.after_cut(left, self.pick)
        self.tally.counts["starts cut"] += 1
        return left

    async def gather(self, world: Server, nursery: trio.Nursery) -> None:
        """Register everybody and let them talk."""
        world.port = self.process.port
        accounts = [Account() for _ in range(2 * PAIRS)]
        for account in accounts:
            async with connect(world.port) as peer:
                await peer.register(account, self.process.join)
        for source, target in zip(accounts[::2], accounts[1::2], strict=True):
            self.senders.append(Sender(world, source, target, ANSWERS_MAX))
            self.receivers.append(Receiver(world, target))
        for sender, receiver in zip(self.senders, self.receivers, strict=True):
            nursery.start_soon(sender.run)
            nursery.start_soon(receiver.run)

    async def finish(self, world: Server) -> None:
        """Serve in peace until all is answered and delivered; compare."""
        if not await self.start():
            return
        world.is_over = True
        world.up.set()
        for sender, receiver in zip(self.senders, self.receivers, strict=True):
            with trio.move_on_after(CYCLE_SECONDS_MAX / 2):
                await receiver.has(len(sender.sent))
            with trio.move_on_after(CYCLE_SECONDS_MAX / 2):
                await answered(sender)
            self.compare(sender, receiver)
        log = self.process.log_path.read_text("utf-8", "replace")
        at = log.find("Traceback")
        self.expect(at < 0 or self.lies, "crashed", log[at : at + 900])

    def compare(self, sender: Sender, receiver: Receiver) -> None:
        """Compare what a sender and its receiver noted."""
        self.tally.counts["acknowledged"] += len(sender.acked)
        lost = set(sender.acked) - set(receiver.ids)
        self.expect(not lost, "lost", f"{len(lost)} messages")
        doubled = len(receiver.ids) - len(set(receiver.ids))
        self.expect(not doubled, "doubled", f"{doubled} messages")
        in_order = receiver.bodies == sender.sent
        in_order &= receiver.seqs == list(sender.acked.values())
        self.expect(in_order, "reordered", "in a chat")


async def answered(sender: Sender) -> None:
    """Wait until a sender has the answer to everything."""
    while True:
        if not sender.outbox:
            return
        await trio.sleep(LOOK_SECONDS)


def note_end(
    group: BaseExceptionGroup[BaseException], tally: Tally, replay: str
) -> None:
    """Note why a run ended early.

    Raises:
        BaseExceptionGroup: For no reason of this kind.
    """
    refused, rest = group.split(NotPermittedError)
    if refused is not None:
        tally.counts["not permitted"] += 1
    if rest is None:
        return
    # What clients can't believe: an account that is gone, an entry that comes twice.
    unbelieved, rest = rest.split(AssertionError)
    if unbelieved is None or rest is not None:
        raise group
    error: BaseException = unbelieved
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    check(tally, False, "lost", str(error), replay)


def run(seed: int, count: int, *, lies: bool = False) -> Tally:
    """Cut the power of one server so often."""
    tally = Tally()
    replay = f"python -m tests.durability power-process --seed {seed} --count {count}"
    with TemporaryDirectory(prefix="wigwag-power-") as name:
        cuts = ProcessCuts(Path(name), Random(seed), tally, replay, lies=lies)  # noqa: S311 - a script
        try:
            trio.run(cuts.run, count)
        except BaseExceptionGroup as group:
            note_end(group, tally, replay)
    return tally
