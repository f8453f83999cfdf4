"""Puts a server together from its configuration: the only file that opens an engine.

    async with open_server(config, folder) as server:
        print((await server.invite()).reveal())
        await server.wait_stopped()

Everything that can be wrong before the first client (folder, certificate, ports,
database) is found here, as one `ServerError` with one sentence.
"""

import contextlib
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import trio

from wigwag.server._address import Address, parse_address
from wigwag.server._admin import AdminServer, LongCommand, bind_admin
from wigwag.server._admission import Admission
from wigwag.server._backup import Backups
from wigwag.server._certificate_keeper import CertificateKeeper, utc
from wigwag.server._certificates import load_identity
from wigwag.server._config import Config
from wigwag.server._counts import Counts
from wigwag.server._engine_errors import engine_errors
from wigwag.server._folder import DataFolder
from wigwag.server._health import Health
from wigwag.server._hub import Hub
from wigwag.server._listener import Listener, bind
from wigwag.server._memory import Memory
from wigwag.server._metrics import Metrics
from wigwag.server._observe import Log
from wigwag.server._proofs import make_verifiers
from wigwag.server._request_limits import RequestLimits
from wigwag.server._server import Ports, Server
from wigwag.server._services import Handler, Services, connection_config
from wigwag.server._sweeper import Sweeper
from wigwag.server._trace import FrameTrace
from wigwag.server.engines import (
    EmbeddedEngine,
    SystemClock,
    SystemEntropy,
    ThreadExecutor,
    open_engine,
)
from wigwag.server.handlers import HANDLERS
from wigwag.wire import Explainer

# The first {write revision, features, fold version}; clusters will count it up.
FINALIZED = 1


def build_version() -> str:
    """Return the version of this build."""
    try:
        return version("wigwag")
    except PackageNotFoundError:  # run from a checkout that isn't installed
        return "unknown"


@contextlib.asynccontextmanager
async def open_server(
    config: Config,
    folder: DataFolder,
    log: Log,
    *,
    accepts_clock: bool = False,
    clock: SystemClock | None = None,
    accepts_loss: bool = False,
    handlers: Mapping[int, Handler] = HANDLERS,
) -> AsyncGenerator[Server, None]:
    """Open the engine, take the ports, and serve while the block lasts.

    Args:
        config: Checked configuration.
        folder: The data folder, held by this process.
        log: Where events go.
        accepts_clock: The operator vouches for the machine's clock.
        clock: The time; None: the machine's.
        accepts_loss: He goes on without commits that the log has lost.
        handlers: What is done with each message.

    Raises:
        ServerError: It can't start; one sentence says why.
    """
    clock, entropy = clock or SystemClock(), SystemEntropy()
    counts, explainer = Counts(), Explainer()
    certificates = _certificates(config, folder, clock, counts, log)
    hub = _hub(config, log, counts, entropy)
    with contextlib.ExitStack() as opened:
        ports = _bind(config, folder, opened)
        opened.enter_context(engine_errors())
        executor = opened.enter_context(ThreadExecutor())
        async with open_engine(
            folder.database,
            clock=clock,
            executor=executor,
            listener=hub,
            limits=config.limits.engine,
            accept_clock=accepts_clock,
            accept_loss=accepts_loss,
        ) as engine:
            services = Services(
                engine=engine,
                hub=hub,
                limits=config.limits,
                connection_config=connection_config(
                    config.limits,
                    finalized=FINALIZED,
                    drain_seconds=config.limits.drain_seconds,
                    explain=explainer,
                ),
                admission=Admission(config.limits, config.networks),
                request_limits=RequestLimits(config.limits),
                verifiers=make_verifiers(config),
                handlers=handlers,
                clock=clock,
                entropy=entropy,
                trace=_open_trace(config, clock, opened),
            )
            accept_clock = partial(_accept_clock, clock, engine)
            metrics = Metrics(counts, hub.memory, engine, explainer)
            server = _server(
                config, services, ports, certificates, metrics, accept_clock
            )
            backups = Backups(engine, folder, config, clock, build_version())
            admin = _admin(folder, server, backups, hub)
            async with server.running(ports, admin):
                yield server


