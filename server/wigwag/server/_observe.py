"""Events for the operator: what happened, never what was said or who said it.

An event has a name and values of the keys below, nothing else: a key that isn't
listed is left out and shows as `dropped_keys`, and bytes are never written. So a
log can hold no message, key, token or invite, and no id of a user or a message. An
address stands only in events about somebody who was refused.
"""

import sys
import traceback
from typing import Literal, Protocol, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from wigwag.server.ports import Entropy

LogFormat = Literal["console", "json"]

LOG_KEYS = frozenset(
    {
        "address",  # of a peer that was refused, or of our own ports
        "bytes",
        "code",  # name of an error of the specification
        "connection",  # number of the connection since the start
        "connections",
        "count",
        "ends",  # when a certificate ends
        "error_id",
        "error_type",
        "event",
        "explanation",
        "folder",
        "health",
        "level",
        "minutes",
        "offset",
        "profile",
        "reason",
        "registration",
        "request",  # type of a request
        "requirement",
        "seconds",
        "signal",
        "timestamp",
        "version",
        "where",
    }
)

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
ERROR_ID_BYTES = 4
# Frames of a traceback in one event: the innermost say where it was.
WHERE_FRAMES_MAX = 8


class Log(Protocol):
    """What the server needs of a structlog logger."""

    def debug(self, event: str, /, **values: object) -> object: ...
    def info(self, event: str, /, **values: object) -> object: ...
    def warning(self, event: str, /, **values: object) -> object: ...
    def error(self, event: str, /, **values: object) -> object: ...


def make_log(
    log_format: LogFormat, level: str = "info", file: TextIO | None = None
) -> Log:
    """Make a logger of its own: nothing global is configured.

    Args:
        log_format: `console` for people, `json` for machines, one event a line.
        level: Events below it are not written.
        file: Where to; None: standard error.
    """
    target = file if file is not None else sys.stderr
    renderer: Processor
    if log_format == "json":
        renderer = structlog.processors.JSONRenderer(sort_keys=True)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=target.isatty())
    logger = structlog.wrap_logger(
        structlog.WriteLogger(target),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_known_values,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
    )
    return cast("Log", logger)


def keep_known_values(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> EventDict:
    """Drop every key that isn't listed and every value that could hold a secret."""
    kept: EventDict = {}
    dropped: list[str] = []
    for key, value in event.items():
        if key in LOG_KEYS and isinstance(value, str | int | float | list | tuple):
            kept[key] = value
        else:
            dropped.append(key)
    if dropped:
        kept["dropped_keys"] = dropped
    return kept


def log_failure(
    log: Log, entropy: Entropy, event: str, error: BaseException, **values: object
) -> str:
    """Write down a fault of ours under an id that its other traces share.

    The error's own text is left out: it may quote a peer's bytes. Its type and the
    places that it passed are what a repair needs.

    Returns:
        The error id.
    """
    error_id = entropy.token(ERROR_ID_BYTES).hex()
    frames = traceback.extract_tb(error.__traceback__)[-WHERE_FRAMES_MAX:]
    where = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
        for frame in frames
    ]
    log.error(
        event,
        error_id=error_id,
        error_type=type(error).__name__,
        where=where,
        **values,
    )
    return error_id
