"""Counts per window."""

from wigwag.wire._budget import FrameBudget


def budget() -> FrameBudget:
    """Returns the specification's."""
    return FrameBudget(control_per_second=20, control_burst=100, ack_per_second_max=200)


def test_a_burst_of_100_control_frames_fits_and_the_next_does_not() -> None:
    """R-FRAME-014, at n - 1, n and n + 1."""
    counts = budget()
    assert [counts.control_fits(0.0) for _ in range(101)] == [True] * 100 + [False]


def test_a_part_of_a_token_buys_nothing() -> None:
    """A frame costs a whole one."""
    counts = budget()
    assert [counts.control_fits(0.0) for _ in range(100)] == [True] * 100
    assert not counts.control_fits(0.04)
    assert counts.control_fits(0.06)


def test_20_control_frames_a_second_fit_for_ever() -> None:
    """An honest client never meets the budget."""
    counts = budget()
    assert all(counts.control_fits(number / 20) for number in range(1000))


def test_21_control_frames_a_second_end_some_time() -> None:
    """The burst is spent once and not given back."""
    counts = budget()
    assert not all(counts.control_fits(number / 21) for number in range(3000))


def test_silence_earns_no_more_than_the_burst() -> None:
    """A week of silence is no licence for a flood."""
    counts = budget()
    counts.control_fits(0.0)
    assert [counts.control_fits(1e6) for _ in range(101)][99:] == [True, False]


def test_a_clock_that_stands_still_earns_nothing() -> None:
    """Time that goes back (it never should) must not take or give."""
    counts = budget()
    assert counts.control_fits(10.0)
    assert counts.control_fits(9.0)


def test_200_acks_in_a_second_fit_and_the_next_does_not() -> None:
    """R-FRAME-014, at n - 1, n and n + 1; the next second is a new one."""
    counts = budget()
    assert all(counts.ack_fits(5.0 + number / 300) for number in range(200))
    assert not counts.ack_fits(5.9)
    assert counts.ack_fits(6.0)
