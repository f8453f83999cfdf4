"""Message ids: unique, rising, of the right time."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wigwag.client._clock import SystemEntropy
from wigwag.client._ids import BACK_MS_MAX, ZERO_ID, id_time_ms, mint_message_id


class _Fixed:
    def __init__(self, byte: int) -> None:
        self._byte = byte

    def token(self, n: int) -> bytes:
        return bytes([self._byte]) * n


@given(
    start=st.integers(0, (1 << 48) - 2 - BACK_MS_MAX),
    steps=st.lists(st.integers(0, BACK_MS_MAX - 100), min_size=2, max_size=20),
    byte=st.integers(0, 255),
)
def test_ids_rise_whatever_a_clock_does_that_is_about_right(
    start: int, steps: list[int], byte: int
) -> None:
    """A lower id costs the server a look-up, an equal one is a CONFLICT."""
    ids: list[bytes] = [ZERO_ID]
    for step in steps:
        ids.append(mint_message_id(ids[-1], start + step, _Fixed(byte)))
    assert all(low < high for low, high in pairwise(ids))


def test_ids_begin_anew_when_the_clock_was_far_ahead() -> None:
    """The server refuses ids that are a day ahead: rising would end all sending."""
    ahead = mint_message_id(ZERO_ID, 10 * BACK_MS_MAX, _Fixed(1))
    kept = mint_message_id(ahead, 9 * BACK_MS_MAX, _Fixed(1))
    assert id_time_ms(kept) == 10 * BACK_MS_MAX
    anew = mint_message_id(ahead, 9 * BACK_MS_MAX - 1, _Fixed(1))
    assert id_time_ms(anew) == 9 * BACK_MS_MAX - 1


def test_an_id_is_a_uuid_of_version_7() -> None:
    """The server reads the time in it (R-SEND-004)."""
    made = mint_message_id(ZERO_ID, 1_700_000_000_000, SystemEntropy())
    assert made[6] >> 4 == 7
    assert made[8] >> 6 == 0b10
    assert id_time_ms(made) == 1_700_000_000_000


def test_a_full_millisecond_borrows_the_next() -> None:
    """The counter part must not run over into version or variant."""
    last = mint_message_id(ZERO_ID, 5, _Fixed(0xFF))
    following = mint_message_id(last, 5, _Fixed(0xFF))
    assert following > last
    assert following[6] >> 4 == 7
    assert id_time_ms(following) == 6
