"""`wigwag account delete` and `wigwag devices`: leaving, wholly or with one device."""

import sys
from pathlib import Path

import click

from wigwag.client._cli_output import Output, is_terminal
from wigwag.client._cli_profiles import AskingKeys
from wigwag.client._cli_session import Opening, open_profile
from wigwag.client._devices import DeviceInfo
from wigwag.client._removal import DeletedAccount, delete_account
from wigwag.client._render import clock_time
from wigwag.client._session import Session

WHAT_GOES = """\
This deletes the account of the profile {profile} for good:
  - its devices, keys and username at the server (nobody can take the name for 32 days),
  - messages to you that no device has fetched; their senders are told,
  - this profile with all its messages: {folder}
What you sent stays with those who got it."""


async def run_delete(opening: Opening, *, is_agreed: bool) -> None:
    """Delete the account of a profile, then the profile.

    Args:
        opening: Profile and output.
        is_agreed: Don't ask.
    """
    folder = opening.folder()
    name = None if is_agreed else _ask_name(opening.output, folder)
    deleted = await delete_account(
        folder, name=name, keys=AskingKeys(opening.passphrase_file)
    )
    opening.output.result(_value(deleted), _words(deleted))


async def run_devices(opening: Opening) -> None:
    """Write the devices of an account.

    Args:
        opening: Profile and output.
    """
    async with open_profile(opening) as session:
        devices = await session.devices()
    if opening.output.as_json:
        for one in devices:
            opening.output.result(_device_value(one), "")
    elif devices:
        opening.output.result({}, "\n".join(_device_words(one) for one in devices))
    else:
        opening.output.note("The account has no device any more.")


async def run_revoke(opening: Opening, number: int, *, is_agreed: bool) -> None:
    """Take a device out of the account for good.

    Args:
        opening: Profile and output.
        number: Which.
        is_agreed: Don't ask.
    """
    async with open_profile(opening) as session:
        is_this = await _agree(session, opening.output, number, is_agreed=is_agreed)
        await session.revoke_device(number)
    value: dict[str, object] = {"number": number, "is_this": is_this, "removed": True}
    words = f"Device {number} is removed: it can't sign in any more."
    opening.output.result(value, words)
    if is_this:
        opening.output.note(
            "This profile is signed out for good; its messages can still be read."
            " `wigwag account delete` removes account and profile."
        )


async def _agree(
    session: Session, output: Output, number: int, *, is_agreed: bool
) -> bool:
    """Warn of what can't be undone, and ask; returns whether it is this device."""
    is_this = any(
        one.is_this for one in await session.devices() if one.number == number
    )
    if is_this and not is_agreed:
        _need_terminal(output)
        output.note(
            f"Device {number} is this profile's own. It signs out for good: nothing"
            " can be sent or received with it again, and messages that wait for it"
            " are dropped."
        )
        click.confirm("Sign out for good?", abort=True, err=True)
    return is_this


def _ask_name(output: Output, folder: Path) -> str:
    _need_terminal(output)
    output.note(WHAT_GOES.format(profile=folder.name, folder=folder))
    typed: str = click.prompt("Type the account's name to go on", err=True)
    return typed.strip()


def _need_terminal(output: Output) -> None:
    if output.as_json or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise click.UsageError(
            "this can't be undone, and nobody can be asked here: say --yes."
        )


def _value(deleted: DeletedAccount) -> dict[str, object]:
    return {
        "name": deleted.name,
        "user": deleted.user,
        "deleted_at_ms": deleted.deleted_at_ms,
        "folder": str(deleted.folder),
    }


def _words(deleted: DeletedAccount) -> str:
    return f"{deleted.name or deleted.user} is deleted, and so is {deleted.folder}."


def _device_value(one: DeviceInfo) -> dict[str, object]:
    return {
        "number": one.number,
        "is_this": one.is_this,
        "created_at_ms": one.created_at_ms,
        "seen_at_ms": one.seen_at_ms,
    }


def _device_words(one: DeviceInfo) -> str:
    created = clock_time(one.created_at_ms) if one.created_at_ms else "unknown"
    place = "  this device" if one.is_this else ""
    return f"{one.number:>3}  created {created}{place}"
