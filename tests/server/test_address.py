"""Addresses as people write them, and as limits see them."""

import pytest

from wigwag.server._address import Address, limiter_key, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", Address("127.0.0.1", 80)),
        ("chat.example.org:0", Address("chat.example.org", 0)),
        ("[::1]:7411", Address("::1", 7411)),
        (":7411", Address("", 7411)),
    ],
)
def test_an_address_is_read_and_written_alike(text: str, address: Address) -> None:
    """What the ready line prints can be given back to --listen."""
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize("text", ["127.0.0.1", "::1:7", "a:b", "a:65536", "a:-1", "a:"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """A wrong address must not become a listening one."""
    with pytest.raises(ValueError, match=text.replace("[", r"\[")):
        parse_address(text)


def test_ipv6_is_limited_by_its_network() -> None:
    """Whoever has one IPv6 address has 2^64."""
    assert limiter_key("2001:db8::1") == limiter_key("2001:db8::ffff:2")
    assert limiter_key("2001:db8::1") != limiter_key("2001:db8:0:1::1")
    assert limiter_key("::ffff:192.0.2.1") == limiter_key("192.0.2.1") == "192.0.2.1"
    assert limiter_key("fe80::1%eth0") == "fe80::/64"


def test_wildcards_are_known() -> None:
    """A join string can't tell people to connect to everywhere."""
    assert Address("0.0.0.0", 1).is_wildcard  # noqa: S104 - it is not bound
    assert Address("::", 1).is_wildcard
    assert not Address("127.0.0.1", 1).is_wildcard
