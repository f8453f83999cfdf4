"""Where a run's report goes: a table, a JSON file, a comparison; and its progress."""

import json
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click
from rich.console import Console

from wigwag.bench._compare import compare, read_run
from wigwag.bench._errors import BenchError
from wigwag.bench._figures import BenchReport
from wigwag.bench._table import print_differences, print_report
from wigwag.spec import ExitCode

_Command = TypeVar("_Command", bound=Callable[..., Any])
STANDARD_OUTPUT = "-"
# A table is cut to the terminal; in a file or a pipe it needs a width of its own.
PIPE_COLUMNS = 120
REGRESSION_EXIT_CODE = 1
# As a shell tells that a signal ended a command.
SIGNAL_EXIT_CODE_BASE = 128


@dataclass(frozen=True, slots=True)
class Output:
    """What was asked for.

    Attributes:
        json_to: File for the JSON; "-": standard output, and no table; "": nowhere.
        compare_with: An earlier run's JSON; None: nothing is compared.
        fails_on_regression: Whether a figure that got worse is the exit code.
    """

    json_to: str
    compare_with: Path | None
    fails_on_regression: bool

    def say(self, text: str) -> None:
        """Shows where we are, on a terminal only."""
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)

    def run(self, report: BenchReport, work: Callable[[], None]) -> None:
        """Runs the measurement and puts out what it made; may end the process.

        Args:
            report: Filled by `work`.
            work: The measurement.
        """
        # Else a SIGTERM would leave the server and the load processes behind.
        signal.signal(signal.SIGTERM, _end)
        try:
            before = None if self.compare_with is None else read_run(self.compare_with)
            work()
        except (BenchError, OSError) as error:
            self.say("")
            click.echo(f"the measurement failed: {error}", err=True)
            sys.exit(ExitCode.INTERNAL)
        self.say("")
        as_json = json.dumps(report.to_json(), indent=1)
        if self.json_to == STANDARD_OUTPUT:
            click.echo(as_json)
        elif self.json_to:
            Path(self.json_to).write_text(as_json + "\n", "utf-8")
        to_standard_error = self.json_to == STANDARD_OUTPUT
        console = Console(
            stderr=to_standard_error,
            width=None if sys.stdout.isatty() else PIPE_COLUMNS,
        )
        if not to_standard_error:
            print_report(report, console)
        if before is None:
            return
        if before.machine != report.machine:
            console.print(f"the earlier run was of another machine: {before.machine}")
        differences = compare(before, report)
        print_differences(differences, console)
        if self.fails_on_regression and any(one.is_worse for one in differences):
            sys.exit(REGRESSION_EXIT_CODE)


def _end(number: int, frame: FrameType | None) -> None:
    """Ends the command as an exception does: what was started is ended on the way."""
    raise SystemExit(SIGNAL_EXIT_CODE_BASE + number)


def output_options(command: _Command) -> _Command:
    """Adds --json, --compare and --fail-on-regression to a command."""
    for option in (
        click.option(
            "--fail-on-regression",
            "fails_on_regression",
            is_flag=True,
            help="Exit with 1 when --compare finds a figure more than 15 % worse.",
        ),
        click.option(
            "--compare",
            "compare_with",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="JSON of an earlier run: print the ratios, mark > 15 % worse.",
        ),
        click.option(
            "--json",
            "json_to",
            metavar="FILE|-",
            default="",
            help="Write the figures as JSON; -: to standard output, without a table.",
        ),
    ):
        command = option(command)
    return command
