"""For tests, ours and other people's: two connections joined in memory, odd frames.

    pair = ConnectionPair()
    pair.sign_in()                                     # HELLO to AUTH_OK
    corr = pair.client.send(Sample.send(1))
    server_events, client_events = pair.transfer()     # [Received(message=Send(...))]
    pair.server.send(Sample.sequenced(1), corr=corr)

Nothing here draws randomness or reads a clock: the same calls give the same bytes.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from wigwag.wire._config import ConnectionConfig
from wigwag.wire._connection import Connection
from wigwag.wire._events import NEED_DATA, ConnectionClosed, Event, Received
from wigwag.wire._frames import encode_frame
from wigwag.wire._generated import (
    DRAFT,
    Ack,
    Auth,
    AuthOk,
    Deliver,
    Envelope,
    Hello,
    Message,
    MessageClass,
    Send,
    Sequenced,
)
from wigwag.wire._header import HEADER, HEADER_BYTES, PADDED, padding
from wigwag.wire._states import Role

__all__ = [
    "ConnectionPair",
    "Cut",
    "FrameFactory",
    "Sample",
    "cut_at",
    "events_of",
    "one_byte_at_a_time",
    "received",
    "whole",
]

Cut: TypeAlias = Callable[[bytes], Iterable[bytes]]
"""How a stream is cut into what single reads return."""

CLIENT_NONCE: Final = bytes(range(32))
SERVER_NONCE: Final = bytes(range(32, 64))
SESSION_ID: Final = bytes(range(1, 17))
SERVER_TIME_MS: Final = 1_700_000_000_000


def whole(data: bytes) -> Iterator[bytes]:
    """Yields everything at once."""
    if data:
        yield data


def one_byte_at_a_time(data: bytes) -> Iterator[bytes]:
    """Yields each byte alone, the way a hostile or very slow peer sends."""
    for offset in range(len(data)):
        yield data[offset : offset + 1]


def cut_at(data: bytes, positions: Iterable[int]) -> Iterator[bytes]:
    """Yields the pieces between these positions; empty ones are left out."""
    start = 0
    for position in sorted({*positions, len(data)}):
        if start < position <= len(data):
            yield data[start:position]
            start = position


def events_of(connection: Connection) -> list[Event]:
    """Takes events until there is nothing more to come.

    Raises:
        RemoteProtocolError: As `next_event`.
    """
    events: list[Event] = []
    while (event := connection.next_event()) is not NEED_DATA:
        events.append(event)
        if isinstance(event, ConnectionClosed):
            break
    return events


class Sample:
    """Valid records with made-up contents, told apart by a number."""

    @staticmethod
    def identifier(number: int) -> bytes:
        """Returns a 16-byte id that is not zero."""
        return b"\x01" + number.to_bytes(15, "big")

    @staticmethod
    def auth() -> Auth:
        """Returns an AUTH with a signature of nobody."""
        return Auth(
            signature=bytes(range(64)),
            user=Sample.identifier(1),
            device=1,
            registration_id=7,
            generation=1,
            cursor=0,
        )

    @staticmethod
    def auth_ok() -> AuthOk:
        """Returns the answer to a device that has sent and received nothing yet."""
        return AuthOk(
            acked=0,
            last=0,
            last_stored_id=bytes(16),
            last_stored_attempt=0,
            ec_left=0,
            kem_left=0,
            list_seq=1,
        )

    @staticmethod
    def send(number: int, ciphertext: bytes = b"ciphertext") -> Send:
        """Returns a SEND of one envelope."""
        return Send(
            chat=Sample.identifier(2),
            client_msg_id=Sample.identifier(number),
            attempt=1,
            after=bytes(16),
            class_=MessageClass.MESSAGE,
            users=(Sample.identifier(3),),
            envelopes=(Envelope(Sample.identifier(3), 1, 9, ciphertext),),
        )

    @staticmethod
    def sequenced(number: int) -> Sequenced:
        """Returns the answer to `send(number)`."""
        return Sequenced(
            client_msg_id=Sample.identifier(number),
            attempt=1,
            chat_seq=number,
            sent_at=SERVER_TIME_MS,
        )

    @staticmethod
    def deliver(number: int, ciphertext: bytes = b"ciphertext") -> Deliver:
        """Returns the inbox entry at a position."""
        return Deliver(
            inbox_seq=number,
            prev=number - 1,
            chat=Sample.identifier(2),
            chat_seq=number,
            class_=MessageClass.MESSAGE,
            sender=Sample.identifier(1),
            sender_device=1,
            registration_id=7,
            client_msg_id=Sample.identifier(number),
            sent_at=SERVER_TIME_MS,
            ciphertext=ciphertext,
        )

    @staticmethod
    def ack(position: int) -> Ack:
        """Returns an ACK up to a position."""
        return Ack(position=position)


class FrameFactory:
    """Frames byte by byte, wrong ones too.

    Args:
        revision: That the messages are encoded at.
    """

    def __init__(self, revision: int = DRAFT) -> None:
        self._revision = revision

    def message(self, record: Message, corr: int = 0, *, flags: int = 0) -> bytes:
        """Returns a plain frame of a record; `flags` are added to the usual ones."""
        return encode_frame(record, self._revision, corr, flags=flags)

    def raw(
        self,
        type_: int,
        content: bytes = b"",
        *,
        flags: int = 0,
        ext_len: int = 0,
        corr: int = 0,
        length: int | None = None,
    ) -> bytes:
        """Returns a header with these very values, and what follows it.

        Args:
            type_: Message type.
            content: Extension, body, padding.
            flags: All flags.
            ext_len: As the header shall say.
            corr: Request number.
            length: As the header shall say; None: the truth.
        """
        told = len(content) if length is None else length
        return HEADER.pack(told, type_, flags, ext_len, corr) + content

    def dressed(
        self, frame: bytes, *, extension: bytes = b"", is_padded: bool = False
    ) -> bytes:
        """Returns a plain frame with a header extension and padding put on."""
        _, type_, flags, _, corr = HEADER.unpack_from(frame)
        content = extension + frame[HEADER_BYTES:]
        if is_padded:
            content += padding(len(content))
            flags |= PADDED
        return HEADER.pack(len(content), type_, flags, len(extension), corr) + content


class ConnectionPair:
    """A client and a server whose bytes go straight to each other.

    Args:
        client_config: The client's facts and bounds.
        server_config: The server's.
        cut: How the bytes of both directions are cut.
        grease_seed: Both sides send unknown values; None: neither does.

    Attributes:
        client: The client's side.
        server: The server's side.
        now: What both clocks show, in seconds; advance it yourself.
    """

    def __init__(
        self,
        client_config: ConnectionConfig | None = None,
        server_config: ConnectionConfig | None = None,
        *,
        cut: Cut = whole,
        grease_seed: int | None = None,
    ) -> None:
        self.now = 0.0
        self.cut = cut
        self.client = Connection(
            Role.CLIENT,
            client_config or ConnectionConfig(),
            now=self.now,
            grease_seed=grease_seed,
        )
        self.server = Connection(
            Role.SERVER,
            server_config or ConnectionConfig(),
            now=self.now,
            grease_seed=None if grease_seed is None else grease_seed + 1,
        )

    def transfer(self) -> tuple[list[Event], list[Event]]:
        """Moves bytes both ways until both sides are quiet.

        Returns:
            The server's events and the client's.

        Raises:
            RemoteProtocolError: One side accuses the other.
        """
        server_events: list[Event] = []
        client_events: list[Event] = []
        while True:
            to_server = self.client.data_to_send()
            to_client = self.server.data_to_send()
            if not to_server and not to_client:
                return server_events, client_events
            for piece in self.cut(to_server):
                self.server.receive_data(piece, self.now)
                server_events += events_of(self.server)
            for piece in self.cut(to_client):
                self.client.receive_data(piece, self.now)
                client_events += events_of(self.client)

    def shake_hands(self) -> None:
        """Goes from nothing to AUTH: HELLO and WELCOME."""
        self.client.send_hello(CLIENT_NONCE)
        server_events, _ = self.transfer()
        assert [type(event.message) for event in received(server_events)] == [Hello]
        self.server.accept(
            server_nonce=SERVER_NONCE,
            session_id=SESSION_ID,
            server_time_ms=SERVER_TIME_MS,
        )
        self.transfer()

    def sign_in(self) -> None:
        """Goes from nothing to READY, with a signature that nobody verifies."""
        self.shake_hands()
        self.client.send(Sample.auth())
        server_events, _ = self.transfer()
        (auth,) = received(server_events)
        self.server.send(Sample.auth_ok(), corr=auth.corr)
        self.transfer()


def received(events: Iterable[Event]) -> list[Received]:
    """Returns the messages among events."""
    return [event for event in events if isinstance(event, Received)]
