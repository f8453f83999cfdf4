"""`wigwag admin config show`: every setting as it holds, and who set it."""

import os
from pathlib import Path

import click

from wigwag.server._admin_options import common_options, fail, print_json
from wigwag.server._config_load import load_settings
from wigwag.server._config_text import shown_value, toml_value
from wigwag.server._errors import ServerError

EPILOG = """
\b
Examples:
  wigwag admin config show --origin
  wigwag admin config show --config wigwag.toml --json
"""


@click.group()
def config() -> None:
    """Look at the server's configuration."""


@config.command(epilog=EPILOG)
@click.option("--origin", is_flag=True, help="Say of each setting who has set it.")
@common_options
def show(
    config_path: Path | None, data: str | None, *, origin: bool, as_json: bool
) -> None:
    """Print every setting that `wigwag serve` would run with now.

    Give the same --config and --data as to `wigwag serve`; WIGWAG_SERVER_… of this
    shell are read, and those that only the service has are not.
    """
    try:
        options = {"data": data} if data else {}
        settings = load_settings(config_path, os.environ, options)
    except ServerError as error:
        fail("config show", error)
    if as_json:
        values = {
            setting.name: {
                "value": shown_value(setting.key_path, setting.value),
                "origin": setting.origin,
            }
            for setting in settings
        }
        print_json(dict(values))
        return
    for setting in settings:
        value = toml_value(shown_value(setting.key_path, setting.value))
        line = f"{setting.name} = {value}"
        click.echo(f"{line:52} # {setting.origin}" if origin else line)
