"""Uses a profile through the process that holds it (adapter)."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.abc
import msgspec
from anyio.streams.buffered import BufferedByteReceiveStream

from wigwag.client._errors import ConnectionLost, HandoverRefused
from wigwag.client._handover import LINE_BYTES_MAX, Ask, Tell, error_of
from wigwag.client._message import Message, MessageState
from wigwag.client._profile import SOCKET_FILE, profile_folder
from wigwag.client._session import WAIT_SECONDS, Status, Until

Part = TypeVar("Part")


class HeldMessage:
    """A message that was sent through the holder.

    Attributes:
        message_id: Its id, hexadecimal `server_msg_id`.
        state: Where it stood when we last looked.
    """

    def __init__(self, holder: "Holder", message: Message) -> None:
        self._holder = holder
        self.message_id = message.id
        self.state: MessageState = message.state

    async def wait(
        self, until: Until = "delivered", timeout_seconds: float = WAIT_SECONDS
    ) -> Message:
        """Wait until the message is that far; see `SentMessage.wait`."""
        message = await self._holder.wait(self.message_id, until, timeout_seconds)
        self.state = message.state
        return message


class Holder:
    """A session in another process, used one request at a time."""

    def __init__(self, stream: anyio.abc.SocketStream) -> None:
        self._stream = stream
        self._lines = BufferedByteReceiveStream(stream)
        self._lock = anyio.Lock()

    async def send(self, peer: str, text: str) -> HeldMessage:
        """Send a text; see `Session.send`."""
        told = await self._ask(Ask(do="send", peer=peer, text=text))
        return HeldMessage(self, _present(told.message))

    async def wait(
        self,
        message_id: str,
        until: Until = "delivered",
        timeout_seconds: float = WAIT_SECONDS,
    ) -> Message:
        """Wait until a message of ours is that far; see `Session.wait`."""
        ask = Ask(
            do="wait",
            message=message_id,
            until=until,
            timeout_seconds=timeout_seconds,
        )
        return _present((await self._ask(ask)).message)

    async def history(self, peer: str, limit: int = 50) -> list[Message]:
        """Return the last messages with somebody; see `Session.history`."""
        told = await self._ask(Ask(do="history", peer=peer, limit=limit))
        return _present(told.history)

    async def status(self) -> Status:
        """Return how the session stands."""
        return _present((await self._ask(Ask(do="status"))).status)

    async def mark_read(self, message: Message | str) -> None:
        """Tell the sender of a message that it was read; see `Session.mark_read`."""
        message_id = message if isinstance(message, str) else message.id
        await self._ask(Ask(do="mark_read", message=message_id))

    async def _ask(self, ask: Ask) -> Tell:
        async with self._lock:
            try:
                await self._stream.send(msgspec.json.encode(ask) + b"\n")
                line = await self._lines.receive_until(b"\n", LINE_BYTES_MAX)
                told = msgspec.json.decode(line, type=Tell)
            except (
                anyio.IncompleteRead,
                anyio.EndOfStream,
                anyio.BrokenResourceError,
                anyio.DelimiterNotFound,
                msgspec.DecodeError,
            ) as error:
                raise ConnectionLost(
                    "The process that holds the profile went away."
                ) from error
        if told.failure is not None:
            raise error_of(told.failure)
        return told


@asynccontextmanager
async def open_holder(
    profile: str | Path | None = None,
) -> AsyncGenerator[Holder, None]:
    """Use a profile through the process that holds it, after `ProfileInUse`.

    Args:
        profile: Name or folder; None: `WIGWAG_PROFILE`, else the default one.

    Raises:
        HandoverRefused: That process doesn't take requests.
    """
    path = profile_folder(profile) / SOCKET_FILE
    try:
        stream = await anyio.connect_unix(path)
    except OSError as error:
        raise HandoverRefused(
            "The process that holds the profile takes no requests."
        ) from error
    async with stream:
        yield Holder(stream)


def _present(value: Part | None) -> Part:
    """Return the part of an answer that its request asks for."""
    if value is None:
        raise HandoverRefused("The process that holds the profile is another version.")
    return value
