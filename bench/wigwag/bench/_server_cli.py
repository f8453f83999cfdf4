"""`wigwag bench server`: loads a server of its own."""

import shlex
import sys
from pathlib import Path

import click
import msgspec

from wigwag.bench._figures import BenchReport
from wigwag.bench._machine import machine_line
from wigwag.bench._output import Output, output_options
from wigwag.bench._server_works import QUICK, WORKS, Plan

_EPILOG = """\b
Examples:
  wigwag bench server
  wigwag bench server pairs wide --seconds 5 --json before.json
  wigwag bench server pairs wide --seconds 5 --compare before.json
"""
_HELP = """Load a server of its own and print what it did; without WORK: everything.

\b
pairs    50 pairs with 16 messages in flight each: throughput
wide     800 pairs with one: phones, nothing to coalesce
single   one pair with one: latency
offline  5,000 messages queued to devices that are away, then drained
logins   full and resumed TLS handshakes with sign-in
idle     5,000 connections that say nothing: memory and CPU
storm    5,000 clients back after kill -9 and after a drain

The server is a process in a temporary folder, with limits profile `bench` (no
token buckets, no bounds by address; storm: `default`), logs and metrics on.
Compare figures of one machine and one sitting only: runs drift by a fifth.
"""


@click.command(help=_HELP, epilog=_EPILOG)
@click.argument("works", nargs=-1, metavar="[WORK]...", type=click.Choice(list(WORKS)))
@click.option("--quick", is_flag=True, help="Once each, short, and smaller crowds.")
@click.option(
    "--repeat",
    type=click.IntRange(1, 100),
    help="Measurements of which the median counts.  [default: 5; quick: 1]",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.5, 3600),
    help="Length of each measurement, after 2 s of warm-up.  [default: 8; quick: 3]",
)
@click.option("--pairs", type=click.IntRange(1, 4000), help="Pairs of pairs and wide.")
@click.option("--messages", type=click.IntRange(1, 1_000_000), help="Of offline.")
@click.option("--logins", type=click.IntRange(1, 1_000_000), help="Of each kind.")
@click.option(
    "--connections", type=click.IntRange(2, 50_000), help="Of idle and storm."
)
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Load processes that share the pairs: more where cores are free.",
)
@output_options
def server(
    works: tuple[str, ...],
    quick: bool,
    json_to: str,
    compare_with: Path | None,
    fails_on_regression: bool,
    **sizes: float | None,
) -> None:
    """Measure a server of its own; `_HELP` is what its user reads."""
    told = {name: size for name, size in sizes.items() if size is not None}
    plan = msgspec.structs.replace(QUICK if quick else Plan(), **told)
    put = Output(json_to, compare_with, fails_on_regression)
    report = BenchReport(shlex.join(["wigwag", *sys.argv[1:]]), machine_line())

    def run() -> None:
        for work in works or tuple(WORKS):

            def say(text: str, work: str = work) -> None:
                put.say(f"{work}: {text}")

            report.works.append(WORKS[work](plan, say))

    put.run(report, run)
