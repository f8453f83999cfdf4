"""`wigwag admin backup` and `wigwag admin restore`."""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from wigwag.server._admin import Reply
from wigwag.server._admin_client import ask_admin
from wigwag.server._admin_options import common_options, fail, print_json
from wigwag.server._config_load import load_config
from wigwag.server._errors import ServerError
from wigwag.server._manifest import verify_backup
from wigwag.server._restore import restore_backup, utc_now

# A line that is rewritten: more often than this nobody can read it.
DRAW_SECONDS = 0.2

BACKUP_EPILOG = """
\b
Examples:
  wigwag admin backup backups/monday
  wigwag admin backup backups/monday --json
"""
RESTORE_EPILOG = """
\b
Examples:
  wigwag admin restore backups/monday --check
  wigwag admin restore backups/monday --replace
"""


class Meter:
    """One line on standard error that says how far something is; none for programs."""

    def __init__(self, *, is_shown: bool) -> None:
        self._is_shown = is_shown and sys.stderr.isatty()
        self._drawn_at = 0.0

    def draw(self, doing: str, done: int, of: int) -> None:
        """Draw the line, if it isn't too soon."""
        now = time.monotonic()
        if self._is_shown and now >= self._drawn_at + DRAW_SECONDS:
            self._drawn_at = now
            share = 100 * done // of if of else 100
            click.echo(f"\r\x1b[K{doing} {share} %", err=True, nl=False)

    def end(self) -> None:
        """Remove the line."""
        if self._is_shown and self._drawn_at:
            click.echo("\r\x1b[K", err=True, nl=False)

    def read(self, name: str, done: int, of: int) -> None:
        """Draw how far reading a file is."""
        self.draw(f"checking {name}", done, of)

    def told(self, progress: Reply) -> None:
        """Draw what a server told."""
        doing, done, of = (progress.get(key) for key in ("doing", "done", "of"))
        if isinstance(done, int) and isinstance(of, int):
            self.draw(str(doing), done, of)


@click.command(epilog=BACKUP_EPILOG)
@click.argument("path", type=click.Path(path_type=Path))
@common_options
def backup(
    config_path: Path | None, data: str | None, path: Path, *, as_json: bool
) -> None:
    """Copy the running server's data folder to PATH and verify the copy.

    Nothing stops meanwhile. PATH is a new folder for its owner alone; it holds
    everybody's undelivered messages, still encrypted, and the server's private keys.
    """
    meter = Meter(is_shown=not as_json)
    try:
        options = {"data": data} if data else {}
        config = load_config(config_path, os.environ, options)
        folder = config.data_folder(dict(os.environ))
        request: Reply = {"command": "backup", "path": str(path.absolute())}
        try:
            reply = ask_admin(folder, request, meter.told)
        finally:
            meter.end()
    except ServerError as error:
        fail("backup", error)
    if as_json:
        print_json(reply)
        return
    size = reply["bytes"]
    assert isinstance(size, int)
    click.echo(
        f"{reply['path']}: {reply['accounts']} accounts, {reply['entries']} messages "
        f"under way, {size / 1_000_000:.1f} MB, verified in {reply['seconds']} s"
    )


@click.command(epilog=RESTORE_EPILOG)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--replace", is_flag=True, help="Move what the data folder holds beside it first."
)
@click.option("--check", is_flag=True, help="Verify the backup and change nothing.")
@common_options
def restore(
    config_path: Path | None,
    data: str | None,
    path: Path,
    *,
    replace: bool,
    check: bool,
    as_json: bool,
) -> None:
    """Put the backup at PATH into the data folder; the server must be stopped.

    What was sent after the backup: senders' devices offer again what they still
    hold, and every device is told in its next connection what may be missing.
    """
    meter = Meter(is_shown=not as_json)
    try:
        if check:
            try:
                manifest = verify_backup(path, meter.read)
            finally:
                meter.end()
            reply: Reply = {"path": str(path), **msgspec.to_builtins(manifest)}
            _say(reply, [f"{path} is whole"], as_json=as_json)
            return
        options = {"data": data} if data else {}
        config = load_config(config_path, os.environ, options)
        folder = config.data_folder(dict(os.environ))
        now = utc_now()
        try:
            done = restore_backup(path, folder, now, replaces=replace, tell=meter.read)
        finally:
            meter.end()
    except ServerError as error:
        fail("restore", error)
    facts = done.manifest.database
    reply = {
        "data": str(folder),
        "made_ms": done.manifest.made_ms,
        "accounts": facts.accounts,
        "entries": facts.entries,
        "set_aside": None if done.set_aside is None else str(done.set_aside),
        "left": list(done.left),
    }
    made = datetime.fromtimestamp(done.manifest.made_ms / 1000, UTC)
    lines = [
        f"{folder} is as of {made:%Y-%m-%d %H:%M:%S} UTC: {facts.accounts} accounts, "
        f"{facts.entries} messages under way",
        "What was sent since then is offered again by the senders' devices; each "
        "device is told what may be missing.",
    ]
    if done.set_aside is not None:
        lines.append(f"What was there before is in {done.set_aside}.")
    if done.left:
        lines.append(f"Not in the data folder, but in {path}: {', '.join(done.left)}.")
    lines.append(f"Next: wigwag serve --data {folder}")
    _say(reply, lines, as_json=as_json)


def _say(reply: Reply, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json(reply)
    else:
        click.echo("\n".join(lines))
