"""How a link gets in: HELLO, then AUTH or REGISTER, as a chain of callbacks."""

import secrets
from collections.abc import Callable
from hashlib import sha256

from wigwag.bench._account import Account, Registration
from wigwag.bench._errors import BenchError
from wigwag.bench._link import Link
from wigwag.wire import (
    DRAFT,
    LIMITS,
    AuthOk,
    Error,
    Goaway,
    Hello,
    MessageType,
    Reject,
    Welcome,
    decode_message,
    encode_frame,
)

_HEADER_BYTES = 12
_INVARIANT = (MessageType.WELCOME, MessageType.REJECT)
# Everything else is grease, or a delivery that the next user takes.
_ANSWERS = (
    *_INVARIANT,
    MessageType.AUTH_OK,
    MessageType.ERROR,
    MessageType.GOAWAY,
)


class RefusedError(Exception):
    """The server said no.

    Attributes:
        retry_after_seconds: Earliest return that it named; 0: none.
    """

    def __init__(self, text: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


Done = Callable[[Link, AuthOk, float], None]
Failed = Callable[[Link, RefusedError, float], None]


def hello_frame() -> bytes:
    """Returns a HELLO as our own client says it, with a fresh nonce."""
    hello = Hello(
        secrets.token_bytes(32),
        0,
        0,
        DRAFT,
        (),
        LIMITS["frame_bytes_max"].value,
        LIMITS["window_entries"].value,
        "wigwag-bench",
    )
    return encode_frame(hello, 0, 1)


class Entrance:
    """Signs a device in on a link; implements `LinkUser`.

    Args:
        account: Whose device.
        done: Called once READY; takes the link over by setting its user.
        failed: Called when the link ended or the server refused.
        cursor: Highest position that the device has stored.
        registration: Registers the account and uploads a prekey, instead of AUTH.
        hold: Called after WELCOME with what sends AUTH, instead of sending it.
    """

    def __init__(
        self,
        account: Account,
        done: Done,
        failed: Failed,
        *,
        cursor: int = 0,
        registration: Registration | None = None,
        is_reachable: bool = True,
        hold: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._account = account
        self._done = done
        self._failed = failed
        self._cursor = cursor
        self._registration = registration
        self._is_reachable = is_reachable
        self._hold = hold
        self._hello = b""
        self._answer: AuthOk | None = None

    def on_open(self, link: Link, now: float) -> None:
        """Says HELLO."""
        self._hello = hello_frame()
        link.write(self._hello)

    def on_closed(self, link: Link, reason: str, now: float) -> None:
        """Tells that the link ended before sign-in."""
        self._failed(link, RefusedError(reason), now)

    def on_data(self, link: Link, data: bytes, now: float) -> None:
        """Takes WELCOME and AUTH_OK."""
        rest = b""
        for type_, _, frame in link.frames(data):
            if link.user is not self:
                # Deliveries behind AUTH_OK are the next user's.
                rest += frame
                continue
            self._take(link, type_, frame, now)
        if rest and link.is_open:
            unread, link.unread = link.unread, b""
            link.user.on_data(link, rest + unread, now)

    def _take(self, link: Link, type_: int, frame: bytes, now: float) -> None:
        if type_ == MessageType.PREKEYS_STORED and self._answer is not None:
            self._done(link, self._answer, now)
            return
        if type_ not in _ANSWERS:
            return
        revision = 0 if type_ in _INVARIANT else link.revision
        message = decode_message(type_, revision, frame[_HEADER_BYTES + frame[7] :])
        match message:
            case Welcome():
                link.revision = message.revision
                self._identify(link, sha256(self._hello + frame).digest())
            case AuthOk():
                self._welcome_in(link, message, now)
            case Reject() | Error() | Goaway():
                refused = RefusedError(
                    f"refused with code {message.code:#06x}",
                    message.retry_after_ms / 1000,
                )
                link.close()
                self._failed(link, refused, now)
            case _:
                raise BenchError(f"the server said {message!r} during sign-in")

    def _identify(self, link: Link, handshake: bytes) -> None:
        registration = self._registration
        if registration is not None:
            link.write(
                encode_frame(
                    registration.register(
                        handshake, link.certificate_hash, link.revision
                    ),
                    link.revision,
                    2,
                )
            )
            return

        def send_auth() -> None:
            auth = self._account.auth(
                handshake, link.certificate_hash, link.revision, self._cursor
            )
            link.write(encode_frame(auth, link.revision, 2))

        if self._hold is None:
            send_auth()
        else:
            self._hold(send_auth)

    def _welcome_in(self, link: Link, answer: AuthOk, now: float) -> None:
        if self._registration is None or not self._is_reachable:
            self._done(link, answer, now)
            return
        self._answer = answer
        link.write(encode_frame(self._registration.upload(), link.revision, 3))


def must_not_fail(link: Link, refused: RefusedError, now: float) -> None:
    """A `Failed` for set-ups in which nothing may fail.

    Raises:
        BenchError: Always.
    """
    raise BenchError(f"sign-in failed: {refused}")
