"""What rollback tests share."""

import os
import shutil
from pathlib import Path

import anyio
from tests.client.worlds import Tap, look, texts

from wigwag.client import Gap, Session
from wigwag.client.crypto import message_key_id
from wigwag.server._admin_client import ask_admin
from wigwag.testing import ServerProcess


def restart_on(server: ServerProcess, copy: Path) -> None:
    """Stop a server and start it on an older copy of its folder."""
    server.stop()
    shutil.rmtree(server.folder)
    shutil.copytree(copy, server.folder)
    server.start()


def status_of(server: ServerProcess) -> dict[str, object]:
    """Return what `wigwag admin status` says."""
    return ask_admin(server.folder, {"command": "status"})


async def gaps_of(session: Session, count: int) -> list[Gap]:
    """Wait for the first gaps that a session was told, by a consumer of its own."""
    found: list[Gap] = []
    with anyio.fail_after(20):
        async for event in session.events(f"gaps {os.urandom(4).hex()}"):
            if isinstance(event, Gap):
                found.append(event)
            if len(found) == count:
                break
    return found


async def shown(session: Session, peer: str) -> list[str | None]:
    """Return the texts of a chat as a person sees them, oldest first."""
    return [message.text for message in await session.history(peer)]


def assert_each_key_is_used_once(tap: Tap) -> None:
    """Check that no message key sealed two ciphertexts (I25)."""
    sealed: dict[object, bytes] = {}
    for send in tap.sends():
        for envelope in send.envelopes:
            key = (envelope.user, message_key_id(envelope.ciphertext))
            assert sealed.setdefault(key, envelope.ciphertext) == envelope.ciphertext


async def read(session: Session, count: int) -> list[str]:
    """Wait for the next messages and say that they are handled."""
    with anyio.fail_after(30):
        return await texts(session, count)


def put_back(copy: Path, folder: Path) -> None:
    """Put a copy in the place of a folder."""
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)


def kinds_told(profile: Path, kind: int) -> object:
    """Count the events of a kind that a closed profile's people were told."""
    return look(profile, f"SELECT count(*) FROM event WHERE kind = {kind:d}")  # noqa: S608 - a number
