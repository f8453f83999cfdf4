"""Below the protocol: sockets from many addresses, and what they offer in TLS."""

import socket
import ssl

from wigwag.bench.adversary._attack import Target, TurnedAwayError
from wigwag.wire import ALPN

# Whoever doesn't answer for this long is down, however loaded the machine is.
ANSWER_SECONDS_MAX = 20.0
READ_BYTES = 65_536


def client_context() -> ssl.SSLContext:
    """Return TLS 1.3 without verification: an attacker trusts its target."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([ALPN])
    return context


CLIENT_CONTEXT = client_context()


def open_tcp(target: Target, source: str | None = None) -> socket.socket:
    """Connect; no byte is sent.

    Args:
        target: Where to.
        source: Address to come from; None: the next of the target's sources.

    Raises:
        TurnedAwayError: The server took no connection.
    """
    try:
        plain = socket.create_connection(
            (target.host, target.port),
            timeout=ANSWER_SECONDS_MAX,
            source_address=(source or target.sources.next(), 0),
        )
    except ConnectionError as error:
        raise TurnedAwayError("no connection") from error
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return plain
