"""What the configuration asks of the machine, and what nobody should ask."""

import ipaddress
import resource
from dataclasses import replace
from typing import Final

from wigwag.doctor._check import Check, Level
from wigwag.doctor._database import number
from wigwag.doctor._machine import answers, memory_bytes, size_words
from wigwag.doctor._options import ServerOptions
from wigwag.server import (
    CONNECTION_BYTES,
    DESCRIPTORS_SPARE,
    Address,
    Config,
    parse_address,
)

PORTS_TRIED: Final = 40
"""Above a port that is taken; the health port is the one above."""

MEMORY_SHARE_MAX: Final = 0.8
"""The interpreter, the database's cache and the system want the rest."""

SHARE_GOOD: Final = 0.5


def check_limits(
    config: Config, options: ServerOptions, status: dict[str, object] | None
) -> list[Check]:
    """Hold the configured bounds against the machine.

    Args:
        config: The configuration.
        options: For the commands that mend.
        status: Of the running server; None: none runs.
    """
    return [
        _descriptors(config, options, status),
        *_memory(config),
        *_sense(config),
    ]


def _descriptors(
    config: Config, options: ServerOptions, status: dict[str, object] | None
) -> Check:
    wanted = config.limits.connections_max + DESCRIPTORS_SPARE
    allow = f"sudo prlimit --pid $$ --nofile={wanted}:{wanted}"
    if status is not None:
        taken = number(status, "connections_max")
        if taken < config.limits.connections_max:
            words = (
                f"the running server takes {taken} connections and not the configured "
                f"{config.limits.connections_max}: the system allowed it "
                f"{number(status, 'descriptors_max')} descriptors"
            )
            return Check("descriptors", "warning", words, options.restart(allow))
        words = f"the running server takes {taken} connections"
        return Check("descriptors", "ok", words)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        words = (
            f"{config.limits.connections_max} connections need {wanted} descriptors, "
            f"and {hard} are allowed here (ulimit -Hn): fewer would be taken"
        )
        mend = f"{allow} && {options.serve()}"
        return Check("descriptors", "warning", words, mend)
    words = f"there are descriptors for {config.limits.connections_max} connections"
    return Check("descriptors", "ok", words)


def _memory(config: Config) -> list[Check]:
    whole, budget = memory_bytes(), config.limits.memory_bytes_max
    share = budget / whole
    words = f"a budget of {size_words(budget)}, and {size_words(whole)} of memory"
    level: Level = "ok"
    if share > MEMORY_SHARE_MAX:
        level = "problem" if share > 1 else "warning"
    checks = [
        Check(
            "memory",
            level,
            words + ("" if level == "ok" else ": the system may kill the server"),
            "" if level == "ok" else _set("memory_bytes_max", whole * SHARE_GOOD),
        )
    ]
    idle = config.limits.connections_max * CONNECTION_BYTES
    if idle > budget:
        checks.append(
            Check(
                "connections",
                "warning",
                f"{config.limits.connections_max} connections are charged at least "
                f"{size_words(idle)}, above the memory budget of {size_words(budget)}",
                _set("connections_max", budget // CONNECTION_BYTES),
            )
        )
    return checks


def _sense(config: Config) -> list[Check]:
    """Warn of settings that are for trials, on a server that others can reach."""
    checks: list[Check] = []
    is_public = not _is_local(config.listen_address)
    if config.listen_address.is_wildcard and not config.public_name:
        words = "public_name is not set: join strings name localhost, for this machine"
        mend = "export WIGWAG_SERVER_PUBLIC_NAME=$(hostname -f)"
        checks.append(Check("public-name", "warning", words, mend))
    if is_public and not config.limits.has_token_buckets:
        words = "no rate limits: the bounds of the profile bench are for measuring"
        mend = "export WIGWAG_SERVER_LIMITS_PROFILE=default"
        checks.append(Check("rate-limits", "warning", words, mend))
    if is_public and config.registration == "open":
        words = "anybody who reaches this server may register"
        mend = "export WIGWAG_SERVER_REGISTRATION=invite"
        checks.append(Check("registration", "warning", words, mend))
    if config.trace_frames:
        words = f"every frame is written to {config.trace_frames}: who wrote to whom"
        mend = "export WIGWAG_SERVER_TRACE_FRAMES="
        checks.append(Check("trace", "warning", words, mend))
    health = config.health_address
    if health is not None and not _is_local(health):
        words = f"figures are told to anybody who reaches {health}"
        mend = "export WIGWAG_SERVER_HEALTH__LISTEN=auto"
        checks.append(Check("health-port", "warning", words, mend))
    return checks


def _is_local(address: Address) -> bool:
    try:
        return ipaddress.ip_address(address.host).is_loopback
    except ValueError:
        return address.host == "localhost"


def _set(name: str, value: float) -> str:
    return f"export WIGWAG_SERVER_LIMITS__{name.upper()}={int(value)}"


def check_ports(
    config: Config, options: ServerOptions, status: dict[str, object] | None
) -> list[Check]:
    """Look whether the ports are the server's, or free for it.

    Args:
        config: The configuration.
        options: For the commands that mend.
        status: Of the running server; None: none runs.
    """
    if status is None:
        wanted = [("port", config.listen_address)]
        if config.health_address is not None:
            wanted.append(("health", config.health_address))
        return [
            _free(name, address, options) for name, address in wanted if address.port
        ]
    checks: list[Check] = []
    told = [("port", "listen"), ("public-address", "address"), ("health", "health")]
    for name, key in told:
        text = status.get(key)
        if not isinstance(text, str) or text == "off":
            continue
        address = parse_address(text)
        host = _dialled(address)
        why = answers(host, address.port)
        if why:
            mend = options.restart()
            words = f"{address} doesn't answer from here: {why}"
            level: Level = "warning" if key == "address" else "problem"
            checks.append(Check(name, level, words, mend))
        else:
            checks.append(Check(name, "ok", f"{address} answers"))
    return checks


def _free(name: str, address: Address, options: ServerOptions) -> Check:
    if answers(_dialled(address), address.port):
        return Check(name, "ok", f"{address} is free")
    words = f"somebody else answers on {address}: end that process, or take another"
    other = f"{address.host}:{_next_free(address)}"
    elsewhere = (
        replace(options, listen=other)
        if name == "port"
        else replace(options, health=other)
    )
    mend = elsewhere.serve()
    return Check(name, "problem", words, mend)


def _next_free(address: Address) -> int:
    """Return a port above where nobody answers; 0, any free one, if that is rare."""
    above = range(address.port + 2, min(address.port + PORTS_TRIED, 65_536), 2)
    host = _dialled(address)
    return next((port for port in above if answers(host, port)), 0)


def _dialled(address: Address) -> str:
    """Return a host that reaches this machine when the address means all of it."""
    if not address.is_wildcard:
        return address.host
    return "::1" if ":" in address.host else "127.0.0.1"
