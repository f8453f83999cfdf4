"""The reasons for which the folds refuse, by the names of the specification's errors.

The folds don't know the wire: they say a name, the session turns it into the
code of the same name (a test holds every name to the specification).
"""

from enum import IntEnum, StrEnum


class Refusal(StrEnum):
    """An error of the specification that a fold or admission answers with."""

    AUTH_FAILED = "AUTH_FAILED"
    CONFLICT = "CONFLICT"
    DEVICES_STALE = "DEVICES_STALE"
    EXPIRED = "EXPIRED"
    FORBIDDEN = "FORBIDDEN"
    ID_TAKEN = "ID_TAKEN"
    INTERNAL = "INTERNAL"
    NAME_TAKEN = "NAME_TAKEN"
    NOT_FOUND = "NOT_FOUND"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    PROOF_REFUSED = "PROOF_REFUSED"
    PROTOCOL_ERROR = "PROTOCOL_ERROR"
    QUOTA = "QUOTA"
    RATE_LIMITED = "RATE_LIMITED"
    RECIPIENT_FULL = "RECIPIENT_FULL"
    STORE_ROLLED_BACK = "STORE_ROLLED_BACK"
    UNAVAILABLE = "UNAVAILABLE"


class GapReason(IntEnum):
    """Why inbox positions will not be delivered (types/gap_reason.toml)."""

    ALREADY_ACKED = 1
    SERVER_RESTORED = 2
    EXPIRED = 3
    CORRUPT = 4
    SUSPENDED = 5
    REREGISTERED = 6


class UndeliveredReason(IntEnum):
    """Why a message did not reach a device (types/undelivered_reason.toml)."""

    REREGISTERED = 1
    EXPIRED = 2
    DEVICE_GONE = 3
    SUSPENDED = 4
    CORRUPT = 5
