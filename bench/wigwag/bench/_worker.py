"""Load processes: what loads the server runs beside the command, never inside it.

A work item is a function that runs in a process of its own and speaks with the
command over a pipe: it says what it is at, answers commands, and tells at its end
what it has seen.
"""

import multiprocessing
import resource
import select
import signal
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from wigwag.bench._errors import BenchError
from wigwag.bench._loop import Loop

_Answer = TypeVar("_Answer")
Say = Callable[[str], None]

# A load process that says nothing for this long has failed.
SILENCE_SECONDS_MAX = 120.0
END_SECONDS_MAX = 5.0


class Command(StrEnum):
    """What the command tells a load process."""

    GO = "go"
    MARK = "mark"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Progress:
    """What a load process is at."""

    text: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The set-up is done, or a step of the work is."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The load process failed; the text says why."""

    text: str


class Port:
    """A load process's end of the pipe."""

    def __init__(self, pipe: "Connection[Any, Any]") -> None:
        self._pipe = pipe

    def say(self, message: object) -> None:
        """Tells the command something."""
        self._pipe.send(message)

    def progress(self, text: str) -> None:
        """Tells what we are at."""
        self._pipe.send(Progress(text))

    def wait(self) -> Command:
        """Waits for a command, doing nothing else."""
        command = self._pipe.recv()
        assert isinstance(command, Command)
        return command

    def listen(self, loop: Loop, on_command: Callable[[Command], None]) -> None:
        """Calls back with each command while the loop runs."""

        def ready(events: int, now: float) -> None:
            if self._pipe.poll():
                on_command(self.wait())

        loop.watch(self._pipe.fileno(), select.EPOLLIN, ready)


Work = Callable[[Port, Any], None]


class LoadProcess:
    """The command's end: one load process."""

    def __init__(self, work: Work, job: object) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_run, args=(work, job, theirs), daemon=True
        )
        self._process.start()
        theirs.close()

    def tell(self, command: Command) -> None:
        """Sends a command."""
        try:
            self._pipe.send(command)
        except OSError:
            # It has ended; `take` finds its last words in the pipe.
            return

    def take(self, kind: type[_Answer], say: Say) -> _Answer:
        """Waits for an answer; what the process is at goes to `say`.

        Raises:
            BenchError: The process failed, ended, or said nothing for too long.
        """
        while self._pipe.poll(SILENCE_SECONDS_MAX):
            try:
                message = self._pipe.recv()
            except EOFError:
                raise BenchError("a load process ended without a word") from None
            match message:
                case Progress(text):
                    say(text)
                case Failure(text):
                    raise BenchError(text)
                case _ if isinstance(message, kind):
                    return message
                case _:
                    raise BenchError(f"a load process said {message!r}")
        raise BenchError(f"a load process said nothing for {SILENCE_SECONDS_MAX:.0f} s")

    def end(self) -> None:
        """Ends the process."""
        self._pipe.close()
        self._process.terminate()
        self._process.join(END_SECONDS_MAX)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(END_SECONDS_MAX)


@contextmanager
def load_processes(
    work: Work, jobs: Sequence[object]
) -> Generator[Sequence[LoadProcess]]:
    """Starts a load process for each job; ends them all at the end."""
    processes: list[LoadProcess] = []
    try:
        processes.extend(LoadProcess(work, job) for job in jobs)
        yield processes
    finally:
        for process in processes:
            process.end()


def raise_descriptors() -> int:
    """Allows this process as many descriptors as the system does; returns that."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _run(work: Work, job: object, pipe: "Connection[Any, Any]") -> None:
    # Ctrl-C goes to the command, which ends its load processes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_descriptors()
    try:
        work(Port(pipe), job)
    except (EOFError, BrokenPipeError):
        # The command has ended: there is nobody to tell.
        return
    except BenchError as error:
        pipe.send(Failure(str(error)))
    except Exception:
        pipe.send(Failure("a load process failed:\n" + traceback.format_exc()))
