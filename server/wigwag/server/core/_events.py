"""What a commit makes known beside its answers: hints to sessions, alarms to operators.

They are neither stored nor repeated. Whatever must not be lost is a row (an
inbox entry, a gap, a mark) that the session can ask for.
"""

from typing import TypeAlias

import msgspec

from wigwag.server.core._values import Chat, Device, Gap, Position, User


class ReceiptMoved(msgspec.Struct, frozen=True, gc=False):
    """A delivered mark rose: tell `to_user` how far `user` has received `chat`."""

    to_user: User
    chat: Chat
    user: User
    mark: Position


class GapOpened(msgspec.Struct, frozen=True, gc=False):
    """Inbox positions of a device were dropped; told again at its next login."""

    device: Device
    gap: Gap


class PrekeysLow(msgspec.Struct, frozen=True, gc=False):
    """A device has few one-time prekeys left."""

    device: Device
    ec_left: int
    kem_left: int


class Displaced(msgspec.Struct, frozen=True, gc=False):
    """A device signed in anew; connections of it with a lower generation are over."""

    device: Device
    generation: int


class Revoked(msgspec.Struct, frozen=True, gc=False):
    """A device was removed, or its account deleted; its connections are over.

    Told right behind the answer of the record that did it, before later answers.
    """

    device: Device


class Doomed(msgspec.Struct, frozen=True, gc=False):
    """More of an inbox was dropped than one record reports: ticks tell the rest."""

    device: Device


class RestoreProven(msgspec.Struct, frozen=True, gc=False):
    """Alarm: a device's cursor proves that this folder was put back from a copy."""

    device: Device
    cursor: Position


class EntryCorrupt(msgspec.Struct, frozen=True, gc=False):
    """Alarm: a stored record failed its checksum and was put into quarantine."""

    device: Device
    position: Position


Event: TypeAlias = (
    ReceiptMoved
    | GapOpened
    | PrekeysLow
    | Displaced
    | Revoked
    | Doomed
    | RestoreProven
    | EntryCorrupt
)
