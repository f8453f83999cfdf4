"""What the client needs from the outside world, as Protocols.

The real adapters are `_net`, `_executor`, `_clock` and `_keys`; the simulation
brings its own. Nothing else in this package reads a clock, draws randomness,
opens a socket or starts a thread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from wigwag.client.crypto import Entropy as Entropy

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens.

    Attributes:
        host: Name or IP address, without brackets.
        port: 1 to 65535.
    """

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom we take for the server.

    Attributes:
        pin: SHA-256 of the CA certificate's SubjectPublicKeyInfo, 32 bytes, from
            the join string.
        authority: That CA certificate (DER), once it was seen; None before.
    """

    pin: bytes
    authority: bytes | None = None


class ByteStream(Protocol):
    """An authenticated, encrypted, ordered stream of bytes."""

    async def receive(self, bytes_max: int) -> bytes:
        """Wait for bytes; b"" is the end.

        Raises:
            ConnectionLost: The stream broke.
        """
        ...

    async def send(self, data: bytes) -> None:
        """Write all of it; one caller at a time.

        Raises:
            ConnectionLost: The stream broke.
        """
        ...

    async def aclose(self) -> None:
        """Close, within a bounded time; never raises for a broken stream."""
        ...


@dataclass(frozen=True, slots=True)
class Dialled:
    """A connection whose other end is proven to be the server.

    Attributes:
        stream: Its bytes.
        certificate_hash: SHA-256 of the server's leaf certificate (DER): AUTH
            signs it.
        authority: The CA certificate (DER), to be kept for the next `Trust`.
    """

    stream: ByteStream
    certificate_hash: bytes
    authority: bytes


class Net(Protocol):
    """The way to servers."""

    async def dial(self, address: Address, trust: Trust) -> Dialled:
        """Connect and authenticate the server, under the adapter's own deadline.

        Raises:
            DialFailed: Nobody there, or the handshake failed.
            ServerNotTrusted: Somebody else is there.
        """
        ...


class Executor(Protocol):
    """Where the store's blocking work runs: one piece at a time, in order."""

    async def run(
        self,
        work: Callable[[], Result],
        commit: Callable[[], None],
        rollback: Callable[[], None],
    ) -> Result:
        """Run `work`, then `commit`; `rollback` if either raises.

        The real one does all of it in its thread and can't be interrupted in
        between. The simulated one runs inline, waits a seeded time before
        `commit`, and rolls back when the process dies there.
        """
        ...


class WallClock(Protocol):
    """The time of day."""

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch."""
        ...


class KeySource(Protocol):
    """Where the key of a profile's database comes from."""

    async def create(self, folder: Path) -> bytes:
        """Make a database key for a new profile and return it, 32 bytes.

        What is needed to get it again is durable in the folder on return.
        """
        ...

    async def unlock(self, folder: Path) -> bytes:
        """Return the database key of a profile, 32 bytes.

        Raises:
            PassphraseMissing: Nothing was given to open it with.
            PassphraseWrong: It doesn't open it.
            StoreDamaged: The key file isn't what `create` wrote.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All of the outside world that a session uses.

    Attributes:
        net: The way to the server.
        executor: Where the store's work runs.
        clock: The time of day.
        entropy: Random bytes.
        keys: The key of the database.
        vfs: SQLite VFS to use; None: the operating system's.
        has_handover: Whether to listen for other processes on a local socket.
    """

    net: Net
    executor: Executor
    clock: WallClock
    entropy: Entropy
    keys: KeySource
    vfs: str | None = None
    has_handover: bool = True
