"""What the pages name must exist: tests, commands, options, metrics, codes, files."""

import re
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

from wigwag.wire import ErrorCode

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
names = [page.name for page in PAGES]

TEST = re.compile(r"`(?P<path>tests/[\w/]+\.py)(?:::(?P<name>\w+))?`")
LINK = re.compile(r"\]\((?P<target>[^)#:]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?<![\w/.-])wigwag (?P<rest>[^`\n|;)&]*)")
MODULE = re.compile(r"python -m (?P<module>tests[\w.]*)")
METRIC = re.compile(r"`(?P<name>wigwag_\w+)")
CODE = re.compile(r"\b(?P<name>[A-Z]+(?:_[A-Z]+)+)\b")
# Variables of the environment.
NO_CODES = re.compile(r"WIGWAG_|PIP_")


@cache
def text_of(name: str) -> str:
    """A page."""
    return (ROOT / "docs" / name).read_text("utf-8")


@cache
def commands() -> dict[str, click.Command]:
    """All commands, by their words."""
    found: dict[str, click.Command] = {}

    def add(words: str, command: click.Command) -> None:
        found[words] = command
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                add(f"{words} {name}", inner)

    for entry in entry_points(group="wigwag.commands"):
        add(entry.name, entry.load())
    return found


@pytest.mark.parametrize("name", names)
def test_a_test_that_is_named_exists(name: str) -> None:
    """A proof that nobody can run is none."""
    for match in TEST.finditer(text_of(name)):
        source = (ROOT / match["path"]).read_text("utf-8")
        wanted = match["name"]
        assert wanted is None or f"def {wanted}(" in source, match[0]
    for match in MODULE.finditer(text_of(name)):
        place = ROOT / match["module"].replace(".", "/")
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists()


@pytest.mark.parametrize("name", names)
def test_a_link_leads_somewhere(name: str) -> None:
    """Pages move."""
    for match in LINK.finditer(text_of(name)):
        assert (ROOT / "docs" / match["target"]).exists(), match["target"]


def _command(words: list[str]) -> tuple[str, click.Command] | None:
    """The command that a line begins with, groups followed down."""
    known = commands()
    found = [one for one in range(len(words), 0, -1) if " ".join(words[:one]) in known]
    name = " ".join(words[: found[0]]) if found else ""
    return (name, known[name]) if found else None


@pytest.mark.parametrize("name", names)
def test_a_command_that_is_named_exists_with_its_options(name: str) -> None:
    """A command that isn't there is found out at night."""
    for match in COMMAND.finditer(text_of(name)):
        words = match["rest"].split()
        while words and words[0] == "wigwag":
            words = words[1:]
        if not words or words[0] in PROSE or words[0].startswith("-"):
            continue
        found = _command(words)
        assert found is not None, match[0]
        words_found, command = found
        has_more = len(words) > len(words_found.split())
        if isinstance(command, click.Group) and has_more:
            assert command.invoke_without_command, match[0]
        known = {option for one in command.params for option in one.opts} | {"--help"}
        # What stands in quotes is somebody else's command line.
        plain = re.sub(r"'[^']*'", "", match["rest"])
        for option in re.findall(r"(?<![\w-])--[a-z-]+", plain):
            assert option in known, f"{words_found} {option}"


# What may stand after `wigwag` where it is no command: the folder after an image.
PROSE = frozenset({"."})


@pytest.mark.parametrize("name", names)
def test_a_metric_that_is_named_is_measured(name: str) -> None:
    """An alert on a figure that isn't there never comes."""
    source = (ROOT / "server/wigwag/server/_metrics.py").read_text("utf-8")
    for match in METRIC.finditer(text_of(name)):
        plain = match["name"].removesuffix("_total")
        is_named = f'"{plain}"' in source
        is_counted = f'"{plain.removeprefix("wigwag_")}"' in source
        assert is_named or is_counted, match["name"]


@pytest.mark.parametrize("name", names)
def test_an_error_code_that_is_named_is_one(name: str) -> None:
    """Whoever looks for it in a log must find it."""
    messages = (ROOT / "spec/wigwag/spec/messages").glob("*.toml")
    known = {code.name for code in ErrorCode} | {one.stem.upper() for one in messages}
    for match in CODE.finditer(text_of(name)):
        if not NO_CODES.match(match["name"]):
            assert match["name"] in known, match["name"]


def test_every_page_is_in_the_list() -> None:
    """A page that nobody finds isn't read."""
    listed = text_of("README.md")
    assert [name for name in names if name != "README.md" and name not in listed] == []
