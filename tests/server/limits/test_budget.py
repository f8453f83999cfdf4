"""Rates of frames that cost a peer nothing, through session and connection."""

import msgspec
import pytest
from tests.server._gated import Bench
from tests.wire.helpers import FACTORY

from wigwag.wire import LIMITS, Ack, Ping

CONTROL_BURST = LIMITS["control_burst"].value
CONTROL_PER_SECOND = LIMITS["control_per_second"].value
ACKS = LIMITS["ack_per_second_max"].value


def flood(bench: Bench, frame: bytes, count: int) -> None:
    """Have the session read so many frames at once."""
    bench.hub.begin()
    bench.session.guarded(bench.session.receive, frame * count, bench.now)
    bench.hub.flush()


def is_calmed(bench: Bench) -> bool:
    """Whether the connection ended with ENHANCE_CALM, and for nothing else."""
    if not bench.session.closed:
        return False
    assert bench.hub.counts.protocol_errors == {"ENHANCE_CALM": 1}
    assert bench.hub.counts.failures == 0
    return True


@pytest.fixture
def bench() -> Bench:
    """A device that has signed in and done nothing since."""
    bench = Bench()
    bench.sign_in()
    # What a flooder is told, nobody reads.
    bench.takes = False
    return bench


@pytest.mark.parametrize("beside", [-1, 0, 1])
@pytest.mark.parametrize("kind", ["ping", "unknown"])
def test_control_burst(bench: Bench, kind: str, beside: int) -> None:
    """PINGs and frames that nobody knows are counted together (F15, S11)."""
    ping = FACTORY.message(Ping(token=1), 900)
    frame = ping if kind == "ping" else FACTORY.raw(0x7FF1, b"")
    flood(bench, frame, CONTROL_BURST + beside)
    assert is_calmed(bench) is (beside > 0)


@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_control_per_second(bench: Bench, beside: int) -> None:
    """After the burst, as many as a second earns."""
    frame = FACTORY.raw(0x7FF1, b"")
    flood(bench, frame, CONTROL_BURST)
    bench.now += 1
    flood(bench, frame, CONTROL_PER_SECOND + beside)
    assert is_calmed(bench) is (beside > 0)


@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_ack_per_second_max(bench: Bench, beside: int) -> None:
    """An honest client sends twenty a second."""
    ack = FACTORY.message(Ack(position=0))
    bench.now += 10
    flood(bench, ack, ACKS + beside)
    assert is_calmed(bench) is (beside > 0)
    if beside <= 0:
        # Each was a request of the engine, held to the in-flight bound like any.
        assert bench.engine.depth == ACKS + beside
        assert msgspec.structs.asdict(bench.limits)["in_flight_max"] > ACKS
