"""What must hold for every session, however it is cut, greased or damaged."""

from collections.abc import Callable, Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.wire.helpers import FACTORY, frames_in, server_in
from tests.wire.test_bad_frames import HELLO

from wigwag.wire import (
    NEED_DATA,
    Connection,
    ConnectionClosed,
    ConnectionConfig,
    Feature,
    Message,
    Ping,
    PrekeysCount,
    Received,
    RemoteProtocolError,
    Role,
    State,
    UsernameResolve,
    extension,
    is_grease,
)
from wigwag.wire.testing import (
    SERVER_NONCE,
    SESSION_ID,
    ConnectionPair,
    Sample,
    cut_at,
    one_byte_at_a_time,
    received,
    whole,
)

EXTENSION = extension(((0x1235, b"trace"),))

# Frames of a client, valid and not, that are told apart by what they do.
PIECES: list[Callable[[int], bytes]] = [
    lambda n: FACTORY.message(Sample.send(n), n),
    lambda n: FACTORY.message(Sample.send(n), n),
    lambda n: FACTORY.message(Sample.ack(n)),
    lambda n: FACTORY.message(Ping(n), n),
    lambda n: FACTORY.message(PrekeysCount(), n),
    lambda n: FACTORY.dressed(
        FACTORY.message(Sample.send(n), n), extension=EXTENSION, is_padded=True
    ),
    lambda n: FACTORY.raw(0x1235, b"unknown", corr=n),
    lambda n: FACTORY.raw(0x1235, b"unknown"),
    lambda n: FACTORY.raw(36, b"\x03a\x00b\x00", corr=n),
    lambda n: FACTORY.message(UsernameResolve("bob"), n),
]
BAD_PIECES: list[Callable[[int], bytes]] = [
    lambda n: FACTORY.raw(0x1234, b"?", corr=n),
    lambda n: FACTORY.raw(80, b"\x00" * 80, corr=n),
    lambda n: FACTORY.raw(80, length=300_000, corr=n),
    lambda n: FACTORY.raw(80, b"?", flags=4, corr=n),
    lambda n: FACTORY.message(Sample.deliver(n)),
    lambda n: FACTORY.message(Sample.send(n), n)[:-3],
    lambda n: b"\xff" * n,
]


def joined(
    good: list[Callable[[int], bytes]], bad: list[Callable[[int], bytes]]
) -> bytes:
    """Numbers the pieces of a stream."""
    return b"".join(piece(number) for number, piece in enumerate([*good, *bad], 1))


streams = st.builds(
    joined,
    st.lists(st.sampled_from(PIECES), max_size=12),
    st.lists(st.sampled_from(BAD_PIECES), max_size=1),
)


def outcome(
    connection: Connection, pieces: Iterable[bytes], answers: bool
) -> tuple[list[object], bytes, State]:
    """Runs a connection over pieces of a stream.

    Args:
        connection: In its state.
        pieces: Of what the peer sends; the end follows.
        answers: Whether HELLO is accepted and every request refused.

    Returns:
        Events and the accusation's text, output, and the last state.
    """
    seen: list[object] = []
    for piece in [*pieces, b""]:
        connection.receive_data(piece, 1.0)
        try:
            while (event := connection.next_event()) is not NEED_DATA:
                seen.append(event)
                if isinstance(event, ConnectionClosed):
                    break
                if answers and isinstance(event, Received):
                    answer(connection, event)
        except RemoteProtocolError as error:
            seen.append((str(error), error.message_type, error.offset))
            break
    return seen, connection.data_to_send(), connection.state


def answer(connection: Connection, event: Received) -> None:
    """Does what a server does."""
    if connection.state is State.HELLO:
        connection.accept(
            server_nonce=SERVER_NONCE, session_id=SESSION_ID, server_time_ms=1
        )
    elif event.type == 16:
        connection.send(Sample.auth_ok(), corr=event.corr)
    elif event.corr:
        connection.refuse(event.corr, 0x3003)


@settings(max_examples=150, deadline=None)
@given(streams, st.lists(st.integers(0, 3000), max_size=20), st.booleans())
def test_the_cut_changes_nothing(
    stream: bytes, positions: list[int], answers: bool
) -> None:
    """R-FRAME-005, F13: the same events, errors and output, however it is cut."""
    at_once = outcome(server_in(State.READY), whole(stream), answers)
    singly = outcome(server_in(State.READY), one_byte_at_a_time(stream), answers)
    assert singly == at_once
    pieces = cut_at(stream, positions)
    assert outcome(server_in(State.READY), pieces, answers) == at_once


SESSION = HELLO + b"".join(
    (
        FACTORY.message(Sample.auth(), 2),
        FACTORY.message(Sample.send(1), 3),
        FACTORY.dressed(
            FACTORY.message(Sample.send(2), 4), extension=EXTENSION, is_padded=True
        ),
        FACTORY.message(Ping(1), 5),
        FACTORY.raw(0x1235, b"unknown", corr=6),
        FACTORY.message(Sample.ack(1)),
    )
)

