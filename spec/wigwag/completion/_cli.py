"""`wigwag completion`: print a script, or put it where the shell looks."""

import os
from pathlib import Path

import click

from wigwag.completion._scripts import SHELLS, Shell, script
from wigwag.completion._tree import command_tree
from wigwag.spec import ExitCode

# Where each shell looks by itself, below the user's home.
_FOLDERS: dict[Shell, tuple[str, str, str]] = {
    "bash": ("XDG_DATA_HOME", ".local/share", "bash-completion/completions/wigwag"),
    "zsh": ("ZDOTDIR", "", ".zfunc/_wigwag"),
    "fish": ("XDG_CONFIG_HOME", ".config", "fish/completions/wigwag.fish"),
}
_HINTS: dict[Shell, str] = {
    "bash": "It is there in new shells (with the package bash-completion).",
    "zsh": "Have `fpath+=~/.zfunc; autoload -Uz compinit; compinit` in ~/.zshrc.",
    "fish": "It is there in new shells.",
}


class _NotWrittenError(click.ClickException):
    """The script's place can't be written."""

    exit_code = int(ExitCode.STORAGE)


@click.command(
    epilog="\b\nExamples:\n"
    "  wigwag completion bash --install\n"
    "  source <(wigwag completion bash)\n"
    "  wigwag completion fish > ~/.config/fish/completions/wigwag.fish\n"
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.option(
    "--install", is_flag=True, help="Write it where the shell looks, and say where."
)
def completion(shell: Shell, install: bool) -> None:
    """Print a completion script for bash, zsh or fish.

    The script holds every command and option of this installation, so that a Tab
    never starts Python. Make it again after an upgrade.
    """
    text = script(shell, command_tree())
    if not install:
        click.echo(text, nl=False)
        return
    place = install_path(shell)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
    except OSError as error:
        raise _NotWrittenError(
            f"{place}: {error.strerror or error}; print it instead: "
            f"`wigwag completion {shell}`"
        ) from error
    click.echo(f"Written to {place}. {_HINTS[shell]}")


def install_path(shell: Shell) -> Path:
    """Return where a shell looks for the completion of `wigwag`."""
    variable, default, rest = _FOLDERS[shell]
    given = os.environ.get(variable)
    base = Path(given) if given else Path.home() / default
    return base / rest
