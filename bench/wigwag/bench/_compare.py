"""How a run compares with an earlier one."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from wigwag.bench._errors import BenchError
from wigwag.bench._figures import SCHEMA, BenchReport

WORSE_RATIO = 1.15
"""More than this much worse is a defect (runs drift, but medians of five by less)."""

FILE_BYTES_MAX = 16 * 1024 * 1024


class _Figure(msgspec.Struct, frozen=True):
    label: str
    median: float
    better: Literal["higher", "lower", ""]


class _Work(msgspec.Struct, frozen=True):
    figures: dict[str, _Figure]


class EarlierRun(msgspec.Struct, frozen=True):
    """A run as `--json` wrote it: what comparing needs of it."""

    schema: Annotated[int, msgspec.Meta(ge=1)]
    machine: str
    command: str
    works: dict[str, _Work]


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure, then and now.

    Attributes:
        ratio: now / before.
        is_worse: By more than 15 %, in the direction that is worse for this figure.
    """

    work: str
    name: str
    label: str
    before: float
    now: float
    ratio: float
    is_worse: bool


def read_run(path: Path) -> EarlierRun:
    """Reads what `--json` wrote.

    Raises:
        BenchError: It can't be read, is something else, or of another schema.
    """
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX)
        found = msgspec.convert(json.loads(content), EarlierRun)
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror or error}") from error
    except (ValueError, msgspec.ValidationError) as error:
        raise BenchError(f"{path}: no run of `wigwag bench`: {error}") from error
    if found.schema != SCHEMA:
        raise BenchError(
            f"{path}: schema {found.schema}; this version reads schema {SCHEMA}"
        )
    return found


def compare(before: EarlierRun, now: BenchReport) -> list[Difference]:
    """Returns every figure that both runs have and that has a better direction."""
    differences: list[Difference] = []
    for work in now.works:
        earlier = before.works.get(work.work)
        if earlier is None:
            continue
        for figure in work.figures:
            then = earlier.figures.get(figure.name)
            if then is None or not figure.better or then.median <= 0:
                continue
            ratio = figure.median / then.median
            is_worse = (
                ratio > WORSE_RATIO
                if figure.better == "lower"
                else ratio < 1 / WORSE_RATIO
            )
            differences.append(
                Difference(
                    work.work,
                    figure.name,
                    figure.label,
                    then.median,
                    figure.median,
                    ratio,
                    is_worse,
                )
            )
    return differences
