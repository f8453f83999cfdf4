"""Sends the server one frame with a text in the clear: a search must be able to fail.

If the search for secrets doesn't find this text in the server's trace, it would not
find any other either.
"""

import secrets
import socket
import ssl
from pathlib import Path
from typing import Final

from wigwag.demo._processes import StageError
from wigwag.wire import ALPN, DRAFT, HEADER_BYTES, Hello, encode_frame

ANSWER_SECONDS: Final = 20.0

NONCE_BYTES: Final = 32

FRAME_BYTES: Final = 65_536
"""The smallest `frame_bytes_max` that a client may name."""


def plant(address: str, authority: Path, text: str) -> None:
    """Say HELLO with a text where the client's name belongs, and wait for the answer.

    Args:
        address: HOST:PORT of the server.
        authority: Its CA certificate, PEM.
        text: At most 64 bytes of UTF-8.

    Raises:
        StageError: The server didn't answer.
    """
    hello = Hello(
        client_nonce=secrets.token_bytes(NONCE_BYTES),
        revision_min=0,
        revision_max=0,
        draft=DRAFT,
        features=(),
        frame_bytes_max=FRAME_BYTES,
        window_entries=1,
        client_name=text,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(authority)
    context.set_alpn_protocols([ALPN])
    host, _, port = address.rpartition(":")
    try:
        with (
            socket.create_connection((host, int(port)), ANSWER_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            connection.sendall(encode_frame(hello, DRAFT, corr=1))
            answer = connection.recv(HEADER_BYTES)
    except OSError as error:
        raise StageError(f"the server took no planted frame: {error}") from error
    if not answer:
        raise StageError("the server didn't answer the planted frame")
