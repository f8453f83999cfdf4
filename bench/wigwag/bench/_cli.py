"""`wigwag bench`: the commands."""

import json
import sys

import click

from wigwag.spec import ExitCode

_EPILOG = """\b
Examples:
  wigwag bench server --quick
  wigwag bench server --quick --json > before.json
"""


@click.group()
def bench() -> None:
    """Measure speed: real processes, real TLS, durable answers."""


@bench.command(epilog=_EPILOG)
@click.option(
    "--quick",
    is_flag=True,
    help="One load process, 50 pairs, window 16, one run (about 15 s).",
)
@click.option("--pairs", default=50, show_default=True, type=click.IntRange(1, 2000))
@click.option("--window", default=16, show_default=True, type=click.IntRange(1, 1024))
@click.option(
    "--seconds",
    default=8.0,
    show_default=True,
    type=click.FloatRange(1, 600),
    help="Length of the measurement, after 2 s of warm-up.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON only.")
def server(quick: bool, pairs: int, window: int, seconds: float, as_json: bool) -> None:
    """Load a server of its own and print what it did for each message.

    The server is started in a temporary folder, with limits profile `bench`
    (no token buckets, no bounds by address), logs and metrics on. Compare
    figures of one machine and one sitting only: runs drift by a fifth.
    """
    if not quick:
        raise click.UsageError("Say --quick: it is the one work item there is yet.")
    from wigwag.bench._device import BenchError, Device, SignIn
    from wigwag.bench._machine import (
        machine_line,
        process_cpu_seconds,
        process_resident_kib,
    )
    from wigwag.bench._pairs import PairsPlan, run_pairs
    from wigwag.bench._report import PairsReport
    from wigwag.bench._server_process import server_process

    plan = PairsPlan(pairs, window, measure_seconds=seconds)
    try:
        with server_process() as process:
            sign_in = SignIn(process.host, process.port)
            devices: list[Device] = []
            for number in range(2 * pairs):
                devices.append(sign_in.register())
                _progress(f"registering {number + 1} of {2 * pairs}", as_json)
            _progress("measuring", as_json)
            result = run_pairs(plan, devices, lambda: process_cpu_seconds(process.pid))
            report = PairsReport(
                plan,
                result,
                process_resident_kib(process.pid),
                machine_line(),
                f"wigwag bench server --quick --pairs {pairs} --window {window} "
                f"--seconds {seconds:g}",
            )
    except (BenchError, OSError) as error:
        click.echo(f"\nThe measurement failed: {error}.", err=True)
        sys.exit(ExitCode.INTERNAL)
    _progress("", as_json)
    click.echo(json.dumps(report.to_json()) if as_json else report.to_text())


def _progress(text: str, as_json: bool) -> None:
    """Shows where we are, on a terminal only."""
    if not as_json and sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)
