"""The tables of limits against their tests: a limit without a test fails here.

A new limit gets a test at n - 1, n and n + 1, and its line below. The test named
must exist, and its file must name the limit, so that a line here can't be idle talk.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

from wigwag.server import Limits
from wigwag.server.core import EngineLimits
from wigwag.server.core import _limits as core_limits
from wigwag.wire import LIMITS

ROOT = Path(__file__).parents[3]
HERE = "tests/server/limits"
CLIENT = "tests/client/test_limits.py"
SETTING = f"{HERE}/test_folds.py::test_every_engine_bound_can_be_set"
BURST = f"{HERE}/test_rates.py::test_a_burst_and_not_one_more"
RATE = f"{HERE}/test_rates.py::test_the_next_token_comes_when_it_is_said_to"

NAME_HOLD = (
    "tests/server/core/test_removal.py"
    "::test_a_name_is_held_before_somebody_else_may_have_it"
)
SPECIFICATION = {
    "frame_bytes_before_auth_max": f"{HERE}/test_codec.py",
    "frame_bytes_max": f"{HERE}/test_codec.py",
    "unknown_frame_bytes_max": f"{HERE}/test_codec.py",
    "envelope_bytes_max": f"{HERE}/test_codec.py",
    "key_page_bytes_max": f"{HERE}/test_codec.py",
    "array_count_max": f"{HERE}/test_codec.py",
    "nesting_max": f"{HERE}/test_codec.py",
    "tags_max": f"{HERE}/test_codec.py",
    "unknown_tags_bytes_max": f"{HERE}/test_codec.py",
    "envelopes_max": f"{HERE}/test_codec.py",
    "extension_bytes_max": f"{HERE}/test_codec.py",
    "tls_handshake_seconds": f"{HERE}/test_deadlines.py",
    "auth_seconds": f"{HERE}/test_deadlines.py",
    "frame_seconds": f"{HERE}/test_deadlines.py",
    "idle_seconds": f"{HERE}/test_deadlines.py",
    "pong_seconds": f"{HERE}/test_deadlines.py",
    "pings_missed_max": f"{HERE}/test_deadlines.py::test_pong_seconds",
    "stall_seconds": f"{HERE}/test_deadlines.py",
    "in_flight_max": f"{HERE}/test_windows.py",
    "in_flight_bytes_max": f"{HERE}/test_windows.py",
    "window_entries": f"{HERE}/test_windows.py",
    "window_bytes": f"{HERE}/test_windows.py",
    "control_per_second": f"{HERE}/test_budget.py",
    "control_burst": f"{HERE}/test_budget.py",
    "ack_per_second_max": f"{HERE}/test_budget.py",
    "ack_interval_ms": CLIENT,
    "ack_entries": CLIENT,
    "id_age_days_max": f"{HERE}/test_folds.py",
    "id_ahead_days_max": f"{HERE}/test_folds.py",
    "dedupe_days": f"{HERE}/test_folds.py::test_sent_index_days",
    "outbox_days": CLIENT,
    "retention_days": f"{HERE}/test_folds.py",
    "devices_per_account_max": f"{HERE}/test_folds.py::test_devices_max",
    "chats_per_account_max": f"{HERE}/test_folds.py::test_chats_opened_max",
    "name_hold_days": NAME_HOLD,
    "reconnect_first_ms": CLIENT,
    "reconnect_last_ms": CLIENT,
    "reconnect_reset_seconds": CLIENT,
    "outcome_wait_seconds": CLIENT,
    "receipt_coalesce_ms": f"{HERE}/test_receipts.py",
    "receipts_poll_seconds": CLIENT,
    "receipts_chats_max": f"{HERE}/test_receipts.py",
}
"""By name in limits.toml; without `::` the test is test_NAME."""

SERVER = {
    "connections_max": f"{HERE}/test_admission.py",
    "connections_per_user_max": f"{HERE}/test_admission.py",
    "connections_per_address_max": f"{HERE}/test_admission.py",
    "unauthenticated_max": f"{HERE}/test_admission.py",
    "unauthenticated_per_address_max": f"{HERE}/test_admission.py",
    "reserved_share": f"{HERE}/test_admission.py",
    "recent_addresses_hours": f"{HERE}/test_admission.py",
    "handshakes_burst_per_address": f"{HERE}/test_admission.py",
    "handshakes_per_second_per_address": f"{HERE}/test_admission.py",
    "handshakes_per_second": f"{HERE}/test_admission.py",
    "auth_failures_per_connection_max": f"{HERE}/test_rates.py",
    "auth_failures_per_hour_per_address": f"{HERE}/test_rates.py",
    "send_burst": BURST,
    "send_per_second": RATE,
    "sends_per_day": f"{HERE}/test_rates.py",
    "in_flight_over_rate_max": f"{HERE}/test_windows.py",
    "registration_burst": BURST,
    "registration_seconds": RATE,
    "claim_burst": BURST,
    "claim_seconds": RATE,
    "directory_burst": BURST,
    "directory_per_second": RATE,
    "keys_burst": BURST,
    "keys_per_second": RATE,
    "receipts_burst": BURST,
    "receipts_per_second": RATE,
    "write_buffer_bytes_max": f"{HERE}/test_windows.py",
    "output_bytes_max": f"{HERE}/test_windows.py",
    "memory_bytes_max": f"{HERE}/test_memory.py",
    "memory_short_seconds": f"{HERE}/test_deadlines.py",
    "engine_depth_max": f"{HERE}/test_windows.py",
    "bucket_keys_max": f"{HERE}/test_rates.py",
    "socket_buffer_bytes": (
        "tests/server/test_listener.py::test_a_connections_kernel_memory_is_bounded"
    ),
    "device_backlog_bytes_max": SETTING,
    "sender_backlog_bytes_max": SETTING,
    "drain_seconds": f"{HERE}/test_deadlines.py",
    "linger_seconds": f"{HERE}/test_deadlines.py",
    "has_token_buckets": f"{HERE}/test_rates.py",
    "has_address_bounds": f"{HERE}/test_admission.py",
}
"""By name in `Limits`, beside what is the specification's or the engine's."""

ENGINE = {
    "device_bytes_max": f"{HERE}/test_folds.py",
    "sender_bytes_max": f"{HERE}/test_folds.py",
    "group_records_max": f"{HERE}/test_folds.py",
    "group_bytes_max": f"{HERE}/test_folds.py",
    "cache_rows_max": f"{HERE}/test_folds.py",
    "tail_entries_max": f"{HERE}/test_folds.py",
    "tail_bytes_max": f"{HERE}/test_folds.py",
}
"""By name in `EngineLimits`."""

FOLDS = {
    "ID_AGE_DAYS_MAX": f"{HERE}/test_folds.py",
    "ID_AHEAD_DAYS_MAX": f"{HERE}/test_folds.py",
    "SENT_INDEX_DAYS": f"{HERE}/test_folds.py",
    "RETENTION_DAYS": f"{HERE}/test_folds.py",
    "DEVICES_STALE_MAX": f"{HERE}/test_folds.py",
    "PREKEYS_LOW": f"{HERE}/test_folds.py",
    "PREKEYS_MAX": f"{HERE}/test_folds.py",
    "LISTS_MAX": f"{HERE}/test_folds.py",
    "DEVICES_MAX": f"{HERE}/test_folds.py",
    "CHATS_OPENED_MAX": f"{HERE}/test_folds.py",
    "NAME_HOLD_DAYS": NAME_HOLD,
    "TICK_DEVICES_MAX": f"{HERE}/test_portions.py",
    "DROP_ENTRIES_MAX": f"{HERE}/test_portions.py",
    "MOVE_ENTRIES_MAX": f"{HERE}/test_portions.py",
    "EPOCH_AHEAD_SECONDS_MAX": f"{HERE}/test_portions.py",
}
"""By name in `core/_limits.py`."""

ALL = {**SPECIFICATION, **SERVER, **ENGINE, **FOLDS}


def test_no_limit_of_the_specification_is_left_out() -> None:
    """limits.toml is what both sides hold each other to.

    A limit that no program reads yet can have no test; with the first line that
    reads it, this asks for one.
    """
    sources = [
        path.read_text("utf-8")
        for portion in ("wire", "server", "client")
        for path in (ROOT / portion / "wigwag").rglob("*.py")
        if "_generated" not in path.parts
    ]
    unread = {name for name in LIMITS if not any(name in text for text in sources)}
    assert set(SPECIFICATION) <= set(LIMITS)
    assert set(LIMITS) - set(SPECIFICATION) <= unread


def test_no_limit_of_the_server_is_left_out() -> None:
    """Neither a peer's, nor an engine's, nor the server's own."""
    assert set(SERVER) == set(Limits.__struct_fields__) - set(LIMITS) - set(ENGINE)


def test_no_limit_of_the_engine_is_left_out() -> None:
    """What bounds a commit, an inbox and the folds' memory."""
    assert set(ENGINE) == set(EngineLimits.__struct_fields__)


def test_no_constant_of_the_folds_is_left_out() -> None:
    """What every copy of a log must share."""
    names = {name for name in vars(core_limits) if name.isupper() and name != "LIMITS"}
    assert set(FOLDS) == names


@cache
def named_in(path: str) -> tuple[str, frozenset[str]]:
    """Return a file's text and the names of its tests."""
    text = (ROOT / path).read_text("utf-8")
    names = {
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }
    return text, frozenset(names)


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_limit_has_its_test(name: str) -> None:
    """It exists, and it is about this limit."""
    path, _, test = ALL[name].partition("::")
    text, names = named_in(path)
    assert (test or f"test_{name.lower()}") in names
    assert name.lower() in text.lower()
