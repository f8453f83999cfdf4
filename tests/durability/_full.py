"""A full disk under the real server: a small file system of its own.

Messages are sent until the disk is full. Then sends are refused with UNAVAILABLE, which
says that nothing happened; signing in, reading and acknowledging go on, from the
reserve. The server is killed, the file system grown, and what was acknowledged is there
while what was refused can be sent. In the long form the running server must also notice
by itself that there is space again.
"""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import trio
from tests.durability._tally import Tally, check
from tests.server._peer import Account, PeerClient, connect

from wigwag.server.engines._embedded import CHECKPOINT_SECONDS
from wigwag.testing import ServerProcess
from wigwag.wire import Deliver, ErrorCode, Refused, Send, Sequenced

SIZE_MIB = 26
"""The reserve takes 16, an empty database and its log less than 1."""
GROWN_MIB = 60
BODY = bytes(12_000)
MESSAGES_MAX = 3_000
SECONDS_MAX = 120
OPTIONS = ("--limits-profile", "bench", "--log-level", "info")


class NotPermittedError(Exception):
    """This user can't mount a file system."""


@contextmanager
def small_file_system(
    folder: Path, size_mib: int = SIZE_MIB
) -> Generator[Path, None, None]:
    """Mount a file system in memory while the block lasts.

    Args:
        folder: Where.
        size_mib: Its size in MiB.

    Raises:
        NotPermittedError: It can't be mounted.
    """
    options = ("-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(folder))
    if os.geteuid() != 0 or _run("mount", *options) != 0:
        raise NotPermittedError
    try:
        yield folder
    finally:
        _run("umount", str(folder))


def grow(folder: Path) -> None:
    """Give the file system more space."""
    status = _run("mount", "-o", f"remount,size={GROWN_MIB}m", str(folder))
    assert status == 0, "remount failed"


def _run(*command: str) -> int:
    return subprocess.run(
        command, capture_output=True, check=False, timeout=20
    ).returncode


class FullDisk:
    """One server whose disk fills up."""

    def __init__(self, folder: Path, tally: Tally, *, is_patient: bool) -> None:
        self.folder = folder
        self.tally = tally
        self.is_patient = is_patient
        self.process = ServerProcess(folder, options=OPTIONS)
        self.sender, self.target = Account(), Account()
        self.acknowledged: dict[bytes, Sequenced] = {}
        self.refused: list[Send] = []

    def expect(self, is_true: bool, what: str, detail: str) -> None:
        """Note a violation unless something is true."""
        check(self.tally, is_true, what, detail, "python -m tests.durability full")

    async def run(self) -> None:
        """Fill the disk, live with it, and make space."""
        try:
            with trio.fail_after(SECONDS_MAX + 2 * CHECKPOINT_SECONDS):
                await self.live()
        finally:
            self.process.kill()

    async def live(self) -> None:
        """The whole story."""
        await trio.to_thread.run_sync(self.process.start)
        for account in (self.sender, self.target):
            async with connect(self.process.port) as peer:
                await peer.register(account, self.process.join)
        async with connect(self.process.port) as peer:
            await peer.sign_in(self.sender)
            await self.fill(peer)
        async with connect(self.process.port) as peer:
            await peer.sign_in(self.target)
            for _ in range(5):
                await peer.deliver_and_ack()
            self.tally.counts["acknowledged while full"] += 5
        self.expect(not self.reserve.exists(), "reserve", "it was not given away")
        if self.is_patient:
            grow(self.folder)
            await self.wait_for_space()
        self.process.kill()
        if not self.is_patient:
            grow(self.folder)
        await trio.to_thread.run_sync(self.process.start)
        await self.compare()
        log = self.process.log_path.read_text("utf-8", "replace")
        self.expect("disk_full" in log, "silent", "the log says nothing of a full disk")
        self.expect("Traceback" not in log, "crashed", log[-600:])

    @property
    def reserve(self) -> Path:
        """The file that keeps space back."""
        return self.process.folder / "wigwag.db.reserve"

    async def fill(self, peer: PeerClient) -> None:
        """Send until the disk is full, and a little more."""
        for _ in range(MESSAGES_MAX):
            message = peer.send_message(self.target, BODY)
            answer = await peer.ask(message)
            if isinstance(answer, Sequenced):
                self.expect(not self.refused, "reordered", "taken after a refusal")
                self.acknowledged[message.client_msg_id] = answer
                continue
            assert isinstance(answer, Refused), answer
            is_first = not self.refused
            wanted = {ErrorCode.UNAVAILABLE, ErrorCode.OUT_OF_ORDER}
            if is_first:
                wanted = {ErrorCode.UNAVAILABLE}
            self.expect(answer.code in wanted, "untyped", f"{answer}")
            self.refused.append(message)
            if len(self.refused) >= 3:
                return
        raise AssertionError("the disk never filled up")

    async def wait_for_space(self) -> None:
        """Offer what was refused until the running server takes it."""
        async with connect(self.process.port) as peer:
            await peer.sign_in(self.sender)
            while True:
                answer = await peer.ask(self.refused[0])
                if isinstance(answer, Sequenced):
                    break
                await trio.sleep(2)
        self.tally.counts["resumed"] += 1

    async def compare(self) -> None:
        """What was acknowledged is there, what was refused can be sent, in order."""
        async with connect(self.process.port) as peer:
            await peer.sign_in(self.sender)
            for message in self.refused:
                answer = await peer.ask(message)
                self.expect(isinstance(answer, Sequenced), "refused", f"{answer}")
                if isinstance(answer, Sequenced):
                    self.acknowledged[message.client_msg_id] = answer
        got: list[bytes] = []
        async with connect(self.process.port) as peer:
            await peer.sign_in(self.target)
            while len(got) < len(self.acknowledged) - 5:
                entry = await peer.expect(Deliver)
                got.append(entry.client_msg_id)
                if len(got) % 50 == 0:
                    await peer.ack(entry.inbox_seq)
        wanted = list(self.acknowledged)[5:]
        self.expect(set(got) >= set(wanted), "lost", f"{len(got)} of {len(wanted)}")
        self.expect(got == wanted, "reordered", "deliveries after the full disk")
        self.tally.counts["acknowledged"] += len(self.acknowledged)
        self.tally.counts["refused"] += len(self.refused)


def run(seed: int, count: int) -> Tally:
    """Fill so many disks; beyond the first the server must notice space by itself."""
    del seed
    tally = Tally()
    for number in range(count):
        with TemporaryDirectory(prefix="wigwag-full-") as name:
            try:
                with small_file_system(Path(name)) as folder:
                    story = FullDisk(folder, tally, is_patient=number > 0)
                    trio.run(story.run)
                    tally.counts["full disks"] += 1
            except NotPermittedError:
                tally.counts["not permitted"] += 1
    return tally
