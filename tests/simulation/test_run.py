"""What a run comes to: plans, what counts, and what a failing seed says."""

from pathlib import Path

import pytest
from tests.simulation.__main__ import replay_command
from tests.simulation._plan import (
    CLIENTS,
    KINDS_MIN,
    LEAVING,
    PEERS_MAX,
    FaultKind,
    draw_plan,
)
from tests.simulation._run import TAIL_LINES, Verdict, run_seed
from tests.simulation._server_mutants import SERVER_MUTANTS
from tests.simulation._violation import Violation
from tests.simulation._world import World


def verdict(**changes: object) -> Verdict:
    """Make a verdict of a run in which enough happened."""
    facts: dict[str, object] = {
        "seed": 7,
        "plan": draw_plan(World(7, Path())),
        "hours": 0.1,
        "sequenced": 100,
        "faults": {"reset": 1, "server crash": 1, "torn connection": 1},
        "steps": 1,
        "digest": "",
        "fault_count": 3,
        "kept": None,
        "violations": [],
        "tail": [],
    }
    return Verdict(**{**facts, **changes})  # type: ignore[arg-type] # by name


@pytest.mark.parametrize("seed", range(200))
def test_a_plan_lets_everybody_write_to_somebody(seed: int) -> None:
    """Whom nobody writes to tests nothing; chats go both ways."""
    plan = draw_plan(World(seed, Path()))
    assert CLIENTS[0] <= len(plan.names) <= CLIENTS[1]
    assert len(set(plan.kinds)) >= KINDS_MIN
    for name, peers in plan.peers.items():
        assert 1 <= len(set(peers)) == len(peers) <= PEERS_MAX
        assert name not in peers
        assert all(name in plan.peers[peer] for peer in peers)


def test_plans_of_many_seeds_have_every_kind_of_fault() -> None:
    """A kind that is never drawn is never tried."""
    plans = [draw_plan(World(seed, Path())) for seed in range(50)]
    kinds = {kind for plan in plans for kind in plan.kinds}
    leaving = {plan.leaving for plan in plans if plan.leaver}
    assert kinds | leaving == set(FaultKind)
    assert leaving == set(LEAVING)


@pytest.mark.parametrize(
    "changes",
    [
        {"sequenced": 99},
        {"faults": {"reset": 1, "server crash": 1}},
        {"hours": 0.2, "sequenced": 200},
    ],
)
def test_hours_with_too_little_in_them_do_not_count(changes: dict[str, object]) -> None:
    """Quiet hours would make the figure larger and say less (RELIABILITY.md §6)."""
    assert verdict().counts
    assert not verdict(**changes).counts


def test_a_failing_seed_says_how_to_see_it_again() -> None:
    """Seed, command and what happened: all that a repair begins with."""
    violations = [Violation("I1", 3.0, f"number {number}") for number in range(12)]
    bad = verdict(violations=violations, tail=["1.0 it happened"])
    text = bad.report(replay_command(bad, "no_dedupe"))
    assert "seed 7 " in text
    assert "I1 at 3.000000: number 0" in text
    assert "and 2 more" in text
    assert "--seed 7 --hours 0.1 --trace trace.txt --mutant no_dedupe" in text
    assert "1.0 it happened" in text


def test_the_tail_is_about_the_message_of_the_violation() -> None:
    """Of thousands of lines, those that name the message, also on the wire."""
    with SERVER_MUTANTS["position_left_out"].planted():
        bad = run_seed(20_001, 0.1)
    first = bad.violations[0]
    assert first.invariant == "I3"
    assert 0 < len(bad.tail) <= TAIL_LINES
    assert any("Send(" in line for line in bad.tail)
    assert any("sent" in line and first.ids[0].hex() in line for line in bad.tail)
