"""Which profile a command is for, and where its passphrase comes from.

`wigwag register alice …` makes the profile `alice`, so that several people can
live on one machine. The other commands take the only profile there is; with several
one must be named, since writing as the wrong person can't be taken back.
"""

import secrets
import sys
from getpass import getpass
from pathlib import Path
from typing import Final

import click

from wigwag.client._cli_output import is_terminal
from wigwag.client._directory import NAME
from wigwag.client._errors import (
    PassphraseMissing,
    PassphraseWrong,
    ProfileMissing,
)
from wigwag.client._keys import PassphraseKeys, given_passphrase
from wigwag.client._ports import KeySource
from wigwag.client._profile import (
    DATABASE_FILE,
    KEY_FILE,
    profile_folder,
    write_durably,
)

KEPT_FILE: Final = "passphrase"
"""In a profile made with --no-passphrase: a random one, for its owner's eyes."""

KEPT_BYTES: Final = 16
"""128 bits can't be guessed, however fast the key derivation."""

TRIES_MAX: Final = 3
"""As ssh and sudo: a slip of the finger is forgiven, a guess is not."""

NAMED_MAX: Final = 10
"""Profiles that a message lists; more don't help to choose."""


def known_profiles() -> list[str]:
    """Return the names of the profiles of this user, sorted."""
    root = profile_folder("x").parent
    if not root.is_dir():
        return []
    return sorted(entry.name for entry in root.iterdir() if _is_profile(entry))


def choose_profile(named: str | None) -> Path:
    """Return the folder of the profile that a command is for.

    Args:
        named: As given on the command line or by WIGWAG_PROFILE.

    Raises:
        click.UsageError: There are several and none was named.
        ProfileMissing: There is none.
        ProfileError: The name can't be one.
    """
    if named:
        return profile_folder(named)
    known = known_profiles()
    match known:
        case []:
            raise ProfileMissing("There is no profile yet.")
        case [only]:
            return profile_folder(only)
        case _:
            listed = ", ".join(known[:NAMED_MAX])
            more = " …" if len(known) > NAMED_MAX else ""
            raise click.UsageError(
                f"There are several profiles ({listed}{more}): name one with --profile"
                " or WIGWAG_PROFILE."
            )


def new_profile(named: str | None, username: str) -> Path:
    """Return the folder for a profile to be made.

    Args:
        named: As given on the command line; not from the environment, which says
            who one is now rather than who one becomes.
        username: The name otherwise.

    Raises:
        click.UsageError: The server would refuse the username; it need not be asked.
        ProfileError: The profile's name can't be one.
    """
    if not NAME.fullmatch(username):
        raise click.UsageError(
            f"{username!r} can't be a username: 3 to 32 characters of a-z 0-9 _ . -,"
            " the first a letter."
        )
    return profile_folder(named or username)


class AskingKeys:
    """Opens and locks a profile with what was given, or else asks at the terminal.

    It asks only when the store is really opened: a command that hands its request
    to the process that holds the profile needs no passphrase.

    Args:
        passphrase_file: As given on the command line.
        is_kept: A new profile gets a made-up passphrase, kept in its folder: it opens
            without being asked, for whoever can read the folder.
    """

    def __init__(self, passphrase_file: Path | None, *, is_kept: bool = False) -> None:
        self._passphrase_file = passphrase_file
        self._is_kept = is_kept

    def __repr__(self) -> str:
        return "<AskingKeys>"

    async def create(self, folder: Path) -> bytes:
        """Lock a new profile; asks twice at a terminal.

        Raises:
            PassphraseMissing: None was given and nobody can be asked; or it is empty,
                which would only look like protection.
        """
        if self._is_kept:
            passphrase = secrets.token_hex(KEPT_BYTES)
            write_durably(folder / KEPT_FILE, passphrase.encode("ascii") + b"\n")
        else:
            passphrase = self._new()
        return await PassphraseKeys(passphrase).create(folder)

    async def unlock(self, folder: Path) -> bytes:
        """Open the key file, with up to three tries at a terminal."""
        # A kept passphrase goes before WIGWAG_PASSPHRASE, which is for the others.
        given = None if self._passphrase_file else _kept(folder)
        if given is None:
            given = given_passphrase(None, self._passphrase_file)
        if given is not None or not _can_ask():
            return await PassphraseKeys(given).unlock(folder)
        for _ in range(TRIES_MAX - 1):
            try:
                return await _ask_and_unlock(folder)
            except PassphraseWrong as error:
                sys.stderr.write(f"{error}\n")
        return await _ask_and_unlock(folder)

    def _new(self) -> str:
        given = given_passphrase(None, self._passphrase_file)
        if given is None and _can_ask():
            given = _ask_twice()
        if not given:
            raise PassphraseMissing(
                "The new profile needs a passphrase."
                if given is None
                else "An empty passphrase protects nothing.",
                action="Set WIGWAG_PASSPHRASE, give --passphrase-file, or say"
                " --no-passphrase if whoever can read the folder may read the"
                " messages.",
            )
        return given


def given_keys(folder: Path, passphrase_file: Path | None) -> KeySource | None:
    """Return what opens a profile without asking anybody; None: nothing was given.

    Raises:
        PassphraseMissing: The file can't be read or is empty.
    """
    given = None if passphrase_file else _kept(folder)
    if given is None:
        given = given_passphrase(None, passphrase_file)
    return None if given is None else PassphraseKeys(given)


def _is_profile(folder: Path) -> bool:
    return (folder / KEY_FILE).is_file() or (folder / DATABASE_FILE).is_file()


def _kept(folder: Path) -> str | None:
    path = folder / KEPT_FILE
    return given_passphrase(None, path) if path.exists() else None


def _can_ask() -> bool:
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


async def _ask_and_unlock(folder: Path) -> bytes:
    # Nothing else runs yet, so asking may block the loop; a thread could not be
    # interrupted by Ctrl-C.
    passphrase = getpass(f"Passphrase of {folder.name}: ")
    return await PassphraseKeys(passphrase).unlock(folder)


def _ask_twice() -> str:
    for _ in range(TRIES_MAX):
        first = getpass("New passphrase: ")
        if not first:
            return first
        if getpass("Once more: ") == first:
            return first
        sys.stderr.write("The two differ.\n")
    raise PassphraseMissing("The two passphrases differed three times.")
