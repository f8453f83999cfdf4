"""kill -9 of real processes and a full disk: nothing acknowledged goes."""

import os
import pickle

import pytest
from tests.durability import _full, _kill, _kill_client
from tests.durability._kinds import KINDS
from tests.durability._tally import Tally, check

from wigwag.spec import ExitCode
from wigwag.testing import ServerNotReadyError


def new_seed() -> int:
    """Return a seed that was never run; a failure tells it."""
    return int.from_bytes(os.urandom(4))


@pytest.mark.parametrize("share", range(2))
def test_nothing_is_lost_or_doubled_over_twenty_kill_9s(share: int) -> None:
    """Under load, in mid commit, in mid start: 0 lost, 0 doubled, 0 reordered."""
    del share
    kills = KINDS["kill"].quick // 2
    tally = _kill.run(new_seed(), kills)
    assert not tally.violations
    assert tally.counts["kills"] == kills


def test_a_killed_client_loses_and_doubles_nothing() -> None:
    """I6, I25: before and after a commit, before and after bytes leave."""
    tally = _kill_client.run(new_seed(), KINDS["kill-client"].quick)
    assert not tally.violations


def test_a_full_disk_is_said_and_loses_nothing() -> None:
    """UNAVAILABLE with outcome none; acknowledging goes on, from the reserve."""
    tally = _full.run(0, 1)
    if tally.counts["not permitted"]:
        pytest.skip("this user can't mount a file system")
    assert not tally.violations
    assert tally.counts["acknowledged while full"]


def test_a_server_that_is_not_ready_is_told_across_processes() -> None:
    """An error that can't be unpickled breaks the pool and is never seen."""
    error = ServerNotReadyError("no ready line", ExitCode.IN_USE)
    told = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (str(told), told.exit_code) == ("no ready line", ExitCode.IN_USE)


def test_violations_are_counted_and_told() -> None:
    """The line of figures is what an operator reads."""
    tally = Tally()
    tally.counts["kills"] += 1_000
    assert check(tally, True, "lost", "nothing", "again")
    assert not check(tally, False, "lost", "a message", "again")
    assert not check(tally, False, "served", "a flipped bit", "again")
    assert tally.line("kill", 7) == (
        "kill: kills 1,000, lost 1, doubled 0, reordered 0, served 1, seed 7"
    )
