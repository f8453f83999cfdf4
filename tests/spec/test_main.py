"""The `wigwag` dispatcher: lazy, helpful, and honest about what is not installed."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wigwag.__main__ import GROUP, SUMMARIES, extra_of, make_group

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def entry(name: str, value: str) -> EntryPoint:
    """Return an entry point of the dispatcher's group."""
    return EntryPoint(name, value, GROUP)


ENTRIES = [
    entry("spec", "wigwag.spec._cli:spec"),
    entry("serve", "wigwag.server._nowhere:serve"),
    entry("chat", "wigwag.client.no_such_library:chat"),
]


def run(*arguments: str, entries: list[EntryPoint] = ENTRIES) -> Result:
    """Run the dispatcher with these commands."""
    return CliRunner().invoke(make_group(entries), arguments)


def test_help_lists_commands_without_importing_them() -> None:
    """Help and completion must answer before heavy libraries are loaded."""
    result = run("--help")
    assert result.exit_code == 0
    for name in ("chat", "serve", "spec"):
        assert f"  {name} " in result.output
        assert SUMMARIES[name] in result.output
    assert "Examples:" in result.output


def test_help_imports_neither_spec_tools_nor_products() -> None:
    """Measured in a process of its own, since this one has them all."""
    code = (
        "import sys, runpy\n"
        "sys.argv = ['wigwag', '--help']\n"
        "try:\n    runpy.run_module('wigwag', run_name='__main__')\n"
        "except SystemExit:\n    pass\n"
        "named = {'construct', 'msgspec', 'trio', 'wigwag.wire', 'wigwag.spec'}\n"
        "heavy = named & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    paths = [path for path in sys.path if path]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Usage: wigwag" in done.stdout


def test_a_command_is_imported_and_run_when_called() -> None:
    """The dispatcher adds nothing of its own."""
    result = run("spec", "describe", "PING")
    assert result.exit_code == 0
    assert result.output.startswith("PING: ")


def test_an_unknown_command_is_answered_with_the_nearest() -> None:
    """Typing is fast and wrong."""
    result = run("sepc")
    assert result.exit_code == 2
    assert "no such command 'sepc'; did you mean 'spec'?" in result.stderr
    assert "there are: chat, serve, spec" in run("xyzzy").stderr
    assert "No such option" in run("--nothing").stderr


def test_no_command_shows_help() -> None:
    """The first thing that a newcomer types is the bare word."""
    assert "Commands:" in run().output


@pytest.mark.parametrize(
    ("module", "missing", "expected"),
    [
        (
            "wigwag.client._x",
            "anyio",
            "`wigwag chat` needs anyio: pip install 'wigwag[client]'",
        ),
        (
            "wigwag.server._x",
            "trio",
            "`wigwag chat` needs trio: pip install 'wigwag[server]'",
        ),
        (
            "wigwag.demo._x",
            "rich",
            "`wigwag chat` needs rich: pip install 'wigwag[server,client]'",
        ),
        ("wigwag.spec._x", "wigwag.spec._x", "this installation has no `wigwag chat`"),
    ],
)
def test_a_missing_extra_says_what_to_install(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    missing: str,
    expected: str,
) -> None:
    """`No module named` is an answer to another question."""
    name = "chat_" + module.replace(".", "_") + "_needs"
    (tmp_path / f"{name}.py").write_text(
        f"raise ModuleNotFoundError('no', name={missing!r})\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    class Elsewhere(EntryPoint):
        """An entry point that says it is of one module and loads another."""

        def load(self) -> object:
            return EntryPoint("chat", f"{name}:chat", GROUP).load()

    result = run("chat", entries=[Elsewhere("chat", f"{module}:chat", GROUP)])
    assert result.exit_code == 1
    assert expected in result.stderr


def test_a_missing_module_of_the_base_install_is_our_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not be dressed up as the user's."""
    (tmp_path / "broken_command.py").write_text("import surely_not_installed\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    result = run("spec", entries=[entry("spec", "broken_command:spec")])
    assert isinstance(result.exception, ModuleNotFoundError)


def test_version_is_one_line() -> None:
    """Reports start with it."""
    result = run("--version")
    assert result.exit_code == 0
    assert result.output.startswith("wigwag ")
    assert result.output.count("\n") == 1


def test_every_command_of_the_project_has_its_sentence_and_extra() -> None:
    """A command without them is listed as a bare word."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    commands: dict[str, str] = project["entry-points"][GROUP]
    assert set(commands) <= set(SUMMARIES)
    extras = set(project["optional-dependencies"])
    for value in commands.values():
        assert set(extra_of(value.split(":")[0]).split(",")) - {""} <= extras
