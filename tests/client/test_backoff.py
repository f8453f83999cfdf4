"""Reconnecting: full jitter, doubling, reset by stability."""

from hypothesis import given
from hypothesis import strategies as st

from wigwag.client._backoff import (
    FIRST_SECONDS,
    LAST_SECONDS,
    RESET_SECONDS,
    TOLD_SECONDS_MAX,
    Backoff,
)


def test_the_wait_doubles_up_to_its_ceiling() -> None:
    """A server that comes back must not meet everybody at once."""
    backoff = Backoff()
    longest: list[float] = []
    for _ in range(9):
        backoff, wait = backoff.next(uptime_seconds=0, told_seconds=0, jitter=1.0)
        longest.append(wait)
    assert longest == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_stable_connection_starts_over() -> None:
    """One cut after a day of service is no reason to wait half a minute."""
    backoff = Backoff(LAST_SECONDS)
    _, wait = backoff.next(uptime_seconds=RESET_SECONDS, told_seconds=0, jitter=1.0)
    assert wait == FIRST_SECONDS


@given(told=st.floats(0, 1e9), jitter=st.floats(0, 1, exclude_max=True))
def test_what_the_server_told_is_a_floor(told: float, jitter: float) -> None:
    """An overloaded server knows best, within reason."""
    _, wait = Backoff().next(uptime_seconds=0, told_seconds=told, jitter=jitter)
    assert min(told, TOLD_SECONDS_MAX) <= wait <= TOLD_SECONDS_MAX + FIRST_SECONDS
