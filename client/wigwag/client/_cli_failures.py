"""From an error to an exit code and to words: one table for all commands.

A user's mistake ends in one sentence and a status that a script can act on, never
in a traceback. A fault of ours ends in one sentence that names the file where the
traceback is.
"""

import errno
import os
import time
import traceback
from pathlib import Path
from typing import Final, cast

import platformdirs

from wigwag.client import _errors as errors
from wigwag.client._errors import ServerRefused, WigwagError
from wigwag.spec import ExitCode
from wigwag.wire import ERRORS, ErrorCode, error_class


class HandlerFailed(WigwagError):  # noqa: N818 - a past fact, like its siblings
    """The command of `listen --exec` didn't exit with 0; the message comes again."""

    name = "HANDLER_FAILED"
    retryable = True
    action = "See what the command wrote, then listen again."


# The first class that fits decides, so the special ones stand before their bases.
EXIT_CODES: Final[tuple[tuple[type[WigwagError], ExitCode], ...]] = (
    (errors.JoinStringWrong, ExitCode.USAGE),
    (errors.TokenWrong, ExitCode.AUTHENTICATION),
    (errors.MessageTooLong, ExitCode.USAGE),
    (errors.ProfileInUse, ExitCode.IN_USE),
    (errors.ProfileError, ExitCode.CONFIGURATION),
    (errors.PassphraseMissing, ExitCode.AUTHENTICATION),
    (errors.PassphraseWrong, ExitCode.AUTHENTICATION),
    (errors.StoreUnwritable, ExitCode.STORAGE),
    (errors.StoreError, ExitCode.CONFIGURATION),
    (errors.ServerNotTrusted, ExitCode.AUTHENTICATION),
    (errors.NetworkError, ExitCode.UNREACHABLE),
    (errors.TimedOut, ExitCode.TRY_LATER),
    (HandlerFailed, ExitCode.TRY_LATER),
    (errors.OutboxFull, ExitCode.TRY_LATER),
    (errors.PeerChanged, ExitCode.AUTHENTICATION),
    (errors.PeerUnknown, ExitCode.REFUSED),
    (errors.MessageRejected, ExitCode.REFUSED),
    (errors.SessionEnded, ExitCode.UNREACHABLE),
    (errors.HandoverRefused, ExitCode.IN_USE),
)

_SERVER_EXIT_CODES: Final[dict[str, ExitCode]] = {
    "connection_fatal": ExitCode.REFUSED,
    "permanent": ExitCode.REFUSED,
    "retryable": ExitCode.TRY_LATER,
    "auth": ExitCode.AUTHENTICATION,
    "slow_down": ExitCode.TRY_LATER,
}

_DISK_ERRORS: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG}
)


def exit_code(error: WigwagError) -> ExitCode:
    """Return the exit code for an error of the SDK."""
    if isinstance(error, ServerRefused) and error.code is not None:
        return server_exit_code(error.code)
    if isinstance(error, errors.SessionEnded) and isinstance(
        error.__cause__, WigwagError
    ):
        return exit_code(error.__cause__)
    for kind, code in EXIT_CODES:
        if isinstance(error, kind):
            return code
    return ExitCode.INTERNAL


def server_exit_code(code: int) -> ExitCode:
    """Return the exit code for an error code of the specification.

    Its class decides, but for a connection that only has to be made again and for
    what the specification says may work later.
    """
    if code == ErrorCode.REPLACED:
        return ExitCode.IN_USE
    info = ERRORS.get(code)
    if info is not None and info.class_ == "connection_fatal":
        if info.retry == "reconnect":
            return ExitCode.UNREACHABLE
    elif info is not None and info.retry == "later":
        return ExitCode.TRY_LATER
    return _SERVER_EXIT_CODES.get(error_class(code), ExitCode.REFUSED)


def describe(error: WigwagError) -> dict[str, object]:
    """Return an error as a program reads it."""
    return {
        "name": error.name,
        "code": error.code,
        "message": str(error),
        "action": error.action,
        "fault": error.fault,
        "retryable": error.retryable,
        "outcome": error.outcome,
        "retry_after_seconds": error.retry_after_seconds,
        "exit_code": int(exit_code(error)),
    }


def sentence(error: WigwagError) -> str:
    """Return an error as a person reads it: what is wrong, then what to do."""
    return f"{_ended(str(error))} {_ended(error.action)}".strip()


def disk_failure(error: OSError) -> tuple[dict[str, object], str, ExitCode]:
    """Return what the operating system refused, as value, words and exit code."""
    is_disk = error.errno in _DISK_ERRORS
    code = ExitCode.STORAGE if is_disk else ExitCode.CONFIGURATION
    reason = error.strerror or type(error).__name__
    place = f" ({os.fsdecode(error.filename)})" if _has_name(error) else ""
    words = f"The system refused: {reason}{place}."
    if is_disk:
        words += " Free some space or mend the disk; nothing that was stored is lost."
    return _plain("SYSTEM", words, code, retryable=is_disk), words, code


def internal_failure(error: BaseException) -> tuple[dict[str, object], str, ExitCode]:
    """Keep an unexpected error's traceback in a file and say where it is."""
    path = _keep_traceback(error)
    where = f"the details are in {path}" if path else "its details can't be written"
    words = f"An unexpected error ended the command; {where}."
    code = ExitCode.INTERNAL
    return _plain("INTERNAL_ERROR", words, code, retryable=False), words, code


def first_cause(error: BaseException) -> BaseException:
    """Return what stopped a group of tasks: an error of ours before any other."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    group = cast("BaseExceptionGroup[BaseException]", error)
    leaves = [first_cause(inner) for inner in group.exceptions]
    for leaf in leaves:
        if isinstance(leaf, WigwagError):
            return leaf
    return leaves[0]


def usage_failure(message: str) -> dict[str, object]:
    """Return a mistake on the command line as a program reads it."""
    return _plain("USAGE", message, ExitCode.USAGE, retryable=False)


def _plain(
    name: str, message: str, code: ExitCode, *, retryable: bool
) -> dict[str, object]:
    is_usage = code is ExitCode.USAGE
    return {
        "name": name,
        "code": None,
        "message": message,
        "action": "See --help." if is_usage else "Read the message.",
        "fault": "client" if is_usage else "nobody",
        "retryable": retryable,
        "outcome": "none" if is_usage else "unknown",
        "retry_after_seconds": None,
        "exit_code": int(code),
    }


def _has_name(error: OSError) -> bool:
    return isinstance(error.filename, str | bytes)


def _ended(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else text + "."


def _keep_traceback(error: BaseException) -> Path | None:
    """Write where it happened, without the error's text, which may quote a message."""
    frames = traceback.format_tb(error.__traceback__)
    cause = error.__cause__ or error.__context__
    lines = [f"{type(error).__module__}.{type(error).__qualname__}\n", *frames]
    if cause is not None:
        lines += [f"\nbecause of {type(cause).__qualname__}\n"]
        lines += traceback.format_tb(cause.__traceback__)
    try:
        folder = platformdirs.user_log_path("wigwag")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"error-{time.time_ns() // 1_000_000}-{os.getpid()}.txt"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError:
        return None
    return path
