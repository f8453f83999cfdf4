"""Damage in every table and at any byte: refused or set aside, and never served."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from unittest.mock import patch

import pytest
from tests.durability._rot import TABLES, Server, damage_table, run
from tests.durability._tally import Tally

ENGINES = "wigwag.server.engines"
QUICK = 60


@pytest.mark.parametrize("seed", [1, 2])
def test_damage_is_never_served(seed: int) -> None:
    """I22: flips and cuts in database and log, of server and client."""
    tally = run(seed, QUICK)
    assert not tally.violations
    assert tally.counts["refused"] > QUICK // 4


def test_damage_in_any_table_is_noticed() -> None:
    """A table without a checksum would be served as it is."""
    verdicts = damage_table()
    assert set(verdicts) == set(TABLES)
    assert set(verdicts.values()) <= {"refused", "quarantined"}


@contextmanager
def no_checksums() -> Generator[None, None, None]:
    """Pages that nobody compares: SQLite trusts its disk."""
    with (
        patch(f"{ENGINES}._database.checked_vfs", return_value="unix"),
        patch(f"{ENGINES}._database.has_checksums", return_value=True),
    ):
        yield


@contextmanager
def no_mark() -> Generator[None, None, None]:
    """Nobody knows how far the log went."""
    with patch(f"{ENGINES}._mark.Mark.read", return_value=0):
        yield


@pytest.mark.parametrize("mutant", [no_checksums, no_mark])
def test_a_server_that_does_not_look_is_caught(
    mutant: Callable[[], AbstractContextManager[None]],
) -> None:
    """Else a green run would mean nothing."""
    tally = Tally()
    with mutant():
        for seed in range(4):
            tally.add(run(seed, QUICK))
            if tally.violations:
                break
    assert {one.what for one in tally.violations} == {"served"}


def test_the_truth_is_stable(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two good copies give the same answers, so that a difference means damage."""
    server = Server(tmp_path_factory.mktemp("rot"))
    verdict, detail, is_good = server.judge(server.copy("good"))
    assert (verdict, detail, is_good) == ("harmless", "", True)
