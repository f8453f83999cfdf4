"""What can be completed where: the command with its subcommands, options, values."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from wigwag.__main__ import make_group

FILES = "files"
FOLDERS = "folders"
PROFILES = "profiles"
NOTHING = "nothing"

# Options whose values live in the user's folders, which any shell can list.
_PROFILE_OPTION = "--profile"


@dataclass(frozen=True, slots=True)
class Values:
    """What may stand somewhere.

    Attributes:
        kind: FILES, FOLDERS, PROFILES, or NOTHING that a shell could know.
        choices: The words themselves, if they are few; then `kind` is NOTHING.
    """

    kind: str = NOTHING
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """An option of one command.

    Attributes:
        names: Its spellings, long and short.
        help: One sentence; "" if it has none.
        values: What follows it; None: nothing does.
    """

    names: tuple[str, ...]
    help: str
    values: Values | None


@dataclass(frozen=True, slots=True)
class Node:
    """A command or a group of commands.

    Attributes:
        path: Words up to and with its name, `("wigwag", "admin", "invite")`.
        help: One sentence.
        flags: Its options, `--help` included.
        arguments: What its positional arguments are, the last one repeated.
        children: Its subcommands, by name.
    """

    path: tuple[str, ...]
    help: str
    flags: tuple[Flag, ...]
    arguments: tuple[Values, ...]
    children: tuple["Node", ...]

    def all_nodes(self) -> Iterator["Node"]:
        """Yield this node and all below it."""
        yield self
        for child in self.children:
            yield from child.all_nodes()


def command_tree(root: click.Command | None = None) -> Node:
    """Return the tree of a command; the default is `wigwag` as it is installed.

    A command whose optional dependencies are missing completes as a name alone.
    """
    return _node(make_group() if root is None else root, ("wigwag",))


def _node(command: click.Command, path: tuple[str, ...]) -> Node:
    context = click.Context(command, info_name=path[-1])
    children: list[Node] = []
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            try:
                child = command.get_command(context, name)
            except click.ClickException:
                child = click.Command(name)
            if child is not None and not child.hidden:
                children.append(_node(child, (*path, name)))
    flags: list[Flag] = []
    arguments: list[Values] = []
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option):
            if not parameter.hidden:
                flags.append(_flag(parameter))
        else:
            arguments.append(_values(parameter))
    return Node(
        path,
        command.get_short_help_str(limit=100),
        tuple(flags),
        tuple(arguments),
        tuple(children),
    )


def _flag(option: click.Option) -> Flag:
    takes_value = not option.is_flag and not option.count
    names = (*option.opts, *option.secondary_opts)
    first = (option.help or "").strip().split("\n")[0]
    values = _values(option) if takes_value else None
    if _PROFILE_OPTION in names:
        values = Values(PROFILES)
    return Flag(names, first, values)


def _values(parameter: click.Parameter) -> Values:
    match parameter.type:
        case click.Choice(choices=choices):
            return Values(choices=tuple(str(choice) for choice in choices))
        case click.Path(file_okay=False):
            return Values(FOLDERS)
        case click.Path() | click.File():
            return Values(FILES)
        case _:
            return Values()
