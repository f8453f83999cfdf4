"""What both commands have in common: help, sides, and faults of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.client._cli_world import Home
from tests.doctor._world import PROBLEM, Verdict, diagnose

from wigwag.__main__ import SUMMARIES, extra_of
from wigwag.doctor import Check, ServerOptions, _look, _machine, summary
from wigwag.doctor._cli import bugreport, doctor
from wigwag.doctor._machine import lock_holder, size_words
from wigwag.spec import ExitCode


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with nothing in it."""
    return Home(tmp_path)


def test_the_help_ends_in_examples_that_run(home: Home) -> None:
    """And says how each command ends, for scripts."""
    for command, name in ((doctor, "doctor"), (bugreport, "bugreport")):
        text = CliRunner().invoke(command, ["--help"]).stdout
        examples = [line.strip() for line in text.splitlines()[-2:]]
        assert all(line.startswith(f"wigwag {name}") for line in examples)
        assert "Exit status: 0 when" in text
        assert name in SUMMARIES
    (home.home / "server.log").write_text("a line\n")
    for line in ("doctor", "bugreport", "bugreport report.tar.gz --log server.log"):
        home.run(*line.split(), "--json").succeeded()
    assert extra_of("wigwag.doctor._cli") == "server,client"


def test_a_side_that_is_not_installed_is_said_to_be_so(home: Home) -> None:
    """A client's machine needs no server."""
    words = "import sys; sys.modules['h11'] = None; from wigwag.__main__ import main"
    done = subprocess.run(
        [sys.executable, "-c", f"{words}; main()", "doctor", "--server", "--json"],
        env=home.environment,
        capture_output=True,
        check=False,
    )
    verdict = Verdict(done.returncode, json.loads(done.stdout))
    assert verdict.not_ok() == {"installed": "warning"}
    assert verdict.of("installed")["remedy"] == "pip install 'wigwag[server]'"


def test_a_fault_of_the_doctor_itself_is_one_more_thing_that_is_told() -> None:
    """Whoever looks for a fault must not get a traceback for an answer."""

    def broken() -> list[Check]:
        raise ValueError("a secret of a file")

    (check,) = _look.guarded("server", broken)
    assert (check.name, check.level) == ("doctor", "problem")
    assert "ValueError at test_command.py" in check.text
    assert "secret" not in check.text

    def refused() -> list[Check]:
        raise PermissionError(13, "Permission denied", "/a/file")

    (check,) = _look.guarded("server", refused)
    assert (check.name, check.level) == ("system", "problem")
    assert check.text == "/a/file: Permission denied"


def test_mistakes_on_the_command_line_are_usage(home: Home) -> None:
    """As of every command."""
    assert home.run("doctor", "--nonsense").code == ExitCode.USAGE
    assert home.run("bugreport", "x", "--log", "missing").code == ExitCode.USAGE


def test_only_what_was_asked_for_is_looked_at(home: Home) -> None:
    """A client's profile is nobody's business when the server is asked for."""
    assert diagnose(home, "--client").not_ok() == {"profile": "problem"}
    assert diagnose(home, "--client").code == PROBLEM
    assert diagnose(home, "--data", str(home.home)).of("folder-mode")
    meant = diagnose(home, WIGWAG_SERVER_LISTEN="127.0.0.1:0")
    assert meant.of("folder")["status"] == "warning"


def test_a_lock_is_looked_up_and_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system lists no locks, a process that lives is believed."""
    lock = tmp_path / "lock"
    assert lock_holder(lock) is None
    lock.write_text("process 1 since yesterday")
    assert lock_holder(lock) is None
    monkeypatch.setattr(_machine, "LOCKS", tmp_path / "none")
    found = lock_holder(lock)
    assert found is not None
    assert found.pid == 1
    lock.write_text(f"process {2**22 + 1} since yesterday")
    assert lock_holder(lock) is None
    lock.write_text("")
    assert lock_holder(lock) is None


def test_commands_name_the_server_as_it_was_named() -> None:
    """A remedy for another server would be worse than none."""
    options = ServerOptions(
        config_path=Path("a b.toml"), data="/d", listen="[::1]:1", health="off"
    )
    assert options.serve("--accept-clock") == (
        "wigwag serve --config 'a b.toml' --data /d --listen '[::1]:1' --health off "
        "--accept-clock"
    )
    assert options.admin("drain") == (
        "wigwag admin drain --config 'a b.toml' --data /d"
    )
    restart = ServerOptions().restart("true")
    assert restart == (
        "wigwag admin drain && "
        "while true && wigwag serve; [ $? -eq 8 ]; do sleep 1; done"
    )


def test_words_count_and_measure() -> None:
    """One problem isn't 1 problems."""
    assert [size_words(size) for size in (5, 2_048, 3 << 20, 5 << 40)] == [
        "5 B",
        "2.0 KiB",
        "3.0 MiB",
        "5120.0 GiB",
    ]
    checks = [
        Check("a", "ok", ""),
        Check("b", "problem", ""),
        Check("c", "warning", ""),
    ]
    assert summary(checks) == "3 checks: 1 problem, 1 warning"
    assert summary(checks[:1]) == "1 check: 0 problems, 0 warnings"


def test_a_restart_waits_until_the_folder_is_free(home: Home, tmp_path: Path) -> None:
    """A drain returns before the old process has gone."""
    count = tmp_path / "count"
    program = home.home / "bin" / "wigwag"
    program.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = admin ] && exit 0\n'
        f'echo x >> "{count}"\n'
        f'[ "$(wc -l < "{count}")" -ge 2 ] && exit 0 || exit 8\n'
    )
    home.shell(ServerOptions().restart(), {}).succeeded()
    assert count.read_text().split() == ["x", "x"]
    assert int(ExitCode.IN_USE) == 8
