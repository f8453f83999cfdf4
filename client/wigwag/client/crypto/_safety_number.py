"""Safety numbers: what two people compare to know that nobody sits between them."""

from dataclasses import dataclass
from hashlib import sha512
from typing import final

from wigwag.wire import suite1

_GROUP_BYTES = 5
_GROUP_DIGITS = 5
_SIDE_DIGITS = suite1.SAFETY_NUMBER_DIGITS // 2
_SIDE_GROUPS = _SIDE_DIGITS // _GROUP_DIGITS


@final
@dataclass(frozen=True, slots=True)
class SafetyNumber:
    """One number for two accounts, whatever devices they use.

    Attributes:
        digits: 60 digits, the same on both sides.
        own_fingerprint: 64 bytes for a code to be scanned: who shows it.
        peer_fingerprint: 64 bytes: whom he takes the scanner for.
    """

    digits: str
    own_fingerprint: bytes
    peer_fingerprint: bytes

    @property
    def grouped(self) -> str:
        """The digits in twelve groups of five, in three lines to read aloud."""
        groups = [
            self.digits[start : start + _GROUP_DIGITS]
            for start in range(0, len(self.digits), _GROUP_DIGITS)
        ]
        return "\n".join(" ".join(groups[row : row + 4]) for row in range(0, 12, 4))


def safety_number(
    own_account: bytes, own_key: bytes, peer_account: bytes, peer_key: bytes
) -> SafetyNumber:
    """Compute the safety number of two accounts.

    Takes some milliseconds: 5,200 rounds for each side are the point of it.

    Args:
        own_account: Our account id.
        own_key: Our Ed25519 account key.
        peer_account: The peer's account id.
        peer_key: The peer's Ed25519 account key, as pinned.
    """
    own = _fingerprint(own_account, own_key)
    peer = _fingerprint(peer_account, peer_key)
    digits = "".join(sorted((_digits(own), _digits(peer))))
    return SafetyNumber(digits, own, peer)


def _fingerprint(account: bytes, account_key: bytes) -> bytes:
    digest = suite1.safety_number_seed(account, account_key)
    for _ in range(suite1.SAFETY_NUMBER_ITERATIONS):
        digest = sha512(digest + account_key).digest()
    return digest


def _digits(fingerprint: bytes) -> str:
    groups = [
        int.from_bytes(fingerprint[start : start + _GROUP_BYTES], "big")
        for start in range(0, _SIDE_GROUPS * _GROUP_BYTES, _GROUP_BYTES)
    ]
    return "".join(f"{group % 10**_GROUP_DIGITS:0{_GROUP_DIGITS}d}" for group in groups)
