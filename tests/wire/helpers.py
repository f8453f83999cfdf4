"""Connections brought to a state, and what they say, for the tests beside this."""

import pytest

from wigwag.wire import (
    DRAFT,
    Connection,
    ConnectionConfig,
    Event,
    Message,
    RemoteProtocolError,
    Role,
    State,
    decode_message,
)
from wigwag.wire._header import HEADER, HEADER_BYTES, PADDED, body_end
from wigwag.wire.testing import (
    ConnectionPair,
    FrameFactory,
    Sample,
    events_of,
)

FACTORY = FrameFactory()


def pair_in(
    state: State,
    client_config: ConnectionConfig | None = None,
    server_config: ConnectionConfig | None = None,
) -> ConnectionPair:
    """Returns a pair whose server is in a state; the client is in the same one."""
    pair = ConnectionPair(client_config, server_config)
    if state is not State.HELLO:
        pair.shake_hands()
    if state in (State.READY, State.DRAINING):
        pair.client.send(Sample.auth())
        (auth,), _ = pair.transfer()
        corr = getattr(auth, "corr", 0)
        pair.server.send(Sample.auth_ok(), corr=corr)
        pair.transfer()
    if state is State.DRAINING:
        pair.server.drain(0x100B, now=pair.now)
        pair.transfer()
    assert pair.server.state is state
    return pair


def server_in(state: State, config: ConnectionConfig | None = None) -> Connection:
    """Returns a server's side in a state, with nothing left to send."""
    return pair_in(state, server_config=config).server


def client_in(state: State, config: ConnectionConfig | None = None) -> Connection:
    """Returns a client's side in a state, with nothing left to send."""
    return pair_in(state, client_config=config).client


def feed(connection: Connection, data: bytes, now: float = 0.0) -> list[Event]:
    """Feeds bytes and takes the events."""
    connection.receive_data(data, now)
    return events_of(connection)


def fault(connection: Connection, data: bytes, now: float = 0.0) -> RemoteProtocolError:
    """Feeds bytes that must end the connection; returns the accusation."""
    connection.receive_data(data, now)
    with pytest.raises(RemoteProtocolError) as caught:
        events_of(connection)
    assert connection.state is State.CLOSED
    return caught.value


def frames_in(data: bytes) -> list[tuple[int, int, int, bytes]]:
    """Cuts output into (type, flags, corr, body)."""
    frames: list[tuple[int, int, int, bytes]] = []
    while data:
        length, type_, flags, ext_len, corr = HEADER.unpack_from(data)
        content = data[HEADER_BYTES : HEADER_BYTES + length]
        assert len(content) == length
        end = body_end(content, ext_len) if flags & PADDED else length
        frames.append((type_, flags, corr, content[ext_len:end]))
        data = data[HEADER_BYTES + length :]
    return frames


def messages_in(output: bytes, revision: int = DRAFT) -> list[Message]:
    """Returns the messages in an output."""
    return [
        decode_message(type_, revision, body) for type_, _, _, body in frames_in(output)
    ]


def said(connection: Connection, revision: int = DRAFT) -> list[Message]:
    """Returns the messages that a connection has queued."""
    return messages_in(connection.data_to_send(), revision)


def fresh_server(config: ConnectionConfig | None = None) -> Connection:
    """Returns a server's side that has heard nothing."""
    return Connection(Role.SERVER, config or ConnectionConfig(), now=0.0)
