"""Takes connections: admission first, then a pump for each, and all on one poller."""

import errno
import itertools
import socket
from collections.abc import Sequence

import trio

from wigwag.server._address import Address
from wigwag.server._admission import Place, Turned
from wigwag.server._certificate_keeper import CertificateKeeper
from wigwag.server._errors import ConfigError, InUseError, ServerError
from wigwag.server._peer import Peer
from wigwag.server._poller import Poller
from wigwag.server._pump import Pump
from wigwag.server._services import Services
from wigwag.server._session import Session
from wigwag.server._sweeper import Sweeper
from wigwag.server._trace import TracedSession

# The kernel's queue holds a storm that is let in at the node's rate for eight seconds;
# Linux cuts it to net.core.somaxconn, 4096 by default.
BACKLOG_CONNECTIONS = 4096
# While more handshakes are asked for than the node takes in a second.
ACCEPT_PAUSE_SECONDS = 0.02
# Taken in one wake-up, so that a storm doesn't keep those who are in waiting.
ACCEPTS_MAX = 64
# Out of descriptors: the kernel keeps the rest in its own queue meanwhile.
NO_DESCRIPTOR_WAIT_SECONDS = 0.5
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def bind(address: Address, buffer_bytes: int) -> list[socket.socket]:
    """Listen on every address that a host name stands for.

    Args:
        address: Host and port.
        buffer_bytes: The kernel's memory for a connection, each way; connections
            inherit it from the listener.

    Raises:
        InUseError: Another process listens there.
        ConfigError: There is no such address, or it takes privileges.
    """
    try:
        found = socket.getaddrinfo(
            address.host or None,
            address.port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )
    except OSError as error:
        raise ConfigError(f"{address}: {error.strerror or error}") from error
    sockets: list[socket.socket] = []
    port = address.port
    try:
        for family, kind, protocol, _, where in found:
            # Port 0: the first choice holds for all, or clients couldn't know it.
            listener = _bind_one(family, kind, protocol, (where[0], port), buffer_bytes)
            sockets.append(listener)
            port = sockets[0].getsockname()[1]
    except OSError as error:
        for listener in sockets:
            listener.close()
        raise _bind_error(address, error) from error
    return sockets


def _bind_one(
    family: int,
    kind: int,
    protocol: int,
    where: tuple[object, int],
    buffer_bytes: int,
) -> socket.socket:
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            listener.setsockopt(socket.SOL_SOCKET, option, buffer_bytes)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(where)
        listener.listen(BACKLOG_CONNECTIONS)
    except OSError:
        listener.close()
        raise
    return listener


def _bind_error(address: Address, error: OSError) -> ServerError:
    if error.errno == errno.EADDRINUSE:
        return InUseError(
            f"{address} is in use: stop what listens there or choose another address"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return ConfigError(
            f"{address}: permission denied: a port below 1024 takes privileges"
        )
    return ConfigError(f"{address}: {error.strerror or error}")


class Listener:
    """The open port of one server.

    Args:
        sockets: What `bind` returned; closed when `run` ends.
        certificates: What new connections are presented with.
        services: The server behind.
        sweeper: Looks at deadlines.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        certificates: CertificateKeeper,
        services: Services,
        sweeper: Sweeper,
    ) -> None:
        self._sockets = sockets
        self._certificates = certificates
        self._services = services
        self._sweeper = sweeper
        self._numbers = itertools.count(1)
        self._accepting = trio.CancelScope()
        hub = services.hub
        self._poller = Poller(begin=hub.begin, end=hub.flush)
        self._open: dict[Pump, Place] = {}
        self._emptied = trio.Event()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        port: int = self._sockets[0].getsockname()[1]
        return port

    async def run(self) -> None:
        """Take and serve connections; after `stop`, until the last has ended.

        When cancelled, all that are open are cut.
        """
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._poller.run)
                await self._accept()
                while self._open:
                    self._emptied = trio.Event()
                    await self._emptied.wait()
                nursery.cancel_scope.cancel()
        finally:
            for pump in tuple(self._open):
                pump.cut()
            self._poller.close()

    async def _accept(self) -> None:
        """Take connections until `stop`."""
        try:
            with self._accepting:
                async with trio.open_nursery() as nursery:
                    for listener in self._sockets:
                        nursery.start_soon(self._accept_all, listener)
        finally:
            for listener in self._sockets:
                trio.lowlevel.notify_closing(listener)
                listener.close()

    def stop(self) -> None:
        """Take no more connections; the port is free soon after."""
        self._accepting.cancel()

    async def _accept_all(self, listener: socket.socket) -> None:
        admission = self._services.admission
        while True:
            await trio.lowlevel.wait_readable(listener)
            for _ in range(ACCEPTS_MAX):
                wait_seconds = admission.wait_seconds(trio.current_time())
                if wait_seconds:
                    # Gathered a little, so that a storm isn't a wake-up for each.
                    await trio.sleep(max(wait_seconds, ACCEPT_PAUSE_SECONDS))
                    break
                try:
                    connection, where = listener.accept()
                except BlockingIOError:
                    break
                except OSError as error:
                    if error.errno in _OUT_OF_DESCRIPTORS:
                        self._services.hub.log.error(
                            "out_of_descriptors", reason="connections must wait"
                        )
                        await trio.sleep(NO_DESCRIPTOR_WAIT_SECONDS)
                    break  # the peer went away before it was taken
                self._admit(connection, str(where[0]))

    def _admit(self, connection: socket.socket, host: str) -> None:
        services = self._services
        place: Place | Turned = Turned.MEMORY_FULL
        if services.hub.memory.may_open:
            place = services.admission.admit(host, trio.current_time())
        if isinstance(place, Turned):
            services.hub.counts.connections_refused[place.value] += 1
            connection.close()
            return
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            connection.close()
            services.admission.release(place)
            return
        self._open_pump(connection, place)

    def _open_pump(self, connection: socket.socket, place: Place) -> None:
        """Serve one connection."""
        services = self._services
        counts = services.hub.counts
        number = next(self._numbers)
        # One for the whole connection: another may have come by its sign-in.
        tls = self._certificates.tls

        def open_session(now: float) -> Session:
            peer = Peer(place.address, tls.leaf_sha256, place)
            if services.trace is None:
                return Session(services, peer, number=number, now=now)
            return TracedSession(
                services, peer, number=number, now=now, trace=services.trace
            )

        pump = Pump(
            connection,
            tls,
            open_session=open_session,
            limits=services.limits,
            sweeper=self._sweeper,
            poller=self._poller,
            on_gone=self._gone,
            hub=services.hub,
        )
        counts.connections += 1
        counts.connections_opened += 1
        services.hub.memory.open()
        self._open[pump] = place
        place.cut = pump.cut
        pump.start()

    def _gone(self, pump: Pump) -> None:
        """Give back what a connection held."""
        services = self._services
        counts = services.hub.counts
        place = self._open.pop(pump)
        place.cut = None
        services.admission.release(place)
        services.hub.memory.close(has_grown=pump.has_grown)
        counts.connections -= 1
        counts.tls_failures += pump.tls_failed
        counts.slow_readers += pump.was_slow_reader
        if not self._open:
            self._emptied.set()
