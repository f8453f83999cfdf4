"""What `--compare` finds worse, and what it takes for an earlier run."""

import json
from pathlib import Path

import pytest
from tests.bench._runs import bench

from wigwag.bench import SCHEMA, BenchError, BenchReport, Figure, WorkReport
from wigwag.bench._compare import WORSE_RATIO, compare, read_run
from wigwag.bench._figures import Better


def report(name: str, value: float, better: Better) -> BenchReport:
    """Returns a run with one figure."""
    figure = Figure(name, name, (value,), better)
    return BenchReport("cmd", "machine", [WorkReport("pairs", "t", {}, (figure,))])


def kept(run: BenchReport, path: Path) -> Path:
    """Writes a run as `--json` does."""
    path.write_text(json.dumps(run.to_json()), "utf-8")
    return path


@pytest.mark.parametrize(
    ("better", "before", "now", "is_worse"),
    [
        ("higher", 1000.0, 1000.0, False),
        ("higher", 1000.0, 1000 / (WORSE_RATIO - 0.01), False),
        ("higher", 1000.0, 1000 / (WORSE_RATIO + 0.01), True),
        ("higher", 1000.0, 2000.0, False),
        ("lower", 100.0, 100 * (WORSE_RATIO - 0.01), False),
        ("lower", 100.0, 100 * (WORSE_RATIO + 0.01), True),
        ("lower", 100.0, 50.0, False),
    ],
)
def test_worse_by_more_than_the_drift_is_marked(
    tmp_path: Path, better: Better, before: float, now: float, is_worse: bool
) -> None:
    """Which way is worse depends on the figure, and a run's drift is no defect."""
    earlier = read_run(kept(report("x", before, better), tmp_path / "run"))
    (difference,) = compare(earlier, report("x", now, better))
    assert difference.is_worse is is_worse
    assert difference.ratio == pytest.approx(now / before, rel=1e-3)


def test_what_only_one_run_has_or_describes_it_is_not_compared(tmp_path: Path) -> None:
    """A ratio of two different things would be read as one."""
    earlier = read_run(kept(report("x", 1.0, "lower"), tmp_path / "run"))
    assert compare(earlier, report("y", 9.0, "lower")) == []
    described = read_run(kept(report("x", 1.0, ""), tmp_path / "run"))
    assert compare(described, report("x", 9.0, "")) == []


def test_another_schema_or_another_file_is_refused(tmp_path: Path) -> None:
    """A figure that is read wrongly is worse than none."""
    run = report("x", 1.0, "lower").to_json()
    other = tmp_path / "other"
    other.write_text(json.dumps({**run, "schema": SCHEMA + 1}), "utf-8")
    with pytest.raises(BenchError, match="schema"):
        read_run(other)
    other.write_text("[]", "utf-8")
    with pytest.raises(BenchError, match="no run"):
        read_run(other)
    with pytest.raises(BenchError, match="No such file"):
        read_run(tmp_path / "absent")


@pytest.mark.parametrize(("flag", "code"), [((), 0), (("--fail-on-regression",), 1)])
def test_regression_is_an_exit_code_when_asked_for(
    tmp_path: Path, flag: tuple[str, ...], code: int
) -> None:
    """A script must be able to stop on it; a person only wants to see it."""
    done = bench("server", "single", "--quick", "--seconds", "0.5", "--json", "-")
    run = json.loads(done.stdout)
    # No server delivers in a nanosecond: what is measured now is worse.
    run["works"]["single"]["figures"]["delivered_p50_ms"]["median"] = 1e-6
    path = tmp_path / "before.json"
    path.write_text(json.dumps(run), "utf-8")
    arguments = ("single", "--quick", "--seconds", "0.5", "--compare", str(path))
    again = bench("server", *arguments, *flag)
    assert again.returncode == code, again.stderr
    assert "worse" in again.stdout
