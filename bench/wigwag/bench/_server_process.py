"""A server to measure: a process of its own, on a data folder that may outlive it."""

import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from wigwag.bench._errors import BenchError
from wigwag.bench._machine import process_cpu_seconds, process_resident_kib

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 40.0
_POLL_SECONDS = 0.02
_READY = re.compile(r"ready on ([^:\s]+):(\d+), .*?(wigwag://\S+)")

Profile = Literal["bench", "default"]

CONFIG = """\
listen = "127.0.0.1:{port}"
data = "{data}"
development = true
registration = "open"
limits_profile = "{profile}"
trusted_networks = [{trusted}]

[log]
format = "json"

[health]
listen = "127.0.0.1:0"

[limits]
{limits}
"""
# Everything on this machine: the generator is many clients of one address.
LOOPBACK = '"127.0.0.0/8"'


class BenchServer:
    """A server, durable and with logs and metrics on; its folder stays when it ends.

    Attributes:
        host: Where it listens.
        port: The same port after every restart, so that clients find it again.
        join: Join string of the newest start.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.host, self.port, self.join = "127.0.0.1", 0, ""

    @property
    def pid(self) -> int:
        """The running process."""
        assert self._process is not None
        return self._process.pid

    def start(
        self,
        profile: Profile = "bench",
        *,
        is_trusting: bool = True,
        limits: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Starts it and waits until clients can come.

        Args:
            profile: Of its limits.
            is_trusting: Bounds by address don't hold for this machine's own clients.
            limits: Bounds other than the profile's.

        Raises:
            BenchError: It did not become ready; the message has its last words.
        """
        config = self._folder / "server.toml"
        config.write_text(
            CONFIG.format(
                data=self._folder / "data",
                port=self.port,
                profile=profile,
                trusted=LOOPBACK if is_trusting else "",
                limits="\n".join(f"{name} = {value}" for name, value in limits.items()),
            ),
            "utf-8",
        )
        output, log = self._folder / "output", self._folder / "log"
        with output.open("wb") as out, log.open("ab") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "wigwag", "serve", "--config", str(config)],
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
            )
        self.host, self.port, self.join = _ready(self._process, output, log)

    def stop(self) -> None:
        """Asks it to drain, and ends it if it doesn't."""
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Ends it as a power cut ends a process: at once, with nothing said."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS_MAX)

    def cpu_seconds(self) -> float:
        """Returns the CPU time it has used, user + system.

        Raises:
            BenchError: It has ended.
        """
        try:
            return process_cpu_seconds(self.pid)
        except ProcessLookupError as error:
            raise BenchError(f"the server ended: {self.last_words()}") from error

    def resident_kib(self) -> int:
        """Returns its resident memory in KiB."""
        return process_resident_kib(self.pid)

    def last_words(self) -> str:
        """Returns the end of its log."""
        return _last_words(self._folder / "log")


@contextmanager
def server_process(profile: Profile = "bench") -> Generator[BenchServer]:
    """Starts a server in a temporary folder; stops it at the end.

    Raises:
        BenchError: It did not become ready; the message has its last words.
    """
    with server_folder() as server:
        server.start(profile)
        yield server


@contextmanager
def server_folder(parent: Path | None = None) -> Generator[BenchServer]:
    """Yields a server that is not started yet; ends it at the end.

    Args:
        parent: Where its folder is made; None: where temporary files belong.
    """
    with tempfile.TemporaryDirectory(prefix="wigwag-bench-", dir=parent) as name:
        server = BenchServer(Path(name))
        try:
            yield server
        finally:
            server.kill()


def _ready(
    process: subprocess.Popen[bytes], output: Path, log: Path
) -> tuple[str, int, str]:
    """Waits for the ready line and returns address and join string in it."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        found = _READY.search(output.read_text("utf-8", errors="replace"))
        if found:
            return found[1], int(found[2]), found[3]
        if process.poll() is not None:
            break
        time.sleep(_POLL_SECONDS)
    raise BenchError("the server did not become ready: " + _last_words(log))


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").strip().splitlines()
    return " | ".join(lines[-5:])
