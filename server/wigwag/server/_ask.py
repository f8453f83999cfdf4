"""One question to the engine from a task that can wait for the answer."""

import trio

from wigwag.server.core import Answer, Request
from wigwag.server.ports import Engine


async def ask(engine: Engine, request: Request) -> Answer:
    """Append a request and wait for its answer.

    Raises:
        EngineClosedError: The engine has stopped.
    """
    answers: list[Answer] = []
    arrived = trio.Event()

    def told(answer: Answer) -> None:
        answers.append(answer)
        arrived.set()

    engine.append(request, told)
    await arrived.wait()
    return answers[0]
