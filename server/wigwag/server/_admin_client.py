"""Asks a running server on its admin socket: what `wigwag admin` does."""

import os
import socket
from pathlib import Path
from typing import cast

import msgspec

from wigwag.server._admin import Reply, short_path
from wigwag.server._errors import AdminError
from wigwag.server._folder import ADMIN_SOCKET_NAME

ANSWER_SECONDS = 30.0
ANSWER_BYTES_MAX = 65_536


def ask_admin(folder: Path, request: dict[str, object]) -> Reply:
    """Send one request and return its answer; blocks.

    Raises:
        AdminError: No server runs on the folder, it didn't answer, or it refused.
    """
    path = folder / ADMIN_SOCKET_NAME
    try:
        line = _exchange(path, msgspec.json.encode(request) + b"\n")
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise AdminError(
            f"no server runs on {folder}: start it with `wigwag serve --data {folder}`"
        ) from error
    except OSError as error:
        reason = error.strerror or str(error) or "no answer"
        raise AdminError(f"{path}: {reason}") from error
    try:
        reply = cast("Reply", msgspec.json.decode(line, type=dict))
    except msgspec.MsgspecError as error:
        raise AdminError(f"{path}: the server gave no answer") from error
    if not reply.pop("ok", False):
        raise AdminError(str(reply.get("error", "refused")))
    return reply


def _exchange(path: Path, line: bytes) -> bytes:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(ANSWER_SECONDS)
            client.connect(short_path(path, folder))
            client.sendall(line)
            answer = bytearray()
            while b"\n" not in answer and len(answer) < ANSWER_BYTES_MAX:
                data = client.recv(ANSWER_BYTES_MAX)
                if not data:
                    break
                answer += data
            return bytes(answer)
    finally:
        os.close(folder)
