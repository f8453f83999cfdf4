"""Work in steps: the command says go, the load process does one and says what it took.

The server's CPU is read around each step, so a step's figures are its own.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from wigwag.bench._errors import BenchError
from wigwag.bench._loop import Loop
from wigwag.bench._server_process import BenchServer
from wigwag.bench._worker import Command, LoadProcess, Port, Say

# A step that takes longer has stalled; the longest one gets 5,000 devices in.
STEP_SECONDS_MAX = 110.0


@dataclass(frozen=True, slots=True)
class Step:
    """What a step took in the load process.

    Attributes:
        seconds: From its first frame to its last.
        cpu_seconds: Of the load process.
    """

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class MeasuredStep:
    """A step, and what it took the server."""

    seconds: float
    generator_cpu_seconds: float
    server_cpu_seconds: float


def measure_step(process: LoadProcess, server: BenchServer, say: Say) -> MeasuredStep:
    """Lets the load process do its next step, and measures."""
    before = server.cpu_seconds()
    process.tell(Command.GO)
    step = process.take(Step, say)
    return MeasuredStep(step.seconds, step.cpu_seconds, server.cpu_seconds() - before)


def do_step(
    port: Port, loop: Loop, begin: Callable[[float], None], is_done: Callable[[], bool]
) -> None:
    """Waits for the command, does a step on the loop, and tells what it took.

    Raises:
        BenchError: It did not come to its end.
    """
    port.wait()
    cpu, start = time.process_time(), time.perf_counter()
    begin(start)
    if not loop.run_until(is_done, STEP_SECONDS_MAX):
        raise BenchError(f"a step did not end within {STEP_SECONDS_MAX:.0f} s")
    port.say(Step(time.perf_counter() - start, time.process_time() - cpu))
