"""Bounds of frames and bodies that both sides know, at n - 1, n and n + 1.

The bytes are made by hand: our own encoder refuses what is too much.
"""

import typing

import msgspec
import pytest
from tests.wire.helpers import FACTORY, fault, feed, server_in

from wigwag.wire import (
    DRAFT,
    LIMITS,
    MESSAGES,
    STRUCTS,
    ConnectionConfig,
    ErrorCode,
    MessageType,
    Received,
    RefusalSent,
    RemoteProtocolError,
    State,
    encode_message,
)
from wigwag.wire.testing import Sample

AROUND = (-1, 0, 1)
HEADER_BYTES = 12
USERS_AT = 16 + 16 + 1 + 16 + 1
"""Where SEND's count of users lies."""
SEND_BODY = encode_message(Sample.send(1), DRAFT)


def limit(name: str) -> int:
    """Return a bound of the specification."""
    return LIMITS[name].value


def header_fits(state: State, type_: int, length: int, corr: int = 9) -> bool:
    """Whether a frame of this length is waited for, judged by its header alone."""
    server = server_in(state)
    try:
        return feed(server, FACTORY.raw(type_, length=length, corr=corr)) == []
    except RemoteProtocolError as error:
        if error.code != ErrorCode.FRAME_TOO_LARGE:
            raise
        return False


@pytest.mark.parametrize("beside", AROUND)
def test_frame_bytes_before_auth_max(beside: int) -> None:
    """A stranger's frame is small."""
    length = limit("frame_bytes_before_auth_max") + beside
    # No type may be that long before sign-in: an unknown odd one has the same bound.
    assert header_fits(State.AUTH, 0x7FF1, length) is (beside <= 0)


@pytest.mark.parametrize("beside", AROUND)
@pytest.mark.parametrize("most", [131_072, 262_144])
def test_frame_bytes_max(most: int, beside: int) -> None:
    """Whatever an operator chose, up to what the peer offers."""
    server = server_in(State.READY, ConnectionConfig(frame_bytes_max=most))
    offered = server.frame_length_max
    assert offered == most
    header = FACTORY.raw(MessageType.SEND, length=most + beside, corr=9)
    if beside > 0:
        assert fault(server, header).code == ErrorCode.FRAME_TOO_LARGE
    else:
        assert feed(server, header) == []


@pytest.mark.parametrize("beside", AROUND)
def test_unknown_frame_bytes_max(beside: int) -> None:
    """What nobody knows is skipped, if it is short."""
    length = limit("unknown_frame_bytes_max") + beside
    assert header_fits(State.READY, 0x7FF1, length) is (beside <= 0)


def test_key_page_bytes_max() -> None:
    """The largest upload that its fields allow is below the page's bound."""
    type_ = MessageType.PREKEYS_UPLOAD
    largest = MESSAGES[type_].layouts[DRAFT].body_bytes_max
    assert largest <= limit("key_page_bytes_max") <= LIMITS["frame_bytes_max"].min
    assert header_fits(State.READY, type_, largest - 1)
    assert header_fits(State.READY, type_, largest)
    assert not header_fits(State.READY, type_, largest + 1)


def outcome_of(body: bytes) -> ErrorCode | None:
    """Return what a SEND with this body is refused with; None: it is read."""
    server = server_in(State.READY)
    data = FACTORY.raw(MessageType.SEND, body, corr=9)
    try:
        events = [
            event
            for start in range(0, len(data), 65_536)
            for event in feed(server, data[start : start + 65_536])
        ]
    except RemoteProtocolError as error:
        return ErrorCode(error.code)
    (event,) = events
    if isinstance(event, RefusalSent):
        return ErrorCode(event.code)
    assert isinstance(event, Received)
    return None


def send_body(*, users: int = 1, envelopes: int = 1, ciphertext: int = 10) -> bytes:
    """Return a SEND's body with so many of everything."""
    head = SEND_BODY[:USERS_AT]
    ids = [(number + 1).to_bytes(16) for number in range(max(users, envelopes))]
    named = b"".join(ids[:users])
    parts = b"".join(
        one + b"\x01" + (1).to_bytes(4) + ciphertext.to_bytes(2) + bytes(ciphertext)
        for one in ids[:envelopes]
    )
    return (
        head
        + users.to_bytes(2)
        + named
        + envelopes.to_bytes(2)
        + with_tags_of_structs(parts, envelopes, ciphertext)
        + b"\x00"
    )


