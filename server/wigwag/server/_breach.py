"""A peer that broke the protocol: what is counted and logged of it, and what isn't."""

from typing import TYPE_CHECKING

from wigwag.wire import ErrorCode, RemoteProtocolError

if TYPE_CHECKING:
    from wigwag.server._hub import Hub


def note_breach(
    hub: "Hub", connection: int, address: str, error: RemoteProtocolError
) -> None:
    """Count and log a breach: the rule that was broken, nothing of what was sent.

    Args:
        hub: Whose counts and log.
        connection: Number of the connection.
        address: Where the peer is.
        error: As the connection raised it.
    """
    name = code_name(error.code)
    hub.counts.protocol_errors[name] += 1
    hub.log.info(
        "protocol_error",
        connection=connection,
        address=address,
        code=name,
        requirement=error.requirement,
        reason=error.reason,
        offset=error.offset,
        explanation=_without_values(error.explanation or ""),
    )


def code_name(code: int) -> str:
    """Name an error code; unknown ones by their class's nibble, so that they're few."""
    try:
        return ErrorCode(code).name
    except ValueError:
        return f"UNKNOWN_{code >> 12:X}"


def _without_values(explanation: str) -> str:
    """Return what was expected where; what was found may be a name or an id."""
    return explanation.partition("\n")[0].partition(", found ")[0]
