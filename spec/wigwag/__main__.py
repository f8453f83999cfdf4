"""The `wigwag` command: finds subcommands by entry point and imports the one called."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version

import click

GROUP = "wigwag.commands"
# Help must not import a command to say what it does, so each has its sentence here.
SUMMARIES = {
    "account": "Delete an account for good.",
    "admin": "Ask or tell a running server.",
    "bench": "Measure a server under load.",
    "bugreport": "Pack what a repair needs to know, without names and secrets.",
    "chat": "Talk with somebody in the terminal.",
    "completion": "Print a completion script for bash, zsh or fish.",
    "devices": "Show an account's devices, or remove one.",
    "demo": "Watch two people talk end to end, through crashes.",
    "doctor": "Find what is wrong here, and what mends it.",
    "errors": "Explain an error code.",
    "history": "Show the messages with somebody.",
    "listen": "Receive messages until told to stop.",
    "register": "Make an account on a server.",
    "send": "Send a message.",
    "serve": "Run a server.",
    "spec": "Check, generate and describe the protocol's specification.",
    "status": "Show a profile's account, queue and connection.",
    "verify": "Compare safety numbers with somebody.",
}
# Where a command lives says which optional dependencies it needs.
EXTRAS = {
    "wigwag.server": "server",
    "wigwag.testing": "server",
    "wigwag.client": "client",
    "wigwag.demo": "server,client",
    "wigwag.doctor": "server,client",
    "wigwag.bench": "server,client",
}
USAGE_EXIT_CODE = 2


def extra_of(module: str) -> str:
    """Return the optional dependencies that a module needs; "" for the base install."""
    package = ".".join(module.split(".")[:2])
    return EXTRAS.get(package, "")


class LazyGroup(click.Group):
    """A group whose commands are entry points, each imported when it is called."""

    def __init__(
        self, entries: Sequence[EntryPoint] | None = None, **settings: object
    ) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]  # click's own settings, passed on as they are
        self._entries = entries

    def _by_name(self) -> dict[str, EntryPoint]:
        found = entry_points(group=GROUP) if self._entries is None else self._entries
        return {entry.name: entry for entry in found}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(self._by_name())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is no such one.

        Raises:
            ClickException: Its optional dependencies are not installed.
        """
        entry = self._by_name().get(cmd_name)
        if entry is None:
            return None
        try:
            command = entry.load()
        except ModuleNotFoundError as error:
            missing = error.name or ""
            extra = extra_of(entry.module)
            if extra and not missing.startswith("wigwag"):
                raise click.ClickException(
                    f"`wigwag {cmd_name}` needs {missing}: pip install "
                    f"'wigwag[{extra}]'"
                ) from None
            if missing.startswith("wigwag"):
                raise click.ClickException(
                    f"this installation has no `wigwag {cmd_name}`"
                ) from None
            raise
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of the arguments, or say which one was probably meant.

        Raises:
            UsageError: There is no such command.
        """
        name = args[0]
        known = self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            near = get_close_matches(name, known, n=1)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else f"there are: {', '.join(known)}"
            )
            raise click.UsageError(f"no such command {name!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, SUMMARIES.get(name, "")) for name in self.list_commands(ctx)]
            )


def show_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    """Print the version and end, if asked to."""
    if not value or ctx.resilient_parsing:
        return
    try:
        number = version("wigwag")
    except PackageNotFoundError:
        number = "(not installed)"
    click.echo(f"wigwag {number}")
    ctx.exit()


def make_group(entries: Sequence[EntryPoint] | None = None) -> LazyGroup:
    """Return the `wigwag` command.

    Args:
        entries: Commands to offer instead of the installed ones.
    """
    return LazyGroup(
        entries,
        name="wigwag",
        help="End-to-end encrypted messaging over a versioned binary protocol.",
        epilog="\b\nExamples:\n  wigwag demo\n  wigwag spec describe SEND\n",
        no_args_is_help=True,
        params=[
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=show_version,
                help="Show the version and exit.",
            ),
        ],
    )


def main() -> None:
    """Run the `wigwag` command of this process."""
    try:
        make_group()(prog_name="wigwag")
    except BrokenPipeError:
        # Whoever read us stopped reading, as `head` does. Python would complain again
        # when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
