"""Join strings: one sentence for each mistake."""

import pytest

from wigwag.client._errors import JoinStringWrong
from wigwag.client._join import Join, format_join, parse_join
from wigwag.client._ports import Address

PIN = bytes(range(32))
GOOD = format_join(Join(Address("chat.example", 7443), PIN, "Inv1te-code_"))


def test_a_join_string_says_address_pin_and_invite() -> None:
    """It is all that a newcomer has to type."""
    join = parse_join(f"  {GOOD}\n")
    assert join == Join(Address("chat.example", 7443), PIN, "Inv1te-code_")


def test_an_ipv6_address_stands_in_brackets() -> None:
    """Its colons would else be taken for the port's."""
    text = format_join(Join(Address("::1", 7443), PIN, "x"))
    assert text.startswith("wigwag://[::1]:7443/#v1.")
    assert parse_join(text).address == Address("::1", 7443)


def test_an_open_server_needs_no_invite() -> None:
    """Development servers print a string without a code."""
    assert parse_join(format_join(Join(Address("h", 1), PIN, ""))).invite == ""


def test_the_invite_does_not_show_in_logs() -> None:
    """Whoever reads the code may register with it."""
    assert "Inv1te" not in repr(parse_join(GOOD))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("https://chat.example", "begins with wigwag://"),
        (GOOD.split("#")[0], "in quotes"),
        (GOOD.replace("/#", "#"), "lacks the /"),
        (GOOD.replace("chat.example:7443", "chat.example"), "isn't HOST:PORT"),
        (GOOD.replace("7443", "http"), "isn't a number"),
        (GOOD.replace("7443", "٣"), "isn't a number"),
        (GOOD.replace("7443", "70000"), "between 1 and 65535"),
        (GOOD.replace("chat.example", "::1"), "in brackets"),
        (GOOD.replace("chat.example", "a b"), "isn't a name"),
        (GOOD.replace("v1.", "v2."), "doesn't begin with v1"),
        (GOOD.replace("v1.AAEC", "v1."), "bytes instead of 32"),
        (GOOD.replace("v1.AAEC", "v1.A!EC"), "isn't base64url"),
        (GOOD.rsplit(".", 1)[0], "before its invite"),
        (GOOD + "%", "garbled"),
    ],
)
def test_each_mistake_has_its_own_sentence(text: str, sentence: str) -> None:
    """A person who pasted half a string must see which half is missing."""
    with pytest.raises(JoinStringWrong, match=sentence):
        parse_join(text)
