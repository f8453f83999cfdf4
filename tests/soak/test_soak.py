"""A very short soak, whole; and the plan that it follows."""

import json
import os
from collections import Counter

import pytest
from tests.soak.__main__ import figures, line, main, parse
from tests.soak._canary import Search
from tests.soak._judge import Finding
from tests.soak._plan import (
    FULL_DISK_FROM_SECONDS,
    KILLS_UNTIL,
    Action,
    make_plan,
)
from tests.soak._soak import Result, run
from tests.soak._watch import Drift

SECONDS = 5.0
PEOPLE = 4


def test_a_short_soak_loses_doubles_and_leaks_nothing() -> None:
    """The whole story: real server, real people, kills, cuts, an attack, a backup."""
    result = run(int.from_bytes(os.urandom(4)), SECONDS, PEOPLE)
    assert not result.findings, line(result)
    assert result.counts[Action.KILL_SERVER] >= 1
    assert result.counts[Action.KILL_CLIENT] >= 1
    assert result.counts["acknowledged"] > PEOPLE
    assert result.counts["raw acknowledged"] > 1
    assert result.search is not None
    assert result.search.needles > PEOPLE


def test_the_plan_is_the_seeds() -> None:
    """A failing seed does the same again, at the same times."""
    plan = make_plan(7, 300.0, 12, ["F3", "M1"])
    assert plan == make_plan(7, 300.0, 12, ["F3", "M1"])
    assert plan != make_plan(8, 300.0, 12, ["F3", "M1"])


def test_a_long_plan_has_everything_and_a_long_last_life() -> None:
    """Five minutes see each kind of fault; the server isn't killed near their end."""
    for seed in range(20):
        plan = make_plan(seed, 300.0, 12, ["F3"])
        assert {step.action for step in plan} == set(Action)
        assert [step.at for step in plan] == sorted(step.at for step in plan)
        kills = [step.at for step in plan if step.action is Action.KILL_SERVER]
        assert max(kills) <= KILLS_UNTIL * 300.0
        assert all(0 <= step.who < 12 for step in plan)


def test_a_short_plan_kills_both_and_fills_no_disk() -> None:
    """A server looks for space once a minute: a short soak would not see it."""
    counts = Counter(
        step.action for step in make_plan(1, FULL_DISK_FROM_SECONDS / 20, 2, ["F3"])
    )
    assert counts[Action.KILL_SERVER] == counts[Action.KILL_CLIENT] == 1
    assert not counts[Action.FULL_DISK]


def test_the_line_of_figures_tells_what_was_lost() -> None:
    """It is what an operator reads."""
    result = Result(7, 300.0)
    result.findings = [Finding("lost", "a message"), Finding("stuck", "alice")]
    result.drift = Drift(1_000, 1_010, 60.0)
    told = line(result)
    assert "lost 1, doubled 0, reordered 0, leaked 0, stuck 1" in told
    assert "+1.0 %, +60 %/h" in told
    assert told.endswith("seed 7")


def test_the_figures_are_json() -> None:
    """`--json` comes after minutes: it must not be what fails."""
    result = Result(7, 300.0)
    bare = json.loads(json.dumps(figures(result)))
    assert (bare["memory"], bare["search"], bare["counts"]) == (None, None, {})
    result.counts[Action.BACKUP] += 2
    result.findings = [Finding("lost", "a message")]
    result.drift = Drift(1_000, 1_010, 60.0)
    result.search = Search([], 5, 3, 1_000)
    read = json.loads(json.dumps(figures(result)))
    assert read["counts"] == {"backup": 2}
    assert read["findings"] == [{"what": "lost", "detail": "a message"}]
    assert read["memory"]["percent"] == pytest.approx(1.0)
    assert read["search"]["needles"] == 5


@pytest.mark.parametrize("wrong", [("--people", "3"), ("--minutes", "0")])
def test_a_wrong_option_is_said(
    wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With what would be right."""
    with pytest.raises(SystemExit):
        main([*wrong])
    assert "give" in capsys.readouterr().err
    assert parse(["--people", "2"]).people == 2
