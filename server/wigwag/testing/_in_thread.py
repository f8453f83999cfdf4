"""A server in this process, in a thread with an event loop of its own."""

import contextlib
import queue
import threading
from collections.abc import Generator
from pathlib import Path

import trio

from wigwag.server import Config, Limits
from wigwag.testing._in_process import RunningServer, server

START_SECONDS = 30.0


@contextlib.contextmanager
def server_in_thread(
    config: Config | None = None,
    *,
    folder: Path | None = None,
    limits: Limits | None = None,
) -> Generator[RunningServer, None, None]:
    """Run a server while the block lasts; for tests under asyncio, or without a loop.

    Of what it yields, use `join`, `address`, `folder` and `log`: the server itself
    belongs to the other thread. Arguments are those of `server`.
    """
    started: queue.Queue[RunningServer | BaseException] = queue.Queue()
    stop: queue.Queue[tuple[trio.lowlevel.TrioToken, trio.Event]] = queue.Queue()

    async def serve() -> None:
        over = trio.Event()
        async with server(config, folder=folder, limits=limits) as running:
            stop.put((trio.lowlevel.current_trio_token(), over))
            started.put(running)
            await over.wait()

    def main() -> None:
        try:
            trio.run(serve)
        except BaseException as error:
            started.put(error)
            raise

    thread = threading.Thread(target=main, name="wigwag-server", daemon=True)
    thread.start()
    first = started.get(timeout=START_SECONDS)
    if isinstance(first, BaseException):
        raise first
    token, over = stop.get()
    try:
        yield first
    finally:
        token.run_sync_soon(over.set)
        thread.join(START_SECONDS)
