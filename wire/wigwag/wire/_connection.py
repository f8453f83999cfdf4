"""One connection, either side: bytes in, events out; messages in, bytes out.

A server's wake-up, whole:

    connection.receive_data(data, now)
    while (event := connection.next_event()) is not NEED_DATA:
        ...                                     # connection.send(answer, corr=event.corr)
    transport.write(connection.data_to_send())
"""

import msgspec

from wigwag.wire._config import ConnectionConfig
from wigwag.wire._events import Event
from wigwag.wire._states import Role, State


class Connection:
    """The protocol, without I/O, clock or randomness.

    The same bytes give the same events, errors and output, however they are
    cut. Handled inside: PING and PONG, unknown odd types, header extension,
    padding, grease, correlation, counts per window, deadlines.

    Life, server: `Received(Hello)` -> `accept(...)` or `reject(...)`;
    `Received(Auth)` -> `send(AuthOk(...), corr=...)`, which makes it READY.
    Client: `send_hello(...)`; `Received(Welcome)` -> `send(Auth(...))`;
    `Received(AuthOk)` -> READY.

    Args:
        role: Which side we are.
        config: Facts and bounds.
        now: Seconds on a clock that never goes back; the same clock for all calls.
        grease_seed: Sends values that nobody knows, so that peers stay able to
            skip them; None: doesn't.
    """

    def __init__(
        self,
        role: Role,
        config: ConnectionConfig,
        *,
        now: float,
        grease_seed: int | None = None,
    ) -> None:
        raise NotImplementedError

    # Facts

    @property
    def role(self) -> Role:
        """Which side we are."""
        raise NotImplementedError

    @property
    def state(self) -> State:
        """Where the connection is."""
        raise NotImplementedError

    @property
    def revision(self) -> int:
        """The revision agreed on (a draft: 0x8000 | build); 0: none yet."""
        raise NotImplementedError

    @property
    def features(self) -> frozenset[int]:
        """Features that both sides named; empty before WELCOME."""
        raise NotImplementedError

    @property
    def transcript_hash(self) -> bytes:
        """SHA-256 of the raw HELLO and WELCOME frames, 32 bytes.

        Raises:
            LocalProtocolError: WELCOME has not passed yet.
        """
        raise NotImplementedError

    @property
    def session_id(self) -> bytes:
        """The session id of WELCOME, 16 bytes; b"" before."""
        raise NotImplementedError

    @property
    def requests_in_flight(self) -> int:
        """Requests of the peer that we have not answered yet."""
        raise NotImplementedError

    @property
    def requests_awaited(self) -> int:
        """Requests of ours that the peer has not answered yet."""
        raise NotImplementedError

    # Incoming

    def receive_data(self, data: bytes, now: float) -> None:
        """Takes what the transport read; b"" is the end of the stream.

        Call `next_event` until NEED_DATA before the next call.

        Raises:
            LocalProtocolError: More than one frame and one read are buffered:
                events were not taken; or data after the end.
        """
        raise NotImplementedError

    def next_event(self) -> Event:
        """Returns the next thing that happened, or NEED_DATA.

        Raises:
            RemoteProtocolError: The peer broke the protocol or kept silent. The
                state is CLOSED; send `data_to_send()`, then close. It is raised
                again by each further call.
        """
        raise NotImplementedError

    def reading_paused(self, now: float) -> None:
        """Says that the transport stops reading: the peer's clocks stand still.

        A peer must not be closed for a frame or PONG that we don't read.
        """
        raise NotImplementedError

    def reading_resumed(self, now: float) -> None:
        """Says that the transport reads again."""
        raise NotImplementedError

    # Outgoing

    def send(self, message: msgspec.Struct, *, corr: int = 0, more: bool = False) -> int:
        """Queues a message.

        Args:
            message: A record of the specification.
            corr: Of a response: the request's. Of others: 0.
            more: Another response to this request follows (stream requests).

        Returns:
            The number of a request, to know its answer by; else `corr`.

        Raises:
            LocalProtocolError: Not legal in this state, for this role or
                request, or too large. Answers and events after the end are
                dropped instead: they may come late.
        """
        raise NotImplementedError

    def send_answer_frame(self, frame: bytes, corr: int) -> None:
        """Queues a built answer to one request and ends that request (hot path).

        Args:
            frame: One whole frame with RESPONSE and this `corr` (`encode_frame`).
            corr: The request's number.

        Raises:
            LocalProtocolError: There is no such request.
        """
        raise NotImplementedError

    def send_frames(self, frames: bytes, count: int = 1) -> None:
        """Queues built event frames, such as stored inbox entries (hot path).

        Args:
            frames: Whole frames, legal in this state; only counted, not checked.
            count: How many there are.
        """
        raise NotImplementedError

    def send_hello(self, client_nonce: bytes) -> None:
        """Opens the connection (client).

        Args:
            client_nonce: 32 fresh random bytes.
        """
        raise NotImplementedError

    def accept(
        self,
        *,
        server_nonce: bytes,
        session_id: bytes,
        server_time_ms: int,
        home: str | None = None,
    ) -> None:
        """Answers HELLO with WELCOME (server).

        Args:
            server_nonce: 32 fresh random bytes.
            session_id: 16 random bytes, or those of the session that goes on.
            server_time_ms: Milliseconds since the Unix epoch.
            home: Another address that serves this client better, HOST:PORT.
        """
        raise NotImplementedError

    def reject(
        self, code: int, *, retry_after_ms: int = 0, home: str | None = None
    ) -> None:
        """Refuses the connection (server, before AUTH_OK); the state is CLOSED.

        Before a valid HELLO nothing is said, after it REJECT, after WELCOME
        ERROR and GOAWAY.
        """
        raise NotImplementedError

    def drain(
        self, code: int, *, retry_after_ms: int = 0, home: str | None = None
    ) -> None:
        """Says GOAWAY: no new requests are taken, answers still pass."""
        raise NotImplementedError

    def close_with(
        self, code: int, *, retry_after_ms: int = 0, home: str | None = None
    ) -> None:
        """Ends the connection: says why, as the state allows; the state is CLOSED."""
        raise NotImplementedError

    def data_to_send(self) -> bytes:
        """Returns what is to be written, once."""
        raise NotImplementedError

    # Time

    def next_deadline(self) -> float | None:
        """Returns when `handle_timer` must be called at the latest, or None."""
        raise NotImplementedError

    def handle_timer(self, now: float) -> None:
        """Does what is due: PING, or the end. Then take events and output.

        A deadline that the peer missed comes out of `next_event` as
        RemoteProtocolError. Early calls do nothing.
        """
        raise NotImplementedError
