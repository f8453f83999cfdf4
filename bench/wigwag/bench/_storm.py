"""The work item *storm*: thousands of clients come back after a server restart.

Measured with limits profile `default` and the loopback as a trusted network: the
bounds of the whole process stay (500 handshakes a second, 512 unauthenticated
connections). Clients wait as the specification says: full jitter from 0.25 s
doubling to 30 s. Honest pairs write all along, and come back like everybody else.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from wigwag.bench._account import Account
from wigwag.bench._client import Client
from wigwag.bench._crowd_jobs import register_crowd
from wigwag.bench._errors import BenchError
from wigwag.bench._figures import Figure, WorkReport, percentile
from wigwag.bench._honest import HonestPair
from wigwag.bench._link import Door
from wigwag.bench._loop import Loop
from wigwag.bench._server_process import BenchServer, server_folder
from wigwag.bench._worker import (
    Command,
    LoadProcess,
    Port,
    Ready,
    Say,
    load_processes,
)

HONEST_PAIRS = 8
# Who isn't back by then never will be.
BACK_SECONDS_MAX = 110.0
CALM_SECONDS = 3.0
BACK_SECONDS_MUST, BACK_SECONDS_STRETCH = 20.0, 10.0
ACK_MS_MUST = 1_000.0


@dataclass(frozen=True, slots=True)
class StormJob:
    """Who is connected, and who of them writes."""

    host: str
    port: int
    accounts: tuple[Account, ...]
    honest: tuple[Account, ...]
    rounds: int


@dataclass(frozen=True, slots=True)
class Storm:
    """What one storm looked like; moments are of `time.perf_counter`.

    Attributes:
        last_back_at: When the last client was signed in again.
        tries: Connections begun by all clients together.
        acks_seconds: SEND to SEQUENCED of the honest pairs meanwhile.
        cpu_seconds: Of the load process.
    """

    last_back_at: float
    tries: int
    acks_seconds: tuple[float, ...]
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class _Measured:
    """A storm against the moments of the restart, in seconds."""

    from_end: float
    from_ready: float
    storm: Storm


def run_storm(*, repeat: int, connections: int, say: Say) -> WorkReport:
    """Restarts a server of its own under its clients, killed and drained by turns.

    Raises:
        BenchError: Clients did not come back, or an honest message was lost.
    """
    killed: list[_Measured] = []
    drained: list[_Measured] = []
    with server_folder() as server:
        server.start("bench")
        accounts = tuple(register_crowd(server, connections, say))
        honest = register_crowd(server, 2 * HONEST_PAIRS, say, is_reachable=True)
        server.stop()
        server.start("default")
        job = StormJob(server.host, server.port, accounts, tuple(honest), 2 * repeat)
        with load_processes(generate_storm, [job]) as (process,):
            process.take(Ready, say)
            for number in range(repeat):
                say(f"kill -9, {number + 1} of {repeat}")
                killed.append(_restart(process, server, say, is_killed=True))
                say(f"drain, {number + 1} of {repeat}")
                drained.append(_restart(process, server, say, is_killed=False))
    return WorkReport(
        "storm",
        f"{connections:,} clients come back after a restart",
        {
            "limits_profile": "default",
            "trusted_networks": "127.0.0.0/8",
            "connections": connections,
            "honest_pairs": HONEST_PAIRS,
        },
        (
            *_figures("killed", "kill -9", killed, connections),
            *_figures("drained", "drain", drained, connections),
        ),
    )


def _restart(
    process: LoadProcess, server: BenchServer, say: Say, *, is_killed: bool
) -> _Measured:
    process.tell(Command.GO)
    process.take(Ready, say)
    time.sleep(CALM_SECONDS)
    process.tell(Command.MARK)
    process.take(Ready, say)
    began = time.perf_counter()
    if is_killed:
        server.kill()
    else:
        server.stop()
    server.start("default")
    ready = time.perf_counter()
    storm = process.take(Storm, say)
    return _Measured(storm.last_back_at - began, storm.last_back_at - ready, storm)


def generate_storm(port: Port, job: StormJob) -> None:
    """Runs in the load process."""
    crowd = _Returners(port, job)
    crowd.gather()
    port.say(Ready())
    for _ in range(job.rounds):
        crowd.calm()
        crowd.weather()


class _Returners:
    """All clients of the load process."""

    def __init__(self, port: Port, job: StormJob) -> None:
        self._port = port
        self._loop = Loop()
        door = Door(job.host, job.port)
        self._back: set[Client] = set()
        self._last_back_at = 0.0
        self._clients = [
            Client(self._loop, door, account, self._came) for account in job.accounts
        ]
        sources, targets = job.honest[::2], job.honest[1::2]
        self._pairs = [
            HonestPair(self._loop, door, source, target)
            for source, target in zip(sources, targets, strict=True)
        ]
        self._commands: list[Command] = []
        port.listen(self._loop, self._commands.append)

    def gather(self) -> None:
        """Gets everybody in for the first time, paced as the server admits them."""
        now = time.perf_counter()
        everybody = [*self._clients, *(c for p in self._pairs for c in p.clients)]
        for client in everybody:
            client.wait(now)
        self._until_back("signing in")
        self._wait_for(lambda: all(c.link is not None for c in everybody))
        for pair in self._pairs:
            pair.begin(time.perf_counter())

    def calm(self) -> None:
        """Waits for the command, and lets the honest pairs write undisturbed."""
        self._wait_for(lambda: Command.GO in self._commands)
        self._commands.clear()
        self._port.say(Ready())
        self._wait_for(lambda: Command.MARK in self._commands)
        self._commands.clear()

    def weather(self) -> None:
        """Sits the restart out, and tells how it was."""
        for client in self._clients:
            client.steady()
        for pair in self._pairs:
            for client in pair.clients:
                client.steady()
        tries = sum(client.tries for client in self._clients)
        cpu, began = time.process_time(), time.perf_counter()
        self._back.clear()
        self._port.say(Ready())
        self._until_back("coming back")
        self._wait_for(lambda: all(pair.is_settled for pair in self._pairs))
        acks = tuple(
            seconds
            for pair in self._pairs
            for when, seconds in pair.latencies
            if began <= when <= self._last_back_at
        )
        self._port.say(
            Storm(
                self._last_back_at,
                sum(client.tries for client in self._clients) - tries,
                acks,
                time.process_time() - cpu,
            )
        )

    def _came(self, client: Client) -> None:
        self._back.add(client)
        self._last_back_at = time.perf_counter()

    def _until_back(self, what: str) -> None:
        total = len(self._clients)
        deadline = time.perf_counter() + BACK_SECONDS_MAX
        while len(self._back) < total:
            if time.perf_counter() > deadline:
                raise BenchError(
                    f"{total - len(self._back)} of {total} clients did not come back "
                    f"within {BACK_SECONDS_MAX:.0f} s"
                )
            self._port.progress(f"{what}: {len(self._back):,} of {total:,}")
            self._loop.run_until(lambda: len(self._back) == total, 1.0)

    def _wait_for(self, is_done: Callable[[], bool]) -> None:
        if not self._loop.run_until(is_done, BACK_SECONDS_MAX):
            raise BenchError("the storm did not settle")


def _figures(
    name: str, label: str, measured: list[_Measured], connections: int
) -> tuple[Figure, ...]:
    acks = [sorted(one.storm.acks_seconds) for one in measured]
    return (
        Figure(
            f"{name}_last_back_seconds",
            f"{label}: last one back, s from ready",
            tuple(one.from_ready for one in measured),
            "lower",
            BACK_SECONDS_MUST,
            BACK_SECONDS_STRETCH,
        ),
        Figure(
            f"{name}_away_seconds",
            f"{label}: last one back, s from its end",
            tuple(one.from_end for one in measured),
            "lower",
        ),
        Figure(
            f"{name}_honest_ack_p99_ms",
            f"{label}: honest p99 meanwhile, ms",
            tuple(percentile(times, 99) * 1000 for times in acks),
            "lower",
            ACK_MS_MUST,
        ),
        Figure(
            f"{name}_honest_acks",
            f"{label}: honest messages meanwhile",
            tuple(float(len(times)) for times in acks),
        ),
        Figure(
            f"{name}_tries_per_client",
            f"{label}: connections begun by each",
            tuple(one.storm.tries / connections for one in measured),
        ),
        Figure(
            f"{name}_generator_cpu_ms",
            f"{label}: generator CPU, ms each",
            tuple(one.storm.cpu_seconds / connections * 1000 for one in measured),
        ),
    )
