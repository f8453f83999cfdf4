"""`wigwag admin`: status, invites and drain of the server that runs on a folder."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from wigwag.server._admin import Reply
from wigwag.server._admin_client import ask_admin
from wigwag.server._config_load import load_config
from wigwag.server._errors import ServerError

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
Decorated = TypeVar("Decorated", bound=Callable[..., object])

EPILOG = """
\b
Examples:
  wigwag admin status --json
  wigwag admin invite --uses 5 --expires 48h
"""


class _Duration(click.ParamType[int]):
    """A number with s, m, h or d."""

    name = "duration"

    def convert(
        self,
        value: str | int,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d{1,9})([smhd])", value)
        if match is None:
            self.fail(f"{value!r} is no duration: write 30m, 24h or 7d", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


def _common(function: Decorated) -> Decorated:
    """Add what every subcommand takes."""
    function = click.option(
        "--json", "as_json", is_flag=True, help="Only JSON on standard output."
    )(function)
    function = click.option("--data", help="The server's data folder.")(function)
    return click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        help="The server's configuration file.",
    )(function)


@click.group(epilog=EPILOG)
def admin() -> None:
    """Look after a running server, from its own machine."""


@admin.command()
@_common
def status(config_path: Path | None, data: str | None, *, as_json: bool) -> None:
    """Show what the server holds and does."""
    reply = _ask(config_path, data, {"command": "status"})
    if as_json:
        _print_json(reply)
        return
    for key, value in reply.items():
        click.echo(f"{key.replace('_', ' '):16} {value}")


@admin.command()
@click.option("--uses", default=1, show_default=True, help="Registrations it allows.")
@click.option(
    "--expires", type=_Duration(), default="24h", show_default=True, help="30m, 24h, 7d"
)
@_common
def invite(
    config_path: Path | None,
    data: str | None,
    *,
    uses: int,
    expires: int,
    as_json: bool,
) -> None:
    """Make an invite and print its join string."""
    reply = _ask(
        config_path,
        data,
        {"command": "invite", "uses": uses, "expires_seconds": expires},
    )
    if as_json:
        _print_json(reply)
    else:
        click.echo(reply["join"])


@admin.command()
@_common
def drain(config_path: Path | None, data: str | None, *, as_json: bool) -> None:
    """Let connections finish, then stop the server."""
    reply = _ask(config_path, data, {"command": "drain"})
    if as_json:
        _print_json(reply)
    else:
        click.echo(f"draining {reply['connections']} connections")


@admin.command(name="accept-clock")
@_common
def accept_clock(config_path: Path | None, data: str | None, *, as_json: bool) -> None:
    """Follow this machine's clock after it was set by more than a minute."""
    reply = _ask(config_path, data, {"command": "accept-clock"})
    if as_json:
        _print_json(reply)
    else:
        click.echo(f"the clock moved by {reply['step_ms']} ms")


def _ask(config_path: Path | None, data: str | None, request: Reply) -> Reply:
    try:
        options = {"data": data} if data else {}
        config = load_config(config_path, os.environ, options)
        return ask_admin(config.data_folder(dict(os.environ)), request)
    except ServerError as error:
        click.echo(f"wigwag admin: {error.sentence}", err=True)
        raise SystemExit(error.exit_code) from error


def _print_json(reply: Reply) -> None:
    click.echo(msgspec.json.encode(reply).decode())
