"""The real server on the simulated network, disk, clock and randomness.

Everything behind the transport is the product's own: sessions, handlers, admission,
request limits, hub, sweeper, engine, folds and SQL, put together as `_assemble` does
it. `Gate` stands where the TLS pump stands: it carries a session's bytes over a
connection of the simulation.
"""

import math
from pathlib import Path
from typing import Final, Protocol

import trio
from tests.simulation._disk import Disk, ServerExecutor
from tests.simulation._history import (
    Alarm,
    LogRow,
    Restored,
    SentRow,
    ServerKept,
)
from tests.simulation._network import (
    RUDE_ADDRESS,
    ConnectionBrokenError,
    End,
    Network,
)
from tests.simulation._secure import Secure, SecureEnd
from tests.simulation._sql import open_for_reading, run_sql
from tests.simulation._world import (
    Process,
    ServerEntropy,
    SimulatedClock,
    World,
    boot_ns,
)

from wigwag.server._admission import Admission
from wigwag.server._config import Config
from wigwag.server._counts import Counts
from wigwag.server._hub import Hub
from wigwag.server._limits import Limits
from wigwag.server._memory import Memory
from wigwag.server._peer import Peer
from wigwag.server._proofs import make_verifiers
from wigwag.server._request_limits import RequestLimits
from wigwag.server._server import TICK_SECONDS
from wigwag.server._services import Services, connection_config
from wigwag.server._session import Session
from wigwag.server._sweeper import Sweeper
from wigwag.server._tls import RECORD_BYTES
from wigwag.server.core import Answer, Tick, Ticked
from wigwag.server.engines import SystemClock, open_engine
from wigwag.server.handlers import HANDLERS

HOST: Final = "server"

CERTIFICATE_SHA256: Final = b"certificate of the simulation".ljust(32, b".")
"""There is no TLS here; what AUTH signs of it is fixed."""

CHUNK_BYTES: Final = 16_384
"""What a writer hands over before it looks at its deadline again."""


class AlarmLog:
    """The server's log: errors become alarms of the history, the rest is dropped."""

    def __init__(self, world: World, process: str, disk: Disk) -> None:
        self._world = world
        self._process = process
        self._disk = disk

    def _has_been_restored(self) -> bool:
        return any(one.process == HOST for one in self._world.history.of(Restored))

    def debug(self, event: str, /, **values: object) -> None:
        """Drop it."""

    def info(self, event: str, /, **values: object) -> None:
        """Drop it, unless it blames a client: ours are honest.

        Running out of time is the weather's fault.
        """
        is_ours = values.get("address") != RUDE_ADDRESS
        if event == "protocol_error" and is_ours and not _is_late(values["code"]):
            self.error(event, **values)

    def warning(self, event: str, /, **values: object) -> None:
        """Drop it."""

    def error(self, event: str, /, **values: object) -> None:
        """Raise an alarm, unless it is about a disk that is full, or just was."""
        if event == "disk_full" and self._disk.has_been_full:
            return
        if event == "restore_proven" and self._has_been_restored():
            return
        shown = " ".join(f"{key}={value}" for key, value in sorted(values.items()))
        text = f"{event} {shown}"
        self._world.record(Alarm(trio.current_time(), self._process, text))


def _is_late(code: object) -> bool:
    return "TIMEOUT" in str(code)


class Gate:
    """Drives one session over one connection; implements `Transport` and `Timed`."""

    armed_at: float

    def __init__(
        self,
        end: End,
        services: Services,
        sweeper: Sweeper,
        certificate_sha256: bytes = CERTIFICATE_SHA256,
    ) -> None:
        self.armed_at = math.inf
        self._end = end
        self._hub = services.hub
        self._sweeper = sweeper
        self._limits = services.limits
        self._unwritten = bytearray()
        self._changed = trio.lowlevel.ParkingLot()
        peer = Peer(address=end.address, certificate_sha256=certificate_sha256)
        self._session = Session(
            services, peer, number=end.number, now=trio.current_time()
        )
        self._session.transport = self

    async def run(self) -> None:
        """Serve the connection until it is over."""
        session = self._session
        self._sweeper.arm(self)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, nursery.cancel_scope)
                await self._read()
                # The last words go out, then the writer ends the connection.
                session.is_over = True
                self._changed.unpark_all()
        finally:
            self.armed_at = -math.inf
            self._hub.begin()
            session.guarded(session.ended)
            session.transport = None
            self._hub.flush()

    def flush(self) -> None:
        """Take what the session has to say."""
        if len(self._unwritten) < self._limits.write_buffer_bytes_max:
            self._unwritten += self._session.outgoing()
            self._session.backlog(len(self._unwritten))
        self._changed.unpark_all()
        self._sweeper.arm(self)

    def next_deadline(self) -> float | None:
        """Return the session's next deadline."""
        return self._session.next_deadline()

    def tick(self, now: float) -> None:
        """Do what is due; never raises."""
        self._session.guarded(self._session.tick, now)

    async def _read(self) -> None:
        session = self._session
        while not session.closed:
            if not session.wants_reading:
                await self._changed.park()
                continue
            try:
                data = await self._end.receive(RECORD_BYTES)
            except ConnectionBrokenError:
                return
            self._hub.begin()
            session.guarded(session.receive, data, trio.current_time())
            self._hub.flush()
            if not data:
                return

    async def _write(self, scope: trio.CancelScope) -> None:
        session = self._session
        while self._unwritten or not session.closed:
            if not self._unwritten:
                await self._changed.park()
                continue
            chunk = bytes(self._unwritten[:CHUNK_BYTES])
            try:
                with trio.fail_after(self._limits.stall_seconds):
                    await self._end.send(chunk)
            except (trio.TooSlowError, ConnectionBrokenError):
                self._end.reset()
                break
            del self._unwritten[: len(chunk)]
            self._hub.begin()
            session.guarded(session.backlog, len(self._unwritten))
            self._hub.flush()
        scope.cancel()


