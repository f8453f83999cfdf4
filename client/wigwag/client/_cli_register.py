"""`wigwag register`: an account on a server, and a profile for it."""

from dataclasses import dataclass
from pathlib import Path

from wigwag.client._cli_output import Output
from wigwag.client._cli_profiles import AskingKeys, known_profiles, new_profile
from wigwag.client._cli_token import token_source
from wigwag.client._errors import ServerRefused
from wigwag.client._register import prepare_registration, register
from wigwag.wire import ErrorCode


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be registered.

    Attributes:
        name: Username.
        join: Join string.
        profile: Name or folder of the profile; None: like the username.
        passphrase_file: As given on the command line.
        is_kept: Whether a made-up passphrase is kept in the profile.
        token: File with a token, or `-` for standard input; None: none.
        token_command: Prints a token; None: none.
    """

    name: str
    join: str
    profile: str | None
    passphrase_file: Path | None
    is_kept: bool
    token: str | None = None
    token_command: str | None = None


async def run_prepare(output: Output, wanted: Wanted) -> None:
    """Make the profile and its keys, and write what a token for them must hold.

    Args:
        output: Where to write.
        wanted: What to register later.
    """
    folder = new_profile(wanted.profile, wanted.name)
    keys = AskingKeys(wanted.passphrase_file, is_kept=wanted.is_kept)
    made = await prepare_registration(wanted.join, profile=folder, keys=keys)
    value: dict[str, object] = {
        "account_key_sha256": made.account_key_sha256,
        "profile": folder.name,
        "folder": str(folder),
    }
    output.result(value, made.account_key_sha256)
    output.note(
        "Have your identity service sign a token with this as account_key_sha256, then"
        " run the command with --token FILE instead of --prepare."
    )


async def run_register(output: Output, wanted: Wanted) -> None:
    """Register; whatever breaks it off, the same command goes on with it.

    Args:
        output: Where to write.
        wanted: What to register.
    """
    folder = new_profile(wanted.profile, wanted.name)
    keys = AskingKeys(wanted.passphrase_file, is_kept=wanted.is_kept)
    try:
        made = await register(
            wanted.name,
            wanted.join,
            token=token_source(output, wanted.name, wanted.token, wanted.token_command),
            profile=folder,
            keys=keys,
        )
    except ServerRefused as error:
        if error.code == ErrorCode.NAME_TAKEN:
            # The invite is used up and the account made: another try must go on
            # with them.
            shown = wanted.profile or wanted.name
            error.action = (
                "The account is made and only lacks a name: run it again with another"
                f" name and --profile {shown}."
            )
        raise
    value: dict[str, object] = {
        "name": made.name,
        "user": made.user,
        "profile": folder.name,
        "folder": str(folder),
    }
    words = f"{made.name} is registered; the profile is in {folder}."
    output.result(value, words)
    if len(known_profiles()) > 1:
        output.note(f"There are several profiles: use --profile {folder.name}.")
    output.note("Whoever knows the name can write to you: wigwag chat PEER")
