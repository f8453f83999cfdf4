"""`wigwag status`: who one is, what waits, whether the server is there."""

from contextlib import suppress
from dataclasses import asdict
from typing import Final

from wigwag.client._cli_session import Opening, open_profile_or_holder
from wigwag.client._errors import WigwagError
from wigwag.client._handover_client import Holder
from wigwag.client._render import counted, one_line
from wigwag.client._session import PeerInfo, Status

CONNECT_SECONDS: Final = 3.0
"""A server that is there answers sooner; one that isn't is reported as such."""


async def run_status(opening: Opening) -> None:
    """Write how a profile stands.

    Args:
        opening: Profile and output.
    """
    folder = opening.folder()
    async with open_profile_or_holder(opening) as door:
        if not isinstance(door, Holder):
            # Whether and why not is in the status itself.
            with suppress(WigwagError):
                await door.wait_online(CONNECT_SECONDS)
        status = await door.status()
        is_held = isinstance(door, Holder)
    value: dict[str, object] = {
        **asdict(status),
        "profile": folder.name,
        "folder": str(folder),
        "is_held": is_held,
    }
    opening.output.result(value, _words(status, folder.name, is_held=is_held))


def _words(status: Status, profile: str, *, is_held: bool) -> str:
    if status.is_online:
        connection = "connected"
    else:
        connection = f"offline: {one_line(status.error) or 'no answer yet'}"
    rows = [
        ("account", f"{status.name} ({status.user})"),
        ("profile", f"{profile}, open in another process" if is_held else profile),
        ("server", f"{status.server}, {connection}"),
        ("queue", counted(status.queued, "message") + " to send"),
    ]
    rows += [("peer", _peer_words(peer)) for peer in status.peers]
    return "\n".join(f"{label:<8} {text}" for label, text in rows)


def _peer_words(peer: PeerInfo) -> str:
    trust = "verified" if peer.is_verified else "not verified"
    if peer.change:
        trust = f"KEY CHANGED ({one_line(peer.change)}): wigwag verify"
    return f"{one_line(peer.name)}, {trust}"
