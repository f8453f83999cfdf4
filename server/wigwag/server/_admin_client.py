"""Asks a running server on its admin socket: what `wigwag admin` does."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import cast

import msgspec

from wigwag.server._admin import SILENCE_SECONDS_MAX, Reply, short_path
from wigwag.server._errors import AdminError
from wigwag.server._folder import ADMIN_SOCKET_NAME

ANSWER_SECONDS = 30.0
ANSWER_BYTES_MAX = 65_536
# How a line begins that is no answer yet.
PROGRESS = b'{"progress":'


def ask_admin(
    folder: Path,
    request: dict[str, object],
    on_progress: Callable[[Reply], None] | None = None,
) -> Reply:
    """Send one request and return its answer; blocks.

    Args:
        folder: The server's data folder.
        request: The request.
        on_progress: Takes what a command that takes long says before its answer.

    Raises:
        AdminError: No server runs on the folder, it didn't answer, or it refused.
    """
    path = folder / ADMIN_SOCKET_NAME
    try:
        line = _exchange(path, msgspec.json.encode(request) + b"\n", on_progress)
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


def _exchange(
    path: Path, line: bytes, on_progress: Callable[[Reply], None] | None
) -> bytes:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(
                ANSWER_SECONDS if on_progress is None else SILENCE_SECONDS_MAX
            )
            client.connect(short_path(path, folder))
            client.sendall(line)
            with client.makefile("rb") as answers:
                while True:
                    answer = answers.readline(ANSWER_BYTES_MAX)
                    if on_progress is None or not answer.startswith(PROGRESS):
                        return answer.rstrip(b"\n")
                    found = msgspec.json.decode(answer, type=dict[str, Reply])
                    on_progress(found["progress"])
    finally:
        os.close(folder)
