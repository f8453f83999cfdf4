"""What a report holds, gathered; and what it must not hold, learnt on the way."""

import base64
import getpass
import http.client
import os
import platform
import re
import socket
import sqlite3
import ssl
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, cast

import anyio

from wigwag.client import ProfileFacts, WigwagError, given_keys, profile_traces
from wigwag.doctor._machine import memory_bytes
from wigwag.doctor._options import ServerOptions
from wigwag.doctor._pseudonyms import Pseudonyms
from wigwag.doctor._search import Secrets
from wigwag.wire import DRAFT, RELEASES

PACKAGES: Final = (
    "wigwag",
    "anyio",
    "apsw-sqlite3mc",
    "click",
    "cryptography",
    "doubleratchet",
    "msgpack",
    "msgspec",
    "trio",
)

METRICS_SECONDS: Final = 5.0
METRICS_BYTES_MAX: Final = 4 << 20
LINE_CHARACTERS_MAX: Final = 4_000

_PEM_BODY: Final = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s(.*?)-----END", re.DOTALL
)


def versions() -> dict[str, object]:
    """Say what runs here, and on what."""
    packages: dict[str, object] = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            packages[name] = version(name)
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": os.cpu_count(),
        "memory_bytes": memory_bytes(),
        "openssl": ssl.OPENSSL_VERSION,
        "sqlite_of_python": sqlite3.sqlite_version,
        "packages": packages,
        "specification": {
            "draft": f"0x{DRAFT:04x}" if DRAFT else None,
            "releases": list(RELEASES),
        },
    }


def learn_machine(names: Pseudonyms, secrets: Secrets) -> None:
    """Learn what this machine and its user are called."""
    names.learn("path", str(Path.home()))
    with suppress(KeyError, OSError):  # a container's user may have no name
        _learn_name(names, secrets, "user", getpass.getuser())
    host = socket.gethostname()
    for name in {host, host.partition(".")[0]}:
        _learn_name(names, secrets, "host", name)
    given = os.environ.get("WIGWAG_PASSPHRASE")
    if given:
        secrets.add("a passphrase", given.encode())


def settings_of(
    options: ServerOptions, names: Pseudonyms, secrets: Secrets
) -> dict[str, object] | None:
    """Return the server's configuration, and learn its names; None: it is wrong."""
    from wigwag.server import ServerError, load_settings, shown_value

    try:
        settings = load_settings(options.config_path, os.environ, options.settings)
    except ServerError:
        return None
    found: dict[str, object] = {}
    for setting in settings:
        value = shown_value(setting.key_path, setting.value)
        found[setting.name] = {"value": value, "origin": setting.origin}
        if isinstance(value, list):
            # Networks are addresses; what else is listed are files of keys.
            for one in cast("list[object]", value):
                if isinstance(one, str) and Path(one).is_file():
                    names.learn("path", one)
        if not isinstance(value, str) or not value:
            continue
        match setting.key_path[-1]:
            case "data" | "certificate" | "private_key" | "trace_frames":
                names.learn("path", value)
            case "listen" | "public_name":
                host = value.rpartition(":")[0] if ":" in value else value
                _learn_host(names, secrets, host.strip("[]"))
            case "issuer" | "audience":
                _learn_name(names, secrets, "host", value)
            case _:
                pass
    for path in (options.config_path, options.data):
        if path is not None:
            names.learn("path", str(path))
    return found


def learn_server(folder: Path, names: Pseudonyms, secrets: Secrets) -> None:
    """Learn a data folder's place and private keys."""
    from wigwag.server import ServerError, TLSConfig, inspect_certificate

    names.learn("path", str(folder))
    for path in sorted(folder.glob("*.pem")):
        with suppress(OSError):
            _learn_key(path.read_bytes(), secrets)
    with suppress(ServerError):
        facts = inspect_certificate(folder, TLSConfig())
        for name in () if facts is None else facts.names:
            _learn_host(names, secrets, name)


async def learn_profile(
    folder: Path, passphrase_file: Path | None, names: Pseudonyms, secrets: Secrets
) -> None:
    """Learn a profile's names and secrets, if it can be opened without asking."""
    _learn_name(names, secrets, "user", folder.name)
    names.learn("path", str(folder))
    for path in (passphrase_file, folder / "passphrase"):
        if path is not None:
            with suppress(OSError):
                data = await anyio.Path(path).read_bytes()
                secrets.add("a passphrase", data.splitlines()[0] if data else b"")
    try:
        keys = given_keys(folder, passphrase_file)
        if keys is None:
            return
        traces = await profile_traces(folder, keys)
    except WigwagError:
        # Then nothing of its inside is in the report either.
        return
    for name in traces.names:
        _learn_name(names, secrets, "user", name)
    for secret in traces.secrets:
        secrets.add(f"a {secret.label.rstrip('0123456789. ')}", secret.data)
    for user in traces.users:
        secrets.add("an account id", user)
    for text in traces.texts:
        secrets.add("the text of a message", text.encode())


def counts_of(
    facts: ProfileFacts | None, names: Pseudonyms, secrets: Secrets
) -> dict[str, object]:
    """Return schema and counts of a profile; it may be closed."""
    if facts is None:
        return {"is_open": False}
    _learn_host(names, secrets, facts.address.host)
    counted = ("schema", "verdict", "messages", "queued", "one_time_prekeys")
    return {"is_open": True, **{name: getattr(facts, name) for name in counted}}


def metrics_of(status: Mapping[str, object]) -> bytes | None:
    """Return a running server's figures; None: it tells them nowhere."""
    health = status.get("health")
    if not isinstance(health, str) or health == "off":
        return None
    host, _, port = health.rpartition(":")
    connection = http.client.HTTPConnection(
        host.strip("[]"), int(port), timeout=METRICS_SECONDS
    )
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read(METRICS_BYTES_MAX)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def tail(path: Path, lines_max: int) -> str:
    """Return the last lines of a log.

    Raises:
        OSError: It can't be read.
    """
    with path.open("r", encoding="utf-8", errors="replace") as lines:
        last = deque((line[:LINE_CHARACTERS_MAX] for line in lines), lines_max)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in last)


def _learn_key(pem: bytes, secrets: Secrets) -> None:
    """Learn a private key as its file has it, and as bytes."""
    for body in _PEM_BODY.findall(pem):
        for line in body.split():
            secrets.add("a private key of the server", line)
        with suppress(ValueError):
            secrets.add("a private key of the server", base64.b64decode(body))


def _learn_name(names: Pseudonyms, secrets: Secrets, kind: str, name: str) -> None:
    names.learn("host" if kind == "host" else "user", name)
    if name in names.known:
        secrets.names.append(name)


def _learn_host(names: Pseudonyms, secrets: Secrets, host: str) -> None:
    """Learn a host's name; of an address only the form is looked for, elsewhere."""
    if host not in ("", "localhost") and not re.fullmatch(r"[0-9a-fA-F.:*]+", host):
        _learn_name(names, secrets, "host", host)
