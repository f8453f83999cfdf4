"""A server to measure: its own process, its own data folder, limits profile `bench`."""

import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wigwag.bench._device import BenchError

START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 30.0
_POLL_SECONDS = 0.05
_JOIN = re.compile(r"wigwag://([^:/\s]+):(\d+)/")

CONFIG = """\
listen = "127.0.0.1:0"
data = "{data}"
development = true
registration = "open"
limits_profile = "bench"

[log]
format = "json"
"""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server."""

    pid: int
    host: str
    port: int


@contextmanager
def server_process() -> Generator[ServerProcess]:
    """Starts a server, durable and with logs and metrics on; stops it at the end.

    Raises:
        BenchError: It did not become ready; the message has its last words.
    """
    with tempfile.TemporaryDirectory(prefix="wigwag-bench-") as name:
        folder = Path(name)
        config = folder / "server.toml"
        config.write_text(CONFIG.format(data=folder / "data"), "utf-8")
        output, log = folder / "output", folder / "log"
        with output.open("wb") as out, log.open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "wigwag", "serve", "--config", str(config)],
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
            )
        try:
            host, port = _ready(process, output, log)
            yield ServerProcess(process.pid, host, port)
        finally:
            _stop(process)


def _ready(
    process: subprocess.Popen[bytes], output: Path, log: Path
) -> tuple[str, int]:
    """Waits for the ready line and returns the address in it."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        found = _JOIN.search(output.read_text("utf-8", errors="replace"))
        if found:
            return found[1], int(found[2])
        if process.poll() is not None:
            break
        time.sleep(_POLL_SECONDS)
    words = log.read_text("utf-8", errors="replace").strip().splitlines()[-5:]
    raise BenchError("the server did not become ready: " + " | ".join(words))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Asks the server to drain, and ends it if it doesn't."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS_MAX)
