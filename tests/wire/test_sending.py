"""What may be said, and what becomes of it when it may not."""

from collections.abc import Callable

import pytest
from tests.wire.helpers import (
    FACTORY,
    client_in,
    feed,
    frames_in,
    pair_in,
    said,
    server_in,
)

from wigwag.wire import (
    DRAFT,
    READ_BYTES_MAX,
    Connection,
    ConnectionConfig,
    EncodeError,
    Error,
    ErrorCode,
    Feature,
    Goaway,
    InboxEmpty,
    LocalProtocolError,
    Outcome,
    Ping,
    Pong,
    PrekeysCount,
    State,
    encode_frame,
)
from wigwag.wire._header import PADDED
from wigwag.wire.testing import (
    Sample,
    received,
)

GOAWAY = Goaway(code=ErrorCode.GOING_AWAY, last_corr=0, retry_after_ms=0)
MISUSES: list[tuple[Callable[[Connection], object], State]] = [
    (lambda client: client.send(Sample.deliver(1)), State.READY),
    (lambda client: client.send(Sample.auth()), State.READY),
    (lambda client: client.send(Sample.send(1)), State.AUTH),
    (lambda client: client.send(Sample.send(1)), State.DRAINING),
    (lambda client: client.send(Sample.send(1), corr=4), State.READY),
    (lambda client: client.send(Sample.send(1), more=True), State.READY),
    (lambda client: client.send(Sample.ack(1), corr=4), State.READY),
    (lambda client: client.send(Pong(1), corr=4), State.READY),
    (lambda client: client.send(GOAWAY), State.READY),
    (lambda client: client.refuse(4, ErrorCode.INTERNAL), State.READY),
    (lambda client: client.send_answer_frame(b"", 4), State.READY),
    (lambda client: client.send_frames(b""), State.AUTH),
]


@pytest.mark.parametrize(("misuse", "state"), MISUSES)
def test_what_is_not_ours_to_say_is_our_bug(
    misuse: Callable[[Connection], object], state: State
) -> None:
    """LocalProtocolError, and the connection is as before."""
    client = client_in(state)
    with pytest.raises(LocalProtocolError):
        misuse(client)
    assert client.data_to_send() == b""
    assert client.state is state
    assert client.requests_awaited == 0


def answering_server(count: int = 1) -> Connection:
    """Returns a server that owes answers to the requests 1 to `count`."""
    server = server_in(State.READY)
    for number in range(1, count + 1):
        feed(server, FACTORY.message(PrekeysCount(), number))
    return server


def test_an_answer_must_belong_to_a_request() -> None:
    """A wrong answer would be taken for another request's."""
    server = answering_server()
    stored = Sample.sequenced(1)
    with pytest.raises(LocalProtocolError, match="does not answer"):
        server.send(stored, corr=1)
    with pytest.raises(LocalProtocolError, match="no such request"):
        server.send(stored, corr=2)
    error = Error(
        code=ErrorCode.INTERNAL, outcome=Outcome.NONE, frame_type=52, retry_after_ms=0
    )
    with pytest.raises(LocalProtocolError, match="close_with"):
        server.send(error)
    with pytest.raises(LocalProtocolError, match="stream"):
        server.send(error, corr=1, more=True)
    server.send(error, corr=1)
    assert server.requests_in_flight == 0
    with pytest.raises(LocalProtocolError):
        server.send(error, corr=1)


def test_a_stream_is_answered_more_than_once() -> None:
    """MORE keeps the request open on both sides."""
    pair = pair_in(State.READY)
    corr = pair.client.send(Sample.send(1))
    pair.transfer()
    pair.server.send(Sample.sequenced(1), corr=corr, more=True)
    assert pair.server.requests_in_flight == 1
    pair.server.send(Sample.sequenced(2), corr=corr)
    _, events = pair.transfer()
    assert [event.more for event in received(events)] == [True, False]
    assert pair.client.requests_awaited == 0


def test_a_record_that_breaks_its_layout_is_not_sent() -> None:
    """EncodeError, and the connection is as before."""
    client = client_in(State.READY)
    with pytest.raises(EncodeError):
        client.send(Sample.send(1, b""))
    assert client.data_to_send() == b""
    assert client.requests_awaited == 0


