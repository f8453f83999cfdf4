"""The help of every command, as it is printed."""

from collections.abc import Iterator

import click
import pytest

from wigwag.__main__ import make_group

WIDTH = 80


def helps(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield path and help of a command and of all below it."""
    context = click.Context(command, info_name=" ".join(path), terminal_width=WIDTH)
    yield " ".join(path), context.get_help()
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from helps(child, (*path, name))


HELPS = dict(helps(make_group(), ("wigwag",)))


def test_the_commands_of_commands_are_there() -> None:
    """A walk that stops at the top would find nothing."""
    assert {"wigwag serve", "wigwag bench server", "wigwag admin invite"} <= set(HELPS)


@pytest.mark.parametrize("path", HELPS)
def test_help_reads_as_it_was_written(path: str) -> None:
    """A mark for click that click did not take stands in the text, reflowed."""
    text = HELPS[path]
    assert "\\b" not in text
    assert "\b" not in text
    assert "\f" not in text


@pytest.mark.parametrize("path", HELPS)
def test_help_fits_a_terminal(path: str) -> None:
    """Lines that must not be reflowed are written short enough."""
    long = [line for line in HELPS[path].splitlines() if len(line) > WIDTH + 10]
    assert not long
