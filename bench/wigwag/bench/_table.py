"""What a run says to a person: a table for each work item, targets beside figures."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wigwag.bench._compare import Difference
from wigwag.bench._figures import BenchReport, Figure, WorkReport

_STYLES = {"stretch": "bold green", "must": "green", "missed": "bold red", "": ""}


def print_report(report: BenchReport, console: Console) -> None:
    """Prints all work items of a run."""
    console.print(report.machine, highlight=False)
    for work in report.works:
        console.print(_table(work))
    if any(figure.must is not None for work in report.works for figure in work.figures):
        console.print(
            "must and stretch: for 2 cores shared with the generator. Runs drift by "
            "±20 %: compare within one sitting.",
            highlight=False,
        )


def print_differences(differences: list[Difference], console: Console) -> None:
    """Prints how a run compares with an earlier one."""
    table = Table(title="against the earlier run", title_justify="left")
    for head in ("work", "figure"):
        table.add_column(head)
    for head in ("before", "now", "ratio", ""):
        table.add_column(head, justify="right")
    for one in differences:
        mark = "worse" if one.is_worse else ""
        table.add_row(
            one.work,
            one.label,
            shown(one.before),
            shown(one.now),
            f"{one.ratio:.2f}",
            Text(mark, style="bold red"),
        )
    console.print(table)


def shown(value: float) -> str:
    """Writes a figure with three digits or all before the point."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _table(work: WorkReport) -> Table:
    table = Table(title=f"{work.work}: {work.title}", title_justify="left")
    table.add_column("")
    for head in ("median", "min to max", "must", "stretch"):
        table.add_column(head, justify="right", no_wrap=True)
    for figure in work.figures:
        style = _STYLES[figure.verdict]
        table.add_row(
            figure.label,
            Text(shown(figure.median), style=style),
            _spread(figure),
            _goal(figure, figure.must),
            _goal(figure, figure.stretch),
        )
    return table


def _spread(figure: Figure) -> str:
    if len(figure.samples) < 2:
        return ""
    return f"{shown(min(figure.samples))} to {shown(max(figure.samples))}"


def _goal(figure: Figure, goal: float | None) -> str:
    if goal is None:
        return ""
    return f"{'≥' if figure.better == 'higher' else '≤'} {shown(goal)}"
