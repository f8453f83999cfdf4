"""Health and metrics over HTTP, on a local port of their own.

    GET /healthz    200 as long as the process serves at all
    GET /readyz     200 while it takes clients, 503 while it starts or drains
    GET /metrics    all figures, in Prometheus' text format

Nothing here is for the outside: the port is bound to the loopback unless the
operator says otherwise, and it tells no name and no address.
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import h11
import trio

from wigwag.server._hub import Hub
from wigwag.server._metrics import Metrics

REQUEST_SECONDS = 5.0
# A scraper is one connection; some more for people and a balancer.
CONNECTIONS_MAX = 16
READ_BYTES = 4_096
# h11 refuses a longer head with 431.
HEAD_BYTES_MAX = 8_192


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


class Health:
    """Answers health checks.

    Args:
        metrics: All figures.
        is_ready: Whether the server takes clients now.
        hub: For faults.
    """

    def __init__(
        self, metrics: Metrics, is_ready: Callable[[], bool], hub: Hub
    ) -> None:
        self._metrics = metrics
        self._is_ready = is_ready
        self._hub = hub
        self._slots = trio.CapacityLimiter(CONNECTIONS_MAX)

    async def run(self, sockets: Sequence[socket.socket]) -> None:
        """Serve until cancelled; closes the sockets."""
        listeners = [
            trio.SocketListener(trio.socket.from_stdlib_socket(sock))
            for sock in sockets
        ]
        await trio.serve_listeners(self._serve, listeners)

    async def _serve(self, stream: trio.SocketStream) -> None:
        """Answer one connection; whatever happens, it happens to this one alone."""
        try:
            async with stream, self._slots:
                with trio.move_on_after(REQUEST_SECONDS):
                    await self._answer(stream)
        except (trio.BrokenResourceError, h11.RemoteProtocolError):
            return  # went away, or no HTTP: there is nobody to tell
        except Exception as error:
            self._hub.failed("health_failed", error)

    async def _answer(self, stream: trio.SocketStream) -> None:
        connection = h11.Connection(
            h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX
        )
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await stream.receive_some(READ_BYTES))
            elif isinstance(event, h11.Request):
                reply = self._reply(event)
                await self._send(stream, connection, event, reply)
                return
            else:
                return

    def _reply(self, request: h11.Request) -> _Reply:
        if request.method not in (b"GET", b"HEAD"):
            return _Reply(405, b"only GET\n")
        match request.target.partition(b"?")[0]:
            case b"/healthz":
                return _Reply(200, b"ok\n")
            case b"/readyz":
                return (
                    _Reply(200, b"ready\n")
                    if self._is_ready()
                    else _Reply(503, b"not ready\n")
                )
            case b"/metrics":
                return _Reply(200, self._metrics.render(), "text/plain; version=0.0.4")
            case _:
                return _Reply(404, b"there is /healthz, /readyz and /metrics\n")

    async def _send(
        self,
        stream: trio.SocketStream,
        connection: h11.Connection,
        request: h11.Request,
        reply: _Reply,
    ) -> None:
        head = h11.Response(
            status_code=reply.status,
            headers=[
                ("content-type", reply.content_type),
                ("content-length", str(len(reply.body))),
                ("connection", "close"),
            ],
        )
        parts = [connection.send(head)]
        if request.method != b"HEAD":
            parts.append(connection.send(h11.Data(data=reply.body)))
        parts.append(connection.send(h11.EndOfMessage()))
        await stream.send_all(b"".join(part for part in parts if part))
