"""Join strings: what an operator gives to those who may register."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Final

from wigwag.client._errors import JoinStringWrong
from wigwag.client._ports import Address

SCHEME: Final = "wigwag://"

PIN_BYTES: Final = 32
"""SHA-256 of the CA certificate's SubjectPublicKeyInfo."""

INVITE_CHARACTERS_MAX: Final = 1024
"""A REGISTER body holds 2 KiB of proof; real codes are far shorter."""

_INVITE: Final = re.compile(r"[A-Za-z0-9_-]*")
_HOST: Final = re.compile(r"[A-Za-z0-9.:_-]+")


@dataclass(frozen=True, slots=True)
class Join:
    """A server, how to recognise it, and the right to register there.

    Attributes:
        address: Where it listens.
        pin: SHA-256 of its CA's SubjectPublicKeyInfo, 32 bytes.
        invite: Invite code; empty where registration is open.
    """

    address: Address
    pin: bytes
    invite: str = field(repr=False)


def parse_join(text: str) -> Join:
    """Read `wigwag://HOST:PORT/#v1.PIN.INVITE`.

    Raises:
        JoinStringWrong: One sentence says what is wrong with it.
    """
    text = text.strip()
    if not text.startswith(SCHEME):
        raise JoinStringWrong(f"A join string begins with {SCHEME}; this doesn't.")
    place, sharp, secret = text[len(SCHEME) :].partition("#")
    if not sharp:
        raise JoinStringWrong(
            "The join string ends before its # part: a shell takes # for a comment"
            " unless the string is in quotes."
        )
    if not place.endswith("/"):
        raise JoinStringWrong("The join string lacks the / between address and #.")
    address = parse_address(place[:-1])
    version, _, rest = secret.partition(".")
    if version != "v1":
        raise JoinStringWrong(
            "The part after # doesn't begin with v1: it is cut, or for a newer client."
        )
    encoded, dot, invite = rest.partition(".")
    pin = _parse_pin(encoded)
    if not dot:
        raise JoinStringWrong("The join string ends before its invite code.")
    if not _INVITE.fullmatch(invite) or len(invite) > INVITE_CHARACTERS_MAX:
        raise JoinStringWrong("The invite code at the end of the string is garbled.")
    return Join(address, pin, invite)


def parse_address(text: str) -> Address:
    """Read `HOST:PORT`; an IPv6 address stands in brackets.

    Raises:
        JoinStringWrong: One sentence says what is wrong with it.
    """
    host, colon, port_text = text.rpartition(":")
    if not colon or not host:
        raise JoinStringWrong(f"The address {text!r} isn't HOST:PORT.")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise JoinStringWrong(f"The IPv6 address {host!r} must stand in brackets.")
    if not _HOST.fullmatch(host):
        raise JoinStringWrong(f"The host {host!r} isn't a name or an address.")
    if not port_text.isascii() or not port_text.isdigit():
        raise JoinStringWrong(f"The port {port_text!r} isn't a number.")
    port = int(port_text)
    if not 1 <= port <= 65535:
        raise JoinStringWrong(f"The port {port} isn't between 1 and 65535.")
    return Address(host, port)


def format_join(join: Join) -> str:
    """Write a join string; the inverse of `parse_join`."""
    pin = base64.urlsafe_b64encode(join.pin).rstrip(b"=").decode("ascii")
    return f"{SCHEME}{join.address}/#v1.{pin}.{join.invite}"


def _parse_pin(encoded: str) -> bytes:
    try:
        pin = base64.b64decode(
            encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True
        )
    except (binascii.Error, ValueError) as error:
        raise JoinStringWrong("The pin after v1. isn't base64url text.") from error
    if len(pin) != PIN_BYTES:
        raise JoinStringWrong(
            f"The pin after v1. has {len(pin)} bytes instead of {PIN_BYTES}."
        )
    return pin
