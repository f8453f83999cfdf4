"""HELLO and WELCOME: which revision, which features, which limits.

Pure functions over the two messages and the two sides' configurations; the
connection decides when.
"""

from dataclasses import replace
from hashlib import sha256
from math import ceil
from typing import Final

from wigwag.wire._config import ConnectionConfig
from wigwag.wire._generated import ConnectionLimits, Hello, Reject, Welcome
from wigwag.wire._grease import Grease

NONCE_BYTES: Final = 32
SESSION_ID_BYTES: Final = 16

_U16_MAX = 0xFFFF


def make_hello(
    config: ConnectionConfig, client_nonce: bytes, grease: Grease | None
) -> Hello:
    """Builds the client's offer."""
    return Hello(
        client_nonce=client_nonce,
        revision_min=config.revision_min,
        revision_max=config.revision_max,
        draft=config.draft,
        features=grease.features(config.features) if grease else config.features,
        frame_bytes_max=config.frame_bytes_max,
        window_entries=config.window_entries,
        client_name=config.client_name,
    )


def agreed_revision(config: ConnectionConfig, hello: Hello) -> int | None:
    """Returns the draft if both name the same one, else the highest common release.

    None: there is none (R-SHAKE-004, R-SHAKE-006).
    """
    if config.draft and config.draft == hello.draft:
        return config.draft
    highest = min(config.revision_max, hello.revision_max)
    # Revision 0 doesn't exist: (0, 0) says that nothing has been released.
    lowest = max(config.revision_min, hello.revision_min, 1)
    return highest if highest >= lowest else None


def was_offered(config: ConnectionConfig, revision: int) -> bool:
    """Tells whether a client with this configuration offered the revision."""
    if config.draft and revision == config.draft:
        return True
    return max(config.revision_min, 1) <= revision <= config.revision_max


def make_welcome(
    config: ConnectionConfig,
    hello: Hello,
    *,
    revision: int,
    server_nonce: bytes,
    session_id: bytes,
    server_time_ms: int,
    home: str | None,
    grease: Grease | None,
) -> Welcome:
    """Builds the server's answer: the smaller of both frame limits and windows."""
    features = shared_features(config, hello.features)
    shared = tuple(sorted(features))
    return Welcome(
        server_nonce=server_nonce,
        revision=revision,
        features=grease.features(shared) if grease else shared,
        limits=ConnectionLimits(
            frame_bytes_max=min(config.frame_bytes_max, hello.frame_bytes_max),
            in_flight_max=config.in_flight_max,
            in_flight_bytes_max=config.in_flight_bytes_max,
            window_entries=min(config.window_entries, hello.window_entries),
            window_bytes=config.window_bytes,
            auth_seconds=_told_seconds(config.auth_seconds),
            idle_seconds=_told_seconds(config.idle_seconds),
            pong_seconds=_told_seconds(config.pong_seconds),
            frame_seconds=_told_seconds(config.frame_seconds),
            stall_seconds=_told_seconds(config.stall_seconds),
        ),
        server_time=server_time_ms,
        finalized=config.finalized,
        session_id=session_id,
        home=home,
    )


def make_reject(
    config: ConnectionConfig, code: int, retry_after_ms: int, home: str | None
) -> Reject:
    """Builds the server's refusal, with the range that it speaks."""
    return Reject(
        code=code,
        revision_min=config.revision_min,
        revision_max=config.revision_max,
        draft=config.draft,
        retry_after_ms=retry_after_ms,
        home=home,
    )


def shared_features(
    config: ConnectionConfig, peers_features: tuple[int, ...]
) -> frozenset[int]:
    """Returns what both sides named; unknown ids drop out (R-SHAKE-003)."""
    return frozenset(config.features) & frozenset(peers_features)


def told_config(config: ConnectionConfig, welcome: Welcome) -> ConnectionConfig:
    """Returns a client's configuration with what WELCOME says in place of its own.

    Of the frame limit the smaller one counts, whatever the server says.
    """
    limits = welcome.limits
    return replace(
        config,
        frame_bytes_max=min(config.frame_bytes_max, limits.frame_bytes_max),
        in_flight_max=limits.in_flight_max,
        in_flight_bytes_max=limits.in_flight_bytes_max,
        window_entries=limits.window_entries,
        window_bytes=limits.window_bytes,
        auth_seconds=limits.auth_seconds,
        idle_seconds=limits.idle_seconds,
        pong_seconds=limits.pong_seconds,
        frame_seconds=limits.frame_seconds,
        stall_seconds=limits.stall_seconds,
    )


def transcript_hash(hello_frame: bytes, welcome_frame: bytes) -> bytes:
    """Returns SHA-256 of both raw frames, first header byte to last byte.

    Extension and padding are included, so that nothing of what was agreed on can be
    changed on the way without AUTH's signature showing it.
    """
    return sha256(hello_frame + welcome_frame).digest()


class Negotiation:
    """What HELLO and WELCOME have settled so far, on either side.

    Attributes:
        hello: The client's offer, from when it was sent or received to WELCOME.
        hello_frame: Its raw frame, as long.
        revision: As agreed; 0 before.
        features: What both sides named.
        session_id: As WELCOME says; b"" before.
        transcript_hash: Of both raw frames; b"" before WELCOME.
    """

    __slots__ = (
        "features",
        "hello",
        "hello_frame",
        "revision",
        "session_id",
        "transcript_hash",
    )

    def __init__(self) -> None:
        self.hello: Hello | None = None
        self.hello_frame = b""
        self.revision = 0
        self.features: frozenset[int] = frozenset()
        self.session_id = b""
        self.transcript_hash = b""

    def begin(self, hello: Hello, hello_frame: bytes) -> None:
        """Notes the client's offer."""
        self.hello = hello
        self.hello_frame = hello_frame

    def settle(
        self, config: ConnectionConfig, welcome: Welcome, welcome_frame: bytes
    ) -> None:
        """Notes the server's answer."""
        self.revision = welcome.revision
        self.features = shared_features(config, welcome.features)
        self.session_id = welcome.session_id
        self.transcript_hash = transcript_hash(self.hello_frame, welcome_frame)
        # Nobody needs them any more, and a server holds thousands of these.
        self.hello = None
        self.hello_frame = b""


def _told_seconds(seconds: float) -> int:
    """Rounds up to what WELCOME can say: whole seconds, one at least."""
    return max(1, min(ceil(seconds), _U16_MAX))
