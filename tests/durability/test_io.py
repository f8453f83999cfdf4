"""A disk that fails at any call: a typed error, and nothing acknowledged goes."""

from typing import Any
from unittest.mock import patch

import apsw
from tests.durability._io import run

from wigwag.server.engines._store import Store

QUICK = 160


def test_nothing_acknowledged_is_lost_by_a_failing_disk() -> None:
    """I1, rule 11: refuse or stop, and all is well once the disk is."""
    tally = run(seed=1, count=QUICK)
    assert not tally.violations
    assert tally.counts["faults"] > QUICK // 2


def test_a_store_that_goes_on_after_a_failed_commit_is_caught() -> None:
    """Else a green run would mean nothing: what failed is answered as if durable."""

    def write_anyway(self: Store, *values: Any, **options: Any) -> None:  # noqa: ANN401
        try:
            write(self, *values, **options)
        except apsw.Error:
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")

    write = Store._write_txn  # pyright: ignore[reportPrivateUsage] # planted bug
    with patch.object(Store, "_write_txn", write_anyway):
        tally = run(seed=1, count=QUICK)
    assert "lost" in {one.what for one in tally.violations}
