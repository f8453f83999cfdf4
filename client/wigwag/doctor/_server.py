"""All that is looked at of a server: `check_server`."""

import os
import re
import shlex
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from wigwag.doctor._certificate import check_certificate
from wigwag.doctor._check import Check
from wigwag.doctor._database import check_running, check_stopped
from wigwag.doctor._folder import check_permissions, check_space
from wigwag.doctor._limits import check_limits, check_ports
from wigwag.doctor._machine import lock_holder, mode_of
from wigwag.doctor._options import ServerOptions
from wigwag.server import (
    AdminError,
    Config,
    ConfigError,
    DataFolder,
    ask_admin,
    build_version,
    load_config,
)
from wigwag.server.engines import RESERVE_BYTES, SCHEMA_VERSION
from wigwag.wire import DRAFT, NEWEST_REVISION

SECRET_FILES: Final = (
    "wigwag.db",
    "wigwag.db-wal",
    "ca-key.pem",
    "leaf-key.pem",
    "lock",
    "admin.sock",
)
RESTORING: Final = "restoring"

_MISSPELT: Final = re.compile(
    r"^(?P<path>.*):(?P<line>\d+): there is no setting '(?P<wrong>[\w-]+)'"
    r".*; did you mean '(?P<right>\w+)'\?$"
)
_PLACE: Final = re.compile(r"^(?P<path>.*?):(?P<line>\d+): ")
_VARIABLE: Final = re.compile(r"^(?P<name>WIGWAG_SERVER_\w+): ")


def check_server(
    options: ServerOptions,
    *,
    is_deep: bool = False,
    tell: Callable[[str], None] | None = None,
) -> list[Check]:
    """Look at the server that these options mean; it may run or not.

    Args:
        options: As for `wigwag serve`.
        is_deep: Look through its database however large it is.
        tell: Takes what is being done when that takes long.
    """
    try:
        config = load_config(options.config_path, os.environ, options.settings)
    except ConfigError as error:
        return [_configuration(error, options)]
    checks = [Check("configuration", "ok", "it can be read")]
    folder = config.data_folder(dict(os.environ))
    now_ms = time.time_ns() // 1_000_000
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    if not folder.is_dir():
        words = f"there is no data folder {folder} yet"
        checks.append(Check("folder", "warning", words, options.serve()))
        checks += check_limits(config, options, None)
        return [*checks, *check_ports(config, options, None)]
    checks += _folder(folder, config)
    if any(check.is_problem and check.name == "owner" for check in checks):
        # What can't be read can't be judged.
        return checks
    status, running = _running(folder, options)
    listen = None if status is None else status.get("listen")
    if isinstance(listen, str) and listen != config.listen:
        # Told on its command line: a command that starts it again must say it, too.
        options = replace(options, listen=listen)
    checks += running
    checks += check_certificate(folder, config, options, now, status)
    held = DataFolder(folder)
    if status is not None:
        checks += check_running(held.database, status, options, now_ms)
    elif running[-1].level == "ok":
        if tell is not None and held.database.exists():
            tell(f"looking through {held.database}")
        found, _ = check_stopped(held.database, options, now_ms, is_deep=is_deep)
        checks += found
    checks.append(check_space(folder, "server"))
    checks += _reserve(held.database, status, folder)
    checks += check_limits(config, options, status)
    if status is None and running[-1].level != "ok":
        # The ports are that process', perhaps.
        return checks
    return [*checks, *check_ports(config, options, status)]


def ask_status(folder: Path) -> dict[str, object] | None:
    """Return what the server on a folder says of itself; None: none answers."""
    try:
        return ask_admin(folder, {"command": "status"})
    except AdminError:
        return None


