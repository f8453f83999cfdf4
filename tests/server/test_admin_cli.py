"""`wigwag admin` and what of `wigwag serve` needs no process."""

import json
from pathlib import Path

import click
from click.testing import CliRunner, Result

from wigwag.server._admin_cli import admin
from wigwag.server._cli import serve
from wigwag.spec import ExitCode
from wigwag.testing import server_in_thread


def invoke(command: click.Command, *arguments: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(command, arguments)


def test_each_subcommand_speaks_to_people_and_to_programs() -> None:
    """With --json there is only JSON on standard output."""
    with server_in_thread() as running:
        data = ("--data", str(running.folder))
        assert "signed in" in invoke(admin, "status", *data).stdout
        status = json.loads(invoke(admin, "status", "--json", *data).stdout)
        assert status["accounts"] == 0
        text = invoke(admin, "invite", "--expires", "30m", *data).stdout
        assert text.startswith("wigwag://")
        invite = json.loads(invoke(admin, "invite", "--json", *data).stdout)
        assert invite["expires_seconds"] == 86_400
        assert "moved by 0 ms" in invoke(admin, "accept-clock", *data).stdout
        clock = json.loads(invoke(admin, "accept-clock", "--json", *data).stdout)
        assert clock == {"step_ms": 0}
        refused = invoke(admin, "invite", "--uses", "0", *data)
        assert refused.exit_code == ExitCode.UNREACHABLE
        assert "uses is 1 to" in refused.stderr
        assert "draining 0" in invoke(admin, "drain", *data).stdout
        drained = json.loads(invoke(admin, "drain", "--json", *data).stdout)
        assert drained["draining"] is True


def test_without_a_server_there_is_one_sentence(tmp_path: Path) -> None:
    """Also when there is no folder at all, and when the configuration is wrong."""
    for folder in (tmp_path, tmp_path / "none"):
        result = invoke(admin, "status", "--data", str(folder))
        assert result.exit_code == ExitCode.UNREACHABLE
        assert result.stderr.count("\n") == 1
    config = tmp_path / "wigwag.toml"
    config.write_text("nonsense = 1")
    result = invoke(admin, "status", "--config", str(config))
    assert result.exit_code == ExitCode.CONFIGURATION


def test_the_help_ends_in_two_examples_that_work(tmp_path: Path) -> None:
    """An example that doesn't run is worse than none."""
    for command in (admin, serve):
        lines = invoke(command, "--help").stdout.rstrip().splitlines()
        examples = [line.split() for line in lines[-2:]]
        assert all(words[0] == "wigwag" for words in examples)
    (tmp_path / "wigwag.toml").write_text("")
    checked = invoke(serve, "--config", str(tmp_path / "wigwag.toml"), "--check-config")
    assert checked.exit_code == ExitCode.OK
    with server_in_thread() as running:
        for words in (("status", "--json"), ("invite", "--uses", "5")):
            result = invoke(admin, *words, "--data", str(running.folder))
            assert result.exit_code == ExitCode.OK


def test_serve_says_what_is_wrong_with_an_option() -> None:
    """The option's own name is the place."""
    result = invoke(serve, "--check-config", "--listen", "nowhere")
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "--listen: listen: 'nowhere' has no port" in result.stderr
    assert invoke(serve, "--log-format", "xml").exit_code == ExitCode.USAGE
