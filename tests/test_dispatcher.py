"""The `wigwag` command itself: quick, helpful, and blind to what isn't installed."""

import subprocess
import sys

import pytest

from wigwag.__main__ import SUMMARIES

WAIT_SECONDS_MAX = 60


def wigwag(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "wigwag", *arguments],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS_MAX,
        check=False,
    )


def test_help_lists_every_command_without_importing_any() -> None:
    """Help that takes a second is not read; completion calls it on every Tab."""
    program = (
        "import sys, wigwag.__main__ as m\n"
        "try: m.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'trio', 'anyio', 'apsw', 'rich', 'prompt_toolkit', 'doubleratchet'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--help"],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS_MAX,
        check=False,
    )
    assert "LOADED []" in done.stdout
    for name in ("serve", "register", "send", "listen", "chat", "demo", "spec"):
        assert f"\n  {name} " in done.stdout


def test_unknown_command_is_told_the_nearest_one() -> None:
    """A typo is answered with what was probably meant, not with a traceback."""
    done = wigwag("sevre")
    assert done.returncode == 2
    assert "did you mean 'serve'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_command_unlike_any_is_refused_plainly() -> None:
    """A wild guess would mislead."""
    done = wigwag("xyzzy123")
    assert done.returncode == 2
    assert "no such command 'xyzzy123'" in done.stderr
    assert "did you mean" not in done.stderr


def test_version_names_the_program() -> None:
    """A bug report begins with it."""
    done = wigwag("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("wigwag ")


@pytest.mark.parametrize("name", sorted(SUMMARIES))
def test_every_command_has_help(name: str) -> None:
    """An entry point that does not import is found here and not by a user."""
    done = wigwag(name, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage: wigwag " + name in done.stdout
