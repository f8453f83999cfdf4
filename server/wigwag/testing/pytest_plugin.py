"""The fixture `wigwag_server`: a running server for one test, under trio.

Needs pytest-trio. In a conftest.py:

    pytest_plugins = ["wigwag.testing.pytest_plugin"]
"""

from collections.abc import AsyncIterator, Callable
from typing import TypeAlias, cast

import pytest_trio  # type: ignore[import-untyped]  # it has no annotations

from wigwag.testing._in_process import RunningServer, server

Fixture: TypeAlias = Callable[[], AsyncIterator[RunningServer]]

_trio_fixture = cast(
    "Callable[[Fixture], Fixture]",
    pytest_trio.trio_fixture,  # pyright: ignore[reportUnknownMemberType]  # as above
)


@_trio_fixture
async def wigwag_server() -> AsyncIterator[RunningServer]:
    """Yield a running server with default limits; each test gets its own."""
    async with server() as running:
        yield running
