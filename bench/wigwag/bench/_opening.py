"""The work item *opening*: the real client comes to a full inbox.

Alice writes to Bob, who is away. Then he comes: how fast are her messages opened
and stored?
"""

import time

import anyio

from wigwag.bench._figures import Figure, WorkReport
from wigwag.bench._two_people import SEND_TOGETHER, TwoPeople, two_people
from wigwag.bench._worker import Say

QUEUED = 10_000
PER_SECOND_MUST, PER_SECOND_STRETCH = 2_000, 4_000


def run_opening(*, repeat: int, queued: int, say: Say) -> WorkReport:
    """Measures the real client.

    Args:
        repeat: Returns to measure.
        queued: Messages in Bob's inbox each time.
        say: Told what is going on.

    Raises:
        BenchError: Messages did not come in time.
    """
    with two_people(say) as people:
        return anyio.run(_measure, people, repeat, queued, say, backend="trio")


async def _measure(people: TwoPeople, repeat: int, queued: int, say: Say) -> WorkReport:
    await people.register()
    sent: list[float] = []
    opened: list[float] = []
    client: list[float] = []
    server: list[float] = []
    for number in range(1, repeat + 1):
        sent.append(await people.write(queued, f"queueing, round {number} of {repeat}"))
        say(f"opening {queued:,} messages, round {number} of {repeat}")
        client_cpu, server_cpu = time.process_time(), people.server.cpu_seconds()
        opened.append(await people.receive())
        client.append((time.process_time() - client_cpu) / queued * 1e6)
        server.append((people.server.cpu_seconds() - server_cpu) / queued * 1e6)
    return WorkReport(
        "opening",
        f"the SDK comes to an inbox of {queued:,} messages, opens and stores them",
        {"queued": queued, "limits_profile": "bench"},
        (
            Figure(
                "opened_per_second",
                "opened and stored, messages/s",
                tuple(opened),
                "higher",
                PER_SECOND_MUST,
                PER_SECOND_STRETCH,
            ),
            Figure(
                "client_cpu_us_per_message",
                "client CPU, µs each",
                tuple(client),
                "lower",
            ),
            Figure("server_cpu_us_per_message", "server CPU, µs each", tuple(server)),
            Figure(
                "sent_per_second",
                f"sent, {SEND_TOGETHER} at once, messages/s",
                tuple(sent),
                "higher",
            ),
        ),
    )
