"""Token buckets: how often something may happen, for many keys at once.

A bucket holds `burst` tokens and gains `per_second` of them; what it can't pay is
told how long to wait. A full bucket is the same as no bucket, so forgetting the
least lately used key only ever favours its owner.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class TokenBuckets(Generic[Key]):
    """One kind of limit for any number of keys; the caller brings the time.

    Args:
        burst: Tokens of a full bucket.
        per_second: Tokens gained in a second.
        keys_max: Keys remembered; beyond it the least lately used one is forgotten.
    """

    __slots__ = ("_buckets", "_burst", "_keys_max", "_per_second")

    def __init__(self, burst: float, per_second: float, keys_max: int) -> None:
        assert burst >= 1, "a bucket that holds no whole token never pays"
        assert per_second > 0
        self._burst = float(burst)
        self._per_second = per_second
        self._keys_max = keys_max
        self._buckets: OrderedDict[Key, tuple[float, float]] = OrderedDict()

    def take(self, key: Key, now: float, cost: float = 1.0) -> float:
        """Take `cost` tokens, or none.

        Args:
            key: Whose bucket.
            now: Monotonic time in seconds.
            cost: Tokens to take, at most `burst`.

        Returns:
            0.0 if they were taken, else the seconds until they could be.
        """
        buckets = self._buckets
        entry = buckets.get(key)
        tokens = self._burst if entry is None else self._tokens_at(entry, now)
        wait_seconds = 0.0
        if tokens >= cost:
            tokens -= cost
        else:
            wait_seconds = (cost - tokens) / self._per_second
        buckets[key] = (tokens, now)
        buckets.move_to_end(key)
        if len(buckets) > self._keys_max:
            buckets.popitem(last=False)
        return wait_seconds

    def wait_seconds(self, key: Key, now: float) -> float:
        """Returns how long until a token is there, without taking it."""
        entry = self._buckets.get(key)
        tokens = self._burst if entry is None else self._tokens_at(entry, now)
        return max(0.0, (1.0 - tokens) / self._per_second)

    def _tokens_at(self, entry: tuple[float, float], now: float) -> float:
        tokens, taken_at = entry
        return min(self._burst, tokens + (now - taken_at) * self._per_second)

    def __len__(self) -> int:
        """Returns how many keys are remembered."""
        return len(self._buckets)
