"""A folder that comes back a month later: what has expired is never delivered."""

import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import trio
from tests.server._peer import Account, connect

from wigwag.server import Limits
from wigwag.server.core import Answer, Entries, InboxRead, _inbox_drop, _wanted
from wigwag.server.core._limits import RETENTION_DAYS
from wigwag.server.engines import SystemClock
from wigwag.testing import RunningServer, server
from wigwag.wire import Sequenced

DAY_NS = 86_400 * 10**9
# Many times what one tick drops here, so that a server that didn't wait is found out.
ENTRIES = 200
DROPPED_AT_ONCE = 2


def server_after(
    folder: Path, days: float
) -> AbstractAsyncContextManager[RunningServer]:
    """Serve a folder so many days from now."""
    return server(
        folder=folder,
        limits=Limits.for_profile("bench"),
        clock=SystemClock(lambda: time.time_ns() + int(days * DAY_NS)),
        accepts_clock=True,
    )


async def read(running: RunningServer, device: bytes) -> Entries:
    """Ask the log what a connection of the device would be given first."""
    answers: list[Answer] = []
    is_answered = trio.Event()

    def told(answer: Answer) -> None:
        answers.append(answer)
        is_answered.set()

    running.server.services.engine.append(InboxRead(device, 0, 256, 1 << 20), told)
    await is_answered.wait()
    (answer,) = answers
    assert isinstance(answer, Entries)
    return answer


async def test_what_expired_is_gone_before_the_first_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender was told that it never arrived: that must stay true (I21)."""
    for module in (_inbox_drop, _wanted):
        monkeypatch.setattr(module, "DROP_ENTRIES_MAX", DROPPED_AT_ONCE)
    async with server_after(tmp_path, 0) as running:
        port = running.address.port
        async with connect(port) as alice, connect(port) as bob:
            await alice.register(Account(), running.join)
            await bob.register(account := Account(), running.join)
            for _ in range(ENTRIES):
                await alice.request(alice.send_message(account, b"late"))
                await alice.expect(Sequenced)
    device = account.user + bytes((account.number,))
    # Seen since, so that its inbox isn't dropped as a whole.
    async with (
        server_after(tmp_path, 2) as running,
        connect(running.address.port) as bob,
    ):
        await bob.sign_in(account)
        assert len((await read(running, device)).entries) > 0
    async with server_after(tmp_path, RETENTION_DAYS + 1) as running:
        found = await read(running, device)
        assert not found.entries
        assert found.last > 0
