"""A client that can send anything: any bytes, cut anywhere, whole, half or late.

with Wire.connect(target) as wire:                     # TLS is up
    wire.send(b"GET / HTTP/1.1")
    seen = wire.observe_end()

with Wire.hello(target) as wire:                       # WELCOME has come
    wire.send_frame(MessageType.PING, b"short", corr=7)
    seen = wire.observe()
"""

import os
import secrets
import socket
import ssl
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from typing import NamedTuple, Self, TypeVar

import msgspec

from wigwag.bench._account import now_ms
from wigwag.bench.adversary._attack import (
    SERVED,
    Seen,
    Target,
    Told,
    TurnedAwayError,
    UnexpectedError,
)
from wigwag.bench.adversary._people import Account
from wigwag.bench.adversary._tcp import (
    ANSWER_SECONDS_MAX,
    CLIENT_CONTEXT,
    READ_BYTES,
    open_tcp,
)
from wigwag.wire import (
    DRAFT,
    HEADER_BYTES,
    MESSAGES,
    NEED_DATA,
    RESPONSE,
    Ack,
    Auth,
    AuthOk,
    Connection,
    ConnectionConfig,
    DeleteAccount,
    Deliver,
    Error,
    ErrorCode,
    Goaway,
    Message,
    Ping,
    Pong,
    PrekeysStored,
    PrekeysUpload,
    Refused,
    Register,
    Reject,
    Role,
    decode_message,
    encode_frame,
    encode_message,
    suite1,
)
from wigwag.wire import frame as make_frame

Kind = TypeVar("Kind", bound=msgspec.Struct)

# Ours begin here, so that bad frames may use lower numbers.
FIRST_CORR = 1_000


class Frame(NamedTuple):
    """One frame as it came."""

    type: int
    flags: int
    corr: int
    body: bytes
    raw: bytes

    @property
    def message(self) -> Message | None:
        """The decoded message; None: a type that nobody knows."""
        if self.type not in MESSAGES:
            return None
        return decode_message(self.type, DRAFT, self.body)


