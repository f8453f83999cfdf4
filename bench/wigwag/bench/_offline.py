"""The work item *offline*: messages are queued to devices that are away, then drained.

Queueing is measured from the first SEND to the last SEQUENCED. For draining all
devices shake hands first and hold AUTH back; it is measured from the first AUTH
to the last DELIVER, so it has the sign-ins in it but no TLS handshake.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wigwag.bench._account import Account
from wigwag.bench._entrance import Entrance, must_not_fail
from wigwag.bench._errors import BenchError
from wigwag.bench._figures import Figure, WorkReport
from wigwag.bench._link import Door, Link
from wigwag.bench._loop import Loop
from wigwag.bench._pair import BODY_BYTES, Receiver, Sender, Tally, number_offset
from wigwag.bench._people import STALL_SECONDS_MAX, People
from wigwag.bench._server_process import server_process
from wigwag.bench._steps import MeasuredStep, do_step, measure_step
from wigwag.bench._traffic import sweep_acks
from wigwag.bench._worker import Port, Ready, Say, load_processes
from wigwag.wire import AuthOk

MESSAGES = 5_000
DEVICES = 50
# A quarter of what a server lets a connection have unanswered.
WINDOW = 64
PER_SECOND_MUST, PER_SECOND_STRETCH = 20_000, 40_000


@dataclass(frozen=True, slots=True)
class OfflineJob:
    """What the load process does."""

    host: str
    port: int
    devices: int
    messages_each: int
    repeat: int


def run_offline(*, repeat: int, messages: int, say: Say) -> WorkReport:
    """Queues and drains on a server of its own; one round more than counts.

    Raises:
        BenchError: The server refused, closed or stalled, or an order was broken.
    """
    devices = min(DEVICES, messages)
    each = messages // devices
    queued: list[MeasuredStep] = []
    drained: list[MeasuredStep] = []
    with server_process() as server:
        job = OfflineJob(server.host, server.port, devices, each, repeat + 1)
        with load_processes(generate_offline, [job]) as (process,):
            process.take(Ready, say)
            for number in range(repeat + 1):
                say(f"queueing, round {number} of {repeat}")
                queued.append(measure_step(process, server, say))
                process.take(Ready, say)
                say(f"draining, round {number} of {repeat}")
                drained.append(measure_step(process, server, say))
    count = devices * each
    # The first round warms up.
    figures = (
        *_figures("queued", queued[1:], count),
        *_figures("drained", drained[1:], count),
    )
    return WorkReport(
        "offline",
        f"{count:,} messages queued to {devices} devices that are away, then drained",
        {
            "limits_profile": "bench",
            "devices": devices,
            "messages": count,
            "window": WINDOW,
            "body_bytes": BODY_BYTES,
        },
        figures,
    )


class Returning:
    """The devices that were away: they knock, sign in together, and leave."""

    def __init__(
        self, loop: Loop, door: Door, homes: Sequence[Account], senders: list[Sender]
    ) -> None:
        self._loop = loop
        self._door = door
        self._homes = homes
        self._senders = senders
        self._tally = Tally()
        self._positions = [0] * len(homes)
        self._waiting: list[Callable[[], None]] = []
        self._links: list[Link] = []
        self._receivers: dict[int, Receiver] = {}
        sweep_acks(loop, self._tally)

    def knock(self) -> None:
        """Shakes hands up to WELCOME with every device.

        Raises:
            BenchError: The server kept one waiting.
        """
        for number in range(len(self._homes)):
            entrance = Entrance(
                self._homes[number],
                self._taker(number),
                must_not_fail,
                cursor=self._positions[number],
                hold=self._waiting.append,
            )
            self._links.append(Link(self._loop, self._door, entrance))
        count = len(self._homes)
        if not self._loop.run_until(
            lambda: len(self._waiting) == count, STALL_SECONDS_MAX
        ):
            raise BenchError("the server kept a device waiting at the door")

    def sign_in(self, now: float) -> None:
        """Sends every AUTH."""
        waiting, self._waiting = self._waiting, []
        for send_auth in waiting:
            send_auth()

    def leave(self) -> None:
        """Closes all links; what came is the cursor of the next time."""
        for number, receiver in self._receivers.items():
            self._positions[number] = receiver.position
        for link in self._links:
            link.close()
        self._tally.unacknowledged.clear()
        self._links.clear()
        self._receivers.clear()

    def _taker(self, number: int) -> Callable[[Link, AuthOk, float], None]:
        def take(link: Link, answer: AuthOk, now: float) -> None:
            self._receivers[number] = Receiver(
                link,
                self._senders[number],
                self._tally,
                number_offset(link.revision),
                self._positions[number],
            )

        return take


def generate_offline(port: Port, job: OfflineJob) -> None:
    """Runs in the load process."""
    loop, door, tally = Loop(), Door(job.host, job.port), Tally()
    crowd = People(loop, door, port.progress).register(2 * job.devices)
    homes = crowd.accounts[job.devices :]
    senders = [
        Sender(crowd.links[number], crowd.accounts[number], home, WINDOW, tally)
        for number, home in enumerate(homes)
    ]
    for link in crowd.links[job.devices :]:
        link.close()
    returning = Returning(loop, door, homes, senders)
    port.say(Ready())
    for number in range(1, job.repeat + 1):
        goal = number * job.messages_each

        def queue(now: float, goal: int = goal) -> None:
            for sender in senders:
                sender.is_blind = True
                sender.limit = goal
                sender.fill(now)

        def are_queued(goal: int = goal) -> bool:
            return all(sender.sequenced == goal for sender in senders)

        def are_drained(goal: int = goal) -> bool:
            return all(sender.delivered == goal for sender in senders)

        do_step(port, loop, queue, are_queued)
        returning.knock()
        port.say(Ready())
        do_step(port, loop, returning.sign_in, are_drained)
        returning.leave()


def _figures(
    verb: str, steps: list[MeasuredStep], count: int
) -> tuple[Figure, Figure, Figure]:
    return (
        Figure(
            f"{verb}_per_second",
            f"{verb}, messages/s",
            tuple(count / step.seconds for step in steps),
            "higher",
            PER_SECOND_MUST,
            PER_SECOND_STRETCH,
        ),
        Figure(
            f"{verb}_server_cpu_us_per_message",
            f"{verb}: server CPU, µs each",
            tuple(step.server_cpu_seconds / count * 1e6 for step in steps),
            "lower",
        ),
        Figure(
            f"{verb}_generator_cpu_us_per_message",
            f"{verb}: generator CPU, µs each",
            tuple(step.generator_cpu_seconds / count * 1e6 for step in steps),
        ),
    )
