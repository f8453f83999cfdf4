"""A client's profile: its files, its keys, and the way to its server."""

import shlex
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import anyio

from wigwag.client import (
    AskingKeys,
    HandoverRefused,
    KeySource,
    NetworkError,
    PassphraseMissing,
    PassphraseWrong,
    ProfileFacts,
    ServerNotTrusted,
    ServerRefused,
    StoreError,
    StoreTooNew,
    StoreUnwritable,
    WigwagError,
    given_keys,
    greet_server,
    inspect_profile,
    open_holder,
    profile_folder,
)
from wigwag.client.crypto import PREKEY_ROTATION_MS, PREKEYS_LOW
from wigwag.doctor._check import Check, Level
from wigwag.doctor._folder import check_permissions, check_space
from wigwag.doctor._machine import lock_holder

SECRET_FILES: Final = ("wigwag.db", "wigwag.db-wal", "key.json", "passphrase", "lock")

SKEW_MS_MAX: Final = 60_000
"""Messages get their ids in the server's time, so that more than this does no harm at
once; but certificates end by this machine's."""

AUTHORITY_DAYS_LOW: Final = 30
DAY_MS: Final = 86_400_000

SET_CLOCK: Final = "sudo timedatectl set-ntp true"


async def check_profile(
    folder: Path, passphrase_file: Path | None, *, may_ask: bool
) -> tuple[list[Check], ProfileFacts | None]:
    """Look at a profile, and at its server from here.

    Args:
        folder: Its folder.
        passphrase_file: As given on the command line.
        may_ask: Ask for the passphrase at a terminal if none was given.

    Returns:
        The checks, and what the profile holds if it could be opened.
    """
    subject = f"profile {folder.name}"
    is_usual = folder.parent == profile_folder("any").parent
    named = shlex.join(["-p", folder.name if is_usual else str(folder)])
    if not await anyio.Path(folder).is_dir():
        words = f"there is no profile {folder}"
        mend = f"wigwag register NAME JOIN {named}"
        return [Check("profile", "problem", words, mend, subject)], None
    files = [folder / name for name in SECRET_FILES]
    checks = check_permissions(folder, files, subject)
    checks.append(check_space(folder, subject))
    holder = lock_holder(folder / "lock")
    if holder is not None:
        checks += await _held(folder, holder.pid, subject)
        return checks, None
    if any(check.is_problem for check in checks if check.name != "file-modes"):
        # It isn't opened by anybody before that is mended.
        return checks, None
    try:
        keys: KeySource | None = given_keys(folder, passphrase_file)
        if keys is None and may_ask:
            keys = AskingKeys(passphrase_file)
        if keys is None:
            raise PassphraseMissing("Its messages and keys weren't looked at.")
        facts = await inspect_profile(folder, keys)
    except WigwagError as error:
        return [*checks, _unopened(error, named, subject)], None
    checks += _stored(facts, named, subject)
    return [*checks, *await _server(facts, named, subject)], facts


async def _held(folder: Path, pid: int, subject: str) -> list[Check]:
    """Ask the process that has the profile open."""
    words = f"process {pid or '?'} has it open"
    try:
        async with open_holder(folder) as holder:
            status = await holder.status()
    except HandoverRefused:
        words += ", takes no requests, and its inside can't be looked at meanwhile"
        mend = f"kill {pid}" if pid else ""
        return [Check("profile", "warning", words, mend, subject)]
    except WigwagError as error:
        return [Check("profile", "warning", f"{words}: {error}", "", subject)]
    checks = [Check("profile", "ok", f"{words}; it has {status.queued} to send")]
    if status.is_online:
        checks.append(Check("server", "ok", f"it is signed in at {status.server}"))
    else:
        why = status.error or "no answer yet"
        mend = "wigwag doctor"
        checks.append(Check("server", "warning", f"it isn't signed in: {why}", mend))
    return [Check(one.name, one.level, one.text, one.remedy, subject) for one in checks]


