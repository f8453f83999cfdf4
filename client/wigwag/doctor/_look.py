"""Finds out what there is to look at, and looks at it.

Server and client are installed apart; a side that isn't installed is said to be so.
"""

import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import click

from wigwag.doctor._check import Check
from wigwag.doctor._options import ServerOptions

if TYPE_CHECKING:
    from wigwag.client import ProfileFacts

Result = TypeVar("Result")

VARIABLES: Final = "WIGWAG_SERVER_"
"""Whoever has set one of these has a server in mind."""

CANARY_INVITE_SECONDS: Final = 900


@dataclass(frozen=True, slots=True)
class Look:
    """What to look at.

    Attributes:
        options: Which server.
        is_server: Only the server.
        is_client: Only profiles.
        profile: Only this profile; None: all of this user.
        passphrase_file: Of the profiles.
        has_canary: Send a message and time it.
        join: For the canary; None: an invite is made here.
        is_deep: Look through a database however large it is.
        is_quiet: Say nothing meanwhile.
    """

    options: ServerOptions
    is_server: bool = False
    is_client: bool = False
    profile: str | None = None
    passphrase_file: Path | None = None
    has_canary: bool = False
    join: str | None = None
    is_deep: bool = False
    is_quiet: bool = False

    def tell(self, words: str) -> None:
        """Say what is being done, to a person who waits."""
        if not self.is_quiet and sys.stderr.isatty():
            click.echo(f"{words} …", err=True)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found.

    Attributes:
        checks: In the order in which they were made.
        data: The server's data folder, if it was looked at and is there.
        profiles: What each profile that was looked at holds, by its folder; None:
            it couldn't be opened.
    """

    checks: list[Check]
    data: Path | None
    profiles: "dict[Path, ProfileFacts | None]"


def look(wanted: Look) -> Seen:
    """Look at what is wanted, or at all that is here."""
    checks: list[Check] = []
    data: Path | None = None
    if _wants_server(wanted):
        checks += guarded("server", partial(_server, wanted))
        data = server_folder(wanted.options)
    profiles: list[Path] = []
    facts: dict[Path, ProfileFacts | None] = {}
    if _wants_client(wanted):
        checks += guarded("client", partial(_find_profiles, wanted, profiles))
        for folder in profiles:
            look_at = partial(_profile, wanted, folder, facts, len(profiles) == 1)
            checks += guarded(f"profile {folder.name}", look_at)
    if wanted.has_canary:
        checks += guarded("canary", partial(_canary, wanted, data, facts))
    if not checks:
        words = "neither a server's data folder nor a profile of this user is here"
        checks.append(Check("found", "warning", words, "wigwag serve"))
    return Seen(checks, data, facts)


def server_folder(options: ServerOptions) -> Path | None:
    """Return the data folder of a server, if its configuration names one that is."""
    try:
        from wigwag.server import ServerError, load_config
    except ModuleNotFoundError:
        return None
    try:
        config = load_config(options.config_path, os.environ, options.settings)
    except ServerError:
        return None
    folder = config.data_folder(dict(os.environ))
    return folder if folder.is_dir() else None


def _wants_server(wanted: Look) -> bool:
    if wanted.is_server or not wanted.options.is_empty:
        return True
    if wanted.is_client or wanted.profile is not None:
        return False
    is_meant = any(name.startswith(VARIABLES) for name in os.environ)
    return is_meant or server_folder(wanted.options) is not None


def _wants_client(wanted: Look) -> bool:
    if wanted.is_client or wanted.profile is not None:
        return True
    return not wanted.is_server and wanted.options.is_empty


def guarded(subject: str, work: Callable[[], list[Check]]) -> list[Check]:
    """Do some work; whatever goes wrong in it is one more thing that is told."""
    try:
        return work()
    except ModuleNotFoundError as error:
        side = "server" if subject == "server" else "client"
        words = f"not looked at: {error.name} isn't installed"
        mend = f"pip install 'wigwag[{side}]'"
        return [Check("installed", "warning", words, mend, subject)]
    except OSError as error:
        words = f"{error.filename or 'the system'}: {error.strerror or error}"
        return [Check("system", "problem", words, "id && df -h .", subject)]
    except Exception as error:
        # Its text could quote a file; where it happened says enough.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        words = f"a fault of this command itself: {type(error).__name__} at {place}"
        return [Check("doctor", "problem", words, "wigwag --version", subject)]


def _server(wanted: Look) -> list[Check]:
    from wigwag.doctor._server import check_server

    return check_server(wanted.options, is_deep=wanted.is_deep, tell=wanted.tell)


def _find_profiles(wanted: Look, found: list[Path]) -> list[Check]:
    """Add the folders of the profiles to look at."""
    from wigwag.client import ProfileError, known_profiles, profile_folder

    if wanted.profile is None:
        found += [profile_folder(name) for name in known_profiles()]
        if not found and wanted.is_client:
            words, mend = "this user has no profile", "wigwag register NAME JOIN"
            return [Check("profile", "problem", words, mend, "client")]
        return []
    try:
        found.append(profile_folder(wanted.profile))
    except ProfileError as error:
        return [Check("profile", "problem", str(error), "wigwag doctor", "client")]
    return []


def _profile(
    wanted: Look,
    folder: Path,
    facts: "dict[Path, ProfileFacts | None]",
    is_only: bool,
) -> list[Check]:
    from wigwag.doctor._profile import check_profile

    may_ask = wanted.profile is not None and is_only and not wanted.is_quiet
    facts[folder] = None
    checks, facts[folder] = _run(
        partial(check_profile, folder, wanted.passphrase_file, may_ask=may_ask)
    )
    return checks


def _canary(
    wanted: Look, data: Path | None, facts: "dict[Path, ProfileFacts | None]"
) -> list[Check]:
    """Send a canary to the server that is looked at, or to that of a profile."""
    from wigwag.client import Join, format_join
    from wigwag.doctor._canary import send_canary

    wanted.tell("sending a message between two throw-away accounts")
    waiting: Callable[[str], int] | None = None
    join = wanted.join
    if data is not None:
        from wigwag.doctor._inside import canary_invite, waiting_at

        invite = canary_invite(data, CANARY_INVITE_SECONDS)
        if invite is not None:
            join = join or invite
            waiting = partial(waiting_at, data)
    known = next((found for found in facts.values() if found is not None), None)
    if join is None and known is not None:
        # Enough where registration is open.
        join = format_join(Join(known.address, known.trust.pin, ""))
    if join is None:
        words = "no server runs here, and no join string was given"
        mend = wanted.options.serve()
        return [Check("canary", "problem", words, mend, "canary")]
    return _run(partial(send_canary, join, waiting))


def _run(work: Callable[[], Awaitable[Result]]) -> Result:
    import anyio

    return anyio.run(work)
