"""Roles and connection states."""

from enum import Enum


class Role(Enum):
    """Which side of a connection we are."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def peer(self) -> "Role":
        """The other side."""
        return Role.SERVER if self is Role.CLIENT else Role.CLIENT


class State(Enum):
    """Connection states, the same on both sides (specification: states.toml)."""

    HELLO = "HELLO"
    AUTH = "AUTH"
    READY = "READY"
    LINKING = "LINKING"
    DRAINING = "DRAINING"
    CLOSED = "CLOSED"
