"""People as processes: started, killed, stopped, continued, started again."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.durability._crash import ROOT, environment

END_SECONDS_MAX = 60.0
BACKENDS = ("trio", "asyncio")


class PersonProcess:
    """One profile and, most of the time, the process that has it open.

    Attributes:
        name: Who it is.
        peer: Whom he talks to.
        profile: The folder.
        passphrase: Of the profile.
        lives: How many processes there were.

    Args:
        folder: Where profiles, journals and the stage lie.
        number: Which one: people 2n and 2n + 1 talk to each other.
        word: Is in every text.
        pace_seconds: Per message, on average.
    """

    def __init__(
        self, folder: Path, number: int, word: str, pace_seconds: float
    ) -> None:
        self.name = f"person{number}"
        self.peer = f"person{number ^ 1}"
        self.profile = folder / self.name
        self.passphrase = f"open {os.urandom(12).hex()}"
        self.lives = 0
        self.stderr = folder / f"{self.name}.stderr"
        self._word = word
        self._pace_seconds = pace_seconds
        self._number = number
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id; None: there is none."""
        return None if self._process is None else self._process.pid

    @property
    def journal(self) -> Path:
        """What he wrote down."""
        return self.profile.with_suffix(".journal")

    @property
    def history(self) -> Path:
        """What his store held in the end."""
        return self.profile.with_suffix(".history")

    def start(self, seed: int) -> None:
        """Start a life."""
        assert self._process is None
        self.lives += 1
        command = [
            sys.executable,
            "-m",
            "tests.soak._person_process",
            str(self.profile),
            self.peer,
            BACKENDS[(self._number + self.lives) % 2],
            f"{seed + self.lives}",
            f"{self._pace_seconds}",
        ]
        secret = {
            "WIGWAG_PASSPHRASE": self.passphrase,
            "WIGWAG_SOAK_WORD": self._word,
        }
        with self.stderr.open("ab") as stderr:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(**secret),
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
            )

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(END_SECONDS_MAX)
            self._process = None

    def stop(self, *, is_stopped: bool) -> None:
        """Stop or continue it."""
        if self._process is not None:
            number = signal.SIGSTOP if is_stopped else signal.SIGCONT
            self._process.send_signal(number)

    def ended(self) -> int | None:
        """Return the exit status of a life that ended by itself; None: it goes on."""
        return None if self._process is None else self._process.poll()

    def wait(self) -> int:
        """Wait for the end that the stage asks for; return the exit status.

        Raises:
            subprocess.TimeoutExpired: It takes too long.
        """
        assert self._process is not None
        status = self._process.wait(END_SECONDS_MAX)
        self._process = None
        return status

    def journal_bytes(self) -> int:
        """Return how much he wrote down so far."""
        with contextlib.suppress(FileNotFoundError):
            return self.journal.stat().st_size
        return 0
