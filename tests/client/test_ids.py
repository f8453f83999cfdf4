"""Message ids: unique, rising, of the right time."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wigwag.client._clock import SystemEntropy
from wigwag.client._ids import ZERO_ID, id_time_ms, mint_message_id


class _Fixed:
    def __init__(self, byte: int) -> None:
        self._byte = byte

    def token(self, n: int) -> bytes:
        return bytes([self._byte]) * n


@given(
    times=st.lists(st.integers(0, (1 << 48) - 2), min_size=2, max_size=20),
    byte=st.integers(0, 255),
)
def test_ids_rise_whatever_the_clock_does(times: list[int], byte: int) -> None:
    """A lower id costs the server a look-up, an equal one is a CONFLICT."""
    ids: list[bytes] = [ZERO_ID]
    for now_ms in times:
        ids.append(mint_message_id(ids[-1], now_ms, _Fixed(byte)))
    assert all(low < high for low, high in pairwise(ids))


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
