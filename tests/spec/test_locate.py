"""Every key of every source file has its line, and `tomllib` reads the same values."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.spec.codecs import TRIAL_ROOT

from wigwag.spec import product_root
from wigwag.spec._locate import read_tables
from wigwag.spec._mistakes import Mistakes

ROOTS = (Path(str(product_root())), TRIAL_ROOT)
FILES = sorted(path for root in ROOTS for path in root.rglob("*.toml"))


def tail(path: Path) -> str:
    """Return a file's last two parts, as a test's name."""
    return "/".join(path.parts[-2:])


@pytest.mark.parametrize("path", FILES, ids=tail)
def test_every_key_has_its_line(path: Path) -> None:
    """A mistake is only as findable as the line it names."""
    text = path.read_text(encoding="utf-8")
    mistakes = Mistakes()
    tables = read_tables(path.name, text, mistakes)
    mistakes.raise_any()
    lines = text.split("\n")
    for table in tables:
        assert table.name in lines[table.line - 1]
        assert table.at() == (path.name, table.line)
        for key, value in table.values.items():
            line = lines[table.lines[key] - 1]
            assert tomllib.loads(line.strip()) == {key: value}
            assert table.at(key) == (path.name, table.lines[key])


@pytest.mark.parametrize("path", FILES, ids=tail)
def test_values_are_those_of_a_real_toml_reader(path: Path) -> None:
    """The subset must stay TOML, or other tools read something else."""
    text = path.read_text(encoding="utf-8")
    expected = tomllib.loads(text)
    found: dict[str, object] = {}
    rows: dict[str, list[object]] = {}
    for table in read_tables(path.name, text, Mistakes()):
        if table.repeated:
            same = rows.setdefault(table.name, [])
            assert table.index == len(same)
            same.append(table.values)
        else:
            found[table.name] = table.values
    assert found | rows == expected
