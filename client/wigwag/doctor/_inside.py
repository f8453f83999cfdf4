"""What only the machine of a running server can ask: its admin socket."""

from pathlib import Path

from wigwag.server import AdminError, ask_admin

CANARY_ACCOUNTS = 2


def canary_invite(folder: Path, expires_seconds: int) -> str | None:
    """Make an invite for the accounts of a canary; None: no server runs there."""
    request: dict[str, object] = {
        "command": "invite",
        "uses": CANARY_ACCOUNTS,
        "expires_seconds": expires_seconds,
    }
    try:
        return str(ask_admin(folder, request)["join"])
    except AdminError:
        return None


def waiting_at(folder: Path, user: str) -> int:
    """Return how many entries wait for an account's first device.

    Raises:
        AdminError: The server went away, or can't tell.
    """
    found = ask_admin(folder, {"command": "inbox", "user": user, "device": 1})
    entries = found["entries"]
    assert isinstance(entries, int)
    return entries