def _accept_clock(clock: SystemClock, engine: EmbeddedEngine) -> int:
    """Follow the machine's clock; return by how many ms it moved."""
    step_ms = clock.step_ms
    clock.accept()
    engine.follow_clock()
    return step_ms


def _certificates(
    config: Config, folder: DataFolder, clock: SystemClock, counts: Counts, log: Log
) -> CertificateKeeper:
    def now() -> datetime:
        return utc(clock.now_ms())

    names = _certificate_names(config)
    return CertificateKeeper(
        lambda: load_identity(folder, config.tls, names, now()),
        now,
        counts=counts,
        log=log,
        is_own=not config.tls.certificate,
    )


def _hub(config: Config, log: Log, counts: Counts, entropy: SystemEntropy) -> Hub:
    return Hub(
        counts=counts,
        log=log,
        entropy=entropy,
        monotonic=trio.current_time,
        memory=Memory(config.limits.memory_bytes_max),
    )


def _server(
    config: Config,
    services: Services,
    ports: Ports,
    certificates: CertificateKeeper,
    metrics: Metrics,
    accept_clock: Callable[[], int],
) -> Server:
    sweeper = Sweeper(begin=services.hub.begin, end=services.hub.flush)
    listener = Listener(ports.clients, certificates, services, sweeper)
    health_address = None
    if ports.health and config.health_address is not None:
        port = ports.health[0].getsockname()[1]
        health_address = Address(config.health_address.host, port)
    server: Server

    def is_ready() -> bool:
        return server.is_ready

    server = Server(
        services=services,
        listener=listener,
        sweeper=sweeper,
        health=Health(metrics, is_ready, services.hub),
        health_address=health_address,
        address=Address(config.listen_address.host, listener.port),
        version=build_version(),
        public_address=public_address(config, listener.port),
        certificates=certificates,
        accept_clock=accept_clock,
        token_issuer=config.registration_token.issuer,
    )
    return server


def _admin(
    folder: DataFolder, server: Server, backups: Backups, hub: Hub
) -> AdminServer:
    long_commands: dict[str, LongCommand] = {"backup": backups.command}
    commands = server.operations.commands()
    return AdminServer(folder.admin_socket, commands, hub, long_commands)


def _open_trace(
    config: Config, clock: SystemClock, opened: contextlib.ExitStack
) -> FrameTrace | None:
    if not config.trace_frames:
        return None
    trace = FrameTrace(Path(config.trace_frames).expanduser(), clock.now_ms)
    opened.callback(trace.close)
    return trace


def _bind(config: Config, folder: DataFolder, opened: contextlib.ExitStack) -> Ports:
    clients = bind(config.listen_address, config.limits.socket_buffer_bytes)
    for listener in clients:
        opened.callback(listener.close)
    health: list[socket.socket] = []
    if config.health_address:
        health = bind(config.health_address, config.limits.socket_buffer_bytes)
    for listener in health:
        opened.callback(listener.close)
    admin = bind_admin(folder.admin_socket)
    opened.callback(admin.close)
    return Ports(clients, admin, health)


def _public(config: Config) -> Address | None:
    """Return the public name, with a port if it has one; port 0 stands for none."""
    if not config.public_name:
        return None
    if config.public_name.rpartition(":")[2].isdigit():
        return parse_address(config.public_name)
    return Address(config.public_name.strip("[]"), 0)


def public_address(config: Config, port: int) -> Address:
    """Return where clients reach a server.

    Args:
        config: Its configuration.
        port: Where it listens.
    """
    public = _public(config)
    if public is not None:
        return Address(public.host, public.port or port)
    listen = config.listen_address
    return Address("localhost" if listen.is_wildcard else listen.host, port)


def _certificate_names(config: Config) -> tuple[str, ...]:
    names = ["localhost", "127.0.0.1", "::1"]
    public = _public(config)
    if not config.listen_address.is_wildcard:
        names.insert(0, config.listen_address.host)
    if public is not None:
        names.insert(0, public.host)
    return tuple(dict.fromkeys(names))
