"""The bounds of folds and engine, in one value that an operator's configuration makes.

The numbers are those of the design's table; each says why it is what it is.
"""

from typing import Final

import msgspec

from wigwag.wire import LIMITS

# An id older than this is EXPIRED: one day less than the dedupe horizon, so that
# whatever is taken is also known for as long as it may be offered again.
ID_AGE_DAYS_MAX: Final = LIMITS["id_age_days_max"].value
# A client mints in server-corrected time; a day covers a badly set clock.
ID_AHEAD_DAYS_MAX: Final = LIMITS["id_ahead_days_max"].value
# A sent-index table of one UTC day is dropped when none of its ids can be offered:
# the dedupe horizon, and the day that a clock may be ahead.
SENT_INDEX_DAYS: Final = LIMITS["dedupe_days"].value + ID_AHEAD_DAYS_MAX
# Inbox entries and chat-log headers; a client's outbox life is the same.
RETENTION_DAYS: Final = LIMITS["retention_days"].value
# Entries of DevicesStale; the wire's arrays hold as many.
DEVICES_STALE_MAX = 64
# Below this many one-time keys of a kind the device is asked for more.
PREKEYS_LOW = 20
# One-time keys of a kind that a device may have unclaimed: four uploads' worth,
# so that a client that uploads in a loop can't fill the disk.
PREKEYS_MAX = 400
# Lists in one answer; the wire's array holds as many.
LISTS_MAX = 16
# Devices of an account: each costs every sender an envelope.
DEVICES_MAX: Final = LIMITS["devices_per_account_max"].value
# Chats that an account opens: each is a row for good. What others open isn't counted,
# or strangers could use up what its owner may.
CHATS_OPENED_MAX: Final = LIMITS["chats_per_account_max"].value
# The username of a deleted account stays taken: as long as repeated SENDs are known, so
# that nobody gets what was meant for another.
NAME_HOLD_DAYS: Final = LIMITS["name_hold_days"].value
# Devices that one Tick record looks at, and entries that one record drops; the rest
# wait for the next record, so that no group's folds hold up the others for long.
TICK_DEVICES_MAX = 16
DROP_ENTRIES_MAX = 1024
# Entries that a restored inbox is renumbered for at once (64 MiB at the largest
# envelope); what is beyond is dropped, and said.
MOVE_ENTRIES_MAX = 4096
# A cursor may claim an epoch this far ahead of the clock before it is taken for
# nonsense: epochs are seconds, so a forged cursor could otherwise use them all up.
EPOCH_AHEAD_SECONDS_MAX = 400 * 86_400


class EngineLimits(msgspec.Struct, frozen=True):
    """Bounds that an operator may set, and the tests.

    Attributes:
        device_bytes_max: A device's unacknowledged frame bytes; above it
            RECIPIENT_FULL. 1 GiB: thirty days of a busy account.
        sender_bytes_max: What one account may leave in a device's inbox. 64 MiB.
        group_records_max: Requests of one commit; more only lengthens the wait.
        group_bytes_max: Ciphertext bytes of one commit.
        cache_rows_max: Rows of each table kept in memory, twice over (two
            generations).
        tail_entries_max: Newest inbox entries of a device kept in memory: the
            delivery window, so that a device that keeps up is never read for.
        tail_bytes_max: Frame bytes of all tails together.
    """

    device_bytes_max: int = 1 << 30
    sender_bytes_max: int = 64 << 20
    group_records_max: int = 256
    group_bytes_max: int = 4 << 20
    cache_rows_max: int = 20_000
    tail_entries_max: int = 256
    tail_bytes_max: int = 64 << 20
