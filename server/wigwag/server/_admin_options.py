"""What every subcommand of `wigwag admin` takes and says."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import click
import msgspec

from wigwag.server._admin import Reply
from wigwag.server._errors import ServerError

Decorated = TypeVar("Decorated", bound=Callable[..., object])


def common_options(function: Decorated) -> Decorated:
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


def fail(name: str, error: ServerError) -> NoReturn:
    """Say in one sentence what went wrong and end with its status."""
    click.echo(f"wigwag admin {name}: {error.sentence}", err=True)
    raise SystemExit(error.exit_code) from error


def print_json(value: Reply) -> None:
    """Print one JSON object in a line."""
    click.echo(msgspec.json.encode(value).decode())