class Wire:
    """One TLS connection, and what its server said on it.

    Attributes:
        stream: The TLS socket.
        leaf_sha256: Hash of the server's certificate.
        connection: What shook hands; it knows nothing of what came after.
        errors: Every ERROR that came.
        goaway: The GOAWAY that came.
        others: Frames that nobody has asked for: entries, hints.
        is_end_clean: The server ended TLS properly (close_notify).
        is_dribbling: Each byte goes in a record and a segment of its own.
    """

    def __init__(self, stream: ssl.SSLSocket) -> None:
        self.stream = stream
        leaf = stream.getpeercert(binary_form=True)
        self.leaf_sha256 = sha256(leaf or b"").digest()
        self.connection = Connection(
            Role.CLIENT,
            ConnectionConfig(client_name="wigwag-adversary"),
            now=time.monotonic(),
        )
        self.errors: list[Error] = []
        self.goaway: Goaway | None = None
        self.others: list[Frame] = []
        self.is_end_clean = False
        self.is_dribbling = False
        self._corrs = count(FIRST_CORR)
        self._unread = b""

    # Life

    @classmethod
    def open(
        cls,
        target: Target,
        *,
        context: ssl.SSLContext | None = None,
        source: str | None = None,
    ) -> Self:
        """Connect and do the TLS handshake; the caller closes `stream`.

        Raises:
            TurnedAwayError: The server hung up before TLS was up.
        """
        plain = open_tcp(target, source)
        try:
            stream = (context or CLIENT_CONTEXT).wrap_socket(
                plain, server_hostname="localhost", suppress_ragged_eofs=False
            )
        except (ssl.SSLEOFError, ConnectionError) as error:
            plain.close()
            raise TurnedAwayError("no TLS handshake") from error
        except BaseException:
            plain.close()
            raise
        return cls(stream)

    @classmethod
    @contextmanager
    def connect(
        cls,
        target: Target,
        *,
        context: ssl.SSLContext | None = None,
        source: str | None = None,
    ) -> Generator[Self]:
        """As `open`, for a block."""
        wire = cls.open(target, context=context, source=source)
        with wire.stream:
            yield wire

    @classmethod
    @contextmanager
    def hello(cls, target: Target, *, source: str | None = None) -> Generator[Self]:
        """Connect and exchange HELLO and WELCOME; the state is AUTH."""
        with cls.connect(target, source=source) as wire:
            wire.shake_hands()
            yield wire

    @classmethod
    @contextmanager
    def signed_in(cls, target: Target, account: Account) -> Generator[Self]:
        """Connect and sign in; the state is READY."""
        with cls.hello(target) as wire:
            wire.sign_in(account)
            yield wire

    def shake_hands(self) -> None:
        """Exchange HELLO and WELCOME."""
        self.connection.send_hello(secrets.token_bytes(32))
        self.send(self.connection.data_to_send())
        answer = self.read_frame()
        if answer is None:
            raise TurnedAwayError("no WELCOME")
        self.connection.receive_data(answer.raw, time.monotonic())
        self.connection.next_event()
        if self.connection.next_event() is not NEED_DATA:
            raise UnexpectedError("more than WELCOME came")

    def auth_message(self, account: Account) -> Auth:
        """Return an AUTH for this connection."""
        return account.auth(self.connection.transcript_hash, self.leaf_sha256)

    def register_message(self, account: Account, proof: bytes = b"") -> Register:
        """Return a REGISTER for this connection."""
        return account.register(
            self.connection.transcript_hash, self.leaf_sha256, proof=proof
        )

    def deletion(self, account: Account) -> DeleteAccount:
        """Return a DELETE_ACCOUNT for this connection."""
        unsigned = DeleteAccount(bytes(64), account.user, now_ms())
        signature = account.account_key.sign(
            suite1.delete_account_transcript(
                self.connection.transcript_hash,
                self.leaf_sha256,
                encode_message(unsigned, DRAFT)[64:],
            )
        )
        return msgspec.structs.replace(unsigned, signature=signature)

    def sign_in(self, account: Account) -> AuthOk:
        """Sign a device in with its next generation."""
        account.generation += 1
        answer = self.ask(self.auth_message(account))
        return _expect(answer, AuthOk)

    def register(self, account: Account) -> None:
        """Register an account and make its device reachable."""
        account.generation += 1
        _expect(self.ask(self.register_message(account)), AuthOk)
        last_resort = account.kem_prekey(1, last_resort=True)
        upload = PrekeysUpload((), (), last_resort=last_resort)
        _expect(self.ask(upload), PrekeysStored)

    # Sending

    def next_corr(self) -> int:
        """Return a request number that nobody has used."""
        return next(self._corrs)

    def send(self, data: bytes) -> None:
        """Send these bytes; a server that has hung up meanwhile is no error here."""
        try:
            if self.is_dribbling:
                for byte in data:
                    self.stream.sendall(bytes((byte,)))
            else:
                self.stream.sendall(data)
        except (ConnectionError, ssl.SSLEOFError):
            return  # what it said before is still to be read

    def send_frame(
        self, type_: int, body: bytes = b"", *, flags: int = 0, corr: int = 0
    ) -> None:
        """Send one frame with any content."""
        self.send(make_frame(type_, body, flags=flags, corr=corr))

    def request(self, message: Message) -> int:
        """Send a proper request; return its number."""
        corr = self.next_corr()
        self.send(encode_frame(message, DRAFT, corr))
        return corr

    def end_sending(self) -> None:
        """End the stream under TLS (TCP FIN), as a process that dies does."""
        with socket.socket(fileno=os.dup(self.stream.fileno())) as plain:
            plain.shutdown(socket.SHUT_WR)

    # Reading

    def read_frame(self) -> Frame | None:
        """Return the next frame; None: the server has ended the connection."""
        while True:
            frame = self._cut()
            if frame is not None:
                return frame
            try:
                data = self.stream.recv(READ_BYTES)
            except (ssl.SSLError, ConnectionError):
                self.is_end_clean = False
                return None
            if not data:
                self.is_end_clean = True
                return None
            self._unread += data

    def has_heard(self) -> bool:
        """Tell, without waiting, whether the server has spoken or ended meanwhile."""
        self.stream.settimeout(0)
        try:
            data = self.stream.recv(READ_BYTES)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return bool(self._unread)
        except (ssl.SSLError, ConnectionError):
            return True
        finally:
            self.stream.settimeout(ANSWER_SECONDS_MAX)
        self._unread += data
        return True

    def _cut(self) -> Frame | None:
        data = self._unread
        if len(data) < HEADER_BYTES:
            return None
        end = HEADER_BYTES + int.from_bytes(data[:4])
        if len(data) < end:
            return None
        self._unread = data[end:]
        body = data[HEADER_BYTES + data[7] : end]
        type_, corr = int.from_bytes(data[4:6]), int.from_bytes(data[8:12])
        return Frame(type_, data[6], corr, body, data[:end])

    def ask(self, message: Message) -> Message:
        """Send a request; return its answer, whatever it says.

        Raises:
            TurnedAwayError: The answer is RATE_LIMITED.
            UnexpectedError: The server ended the connection instead.
        """
        return self.answer_to(self.request(message))

    def answer_to(self, corr: int) -> Message:
        """Return the answer to one request; other frames are kept.

        Raises:
            TurnedAwayError: It is RATE_LIMITED.
            UnexpectedError: The server ended the connection instead.
        """
        while (frame := self.read_frame()) is not None:
            if frame.corr == corr and frame.flags & RESPONSE:
                message = frame.message
                if message is None:
                    raise UnexpectedError(f"an answer of unknown type {frame.type}")
                if (
                    isinstance(message, Error | Refused)
                    and message.code == ErrorCode.RATE_LIMITED
                ):
                    raise TurnedAwayError("RATE_LIMITED")
                return message
            self.others.append(frame)
        raise UnexpectedError("the connection ended where an answer was due")

    def next_entry(self) -> Deliver:
        """Return the next message of the inbox.

        Raises:
            UnexpectedError: The server ended the connection instead.
        """
        while True:
            frame = self.others.pop(0) if self.others else self.read_frame()
            if frame is None:
                raise UnexpectedError("the connection ended where an entry was due")
            message = frame.message
            if isinstance(message, Deliver):
                return message

    def entries(self) -> list[Deliver]:
        """Return the messages of the inbox that have been read already."""
        messages = [frame.message for frame in self.others]
        self.others.clear()
        return [message for message in messages if isinstance(message, Deliver)]

    def acknowledge(self, account: Account, position: int) -> None:
        """Say that everything up to this position is stored."""
        account.cursor = max(account.cursor, position)
        self.send(encode_frame(Ack(position), DRAFT))

    # Judging

    def observe(self, corr: int = 0) -> Seen:
        """Ask whether the connection still works, and say what came till then.

        A PING is the barrier: its PONG waits until everything before it is answered.

        Args:
            corr: The request in question; 0: there is none.

        Raises:
            UnexpectedError: What came fits no way that the specification knows.
        """
        barrier = self.next_corr()
        self.send(encode_frame(Ping(barrier), DRAFT, barrier))
        answer: Message | None = None
        while (frame := self.read_frame()) is not None:
            if not frame.flags & RESPONSE:
                message = frame.message
                if isinstance(message, Error | Goaway):
                    return self._end(message, answer)
                self.others.append(frame)
            elif corr and frame.corr == corr:
                answer = frame.message
            elif frame.corr == barrier:
                return _standing(frame.message, answer, is_due=bool(corr))
            else:
                raise UnexpectedError(f"an answer to {frame.corr}, which nobody asked")
        raise UnexpectedError("the connection ended without a word")

    def observe_last(self, corrs: Sequence[int]) -> Seen:
        """As `observe`, for many requests: what the last one was answered.

        What needs no commit may be answered before what does.

        Raises:
            UnexpectedError: As `observe`, or one of them has no answer.
        """
        answers: dict[int, Message | None] = {}
        while len(answers) < len(corrs):
            frame = self.read_frame()
            if frame is None:
                raise UnexpectedError("the connection ended where an answer was due")
            if not frame.flags & RESPONSE:
                self.others.append(frame)
            elif frame.corr in answers or frame.corr not in corrs:
                raise UnexpectedError(f"an answer to {frame.corr} that is not due")
            else:
                answers[frame.corr] = frame.message
        barrier = self.ask(Ping(0))
        return _standing(barrier, answers[corrs[-1]], is_due=True)

    def observe_end(self) -> Seen:
        """Say what comes until the server ends the connection.

        Raises:
            UnexpectedError: What came fits no way that the specification knows.
        """
        while (frame := self.read_frame()) is not None:
            message = frame.message
            if isinstance(message, Reject):
                self._hold_to_end()
                return Seen(ErrorCode(message.code), True, Told.REJECT)
            if isinstance(message, Error | Goaway) and not frame.corr:
                return self._end(message, None)
            self.others.append(frame)
        if self._unread:
            raise UnexpectedError("part of a frame, then the end")
        return Seen(None, True, Told.NOTHING)

    def _end(self, first: Error | Goaway, answer: Message | None) -> Seen:
        """Read the last words: ERROR, then GOAWAY with the same code, then the end."""
        if isinstance(first, Goaway):
            self.goaway = first
            self._hold_to_end()
            return Seen(ErrorCode(first.code), True, Told.GOAWAY)
        self.errors.append(first)
        second = self.read_frame()
        if second is None or not isinstance(second.message, Goaway):
            raise UnexpectedError("ERROR ended the connection without GOAWAY")
        if second.message.code != first.code:
            raise UnexpectedError("ERROR and GOAWAY name different codes")
        self.goaway = second.message
        self._hold_to_end()
        if answer is not None and not isinstance(answer, Error):
            raise UnexpectedError(f"{type(answer).__name__}, and then the end")
        return Seen(ErrorCode(first.code), True, Told.ENDED)

    def _hold_to_end(self) -> None:
        """Hold the server to end TLS properly, with nothing after the last words."""
        if self.read_frame() is not None:
            raise UnexpectedError("a frame after the last words")
        if not self.is_end_clean:
            raise UnexpectedError(
                "the connection was cut, not closed (no close_notify)"
            )


def _standing(pong: Message | None, answer: Message | None, *, is_due: bool) -> Seen:
    """Say what a connection that works on has answered."""
    if not isinstance(pong, Pong):
        raise UnexpectedError("PING was not answered with PONG")
    match answer:
        case Error(code=code) | Refused(code=code):
            return Seen(ErrorCode(code), False, Told.ANSWER)
        case None if is_due:
            raise UnexpectedError("PONG overtook an answer that was due")
        case _:
            return SERVED


def _expect(answer: Message, kind: type[Kind]) -> Kind:
    if not isinstance(answer, kind):
        raise UnexpectedError(f"{answer} where {kind.__name__} was due")
    return answer
