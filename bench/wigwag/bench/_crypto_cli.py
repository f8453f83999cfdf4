"""`wigwag bench crypto`: the client's cryptography, its store, its start."""

import shlex
import sys
from pathlib import Path

import click

from wigwag.bench._crypto import run_operations
from wigwag.bench._figures import BenchReport
from wigwag.bench._machine import machine_line
from wigwag.bench._opening import QUEUED, run_opening
from wigwag.bench._output import Output, output_options
from wigwag.bench._start import STORED, run_start

WORKS = ("crypto", "opening", "start")
QUICK_MESSAGES = 1_000
_EPILOG = """\b
Examples:
  wigwag bench crypto
  wigwag bench crypto crypto --json crypto.json
  wigwag bench crypto opening --queued 2000
"""
_HELP = """Time what a client does; without WORK: everything.

\b
crypto   agreement, encryption, decryption, in memory
opening  the SDK comes to an inbox of 10,000 messages, opens and stores them
start    the SDK starts with 100,000 stored messages (writing them takes minutes)
"""


@click.command(help=_HELP, epilog=_EPILOG)
@click.argument("works", nargs=-1, metavar="[WORK]...", type=click.Choice(WORKS))
@click.option("--quick", is_flag=True, help="Once each, 1,000 messages.")
@click.option("--repeat", type=click.IntRange(1, 100), help="Samples.  [default: 5]")
@click.option(
    "--queued",
    type=click.IntRange(1, 1_000_000),
    help="Messages in the inbox that is opened.  [default: 10000]",
)
@click.option(
    "--stored",
    type=click.IntRange(1, 10_000_000),
    help="Messages in the profile that is started.  [default: 100000]",
)
@output_options
def crypto(
    works: tuple[str, ...],
    quick: bool,
    repeat: int | None,
    queued: int | None,
    stored: int | None,
    json_to: str,
    compare_with: Path | None,
    fails_on_regression: bool,
) -> None:
    """Measure what a client does; `_HELP` is what its user reads."""
    put = Output(json_to, compare_with, fails_on_regression)
    report = BenchReport(shlex.join(["wigwag", *sys.argv[1:]]), machine_line())
    samples = repeat or (1 if quick else 5)
    inbox = queued or (QUICK_MESSAGES if quick else QUEUED)
    history = stored or (QUICK_MESSAGES if quick else STORED)

    def run() -> None:
        for work in works or WORKS:
            if work == "crypto":
                made = run_operations(repeat=samples, say=put.say)
            elif work == "opening":
                made = run_opening(repeat=samples, queued=inbox, say=put.say)
            else:
                made = run_start(repeat=samples, stored=history, say=put.say)
            report.works.append(made)

    put.run(report, run)
