"""The work items *pairs*, *wide* and *single*: pairs with a window each.

The set-up registers two accounts for each pair. Then the load runs without a
pause; after a warm-up it is cut into measured windows, one for each repeat.
"""

import itertools
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from wigwag.bench._errors import BenchError
from wigwag.bench._figures import Better, Figure, WorkReport, percentile
from wigwag.bench._link import Door
from wigwag.bench._loop import Loop
from wigwag.bench._pair import BODY_BYTES, Receiver, Sender, Tally, number_offset
from wigwag.bench._people import People
from wigwag.bench._server_process import server_process
from wigwag.bench._worker import (
    Command,
    LoadProcess,
    Port,
    Ready,
    Say,
    load_processes,
)

WARM_UP_SECONDS = 2.0
# How often owed ACKs are looked at; a fifth of the time a client may wait.
ACK_SWEEP_SECONDS = 0.01
_LONG_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What to run.

    Attributes:
        work: Name of the work item.
        pairs: Senders, and as many receivers.
        window: Messages in flight for each pair, 1 or more.
        processes: Load processes that share the pairs.
        goals: must and stretch by figure.
    """

    work: str
    pairs: int
    window: int
    goals: dict[str, tuple[float, float | None]]
    processes: int = 1


PAIRS = Traffic(
    "pairs",
    50,
    16,
    {
        "messages_per_second": (25_000, 50_000),
        "server_cpu_us_per_message": (35, 18),
        "delivered_p50_ms": (35, None),
    },
)
WIDE = Traffic(
    "wide",
    800,
    1,
    {
        "messages_per_second": (7_000, 10_000),
        "server_cpu_us_per_message": (110, 80),
    },
)
SINGLE = Traffic(
    "single",
    1,
    1,
    {"delivered_p50_ms": (0.8, 0.5), "delivered_p99_ms": (2, 1)},
)


@dataclass(frozen=True, slots=True)
class TrafficJob:
    """What one load process does."""

    host: str
    port: int
    pairs: int
    window: int


@dataclass(frozen=True, slots=True)
class Window:
    """What one load process saw between two marks; latencies in seconds."""

    seconds: float
    cpu_seconds: float
    sequenced: "array[float]"
    delivered: "array[float]"


@dataclass(frozen=True, slots=True)
class Windows:
    """All windows of one load process."""

    windows: tuple[Window, ...]


def run_traffic(
    traffic: Traffic, *, repeat: int, seconds: float, say: Say
) -> WorkReport:
    """Loads a server of its own and measures.

    Args:
        traffic: Sizes and goals.
        repeat: Windows to measure.
        seconds: Length of each.
        say: Told what is going on.

    Raises:
        BenchError: The server refused, closed or stalled, or an order was broken.
    """
    with server_process() as server:
        jobs = [
            TrafficJob(server.host, server.port, share, traffic.window)
            for share in shares(traffic.pairs, traffic.processes)
        ]
        with load_processes(generate_traffic, jobs) as processes:
            for process in processes:
                process.take(Ready, say)
            tell_all(processes, Command.GO)
            say("warming up")
            time.sleep(min(WARM_UP_SECONDS, seconds))
            server_cpu = [server.cpu_seconds()]
            tell_all(processes, Command.MARK)
            for number in range(repeat):
                say(f"measuring {number + 1} of {repeat}")
                time.sleep(seconds)
                server_cpu.append(server.cpu_seconds())
                tell_all(processes, Command.MARK)
            tell_all(processes, Command.STOP)
            seen = [process.take(Windows, say).windows for process in processes]
        resident_kib = server.resident_kib()
    spent = [after - before for before, after in itertools.pairwise(server_cpu)]
    figures = _figures(traffic, list(zip(*seen, strict=True)), spent)
    return WorkReport(
        traffic.work,
        f"{_pairs(traffic.pairs)}, window {traffic.window}, {BODY_BYTES}-byte bodies, "
        "TLS 1.3, every answer after fsync",
        {
            "limits_profile": "bench",
            "pairs": traffic.pairs,
            "window": traffic.window,
            "body_bytes": BODY_BYTES,
            "seconds": seconds,
            "load_processes": traffic.processes,
        },
        (
            *figures,
            Figure("server_resident_kib", "server memory, KiB", (resident_kib,)),
        ),
    )


def _pairs(count: int) -> str:
    return "1 pair" if count == 1 else f"{count:,} pairs"


def shares(total: int, parts: int) -> list[int]:
    """Shares a number out as evenly as it goes, leaving empty shares out."""
    return [
        share
        for part in range(parts)
        if (share := total * (part + 1) // parts - total * part // parts)
    ]


def tell_all(processes: Sequence[LoadProcess], command: Command) -> None:
    """Sends a command to all load processes."""
    for process in processes:
        process.tell(command)


def generate_traffic(port: Port, job: TrafficJob) -> None:
    """Runs in the load process: registers, loads, and tells what it saw."""
    loop, door, tally = Loop(), Door(job.host, job.port), Tally()
    crowd = People(loop, door, port.progress).register(2 * job.pairs)
    offset = number_offset(crowd.links[0].revision)
    senders: list[Sender] = []
    for index in range(job.pairs):
        source, target = index, job.pairs + index
        sender = Sender(
            crowd.links[source],
            crowd.accounts[source],
            crowd.accounts[target],
            job.window,
            tally,
        )
        senders.append(sender)
        Receiver(crowd.links[target], sender, tally, offset)
    port.say(Ready())
    port.wait()
    marks: list[tuple[float, float, int, int]] = []

    def on_command(command: Command) -> None:
        if command is Command.STOP:
            loop.stop()
            return
        if marks and marks[-1][3] == len(tally.delivered):
            raise BenchError("nothing was delivered in a whole window")
        marks.append(
            (
                time.perf_counter(),
                time.process_time(),
                len(tally.sequenced),
                len(tally.delivered),
            )
        )

    port.listen(loop, on_command)
    sweep_acks(loop, tally)
    for sender in senders:
        sender.fill(time.perf_counter())
    loop.run(time.perf_counter() + _LONG_SECONDS)
    port.say(
        Windows(
            tuple(
                Window(
                    after[0] - before[0],
                    after[1] - before[1],
                    tally.sequenced[before[2] : after[2]],
                    tally.delivered[before[3] : after[3]],
                )
                for before, after in itertools.pairwise(marks)
            )
        )
    )


def sweep_acks(loop: Loop, tally: Tally) -> None:
    """Lets receivers send the ACK that they owe when its time has come."""

    def sweep(now: float) -> None:
        for receiver in tuple(tally.unacknowledged):
            receiver.acknowledge(now)
        loop.call_at(now + ACK_SWEEP_SECONDS, sweep)

    loop.call_at(time.perf_counter() + ACK_SWEEP_SECONDS, sweep)


def _figures(
    traffic: Traffic,
    by_repeat: list[tuple[Window, ...]],
    server_cpu: list[float],
) -> tuple[Figure, ...]:
    """Puts the windows of all load processes together."""
    rates: list[float] = []
    columns: dict[str, list[float]] = {}
    for windows, cpu in zip(by_repeat, server_cpu, strict=True):
        messages = sum(len(window.delivered) for window in windows)
        rates.append(sum(len(w.delivered) / w.seconds for w in windows))
        row = {
            "server_cpu_us_per_message": cpu / messages * 1e6,
            "server_cpu_share": cpu / windows[0].seconds,
            "generator_cpu_us_per_message": (
                sum(window.cpu_seconds for window in windows) / messages * 1e6
            ),
            "generator_cpu_share": sum(w.cpu_seconds / w.seconds for w in windows),
        }
        for name in ("sequenced", "delivered"):
            times = sorted(t for window in windows for t in getattr(window, name))
            row[f"{name}_p50_ms"] = percentile(times, 50) * 1000
            row[f"{name}_p99_ms"] = percentile(times, 99) * 1000
        for key, value in row.items():
            columns.setdefault(key, []).append(value)
    columns["messages_per_second"] = rates

    def figure(name: str, label: str, better: Better) -> Figure:
        must, stretch = traffic.goals.get(name, (None, None))
        return Figure(name, label, tuple(columns[name]), better, must, stretch)

    return (
        figure("messages_per_second", "messages/s", "higher"),
        figure("server_cpu_us_per_message", "server CPU, µs each", "lower"),
        figure("sequenced_p50_ms", "SEND to SEQUENCED p50, ms", "lower"),
        figure("sequenced_p99_ms", "SEND to SEQUENCED p99, ms", "lower"),
        figure("delivered_p50_ms", "SEND to DELIVER p50, ms", "lower"),
        figure("delivered_p99_ms", "SEND to DELIVER p99, ms", "lower"),
        figure("server_cpu_share", "server CPU, cores", ""),
        figure("generator_cpu_us_per_message", "generator CPU, µs each", ""),
        figure("generator_cpu_share", "generator CPU, cores", ""),
    )
