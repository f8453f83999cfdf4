"""The server of a soak: one process after the other, and its operator's commands."""

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.durability._crash import ROOT, environment

from wigwag.testing import ServerProcess

COMMAND_SECONDS_MAX = 60.0
METRICS_SECONDS_MAX = 10.0
CONFIG = """\
development = true
registration = "open"
trusted_networks = ["127.0.0.1/32"]

[limits]
registration_burst = 1000
"""
"""The default limits. Attackers come from other addresses of the loopback network and
register freely; the people come from one and register within seconds."""
LEAF_FILES = ("leaf.pem", "leaf-key.pem")
OPTIONS = ("--health", "127.0.0.1:0", "--log-level", "info")


class SoakServer:
    """The process, what its operator does, and what is left behind for the search.

    Attributes:
        process: The server.
        said: Folder with all that its commands and its metrics page said.
        backups: Folder with backups.
        failures: Commands that failed while the server was up.
    """

    def __init__(self, folder: Path, data: Path) -> None:
        self._config = folder / "server.toml"
        self._config.write_text(CONFIG, "utf-8")
        options = ("--config", str(self._config), *OPTIONS)
        self.process = ServerProcess(folder, options=options)
        self.process.folder = data
        self.said = folder / "said"
        self.backups = folder / "backups"
        for path in (self.said, self.backups):
            path.mkdir()
        self.failures: list[str] = []
        self.kills = 0
        self._number = 0

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def database(self) -> Path:
        """The database's file."""
        return self.process.folder / "wigwag.db"

    def admin(self, *command: str, is_needed: bool = True) -> str:
        """Run `wigwag admin …`; return what it said.

        Args:
            command: The rest of the command line.
            is_needed: Whether a failure is one of the soak's.
        """
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "wigwag",
                "admin",
                *command,
                "--config",
                str(self._config),
                "--data",
                str(self.process.folder),
            ],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        if command[0] != "invite":
            self.keep(f"admin-{command[0]}", done.stdout + done.stderr)
        if done.returncode and is_needed:
            self.failures.append(f"{' '.join(command)}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def invite(self, uses: int) -> str:
        """Return a join string with an invite for so many."""
        said = self.admin("invite", "--uses", f"{uses}", "--json")
        found = re.search(r"wigwag://[^\s\"]+", said)
        assert found is not None, said
        return found[0]

    def back_up(self) -> bool:
        """Back up and verify; return whether it was done."""
        self._number += 1
        target = self.backups / f"{self._number}"
        before = len(self.failures)
        self.admin("backup", str(target))
        if len(self.failures) > before:
            return False
        self.admin("restore", "--check", str(target))
        return len(self.failures) == before

    def renew_certificate(self) -> bool:
        """Have a new certificate made and taken over; return whether it was another."""
        for name in LEAF_FILES:
            (self.process.folder / name).unlink(missing_ok=True)
        said = self.admin("reload-certificate", "--json")
        return bool(said) and bool(json.loads(said)["is_other"])

    def keep(self, name: str, text: str) -> None:
        """Keep what was said, for the search."""
        with (self.said / name).open("a", encoding="utf-8") as file:
            file.write(text + "\n")

    def read_metrics(self) -> None:
        """Keep the metrics page as it is now."""
        found = re.findall(
            r'"health": ?"([^"]+:\d+)"', self.process.log_path.read_text("utf-8")
        )
        if not found:
            return
        url = f"http://{found[-1]}/metrics"
        try:
            with urllib.request.urlopen(url, timeout=METRICS_SECONDS_MAX) as page:
                self.keep("metrics", page.read().decode())
        except OSError:
            # It is down or stopped; the next look finds it.
            return

    def drop_old_backups(self) -> None:
        """Keep the newest backup alone: each is as large as the data folder."""
        kept = sorted(self.backups.iterdir(), key=lambda path: int(path.name))
        for path in kept[:-1]:
            shutil.rmtree(path)
