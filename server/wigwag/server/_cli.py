"""`wigwag serve`: reads the configuration, takes the folder, serves until told to stop.

Standard output gets one line when clients can come; standard error gets events, or
one sentence why the server can't run. The exit status is of the shared table.
"""

import contextlib
import gc
import os
import resource
import signal
import sys
from pathlib import Path

import click
import msgspec
import trio

from wigwag.server._assemble import build_version, open_server
from wigwag.server._config import Config
from wigwag.server._config_load import load_config
from wigwag.server._errors import ServerError
from wigwag.server._folder import DataFolder, open_folder
from wigwag.server._join import FIRST_INVITE_HOURS, FIRST_INVITE_USES
from wigwag.server._limits import DESCRIPTORS_SPARE
from wigwag.server._observe import Log, make_log
from wigwag.server._proofs import make_verifiers
from wigwag.server._server import Server
from wigwag.spec import ExitCode

EPILOG = """
\b
Examples:
  wigwag serve
  wigwag serve --config wigwag.toml --check-config
"""

# New objects between two runs of the garbage collector, instead of 700: a thousand
# connections with a request each make as many in one group, and none is garbage.
COLLECTED_OBJECTS = 20_000


@click.command(epilog=EPILOG)
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="TOML file with settings; the environment (WIGWAG_SERVER_…) and options win.",
)
@click.option("--data", help="Data folder; made on the first run.")
@click.option("--listen", help="HOST:PORT to take clients on; port 0: any free one.")
@click.option("--public-name", help="Name under which clients reach this server.")
@click.option("--health", help="HOST:PORT for metrics and health, auto or off.")
@click.option("--limits-profile", type=click.Choice(["default", "bench"]))
@click.option("--log-format", type=click.Choice(["console", "json"]))
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]))
@click.option("--check-config", is_flag=True, help="Check the configuration and stop.")
@click.option(
    "--accept-clock", is_flag=True, help="This machine's clock is right: start anyway."
)
@click.option(
    "--accept-loss",
    is_flag=True,
    help="Go on without commits that are lost: by a damaged or older log, or by a copy "
    "that was made while a server ran.",
)
def serve(
    config_path: Path | None,
    *,
    check_config: bool,
    accept_clock: bool,
    accept_loss: bool,
    **options: str | None,
) -> None:
    """Run a Wigwag server on this machine.

    The first run makes a data folder, a certificate and an invite. The ready line has
    the join string that `wigwag register` takes.
    """
    try:
        config = load_config(config_path, os.environ, _settings(options))
        if check_config:
            make_verifiers(config)  # reads the keys of the identity service
            click.echo("the configuration is good")
            return
        _run(config, accepts_clock=accept_clock, accepts_loss=accept_loss)
    except ServerError as error:
        _fail(error)
    except BaseExceptionGroup as group:
        # Tasks raise in groups; an operator wants the one sentence.
        found = _only_server_error(group)
        if found is None:
            raise
        _fail(found)


def _settings(options: dict[str, str | None]) -> dict[str, str]:
    keys = {
        "health": "health.listen",
        "log_format": "log.format",
        "log_level": "log.level",
    }
    return {
        keys.get(name, name): value
        for name, value in options.items()
        if value is not None
    }


def _only_server_error(group: BaseExceptionGroup) -> ServerError | None:
    """Return a server error of a group that holds nothing else, else None."""
    found, rest = group.split(ServerError)
    if found is None or rest is not None:
        return None
    error: BaseException = found
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ServerError)
    return error


def _fail(error: ServerError) -> None:
    click.echo(f"wigwag serve: {error.sentence}", err=True)
    raise SystemExit(error.exit_code)


def _run(config: Config, *, accepts_clock: bool, accepts_loss: bool) -> None:
    # A core file would hold whatever clients just sent.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What the database library makes is for the server's user alone, too.
    os.umask(0o077)
    log = make_log(config.log.format, config.log.level)
    config = _fit_descriptors(config, log)
    with open_folder(config.data_folder(dict(os.environ))) as folder:
        trio.run(_serve, config, folder, log, accepts_clock, accepts_loss)


