"""A server in this process, under trio."""

import contextlib
import io
import tempfile
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from wigwag.server import (
    HANDLERS,
    Address,
    Config,
    Handler,
    Limits,
    Server,
    make_log,
    open_folder,
    open_server,
)
from wigwag.server.engines import SystemClock

# One invite serves a whole test, however many accounts it makes.
INVITE_USES = 10_000
INVITE_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that takes clients.

    Attributes:
        join: A join string that is good for any number of registrations.
        address: Where it listens.
        folder: Its data folder.
        server: The server itself; `server.operations` is its admin.
        log: What it has logged, one JSON object a line.
    """

    join: str
    address: Address
    folder: Path
    server: Server
    log: io.StringIO

    async def invite(self, *, uses: int = 1, expires_seconds: int = 3_600) -> str:
        """Make an invite; return its join string."""
        join = await self.server.invite(uses=uses, expires_seconds=expires_seconds)
        return join.reveal()


@contextlib.asynccontextmanager
async def server(
    config: Config | None = None,
    *,
    folder: Path | None = None,
    limits: Limits | None = None,
    handlers: Mapping[int, Handler] | None = None,
    clock: SystemClock | None = None,
    accepts_clock: bool = False,
) -> AsyncGenerator[RunningServer, None]:
    """Run a server while the block lasts.

    Args:
        config: Its configuration; None: a free port of 127.0.0.1 and the default
            limits. `listen` and `health` with port 0 take free ones.
        folder: Its data folder; None: a temporary one that goes with the block.
        limits: Bounds instead of the configuration's.
        handlers: What is done with each message, instead of the server's own.
        clock: Its time; None: the machine's.
        accepts_clock: It starts whatever the clock says.
    """
    chosen = config or Config(listen="127.0.0.1:0")
    if limits is not None:
        chosen = msgspec.structs.replace(chosen, limits=limits)
    log_text = io.StringIO()
    log = make_log("json", "debug", log_text)
    with contextlib.ExitStack() as stack:
        path = folder or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="wigwag-"))
        )
        held = stack.enter_context(open_folder(path / "data"))
        async with open_server(
            chosen,
            held,
            log,
            handlers=handlers or HANDLERS,
            clock=clock,
            accepts_clock=accepts_clock,
        ) as running:
            join = await running.invite(
                uses=INVITE_USES, expires_seconds=INVITE_SECONDS
            )
            yield RunningServer(
                join=join.reveal(),
                address=running.address,
                folder=held.path,
                server=running,
                log=log_text,
            )
