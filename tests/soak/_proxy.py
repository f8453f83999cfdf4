"""A network with weather: TCP on loopback that delays, dribbles, stalls and resets."""

import enum
import socket
import struct
from typing import Final

import trio

READ_BYTES: Final = 16_384
DELAY_SECONDS: Final = 0.2
DRIBBLE_BYTES: Final = 400
"""So much of each piece goes byte by byte: more says nothing new and costs a core."""
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER without time: closing sends RST and drops what is under way."""
BROKEN: Final = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)


class Weather(enum.Enum):
    """What becomes of bytes."""

    CLEAR = "clear"
    DELAY = "delay"
    DRIBBLE = "dribble"
    STALL_UP = "stall up"
    """Nothing gets from client to server; the other way is clear."""
    STALL_DOWN = "stall down"


class Proxy:
    """One person's way to the server.

    Attributes:
        port: Where it listens; 0: not yet.

    Args:
        target_port: Where the server listens.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self._target_port = target_port
        self._weather = Weather.CLEAR
        self._changed = trio.Event()
        self._open: set[tuple[trio.SocketStream, trio.SocketStream]] = set()

    @property
    def weather(self) -> Weather:
        """How it is now."""
        return self._weather

    def turn(self, weather: Weather) -> None:
        """Change the weather, for open connections too."""
        self._weather = weather
        self._changed.set()
        self._changed = trio.Event()

    def cut(self) -> int:
        """Reset every connection; return how many there were."""
        count = len(self._open)
        for pair in list(self._open):
            for stream in pair:
                stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                stream.socket.close()
        return count

    async def run(
        self, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve until cancelled; says its port when it listens."""
        listeners = await trio.open_tcp_listeners(self.port, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        task_status.started(self.port)
        await trio.serve_listeners(self._serve, listeners)

    async def _serve(self, client: trio.SocketStream) -> None:
        try:
            server = await trio.open_tcp_stream("127.0.0.1", self._target_port)
        except OSError:
            await trio.aclose_forcefully(client)
            return
        pair = (client, server)
        self._open.add(pair)
        try:
            async with client, server, trio.open_nursery() as nursery:
                nursery.start_soon(
                    self._pump, client, server, Weather.STALL_UP, nursery
                )
                nursery.start_soon(
                    self._pump, server, client, Weather.STALL_DOWN, nursery
                )
        finally:
            self._open.discard(pair)

    async def _pump(
        self,
        source: trio.SocketStream,
        target: trio.SocketStream,
        stalls_in: Weather,
        nursery: trio.Nursery,
    ) -> None:
        try:
            while data := await source.receive_some(READ_BYTES):
                await self._pass(bytes(data), target, stalls_in)
            await target.send_eof()
        except BROKEN:
            # One half is gone, so the whole is: as when a machine's address changes.
            nursery.cancel_scope.cancel()

    async def _pass(
        self, data: bytes, target: trio.SocketStream, stalls_in: Weather
    ) -> None:
        while self._weather is stalls_in:
            await self._changed.wait()
        if self._weather is Weather.DELAY:
            await trio.sleep(DELAY_SECONDS)
        if self._weather is Weather.DRIBBLE:
            for at in range(min(len(data), DRIBBLE_BYTES)):
                await target.send_all(data[at : at + 1])
            data = data[DRIBBLE_BYTES:]
        if data:
            await target.send_all(data)
