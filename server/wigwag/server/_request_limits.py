"""How often a device, an address or a pair may ask for what.

Kept by device, not by connection: reconnecting doesn't refill a bucket.
"""

from wigwag.server._buckets import TokenBuckets
from wigwag.server._limits import Limits
from wigwag.server.core import Device, User

DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600


class RequestLimits:
    """The token buckets of one server; every answer is seconds to wait, 0.0 for go."""

    def __init__(self, limits: Limits) -> None:
        keys_max = limits.bucket_keys_max
        self._is_on = limits.has_token_buckets
        self._sends = TokenBuckets[Device](
            limits.send_burst, limits.send_per_second, keys_max
        )
        self._daily_sends = TokenBuckets[Device](
            limits.sends_per_day, limits.sends_per_day / DAY_SECONDS, keys_max
        )
        self._registrations = TokenBuckets[str](
            limits.registration_burst, 1 / limits.registration_seconds, keys_max
        )
        self._claims = TokenBuckets[tuple[User, User]](
            limits.claim_burst, 1 / limits.claim_seconds, keys_max
        )
        self._claims_of_device = TokenBuckets[Device](
            limits.directory_burst, limits.directory_per_second, keys_max
        )
        self._directory = TokenBuckets[Device](
            limits.directory_burst, limits.directory_per_second, keys_max
        )
        self._keys = TokenBuckets[Device](
            limits.keys_burst, limits.keys_per_second, keys_max
        )
        self._receipts = TokenBuckets[Device](
            limits.receipts_burst, limits.receipts_per_second, keys_max
        )
        self._failures = TokenBuckets[str](
            limits.auth_failures_per_hour_per_address,
            limits.auth_failures_per_hour_per_address / HOUR_SECONDS,
            keys_max,
        )

    def send(self, device: Device, now: float) -> float:
        """Take a SEND's token of the burst and of the day."""
        if not self._is_on:
            return 0.0
        wait = self._sends.take(device, now)
        return wait or self._daily_sends.take(device, now)

    def registration(self, address: str, now: float) -> float:
        """Take a REGISTER's token, by address."""
        return self._registrations.take(address, now) if self._is_on else 0.0

    def claim(self, requester: User, target: User, now: float) -> float:
        """Take a PREKEYS_CLAIM's token, by pair of users."""
        return self._claims.take((requester, target), now) if self._is_on else 0.0

    def claims(self, device: Device, now: float) -> float:
        """Take a PREKEYS_CLAIM's token of the device: a look-up, whoever is meant.

        A bucket of its own, as large as the directory's: a new chat takes a name, a
        list and a bundle, and the first two must not use up the third.
        """
        return self._claims_of_device.take(device, now) if self._is_on else 0.0

    def directory(self, device: Device, now: float) -> float:
        """Take a look-up's token (usernames, device lists)."""
        return self._directory.take(device, now) if self._is_on else 0.0

    def keys(self, device: Device, now: float) -> float:
        """Take a token of what concerns one's own keys (uploads, counts, new lists)."""
        return self._keys.take(device, now) if self._is_on else 0.0

    def receipts(self, device: Device, now: float) -> float:
        """Take a RECEIPTS_GET's token."""
        return self._receipts.take(device, now) if self._is_on else 0.0

    def may_authenticate(self, address: str, now: float) -> float:
        """Ask whether this address has failed too often lately; takes nothing."""
        return self._failures.wait_seconds(address, now) if self._is_on else 0.0

    def authentication_failed(self, address: str, now: float) -> None:
        """Take a failed sign-in's token."""
        if self._is_on:
            self._failures.take(address, now)
