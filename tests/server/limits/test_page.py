"""The operator's page of limits against the table in code."""

import re
from pathlib import Path

from wigwag.server import Limits

PAGE = Path(__file__).parents[3] / "docs" / "limits.md"
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<default>[^|]+) \|", re.MULTILINE)


def test_the_page_names_every_limit_with_its_default() -> None:
    """A setting that can't be found is no setting; a wrong default is worse."""
    told = {
        row["name"]: row["default"].strip().replace(",", "")
        for row in ROW.finditer(PAGE.read_text("utf-8"))
    }
    assert list(told) == list(Limits.__struct_fields__)
    for name, default in told.items():
        value = getattr(Limits(), name)
        if isinstance(value, bool):
            assert default == ("on" if value else "off"), name
        else:
            assert float(default) == value, name
