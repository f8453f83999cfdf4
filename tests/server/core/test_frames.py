"""Entries' frames, byte for byte against the generated codec."""

import hypothesis.strategies as st
from hypothesis import given

from wigwag.server.core._frames import (
    DELIVER,
    MISSED,
    UNDELIVERED,
    build_deliver,
    build_missed,
    build_undelivered,
    move_frame,
)
from wigwag.wire import (
    DRAFT,
    INFO_BY_RECORD,
    Deliver,
    Missed,
    Undelivered,
    decode_message,
    encode_frame,
)

U64 = st.integers(1, 2**64 - 1)
ID = st.binary(min_size=16, max_size=16).filter(any)
NUMBER = st.integers(1, 127)


@given(
    places=st.tuples(U64, U64, U64, U64),
    ids=st.tuples(ID, ID, ID),
    class_=st.integers(0, 255),
    number=NUMBER,
    registration=st.integers(1, 2**32 - 1),
    body=st.binary(min_size=1, max_size=300),
)
def test_deliver_is_what_the_codec_makes(
    places: tuple[int, int, int, int],
    ids: tuple[bytes, bytes, bytes],
    class_: int,
    number: int,
    registration: int,
    body: bytes,
) -> None:
    """The hot line writes the layout out; a client reads the specification's."""
    place, prev, seq, time_ms = places
    chat, user, message = ids
    record = Deliver(
        *(place, prev, chat, seq, class_, user, number, registration, message),
        *(time_ms, body),
    )
    frame = build_deliver(
        *(place, prev, chat, seq, class_, user + bytes((number,)), registration),
        *(message, time_ms, body),
    )
    assert frame == encode_frame(record, DRAFT)


@given(
    places=st.tuples(U64, U64, U64, U64),
    ids=st.tuples(ID, ID, ID),
    class_=st.integers(0, 255),
    number=NUMBER,
)
def test_missed_is_what_the_codec_makes(
    places: tuple[int, int, int, int],
    ids: tuple[bytes, bytes, bytes],
    class_: int,
    number: int,
) -> None:
    """A stub that a client can't decode would block its inbox."""
    place, prev, seq, time_ms = places
    chat, user, message = ids
    record = Missed(place, prev, chat, seq, class_, user, number, message, time_ms)
    frame = build_missed(
        place, prev, chat, seq, class_, user + bytes((number,)), message, time_ms
    )
    assert frame == encode_frame(record, DRAFT)


@given(
    places=st.tuples(U64, U64),
    ids=st.tuples(ID, ID, ID),
    number=st.integers(0, 127),
    reason=st.integers(0, 255),
)
def test_undelivered_is_what_the_codec_makes(
    places: tuple[int, int],
    ids: tuple[bytes, bytes, bytes],
    number: int,
    reason: int,
) -> None:
    """The sender must be able to read what did not arrive."""
    chat, message, user = ids
    record = Undelivered(*places, chat, message, user, number, reason)
    frame = build_undelivered(*places, chat, message, user, number, reason)
    assert frame == encode_frame(record, DRAFT)


def test_the_types_are_the_specifications() -> None:
    """The three numbers are written out here and must not drift."""
    assert [
        INFO_BY_RECORD[record].type for record in (Deliver, Missed, Undelivered)
    ] == [DELIVER, MISSED, UNDELIVERED]


def test_a_moved_frame_differs_in_its_place_alone() -> None:
    """Renumbering after a restore must not touch what was sent."""
    chat, user, message = b"c" * 16, b"u" * 16, b"m" * 16
    fields = (chat, 5, 1, user + b"\x03", 9, message, 77, b"secret")
    frame = move_frame(build_deliver(1, 0, *fields), 44, 43)
    assert frame == build_deliver(44, 43, *fields)
    moved = decode_message(DELIVER, DRAFT, frame[12:])
    assert isinstance(moved, Deliver)
    assert (moved.inbox_seq, moved.prev, moved.ciphertext) == (44, 43, b"secret")
