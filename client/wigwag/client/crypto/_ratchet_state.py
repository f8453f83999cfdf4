"""The state of a Double Ratchet as a value, apart from the library that steps it.

The library takes 0.2 s to import; a store that only loads and lists sessions
never needs it.
"""

from dataclasses import dataclass
from typing import final

StoredRatchet = tuple[bytes, bytes, bytes, bytes, int, bytes | None, int, int]
"""A ratchet in the order of `RatchetState`'s attributes."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class RatchetState:
    """A ratchet without its skipped message keys.

    Attributes:
        own_private: Our current ratchet private key.
        peer_public: The peer's current ratchet public key.
        root_key: 32 bytes.
        sending_key: Chain key, 32 bytes.
        sending_count: Messages sent in this chain.
        receiving_key: Chain key, 32 bytes; None until the peer has answered.
        receiving_count: Messages received or skipped in this chain.
        previous_count: Messages sent in the previous chain.
    """

    own_private: bytes
    peer_public: bytes
    root_key: bytes
    sending_key: bytes
    sending_count: int
    receiving_key: bytes | None
    receiving_count: int
    previous_count: int

    def stored(self) -> StoredRatchet:
        """Give the values to store."""
        return (
            self.own_private,
            self.peer_public,
            self.root_key,
            self.sending_key,
            self.sending_count,
            self.receiving_key,
            self.receiving_count,
            self.previous_count,
        )

    def __repr__(self) -> str:
        return "<RatchetState>"


@final
@dataclass(frozen=True, slots=True, repr=False)
class SkippedKey:
    """A message key that a later message made us pass by.

    Attributes:
        ratchet_key: Ratchet public key of its chain, 32 bytes.
        number: Number in the chain.
        message_key: 32 bytes.
    """

    ratchet_key: bytes
    number: int
    message_key: bytes

    def __repr__(self) -> str:
        return f"<SkippedKey {self.number}>"
