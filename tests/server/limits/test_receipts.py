"""Hints of delivered marks: how long they gather, and how many are asked for."""

import pytest
from tests.server._gated import Bench
from tests.wire.helpers import FACTORY

from wigwag.server._receipt_hints import HINTS_MAX, ReceiptHints
from wigwag.wire import LIMITS, MessageType, ReceiptsGet

AROUND = (-1, 0, 1)


@pytest.mark.parametrize("beside_ms", AROUND)
def test_receipt_coalesce_ms(beside_ms: int) -> None:
    """Whatever moves meanwhile is one hint."""
    bench = Bench()
    bench.sign_in()
    bench.session.note_receipt(b"c" * 16, b"u" * 16, 1)
    bench.session.note_receipt(b"c" * 16, b"u" * 16, 2)
    bench.now += (LIMITS["receipt_coalesce_ms"].value + beside_ms) / 1_000
    bench.hub.send_hints(bench.now)
    assert bench.hub.counts.receipts_sent == (beside_ms >= 0)


@pytest.mark.parametrize("beside", AROUND)
def test_hints_max(beside: int) -> None:
    """More chats at once than a screen shows; the rest is asked for."""
    hints = ReceiptHints()
    for number in range(HINTS_MAX + beside):
        hints.note(number.to_bytes(16), b"u" * 16, 1)
    assert len(hints.take()) == min(HINTS_MAX, HINTS_MAX + beside)


@pytest.mark.parametrize("beside", AROUND)
def test_receipts_chats_max(beside: int) -> None:
    """One request asks for a screenful; n + 1 is refused, and it stays (M3)."""
    bench = Bench()
    bench.sign_in()
    bench.takes = False
    count = LIMITS["receipts_chats_max"].value + beside
    chats = tuple((number + 1).to_bytes(16) for number in range(count))
    body = bytes((count,)) + b"".join(chats) + b"\x00"
    one = FACTORY.message(ReceiptsGet(chats=chats[:1]), 9)
    assert one[12:] == b"\x01" + chats[0] + b"\x00"
    bench.hub.begin()
    frame = FACTORY.raw(MessageType.RECEIPTS_GET, body, corr=9)
    bench.session.guarded(bench.session.receive, frame, bench.now)
    bench.hub.flush()
    assert not bench.session.closed
    assert bench.engine.depth == (beside <= 0)
    assert bench.hub.counts.refusals["LIMIT"] == (beside > 0)
