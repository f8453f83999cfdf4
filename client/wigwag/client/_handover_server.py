"""Lets other processes use the profile that this one holds (adapter)."""

from pathlib import Path
from typing import Final

import anyio
import anyio.abc
import msgspec
from anyio.streams.buffered import BufferedByteReceiveStream

from wigwag.client._errors import WigwagError
from wigwag.client._handover import LINE_BYTES_MAX, Ask, Tell, failure_of
from wigwag.client._session import Session

SOCKET_PATH_BYTES_MAX: Final = 100
"""The operating system's limit is about 108 bytes."""

CLIENTS_MAX: Final = 16
"""Other processes of the same person; more is a mistake in a script."""


class HandoverServer:
    """Answers requests on a local socket in the profile's folder.

    The folder is its owner's alone (0700), the socket too (0600).

    Args:
        session: What is used.
        path: Of the socket.
    """

    def __init__(self, session: Session, path: Path) -> None:
        self._session = session
        self._path = path
        self._limiter = anyio.Semaphore(CLIENTS_MAX)

    async def run(
        self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Listen for as long as the session lives."""
        if len(str(self._path).encode()) > SOCKET_PATH_BYTES_MAX:
            # Others are then told who holds the profile.
            task_status.started()
            return
        # We hold the lock: what is there was left by a process that died.
        self._path.unlink(missing_ok=True)
        listener = await anyio.create_unix_listener(self._path, mode=0o600)
        try:
            async with listener:
                task_status.started()
                await listener.serve(self._serve)
        finally:
            self._path.unlink(missing_ok=True)

    async def _serve(self, stream: anyio.abc.SocketStream) -> None:
        async with stream, self._limiter:
            lines = BufferedByteReceiveStream(stream)
            try:
                while True:
                    line = await lines.receive_until(b"\n", LINE_BYTES_MAX)
                    await stream.send(msgspec.json.encode(await self._do(line)) + b"\n")
            except (
                anyio.IncompleteRead,
                anyio.DelimiterNotFound,
                anyio.EndOfStream,
                anyio.BrokenResourceError,
                anyio.ClosedResourceError,
            ):
                # The other process went away; what it asked for is done or durable.
                return

    async def _do(self, line: bytes) -> Tell:
        try:
            ask = msgspec.json.decode(line, type=Ask)
            return await self._answer(ask)
        except WigwagError as error:
            return Tell(failure=failure_of(error))
        except (msgspec.DecodeError, ValueError) as error:
            refused = WigwagError(f"The request can't be read: {error}.")
            return Tell(failure=failure_of(refused))

    async def _answer(self, ask: Ask) -> Tell:
        session = self._session
        match ask.do:
            case "send":
                sent = await session.send(ask.peer, ask.text)
                return Tell(message=await session.message(sent.message_id))
            case "wait":
                return Tell(
                    message=await session.wait(
                        ask.message, ask.until, ask.timeout_seconds
                    )
                )
            case "history":
                return Tell(history=await session.history(ask.peer, ask.limit))
            case "status":
                return Tell(status=await session.status())
            case "mark_read":
                await session.mark_read(ask.message)
                return Tell(message=await session.message(ask.message))