class ServerMachine(Protocol):
    """What a server runs on."""

    @property
    def disk(self) -> Disk:
        """Its disk."""
        ...

    @property
    def clock(self) -> SimulatedClock:
        """Its time of day, as somebody may set it."""
        ...


class SimulatedServer:
    """One run of the server, from its start to its end.

    Args:
        world: Where it lives.
        network: Its network.
        machine: Its disk and its clock.
        path: Its database.
        limits: Its bounds.
        run: Number of the run: a restarted server draws other random bytes.
        secure: Its certificate; None: no TLS.
    """

    def __init__(
        self,
        world: World,
        network: Network,
        machine: ServerMachine,
        path: Path,
        limits: Limits,
        run: int,
        secure: Secure | None = None,
    ) -> None:
        self._tls = None if secure is None else secure.tls
        self.process = Process(world, HOST)
        self._world = world
        self._network = network
        self._disk = machine.disk
        self._path = path
        self._entropy = ServerEntropy(world.random(f"server {run}"))
        # The real one: a large step is not followed before the next start.
        self._clock = SystemClock(machine.clock.now_ns, boot_ns)
        self._limits = limits

    async def run(self) -> None:
        """Serve until the process is killed."""
        await self.process.run(self._serve)

    async def _serve(self) -> None:
        limits = self._limits
        hub = Hub(
            counts=Counts(),
            log=AlarmLog(self._world, HOST, self._disk),
            entropy=self._entropy,
            monotonic=trio.current_time,
            memory=Memory(limits.memory_bytes_max),
        )
        async with open_engine(
            self._path,
            clock=self._clock,
            executor=ServerExecutor(self.process, self._disk),
            listener=hub,
            limits=limits.engine,
            reserve_bytes=0,
            # The operator looks at the clock and starts it with --accept-clock.
            accept_clock=True,
        ) as engine:
            config = Config(registration="open", development=True)
            services = Services(
                engine=engine,
                hub=hub,
                limits=limits,
                connection_config=connection_config(
                    limits, finalized=1, drain_seconds=limits.drain_seconds
                ),
                admission=Admission(limits, config.networks),
                request_limits=RequestLimits(limits),
                verifiers=make_verifiers(config),
                handlers=HANDLERS,
                clock=self._clock,
                entropy=self._entropy,
            )
            sweeper = Sweeper(begin=hub.begin, end=hub.flush)

            async def accept(end: End) -> None:
                certificate = CERTIFICATE_SHA256
                if self._tls is not None:
                    certificate = self._tls.leaf_sha256
                    end = SecureEnd(end, self._tls)
                await Gate(end, services, sweeper, certificate).run()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(sweeper.run)
                nursery.start_soon(hub.run)
                nursery.start_soon(_tick, services)
                await self._network.serve(HOST, accept, self.process)


async def _tick(services: Services) -> None:
    """Give the folds their time, now and every hour, as `Server` does."""

    def append(tick: Tick) -> None:
        services.engine.append(tick, ticked)

    def ticked(answer: Answer) -> None:
        if isinstance(answer, Ticked) and answer.after is not None:
            append(Tick(after=answer.after))

    while True:
        append(Tick())
        await trio.sleep(TICK_SECONDS)


def read_tables(path: Path) -> ServerKept:
    """Read what a server that has ended left on its disk."""
    connection = open_for_reading(path)
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
    log: list[LogRow] = []
    sent: list[SentRow] = []
    for (name,) in run_sql(connection, tables):
        if name.startswith("chat_log_"):
            columns = "chat, chat_seq, class, sender, client_msg_id"
            rows = run_sql(connection, f"SELECT {columns} FROM {name}")  # noqa: S608 - a table's name
            log += [LogRow(*row) for row in rows]
        elif name.startswith("sent_index_"):
            columns = "chat, sender, client_msg_id, chat_seq, attempt"
            rows = run_sql(connection, f"SELECT {columns} FROM {name}")  # noqa: S608 - a table's name
            sent += [SentRow(*row) for row in rows]
    connection.close()
    return ServerKept(trio.current_time(), HOST, tuple(log), tuple(sent))