def test_a_message_larger_than_the_peer_takes_is_not_sent() -> None:
    """The peer would close; here it is one error."""
    pair = pair_in(State.READY, server_config=ConnectionConfig(frame_bytes_max=4096))
    client = pair.client
    with pytest.raises(LocalProtocolError, match="the peer takes 4096"):
        client.send(Sample.send(1, bytes(4096)))
    assert client.data_to_send() == b""
    assert client.requests_awaited == 0


def test_answers_that_come_too_late_are_dropped() -> None:
    """An engine's answer can't know that the connection has gone."""
    server = answering_server(3)
    server.close_with(ErrorCode.REPLACED)
    server.data_to_send()
    frame = encode_frame(Sample.sequenced(1), DRAFT, 1)
    server.send_answer_frame(frame, 1)
    server.refuse(2, ErrorCode.INTERNAL)
    assert server.send(Sample.sequenced(1), corr=3) == 3
    server.send(InboxEmpty(last=0))
    server.send_frames(frame)
    assert server.data_to_send() == b""
    with pytest.raises(LocalProtocolError):
        server.send(Ping(1))


def test_entries_are_not_sent_after_goaway_and_answers_are() -> None:
    """The next connection delivers them; an answer has no other way."""
    server = answering_server()
    server.drain(ErrorCode.GOING_AWAY, now=0.0)
    server.data_to_send()
    server.send(Sample.deliver(1))
    server.send_frames(encode_frame(Sample.deliver(2), DRAFT))
    assert not server.is_drained
    server.refuse(1, ErrorCode.UNAVAILABLE)
    assert server.is_drained
    assert [type(message) for message in said(server)] == [Error]


def test_messages_that_may_be_padded_are_when_both_sides_can() -> None:
    """PADDING is a feature: sizes tell less."""
    config = ConnectionConfig(features=(Feature.PADDING,))
    pair = pair_in(State.READY, config, config)
    assert pair.client.features == pair.server.features == {Feature.PADDING}
    pair.client.send(Sample.send(1))
    pair.client.send(Sample.ack(1))
    output = pair.client.data_to_send()
    (_, flags, _, _), (_, plain, _, _) = frames_in(output)
    assert flags & PADDED
    assert not plain & PADDED
    assert len(output) == 12 + 256 + 12 + 9
    assert [event.message for event in received(feed(pair.server, output))] == [
        Sample.send(1),
        Sample.ack(1),
    ]
    pair.server.send(Sample.deliver(1))
    assert len(pair.server.data_to_send()) == 12 + 256


def test_padding_stays_below_the_frame_limit() -> None:
    """A bucket beyond the limit would close the connection."""
    config = ConnectionConfig(features=(Feature.PADDING,))
    small = ConnectionConfig(features=(Feature.PADDING,), frame_bytes_max=4096)
    client = pair_in(State.READY, config, small).client
    plain_bytes = len(encode_frame(Sample.send(1, b"x"), DRAFT, 1)) - 12
    for body_bytes, is_padded in ((4092, True), (4093, False), (4096, False)):
        client.send(Sample.send(1, bytes(body_bytes - plain_bytes + 1)))
        ((_, flags, _, body),) = frames_in(client.data_to_send())
        assert len(body) == body_bytes
        assert bool(flags & PADDED) is is_padded


def test_a_feature_that_one_side_lacks_is_off() -> None:
    """R-SHAKE-003: unknown features are ignored."""
    pair = pair_in(State.READY, ConnectionConfig(features=(Feature.PADDING, 4001)))
    assert pair.client.features == pair.server.features == frozenset()


def test_feeding_without_taking_is_our_bug() -> None:
    """The buffer has a bound: one frame and one read."""
    server = server_in(State.READY)
    piece = bytes(READ_BYTES_MAX)
    for _ in range(262144 // READ_BYTES_MAX + 2):
        server.receive_data(piece, 0.0)
    with pytest.raises(LocalProtocolError, match="take the events"):
        server.receive_data(piece, 0.0)
