"""One server process for all rows, with an honest pair that talks all the while."""

import dataclasses
import json
import threading
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from wigwag.bench.adversary import (
    Harm,
    HonestPairs,
    Sources,
    Target,
    aim,
    honest_target,
)
from wigwag.testing import ServerProcess, server_process

# Deadlines are short so that rows which wait for them are soon done; a loaded
# machine still signs in within them.
CONFIG = """\
development = true
registration = "open"

[limits]
tls_handshake_seconds = 3
auth_seconds = 4
frame_seconds = 1
idle_seconds = 5
pong_seconds = 1
"""
ACCOUNTS = 4
WAIT_SECONDS = 20.0
# What the pair must get through after each row for it to count as unharmed.
MESSAGES_AFTER = 1


class Honest(threading.Thread):
    """The honest pair's own thread."""

    def __init__(self, target: Target) -> None:
        super().__init__(name="honest", daemon=True)
        self.pairs = HonestPairs(target, 1)
        self.failure: Exception | None = None
        self._stop_asked = threading.Event()
        self._moved = threading.Condition()

    def run(self) -> None:
        """Talk until told to stop."""
        try:
            while not self._stop_asked.is_set():
                self.pairs.run(0.1)
                self._tell()
            self.pairs.settle()
        except Exception as error:
            self.failure = error
            self._tell()
            raise

    def _tell(self) -> None:
        with self._moved:
            self._moved.notify_all()

    def goes_on(self) -> Harm:
        """Wait until some messages more were delivered; return what went wrong."""
        goal = self.pairs.sent + MESSAGES_AFTER
        with self._moved:
            moved = self._moved.wait_for(
                lambda: (
                    self.pairs.delivered >= goal
                    or bool(self.pairs.harm)
                    or self.failure is not None
                ),
                WAIT_SECONDS,
            )
        assert moved, "the honest pair is stuck"
        assert self.failure is None
        return self.pairs.harm

    def stop(self) -> Harm:
        """Stop talking, wait for the rest, and return the whole account."""
        self._stop_asked.set()
        self.join(WAIT_SECONDS)
        self.pairs.close()
        return self.pairs.harm


@dataclass(frozen=True, slots=True)
class Scene:
    """A server, an attacker and an honest pair.

    Attributes:
        target: The attacker's view.
        honest: The pair.
        server: The process.
    """

    target: Target
    honest: Honest
    server: ServerProcess

    def failures(self) -> list[str]:
        """Return the server's own failures, of which there must be none."""
        lines = self.server.log_path.read_text("utf-8").splitlines()
        return [
            line
            for line in lines
            if json.loads(line).get("event") in ("session_failed", "connection_failed")
        ]


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Generator[Scene]:
    """One server for every row; at the end nothing of the pair's may be missing."""
    folder: Path = tmp_path_factory.mktemp("adversary")
    config = folder / "server.toml"
    config.write_text(CONFIG, "utf-8")
    with server_process(folder, options=("--config", str(config))) as server:
        honest = Honest(honest_target("127.0.0.1", server.port))
        target = aim("127.0.0.1", server.port, accounts=ACCOUNTS, sources=Sources(101))
        target = dataclasses.replace(target, honest=honest.pairs.accounts)
        honest.start()
        yield Scene(target, honest, server)
        assert honest.stop() == Harm()
        assert server.stop() == 0
