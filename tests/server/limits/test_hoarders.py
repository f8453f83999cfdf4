"""The worst allowed thing, by many at once: `memory.py` in its short form."""

from pathlib import Path

from tests.server.limits.memory import run

CONNECTIONS = 200


def test_hoarders_stay_within_the_budget_and_harm_nobody(tmp_path: Path) -> None:
    """I15: resident memory grows by no more than an operator allowed."""
    outcome = run(CONNECTIONS, tmp_path)
    assert not outcome.violations(), str(outcome)
    assert outcome.connections == CONNECTIONS
