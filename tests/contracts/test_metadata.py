"""The metadata budget: every stored column has a purpose and a retention."""

import tomllib
from pathlib import Path

from tests.contracts.harness import Lab, ask_all, settle
from tests.contracts.test_engine_order import sends
from tests.server.core.world import ALICE_1, BOB_1

import wigwag.server
from wigwag.server.engines._row_codec import SHAPES

BUDGET = Path(wigwag.server.__file__).parent / "metadata.toml"


async def columns(lab: Lab) -> dict[str, list[str]]:
    """Return tables and columns of a used database, days under one name."""
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask_all(engine, *sends(1))
        names = [
            name
            for (name,) in lab.query(
                "SELECT name FROM sqlite_schema WHERE type = 'table'"
            )
        ]
        return {
            name.rstrip("0123456789") + ("DAY" if name[-1].isdigit() else ""): [
                row[1] for row in lab.query(f"PRAGMA table_info({name})")
            ]
            for name in names
        }


async def test_every_column_is_in_the_budget_and_nothing_else(tmp_path: Path) -> None:
    """Adding a column means saying what it is for, in the same commit."""
    stored = await columns(Lab(tmp_path))
    budget = tomllib.loads(BUDGET.read_text("utf-8"))
    listed = {
        table: {name for name in fields if name not in ("purpose", "kept")}
        for table, fields in budget.items()
    }
    assert {table: set(names) for table, names in stored.items()} == listed


def test_every_entry_says_something() -> None:
    """An empty reason is none."""
    budget = tomllib.loads(BUDGET.read_text("utf-8"))
    for table, fields in budget.items():
        assert len(fields["purpose"]) > 10, table
        assert fields["kept"], table
        assert all(len(text) > 3 for text in fields.values()), table


async def test_rows_are_written_in_the_order_of_their_columns(tmp_path: Path) -> None:
    """INSERT names no columns: the statements and the schema must agree."""
    stored = await columns(Lab(tmp_path))
    for shape in SHAPES:
        select, where = shape.select.removeprefix("SELECT ").split(" WHERE ")
        values = select.split(" FROM ")[0].split(", ")
        keys = [one.removesuffix(" = ?") for one in where.split(" AND ")]
        assert [*keys, *values] == stored[shape.table.name]
