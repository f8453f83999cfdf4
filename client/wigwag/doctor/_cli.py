"""`wigwag doctor` and `wigwag bugreport`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from wigwag.doctor._options import ServerOptions

Decorated = TypeVar("Decorated", bound=Callable[..., object])

LOG_LINES: Final = 1_000
"""Of each log; the end is where it went wrong."""

DOCTOR_EPILOG: Final = """
\b
Exit status: 0 when nothing must be done (there may be warnings), 3 when there is a
problem, 2 for a mistake on the command line.

\b
Examples:
  wigwag doctor
  wigwag doctor --server --canary --json
"""
REPORT_EPILOG: Final = """
\b
Exit status: 0 when the report is written, 6 when it isn't since something secret was
found in it, 9 when the disk refuses.

\b
Examples:
  wigwag bugreport
  wigwag bugreport report.tar.gz --log server.log --json
"""


def server_options(function: Decorated) -> Decorated:
    """Add the options of `wigwag serve` that say which server it is."""
    for option in (
        click.option("--limits-profile", type=click.Choice(["default", "bench"])),
        click.option("--health", help="HOST:PORT for metrics and health, auto or off."),
        click.option("--public-name", help="Name under which clients reach it."),
        click.option("--listen", help="HOST:PORT that it takes clients on."),
        click.option("--data", help="The server's data folder."),
        click.option(
            "--config",
            "config_path",
            type=click.Path(path_type=Path),
            help="The server's configuration; options as for `wigwag serve`.",
        ),
    ):
        function = option(function)
    return function


def side_options(function: Decorated) -> Decorated:
    """Add what says where to look."""
    for option in (
        click.option(
            "--json", "as_json", is_flag=True, help="Write one JSON object only."
        ),
        click.option(
            "--passphrase-file",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="File whose first line is the profile's passphrase."
            " Else WIGWAG_PASSPHRASE.",
        ),
        click.option(
            "-p",
            "--profile",
            metavar="NAME",
            help="This profile only; else all of this user.",
        ),
        click.option("--client", "is_client", is_flag=True, help="Only profiles."),
        click.option("--server", "is_server", is_flag=True, help="Only the server."),
    ):
        function = option(function)
    return function


@click.command(epilog=DOCTOR_EPILOG)
@server_options
@side_options
@click.option(
    "--canary", "has_canary", is_flag=True, help="Send a message and time it."
)
@click.option(
    "--join",
    metavar="JOIN",
    help="For --canary from another machine: a join string for two registrations.",
)
@click.option(
    "--deep", "is_deep", is_flag=True, help="Look through a large database, too."
)
def doctor(
    *,
    as_json: bool,
    is_server: bool,
    is_client: bool,
    profile: str | None,
    passphrase_file: Path | None,
    has_canary: bool,
    join: str | None,
    is_deep: bool,
    **options: Any,  # noqa: ANN401 - click's own, named as the fields
) -> None:
    """Look for what is wrong here, and say for each problem what mends it.

    Looks at the server whose folder or configuration is here, with the options of
    `wigwag serve`, and at the profiles of this user. It changes nothing, and may run
    beside a server that serves.

    --canary makes two throw-away accounts, sends a message from one to the other,
    times it (stored, durable at the server, delivered, acknowledged, deleted from the
    server) and deletes both. Their names stay taken for 32 days.
    """
    from wigwag.doctor._check import as_value, exit_code, summary
    from wigwag.doctor._look import Look, look
    from wigwag.doctor._render import say

    wanted = Look(
        options=ServerOptions(**options),
        is_server=is_server,
        is_client=is_client,
        profile=profile,
        passphrase_file=passphrase_file,
        has_canary=has_canary,
        join=join,
        is_deep=is_deep,
        is_quiet=as_json,
    )
    checks = look(wanted).checks
    code = exit_code(checks)
    if as_json:
        value = {
            "checks": [as_value(check) for check in checks],
            "summary": summary(checks),
            "exit_code": int(code),
        }
        click.echo(json.dumps(value, ensure_ascii=False))
    else:
        say(checks)
    raise SystemExit(code)


@click.command(epilog=REPORT_EPILOG)
@click.argument(
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default="wigwag-report.tar.gz",
)
@server_options
@side_options
@click.option(
    "--log",
    "logs",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    multiple=True,
    help="A log of the server or a client to take the end of; again for another.",
)
@click.option(
    "--log-lines",
    type=click.IntRange(min=1, max=100_000),
    default=LOG_LINES,
    show_default=True,
    help="How many lines of each.",
)
def bugreport(
    path: Path,
    *,
    as_json: bool,
    is_server: bool,
    is_client: bool,
    profile: str | None,
    passphrase_file: Path | None,
    logs: tuple[Path, ...],
    log_lines: int,
    **options: Any,  # noqa: ANN401 - click's own, named as the fields
) -> None:
    """Pack what a repair needs to know into a local file, PATH.

    Versions, platform, configuration, what `wigwag doctor` says, the running server's
    status and metrics, schema and counts, and the end of logs. Names, ids, addresses
    and folders are replaced (user-1, id-1, host-1, path-1: the same one for the same
    thing). Then it is searched for keys, passphrases, join strings, texts and names;
    if one is found, no file is written.

    Nothing is sent anywhere: look at the file before you give it to anybody.
    """
    from wigwag.doctor._bugreport import Wanted, write_report
    from wigwag.doctor._look import Look
    from wigwag.doctor._render import say_findings, say_report

    look = Look(
        options=ServerOptions(**options),
        is_server=is_server,
        is_client=is_client,
        profile=profile,
        passphrase_file=passphrase_file,
        has_canary=False,
        join=None,
        is_deep=False,
        is_quiet=as_json,
    )
    result = write_report(Wanted(path, look, logs, log_lines))
    if result.findings:
        raise SystemExit(say_findings(path, result.findings, as_json=as_json))
    raise SystemExit(say_report(result, as_json=as_json))
