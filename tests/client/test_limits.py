"""The bounds that a client keeps, each at n - 1, n and n + 1."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.client.scripted import NOW_MS, alice_at, scripted
from tests.client.worlds import timeless
from tests.client.writer import BOB, Writer, in_order, take
from trio.testing import MockClock, wait_all_tasks_blocked

from wigwag.client import _inbox as inbox_logic
from wigwag.client import _outbox as outbox_logic
from wigwag.client._backoff import Backoff
from wigwag.client._ids import ZERO_ID
from wigwag.client._inbox import Inbox
from wigwag.client._outbox import OUTBOX_LIFE_MS, Device, Ended, Outbox, Row, Window
from wigwag.wire import LIMITS, ReceiptsGet, Send

AROUND = (-1, 0, 1)
DEVICE = frozenset({Device(b"u" * 16, 1, 7)})


def limit(name: str) -> int:
    """Return a bound of the specification."""
    return LIMITS[name].value


def stored(count: int) -> Inbox:
    """Return an inbox that acknowledged at 100 s and has stored so many since."""
    inbox = inbox_logic.connect(Inbox(), cursor=0, covered=0)
    inbox = inbox_logic.ack(inbox_logic.store(inbox, 1, 1), 100.0)
    return inbox_logic.store(inbox, 1 + count, count)


@pytest.mark.parametrize("beside_ms", AROUND)
def test_ack_interval_ms(beside_ms: int) -> None:
    """One ACK in this time, however few entries it is for."""
    now = 100.0 + (limit("ack_interval_ms") + beside_ms) / 1_000
    assert (inbox_logic.to_ack(stored(1), now) is not None) is (beside_ms >= 0)


@pytest.mark.parametrize("beside", AROUND)
def test_ack_entries(beside: int) -> None:
    """So many stored entries warrant one at once."""
    count = limit("ack_entries") + beside
    assert (inbox_logic.to_ack(stored(count), 100.0) is not None) is (beside >= 0)


def offered(expires_ms: int) -> Outbox:
    """Return an outbox whose one row was offered at 0 s."""
    outbox = outbox_logic.connect(Outbox(), Window(rows_max=4, bytes_max=400))
    row = Row(b"\x01" * 16, b"c" * 16, is_ordered=True, expires_ms=expires_ms)
    outbox = outbox_logic.add(outbox, row, ZERO_ID)
    outbox = outbox_logic.seal(outbox, row.id, DEVICE, 100)
    return outbox_logic.offer(outbox, 0.0)[0]


@pytest.mark.parametrize("beside_ms", AROUND)
def test_outcome_wait_seconds(beside_ms: int) -> None:
    """Without an outcome the same bytes are offered again, and not before."""
    now = limit("outcome_wait_seconds") + beside_ms / 1_000
    _, again = outbox_logic.offer(offered(10**9), now)
    assert len(again) == (beside_ms >= 0)


@pytest.mark.parametrize("beside_ms", AROUND)
def test_outbox_days(beside_ms: int) -> None:
    """A message is offered for as long as its inbox entry would be kept."""
    assert limit("outbox_days") * 86_400_000 == OUTBOX_LIFE_MS
    assert limit("outbox_days") == limit("retention_days") < limit("id_age_days_max")
    outbox = offered(OUTBOX_LIFE_MS)
    _, effects = outbox_logic.expire(outbox, OUTBOX_LIFE_MS + beside_ms)
    assert [type(effect) for effect in effects] == [Ended] * (beside_ms >= 0)


def wait_after(backoff: Backoff, uptime_seconds: float) -> float:
    """Return the longest wait that may come after a connection."""
    return backoff.next(uptime_seconds=uptime_seconds, told_seconds=0, jitter=1.0)[1]


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_reconnect_first_ms(jitter: float) -> None:
    """The first wait is anything up to it: full jitter."""
    _, wait = Backoff().next(uptime_seconds=0, told_seconds=0, jitter=jitter)
    assert wait == limit("reconnect_first_ms") / 1_000 * jitter


@pytest.mark.parametrize("beside_ms", AROUND)
def test_reconnect_last_ms(beside_ms: int) -> None:
    """Doubling ends here."""
    last = limit("reconnect_last_ms") / 1_000
    half = replace(Backoff(), ceiling_seconds=last / 2 + beside_ms / 2_000)
    grown, _ = half.next(uptime_seconds=0, told_seconds=0, jitter=1.0)
    assert wait_after(grown, 0) == min(last, last + beside_ms / 1_000)


@pytest.mark.parametrize("beside", AROUND)
def test_reconnect_reset_seconds(beside: int) -> None:
    """A connection this stable is forgiven everything before."""
    uptime = limit("reconnect_reset_seconds") + beside
    wait = wait_after(Backoff(ceiling_seconds=30), uptime)
    assert wait == (limit("reconnect_first_ms") / 1_000 if beside >= 0 else 30)


@pytest.mark.parametrize("beside_ms", AROUND)
async def test_receipts_poll_seconds(
    beside_ms: int, tmp_path: Path, mock_clock: MockClock
) -> None:
    """A hint may be lost: after this long without one the marks are asked for."""
    async with scripted() as server:
        server.knows(BOB)
        server.answers[Send] = in_order
        async with alice_at(server, tmp_path, timeless(server, NOW_MS)) as session:
            line = await server.line(1)
            await line.tell(Writer(server, BOB).text("first"))
            await take(session, 1)
            await wait_all_tasks_blocked()
            await session.send("bob", "hello")
            await wait_all_tasks_blocked()
            mock_clock.jump(limit("receipts_poll_seconds") + beside_ms / 1_000)
            await wait_all_tasks_blocked()
            assert len(server.said(ReceiptsGet)) == (beside_ms >= 0)
