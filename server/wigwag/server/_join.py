"""The join string: all that a new client needs, in one line that fits a chat message.

    wigwag://HOST:PORT/#v1.PIN.INVITE

HOST is a name or an IP address, IPv6 in brackets. PIN is the SHA-256 of the
SubjectPublicKeyInfo of the certificate authority that the server's chain leads to,
as base64url without padding (43 characters). INVITE is an invite code: base32 in
lower case without padding. REGISTER's proof of kind INVITE is the code's ASCII text.
A join string without an invite ends after the dot and only says how to connect: for
servers with open registration, and for those that take tokens of an identity service
(the token isn't part of it: it is good for one account key and for ten minutes).

Everything behind `#` is a secret of sorts: whoever has it can register. A URL's
fragment is never sent to a web server by a browser that is given it by mistake.
"""

import base64
from dataclasses import dataclass

from wigwag.server._address import Address

SCHEME = "wigwag"
FORMAT_VERSION = "v1"
PIN_BYTES = 32
# 80 bits: not guessed in the life of an invite, even without the limit by address.
INVITE_BYTES = 10
FIRST_INVITE_USES = 10
FIRST_INVITE_HOURS = 24


@dataclass(frozen=True, slots=True)
class JoinString:
    """Address, pin and invite; `str()` hides the invite, `reveal()` writes it."""

    address: Address
    ca_pin: bytes
    invite: str = ""

    def __post_init__(self) -> None:
        assert len(self.ca_pin) == PIN_BYTES

    def reveal(self) -> str:
        """Returns the whole join string, for the one who may hand it on."""
        return f"{self._public_part()}.{self.invite}"

    def __str__(self) -> str:
        return f"{self._public_part()}.***" if self.invite else self.reveal()

    def __repr__(self) -> str:
        return f"<JoinString {self.address}>"

    def _public_part(self) -> str:
        pin = base64.urlsafe_b64encode(self.ca_pin).rstrip(b"=").decode()
        return f"{SCHEME}://{self.address}/#{FORMAT_VERSION}.{pin}"


def invite_code(random_bytes: bytes) -> str:
    """Write an invite's secret as people can read it out.

    Args:
        random_bytes: INVITE_BYTES fresh random bytes.
    """
    assert len(random_bytes) == INVITE_BYTES
    return base64.b32encode(random_bytes).decode().rstrip("=").lower()
