"""Messages between the process that holds a profile and others: JSON lines."""

from typing import Final, Literal

import msgspec

from wigwag.client import _errors as errors
from wigwag.client._errors import ServerRefused, WigwagError
from wigwag.client._message import Message
from wigwag.client._session import Status, Until

LINE_BYTES_MAX: Final = 8 * 1024 * 1024
"""An answer holds at most a long history; a request is far shorter."""


class Ask(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request, one line.

    Attributes:
        do: What to do.
        peer: Username, where one is needed.
        text: Of `send`.
        message: Message id, of `wait` and `mark_read`.
        until: Of `wait`.
        timeout_seconds: Of `wait`.
        limit: Of `history`.
    """

    do: Literal["send", "wait", "history", "status", "mark_read"]
    peer: str = ""
    text: str = ""
    message: str = ""
    until: Until = "sequenced"
    timeout_seconds: float = 0.0
    limit: int = 0


class Failure(msgspec.Struct, frozen=True):
    """An error of the holder's, to be raised at the other end."""

    name: str
    text: str
    action: str
    code: int | None
    retryable: bool
    outcome: Literal["none", "unknown"]
    retry_after_seconds: float | None


class Tell(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer, one line; exactly one of these."""

    message: Message | None = None
    history: list[Message] | None = None
    status: Status | None = None
    failure: Failure | None = None


def failure_of(error: WigwagError) -> Failure:
    """Write an error down."""
    return Failure(
        name=error.name,
        text=str(error),
        action=error.action,
        code=error.code,
        retryable=error.retryable,
        outcome=error.outcome,
        retry_after_seconds=error.retry_after_seconds,
    )


def error_of(failure: Failure) -> WigwagError:
    """Make the error again, of the same class."""
    if failure.code is not None:
        after_ms = int((failure.retry_after_seconds or 0) * 1000)
        return ServerRefused(
            failure.code, retry_after_ms=after_ms, outcome=failure.outcome
        )
    kind = _kinds().get(failure.name, WigwagError)
    # Its own constructor may want facts that only the text has now.
    error = kind.__new__(kind)
    WigwagError.__init__(error, failure.text, action=failure.action)
    error.retryable = failure.retryable
    error.outcome = failure.outcome
    error.retry_after_seconds = failure.retry_after_seconds
    return error


def _kinds() -> dict[str, type[WigwagError]]:
    return {
        kind.name: kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, WigwagError)
    }
