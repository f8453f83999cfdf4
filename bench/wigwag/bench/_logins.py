"""The work item *logins*: TLS handshake, HELLO and AUTH; full and resumed."""

import ssl
from dataclasses import dataclass

from wigwag.bench._entrance import Entrance, must_not_fail
from wigwag.bench._errors import BenchError
from wigwag.bench._figures import Figure, WorkReport
from wigwag.bench._link import Door, Link
from wigwag.bench._loop import Loop
from wigwag.bench._people import Crowd, People
from wigwag.bench._server_process import server_process
from wigwag.bench._steps import MeasuredStep, do_step, measure_step
from wigwag.bench._worker import Port, Ready, Say, load_processes
from wigwag.wire import AuthOk

LOGINS = 1_000
# Logins under way at once: the server always has one to work on.
CONCURRENCY = 8
# Devices that take turns; a device must be gone before it comes again.
ACCOUNTS = 64
CPU_MS_MUST, CPU_MS_STRETCH = 1.0, 0.7


@dataclass(frozen=True, slots=True)
class LoginsJob:
    """What the load process does; each repeat is a full and a resumed step."""

    host: str
    port: int
    logins: int
    repeat: int


def run_logins(*, repeat: int, logins: int, say: Say) -> WorkReport:
    """Signs in on a server of its own, over and over.

    Raises:
        BenchError: The server refused, stalled, or did not resume.
    """
    full: list[MeasuredStep] = []
    resumed: list[MeasuredStep] = []
    with server_process() as server:
        job = LoginsJob(server.host, server.port, logins, repeat + 1)
        with load_processes(generate_logins, [job]) as (process,):
            process.take(Ready, say)
            for number in range(repeat + 1):
                say(f"full handshakes, round {number} of {repeat}")
                full.append(measure_step(process, server, say))
                say(f"resumed handshakes, round {number} of {repeat}")
                resumed.append(measure_step(process, server, say))
    # The first round warms up.
    return WorkReport(
        "logins",
        f"{logins:,} sign-ins, {CONCURRENCY} at a time: TLS 1.3, HELLO, AUTH",
        {"limits_profile": "bench", "logins": logins, "concurrency": CONCURRENCY},
        (
            *_figures("full", full[1:], logins),
            *_figures("resumed", resumed[1:], logins),
        ),
    )


class Turnstile:
    """Signs devices in and out, some at a time, until enough have been through."""

    def __init__(self, loop: Loop, door: Door, crowd: Crowd) -> None:
        self._loop = loop
        self._door = door
        self._accounts = crowd.accounts
        self._sessions: list[ssl.SSLSession] = []
        self._started = 0
        self._goal = 0
        self._resumes = False
        self.done = 0

    def begin(self, logins: int, *, resumes: bool) -> None:
        """Starts a round."""
        self._started, self._goal, self.done = 0, logins, 0
        self._resumes = resumes
        for _ in range(min(CONCURRENCY, logins)):
            self._next()

    @property
    def is_done(self) -> bool:
        """Whether the round is over."""
        return self.done == self._goal

    def _next(self) -> None:
        if self._started == self._goal:
            return
        account = self._accounts[self._started % len(self._accounts)]
        self._started += 1
        session = self._sessions.pop(0) if self._resumes else None
        entrance = Entrance(account, self._through, must_not_fail)
        Link(self._loop, self._door, entrance, session)

    def _through(self, link: Link, answer: AuthOk, now: float) -> None:
        if link.was_resumed is not self._resumes:
            raise BenchError("the server did not resume a TLS session")
        # A ticket of this server is good for one return.
        session = link.session
        if session is None:
            raise BenchError("the server gave no session ticket")
        self._sessions.append(session)
        del self._sessions[: -2 * CONCURRENCY]
        link.close()
        self.done += 1
        self._next()


def generate_logins(port: Port, job: LoginsJob) -> None:
    """Runs in the load process."""
    loop, door = Loop(), Door(job.host, job.port)
    crowd = People(loop, door, port.progress).register(ACCOUNTS, is_reachable=False)
    crowd.close()
    turnstile = Turnstile(loop, door, crowd)
    port.say(Ready())
    for _ in range(job.repeat):
        for resumes in (False, True):

            def begin(now: float, resumes: bool = resumes) -> None:
                turnstile.begin(job.logins, resumes=resumes)

            do_step(port, loop, begin, lambda: turnstile.is_done)


def _figures(
    kind: str, steps: list[MeasuredStep], logins: int
) -> tuple[Figure, Figure, Figure]:
    return (
        Figure(
            f"{kind}_server_cpu_ms",
            f"{kind}: server CPU, ms each",
            tuple(step.server_cpu_seconds / logins * 1000 for step in steps),
            "lower",
            CPU_MS_MUST,
            CPU_MS_STRETCH,
        ),
        Figure(
            f"{kind}_per_second",
            f"{kind}: sign-ins/s",
            tuple(logins / step.seconds for step in steps),
            "higher",
        ),
        Figure(
            f"{kind}_generator_cpu_ms",
            f"{kind}: generator CPU, ms each",
            tuple(step.generator_cpu_seconds / logins * 1000 for step in steps),
        ),
    )
