"""The server's database: whole, and written by a build and a clock that fit."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from wigwag.doctor._check import Check
from wigwag.doctor._machine import size_words
from wigwag.doctor._options import ServerOptions
from wigwag.server.engines import (
    CLOCK_AHEAD_MS_MAX,
    CLOCK_BEHIND_MS_MAX,
    STEP_MS_MAX,
    Inspection,
    inspect_database,
)
from wigwag.server.ports import (
    LogLostError,
    NotADatabaseError,
    SchemaTooNewError,
    StorageError,
)

QUICK_BYTES_MAX: Final = 1 << 30
"""A larger database is looked through only when asked for: a minute a few GiB."""

LOG_BYTES_HIGH: Final = 64 << 20
"""It is copied back every minute and at 16 MiB; four times as much means it isn't."""

SET_CLOCK: Final = "sudo timedatectl set-ntp true"


def check_stopped(
    path: Path, options: ServerOptions, now_ms: int, *, is_deep: bool
) -> tuple[list[Check], Inspection | None]:
    """Look at a database that no server uses.

    Args:
        path: The database.
        options: For the commands that mend.
        now_ms: The machine's clock, ms since the Unix epoch.
        is_deep: Look through it however large it is.

    Returns:
        The checks, and what the database holds if it could be read.
    """
    if not path.exists():
        return [Check("database", "ok", "none yet: the first start makes it")], None
    size = path.stat().st_size
    if size > QUICK_BYTES_MAX and not is_deep:
        words = f"not looked through, since it has {size_words(size)}"
        return [Check("database", "warning", words, "wigwag doctor --deep")], None
    try:
        found = inspect_database(path)
    except LogLostError as error:
        lost = options.serve("--accept-loss")
        return [Check("database", "problem", str(error), lost)], None
    except SchemaTooNewError as error:
        mend = f"pip install --upgrade 'wigwag[server]>={error.version}'"
        return [Check("database", "problem", str(error), mend)], None
    except NotADatabaseError as error:
        mend = options.admin("restore", "BACKUP", "--replace")
        return [Check("database", "problem", str(error), mend)], None
    except StorageError as error:
        return [Check("database", "problem", str(error), f"df -h {path.parent}")], None
    facts = found.facts
    whole = (
        f"every page of it is whole: {facts.accounts} accounts, {facts.entries} "
        f"messages under way, {size_words(size)}"
    )
    checks = [
        Check("database", "ok", whole),
        Check("schema", "ok", f"its tables have version {facts.schema}"),
        Check("log", "ok", _log_words(found)),
        _newest(facts.clock_ms, now_ms, options),
    ]
    return checks, found


def check_running(
    path: Path, status: dict[str, object], options: ServerOptions, now_ms: int
) -> list[Check]:
    """Look at the database and clock of a running server, by what it says itself."""
    damaged = number(status, "entries_corrupt")
    log = path.with_name(path.name + "-wal")
    log_bytes = log.stat().st_size if log.exists() else 0
    check_all = options.admin("backup", "NEW_FOLDER")
    checks: list[Check] = []
    if damaged:
        words = f"{damaged} stored records were damaged and set aside since the start"
        checks.append(Check("database", "problem", words, check_all))
    else:
        words = "the running server compares each page that it reads; none was damaged"
        checks.append(Check("database", "ok", words))
    is_high = log_bytes > LOG_BYTES_HIGH
    words = f"{size_words(log_bytes)} wait to be copied back"
    if is_high:
        mend = options.restart()
        checks.append(Check("log", "warning", words, mend))
    else:
        checks.append(Check("log", "ok", words))
    step_ms = now_ms - number(status, "clock_ms")
    if abs(step_ms) > STEP_MS_MAX:
        words = (
            f"this machine's clock was set by {step_ms / 1000:+.0f} s, and the server "
            "doesn't follow until that is confirmed"
        )
        mend = options.admin("accept-clock")
        checks.append(Check("clock", "problem", words, mend))
    else:
        checks.append(Check("clock", "ok", "the server goes by this machine's clock"))
    return checks


def number(status: dict[str, object], key: str) -> int:
    """Return a figure of a server's status; 0 if it isn't there, or is none."""
    value = status.get(key)
    return value if isinstance(value, int) else 0


def _log_words(found: Inspection) -> str:
    if not found.log_bytes:
        return "the server was stopped cleanly"
    size = size_words(found.log_bytes)
    return f"{size} that a crash has left are whole; the next start takes them in"


def _newest(newest_ms: int, now_ms: int, options: ServerOptions) -> Check:
    if not newest_ms:
        return Check("clock", "ok", "nothing is stored yet that could contradict it")
    ahead_ms = now_ms - newest_ms
    newest = f"{datetime.fromtimestamp(newest_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if -CLOCK_BEHIND_MS_MAX <= ahead_ms <= CLOCK_AHEAD_MS_MAX:
        return Check("clock", "ok", f"it fits the newest record, of {newest}")
    side = "behind" if ahead_ms < 0 else "after"
    return Check(
        "clock",
        "problem",
        f"this machine's clock is {abs(ahead_ms) // 1000} s {side} the newest record, "
        f"of {newest}: set it ({SET_CLOCK}), or confirm that it is right",
        options.serve("--accept-clock"),
    )
