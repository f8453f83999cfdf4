"""Who and what there is in a scenario: small, fixed, telling in a story.

A message has an index: sender * 10 + its place among his messages, from 1. Its
client_msg_id, its bit in a set, and the letters that carry it again follow from it.
"""

from typing import Final, NamedTuple

from wigwag.server.core import Device, User, device_of
from wigwag.wire import suite1

# 2026-07-20T00:00:00Z: epochs count seconds from 2026-01-01.
FIRST_START_MS: Final = 1_784_505_600_000

START_STEP_MS: Final = 1000
"""Each start of the server is a second later, and so in another epoch."""

FIRST_NUMBER: Final = 1
"""Of an account's first device."""

SECOND_NUMBER: Final = 2

INDEX_STEP: Final = 10
"""Messages of one sender, at most one less."""

PEERS: Final[tuple[User, User]] = (b"\xb0" * 16, b"\xb1" * 16)
"""The accounts that are written to: one a chat."""

MESSAGE: Final = 1
COPY: Final = 2
RESEND: Final = 3
"""What a ciphertext holds: the message, or a signal that stands for it."""

_TAIL_BYTES: Final = 10
_SIGNAL: Final = 0x80


def sender_user(sender: int) -> User:
    """Return a sender's account."""
    return bytes((0xA0 + sender,)) * 16


def sender_device(sender: int) -> Device:
    """Return a sender's only device."""
    return device_of(sender_user(sender), FIRST_NUMBER)


def peer_device(number: int, peer: int = 0) -> Device:
    """Return a device of an account that is written to."""
    return device_of(PEERS[peer], number)


def chat_of(one: User, other: User) -> bytes:
    """Return the direct chat of two accounts."""
    return suite1.direct_chat_id(*sorted((one, other)))


def message_id(index: int) -> bytes:
    """Return the client_msg_id of a message: they rise with its index."""
    return _minted() + bytes(_TAIL_BYTES - 1) + bytes((index,))


def signal_id(kind: int, index: int, number: int, registration: int) -> bytes:
    """Return the client_msg_id of the signal that stands for a message."""
    facts = bytes((_SIGNAL, kind, number, registration % 256, index))
    return _minted() + bytes(_TAIL_BYTES - len(facts)) + facts


def index_of(id_: bytes) -> int:
    """Return the message that an id, a message's or a signal's, is about."""
    return id_[-1]


def is_signal(id_: bytes) -> bool:
    """Say whether an id is a signal's."""
    return id_[-5] == _SIGNAL


def name_of(id_: bytes) -> str:
    """Name a message or a signal in a story."""
    if not is_signal(id_):
        return str(index_of(id_))
    kind = "copy" if id_[-4] == COPY else "resend"
    return f"the {kind} of {index_of(id_)} for device {id_[-3]}"


class Ciphertext(NamedTuple):
    """What a receiver finds in an envelope, and the message key that closed it."""

    kind: int
    message: int
    sender: int
    registration: int
    ratchet: int

    def pack(self) -> bytes:
        """Return it as the opaque bytes of an envelope."""
        return bytes((*self[:3], self.registration % 256, self.ratchet))


def unpack(data: bytes) -> Ciphertext:
    """Open an envelope."""
    return Ciphertext(*data)


def _minted() -> bytes:
    return FIRST_START_MS.to_bytes(6)
