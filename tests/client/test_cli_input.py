"""Standard input as lines, whatever it is."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from wigwag.client._cli_input import LINE_BYTES_MAX, LineReader


async def all_lines(descriptor: int) -> list[str]:
    """Read to the end."""
    reader = LineReader(descriptor)
    lines: list[str] = []
    while (line := await reader.line()) is not None:
        lines.append(line)
    return lines


def from_pipe(data: bytes, pieces: Callable[[bytes], list[bytes]]) -> list[str]:
    """Write bytes into a pipe in pieces, and read them as lines."""
    read, write = os.pipe()

    def fill() -> None:
        for piece in pieces(data):
            os.write(write, piece)
        os.close(write)

    writer = threading.Thread(target=fill)
    writer.start()
    try:
        return anyio.run(all_lines, read, backend="asyncio")
    finally:
        writer.join()
        os.close(read)


TEXT = "one\n\nGrüße\r\nlast".encode()


def whole(data: bytes) -> list[bytes]:
    """Return bytes in one piece."""
    return [data]


def one_by_one(data: bytes) -> list[bytes]:
    """Return each byte as a piece."""
    return [data[index : index + 1] for index in range(len(data))]


@pytest.mark.parametrize("pieces", [whole, one_by_one])
def test_lines_are_the_same_however_they_come(
    pieces: Callable[[bytes], list[bytes]],
) -> None:
    """A pipe cuts where it likes; the last line may have no end."""
    assert from_pipe(TEXT, pieces) == ["one", "", "Grüße", "last"]


def test_a_file_and_a_device_are_read_too(tmp_path: Path) -> None:
    """`wigwag chat bob < file` and `< /dev/null`: no event loop can wait for those."""
    path = tmp_path / "lines"
    path.write_bytes(TEXT)
    for name, lines in ((str(path), 4), (os.devnull, 0)):
        descriptor = os.open(name, os.O_RDONLY)
        try:
            assert len(anyio.run(all_lines, descriptor, backend="asyncio")) == lines
        finally:
            os.close(descriptor)


def test_bytes_that_are_no_text_are_replaced() -> None:
    """A binary file by mistake must not end the chat."""
    assert from_pipe(b"\xff\xfe!\n", whole) == ["\ufffd\ufffd!"]


def test_a_line_without_end_comes_in_pieces(tmp_path: Path) -> None:
    """Memory has a bound, whatever is piped in."""
    path = tmp_path / "long"
    path.write_bytes(b"x" * (3 * LINE_BYTES_MAX))
    descriptor = os.open(path, os.O_RDONLY)
    try:
        lines = anyio.run(all_lines, descriptor, backend="asyncio")
    finally:
        os.close(descriptor)
    assert sum(map(len, lines)) == 3 * LINE_BYTES_MAX
    assert max(map(len, lines)) < 2 * LINE_BYTES_MAX
