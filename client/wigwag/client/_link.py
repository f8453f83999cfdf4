"""One connection at work: frames in and out, requests and their answers.

A `Link` pumps a `wigwag.wire.Connection` over a stream: one task reads, one
writes, one keeps the time. Answers are told by callback on the event loop, in the
order they came; a callback given None knows that no answer comes any more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import anyio
import msgspec

from wigwag.client._errors import ConnectionLost, ServerRefused, TimedOut, WigwagError
from wigwag.client._ports import ByteStream
from wigwag.wire import (
    NEED_DATA,
    Connection,
    ConnectionClosed,
    Error,
    ErrorCode,
    Message,
    Outcome,
    PeerError,
    PeerGoingAway,
    Received,
    RefusalSent,
    RemoteProtocolError,
    State,
)

READ_BYTES: Final = 65536

ASK_SECONDS: Final = 20.0
"""A server answers look-ups within a second, or the connection's own PING finds out
that it is gone; longer than its group commit on a slow disk."""

LINGER_SECONDS: Final = 3.0
"""After GOAWAY answers still come; a client that waits for all of them would be
offline for the server's whole drain."""

Answer = TypeVar("Answer", bound=msgspec.Struct)

OnAnswer = Callable[[Message | None], None]
OnEvent = Callable[["Link", Message], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended.

    Attributes:
        error: As the user may be told.
        code: Error code; 0: none was said.
        retry_after_seconds: As the server told; 0: not said.
    """

    error: WigwagError
    code: int = 0
    retry_after_seconds: float = 0.0


class Link:
    """A signed-in connection.

    Args:
        stream: Its bytes; closed by `run`.
        connection: READY; events that came with AUTH_OK are still in it.
        on_event: Told each event of the server, in order; must not wait.
    """

    def __init__(
        self, stream: ByteStream, connection: Connection, on_event: OnEvent
    ) -> None:
        self._stream = stream
        self._connection = connection
        self._on_event = on_event
        self._waiting: dict[int, OnAnswer] = {}
        self._dirty = anyio.Event()
        self._ending: Ending | None = None
        # What GOAWAY said, while answers still come.
        self._lingering: Ending | None = None
        self._scope = anyio.CancelScope()

    @property
    def is_usable(self) -> bool:
        """Whether requests can be made."""
        return self._ending is None and self._connection.state is State.READY

    def post(self, request: Message, on_answer: OnAnswer) -> None:
        """Queue a request; `on_answer` is called once, or for each part of a stream."""
        if not self.is_usable:
            on_answer(None)
            return
        corr = self._connection.send(request)
        self._waiting[corr] = on_answer
        self._dirty.set()

    def tell(self, message: Message) -> None:
        """Queue a message that has no answer; dropped when the link is at its end."""
        if self._ending is None and self._connection.state is not State.CLOSED:
            self._connection.send(message)
            self._dirty.set()

    async def ask(
        self,
        request: Message,
        shape: type[Answer],
        *,
        timeout_seconds: float = ASK_SECONDS,
    ) -> Answer:
        """Send a request and wait for its answer.

        Args:
            request: The request.
            shape: What its answer is.
            timeout_seconds: How long to wait.

        Raises:
            ServerRefused: It was answered with ERROR.
            ConnectionLost: The connection ended before the answer.
            TimedOut: No answer in time.
        """
        answered = anyio.Event()
        box: list[Message | None] = []

        def take(answer: Message | None) -> None:
            box.append(answer)
            answered.set()

        self.post(request, take)
        with anyio.move_on_after(timeout_seconds):
            await answered.wait()
        if not box:
            raise TimedOut("The server didn't answer in time.")
        return expect(box[0], shape)

    def close(self, code: ErrorCode, error: WigwagError) -> None:
        """End the connection and say why."""
        if self._ending is None:
            self._ending = Ending(error, code)
            self._connection.close_with(code)
            self._dirty.set()
            self._scope.cancel()

    async def run(self) -> Ending:
        """Work until the connection ends; then every waiting callback is told."""
        try:
            with self._scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._write)
                    tasks.start_soon(self._keep_time)
                    await self._read()
                    tasks.cancel_scope.cancel()
            await self._say_last_words()
        finally:
            ending = self._end(ConnectionLost("The connection was closed."))
            waiting, self._waiting = self._waiting, {}
            for on_answer in waiting.values():
                on_answer(None)
            with anyio.CancelScope(shield=True):
                await self._stream.aclose()
        return ending

    def _end(
        self, error: WigwagError, code: int = 0, retry_after_seconds: float = 0.0
    ) -> Ending:
        """Note why the connection ends; the first reason stays."""
        if self._ending is None:
            self._ending = Ending(error, code, retry_after_seconds)
        return self._ending

    async def _read(self) -> None:
        try:
            while self._take_events():
                data = await self._stream.receive(READ_BYTES)
                self._connection.receive_data(data, anyio.current_time())
        except ConnectionLost as error:
            self._end(error)
        except RemoteProtocolError as error:
            refused = ServerRefused(error.code, doing="The server broke the protocol")
            self._end(refused, error.code)

    def _take_events(self) -> bool:
        """Take everything that was read; False: nothing more comes."""
        while True:
            event = self._connection.next_event()
            match event:
                case Received():
                    self._receive(event)
                case PeerGoingAway():
                    self._go(event)
                case PeerError():
                    wait = event.retry_after_ms / 1000
                    self._end(ServerRefused(event.code), event.code, wait)
                case ConnectionClosed():
                    self._end(ConnectionLost("The server closed the connection."))
                    return False
                case RefusalSent():
                    pass
                case _:
                    assert event is NEED_DATA
                    # PONG, and answers to what we don't know, are ready to leave.
                    self._dirty.set()
                    return self._ending is None

    def _receive(self, event: Received) -> None:
        if not event.corr:
            self._on_event(self, event.message)
        elif event.more:
            self._waiting[event.corr](event.message)
        else:
            self._waiting.pop(event.corr)(event.message)

    def _go(self, event: PeerGoingAway) -> None:
        error = ServerRefused(event.code, retry_after_ms=event.retry_after_ms)
        wait = event.retry_after_ms / 1000
        is_over = event.code in (ErrorCode.REPLACED, ErrorCode.DEVICE_REMOVED)
        if is_over or not self._waiting:
            self._end(error, event.code, wait)
        else:
            self._scope.deadline = anyio.current_time() + LINGER_SECONDS
            self._lingering = Ending(error, event.code, wait)

    async def _write(self) -> None:
        try:
            while True:
                await self._dirty.wait()
                self._dirty = anyio.Event()
                data = self._connection.data_to_send()
                if data:
                    await self._stream.send(data)
        except ConnectionLost as error:
            self._end(error)
            self._scope.cancel()

    async def _keep_time(self) -> None:
        while True:
            deadline = self._connection.next_deadline()
            if deadline is None:
                await anyio.sleep_forever()
            else:
                await anyio.sleep_until(deadline)
            self._connection.handle_timer(anyio.current_time())
            self._dirty.set()
            if self._connection.state is State.CLOSED:
                # The reader is told why by the connection itself.
                try:
                    self._take_events()
                except RemoteProtocolError as error:
                    self._end(ServerRefused(error.code), error.code)
                self._scope.cancel()

    async def _say_last_words(self) -> None:
        if self._lingering is not None:
            lingering = self._lingering
            self._end(lingering.error, lingering.code, lingering.retry_after_seconds)
        data = self._connection.data_to_send()
        if data:
            with anyio.move_on_after(1):
                try:
                    await self._stream.send(data)
                except ConnectionLost as error:
                    self._end(error)


def expect(answer: Message | None, shape: type[Answer]) -> Answer:
    """Return an answer as what it must be.

    Raises:
        ServerRefused: It is an ERROR.
        ConnectionLost: There is none.
    """
    match answer:
        case None:
            raise ConnectionLost("The connection ended before the answer came.")
        case Error():
            raise ServerRefused(
                answer.code,
                retry_after_ms=answer.retry_after_ms,
                outcome="unknown" if answer.outcome is Outcome.UNKNOWN else "none",
            )
        case _:
            # The connection lets only the answers pass that the specification names.
            assert isinstance(answer, shape), type(answer)
            return answer