def _unopened(error: WigwagError, named: str, subject: str) -> Check:
    """Say why a profile can't be opened, and what mends that."""
    text = f"{error} {error.action}"
    match error:
        case PassphraseMissing():
            mend = "read -rs WIGWAG_PASSPHRASE && export WIGWAG_PASSPHRASE"
            return Check("profile", "warning", text, mend, subject)
        case PassphraseWrong():
            mend = f"env -u WIGWAG_PASSPHRASE wigwag status {named}"
        case StoreTooNew():
            mend = "pip install --upgrade 'wigwag[client]'"
        case StoreUnwritable():
            mend = "df -h ."
        case StoreError():
            mend = f"wigwag register NEW_NAME JOIN {named}-new"
        case _:
            mend = f"wigwag status {named}"
    return Check("profile", "problem", text, mend, subject)


def _stored(facts: ProfileFacts, named: str, subject: str) -> list[Check]:
    """Judge what is stored."""
    now_ms = time.time_ns() // 1_000_000
    connect = f"wigwag listen --wait 5 {named}"
    checks: list[Check] = []

    def add(name: str, is_good: bool, text: str, mend: str = "") -> None:
        level: Level = "ok" if is_good else "warning"
        checks.append(Check(name, level, text, "" if is_good else mend, subject))

    if facts.verdict != "ok":
        words = f"its database is damaged: {facts.verdict}"
        mend = f"wigwag register NEW_NAME JOIN {named}-new"
        checks.append(Check("database", "problem", words, mend, subject))
    else:
        words = f"whole: {facts.messages} messages, schema {facts.schema}"
        add("database", True, words)
    is_finished = facts.is_registered and bool(facts.name)
    add(
        "account",
        is_finished,
        f"{facts.name} at {facts.address}"
        if is_finished
        else "its registration isn't finished: give the same command again",
        f"wigwag register NAME JOIN {named}",
    )
    add("queue", facts.queued == 0, f"{facts.queued} wait to be sent", connect)
    if not is_finished:
        return checks
    add(
        "prekeys",
        facts.one_time_prekeys >= PREKEYS_LOW,
        f"{facts.one_time_prekeys} one-time prekeys are left, as far as is known here",
        connect,
    )
    made_ms = facts.signed_made_ms or 0
    age_days = (now_ms - made_ms) / DAY_MS
    add(
        "signed-prekey",
        now_ms - made_ms <= 2 * PREKEY_ROTATION_MS,
        f"{age_days:.1f} days old; it changes every {PREKEY_ROTATION_MS // DAY_MS}"
        if made_ms
        else "the server has none",
        connect,
    )
    if facts.authority_ends_ms is not None:
        ends = datetime.fromtimestamp(facts.authority_ends_ms / 1000, UTC)
        days = (facts.authority_ends_ms - now_ms) // DAY_MS
        words = f"the pinned CA ends on {ends:%Y-%m-%d}; then clients need a new join"
        add("ca-pin", days >= AUTHORITY_DAYS_LOW, words, f"wigwag status {named}")
    return checks


async def _server(facts: ProfileFacts, named: str, subject: str) -> list[Check]:
    """Let the server say who it is and what time it has."""
    try:
        greeting = await greet_server(facts.address, facts.trust)
    except ServerNotTrusted as error:
        # Only the operator can tell whether that is right.
        mend = f"openssl s_client -connect {facts.address} -showcerts </dev/null"
        text = f"{error} {error.action}"
        return [Check("server", "problem", text, mend, subject)]
    except (NetworkError, ServerRefused) as error:
        mend = f"wigwag status {named}"
        if isinstance(error, ServerRefused) and not error.retryable:
            mend = "pip install --upgrade 'wigwag[client]'"
        return [Check("server", "problem", f"{error} {error.action}", mend, subject)]
    revision = greeting.revision
    spoken = f"draft 0x{revision:04x}" if greeting.is_draft else f"revision {revision}"
    words = f"{facts.address} answers in {1000 * greeting.seconds:.0f} ms"
    ahead = round(greeting.ahead_ms / 1000, 1) + 0.0
    skew = f"the server's clock is {ahead:+.1f} s from this machine's"
    is_near = abs(greeting.ahead_ms) <= SKEW_MS_MAX
    return [
        Check("server", "ok", words, "", subject),
        Check(
            "revision",
            "ok",
            f"both speak {spoken}; the server's record {greeting.finalized} is final",
            "",
            subject,
        ),
        Check(
            "clock",
            "ok" if is_near else "warning",
            skew,
            "" if is_near else SET_CLOCK,
            subject,
        ),
    ]
