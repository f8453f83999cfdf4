"""Where to listen and who called: addresses in the forms that people write them."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

PORT_MAX = 65535
# A household or a host is given a whole /64 of IPv6 as a rule: limits by single
# address would be no limits (RFC 6177).
IPV6_PREFIX_BITS = 64


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a TCP port; the host may be a name or an IP address."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_wildcard(self) -> bool:
        """Whether the host stands for every interface of the machine."""
        return self.host in ("", "0.0.0.0", "::")  # noqa: S104 - it is compared


def parse_address(text: str) -> Address:
    """Read HOST:PORT; an IPv6 address stands in brackets.

    Raises:
        ValueError: `text` isn't of this form; the message says what is missing.
    """
    host, colon, port_text = text.rpartition(":")
    if not colon:
        raise ValueError(f"{text!r} has no port: write HOST:PORT")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text!r}: an IPv6 address stands in brackets, [::1]:7411")
    if not (port_text.isascii() and port_text.isdigit()):
        raise ValueError(f"{text!r}: {port_text!r} is no port number")
    port = int(port_text)
    if port > PORT_MAX:
        raise ValueError(f"{text!r}: a port is at most {PORT_MAX}")
    return Address(host, port)


def limiter_key(host: str) -> str:
    """Reduce an IP address to what is limited as one: IPv6 to its /64."""
    address = ip_address(host.partition("%")[0])
    match address:
        case IPv4Address():
            return str(address)
        case IPv6Address():
            if address.ipv4_mapped is not None:
                return str(address.ipv4_mapped)
            network = IPv6Network((int(address), IPV6_PREFIX_BITS), strict=False)
            return str(network)
