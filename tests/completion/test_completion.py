"""Completion scripts, run by the shells they are for."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from wigwag.completion import SHELLS, Shell, command_tree, script
from wigwag.completion._cli import completion, install_path
from wigwag.completion._tree import FILES, FOLDERS, PROFILES, Values
from wigwag.spec import ExitCode

WAIT_SECONDS_MAX = 60

_ZSH_STUBS = """
compdef() { : }
compadd() { [[ $1 == -a ]] && { print -l -- ${(P)2}; return }; shift; print -l -- "$@" }
_files() { print -- "<files>" }
"""


def run(*command: str, home: Path) -> list[str]:
    """Runs a shell without the user's own settings; returns the words it prints."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS_MAX,
        check=True,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
    )
    assert not done.stderr, done.stderr
    return sorted(done.stdout.split())


def in_bash(source: Path, words: list[str], home: Path) -> list[str]:
    """What bash offers for the last word."""
    program = (
        f"source {source}; compopt() {{ echo '<files>'; }}; "
        f"COMP_WORDS=({' '.join(repr(word) for word in words)}); "
        f'COMP_CWORD={len(words) - 1}; _wigwag; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    return run("bash", "--norc", "-c", program, home=home)


def in_zsh(source: Path, words: list[str], home: Path) -> list[str]:
    """What zsh is given to choose from; it filters by the word itself."""
    program = (
        f"{_ZSH_STUBS} source {source}; "
        f"words=({' '.join(repr(word) for word in words)}); CURRENT={len(words)}; "
        "_wigwag"
    )
    found = run("zsh", "-f", "-c", program, home=home)
    return [one for one in found if one.startswith((words[-1], "<"))]


def in_fish(source: Path, words: list[str], home: Path) -> list[str]:
    """What fish offers, without its descriptions."""
    program = (
        f"source {source}; complete -C '{' '.join(words)}' | string split -f1 \\t; true"
    )
    return run("fish", "--no-config", "-c", program, home=home)


ASK: dict[str, Callable[[Path, list[str], Path], list[str]]] = {
    "bash": in_bash,
    "zsh": in_zsh,
    "fish": in_fish,
}


@pytest.fixture(scope="module", params=SHELLS)
def ask(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., list[str]]:
    """Returns a function that completes a line in one of the shells."""
    shell: Shell = request.param
    if shutil.which(shell, path="/usr/bin:/bin") is None:
        pytest.skip(f"{shell} is not installed")
    home = tmp_path_factory.mktemp(shell)
    (home / ".local/share/wigwag/profiles/alice").mkdir(parents=True)
    (home / ".local/share/wigwag/profiles/bob").mkdir()
    source = home / "script"
    source.write_text(script(shell, command_tree()), "utf-8")
    return lambda *words: ASK[shell](source, ["wigwag", *words], home)


def test_commands_are_completed(ask: Callable[..., list[str]]) -> None:
    """The first thing that anybody tries."""
    assert ask("se") == ["send", "serve"]


def test_subcommands_are_completed_below_their_group(
    ask: Callable[..., list[str]],
) -> None:
    """`wigwag admin` has commands of its own, and none of the others."""
    assert ask("admin", "in") == ["invite"]
    assert ask("admin", "regis") == []


def test_options_are_those_of_the_command(ask: Callable[..., list[str]]) -> None:
    """An option of another command would be refused."""
    assert ask("admin", "invite", "--u") == ["--uses"]
    assert ask("serve", "--u") == []


def test_an_option_swallows_its_value(ask: Callable[..., list[str]]) -> None:
    """A value that is called like a command doesn't lead anywhere."""
    assert ask("send", "--wait", "admin", "bob", "--unt") == ["--until"]


def test_choices_are_completed(ask: Callable[..., list[str]]) -> None:
    """Nobody remembers the words that an option takes."""
    assert ask("send", "--until", "seq") == ["sequenced"]
    assert ask("completion", "b") == ["bash"]


def test_profiles_are_completed(ask: Callable[..., list[str]]) -> None:
    """They lie in a folder that the shell can list without asking anybody."""
    assert ask("status", "--profile", "al") == ["alice"]
    assert ask("status", "--profile", "") == ["alice", "bob"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_files_are_left_to_the_shell(shell: Shell, tmp_path: Path) -> None:
    """It knows them better."""
    if shutil.which(shell, path="/usr/bin:/bin") is None:
        pytest.skip(f"{shell} is not installed")
    source = tmp_path / "script"
    source.write_text(script(shell, command_tree()), "utf-8")
    words = ["wigwag", "serve", "--config", ""]
    assert ASK[shell](source, words, tmp_path) == ["<files>"]


def test_every_command_and_option_is_in_every_script() -> None:
    """A script that forgets half of it is worse than none."""
    root = command_tree()
    for shell in SHELLS:
        text = script(shell, root)
        for node in root.all_nodes():
            assert " ".join(node.path) in text
            for flag in node.flags:
                for name in flag.names:
                    assert name.lstrip("-") in text


def test_kinds_of_values_are_told_from_the_command() -> None:
    """What click knows of a parameter is what a shell may offer."""

    @click.command()
    @click.option("--folder", type=click.Path(file_okay=False))
    @click.option("--file", type=click.Path())
    @click.option("--profile")
    @click.option("--count", type=int)
    @click.option("--secret", hidden=True)
    @click.option("--loud", is_flag=True)
    @click.argument("colour", type=click.Choice(["red", "blue"]))
    def paint(**_: object) -> None:
        """Paint it."""

    node = command_tree(paint)
    values = {flag.names[0]: flag.values for flag in node.flags}
    assert values == {
        "--folder": Values(FOLDERS),
        "--file": Values(FILES),
        "--profile": Values(PROFILES),
        "--count": Values(),
        "--loud": None,
        "--help": None,
    }
    assert node.arguments == (Values(choices=("red", "blue")),)
    assert "__fish_complete_directories" in script("fish", node)


def test_a_command_that_is_not_installed_completes_as_a_name() -> None:
    """Whoever has the client alone still has one script."""

    class Partly(click.Group):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
            raise click.ClickException(f"{cmd_name} needs more")

    group = Partly("wigwag", commands={"serve": click.Command("serve")})
    (serve,) = command_tree(group).children
    assert serve.path == ("wigwag", "serve")
    assert not serve.arguments


def test_the_script_is_printed() -> None:
    """It goes wherever the user sends it."""
    done = CliRunner().invoke(completion, ["fish"])
    assert done.output == script("fish", command_tree())


@pytest.mark.parametrize(
    ("shell", "variable", "rest"),
    [
        ("bash", "XDG_DATA_HOME", "bash-completion/completions/wigwag"),
        ("zsh", "ZDOTDIR", ".zfunc/_wigwag"),
        ("fish", "XDG_CONFIG_HOME", "fish/completions/wigwag.fish"),
    ],
)
def test_install_writes_where_the_shell_looks(
    shell: Shell, variable: str, rest: str, tmp_path: Path
) -> None:
    """Whoever wants completion doesn't want to learn where it goes."""
    environment = {variable: str(tmp_path)}
    done = CliRunner().invoke(completion, [shell, "--install"], env=environment)
    assert done.exit_code == 0
    assert str(tmp_path / rest) in done.output
    assert (tmp_path / rest).read_text("utf-8") == script(shell, command_tree())


def test_without_a_setting_it_is_below_the_users_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the XDG base directories have it."""
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    place = tmp_path / ".local/share/bash-completion/completions/wigwag"
    assert install_path("bash") == place


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """One sentence, and another way."""
    (tmp_path / "fish").write_text("in the way")
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    done = CliRunner().invoke(completion, ["fish", "--install"], env=environment)
    assert done.exit_code == ExitCode.STORAGE
    assert "print it instead" in done.output
