"""What one side of a connection offers, takes and waits for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from wigwag.wire._generated import DRAFT, LIMITS

Explain: TypeAlias = Callable[[int, int, bytes, float], str | None]
"""(type, revision, body, now) -> what is wrong with the body, or None."""

DRAIN_SECONDS: Final = 25.0
"""From GOAWAY to the end, whatever the peer does. Under the 30 s that process
supervisors commonly grant between SIGTERM and SIGKILL."""


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """Facts and bounds of a connection, equal for all connections of a process.

    Defaults are those of the specification (limits.toml). A server tells them
    in WELCOME; a client's own are replaced by what WELCOME says.

    Attributes:
        revision_min: Lowest released revision we speak; 0 with revision_max 0:
            none.
        revision_max: Highest released revision we speak.
        draft: Draft we speak, 0x8000 | build; 0: none.
        features: Ids of the features we offer or take, rising.
        client_name: Coarse name and version of the client software (client).
        finalized: Number of the finalized record (server).
        frame_bytes_max: Largest frame `length` once authenticated; both sides
            keep to the smaller of theirs.
        in_flight_max: Most SENDs without an answer before a server stops
            reading. Told, not enforced here.
        in_flight_bytes_max: Most bytes of such SENDs. Told, not enforced here.
        window_entries: Most inbox entries sent and not acknowledged. Told.
        window_bytes: Most bytes of such entries. Told, not enforced here.
        auth_seconds: From construction to AUTH_OK, absolute.
        idle_seconds: Silence before we send PING.
        pong_seconds: Time to answer a PING; `pings_missed_max` in a row end
            the connection.
        frame_seconds: One frame, first to last byte, plus a second for each
            8 KiB of it.
        stall_seconds: Writing without progress. Told; the transport keeps it.
        drain_seconds: From GOAWAY to CLOSED.
        explain: Says what is wrong with a malformed body, for logs
            (`Explainer`), or None.
    """

    revision_min: int = 0
    revision_max: int = 0
    draft: int = DRAFT
    features: tuple[int, ...] = ()
    client_name: str = "wigwag"
    finalized: int = 0
    frame_bytes_max: int = LIMITS["frame_bytes_max"].value
    in_flight_max: int = LIMITS["in_flight_max"].value
    in_flight_bytes_max: int = LIMITS["in_flight_bytes_max"].value
    window_entries: int = LIMITS["window_entries"].value
    window_bytes: int = LIMITS["window_bytes"].value
    auth_seconds: float = LIMITS["auth_seconds"].value
    idle_seconds: float = LIMITS["idle_seconds"].value
    pong_seconds: float = LIMITS["pong_seconds"].value
    frame_seconds: float = LIMITS["frame_seconds"].value
    stall_seconds: float = LIMITS["stall_seconds"].value
    drain_seconds: float = DRAIN_SECONDS
    explain: Explain | None = None
