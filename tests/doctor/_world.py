"""What tests of the doctor share: a folder to damage, and remedies that are run."""

import json
import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from click.testing import CliRunner
from tests.client._cli_world import RUN_SECONDS_MAX, Home

from wigwag.doctor._cli import doctor

PROBLEM = 3
"""The exit status of a doctor who has found a problem."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `wigwag doctor --json` said."""

    code: int
    value: dict[str, Any]

    def of(self, name: str, subject: str = "server") -> dict[str, Any]:
        """Return the check of a name."""
        found = [
            check
            for check in self.value["checks"]
            if (check["name"], check["subject"]) == (name, subject)
        ]
        assert len(found) == 1, (name, self.value["checks"])
        return cast("dict[str, Any]", found[0])

    def not_ok(self) -> dict[str, str]:
        """Return what isn't ok: name and status."""
        return {
            check["name"]: check["status"]
            for check in self.value["checks"]
            if check["status"] != "ok"
        }


def diagnose(home: Home, *arguments: str, **variables: str) -> Verdict:
    """Run `wigwag doctor --json` here: a process each would take most of the time."""
    # Of this process nothing but what the home sets may count.
    without = {name: None for name in os.environ if name not in home.environment}
    done = CliRunner().invoke(
        doctor,
        [*arguments, "--json"],
        env={**without, **home.environment, **variables},
        catch_exceptions=False,
    )
    assert not done.stderr, done.stderr
    return Verdict(done.exit_code, json.loads(done.stdout))


@contextmanager
def started(home: Home, remedy: str, **variables: str) -> Generator[str, None, None]:
    """Run a remedy that starts a server until it is ready; end it with the block."""
    process = subprocess.Popen(
        ["sh", "-c", remedy],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**home.environment, "WIGWAG_SERVER_HEALTH__LISTEN": "off", **variables},
        cwd=home.home,
        start_new_session=True,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("ready on "):
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError((remedy, line, process.communicate()[1]))
        yield line
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=RUN_SECONDS_MAX)


def mend(home: Home, remedy: str, **variables: str) -> None:
    """Run a remedy that ends by itself."""
    home.shell(remedy, variables).succeeded()


def with_options(home: Home, config: str) -> list[str]:
    """Write a configuration file; return the options that name it."""
    path = home.home / "wigwag.toml"
    path.write_text(config)
    return ["--config", str(path)]


def look_of(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Return what could change of a folder's files by being looked at."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.stat().st_size,
            path.stat().st_mtime_ns,
        )
        for path in (folder, *sorted(folder.rglob("*")))
    }
