"""Token buckets: n passes, n + 1 waits exactly as long as it is told."""

from wigwag.server import Limits, RequestLimits
from wigwag.server._buckets import TokenBuckets


def test_a_burst_passes_and_the_next_waits() -> None:
    """The bound is the burst, not one more."""
    buckets = TokenBuckets[str](3, 0.5, 10)
    assert [buckets.take("a", 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert buckets.take("a", 0.0) == 2.0
    assert buckets.take("a", 1.9) > 0
    assert buckets.take("a", 4.0) == 0.0


def test_what_is_refused_costs_nothing() -> None:
    """Somebody who asks too often waits no longer than somebody who waits."""
    buckets = TokenBuckets[str](1, 1.0, 10)
    assert buckets.take("a", 0.0) == 0.0
    for _ in range(100):
        assert buckets.take("a", 0.5) == 0.5
    assert buckets.take("a", 1.0) == 0.0


def test_keys_do_not_share_and_looking_takes_nothing() -> None:
    """One address's flood must not be another's wait."""
    buckets = TokenBuckets[str](1, 1.0, 10)
    assert buckets.take("a", 0.0) == 0.0
    assert buckets.wait_seconds("b", 0.0) == 0.0
    assert buckets.take("b", 0.0) == 0.0
    assert buckets.wait_seconds("b", 0.25) == 0.75


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    """A quiet week isn't a licence to flood."""
    buckets = TokenBuckets[str](2, 1.0, 10)
    buckets.take("a", 0.0)
    assert [buckets.take("a", 1e6) for _ in range(2)] == [0.0, 0.0]
    assert buckets.take("a", 1e6) > 0


def test_the_least_lately_used_key_is_forgotten() -> None:
    """Memory for limits has a limit."""
    buckets = TokenBuckets[int](1, 0.001, 2)
    for key in (1, 2, 1, 3):
        buckets.take(key, 0.0)
    assert len(buckets) == 2
    assert buckets.take(1, 0.0) > 0
    assert buckets.take(2, 0.0) == 0.0


def test_sends_are_bounded_by_burst_and_by_day() -> None:
    """20,000 a day bound the sent index, whatever the rate."""
    limits = RequestLimits(Limits(send_burst=2, send_per_second=1, sends_per_day=3))
    assert [limits.send(b"d", 0.0) for _ in range(2)] == [0.0, 0.0]
    assert 0 < limits.send(b"d", 0.0) <= 1
    assert limits.send(b"d", 10.0) == 0.0
    assert limits.send(b"d", 20.0) > 3_600
    assert limits.send(b"e", 20.0) == 0.0


def test_the_bench_profile_has_no_buckets() -> None:
    """A load generator is one address and a few devices."""
    limits = RequestLimits(Limits.for_profile("bench"))
    assert all(limits.send(b"d", 0.0) == 0.0 for _ in range(1_000))
    assert all(limits.registration("a", 0.0) == 0.0 for _ in range(100))
    assert all(limits.claim(b"a", b"b", 0.0) == 0.0 for _ in range(100))
    assert all(limits.directory(b"d", 0.0) == 0.0 for _ in range(1_000))
    assert all(limits.keys(b"d", 0.0) == 0.0 for _ in range(1_000))
    assert all(limits.receipts(b"d", 0.0) == 0.0 for _ in range(1_000))
    for _ in range(100):
        limits.authentication_failed("a", 0.0)
    assert limits.may_authenticate("a", 0.0) == 0.0


def test_failed_sign_ins_are_bounded_by_address() -> None:
    """Never by account: a stranger could lock its owner out."""
    limits = RequestLimits(Limits(auth_failures_per_hour_per_address=2))
    limits.authentication_failed("a", 0.0)
    assert limits.may_authenticate("a", 0.0) == 0.0
    limits.authentication_failed("a", 0.0)
    assert limits.may_authenticate("a", 0.0) > 0
    assert limits.may_authenticate("b", 0.0) == 0.0
    assert limits.may_authenticate("a", 1_800.0) == 0.0
