"""Every bound that the server keeps, in one place, with its default and its range.

What a peer can see comes from the specification (`limits.toml`: default and
permitted range, told in WELCOME); the server's own bounds stand beside it. Two
named profiles exist: `default`, and `bench`, which is the default without token
buckets and without bounds by address, so that a load generator on one machine
measures the server and not its politeness. Sizes, windows, deadlines and bounds
of memory are the same in both.

What can't be set is no choice of an operator's: sizes that both sides of the protocol
must agree on (`LIMITS` with min = max), and the folds' own numbers
(`core/_limits.py`), which every copy of a log must share.
"""

from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta

from wigwag.server.core import EngineLimits
from wigwag.wire import LIMITS

Profile = Literal["default", "bench"]

_Count = Annotated[int, Meta(ge=1, le=1_000_000)]
_Rate = Annotated[float, Meta(gt=0, le=1_000_000)]
_Seconds = Annotated[float, Meta(gt=0, le=3_600)]
_Bytes = Annotated[int, Meta(ge=1, le=1_099_511_627_776)]

# Beside connections: database, listeners, logs.
DESCRIPTORS_SPARE = 256

# The folds' defaults: their README says why they are what they are.
_ENGINE = EngineLimits()


def _default(name: str) -> int:
    """Returns the specification's default of a bound that a peer can see."""
    return LIMITS[name].value


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bounds of one server; `for_profile` makes them, `replace` varies them.

    Raises:
        ValueError: A bound is outside the range that the specification permits.
    """

    # What a peer can see: default and range in the specification's limits.toml.
    frame_bytes_max: int = _default("frame_bytes_max")
    in_flight_max: int = _default("in_flight_max")
    in_flight_bytes_max: int = _default("in_flight_bytes_max")
    window_entries: int = _default("window_entries")
    window_bytes: int = _default("window_bytes")
    tls_handshake_seconds: int = _default("tls_handshake_seconds")
    auth_seconds: int = _default("auth_seconds")
    frame_seconds: int = _default("frame_seconds")
    idle_seconds: int = _default("idle_seconds")
    pong_seconds: int = _default("pong_seconds")
    stall_seconds: int = _default("stall_seconds")

    # Connections. 20,000 of 22 KiB idle is 430 MiB: one process of a small machine.
    connections_max: _Count = 20_000
    connections_per_user_max: _Count = 8
    connections_per_address_max: _Count = 64

    # Before AUTH. Prosody's lesson: what is unauthenticated has a bound of its own,
    # and a quarter of it stays free for addresses that signed in lately.
    unauthenticated_max: _Count = 512
    unauthenticated_per_address_max: _Count = 16
    reserved_share: Annotated[float, Meta(ge=0, le=0.9)] = 0.25
    recent_addresses_hours: Annotated[float, Meta(gt=0, le=720)] = 24
    handshakes_burst_per_address: _Count = 20
    handshakes_per_second_per_address: _Rate = 5
    handshakes_per_second: _Rate = 500
    auth_failures_per_connection_max: _Count = 3
    # By address, never by account: a stranger could lock the account's owner out.
    auth_failures_per_hour_per_address: _Count = 20

    # Token buckets of requests. Signal allows 60 messages at once and 1 a second.
    send_burst: _Count = 60
    send_per_second: _Rate = 10
    # Bounds the sent index: 32 days of 20,000 entries of 100 bytes = 64 MB a device.
    sends_per_day: _Count = 20_000
    # Each SEND over its rate is still looked up, for a known id gets its answer. So
    # many are taken at once: a small part of a commit's 256.
    in_flight_over_rate_max: _Count = 8
    registration_burst: _Count = 6
    registration_seconds: _Seconds = 30
    claim_burst: _Count = 6
    claim_seconds: _Seconds = 600
    directory_burst: _Count = 60
    directory_per_second: _Rate = 2
    keys_burst: _Count = 20
    keys_per_second: _Rate = 0.2
    receipts_burst: _Count = 64
    receipts_per_second: _Rate = 2

    # Memory. Above the write buffer no inbox entry is read and no request taken.
    write_buffer_bytes_max: Annotated[int, Meta(ge=16_384, le=4_194_304)] = 131_072
    # Unread answers of one connection: 256 requests in flight may answer at once and
    # find the write buffer full. Above it, the peer has stopped reading.
    output_bytes_max: Annotated[int, Meta(ge=32_768, le=8_388_608)] = 262_144
    # All that the server holds for its clients (`_memory.py` counts it); reading
    # pauses at 80 % of it. 20,000 connections that have each carried a large record
    # are charged 1.5 GiB, idle ones 0.6.
    memory_bytes_max: Annotated[int, Meta(ge=1_048_576)] = 2_147_483_648
    # How long memory may be short before those who hold most are sent away: the
    # deadline of a small frame, so that it could have come to an end by itself.
    memory_short_seconds: Annotated[float, Meta(gt=0, le=300)] = 15
    # Requests that wait for a commit; above it newcomers are sent away. At 10,000 a
    # second, that is the five seconds within which a SEND is promised an answer.
    engine_depth_max: _Count = 50_000
    # Addresses, devices and pairs whose buckets are remembered.
    bucket_keys_max: Annotated[int, Meta(ge=16, le=10_000_000)] = 100_000
    # The kernel's buffers of a connection, each way. Left alone they would grow to
    # megabytes for a peer that doesn't read.
    socket_buffer_bytes: Annotated[int, Meta(ge=4_096, le=4_194_304)] = 65_536

    # Inboxes. A quota refuses, and never trims.
    device_backlog_bytes_max: _Bytes = _ENGINE.device_bytes_max
    sender_backlog_bytes_max: _Bytes = _ENGINE.sender_bytes_max
    # Commits: whatever came during the one before, and no more.
    group_records_max: Annotated[int, Meta(ge=1, le=4_096)] = _ENGINE.group_records_max
    group_bytes_max: Annotated[int, Meta(ge=65_536, le=67_108_864)] = (
        _ENGINE.group_bytes_max
    )
    # What the folds keep in memory.
    cache_rows_max: Annotated[int, Meta(ge=16, le=10_000_000)] = _ENGINE.cache_rows_max
    tail_entries_max: Annotated[int, Meta(ge=1, le=65_536)] = _ENGINE.tail_entries_max
    tail_bytes_max: Annotated[int, Meta(ge=0, le=68_719_476_736)] = (
        _ENGINE.tail_bytes_max
    )

    # Ends. NATS' lame duck; init systems kill after 30 s as a rule.
    drain_seconds: Annotated[float, Meta(gt=0, le=300)] = 25
    linger_seconds: Annotated[float, Meta(gt=0, le=10)] = 1

    # Off in the profile `bench` alone.
    has_token_buckets: bool = True
    has_address_bounds: bool = True

    def __post_init__(self) -> None:
        for name in PEER_VISIBLE:
            limit = LIMITS[name]
            value = getattr(self, name)
            if not limit.min <= value <= limit.max:
                raise ValueError(
                    f"{name}: it is {value}; the specification permits "
                    f"{limit.min} to {limit.max} {limit.unit}"
                )

    @classmethod
    def for_profile(cls, profile: Profile) -> Self:
        """Returns the bounds of a named profile."""
        if profile == "bench":
            return cls(has_token_buckets=False, has_address_bounds=False)
        return cls()

    @property
    def engine(self) -> EngineLimits:
        """The bounds of engine and folds."""
        return EngineLimits(
            device_bytes_max=self.device_backlog_bytes_max,
            sender_bytes_max=self.sender_backlog_bytes_max,
            group_records_max=self.group_records_max,
            group_bytes_max=self.group_bytes_max,
            cache_rows_max=self.cache_rows_max,
            tail_entries_max=self.tail_entries_max,
            tail_bytes_max=self.tail_bytes_max,
        )


PEER_VISIBLE = (
    "frame_bytes_max",
    "in_flight_max",
    "in_flight_bytes_max",
    "window_entries",
    "window_bytes",
    "tls_handshake_seconds",
    "auth_seconds",
    "frame_seconds",
    "idle_seconds",
    "pong_seconds",
    "stall_seconds",
)
"""The bounds above whose default and range the specification names."""
