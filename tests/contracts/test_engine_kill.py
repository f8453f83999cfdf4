"""kill -9 at every named place: what was answered is there, once, in its place."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.contracts.harness import Lab, ask
from tests.contracts.killed_server import make_send
from tests.server.core.world import ALICE_1, BOB_1

from wigwag.server.core import Sequenced
from wigwag.server.engines import CRASH_POINTS

ROOT = Path(__file__).parents[2]
PEER = {ALICE_1: BOB_1, BOB_1: ALICE_1}


def run_until_killed(path: Path, crash_at: str) -> list[list[str]]:
    """Run the engine until it kills itself; return what it said."""
    environment = {**os.environ, "CRASH_AT": crash_at}
    environment["PYTHONPATH"] = os.pathsep.join(
        str(ROOT / one) for one in ("", "server", "wire", "spec")
    )
    ended = subprocess.run(
        [sys.executable, "-m", "tests.contracts.killed_server", str(path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    lines = ended.stdout.decode().split("\n")
    return [line.split() for line in lines[:-1]]


@pytest.mark.parametrize("point", CRASH_POINTS)
async def test_nothing_answered_is_lost(tmp_path: Path, point: str) -> None:
    """I1, I2, I9, I20: after the crash every answer still holds, and only once."""
    lab = Lab(tmp_path)
    passes = 4 if "checkpoint" in point else 25
    said = run_until_killed(lab.path, f"{point}:{passes}")
    sent = {
        (bytes.fromhex(device), int(number)): int(seq)
        for kind, device, number, *rest in said
        if kind == "sent"
        for seq in rest
    }
    acked = {bytes.fromhex(one[1]): int(one[2]) for one in said if one[0] == "acked"}
    assert sent
    async with lab.engine() as engine:
        assert lab.query("PRAGMA integrity_check") == [("ok",)]
        before = count_log(lab)
        for (device, number), seq in sent.items():
            answer = await ask(engine, make_send(device, PEER[device], number))
            assert isinstance(answer, Sequenced)
            assert answer.chat_seq == seq
        assert count_log(lab) == before
        for device, place in acked.items():
            head = "SELECT acked FROM inbox_head WHERE device = ?"
            assert lab.query(head, device)[0][0] >= place
        check_inboxes(lab, sent)


def count_log(lab: Lab) -> int:
    """Count what has a place."""
    ((name,),) = lab.query(
        "SELECT name FROM sqlite_schema WHERE name LIKE 'chat_log_%'"
    )
    ((count,),) = lab.query(f"SELECT count(*) FROM {name}")  # noqa: S608 - our table
    assert isinstance(count, int)
    return count


def check_inboxes(lab: Lab, sent: dict[tuple[bytes, int], int]) -> None:
    """Every answered message waits for its device or was acknowledged, in order."""
    for sender, receiver in PEER.items():
        ((acked, last),) = lab.query(
            "SELECT acked, last FROM inbox_head WHERE device = ?", receiver
        )
        waiting = lab.query(
            "SELECT position, chat_seq FROM inbox WHERE device = ? ORDER BY 1",
            receiver,
        )
        places = [place for place, _ in waiting]
        assert places == list(range(last - len(places) + 1, last + 1))
        assert places == list(range(acked + 1, last + 1))
        seqs = [seq for _, seq in waiting]
        assert seqs == sorted(seqs)
        answered = sorted(seq for (one, _), seq in sent.items() if one == sender)
        lost = [seq for seq in answered if seqs and seq >= seqs[0] and seq not in seqs]
        assert not lost
