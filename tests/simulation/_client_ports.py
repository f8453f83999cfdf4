"""The client's ports on the simulated network: dialling, streams and keys."""

from pathlib import Path
from typing import Final

import trio
from tests.simulation._history import FrameCame, FrameLeft
from tests.simulation._network import (
    ConnectionBrokenError,
    End,
    Network,
    NobodyListensError,
)
from tests.simulation._secure import Secure, secured
from tests.simulation._server import CERTIFICATE_SHA256, HOST
from tests.simulation._tap import Tap
from tests.simulation._world import Process, World

from wigwag.client._errors import ConnectionLost, DialFailed
from wigwag.client._net import CONNECT_SECONDS, STALL_SECONDS
from wigwag.client._ports import Address, Dialled, Trust

ADDRESS: Final = Address(HOST, 7411)

AUTHORITY: Final = b"authority of the simulation"

DATABASE_KEY: Final = bytes(range(32))
"""No passphrase and no Argon2 here: a hundred clients would derive for minutes."""


class TappedStream:
    """A connection as the client sees it; what passes goes into the history."""

    def __init__(self, world: World, process: Process, end: End) -> None:
        self._world = world
        self._process = process
        self._end = end
        self._outgoing = Tap()
        self._incoming = Tap()

    async def receive(self, bytes_max: int) -> bytes:
        """Wait for bytes; b"" is the end."""
        try:
            data = await self._end.receive(bytes_max)
        except ConnectionBrokenError as error:
            raise ConnectionLost("The connection broke.") from error
        self._process.must_live()
        now, name, number = trio.current_time(), self._process.name, self._end.number
        for corr, message in self._incoming.feed(data):
            self._world.record(FrameCame(now, name, number, corr, message))
        return data

    async def send(self, data: bytes) -> None:
        """Write all of it."""
        self._process.must_live()
        now, name, number = trio.current_time(), self._process.name, self._end.number
        for corr, message in self._outgoing.feed(data):
            self._world.record(FrameLeft(now, name, number, corr, message))
        try:
            with trio.fail_after(STALL_SECONDS):
                await self._end.send(data)
        except trio.TooSlowError as error:
            raise ConnectionLost("The server doesn't read.") from error
        except ConnectionBrokenError as error:
            raise ConnectionLost("The connection broke.") from error

    async def aclose(self) -> None:
        """Close."""
        if self._process.is_alive:
            self._end.close()


class SimulatedNet:
    """The client's `Net` port."""

    def __init__(
        self,
        world: World,
        network: Network,
        process: Process,
        secure: Secure | None = None,
    ) -> None:
        self._world = world
        self._network = network
        self._process = process
        self._secure = secure

    async def dial(self, address: Address, trust: Trust) -> Dialled:
        """Connect, under the real adapter's deadline."""
        del trust
        self._process.must_live()
        try:
            with trio.fail_after(CONNECT_SECONDS):
                end = await self._network.dial(self._process.name, address.host)
                self._process.at_death(end.abandon)
                if self._secure is not None:
                    end = await secured(end, self._secure, address.host)
        except trio.TooSlowError as error:
            raise DialFailed(f"Nobody answers at {address}.") from error
        except NobodyListensError as error:
            raise DialFailed(f"Can't connect to {address}.") from error
        except ConnectionLost as error:
            raise DialFailed(f"The handshake with {address} broke off.") from error
        stream = TappedStream(self._world, self._process, end)
        if self._secure is None:
            return Dialled(stream, CERTIFICATE_SHA256, AUTHORITY)
        secure = self._secure
        return Dialled(stream, secure.tls.leaf_sha256, secure.authority)


class GivenKey:
    """The client's `KeySource` port: one key for every profile."""

    async def create(self, folder: Path) -> bytes:
        """Return the key."""
        del folder
        return DATABASE_KEY

    async def unlock(self, folder: Path) -> bytes:
        """Return the key."""
        del folder
        return DATABASE_KEY
