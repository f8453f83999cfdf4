"""Memory that nobody uses goes back to the system."""

import sys

import pytest

from wigwag.server._malloc import give_back


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone can be asked")
def test_holes_between_what_is_used_are_given_back() -> None:
    """They are too small for what comes next, and add up."""
    pieces = [bytearray(20_000) for _ in range(2_000)]
    kept = pieces[::2]
    del pieces
    assert give_back()
    assert len(kept) == 1_000
