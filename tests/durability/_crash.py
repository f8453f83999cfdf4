"""kill -9 at every named place: what was answered is there, once, in its place.

A process that lives a whole life (`_crash_process`) kills itself at a crash point;
then the file is opened by the real recovery and compared with what the process had
said. Points of the start are passed by a second process, on the log that a killed one
left, twice: recovery that is cut short any number of times is one recovery (I20).
"""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import trio
from tests.contracts.harness import Lab, ask
from tests.durability._crash_process import (
    JUMP_MS,
    NUMBERS_BEFORE,
    PEER,
    RESERVE_BYTES,
    make_send,
)
from tests.durability._tally import Tally, check
from tests.server.core.world import START_MS

from wigwag.server.core import Sequenced
from wigwag.server.engines import CRASH_POINTS

ROOT = Path(__file__).parents[2]
PORTIONS = ("", "wire", "server", "client", "spec", "bench")
PROCESS_SECONDS_MAX = 120

START_POINTS = (
    "database.before_recovery",
    "database.after_recovery",
    "store.before_opening",
    "store.before_epoch",
    "store.after_opening",
)
"""Passed on the way to serving, on a log that a killed process left."""

PASS = {
    "store.after_schema": 1,
    "reserve.half_filled": 1,
    "writer.after_registration": 2,
    "writer.after_day_table": 2,
    "writer.before_tick": 1,
    "writer.after_day_drop": 1,
    "store.before_checkpoint": 4,
    "store.while_stamping": 4,
    "store.after_checkpoint": 4,
    "store.before_close": 1,
}
"""At which pass a point kills; the others at PASS_OTHERS."""
PASS_OTHERS = 40


def environment(**more: str) -> dict[str, str]:
    """Return the variables of a process that runs our code from this tree."""
    paths = os.pathsep.join(str(ROOT / one) for one in PORTIONS)
    return {**os.environ, "PYTHONPATH": paths, **more}


@dataclass
class Said:
    """What a process said before it ended.

    Attributes:
        sent: (device, number) → chat_seq, of messages that were answered.
        acked: device → the highest cursor that was taken.
        is_registered: Whether both accounts were answered.
        exit_status: Of the process.
    """

    sent: dict[tuple[bytes, int], int] = field(
        default_factory=dict[tuple[bytes, int], int]
    )
    acked: dict[bytes, int] = field(default_factory=dict[bytes, int])
    is_registered: bool = False
    exit_status: int = 0

    def read(self, text: str) -> None:
        """Take lines; a last one that is cut was never said."""
        for line in text.split("\n")[:-1]:
            kind, *rest = line.split()
            if kind == "sent":
                device, number, seq = bytes.fromhex(rest[0]), int(rest[1]), int(rest[2])
                self.sent[device, number] = seq
            elif kind == "acked":
                device, place = bytes.fromhex(rest[0]), int(rest[1])
                self.acked[device] = max(place, self.acked.get(device, 0))
            elif kind == "registered":
                self.is_registered = True