def _configuration(error: ConfigError, options: ServerOptions) -> Check:
    """Say what is wrong with the configuration, and change it if that is plain."""
    text = error.sentence
    misspelt, place, variable = (
        pattern.match(text) for pattern in (_MISSPELT, _PLACE, _VARIABLE)
    )
    if misspelt:
        change = f"{misspelt['line']}s/{misspelt['wrong']}/{misspelt['right']}/"
        mend = shlex.join(["sed", "-i.bak", "-e", change, misspelt["path"]])
    elif variable:
        mend = f"unset {variable['name']}"
    elif place:
        edit = shlex.join([f"+{place['line']}", place["path"]])
        mend = f"${{EDITOR:-vi}} {edit}"
    else:
        mend = options.serve("--check-config")
    return Check("configuration", "problem", text, mend)


def _folder(folder: Path, config: Config) -> list[Check]:
    files = [folder / name for name in SECRET_FILES]
    checks = check_permissions(folder, files, "server")
    if config.tls.private_key:
        key = Path(config.tls.private_key)
        if key.exists() and mode_of(key) & 0o077:
            words = f"others may read the private key {key}: {mode_of(key):04o}"
            mend = shlex.join(["chmod", "600", str(key)])
            checks.append(Check("key-mode", "problem", words, mend))
    if (folder / RESTORING).exists():
        words = f"a restore of {folder} was cut short: give the same backup again"
        mend = shlex.join(
            ["wigwag", "admin", "restore", "BACKUP", "--data", str(folder)]
        )
        checks.append(Check("restore", "problem", words, mend))
    return checks


def _running(
    folder: Path, options: ServerOptions
) -> tuple[dict[str, object] | None, list[Check]]:
    """Say whether a server runs on the folder, and whether it is of this build."""
    holder = lock_holder(folder / "lock")
    status = ask_status(folder)
    if status is None:
        if holder is None:
            return None, [_build(None, options), Check("running", "ok", "none runs")]
        words = (
            f"process {holder.pid or '?'} holds {folder} and doesn't answer: it "
            "starts, restores, or hangs; then end it: what it answered is safe"
        )
        mend = f"kill {holder.pid}" if holder.pid else f"fuser {folder / 'lock'}"
        return None, [_build(None, options), Check("running", "warning", words, mend)]
    who = f"process {holder.pid}" if holder is not None else "a server"
    words = f"{who} serves {status.get('connections')} connections from {folder}"
    return status, [_build(status, options), Check("running", "ok", words)]


def _build(status: dict[str, object] | None, options: ServerOptions) -> Check:
    """Say which revision of the protocol, and hold the running build against this."""
    spoken = f"draft 0x{DRAFT:04x}" if DRAFT else f"revision {NEWEST_REVISION}"
    words = f"Wigwag {build_version()}, {spoken}, schema {SCHEMA_VERSION}"
    if status is None:
        return Check("revision", "ok", words)
    ours = (build_version(), DRAFT, SCHEMA_VERSION)
    theirs = tuple(status.get(key) for key in ("version", "revision_draft", "schema"))
    if ours == theirs:
        return Check("revision", "ok", f"{words}, finalized {status.get('finalized')}")
    other = (
        f"the running server is Wigwag {theirs[0]} with draft {theirs[1]} and schema "
        f"{theirs[2]}, and installed is {words}: start it anew"
    )
    mend = options.restart()
    return Check("revision", "warning", other, mend)


def _reserve(
    database: Path, status: dict[str, object] | None, folder: Path
) -> list[Check]:
    """Look at the space that is kept back for a full disk."""
    if not database.exists():
        return []
    reserve = database.with_name(database.name + ".reserve")
    size = reserve.stat().st_size if reserve.exists() else 0
    biggest = f"du -xah {shlex.quote(str(folder))} | sort -h | tail"
    if status is not None and status.get("is_space_low"):
        words = "the disk was full: messages are refused until there is room"
        return [Check("reserve", "problem", words, biggest)]
    if size != RESERVE_BYTES:
        words = "the space kept back for a full disk is used up: make room"
        return [Check("reserve", "problem", words, biggest)]
    return [Check("reserve", "ok", "16 MiB are kept back for a full disk")]
