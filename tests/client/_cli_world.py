"""A server process and people on one machine, for tests of the commands."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wigwag.testing import ServerProcess, server_process

RUN_SECONDS_MAX = 60
"""A hang must not hang the tests; nothing here takes a tenth of it."""

PASSPHRASE = "correct horse"  # noqa: S105 - of a profile in a temporary folder


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command did.

    Attributes:
        code: Exit status.
        out: Standard output.
        err: Standard error.
    """

    code: int
    out: str
    err: str

    def values(self) -> list[dict[str, Any]]:
        """Return standard output as JSON objects; fails if it is anything else."""
        return [json.loads(line) for line in self.out.splitlines()]

    def value(self) -> dict[str, Any]:
        """Return the only JSON object."""
        (value,) = self.values()
        return value

    def succeeded(self) -> "Finished":
        """Return itself, or fail with what the command said."""
        assert self.code == 0, f"{self.code}: {self.out}{self.err}"
        return self


class Home:
    """One home folder, and the commands in it.

    Attributes:
        home: Where profiles, logs and the command itself are.
        environment: Of the commands.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        programs = home / "bin"
        programs.mkdir()
        program = programs / "wigwag"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wigwag "$@"\n')
        program.chmod(0o755)
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("WIGWAG_", "XDG_"))
        }
        self.environment = {
            **kept,
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_STATE_HOME": str(home / "state"),
            "WIGWAG_PASSPHRASE": PASSPHRASE,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "TERM": "xterm-256color",
        }

    def profile(self, name: str) -> Path:
        """Return the folder of a profile."""
        return self.home / "data" / "wigwag" / "profiles" / name

    def start(
        self, *arguments: str, environment: dict[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        """Start a command with pipes."""
        return subprocess.Popen(
            [sys.executable, "-m", "wigwag", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.environment, **(environment or {})},
            cwd=self.home,
        )

    def run(
        self,
        *arguments: str,
        given: str | bytes = b"",
        environment: dict[str, str] | None = None,
    ) -> Finished:
        """Run a command to its end.

        Args:
            arguments: After `wigwag`.
            given: Its standard input.
            environment: Variables beside the world's.
        """
        return finish(self.start(*arguments, environment=environment), given)

    def shell(self, line: str, environment: dict[str, str]) -> Finished:
        """Run a line in a shell."""
        done = subprocess.run(  # noqa: S602 - examples of our own help
            line,
            shell=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**self.environment, **environment},
            cwd=self.home,
            timeout=RUN_SECONDS_MAX,
            check=False,
        )
        return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


class World(Home):
    """A home with a server.

    Attributes:
        server: The server.
    """

    def __init__(self, server: ServerProcess, home: Path) -> None:
        super().__init__(home)
        self.server = server

    def register(self, name: str, *options: str) -> None:
        """Make an account.

        Args:
            name: Its name, and its profile's.
            options: "--no-passphrase" where that isn't the point: a passphrase costs
                each later command half a second.
        """
        self.run("register", name, self.invite(), "--json", *options).succeeded()

    def invite(self, uses: int = 1) -> str:
        """Return a join string."""
        arguments = ["admin", "invite", "--data", str(self.server.folder)]
        made = self.run(*arguments, "--uses", str(uses)).succeeded()
        return made.out.strip().splitlines()[-1]


def finish(process: "subprocess.Popen[bytes]", given: str | bytes = b"") -> Finished:
    """Give a process its input and wait until it has ended."""
    data = given.encode() if isinstance(given, str) else given
    try:
        out, err = process.communicate(data, timeout=RUN_SECONDS_MAX)
    finally:
        process.kill()
        process.wait()
    return Finished(process.returncode, out.decode(), err.decode())


@contextlib.contextmanager
def open_world(
    folder: Path, options: tuple[str, ...] = ("--limits-profile", "bench")
) -> Generator[World, None, None]:
    """Start a server for tests of the commands."""
    home = folder / "home"
    home.mkdir()
    with server_process(folder, options=options) as server:
        yield World(server, home)
