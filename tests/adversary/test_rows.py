"""Every row of the bad-input catalogue, against a real server beside an honest pair."""

import pytest
from tests.adversary.conftest import Scene

from wigwag.bench.adversary import (
    ATTACKS,
    DESIGN_ROWS,
    NOT_APPLICABLE,
    ROWS,
    Harm,
    Row,
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_answer_is_the_specified_one_and_harms_nobody_else(
    row: Row, scene: Scene
) -> None:
    """The exact code, closing or not, and a pair beside it that loses nothing (I19)."""
    row.check(scene.target)
    assert scene.honest.goes_on() == Harm()
    assert not scene.failures()


def test_every_line_of_the_catalogue_is_done_or_explained() -> None:
    """A line that is forgotten looks like one that holds."""
    done = {row.row for row in ROWS}
    assert done | set(NOT_APPLICABLE) == set(DESIGN_ROWS)
    assert not done & set(NOT_APPLICABLE)


def test_every_attack_has_an_id_of_its_own() -> None:
    """An id is what the command and the figures name it by."""
    ids = [attack.id for attack in ATTACKS]
    assert len(set(ids)) == len(ids)
