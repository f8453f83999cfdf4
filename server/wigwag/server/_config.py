"""What an operator decides: a TOML file, the environment, the command line.

The last of these that says something wins. A key that nothing knows is refused with
its place and the nearest known one: a misspelt bound that is silently ignored is a
bound that does not hold. Bounds themselves are in `_limits.py`.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from wigwag.server._address import Address, parse_address
from wigwag.server._limits import Limits, Profile

DEFAULT_LISTEN = "127.0.0.1:7411"
AUTO = "auto"
OFF = "off"
# Two during a rotation; a set of an identity service has some more.
TOKEN_KEYS_MAX = 16

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _check_address(listen: str) -> None:
    try:
        parse_address(listen)
    except ValueError as error:
        raise ValueError(f"listen: {error}") from error


class TLSConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Given certificates; without them the server makes a development CA of its own."""

    certificate: str = ""
    """PEM file: leaf first, then the chain up to the CA that clients pin."""
    private_key: str = ""
    """PEM file of the leaf's private key, without a passphrase."""

    def __post_init__(self) -> None:
        if bool(self.certificate) != bool(self.private_key):
            raise ValueError(
                "certificate: certificate and private_key are given together or not"
            )


class LogConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How events are written to standard error."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class HealthConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """The local port for /metrics, /healthz and /readyz."""

    listen: str = AUTO
    """HOST:PORT; `auto`: 127.0.0.1 and the port above the server's; or `off`."""

    def __post_init__(self) -> None:
        if self.listen not in (AUTO, OFF):
            _check_address(self.listen)


class RegistrationTokenConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Whose signed tokens let people register; for `registration = "token"`."""

    issuer: str = ""
    """The tokens' `iss`: the identity service."""
    audience: str = ""
    """The tokens' `aud`: this server, by a name of its own."""
    keys: Annotated[list[str], Meta(max_length=TOKEN_KEYS_MAX)] = []
    """The service's public keys: files (PEM, JWK or a set of JWKs), or JWKs. Tokens
    name theirs by `kid`: a JWK's own, or a PEM file's name without what follows the
    last dot."""
    leeway_seconds: Annotated[int, Meta(ge=0, le=120)] = 30
    """By how much the clocks of service and server may differ."""

    @property
    def is_given(self) -> bool:
        """Whether all is there that tokens are judged by."""
        return bool(self.issuer and self.audience and self.keys)


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that `wigwag serve` can be told, checked."""

    listen: str = DEFAULT_LISTEN
    """HOST:PORT to take clients on; port 0 takes a free one."""
    data: str = ""
    """The data folder; empty: the user's own data folder."""
    public_name: str = ""
    """Name under which clients reach the server; empty: what it listens on."""
    development: bool = False
    """Allows what no public server may do; `registration = "open"` needs it."""
    registration: Literal["invite", "token", "open"] = "invite"
    """Who may register: holders of an invite, also those of a token of an identity
    service (`registration_token`), or anybody (development only)."""
    trace_frames: str = ""
    """File that gets every frame, in hexadecimal (development only); empty: none."""
    trusted_networks: Annotated[list[str], Meta(max_length=64)] = []
    """Networks (CIDR) that are exempt from bounds by address."""
    limits_profile: Profile = "default"
    tls: TLSConfig = TLSConfig()
    log: LogConfig = LogConfig()
    health: HealthConfig = HealthConfig()
    registration_token: RegistrationTokenConfig = RegistrationTokenConfig()
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        _check_address(self.listen)
        for network in self.trusted_networks:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ValueError(f"trusted_networks: {error}") from error
        if self.registration == "open" and not self.development:
            raise ValueError(
                'registration: "open" lets anybody register, so it also needs '
                "development = true"
            )
        has_token = self.registration_token != RegistrationTokenConfig()
        if self.registration == "token" and not self.registration_token.is_given:
            raise ValueError(
                'registration: "token" needs issuer, audience and keys in '
                "[registration_token]"
            )
        if has_token and self.registration != "token":
            raise ValueError(
                'registration_token: is used only with registration = "token"'
            )
        if self.trace_frames and not self.development:
            raise ValueError(
                "trace_frames keeps who wrote to whom and when: it also needs "
                "development = true"
            )

    @property
    def listen_address(self) -> Address:
        """Where to take clients."""
        return parse_address(self.listen)

    @property
    def health_address(self) -> Address | None:
        """Where to answer health checks; None: nowhere."""
        if self.health.listen == OFF:
            return None
        if self.health.listen == AUTO:
            port = self.listen_address.port
            return Address("127.0.0.1", port + 1 if 0 < port < 65_535 else 0)
        return parse_address(self.health.listen)

    @property
    def networks(self) -> tuple[Network, ...]:
        """The trusted networks, parsed."""
        return tuple(ipaddress.ip_network(text) for text in self.trusted_networks)

    def data_folder(self, environment: dict[str, str]) -> Path:
        """Returns the data folder; without a setting, where the user's data belongs."""
        if self.data:
            return Path(self.data).expanduser()
        base = environment.get("XDG_DATA_HOME") or "~/.local/share"
        return Path(base).expanduser() / "wigwag" / "server"
