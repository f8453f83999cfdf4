"""`wigwag admin`: status, invites and drain of the server that runs on a folder."""

import os
import re
from pathlib import Path

import click

from wigwag.server._admin import Reply
from wigwag.server._admin_client import ask_admin
from wigwag.server._admin_options import common_options, fail, print_json
from wigwag.server._backup_cli import backup, restore
from wigwag.server._config_cli import config
from wigwag.server._config_load import load_config
from wigwag.server._errors import ServerError

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

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


@click.group(epilog=EPILOG)
def admin() -> None:
    """Look after a running server, from its own machine."""


for command in (backup, restore, config):
    admin.add_command(command)


@admin.command()
@common_options
def status(config_path: Path | None, data: str | None, *, as_json: bool) -> None:
    """Show what the server holds and does."""
    reply = _ask(config_path, data, {"command": "status"})
    if as_json:
        print_json(reply)
        return
    for key, value in reply.items():
        click.echo(f"{key.replace('_', ' '):16} {value}")


@admin.command()
@click.option("--uses", default=1, show_default=True, help="Registrations it allows.")
@click.option(
    "--expires", type=_Duration(), default="24h", show_default=True, help="30m, 24h, 7d"
)
@common_options
def invite(
    config_path: Path | None,
    data: str | None,
    *,
    uses: int,
    expires: int,
    as_json: bool,
) -> None:
    """Make an invite and print its join string.

    It lets anybody register who has it, also where `registration = "token"`.
    """
    reply = _ask(
        config_path,
        data,
        {"command": "invite", "uses": uses, "expires_seconds": expires},
    )
    if as_json:
        print_json(reply)
    else:
        click.echo(reply["join"])
        if reply["token_issuer"]:
            click.echo(
                f"Who has a token of {reply['token_issuer']} needs no invite and joins "
                f"with {reply['address']}",
                err=True,
            )


@admin.command()
@common_options
def drain(config_path: Path | None, data: str | None, *, as_json: bool) -> None:
    """Let connections finish, then stop the server."""
    reply = _ask(config_path, data, {"command": "drain"})
    if as_json:
        print_json(reply)
    else:
        click.echo(f"draining {reply['connections']} connections")


@admin.command(name="accept-clock")
@common_options
def accept_clock(config_path: Path | None, data: str | None, *, as_json: bool) -> None:
    """Follow this machine's clock after it was set by more than a minute."""
    reply = _ask(config_path, data, {"command": "accept-clock"})
    if as_json:
        print_json(reply)
    else:
        click.echo(f"the clock moved by {reply['step_ms']} ms")


@admin.command(name="reload-certificate")
@common_options
def reload_certificate(
    config_path: Path | None, data: str | None, *, as_json: bool
) -> None:
    """Take a changed certificate over now, for new connections.

    The server looks at its files every few seconds by itself; this says at once what
    is wrong with them.
    """
    reply = _ask(config_path, data, {"command": "reload-certificate"})
    if as_json:
        print_json(reply)
    else:
        what = "is taken over" if reply["is_other"] else "is in use already"
        click.echo(f"{reply['certificate']} {what}; ends {reply['certificate_ends']}")


def _ask(config_path: Path | None, data: str | None, request: Reply) -> Reply:
    try:
        options = {"data": data} if data else {}
        loaded = load_config(config_path, os.environ, options)
        return ask_admin(loaded.data_folder(dict(os.environ)), request)
    except ServerError as error:
        fail(str(request["command"]), error)