def _fit_descriptors(config: Config, log: Log) -> Config:
    """Allow as many descriptors as the connections need, or take fewer connections."""
    limits = config.limits
    wanted = limits.connections_max + DESCRIPTORS_SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    allowed = wanted if hard == unlimited else min(wanted, hard)
    if soft != unlimited and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed >= wanted:
        return config
    connections_max = max(1, allowed - DESCRIPTORS_SPARE)
    log.warning(
        "fewer_connections",
        connections=connections_max,
        reason=(
            f"{limits.connections_max} need {wanted} descriptors and the system allows "
            f"{hard}: raise that (systemd: LimitNOFILE={wanted}, a root shell: "
            f"ulimit -Hn {wanted}) or set limits.connections_max = {connections_max}"
        ),
    )
    limits = msgspec.structs.replace(limits, connections_max=connections_max)
    return msgspec.structs.replace(config, limits=limits)


def _finish_loading() -> None:
    """Load the reference codec, which takes a tenth of a second; then all is there.

    What is there now stays, so the garbage collector needn't walk it ever again.
    """
    from wigwag.spec import product_reference  # not for `--help`

    product_reference()
    gc.set_threshold(COLLECTED_OBJECTS)
    gc.freeze()


async def _serve(
    config: Config,
    folder: DataFolder,
    log: Log,
    accepts_clock: bool,
    accepts_loss: bool,
) -> None:
    async with (
        open_server(
            config,
            folder,
            log,
            accepts_clock=accepts_clock,
            accepts_loss=accepts_loss,
        ) as server,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(_obey_signals, server)
        # Else the first malformed body would make everybody wait for it.
        nursery.start_soon(trio.to_thread.run_sync, _finish_loading)
        await _say_ready(server, config, folder, log)
        await server.wait_stopped()
        nursery.cancel_scope.cancel()
    log.info("stopped")


async def _say_ready(
    server: Server, config: Config, folder: DataFolder, log: Log
) -> None:
    """Print the one line that means: clients can come."""
    status = await server.operations.status()
    address = server.operations.address().reveal()
    if config.registration == "token":
        # An invite that nobody asked for would be a way round the identity service.
        line = f"ready on {server.address}, join with a token and {address}"
    elif status.accounts == 0:
        # Until somebody has registered, every start hands out a new invite: the
        # first ready line may never have been read.
        join = await server.invite(
            uses=FIRST_INVITE_USES, expires_seconds=FIRST_INVITE_HOURS * 3_600
        )
        line = f"ready on {server.address}, join with {join.reveal()}"
    else:
        line = f"ready on {server.address}, reach it at {address}"
    if not config.public_name and config.listen_address.is_wildcard:
        log.warning("no_public_name", reason="other machines need public_name to join")
    health = server.health_address
    log.info(
        "ready",
        address=str(server.address),
        health="off" if health is None else str(health),
        folder=str(folder.path),
        profile=config.limits_profile,
        registration=config.registration,
        version=build_version(),
    )
    click.echo(line)
    sys.stdout.flush()


async def _obey_signals(server: Server) -> None:
    """Drain on the first signal, leave at once on the second; reload on SIGHUP."""
    wanted = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    with trio.open_signal_receiver(*wanted) as signals:
        is_draining = False
        async for number in signals:
            name = signal.Signals(number).name
            if number == signal.SIGHUP:
                # Why not, if it can't be used, is in the log by then.
                with contextlib.suppress(ServerError):
                    await server.certificates.reload()
                continue
            if is_draining:
                # What was answered is durable; there is nothing to save.
                click.echo(f"wigwag serve: {name} again: stopped at once", err=True)
                sys.stderr.flush()
                os._exit(ExitCode.TRY_LATER)
            is_draining = True
            server.services.hub.log.info("signal", signal=name)
            server.request_drain()
