"""What the client's tests stand on: ports without Argon2, profiles, people."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from wigwag.client import (
    MessageReceived,
    Ports,
    Session,
    default_ports,
    open_session,
    register,
)

KEY = bytes(range(32))


class PlainKeys:
    """A fixed database key: Argon2 is tested once, not with every profile."""

    async def create(self, folder: Path) -> bytes:
        """Return the key."""
        return KEY

    async def unlock(self, folder: Path) -> bytes:
        """Return the key."""
        return KEY


def ports(*, has_handover: bool = False) -> Ports:
    """Returns the real outside world with a fixed key."""
    return replace(default_ports(keys=PlainKeys()), has_handover=has_handover)


async def join(name: str, join_string: str, folder: Path) -> Path:
    """Registers somebody; returns the profile."""
    await register(name, join_string, profile=folder / name, ports=ports())
    return folder / name


@asynccontextmanager
async def at(
    profile: Path, *, has_handover: bool = False
) -> AsyncGenerator[Session, None]:
    """Opens a profile."""
    world = ports(has_handover=has_handover)
    async with open_session(profile, ports=world) as session:
        yield session


async def texts(session: Session, count: int, consumer: str = "test") -> list[str]:
    """Waits for messages, says that they are handled, returns their texts."""
    received: list[str] = []
    async for event in session.events(consumer):
        if isinstance(event, MessageReceived):
            received.append(event.message.text or "")
        await event.done()
        if len(received) == count:
            break
    return received
