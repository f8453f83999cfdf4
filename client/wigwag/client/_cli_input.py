"""Standard input as lines, in an event loop, without a thread that can't be stopped."""

import os
import stat
import sys
from typing import Final

import anyio

CHUNK_BYTES: Final = 65_536

LINE_BYTES_MAX: Final = 256 * 1024
"""A message holds 16 KiB; a line far above that is a file sent by mistake."""


class LineReader:
    """Reads lines from a descriptor that is a pipe, a terminal or a file.

    Args:
        descriptor: Where to read; None: standard input.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = sys.stdin.fileno() if descriptor is None else descriptor
        # epoll refuses files and devices such as /dev/null, which never block.
        mode = os.fstat(self._descriptor).st_mode
        is_pipe = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
        self._waits = is_pipe or os.isatty(self._descriptor)
        self._rest = b""
        self._is_ended = False

    async def line(self) -> str | None:
        """Return the next line without its end, or None at the end of input.

        A line longer than LINE_BYTES_MAX comes in pieces; bytes that aren't UTF-8
        come as U+FFFD.
        """
        while b"\n" not in self._rest and len(self._rest) < LINE_BYTES_MAX:
            chunk = await self._chunk()
            if not chunk:
                last, self._rest = self._rest, b""
                return _text(last) if last else None
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return _text(line)

    async def all(self, bytes_max: int) -> bytes:
        """Return what comes until the end, or a little more than `bytes_max` of it."""
        while len(self._rest) <= bytes_max and (chunk := await self._chunk()):
            self._rest += chunk
        return self._rest

    async def _chunk(self) -> bytes:
        if self._is_ended:
            return b""
        if self._waits:
            await anyio.wait_readable(self._descriptor)
        chunk = os.read(self._descriptor, CHUNK_BYTES)
        self._is_ended = not chunk
        return chunk


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").removesuffix("\r")
