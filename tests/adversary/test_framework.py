"""What judges the server is judged here: it must be able to find something wrong."""

import time
from collections.abc import Generator
from dataclasses import replace

import pytest
from tests.adversary.conftest import Scene

from wigwag.bench.adversary import (
    ROWS,
    SERVED,
    SILENCE,
    Attack,
    Flood,
    Harm,
    HonestPairs,
    Row,
    Seen,
    Tally,
    Target,
    TurnedAwayError,
    UnexpectedError,
    Wire,
    ends_with,
    honest_target,
    refused_with,
)
from wigwag.wire import ErrorCode

BY_ID = {row.id: row for row in ROWS}


@pytest.mark.parametrize(
    ("row", "other"),
    [
        ("F4", ends_with(ErrorCode.MALFORMED)),
        ("F4", refused_with(ErrorCode.FRAME_TOO_LARGE)),
        ("F3", SERVED),
        ("S8", ends_with(ErrorCode.REPLACED)),
        ("A3", refused_with(ErrorCode.FORBIDDEN)),
        ("M13", SILENCE),
    ],
)
def test_another_answer_than_expected_is_said(
    row: str, other: Seen, scene: Scene
) -> None:
    """Another code, another way of ending, or service where there should be none."""
    with pytest.raises(UnexpectedError, match=r"expected: .*; came: "):
        replace(BY_ID[row], expected=other).check(scene.target)


def test_rate_limits_count_as_protection_and_not_as_an_answer(scene: Scene) -> None:
    """A row that is repeated too often proves nothing, and breaks nothing either."""
    row = replace(BY_ID["A14"], is_limit=False, expected=SERVED)
    with pytest.raises(TurnedAwayError):
        row.check(scene.target)


def test_a_row_that_goes_on_is_counted(scene: Scene) -> None:
    """Runs, and what they got; a slow row runs side by side with itself."""
    tally = BY_ID["F4"].go_on(scene.target, 0.2)
    assert tally.runs == tally.as_expected > 0
    tally = replace(BY_ID["F4"], expected=SERVED).go_on(scene.target, 0.2)
    assert tally.runs == tally.unexpected > 0
    assert tally.surprises == [
        "expected: service as ever, stays; came: FRAME_TOO_LARGE, closes"
    ]
    slow = replace(BY_ID["F4"], seconds_min=0.1).go_on(scene.target, 0.3)
    assert slow.as_expected > 1


def test_a_row_that_a_limit_stops_is_counted_apart(scene: Scene) -> None:
    """Else a server that takes no connections at all would look well defended."""

    def run(_: Target) -> Seen:
        raise TurnedAwayError("no connection")

    tally = Row("X", "nothing", "X", SERVED, run).go_on(scene.target, 0.05)
    assert tally.runs == tally.turned_away > 0
    assert tally.as_expected == tally.unexpected == 0


def test_a_flood_is_an_attack_like_any_other(scene: Scene) -> None:
    """It is told how many connections and how long, and paces itself."""
    told: list[tuple[int, float]] = []

    def flood(target: Target, connections: int, seconds: float) -> Tally:
        assert target is scene.target
        told.append((connections, seconds))
        return Tally(runs=connections, as_expected=connections)

    attack: Attack = Flood("X", "nothing", "limits", SERVED, 20, flood)
    assert attack.go_on(scene.target, 0.5).as_expected == 20
    assert told == [(20, 0.5)]


@pytest.fixture
def pairs(scene: Scene) -> Generator[HonestPairs]:
    """Two pairs of their own, which may be harmed."""
    pairs = HonestPairs(honest_target("127.0.0.1", scene.server.port), 2)
    yield pairs
    pairs.close()


def test_a_pair_that_is_left_alone_sees_no_harm(pairs: HonestPairs) -> None:
    """Every message acknowledged and delivered, and all of them timed."""
    block = pairs.run(0.6)
    pairs.settle()
    assert pairs.harm == Harm()
    assert pairs.sent == pairs.delivered >= 8
    assert len(block.acked) == len(block.delivered) == pairs.sent


def test_a_pair_notices_that_its_connection_ended(
    pairs: HonestPairs, scene: Scene
) -> None:
    """The same device elsewhere is the one way to end an honest connection."""
    target = honest_target("127.0.0.1", scene.server.port)
    with Wire.signed_in(target, pairs.accounts[0]):
        pairs.run(0.5)
        assert pairs.harm.ended == 1
        assert "Goaway 0x100a" in pairs.harm.reasons


def test_a_pair_notices_a_message_that_never_comes(
    pairs: HonestPairs, scene: Scene
) -> None:
    """Taken away by the receiving device itself, on another connection."""
    receiver = pairs.accounts[1]
    with Wire.signed_in(honest_target("127.0.0.1", scene.server.port), receiver):
        pairs.run(0.5)
        pairs.settle()
    assert pairs.harm.lost > 0


def test_a_pair_notices_what_comes_twice_or_late(pairs: HonestPairs) -> None:
    """A copy with another id, and numbers out of order, as a broken server would."""
    pairs.run(0.3)
    pairs.settle()
    now = time.perf_counter()
    for number in (1, 100, 50):
        pairs.pairs[0].offer(number, now)
    while len(pairs.pairs[0].seen) < pairs.pairs[0].sent + 2:
        pairs.step(sends=False)
    assert (pairs.harm.doubled, pairs.harm.reordered) == (1, 1)
    pairs.settle()
    assert pairs.harm.lost == 0
