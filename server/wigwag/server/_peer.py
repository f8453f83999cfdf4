"""Who is at the other end of a connection: before it says so, and after."""

from dataclasses import dataclass

from wigwag.server._admission import Place
from wigwag.server.core import Device, User


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, before it says so.

    Attributes:
        address: What is limited as one (`limiter_key`).
        certificate_sha256: Hash of the leaf that this connection presented.
        place: Its place in admission; None: not admitted by address (simulation).
    """

    address: str
    certificate_sha256: bytes
    place: Place | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """The device that has signed in on a connection, or is about to."""

    device: Device
    user: User
    number: int
    registration_id: int
    generation: int
    signing_key: bytes
    account_key: bytes

    def supersedes(self, other: "Identity") -> bool:
        """Whether this is the same registration's sign-in, and not an older one."""
        return (
            self.registration_id == other.registration_id
            and self.generation >= other.generation
        )
