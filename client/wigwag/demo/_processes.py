"""The processes of the demonstration: a server and the clients, each a `wigwag`."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Final, cast

import anyio
import anyio.to_thread
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

START_SECONDS: Final = 30.0
"""For a process to say its first word, on a slow and busy machine."""

STOP_SECONDS: Final = 40.0
"""For a server to drain (25 s at most), or a client to empty its queue."""

LINE_BYTES_MAX: Final = 256 * 1024

_READY: Final = re.compile(r"^ready on (?P<host>\S+):(?P<port>\d+), .*")
_JOIN: Final = re.compile(r"wigwag://\S+")


class StageError(Exception):
    """A process of the demonstration didn't do what it must; the text says what."""


class Program:
    """One running `wigwag` process.

    Attributes:
        process: The process.
    """

    def __init__(self, process: Process) -> None:
        self.process = process
        assert process.stdout is not None
        self._lines = BufferedByteReceiveStream(process.stdout)

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    async def line(self) -> str | None:
        """Return the next line of its standard output; None: it has ended."""
        try:
            line = await self._lines.receive_until(b"\n", LINE_BYTES_MAX)
        except (anyio.EndOfStream, anyio.IncompleteRead):
            return None
        return line.decode("utf-8")

    async def write(self, line: str) -> None:
        """Write a line to its standard input.

        Raises:
            StageError: It doesn't read any more.
        """
        assert self.process.stdin is not None
        try:
            await self.process.stdin.send(line.encode("utf-8") + b"\n")
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError) as error:
            raise StageError(f"process {self.pid} reads no more") from error

    async def close_input(self) -> None:
        """End its standard input."""
        if self.process.stdin is not None:
            await self.process.stdin.aclose()

    async def wait(self) -> int:
        """Wait until it has ended; return its exit status.

        Raises:
            StageError: It takes too long.
        """
        with anyio.move_on_after(STOP_SECONDS):
            return await self.process.wait()
        raise StageError(f"process {self.pid} doesn't end")

    async def kill(self) -> None:
        """End it with SIGKILL: it can't tidy up, as in a crash or a power cut."""
        self.process.kill()
        await self.process.wait()


class Commands:
    """Starts `wigwag` commands in the demonstration's folder.

    Args:
        folder: Where everything is.
        environment: Variables beside this process' own.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("WIGWAG_")
        }
        self.environment = {**kept, **environment}

    async def start(
        self, arguments: list[str], log: Path, more: Mapping[str, str] | None = None
    ) -> Program:
        """Start a command whose standard error goes to a log."""
        with log.open("ab") as errors:
            process = await anyio.open_process(
                [sys.executable, "-m", "wigwag", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=cast("IO[bytes]", errors),
                env={**self.environment, **(more or {})},
            )
        return Program(process)

    async def run(
        self, arguments: list[str], log: Path, more: Mapping[str, str] | None = None
    ) -> list[dict[str, object]]:
        """Run a command with `--json` to its end and return what it wrote.

        Raises:
            StageError: It failed; the text holds its own words.
        """
        program = await self.start([*arguments, "--json"], log, more)
        values: list[dict[str, object]] = []
        try:
            await program.close_input()
            with anyio.move_on_after(STOP_SECONDS):
                while (line := await program.line()) is not None:
                    values.append(json.loads(line))
            exit_code = await program.wait()
        except BaseException:
            if program.process.returncode is None:
                program.process.kill()
            raise
        if exit_code:
            words = values[-1] if values else _tail(log)
            raise StageError(f"wigwag {arguments[0]} ended with {exit_code}: {words}")
        return values


class Server:
    """The server: killed and started again on the same folder and port.

    Args:
        commands: Its environment.
        folder: Where its data, log and trace go.
    """

    def __init__(self, commands: Commands, folder: Path) -> None:
        self._commands = commands
        # Not an event loop's process: that would be killed with the loop, and --keep
        # leaves the server running.
        self._process: subprocess.Popen[bytes] | None = None
        self.data = folder / "server"
        self.log = folder / "server.log"
        self.trace = folder / "frames.jsonl"
        self.address = "127.0.0.1:0"
        self.join = ""
        self.starts = 0

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None, "it isn't running"
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until clients can come.

        Raises:
            StageError: It ended, or said nothing for too long.
        """
        assert self._process is None, "it is running"
        arguments = ["serve", "--data", str(self.data), "--listen", self.address]
        arguments += ["--health", "off", "--log-format", "json", "--log-level", "debug"]
        traced = {
            "WIGWAG_SERVER_DEVELOPMENT": "true",
            "WIGWAG_SERVER_TRACE_FRAMES": str(self.trace),
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - see __init__
                [sys.executable, "-m", "wigwag", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**self._commands.environment, **traced},
                # Ctrl-C ends the demonstration, which then ends the server.
                start_new_session=True,
            )
        ready = _READY.match(await self._first_line())
        if ready is None:
            await self.kill()
            raise StageError(f"the server isn't ready; its log ends: {_tail(self.log)}")
        self.address = f"{ready['host']}:{ready['port']}"
        self.starts += 1
        join = _JOIN.search(ready[0])
        if join is not None and not self.join:
            self.join = join[0]

    async def kill(self) -> None:
        """End it with SIGKILL."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """End it gracefully, with SIGTERM; return its exit status."""
        return await self._end(signal.SIGTERM)

    def leave_running(self) -> None:
        """Forget the process: it goes on when the demonstration is over."""
        self._process = None

    async def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        assert process.stdout is not None
        process.stdout.close()
        return await anyio.to_thread.run_sync(process.wait, STOP_SECONDS)

    async def _first_line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        line = b""
        with anyio.move_on_after(START_SECONDS):
            while b"\n" not in line and len(line) < LINE_BYTES_MAX:
                await anyio.wait_readable(descriptor)
                chunk = os.read(descriptor, 4096)
                if not chunk:
                    break
                line += chunk
        return line.decode("utf-8", "replace")


@asynccontextmanager
async def open_server(commands: Commands, folder: Path) -> AsyncGenerator[Server, None]:
    """Start a server; what is left of it at the end is killed."""
    server = Server(commands, folder)
    try:
        await server.start()
        yield server
    finally:
        with anyio.CancelScope(shield=True):
            await server.kill()


def _tail(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-500:].strip() or "(empty)"
