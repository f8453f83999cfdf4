"""Bounds of connections, each at n - 1, n and n + 1, before any work is done."""

import msgspec
import pytest
from tests.server._gated import Bench

from wigwag.server import Admission, Limits
from wigwag.server._admission import HOUR_SECONDS, Place, Turned
from wigwag.server._peer import Identity

AROUND = (-1, 0, 1)
ROOMY = Limits(handshakes_burst_per_address=1_000, handshakes_per_second=1_000_000.0)
HOME = "198.51.100.1"


def limits(**bounds: float) -> Limits:
    """Return limits with room, but for what the test is about."""
    return msgspec.structs.replace(ROOMY, **bounds)


def admitted(
    admission: Admission, hosts: list[str], *, signs_in: bool = False
) -> list[Place | Turned]:
    """Let connections come, one from each host."""
    taken: list[Place | Turned] = []
    for host in hosts:
        place = admission.admit(host, 0.0)
        if signs_in and isinstance(place, Place):
            admission.authenticated(place, 0.0)
        taken.append(place)
    return taken


def strangers(count: int) -> list[str]:
    """Return as many addresses."""
    return [f"192.0.2.{number}" for number in range(1, count + 1)]


def check(taken: list[Place | Turned], most: int, why: Turned) -> None:
    """The first `most` are in, and the rest is turned away for this reason."""
    assert all(isinstance(one, Place) for one in taken[:most])
    assert taken[most:] == [why] * (len(taken) - most)


@pytest.mark.parametrize("beside", AROUND)
def test_connections_max(beside: int) -> None:
    """A process is full at its bound, whoever comes."""
    admission = Admission(limits(connections_max=5))
    taken = admitted(admission, strangers(5 + beside), signs_in=True)
    check(taken, 5, Turned.PROCESS_FULL)


@pytest.mark.parametrize("beside", AROUND)
def test_connections_per_address_max(beside: int) -> None:
    """Also when all have signed in: one address is one household."""
    admission = Admission(limits(connections_per_address_max=4))
    taken = admitted(admission, [HOME] * (4 + beside), signs_in=True)
    check(taken, 4, Turned.ADDRESS_FULL)


@pytest.mark.parametrize("beside", AROUND)
def test_unauthenticated_per_address_max(beside: int) -> None:
    """Few may be about to sign in at once."""
    admission = Admission(limits(unauthenticated_per_address_max=3))
    taken = admitted(admission, [HOME] * (3 + beside))
    check(taken, 3, Turned.ADDRESS_UNAUTHENTICATED)


@pytest.mark.parametrize("beside", AROUND)
def test_an_ipv6_household_is_a_64(beside: int) -> None:
    """Whoever has 2^64 addresses has one place in the books."""
    admission = Admission(limits(unauthenticated_per_address_max=3))
    hosts = [f"2001:db8:1:2::{number:x}" for number in range(3 + beside)]
    check(admitted(admission, hosts), 3, Turned.ADDRESS_UNAUTHENTICATED)
    neighbour = admission.admit("2001:db8:1:3::1", 0.0)
    assert isinstance(neighbour, Place)


@pytest.mark.parametrize("beside", AROUND)
def test_unauthenticated_max(beside: int) -> None:
    """With one connection each, nobody is there to take a place from."""
    admission = Admission(limits(unauthenticated_max=6, reserved_share=0.0))
    taken = admitted(admission, strangers(6 + beside))
    check(taken, 6, Turned.UNAUTHENTICATED_FULL)


@pytest.mark.parametrize("beside", AROUND)
def test_reserved_share(beside: int) -> None:
    """A quarter of eight stays for addresses that signed in lately."""
    admission = Admission(limits(unauthenticated_max=8, reserved_share=0.25))
    home = admission.admit(HOME, 0.0)
    assert isinstance(home, Place)
    admission.authenticated(home, 0.0)
    admission.release(home)
    taken = admitted(admission, strangers(6 + beside))
    check(taken, 6, Turned.UNAUTHENTICATED_FULL)
    assert isinstance(admission.admit(HOME, 0.0), Place)


@pytest.mark.parametrize("beside", AROUND)
def test_recent_addresses_hours(beside: int) -> None:
    """Lately ends to the second."""
    admission = Admission(limits(unauthenticated_max=4, recent_addresses_hours=2))
    home = admission.admit(HOME, 0.0)
    assert isinstance(home, Place)
    admission.authenticated(home, 0.0)
    admission.release(home)
    admitted(admission, strangers(3))
    now = 2 * HOUR_SECONDS + beside
    assert isinstance(admission.admit(HOME, float(now)), Place) is (beside < 0)


@pytest.mark.parametrize("beside", AROUND)
def test_handshakes_burst_per_address(beside: int) -> None:
    """A burst, and not one more."""
    admission = Admission(limits(handshakes_burst_per_address=4))
    check(admitted(admission, [HOME] * (4 + beside)), 4, Turned.ADDRESS_RATE)


@pytest.mark.parametrize("ms", [199, 200, 201])
def test_handshakes_per_second_per_address(ms: int) -> None:
    """Five a second: the next place comes after 200 ms."""
    admission = Admission(
        limits(handshakes_burst_per_address=1, handshakes_per_second_per_address=5)
    )
    assert isinstance(admission.admit(HOME, 0.0), Place)
    assert isinstance(admission.admit(HOME, ms / 1000), Place) is (ms >= 200)


@pytest.mark.parametrize("beside", AROUND)
def test_handshakes_per_second(beside: int) -> None:
    """So many in a second from everybody together."""
    admission = Admission(limits(handshakes_per_second=5))
    check(admitted(admission, strangers(5 + beside)), 5, Turned.NODE_RATE)


@pytest.mark.parametrize("beside", AROUND)
def test_connections_per_user_max(beside: int) -> None:
    """A user's devices together; whoever replaces his own device is none more."""
    bench = Bench(limits=limits(connections_per_user_max=4))
    user = b"u" * 16

    def identity(number: int) -> Identity:
        return Identity(user + bytes((number,)), user, number, 1, 1, b"", b"")

    may: list[bool] = []
    for number in range(1, 4 + beside + 1):
        may.append(bench.hub.may_claim(identity(number), 4))
        if may[-1]:
            bench.hub.claim(identity(number), bench.connect()[0])
    assert may == [True] * min(4 + beside, 4) + [False] * max(0, beside)
    assert bench.hub.may_claim(identity(1), 4)


def test_has_address_bounds() -> None:
    """A load generator is many clients behind one address: `bench` has none."""
    bounded, free = Admission(limits()), Admission(Limits.for_profile("bench"))
    hosts = [HOME] * 65
    assert Turned.ADDRESS_UNAUTHENTICATED in admitted(bounded, hosts)
    assert all(isinstance(one, Place) for one in admitted(free, hosts))
