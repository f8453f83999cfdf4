"""Takes a changed certificate over without a restart.

New connections are presented with the newest pair of certificate and key; those that
are open go on with what they were presented with, which is what their devices sign
(R-AUTH-001). A pair that can't be used changes nothing: the old one stays, and log,
`wigwag admin status` and a metric say why.

The files are looked at by their content: a renewal that writes a file in place, one
that renames a new one over it and one that turns a symbolic link look alike then,
and a clock that stands still or a restored time stamp hides none of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import trio

from wigwag.server._certificates import LEAF_RENEWAL, ServerIdentity
from wigwag.server._counts import Counts
from wigwag.server._errors import ConfigError, ServerError
from wigwag.server._observe import Log
from wigwag.server._tls import ServerTLS

WATCH_SECONDS = 5.0
"""How long a changed file may go unseen. Two files of some KiB are read each time."""

FILE_BYTES_MAX = 1_048_576
"""A chain has some KiB; what is larger isn't one, and isn't read whole."""


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """What an operator is told.

    Attributes:
        path: The file with the chain.
        ends: When what new connections are presented with ends, in UTC.
        reloads: How often another one was taken over.
        problem: Why the files aren't taken over as they are now; empty: they are.
    """

    path: Path
    ends: datetime
    reloads: int
    problem: str


class CertificateKeeper:
    """Holds what new connections are presented with.

    Args:
        load: Reads the files; makes or renews them where they are the server's own.
        now: The time, in UTC.
        counts: Are told of it.
        log: Too.

    Attributes:
        tls: For new connections.

    Raises:
        ServerError: The first pair can't be used.
    """

    def __init__(
        self,
        load: Callable[[], ServerIdentity],
        now: Callable[[], datetime],
        *,
        counts: Counts,
        log: Log,
        is_own: bool,
    ) -> None:
        self._load = load
        self._now = now
        self._counts = counts
        self._log = log
        self._is_own = is_own
        self._identity = load()
        self.tls = ServerTLS(self._identity)
        self._seen = _content(self._identity)
        self._problem = ""
        self._lock = trio.Lock()
        self._counts.certificate_ends = self.tls.ends.timestamp()

    @property
    def ca_pin(self) -> bytes:
        """What clients hold the server to; never changes while it runs."""
        return self._identity.ca_pin

    @property
    def status(self) -> CertificateStatus:
        """What an operator is told."""
        return CertificateStatus(
            self._identity.chain_path,
            self.tls.ends,
            self._counts.certificate_reloads,
            self._problem,
        )

    async def run(self) -> None:
        """Look at the files now and then, until cancelled."""
        while True:
            await trio.sleep(WATCH_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Take the files over if they are others than when they were looked at last.

        Also renews a certificate of the server's own when that is due.
        """
        async with self._lock:
            content = await trio.to_thread.run_sync(_content, self._identity)
            is_due = self._is_own and self.tls.ends - self._now() <= LEAF_RENEWAL
            # While there is a problem it is tried again: a disk may have room again.
            if content != self._seen or is_due or self._problem:
                await self._take_over()

    async def reload(self) -> bool:
        """Take the files over, changed or not.

        Returns:
            Whether new connections are presented with another certificate.

        Raises:
            ServerError: They can't be used; the old ones stay.
        """
        async with self._lock:
            error = await self._take_over()
            if isinstance(error, ServerError):
                raise error
            return error

    async def _take_over(self) -> ServerError | bool:
        """Load, and say what came of it; returns why not, or whether it is another."""
        before = self.tls.leaf_sha256
        # Before the files are loaded: what is written meanwhile is seen next time.
        content = await trio.to_thread.run_sync(_content, self._identity)
        try:
            identity, tls = await trio.to_thread.run_sync(self._prepare)
        except ServerError as error:
            if self._problem != error.sentence:
                self._counts.certificate_failures += 1
                self._log.warning("certificate_refused", reason=error.sentence)
            self._seen = content
            self._problem = error.sentence
            self._counts.is_certificate_refused = True
            return error
        self._identity, self.tls = identity, tls
        # A renewal of the server's own has just written them.
        self._seen = (
            await trio.to_thread.run_sync(_content, identity)
            if self._is_own
            else content
        )
        self._problem = ""
        self._counts.is_certificate_refused = False
        self._counts.certificate_ends = tls.ends.timestamp()
        is_other = tls.leaf_sha256 != before
        if is_other:
            self._counts.certificate_reloads += 1
            self._log.info("certificate_taken", ends=f"{tls.ends:%Y-%m-%dT%H:%M:%SZ}")
        return is_other

    def _prepare(self) -> tuple[ServerIdentity, ServerTLS]:
        """Load the files and hold them to what clients will hold them to.

        Raises:
            ServerError: No client that has been here would take them.
        """
        try:
            identity = self._load()
            tls = ServerTLS(identity)
        except ServerError:
            raise
        except Exception as error:
            # A file that no parser has foreseen mustn't end a server that runs.
            raise ConfigError(
                f"{self._identity.chain_path} or its key can't be read: "
                f"{type(error).__name__}"
            ) from error
        if tls.starts > self._now():
            raise ConfigError(
                f"{identity.chain_path} is valid only from {tls.starts:%Y-%m-%d}"
            )
        if identity.ca_pin != self._identity.ca_pin:
            raise ConfigError(
                f"{identity.chain_path} leads to another authority than clients hold "
                "the server to; a restart takes it over, and then every client needs "
                "a new join string"
            )
        return identity, tls


def utc(now_ms: int) -> datetime:
    """Return a time in ms since the Unix epoch as a date."""
    return datetime.fromtimestamp(now_ms / 1000, UTC)


def _content(identity: ServerIdentity) -> bytes:
    """Return a hash of both files; of one that can't be read, of why."""
    digest = sha256()
    for path in (identity.chain_path, identity.key_path):
        try:
            with path.open("rb") as file:
                data = b"\0" + file.read(FILE_BYTES_MAX)
        except OSError as error:
            data = b"\1" + str(error.errno).encode()
        digest.update(sha256(data).digest())
    return digest.digest()
