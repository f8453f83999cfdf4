"""Admission: who gets a place, and whose is taken when there are too few."""

from ipaddress import ip_network

from wigwag.server import Admission, Limits
from wigwag.server._admission import Place, Turned

# Rates far away, so that each test meets its own bound.
ROOMY = {
    "handshakes_burst_per_address": 1_000,
    "handshakes_per_second": 1_000_000.0,
}


def limits(**bounds: float) -> Limits:
    """Limits with room, but for what the test is about."""
    return Limits(**{**ROOMY, **bounds})  # type: ignore[arg-type]  # checked by Limits


def place(admission: Admission, host: str, now: float = 0.0) -> Place:
    """Admit, or fail."""
    admitted = admission.admit(host, now)
    assert isinstance(admitted, Place), admitted
    return admitted


def test_a_process_has_so_many_places() -> None:
    """At the bound it turns away; a place given back is one again."""
    admission = Admission(limits(connections_max=2))
    first = place(admission, "192.0.2.1")
    place(admission, "192.0.2.2")
    assert admission.admit("192.0.2.3", 0.0) is Turned.PROCESS_FULL
    admission.release(first)
    admission.release(first)
    place(admission, "192.0.2.3")
    assert admission.admit("192.0.2.4", 0.0) is Turned.PROCESS_FULL


def test_an_address_has_so_many_places() -> None:
    """Also when all of them have signed in."""
    admission = Admission(limits(connections_per_address_max=2))
    for _ in range(2):
        admission.authenticated(place(admission, "192.0.2.1"), 0.0)
    assert admission.admit("192.0.2.1", 0.0) is Turned.ADDRESS_FULL
    place(admission, "192.0.2.2")


def test_an_address_has_fewer_places_before_sign_in() -> None:
    """Signing in frees one."""
    admission = Admission(limits(unauthenticated_per_address_max=2))
    first = place(admission, "192.0.2.1")
    place(admission, "192.0.2.1")
    turned = admission.admit("192.0.2.1", 0.0)
    assert turned is Turned.ADDRESS_UNAUTHENTICATED
    admission.authenticated(first, 0.0)
    place(admission, "192.0.2.1")


def test_handshakes_are_bounded_by_address_and_by_node() -> None:
    """Half a millisecond each is what they cost."""
    admission = Admission(
        Limits(handshakes_burst_per_address=2, handshakes_per_second_per_address=1)
    )
    place(admission, "192.0.2.1")
    place(admission, "192.0.2.1")
    assert admission.admit("192.0.2.1", 0.0) is Turned.ADDRESS_RATE
    place(admission, "192.0.2.1", 1.0)
    node = Admission(Limits(handshakes_per_second=2))
    place(node, "192.0.2.1")
    place(node, "192.0.2.2")
    assert node.admit("192.0.2.3", 0.0) is Turned.NODE_RATE
    place(node, "192.0.2.3", 0.5)


def test_a_full_house_cuts_from_the_address_that_holds_most() -> None:
    """The flood pays for the newcomer, not the lone stranger."""
    admission = Admission(limits(unauthenticated_max=8))
    cut: list[str] = []
    for number in range(3):
        held = place(admission, "192.0.2.1")
        held.cut = lambda number=number: cut.append(f"flood {number}")
    lone = place(admission, "192.0.2.2")
    lone.cut = lambda: cut.append("lone")
    for number in range(3, 5):
        place(admission, f"192.0.2.{number}")
    # Six of eight are taken by strangers: a quarter stays for others.
    place(admission, "192.0.2.5")
    assert cut == ["flood 0"]
    assert admission.unauthenticated_count == 6


def test_a_quarter_is_kept_for_addresses_that_signed_in_lately() -> None:
    """A flood of strangers, one address each, locks nobody out who belongs here."""
    admission = Admission(limits(unauthenticated_max=4, recent_addresses_hours=24))
    home = place(admission, "198.51.100.1")
    admission.authenticated(home, 0.0)
    admission.release(home)
    for number in range(3):
        place(admission, f"192.0.2.{number}")
    assert admission.admit("192.0.2.9", 1.0) is Turned.UNAUTHENTICATED_FULL
    place(admission, "198.51.100.1", 1.0)
    assert admission.unauthenticated_count == 4


def test_lately_ends_after_a_day() -> None:
    """Addresses change hands."""
    admission = Admission(limits(unauthenticated_max=4))
    home = place(admission, "198.51.100.1")
    admission.authenticated(home, 0.0)
    admission.release(home)
    for number in range(3):
        place(admission, f"192.0.2.{number}")
    day_later = 25 * 3_600.0
    assert admission.admit("198.51.100.1", day_later) is Turned.UNAUTHENTICATED_FULL


def test_trusted_networks_are_exempt_from_bounds_by_address() -> None:
    """A load generator or a gateway is many clients behind one address."""
    admission = Admission(
        limits(
            connections_per_address_max=1,
            unauthenticated_per_address_max=1,
            handshakes_burst_per_address=1,
        ),
        (ip_network("10.0.0.0/8"),),
    )
    for _ in range(10):
        place(admission, "10.1.2.3")
    place(admission, "::ffff:10.1.2.3")
    place(admission, "192.0.2.1")
    assert isinstance(admission.admit("192.0.2.1", 0.0), Turned)
