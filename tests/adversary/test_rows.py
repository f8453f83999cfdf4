"""Every row of the bad-input catalogue, against a real server beside an honest pair."""

import pytest
from tests.adversary.conftest import Scene

from wigwag.bench.adversary import ROWS, Harm, Row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_answer_is_the_specified_one_and_harms_nobody_else(
    row: Row, scene: Scene
) -> None:
    """The exact code, closing or not, and a pair beside it that loses nothing (I19)."""
    row.check(scene.target)
    assert scene.honest.goes_on() == Harm()
    assert not scene.failures()
