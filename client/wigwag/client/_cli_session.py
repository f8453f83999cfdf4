"""Opens a profile for a command, and runs the command's coroutine."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVarTuple

import anyio

from wigwag.client._cli_output import Output
from wigwag.client._cli_profiles import AskingKeys, choose_profile
from wigwag.client._errors import HandoverRefused, ProfileInUse
from wigwag.client._handover_client import Holder, open_holder
from wigwag.client._open import open_session
from wigwag.client._session import Session

Arguments = TypeVarTuple("Arguments")

OPENINGS_MAX: Final = 20
"""Tries to open a profile that somebody holds who takes no requests: he may just be
starting or ending."""

OPENING_PAUSE_SECONDS: Final = 0.1

LOOK_UP_SECONDS: Final = 10.0
"""A server that is there answers in far less."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a command needs to open its profile.

    Attributes:
        output: Where it writes.
        profile: As named on the command line or by WIGWAG_PROFILE.
        passphrase_file: As given on the command line.
    """

    output: Output
    profile: str | None
    passphrase_file: Path | None

    def folder(self) -> Path:
        """Return the profile's folder.

        Raises:
            click.UsageError: There are several profiles and none was named.
            ProfileMissing: There is none.
        """
        return choose_profile(self.profile)


def run(
    function: Callable[[*Arguments], Awaitable[None]], *arguments: *Arguments
) -> None:
    """Run a command's coroutine to its end.

    On asyncio, since prompt_toolkit lives there; the SDK doesn't mind.
    """
    anyio.run(partial(function, *arguments), backend="asyncio")


@asynccontextmanager
async def open_profile(opening: Opening) -> AsyncGenerator[Session, None]:
    """Open the profile of a command; asks for the passphrase if it must.

    Raises:
        ProfileInUse: Another process has it open.
        WigwagError: It can't be opened.
    """
    keys = AskingKeys(opening.passphrase_file)
    async with open_session(opening.folder(), keys=keys) as session:
        yield session


async def wait_to_look_up(
    session: Session, peer: str, wait_seconds: float = LOOK_UP_SECONDS
) -> None:
    """Wait for the connection that it takes to look somebody up, if he is new.

    Args:
        session: The open session.
        peer: His name.
        wait_seconds: How long; whoever sits before it wants to know soon.

    Raises:
        WigwagError: There is no connection: why the last try failed.
    """
    if all(known.name != peer for known in await session.peers()):
        await session.wait_online(wait_seconds)


@asynccontextmanager
async def open_profile_or_holder(
    opening: Opening,
) -> AsyncGenerator[Session | Holder, None]:
    """Open the profile, or reach the process that has it open.

    Raises:
        ProfileInUse: Another process has it open and takes no requests.
        WigwagError: It can't be opened.
    """
    async with AsyncExitStack() as stack:
        yield await _enter(opening, stack)


async def _enter(opening: Opening, stack: AsyncExitStack) -> Session | Holder:
    for tries in range(1, OPENINGS_MAX + 1):
        try:
            return await stack.enter_async_context(open_profile(opening))
        except ProfileInUse as in_use:
            holder = open_holder(in_use.folder)
            try:
                return await stack.enter_async_context(holder)
            except HandoverRefused:
                if tries == OPENINGS_MAX:
                    raise in_use from None
        await anyio.sleep(OPENING_PAUSE_SECONDS)
    raise AssertionError("the last try returns or raises")
