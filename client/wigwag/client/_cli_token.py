"""Where `wigwag register` gets a token of an identity service from."""

import os
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Final

import anyio

from wigwag.client._cli_input import LineReader
from wigwag.client._cli_output import Output
from wigwag.client._errors import TokenWrong
from wigwag.client._keys import VARIABLE as PASSPHRASE_VARIABLE
from wigwag.client._proof import TOKEN_BYTES_MAX, TokenSource

COMMAND_SECONDS_MAX: Final = 600.0
"""Somebody may have to sign in with a browser first; a token isn't good for longer."""

READ_BYTES_MAX: Final = 4 * TOKEN_BYTES_MAX
"""More is no token, whatever white space is round it."""

KEY_VARIABLE: Final = "WIGWAG_ACCOUNT_KEY_SHA256"
NAME_VARIABLE: Final = "WIGWAG_USERNAME"


def token_source(
    output: Output, name: str, place: str | None, command: str | None
) -> TokenSource | None:
    """Return what gets the token; None: an invite is used, or nothing.

    Args:
        output: Where a person is told what the token must hold.
        name: The username that is to be registered.
        place: A file, or `-` for standard input.
        command: Prints a token.
    """
    if command is not None:
        return _OfCommand(command, name)
    if place == "-":
        return _OfInput(output)
    return None if place is None else _OfFile(Path(place))


class _OfFile:
    def __init__(self, path: Path) -> None:
        self._path = path

    async def __call__(self, key: str) -> str:
        del key  # checked against what the token says
        path = anyio.Path(self._path)
        try:
            async with await path.open("rb") as file:
                return _text(await file.read(READ_BYTES_MAX + 1), str(self._path))
        except OSError as error:
            raise TokenWrong(
                f"{self._path}: {error.strerror or error}",
                action="Name a file that holds the token, or - for standard input.",
            ) from error


class _OfInput:
    def __init__(self, output: Output) -> None:
        self._output = output

    async def __call__(self, key: str) -> str:
        self._output.note(f"Give a token with account_key_sha256 = {key}")
        line = await LineReader().line()
        if not line:
            raise TokenWrong("There was no token on standard input.")
        return line


class _OfCommand:
    def __init__(self, command: str, name: str) -> None:
        self._command = command
        self._name = name

    async def __call__(self, key: str) -> str:
        environment = {
            name: value
            for name, value in os.environ.items()
            if name != PASSPHRASE_VARIABLE
        }
        environment |= {KEY_VARIABLE: key, NAME_VARIABLE: self._name}
        try:
            with anyio.fail_after(COMMAND_SECONDS_MAX):
                data, status = await _run(self._command, environment)
        except TimeoutError as error:
            raise TokenWrong("The token command didn't end in ten minutes.") from error
        if status:
            raise TokenWrong(
                f"The token command ended with {status}.",
                action="Read what it wrote, and run it again.",
            )
        return _text(data, "The token command")


async def _run(command: str, environment: dict[str, str]) -> tuple[bytes, int]:
    """Run a command in a shell; return the beginning of its output, and its status."""
    process = await anyio.open_process(
        command, stdin=DEVNULL, stdout=PIPE, stderr=None, env=environment
    )
    async with process:
        assert process.stdout is not None
        data = b""
        # Read to the end, or a command with much to say would wait for ever.
        with suppress(anyio.EndOfStream):
            while True:
                data = (data + await process.stdout.receive())[: READ_BYTES_MAX + 1]
        return data, await process.wait()


def _text(data: bytes, place: str) -> str:
    if len(data) > READ_BYTES_MAX:
        raise TokenWrong(f"{place} holds more than a token.")
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        # Not as the cause: its text quotes what may be a secret.
        raise TokenWrong(f"{place} holds no token: it isn't ASCII.") from None
