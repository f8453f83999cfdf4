"""The receive buffer: any cut gives the same frames, in linear time."""

from hypothesis import given
from hypothesis import strategies as st

from wigwag.wire._header import HEADER_BYTES
from wigwag.wire._receive_buffer import ReceiveBuffer
from wigwag.wire.testing import FrameFactory, cut_at, one_byte_at_a_time

FACTORY = FrameFactory()


def drain(buffer: ReceiveBuffer) -> list[tuple[int, bytes]]:
    """Takes every whole frame."""
    frames: list[tuple[int, bytes]] = []
    while (header := buffer.header()) is not None:
        content = buffer.content(header[0])
        if content is None:
            break
        frames.append((header[1], content))
    return frames


@given(
    st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=100)), max_size=8),
    st.lists(st.integers(0, 900), max_size=20),
    st.binary(max_size=11),
)
def test_any_cut_gives_the_same_frames(
    frames: list[tuple[int, bytes]], positions: list[int], rest: bytes
) -> None:
    """R-FRAME-005: TCP promises bytes, not segments."""
    stream = b"".join(FACTORY.raw(type_, content) for type_, content in frames) + rest
    for pieces in (
        [stream],
        list(one_byte_at_a_time(stream)),
        list(cut_at(stream, positions)),
    ):
        buffer = ReceiveBuffer()
        taken: list[tuple[int, bytes]] = []
        for piece in pieces:
            buffer.append(piece, 0.0)
            taken += drain(buffer)
        assert taken == frames
        assert len(buffer) == len(rest)


def test_pieces_may_gather_before_anybody_asks() -> None:
    """The transport reads greedily and asks once."""
    stream = FACTORY.raw(1, b"one") + FACTORY.raw(3, b"three")
    buffer = ReceiveBuffer()
    for piece in one_byte_at_a_time(stream):
        buffer.append(piece, 0.0)
    assert len(buffer) == len(stream)
    assert drain(buffer) == [(1, b"one"), (3, b"three")]


class CountingBuffer(ReceiveBuffer):
    """Counts how often bytes are moved to be in one piece."""

    def __init__(self) -> None:
        super().__init__()
        self.joins = 0

    def _join(self, wanted_bytes: int) -> bool:
        is_joined = super()._join(wanted_bytes)
        self.joins += is_joined
        return is_joined


def test_a_frame_in_single_bytes_is_joined_twice_and_never_more() -> None:
    """Quadratic copying would let 256 KiB of single bytes cost gigabytes."""
    buffer = CountingBuffer()
    taken: list[tuple[int, bytes]] = []
    for piece in one_byte_at_a_time(FACTORY.raw(1, bytes(20_000))):
        buffer.append(piece, 0.0)
        taken += drain(buffer)
    assert taken == [(1, bytes(20_000))]
    assert buffer.joins == 2  # the header, then the frame


def test_the_wait_for_a_frame_is_told_from_its_first_byte() -> None:
    """R-FRAME-013 counts from the first byte, not from the last one that came."""
    buffer = ReceiveBuffer()
    assert buffer.partial_since is None
    stream = FACTORY.raw(1, b"one") + FACTORY.raw(3, b"three")
    buffer.append(stream[:20], 5.0)
    assert drain(buffer) == [(1, b"one")]
    assert buffer.partial_since == 5.0
    buffer.append(stream[20:25], 9.0)
    assert drain(buffer) == []
    assert buffer.partial_since == 5.0
    buffer.append(stream[25:], 11.0)
    assert drain(buffer) == [(3, b"three")]
    assert buffer.partial_since is None


def test_what_was_taken_is_not_kept_alive_by_what_waits() -> None:
    """An idle connection must not hold the 64 KiB of its last busy read."""
    buffer = ReceiveBuffer()
    buffer.append(FACTORY.raw(1, bytes(60_000)) + b"abc", 0.0)
    drain(buffer)
    assert buffer.held_bytes == 3
    buffer.clear()
    assert len(buffer) == buffer.held_bytes == 0


def test_an_empty_buffer_lets_go_of_the_last_read() -> None:
    """The same, when the read held whole frames only."""
    buffer = ReceiveBuffer()
    buffer.append(FACTORY.raw(1, bytes(60_000)), 0.0)
    drain(buffer)
    assert buffer.held_bytes == 0


def test_a_pause_lets_go_of_what_was_taken() -> None:
    """Nobody knows how long it lasts, and a frame may be a quarter of a MiB."""
    buffer = ReceiveBuffer()
    buffer.append(FACTORY.raw(80, bytes(1_000)) + b"abc", 0.0)
    buffer.trim()
    assert buffer.held_bytes == HEADER_BYTES + 1_003
    assert buffer.content(1_000) == bytes(1_000)
    assert buffer.held_bytes == HEADER_BYTES + 1_003
    buffer.trim()
    assert buffer.held_bytes == len(buffer) == 3