damages = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "repeat"]),
        st.integers(0, len(SESSION) - 1),
        st.integers(1, 255),
    ),
    min_size=1,
    max_size=4,
)


def damaged(stream: bytes, wounds: list[tuple[str, int, int]]) -> bytes:
    """Returns a stream with bytes changed, lost, added or repeated."""
    data = bytearray(stream)
    for kind, at, value in wounds:
        at = min(at, len(data))
        if kind == "flip":
            data[at : at + 1] = bytes(byte ^ value for byte in data[at : at + 1])
        elif kind == "cut":
            del data[at : at + value]
        elif kind == "insert":
            data[at:at] = bytes([value])
        else:
            data[at:at] = data[max(0, at - value) : at]
    return bytes(data)


def test_the_undamaged_session_goes_through() -> None:
    """Else the next tests would damage what is broken already."""
    server = Connection(Role.SERVER, ConnectionConfig(), now=0.0)
    seen, output, _ = outcome(server, whole(SESSION), True)
    assert [type(event) for event in seen] == [Received] * 5 + [ConnectionClosed]
    assert [type_ for type_, *_ in frames_in(output)] == [4, 18, 8, 8, 14, 8]


@settings(max_examples=400, deadline=None)
@given(damages)
def test_garbage_parses_or_is_accused_and_nothing_else(
    wounds: list[tuple[str, int, int]],
) -> None:
    """I17: RemoteProtocolError is the only error, and the cut changes nothing."""
    stream = damaged(SESSION, wounds)
    servers = [Connection(Role.SERVER, ConnectionConfig(), now=0.0) for _ in range(2)]
    at_once = outcome(servers[0], whole(stream), True)
    assert outcome(servers[1], one_byte_at_a_time(stream), True) == at_once
    assert at_once[2] is State.CLOSED
    frames_in(at_once[1])  # whole frames only


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_noise_before_hello_is_answered_by_nothing(noise: bytes) -> None:
    """F3, R-SHAKE-002: whatever it is."""
    server = Connection(Role.SERVER, ConnectionConfig(), now=0.0)
    _, output, state = outcome(server, whole(noise), True)
    assert output == b""
    assert state is State.CLOSED


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([State.AUTH, State.READY]))
def test_noise_after_hello_is_accused_or_waits(noise: bytes, state: State) -> None:
    """I17 behind the handshake."""
    _, output, last = outcome(server_in(state), whole(noise), True)
    frames_in(output)
    assert last is State.CLOSED


# Grease


def script(pair: ConnectionPair) -> list[Message]:
    """Runs a session; returns the messages that both sides saw."""
    seen: list[Message] = []
    pair.sign_in()
    for number in range(1, 40):
        pair.now += 3.0
        corr = pair.client.send(Sample.send(number))
        pair.client.send(Sample.ack(number))
        server_events, client_events = pair.transfer()
        messages = received(server_events)
        seen += [event.message for event in messages]
        assert messages[0].corr == corr
        pair.server.send(Sample.deliver(number))
        pair.server.send(Sample.sequenced(number), corr=corr)
        _, client_events = pair.transfer()
        seen += [event.message for event in received(client_events)]
    assert pair.client.requests_awaited == pair.server.requests_in_flight == 0
    assert pair.client.state is pair.server.state is State.READY
    return seen


def without_unknown(messages: list[Message]) -> list[Message]:
    """Returns the messages without what a relay keeps of unknown tags."""
    plain: list[Message] = []
    for message in messages:
        fields = {name: getattr(message, name) for name in message.__struct_fields__}
        fields["unknown"] = ()
        plain.append(type(message)(**fields))
    return plain


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_grease_on_both_sides_is_invisible(seed: int, pads: bool) -> None:
    """An unknown value that changes anything is a bug in the receiver."""
    config = ConnectionConfig(features=(Feature.PADDING,) if pads else ())
    plain = script(ConnectionPair(config, config))
    greased = script(ConnectionPair(config, config, grease_seed=seed))
    assert without_unknown(greased) == plain


def test_grease_is_really_sent() -> None:
    """Else the test above proves nothing."""
    config = ConnectionConfig()
    kinds: set[str] = set()
    pair = ConnectionPair(config, config, grease_seed=11)

    def watch(data: bytes) -> Iterable[bytes]:
        for type_, flags, corr, _ in frames_in(data):
            if is_grease(type_):
                kinds.add("unknown request" if corr else "unknown event")
            elif flags & 0xC0:
                kinds.add("ignorable flag")
        return whole(data)

    pair.cut = watch
    script(pair)
    assert kinds == {"unknown request", "unknown event", "ignorable flag"}


def test_hello_and_welcome_always_carry_grease() -> None:
    """Every handshake keeps the extension points open."""
    for seed in range(20):
        pair = ConnectionPair(grease_seed=seed)
        hellos: list[bytes] = []

        def keep(data: bytes, kept: list[bytes] = hellos) -> Iterable[bytes]:
            kept.append(data)
            return whole(data)

        pair.cut = keep
        pair.shake_hands()
        for frame in [data for data in hellos if data]:
            assert frame[6] & 0xC0
            assert frame[7] > 0
