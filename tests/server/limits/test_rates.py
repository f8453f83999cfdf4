"""Token buckets, each with its burst at n - 1, n, n + 1 and its time to the ms."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest
from tests.server._gated import Bench

from wigwag.server import Limits, RequestLimits
from wigwag.server._buckets import TokenBuckets
from wigwag.wire import (
    Auth,
    ErrorCode,
    PeerError,
    PeerGoingAway,
    Received,
)
from wigwag.wire import Error as ErrorMessage

AROUND = (-1, 0, 1)
DEVICE = b"d" * 17
USER = b"u" * 16
OTHER = b"o" * 16
ADDRESS = "192.0.2.1"
BURST = 4


@dataclass(frozen=True)
class Kind:
    """One kind of bucket.

    Attributes:
        bounds: The settings that make a burst of BURST and one token in 2 s.
        take: Takes a token; returns seconds to wait.
    """

    bounds: dict[str, float]
    take: Callable[[RequestLimits, float], float]


def failure(limits: RequestLimits, now: float) -> float:
    """Fail to sign in, if the address may try."""
    wait = limits.may_authenticate(ADDRESS, now)
    if not wait:
        limits.authentication_failed(ADDRESS, now)
    return wait


KINDS = {
    "send": Kind(
        {"send_burst": BURST, "send_per_second": 0.5},
        lambda limits, now: limits.send(DEVICE, now),
    ),
    "registration": Kind(
        {"registration_burst": BURST, "registration_seconds": 2},
        lambda limits, now: limits.registration(ADDRESS, now),
    ),
    "claim": Kind(
        {"claim_burst": BURST, "claim_seconds": 2},
        lambda limits, now: limits.claim(USER, OTHER, now),
    ),
    "directory": Kind(
        {"directory_burst": BURST, "directory_per_second": 0.5},
        lambda limits, now: limits.directory(DEVICE, now),
    ),
    "keys": Kind(
        {"keys_burst": BURST, "keys_per_second": 0.5},
        lambda limits, now: limits.keys(DEVICE, now),
    ),
    "receipts": Kind(
        {"receipts_burst": BURST, "receipts_per_second": 0.5},
        lambda limits, now: limits.receipts(DEVICE, now),
    ),
}


def limits_of(**bounds: float) -> RequestLimits:
    """Return the buckets of a server with these settings."""
    return RequestLimits(msgspec.structs.replace(Limits(), **bounds))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beside", AROUND)
def test_a_burst_and_not_one_more(kind: str, beside: int) -> None:
    """send_burst and the burst of every other kind of request."""
    limits = limits_of(**KINDS[kind].bounds)
    waits = [KINDS[kind].take(limits, 0.0) for _ in range(BURST + beside)]
    assert waits[:BURST] == [0.0] * min(BURST, BURST + beside)
    assert all(wait > 0 for wait in waits[BURST:])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ms", [1_999, 2_000, 2_001])
def test_the_next_token_comes_when_it_is_said_to(kind: str, ms: int) -> None:
    """send_per_second and the others: not a ms before its time."""
    limits = limits_of(**KINDS[kind].bounds)
    for _ in range(BURST):
        assert KINDS[kind].take(limits, 0.0) == 0
    assert (KINDS[kind].take(limits, ms / 1_000) == 0) is (ms >= 2_000)


@pytest.mark.parametrize("beside", AROUND)
def test_sends_per_day(beside: int) -> None:
    """The day's share bounds the sent index, however slowly it is used up."""
    limits = limits_of(sends_per_day=100, send_burst=1_000)
    sent = sum(limits.send(DEVICE, 0.0) == 0 for _ in range(100 + beside))
    assert sent == min(100, 100 + beside)


@pytest.mark.parametrize("beside", AROUND)
def test_auth_failures_per_hour_per_address(beside: int) -> None:
    """By address; after n failures the next try must wait for its part of an hour."""
    limits = limits_of(auth_failures_per_hour_per_address=20)
    tries = sum(failure(limits, 0.0) == 0 for _ in range(20 + beside))
    assert tries == min(20, 20 + beside)
    if beside >= 0:
        assert failure(limits, 179.9) > 0
        assert failure(limits, 180.1) == 0


@pytest.mark.parametrize("beside", AROUND)
def test_auth_failures_per_connection_max(beside: int) -> None:
    """Each is answered; the n-th ends the connection."""
    bench = Bench(
        limits=msgspec.structs.replace(
            Limits.for_profile("bench"), auth_failures_per_connection_max=4
        )
    )
    bench.client.send_hello(bytes(31) + b"\x01")
    bench.carry()
    bench.events.clear()
    for _ in range(4 + beside):
        if bench.session.closed:
            break
        bench.client.send(
            Auth(
                signature=bytes(64),
                user=bench.account.user,
                device=1,
                registration_id=1,
                generation=1,
                cursor=0,
            )
        )
        bench.carry()
    assert bench.session.closed is (beside >= 0)
    answers = [
        event.message.code
        for event in bench.events
        if isinstance(event, Received) and isinstance(event.message, ErrorMessage)
    ]
    assert answers == [ErrorCode.AUTH_FAILED] * min(4, 4 + beside)
    ends = [e for e in bench.events if isinstance(e, PeerError | PeerGoingAway)]
    assert {end.code for end in ends} == (
        {ErrorCode.AUTH_FAILED} if beside >= 0 else set()
    )


@pytest.mark.parametrize("beside", AROUND)
def test_bucket_keys_max(beside: int) -> None:
    """Memory for limits is limited itself; forgetting favours the one forgotten."""
    limits = msgspec.structs.replace(Limits(), bucket_keys_max=16)
    buckets = TokenBuckets[int](4, 1, limits.bucket_keys_max)
    for key in range(16 + beside):
        buckets.take(key, 0.0)
    assert len(buckets) == min(16, 16 + beside)


def test_has_token_buckets() -> None:
    """Without them nothing is refused, whatever comes."""
    limits = RequestLimits(Limits.for_profile("bench"))
    for kind in KINDS.values():
        assert all(kind.take(limits, 0.0) == 0 for _ in range(1_000))
