"""What every session of a server shares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from wigwag.server._admission import Admission
from wigwag.server._hub import Hub
from wigwag.server._limits import Limits
from wigwag.server._proof import ProofVerifier
from wigwag.server._request_limits import RequestLimits
from wigwag.server.ports import Engine, Entropy, WallClock
from wigwag.wire import ConnectionConfig, Explain, ProofKind, Received

if TYPE_CHECKING:
    from wigwag.server._session import Session
    from wigwag.server._trace import FrameTrace

Handler: TypeAlias = "Callable[[Session, Received], None]"
"""Takes one message of one session. Must not wait."""


@dataclass(frozen=True, slots=True)
class Services:
    """The server behind its sessions.

    Attributes:
        engine: Log, folds and tables.
        hub: All sessions; the engine's listener.
        limits: Every bound.
        connection_config: The bounds that WELCOME tells, for `Connection`.
        admission: Places of connections.
        request_limits: Token buckets.
        verifiers: Identity proofs that are taken.
        handlers: By message type; of every request and oneway of a client.
        clock: The time of day, for WELCOME.
        entropy: Nonces, session ids, grease seeds, error ids.
        trace: Takes every frame; None: nobody does.
    """

    engine: Engine
    hub: Hub
    limits: Limits
    connection_config: ConnectionConfig
    admission: Admission
    request_limits: RequestLimits
    verifiers: Mapping[ProofKind, ProofVerifier]
    handlers: "Mapping[int, Handler]"
    clock: WallClock
    entropy: Entropy
    trace: "FrameTrace | None" = None


def connection_config(
    limits: Limits,
    *,
    finalized: int,
    drain_seconds: float,
    explain: Explain | None = None,
) -> ConnectionConfig:
    """Tell the connections of a server the bounds that they keep and say.

    Args:
        limits: The server's bounds.
        finalized: Number of the finalized record.
        drain_seconds: From GOAWAY to the end.
        explain: Says what is wrong with a malformed body, for the log.
    """
    return ConnectionConfig(
        finalized=finalized,
        frame_bytes_max=limits.frame_bytes_max,
        in_flight_max=limits.in_flight_max,
        in_flight_bytes_max=limits.in_flight_bytes_max,
        window_entries=limits.window_entries,
        window_bytes=limits.window_bytes,
        auth_seconds=limits.auth_seconds,
        idle_seconds=limits.idle_seconds,
        pong_seconds=limits.pong_seconds,
        frame_seconds=limits.frame_seconds,
        stall_seconds=limits.stall_seconds,
        drain_seconds=drain_seconds,
        explain=explain,
    )
