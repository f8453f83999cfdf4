"""A client that keeps coming back: back-off as specified, until it is signed in.

Full jitter: the wait is uniform between what the server told and that plus a
ceiling, which doubles from 0.25 s to 30 s and starts anew after a stable minute.
"""

import random
from collections.abc import Callable

from wigwag.bench._account import Account
from wigwag.bench._entrance import Entrance, RefusedError
from wigwag.bench._link import Door, Link
from wigwag.bench._loop import Loop
from wigwag.wire import LIMITS, AuthOk, Goaway, MessageType, decode_message

FIRST_SECONDS = LIMITS["reconnect_first_ms"].value / 1000
LAST_SECONDS = LIMITS["reconnect_last_ms"].value / 1000
# As our own client: from connecting to AUTH_OK.
SIGN_IN_SECONDS = float(LIMITS["auth_seconds"].value)

Came = Callable[["Client"], None]
Frame = Callable[[int, int, bytes, float], None]


class Client:
    """One device; implements `LinkUser` while it is signed in.

    Attributes:
        link: While signed in; None: away.
        tries: Connections begun.
        cursor: Highest position that the device has stored; kept by `on_frame`.
        on_frame: Takes (type, corr, frame, now) of what comes; None: nobody does.
    """

    __slots__ = (
        "_account",
        "_came",
        "_ceiling",
        "_door",
        "_loop",
        "_told",
        "_trying",
        "cursor",
        "link",
        "on_frame",
        "tries",
    )

    def __init__(self, loop: Loop, door: Door, account: Account, came: Came) -> None:
        self._loop = loop
        self._door = door
        self._account = account
        self._came = came
        self._ceiling = FIRST_SECONDS
        self._told = 0.0
        self._trying: Link | None = None
        self.link: Link | None = None
        self.tries = 0
        self.cursor = 0
        self.on_frame: Frame | None = None

    def steady(self) -> None:
        """Treats the connection as one that has been stable for a minute."""
        self._ceiling = FIRST_SECONDS

    def come(self, now: float) -> None:
        """Connects now."""
        self.tries += 1
        entrance = Entrance(self._account, self._done, self._failed, cursor=self.cursor)
        link = self._trying = Link(self._loop, self._door, entrance)

        def too_late(now: float) -> None:
            if self._trying is link:
                link.close()
                self._failed(link, RefusedError("no answer in time"), now)

        self._loop.call_at(now + SIGN_IN_SECONDS, too_late)

    def wait(self, now: float) -> None:
        """Connects after the back-off."""
        told, self._told = self._told, 0.0
        pause = told + random.uniform(0, self._ceiling)  # noqa: S311  # no secret
        self._ceiling = min(self._ceiling * 2, LAST_SECONDS)
        self._loop.call_at(now + pause, self.come)

    def on_open(self, link: Link, now: float) -> None:
        """Nothing: the link was taken over open."""

    def on_data(self, link: Link, data: bytes, now: float) -> None:
        """Passes frames on; leaves when the server says that it goes away."""
        for type_, corr, frame in link.frames(data):
            if type_ == MessageType.GOAWAY:
                goaway = decode_message(
                    MessageType.GOAWAY, link.revision, frame[12 + frame[7] :]
                )
                assert isinstance(goaway, Goaway)
                self._told = goaway.retry_after_ms / 1000
                link.close()
                self.on_closed(link, "going away", now)
                return
            if self.on_frame is not None:
                self.on_frame(type_, corr, frame, now)

    def on_closed(self, link: Link, reason: str, now: float) -> None:
        """Comes back."""
        self.link = None
        self.wait(now)

    def _done(self, link: Link, answer: AuthOk, now: float) -> None:
        self._trying = None
        link.user = self
        self.link = link
        self._came(self)

    def _failed(self, link: Link, refused: RefusedError, now: float) -> None:
        self._trying = None
        self._told = refused.retry_after_seconds
        self.wait(now)
