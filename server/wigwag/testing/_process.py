"""A server as a process of its own: it can be killed, and started again."""

import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import IO, Self

START_SECONDS = 60.0
STOP_SECONDS = 40.0
LINE_BYTES_MAX = 65_536

_READY = re.compile(
    r"^ready on (?P<address>\S+:(?P<port>\d+)), .*?(?P<join>wigwag://\S+)"
)


class ServerNotReadyError(Exception):
    """The process ended, or said nothing, instead of printing its ready line.

    Attributes:
        what: What is wrong.
        exit_code: Its exit status; None: it still ran.
    """

    def __init__(self, what: str, exit_code: int | None) -> None:
        super().__init__(what)
        self.what = what
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[type[Self], tuple[str, int | None]]:
        """Let it get across processes: without this, a pool of them would break."""
        return type(self), (self.what, self.exit_code)


class ServerProcess:
    """One data folder and, most of the time, a process that serves it.

    All methods block: in an event loop call them in a thread. The first start takes
    a free port, later ones the same one.

    Attributes:
        folder: The data folder.
        join: Join string of the newest ready line; with an invite as long as nobody
            has registered.
        port: Where it listens.
        log_path: What it wrote to standard error, of all its runs.
    """

    def __init__(
        self,
        folder: Path,
        *,
        options: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder / "data"
        self.log_path = folder / "server.log"
        self.join = ""
        self.port = 0
        self._options = options
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None, "the server isn't running"
        return self._process.pid

    def start(self, *, within_seconds: float = START_SECONDS) -> str:
        """Start and wait until clients can come; return the join string.

        A process that is not ready in time is killed.

        Raises:
            ServerNotReadyError: It ended or took too long; the log's end is quoted.
        """
        assert self._process is None, "the server is running"
        command = [
            sys.executable,
            "-m",
            "wigwag",
            "serve",
            "--data",
            str(self.folder),
            "--listen",
            f"127.0.0.1:{self.port}",
            "--health",
            "off",
            "--log-format",
            "json",
            *self._options,
        ]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
            )
        assert self._process.stdout is not None
        line = _read_line(self._process.stdout, within_seconds)
        match = _READY.match(line)
        if match is None:
            exit_code = self.kill()
            end = self.log_path.read_text("utf-8", "replace")[-1_000:]
            raise ServerNotReadyError(f"no ready line; the log ends: {end}", exit_code)
        self.port = int(match["port"])
        self.join = match["join"]
        return self.join

    def kill(self) -> int:
        """End it with SIGKILL, as a crash does; return its exit status."""
        return self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it with SIGTERM, gracefully; return its exit status."""
        return self._end(signal.SIGTERM)

    def send_signal(self, number: int) -> None:
        """Send any signal."""
        assert self._process is not None, "the server isn't running"
        self._process.send_signal(number)

    def wait(self, timeout_seconds: float = STOP_SECONDS) -> int:
        """Wait until it has ended by itself; return its exit status."""
        process = self._process
        assert process is not None, "the server isn't running"
        exit_code = process.wait(timeout_seconds)
        if process.stdout is not None:
            process.stdout.close()
        self._process = None
        return exit_code

    def _end(self, number: signal.Signals) -> int:
        process = self._process
        if process is None:
            return 0
        process.send_signal(number)
        return self.wait()


@contextlib.contextmanager
def server_process(
    folder: Path | None = None,
    *,
    options: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> Generator[ServerProcess, None, None]:
    """Start a server process; kill what is left of it at the end.

    Args:
        folder: Where its data and log go; None: a temporary folder.
        options: More options of `wigwag serve`.
        environment: Variables beside this process' own.
    """
    with contextlib.ExitStack() as stack:
        path = folder or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="wigwag-"))
        )
        process = ServerProcess(path, options=options, environment=environment)
        stack.callback(process.kill)
        process.start()
        yield process


def _read_line(stream: IO[bytes], timeout_seconds: float) -> str:
    """Read one line, or what there is when it ends or takes too long."""
    descriptor = stream.fileno()
    line = bytearray()
    deadline = time.monotonic() + timeout_seconds
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while b"\n" not in line and len(line) < LINE_BYTES_MAX:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                break
            data = os.read(descriptor, 4_096)
            if not data:
                break
            line += data
    return line.decode("utf-8", "replace")
