"""Who may connect: decided from the address alone, before any work is done for it.

A TLS handshake costs half a millisecond, so what floods must be turned away before
it. An unauthenticated connection holds a place of its own kind; when those are
full, the address that holds most gives one up, and a quarter of them is kept for
addresses that signed in lately, so that a flood of strangers doesn't lock out the
people who use the server.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from wigwag.server._address import limiter_key
from wigwag.server._buckets import TokenBuckets
from wigwag.server._config import Network
from wigwag.server._limits import Limits

HOUR_SECONDS = 3_600
# A second's worth of handshakes at once: a server's clients all come back together.
NODE_BURST_SECONDS = 1.0
_NODE = "node"


class Turned(StrEnum):
    """Why a connection was turned away; the metric's label."""

    PROCESS_FULL = "process_full"
    MEMORY_FULL = "memory_full"
    NODE_RATE = "node_rate"
    ADDRESS_RATE = "address_rate"
    ADDRESS_FULL = "address_full"
    ADDRESS_UNAUTHENTICATED = "address_unauthenticated"
    UNAUTHENTICATED_FULL = "unauthenticated_full"
    DRAINING = "draining"


@dataclass(slots=True, eq=False)
class Place:
    """A connection's place among those that are open.

    Attributes:
        address: What is limited as one: an IPv4 address or an IPv6 /64.
        is_exempt: From a trusted network: bounds by address don't hold.
        is_stranger: Nobody has signed in from this address lately.
        cut: Called when the place is taken away before sign-in.
    """

    address: str
    is_exempt: bool
    is_stranger: bool
    cut: Callable[[], None] | None = None
    is_authenticated: bool = False
    is_held: bool = True


class Admission:
    """The places of one server and who holds them."""

    def __init__(self, limits: Limits, networks: tuple[Network, ...] = ()) -> None:
        self._limits = limits
        self._networks = networks
        keys_max = limits.bucket_keys_max
        self._handshakes = TokenBuckets[str](
            limits.handshakes_burst_per_address,
            limits.handshakes_per_second_per_address,
            keys_max,
        )
        self._node = TokenBuckets[str](
            max(1.0, limits.handshakes_per_second * NODE_BURST_SECONDS),
            limits.handshakes_per_second,
            1,
        )
        self._open = 0
        self._by_address: dict[str, int] = {}
        self._waiting: dict[str, OrderedDict[int, Place]] = {}
        self._waiting_count = 0
        self._strangers_count = 0
        self._recent: OrderedDict[str, float] = OrderedDict()
        self._recent_max = keys_max

    @property
    def unauthenticated_count(self) -> int:
        """Connections that have not signed in."""
        return self._waiting_count

    def wait_seconds(self, now: float) -> float:
        """Tell how long until the node takes a handshake again; 0.0: it does now.

        Whoever accepts waits that long: in the kernel's queue a client that comes
        back after a restart keeps its turn; turned away, it would back off longer
        and longer.
        """
        if not self._limits.has_token_buckets:
            return 0.0
        return self._node.wait_seconds(_NODE, now)

    def admit(self, host: str, now: float) -> Place | Turned:
        """Give a new connection a place, or say why not.

        Args:
            host: The peer's IP address.
            now: Monotonic time in seconds.
        """
        limits = self._limits
        address = limiter_key(host)
        is_exempt = not limits.has_address_bounds or self._is_trusted(host)
        if self._open >= limits.connections_max:
            return Turned.PROCESS_FULL
        if limits.has_token_buckets and self._node.wait_seconds(_NODE, now):
            return Turned.NODE_RATE
        if not is_exempt:
            turned = self._turned_by_address(address, now)
            if turned is not None:
                return turned
        place = Place(address, is_exempt, not self._is_recent(address, now))
        if not self._has_room(place):
            return Turned.UNAUTHENTICATED_FULL
        if limits.has_token_buckets:
            self._node.take(_NODE, now)
        self._take(place)
        return place

    def authenticated(self, place: Place, now: float) -> None:
        """Note that a connection has signed in: it frees its place for another."""
        if not place.is_authenticated and place.is_held:
            self._leave_waiting(place)
            place.is_authenticated = True
        recent = self._recent
        recent[place.address] = now
        recent.move_to_end(place.address)
        if len(recent) > self._recent_max:
            recent.popitem(last=False)

    def release(self, place: Place) -> None:
        """Give a place back; a second time does nothing."""
        if not place.is_held:
            return
        place.is_held = False
        if not place.is_authenticated:
            self._leave_waiting(place)
        self._open -= 1
        left = self._by_address[place.address] - 1
        if left:
            self._by_address[place.address] = left
        else:
            del self._by_address[place.address]

    def _turned_by_address(self, address: str, now: float) -> Turned | None:
        limits = self._limits
        held = self._by_address.get(address, 0)
        if held >= limits.connections_per_address_max:
            return Turned.ADDRESS_FULL
        waiting = len(self._waiting.get(address, ()))
        if waiting >= limits.unauthenticated_per_address_max:
            return Turned.ADDRESS_UNAUTHENTICATED
        if limits.has_token_buckets and self._handshakes.take(address, now):
            return Turned.ADDRESS_RATE
        return None

    def _is_trusted(self, host: str) -> bool:
        if not self._networks:
            return False
        address = ip_address(host.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)

    def _is_recent(self, address: str, now: float) -> bool:
        seen = self._recent.get(address)
        hours = self._limits.recent_addresses_hours
        return seen is not None and now - seen < hours * HOUR_SECONDS

    def _has_room(self, place: Place) -> bool:
        """Tell whether there is a place, after cutting another for it if need be."""
        maximum = self._limits.unauthenticated_max
        strangers_max = maximum - int(maximum * self._limits.reserved_share)
        is_full = self._waiting_count >= maximum
        if place.is_stranger:
            is_full = is_full or self._strangers_count >= strangers_max
        if not is_full:
            return True
        # Recent addresses are cut only by others of their own kind.
        victim = self._victim(strangers_only=place.is_stranger)
        if victim is None:
            return False
        cut = victim.cut
        self.release(victim)
        if cut is not None:
            cut()
        return True

    def _victim(self, *, strangers_only: bool) -> Place | None:
        """Find the oldest connection of the address that holds most, at least two."""
        most: OrderedDict[int, Place] | None = None
        for places in self._waiting.values():
            oldest = next(iter(places.values()))
            if oldest.is_exempt or (strangers_only and not oldest.is_stranger):
                continue
            if most is None or len(places) > len(most):
                most = places
        if most is None or len(most) < 2:
            return None
        return next(iter(most.values()))

    def _take(self, place: Place) -> None:
        self._open += 1
        self._by_address[place.address] = self._by_address.get(place.address, 0) + 1
        self._waiting.setdefault(place.address, OrderedDict())[id(place)] = place
        self._waiting_count += 1
        self._strangers_count += place.is_stranger

    def _leave_waiting(self, place: Place) -> None:
        places = self._waiting[place.address]
        del places[id(place)]
        if not places:
            del self._waiting[place.address]
        self._waiting_count -= 1
        self._strangers_count -= place.is_stranger
