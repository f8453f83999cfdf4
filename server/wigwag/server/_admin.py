"""The local admin socket: what an operator may ask of a running server.

A Unix socket of mode 0600 in the data folder, so the folder's owner alone can reach
it. One JSON object in a line asks, one in a line answers:

    {"command": "status"}
    {"command": "invite", "uses": 1, "expires_seconds": 86400}
    {"command": "drain"}
    {"command": "accept-clock"}
    {"command": "reload-certificate"}
    {"command": "inbox", "user": "0a1b…", "device": 1}
    {"command": "backup", "path": "/var/backups/wigwag"}
    -> {"ok": true, …} or {"ok": false, "error": "one sentence"}

Before the answer of a command that takes long come lines {"progress": …}.
"""

import os
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import msgspec
import trio

from wigwag.server._folder import storage_error
from wigwag.server._hub import Hub

REQUEST_SECONDS = 10.0
# A command that takes long may be silent for this long: fsync of a large copy.
SILENCE_SECONDS_MAX = 600.0
# A path of PATH_MAX bytes, escaped.
REQUEST_BYTES_MAX = 32_768
CONNECTIONS_MAX = 8
SOCKET_MODE = 0o600
# What fits into sockaddr_un on Linux and macOS alike.
SOCKET_PATH_BYTES_MAX = 103

Reply: TypeAlias = dict[str, object]


class AdminRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request, whatever the command."""

    command: str
    uses: int = 1
    expires_seconds: int = 86_400
    path: str = ""
    user: str = ""
    device: int = 1


class AdminRefusedError(Exception):
    """A request that can't be done; its text is the answer."""


AdminCommand: TypeAlias = Callable[[AdminRequest], Awaitable[Reply]]
Tell: TypeAlias = Callable[[Reply], Awaitable[None]]
"""Sends a line of progress to whoever asked; raises when he has gone away."""
LongCommand: TypeAlias = Callable[[AdminRequest, Tell], Awaitable[Reply]]


def short_path(path: Path, folder_descriptor: int) -> str:
    """Return a name of a socket that fits into a socket address.

    A Unix socket's path has about a hundred bytes, and data folders may lie deep. On
    Linux the folder is reachable through its descriptor.
    """
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
        return str(path)
    return f"/proc/self/fd/{folder_descriptor}/{path.name}"


def bind_admin(path: Path) -> socket.socket:
    """Make the socket file, with the mode it keeps, and listen.

    Raises:
        StorageError: The folder or the file system doesn't take a socket.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = -1
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            # The folder's lock is ours, so whoever made this one is gone.
            path.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        # The folder's mode keeps others out while the socket has none of its own.
        listener.bind(short_path(path, folder))
        path.chmod(SOCKET_MODE)
        listener.listen(CONNECTIONS_MAX)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise storage_error(path, error) from error
    finally:
        if folder >= 0:
            os.close(folder)
    return listener


class AdminServer:
    """Answers the operator.

    Args:
        path: The socket file.
        commands: By name.
        hub: For faults.
        long_commands: Those that tell how far they are, by name.
    """

    def __init__(
        self,
        path: Path,
        commands: dict[str, AdminCommand],
        hub: Hub,
        long_commands: dict[str, LongCommand] | None = None,
    ) -> None:
        self._path = path
        self._commands = commands
        self._long_commands = long_commands or {}
        self._hub = hub
        self._slots = trio.CapacityLimiter(CONNECTIONS_MAX)

    async def run(self, listener: socket.socket) -> None:
        """Serve until cancelled; closes the listener and removes its file."""
        wrapped = trio.SocketListener(trio.socket.from_stdlib_socket(listener))
        try:
            await trio.serve_listeners(self._serve, [wrapped])
        finally:
            self._path.unlink(missing_ok=True)

    async def _serve(self, stream: trio.SocketStream) -> None:
        """Answer one connection; whatever happens, it happens to this one alone."""
        try:
            async with stream, self._slots:
                with trio.move_on_after(REQUEST_SECONDS) as scope:
                    line = await _read_line(stream)
                    reply = await self._answer(line, stream, scope)
                    await stream.send_all(msgspec.json.encode(reply) + b"\n")
        except trio.BrokenResourceError:
            return
        except Exception as error:
            self._hub.failed("admin_failed", error)

    async def _answer(
        self, line: bytes, stream: trio.SocketStream, scope: trio.CancelScope
    ) -> Reply:
        try:
            request = msgspec.json.decode(line, type=AdminRequest)
        except msgspec.MsgspecError as error:
            return {"ok": False, "error": f"no admin request: {error}"}

        async def tell(progress: Reply) -> None:
            scope.deadline = trio.current_time() + SILENCE_SECONDS_MAX
            await stream.send_all(msgspec.json.encode({"progress": progress}) + b"\n")

        command = self._commands.get(request.command)
        long_command = self._long_commands.get(request.command)
        try:
            if command is not None:
                return {"ok": True, **await command(request)}
            if long_command is not None:
                return {"ok": True, **await long_command(request, tell)}
        except AdminRefusedError as error:
            return {"ok": False, "error": str(error)}
        known = ", ".join(sorted((*self._commands, *self._long_commands)))
        return {
            "ok": False,
            "error": f"there is no command {request.command!r}; known: {known}",
        }


async def _read_line(stream: trio.SocketStream) -> bytes:
    line = bytearray()
    while b"\n" not in line and len(line) < REQUEST_BYTES_MAX:
        data = await stream.receive_some(REQUEST_BYTES_MAX - len(line))
        if not data:
            break
        line += data
    return bytes(line.partition(b"\n")[0])