def run_process(path: Path, crash_at: str, said: Said) -> None:
    """Run the process until it kills itself, or ends."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.durability._crash_process", str(path)],
        cwd=ROOT,
        env=environment(CRASH_AT=crash_at),
        capture_output=True,
        timeout=PROCESS_SECONDS_MAX,
        check=False,
    )
    said.read(ended.stdout.decode())
    said.exit_status = ended.returncode
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr.decode()


def crash(point: str, passes: int, folder: Path) -> tuple[Said, bool]:
    """Crash at a point, in a new folder.

    Returns:
        What was said, and whether the point was reached every time.
    """
    said = Said()
    path = folder / "wigwag.db"
    if point not in START_POINTS:
        run_process(path, f"{point}:{passes}", said)
        return said, said.exit_status == -signal.SIGKILL
    run_process(path, f"store.after_mark:{PASS_OTHERS}", said)
    is_reached = said.exit_status == -signal.SIGKILL
    for _ in range(2):
        run_process(path, point, said)
        is_reached &= said.exit_status == -signal.SIGKILL
    return said, is_reached


async def verify(folder: Path, said: Said, tally: Tally, replay: str) -> None:
    """Open the file as the next start would, and compare with what was said."""
    lab = Lab(folder)
    lab.clock.ms = START_MS + 2 * JUMP_MS
    lab.reserve_bytes = RESERVE_BYTES
    async with lab.engine(accept_clock=True) as engine:
        found = lab.query("PRAGMA integrity_check")
        check(tally, found == [("ok",)], "damaged", str(found), replay)
        (accounts,) = lab.query("SELECT count(*) FROM account")[0]
        if said.is_registered:
            check(tally, accounts == 2, "lost", f"{accounts} accounts", replay)
        before = count_log(lab)
        for (device, number), seq in said.sent.items():
            answer = await ask(engine, make_send(device, number))
            if not isinstance(answer, Sequenced):
                detail = f"message {number} of {device[:1]!r}: {answer}"
                check(tally, False, "lost", detail, replay)
            elif answer.chat_seq != seq:
                what = "lost" if count_log(lab) > before else "reordered"
                detail = f"message {number} was {seq} and is {answer.chat_seq}"
                check(tally, False, what, detail, replay)
        check_inboxes(lab, said, tally, replay)
        is_filled = lab.path.with_name("wigwag.db.reserve").stat().st_size
        check(tally, is_filled == RESERVE_BYTES, "reserve", str(is_filled), replay)


def count_log(lab: Lab) -> int:
    """Count what has a place."""
    names = lab.query("SELECT name FROM sqlite_schema WHERE name LIKE 'chat_log_%'")
    return sum(
        lab.query(f"SELECT count(*) FROM {name}")[0][0]  # noqa: S608 - our table
        for (name,) in names
    )


def check_inboxes(lab: Lab, said: Said, tally: Tally, replay: str) -> None:
    """Every answered message waits for its device or was acknowledged, in order."""
    for sender, receiver in PEER.items():
        heads = lab.query(
            "SELECT acked, last FROM inbox_head WHERE device = ?", receiver
        )
        if not heads:
            continue
        ((acked, last),) = heads
        told = said.acked.get(receiver, 0)
        check(tally, acked >= told, "lost", f"cursor {told} is {acked}", replay)
        waiting = lab.query(
            "SELECT position, chat_seq, client_msg_id FROM inbox WHERE device = ? "
            "ORDER BY 1",
            receiver,
        )
        places = [place for place, _, _ in waiting]
        dense = list(range(last - len(places) + 1, last + 1))
        check(tally, places == dense, "lost", f"inbox has {places}", replay)
        check(tally, min(places, default=last + 1) > acked, "doubled", "acked", replay)
        seqs = [seq for _, seq, _ in waiting]
        check(tally, seqs == sorted(set(seqs)), "reordered", f"{seqs}", replay)
        answered = {
            make_send(device, number).client_msg_id: seq
            for (device, number), seq in said.sent.items()
            if device == sender and number > NUMBERS_BEFORE
        }
        seen = {one for _, _, one in waiting}
        missing = [
            seq
            for one, seq in answered.items()
            if seqs and seq >= seqs[0] and one not in seen
        ]
        check(tally, not missing, "lost", f"{missing} are not in the inbox", replay)


def dump(folder: Path) -> list[object]:
    """Return all rows of a database, but for what every start changes."""

    async def read() -> list[object]:
        lab = Lab(folder)
        lab.clock.ms = START_MS + 2 * JUMP_MS
        async with lab.engine(accept_clock=True):
            names = lab.query("SELECT name FROM sqlite_schema WHERE type = 'table'")
            return [
                (name, lab.query(f"SELECT * FROM {name}"))  # noqa: S608 - our table
                for (name,) in names
                if name not in ("log", "epoch")
            ]

    return trio.run(read)


def run_point(point: str, passes: int, tally: Tally) -> None:
    """Crash once at a point and compare."""
    replay = f"python -m tests.durability crash --point {point}:{passes}"
    with TemporaryDirectory(prefix="wigwag-crash-") as name:
        folder = Path(name)
        said, is_reached = crash(point, passes, folder)
        if not check(tally, is_reached, "unreached", point, replay):
            return
        if point in START_POINTS:
            twin = folder / "twin"
            twin.mkdir()
            for file in folder.glob("wigwag.db*"):
                shutil.copy(file, twin)
            once = dump(twin)
            check(
                tally, once == dump(twin), "unstable", "two recoveries differ", replay
            )
        trio.run(verify, folder, said, tally, replay)
        tally.counts["crashes"] += 1
        tally.counts["acknowledged"] += len(said.sent)


def run(seed: int, count: int) -> Tally:
    """Crash at every point in turn, `count` times in all, at least once each.

    Beyond the first round a point kills at a random pass, so a share should be of
    more than one round.
    """
    tally = Tally()
    pick = Random(seed)  # noqa: S311 - a script, no secret
    tally.counts["points"] = len(CRASH_POINTS)
    for number in range(max(count, len(CRASH_POINTS))):
        point = CRASH_POINTS[number % len(CRASH_POINTS)]
        passes = PASS.get(point, PASS_OTHERS)
        if number >= len(CRASH_POINTS) and passes == PASS_OTHERS:
            passes = pick.randrange(1, 60)
        run_point(point, passes, tally)
    return tally
