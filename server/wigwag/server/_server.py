"""A running server: its tasks, and how they end.

    listener      takes connections        ┐ first to stop
    connections   all on one poller        │ drained: at most drain_seconds
    sweeper       deadlines                │
    ticker        the folds' time, hourly  │
    certificates  changed files            │
    admin, health                          ┘ last

The engine is opened around all of them and closed after the last.
"""

import contextlib
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

import trio

from wigwag.server._address import Address
from wigwag.server._admin import AdminServer
from wigwag.server._certificate_keeper import CertificateKeeper
from wigwag.server._health import Health
from wigwag.server._join import JoinString
from wigwag.server._listener import Listener
from wigwag.server._malloc import give_back
from wigwag.server._operations import ListensOn, Operations
from wigwag.server._services import Services
from wigwag.server._sweeper import Sweeper
from wigwag.server.core import Answer, Tick, Ticked
from wigwag.server.ports import EngineClosedError

TICK_SECONDS = 3_600.0
# The first round of ticks comes before the first connection: what a folder put back
# from a copy still holds, though its sender was told long ago that it had expired,
# must not be delivered then. A month of it takes seconds; hours mean a broken disk.
FIRST_ROUND_SECONDS_MAX = 600
MEMORY_SECONDS = 1.0
# GOAWAYs go out over this time, so that the clients don't all come back at once.
GOAWAY_SECONDS = 3.0
GOAWAY_ROUNDS = 30
# Earliest return after a drain: a restart takes about as long.
RETURN_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Ports:
    """The open sockets of a server, bound before anything else can fail."""

    clients: Sequence[socket.socket]
    admin: socket.socket
    health: Sequence[socket.socket]


class Server:
    """One running server.

    Attributes:
        address: Where it listens.
        health_address: Where it answers health checks; None: nowhere.
        services: What its sessions share.
        operations: What its operator may do.
        certificates: What new connections are presented with.
    """

    def __init__(
        self,
        *,
        services: Services,
        listener: Listener,
        sweeper: Sweeper,
        health: Health,
        health_address: Address | None,
        address: Address,
        version: str,
        public_address: Address,
        certificates: CertificateKeeper,
        accept_clock: Callable[[], int],
        token_issuer: str = "",
    ) -> None:
        self.address = address
        self.health_address = health_address
        self.services = services
        self.operations = Operations(
            services,
            address=public_address,
            certificates=certificates,
            drain=self.request_drain,
            accept_clock=accept_clock,
            version=version,
            listens_on=ListensOn(address, health_address),
            token_issuer=token_issuer,
        )
        self.certificates = certificates
        self._listener = listener
        self._sweeper = sweeper
        self._health = health
        self._is_ready = False
        self._drain_wanted = trio.Event()
        self._stopped = trio.Event()
        self._is_timely = trio.Event()

    @property
    def is_ready(self) -> bool:
        """Whether clients are taken."""
        return self._is_ready

    async def invite(
        self, *, uses: int = 1, expires_seconds: int = 86_400
    ) -> JoinString:
        """Make an invite; `reveal()` of what is returned is the join string."""
        return await self.operations.invite(uses, expires_seconds)

    def request_drain(self) -> None:
        """Start to end gracefully; `wait_stopped` returns when it is done."""
        self._drain_wanted.set()

    async def wait_stopped(self) -> None:
        """Wait until a drain has ended."""
        await self._stopped.wait()

    @contextlib.asynccontextmanager
    async def running(
        self, ports: Ports, admin: AdminServer
    ) -> AsyncGenerator[None, None]:
        """Run all tasks while the block lasts; then end what is left at once."""
        body_error: Exception | None = None
        async with trio.open_nursery() as background:
            background.start_soon(self.services.hub.run)
            background.start_soon(self._sweeper.run)
            background.start_soon(self._tick)
            background.start_soon(self._watch_memory)
            background.start_soon(self.certificates.run)
            background.start_soon(admin.run, ports.admin)
            if ports.health:
                background.start_soon(self._health.run, ports.health)
            with trio.move_on_after(FIRST_ROUND_SECONDS_MAX):
                await self._is_timely.wait()
            background.start_soon(self._serve)
            self._is_ready = True
            try:
                yield
            except Exception as error:
                # Raised below as it is: in a nursery it would come out in a group.
                body_error = error
            finally:
                self._is_ready = False
                background.cancel_scope.cancel()
        if body_error is not None:
            raise body_error

    async def _serve(self) -> None:
        """Take and serve connections until a drain; then end them."""
        services = self.services
        log, counts = services.hub.log, services.hub.counts
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as connections:
                connections.start_soon(self._listener.run)
                await self._drain_wanted.wait()
                self._is_ready = False
                services.hub.is_draining = True
                log.info("draining", connections=counts.connections)
                scope.deadline = trio.current_time() + services.limits.drain_seconds
                self._listener.stop()
                await self._say_goaway()
        log.info("drained", connections=counts.connections)
        self._stopped.set()

    async def _say_goaway(self) -> None:
        """Say GOAWAY to all, paced: who comes back at once comes back spread out."""
        hub = self.services.hub
        sessions = hub.sessions()
        rounds = min(GOAWAY_ROUNDS, max(1, len(sessions)))
        pause = GOAWAY_SECONDS / GOAWAY_ROUNDS
        for number in range(rounds):
            for index, session in enumerate(sessions[number::rounds]):
                session.guarded(session.drain, RETURN_SECONDS + index * pause)
            hub.flush()
            if number + 1 < rounds:
                await trio.sleep(pause)

    async def _watch_memory(self) -> None:
        """Ask what the engine holds; where memory stays short, send hoarders away."""
        services = self.services
        hub, memory = services.hub, services.hub.memory
        short_seconds = services.limits.memory_short_seconds
        short_since: float | None = None
        while True:
            memory.look_at_engine(services.engine.memory_bytes)
            now = trio.current_time()
            if memory.has_room:
                if short_since is not None:
                    give_back()
                short_since = None
            elif short_since is None:
                short_since = now
                hub.log.warning(
                    "memory_short",
                    bytes=memory.held_bytes,
                    reason="the budget is nearly used up",
                )
            elif now - short_since >= short_seconds:
                shed = hub.shed()
                hub.log.warning("memory_shed", connections=shed)
                give_back()
            hub.flush()
            await trio.sleep(MEMORY_SECONDS)

    async def _tick(self) -> None:
        """Give the folds their time: now, every hour, and when the hub says so."""
        hub = self.services.hub
        while True:
            hub.tick_wanted = trio.Event()
            self._append_tick(Tick())
            with trio.move_on_after(TICK_SECONDS):
                await hub.tick_wanted.wait()

    def _append_tick(self, tick: Tick) -> None:
        with contextlib.suppress(EngineClosedError):
            self.services.engine.append(tick, self._ticked)

    def _ticked(self, answer: Answer) -> None:
        if isinstance(answer, Ticked) and answer.after is not None:
            self._append_tick(Tick(after=answer.after))
        else:
            self._is_timely.set()
