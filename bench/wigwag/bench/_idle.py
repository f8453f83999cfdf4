"""The work item *idle*: thousands of connections signed in that say nothing.

Memory is the growth of the server's resident set from the first hundred
connections to the last, so that what the first sign-in of all loads isn't
counted. Each repeat is a fresh server process on the same data folder.
"""

import time
from dataclasses import dataclass

from wigwag.bench._account import Account
from wigwag.bench._crowd_jobs import register_crowd
from wigwag.bench._figures import Figure, WorkReport
from wigwag.bench._link import Door
from wigwag.bench._loop import Loop
from wigwag.bench._people import People
from wigwag.bench._server_process import server_folder
from wigwag.bench._worker import Command, Port, Ready, Say, load_processes

FIRST_SHARE_MAX = 100
SETTLE_SECONDS = 1.0
KIB_MUST, KIB_STRETCH = 32, 22
_LONG_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class IdleJob:
    """Who signs in and stays."""

    host: str
    port: int
    accounts: tuple[Account, ...]
    first: int


def run_idle(*, repeat: int, connections: int, seconds: float, say: Say) -> WorkReport:
    """Measures idle connections on a server of its own.

    Args:
        repeat: Fresh servers to measure.
        connections: Signed in at once, 2 or more.
        seconds: Of idleness over which CPU is measured.
        say: Told what is going on.

    Raises:
        BenchError: The server refused, closed or stalled.
    """
    first = min(FIRST_SHARE_MAX, connections // 2)
    kib: list[float] = []
    cpu_share: list[float] = []
    sign_in_seconds: list[float] = []
    with server_folder() as server:
        server.start()
        accounts = tuple(register_crowd(server, connections, say))
        server.stop()
        for number in range(repeat):
            server.start()
            job = IdleJob(server.host, server.port, accounts, first)
            with load_processes(generate_idle, [job]) as (process,):
                process.take(Ready, say)
                before_kib = server.resident_kib()
                start = time.perf_counter()
                process.tell(Command.GO)
                process.take(Ready, say)
                sign_in_seconds.append(time.perf_counter() - start)
                time.sleep(SETTLE_SECONDS)
                kib.append((server.resident_kib() - before_kib) / (connections - first))
                say(f"idling {seconds:g} s, {number + 1} of {repeat}")
                before = server.cpu_seconds()
                time.sleep(seconds)
                cpu_share.append((server.cpu_seconds() - before) / seconds)
                process.tell(Command.STOP)
                process.take(Ready, say)
            server.kill()
    return WorkReport(
        "idle",
        f"{connections:,} connections signed in, {seconds:g} s of silence",
        {"limits_profile": "bench", "connections": connections, "seconds": seconds},
        (
            Figure(
                "server_kib_per_connection",
                "server memory, KiB each",
                tuple(kib),
                "lower",
                KIB_MUST,
                KIB_STRETCH,
            ),
            Figure(
                "server_cpu_percent",
                "server CPU, % of a core",
                tuple(share * 100 for share in cpu_share),
                "lower",
            ),
            Figure("sign_in_seconds", "time to sign all in, s", tuple(sign_in_seconds)),
        ),
    )


def generate_idle(port: Port, job: IdleJob) -> None:
    """Runs in the load process: signs in, and answers PING until told to stop."""
    loop, door = Loop(), Door(job.host, job.port)
    people = People(loop, door, port.progress)
    people.sign_in(job.accounts[: job.first])
    port.say(Ready())
    port.wait()
    people.sign_in(job.accounts[job.first :])
    port.say(Ready())
    port.listen(loop, lambda _: loop.stop())
    loop.run(time.perf_counter() + _LONG_SECONDS)
    # An idle connection that ended has failed the measurement by now.
    port.say(Ready())