def with_tags_of_structs(parts: bytes, count: int, ciphertext: int) -> bytes:
    """Add an envelope's own section of tags, if its layout has one."""
    size = len(parts) // count if count else 0
    tail = envelope_tail(ciphertext)
    return b"".join(parts[n * size : (n + 1) * size] + tail for n in range(count))


def envelope_tail(ciphertext: int) -> bytes:
    """Return what follows an envelope's ciphertext in the codec's own bytes."""
    marked = b"\xee" * min(ciphertext, 16)
    body = encode_message(Sample.send(1, marked), DRAFT)
    return body[body.rindex(marked) + len(marked) : -1]


def test_the_bytes_made_by_hand_are_the_codecs() -> None:
    """Else the tests below would test themselves."""
    assert outcome_of(send_body()) is None
    assert outcome_of(SEND_BODY) is None


@pytest.mark.parametrize("beside", AROUND)
def test_array_count_max(beside: int) -> None:
    """SEND's users have the largest bound that an array may have (M3)."""
    body = send_body(users=limit("array_count_max") + beside)
    assert outcome_of(body) == (ErrorCode.LIMIT if beside > 0 else None)


@pytest.mark.parametrize("beside", AROUND)
def test_envelopes_max(beside: int) -> None:
    """Each is a row of somebody's inbox."""
    count = limit("envelopes_max") + beside
    body = send_body(users=1, envelopes=count)
    assert outcome_of(body) == (ErrorCode.LIMIT if beside > 0 else None)


@pytest.mark.parametrize("beside", AROUND)
def test_envelope_bytes_max(beside: int) -> None:
    """What is larger is an attachment."""
    body = send_body(ciphertext=limit("envelope_bytes_max") + beside)
    assert (outcome_of(body) is None) is (beside <= 0)


def tagged(*tags: tuple[int, int]) -> bytes:
    """Return SEND's body with unknown tags (id, bytes) at its end."""
    section = bytes((len(tags),)) + b"".join(
        number.to_bytes(2) + size.to_bytes(4) + bytes(size) for number, size in tags
    )
    return SEND_BODY[:-1] + section


def tag_header_bytes() -> int:
    """Return what a tag takes beside its content."""
    return 2 + 4


@pytest.mark.parametrize("beside", AROUND)
def test_tags_max(beside: int) -> None:
    """A section's count is judged before its tags."""
    count = limit("tags_max") + beside
    body = tagged(*((number, 0) for number in range(1, 2 * count, 2)))
    assert outcome_of(body) == (ErrorCode.MALFORMED if beside > 0 else None)


@pytest.mark.parametrize("beside", AROUND)
def test_unknown_tags_bytes_max(beside: int) -> None:
    """It bounds every message from its header."""
    size = limit("unknown_tags_bytes_max") - tag_header_bytes() + beside
    assert (outcome_of(tagged((1, size))) is None) is (beside <= 0)


@pytest.mark.parametrize("beside", [-1, 0])
def test_extension_bytes_max(beside: int) -> None:
    """Its length is a u8, so n + 1 can't be written; n is skipped."""
    size = limit("extension_bytes_max") + beside
    # One entry: id, length, content.
    extension = b"\x01\x00" + bytes((size - 3,)) + bytes(size - 3)
    frame = FACTORY.dressed(FACTORY.message(Sample.send(1), 9), extension=extension)
    (event,) = feed(server_in(State.READY), frame)
    assert isinstance(event, Received)
    assert limit("extension_bytes_max") + 1 == 256


def test_nesting_max() -> None:
    """No type of the specification nests deeper, so no body can (M9).

    That the generator refuses one that does is its own test, at n and n + 1.
    """
    depths = [_depth_of(record) for record in STRUCTS]
    assert 1 <= max(depths) <= limit("nesting_max")


def _depth_of(record: type[msgspec.Struct]) -> int:
    """Return how deep a struct nests."""
    deepest = 0
    for hint in typing.get_type_hints(record).values():
        for inner in (hint, *typing.get_args(hint)):
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                deepest = max(deepest, _depth_of(inner))
    return deepest + 1
