"""Kinds of content inside the ciphertext, version 1.

Made from `content/*.toml` by `wigwag spec generate`; never edited.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

CONTENT_VERSION = 1
CONTENT_BYTES_MAX = 65536
CONTENT_DEPTH_MAX = 8
CONTENT_KEYS_MAX = 256
VERSION_KEY = 0
KIND_KEY = 1

UnknownKeys = tuple[tuple[int, object], ...]
"""Keys of a newer program, kept and written again."""


class ContentRefused(Exception):
    """Content that isn't what its kind says; holds nothing of it.

    Attributes:
        key: Key of the map at which it shows, or None for the whole.
        problem: What is wrong.
    """

    def __init__(self, key: int | None, problem: str) -> None:
        place = "content" if key is None else f"content key {key}"
        super().__init__(f"{place}: {problem}")
        self.key = key
        self.problem = problem


def _str(values: Mapping[int, object], key: int, low: int, high: int) -> str:
    value = values.get(key)
    if not isinstance(value, str):
        raise ContentRefused(key, "not a text")
    try:
        length = len(value.encode())
    except UnicodeEncodeError as error:
        raise ContentRefused(key, "not Unicode text") from error
    if not low <= length <= high:
        raise ContentRefused(key, f"not {low} to {high} bytes long")
    return value


def _u64(values: Mapping[int, object], key: int, low: int, high: int) -> int:
    value = values.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ContentRefused(key, "not an integer")
    if not low <= value <= high:
        raise ContentRefused(key, f"not {low} to {high}")
    return value


def _bytes(values: Mapping[int, object], key: int, low: int, high: int) -> bytes:
    value = values.get(key)
    if not isinstance(value, bytes):
        raise ContentRefused(key, "not bytes")
    if not low <= len(value) <= high:
        raise ContentRefused(key, f"not {low} to {high} bytes long")
    return value


def _unknown(values: Mapping[int, object], known: int) -> UnknownKeys:
    return tuple(sorted((key, values[key]) for key in values if not known >> key & 1))


@dataclass(frozen=True, slots=True, repr=False)
class Text:
    """A text that a person reads."""

    text: str
    """The text, UTF-8; min and max count bytes."""
    unknown: UnknownKeys = ()

    def to_map(self) -> dict[int, object]:
        """Give the map to encode, checked, by ascending key."""
        values: dict[int, object] = {
            VERSION_KEY: CONTENT_VERSION,
            KIND_KEY: 1,
            2: self.text,
            **dict(self.unknown),
        }
        read_text(values)
        return dict(sorted(values.items()))

    def __repr__(self) -> str:
        return "<Text>"


def read_text(values: Mapping[int, object]) -> Text:
    """Read Text; raises `ContentRefused`."""
    return Text(
        text=_str(values, 2, 1, 65000),
        unknown=_unknown(values, 7),
    )


@dataclass(frozen=True, slots=True, repr=False)
class ReadReceipt:
    """Says how far the recipient has read a chat."""

    up_to: int
    """chat_seq up to which every message was shown; it never goes back."""
    unknown: UnknownKeys = ()

    def to_map(self) -> dict[int, object]:
        """Give the map to encode, checked, by ascending key."""
        values: dict[int, object] = {
            VERSION_KEY: CONTENT_VERSION,
            KIND_KEY: 2,
            2: self.up_to,
            **dict(self.unknown),
        }
        read_read_receipt(values)
        return dict(sorted(values.items()))

    def __repr__(self) -> str:
        return "<ReadReceipt>"


def read_read_receipt(values: Mapping[int, object]) -> ReadReceipt:
    """Read ReadReceipt; raises `ContentRefused`."""
    return ReadReceipt(
        up_to=_u64(values, 2, 0, 18446744073709551615),
        unknown=_unknown(values, 7),
    )


@dataclass(frozen=True, slots=True, repr=False)
class Retry:
    """Asks the sender of a message for it again: this device could not open it, or got
    no envelope for it.
    """

    client_msg_id: bytes
    """The message, in the chat in which this was sent."""
    attempt: int
    """How often it was asked for, this time included; after the fifth the device gives
    up.
    """
    reason: str
    """Why it could not be opened, a word; `missed`: there was no envelope."""
    unknown: UnknownKeys = ()

    def to_map(self) -> dict[int, object]:
        """Give the map to encode, checked, by ascending key."""
        values: dict[int, object] = {
            VERSION_KEY: CONTENT_VERSION,
            KIND_KEY: 3,
            2: self.client_msg_id,
            3: self.attempt,
            4: self.reason,
            **dict(self.unknown),
        }
        read_retry(values)
        return dict(sorted(values.items()))

    def __repr__(self) -> str:
        return "<Retry>"


def read_retry(values: Mapping[int, object]) -> Retry:
    """Read Retry; raises `ContentRefused`."""
    return Retry(
        client_msg_id=_bytes(values, 2, 16, 16),
        attempt=_u64(values, 3, 1, 5),
        reason=_str(values, 4, 1, 32),
        unknown=_unknown(values, 31),
    )


@dataclass(frozen=True, slots=True, repr=False)
class Resent:
    """A message once more, for a device that does not have it: it stands for the
    original, whose place and id it takes.
    """

    client_msg_id: bytes
    """The original, in the chat in which this was sent, of the account and device that
    send this.
    """
    reason: str
    """`copy_of`: the stored attempt did not cover the device; `resend_of`: it could not
    open the original.
    """
    content: bytes
    """The original's content, encoded."""
    chat_seq: int
    """The original's position in the chat; 0: not known."""
    sent_at: int
    """The original's time by the server, in milliseconds since the Unix epoch; 0: not
    known.
    """
    unknown: UnknownKeys = ()

    def to_map(self) -> dict[int, object]:
        """Give the map to encode, checked, by ascending key."""
        values: dict[int, object] = {
            VERSION_KEY: CONTENT_VERSION,
            KIND_KEY: 4,
            2: self.client_msg_id,
            3: self.reason,
            4: self.content,
            5: self.chat_seq,
            6: self.sent_at,
            **dict(self.unknown),
        }
        read_resent(values)
        return dict(sorted(values.items()))

    def __repr__(self) -> str:
        return "<Resent>"


def read_resent(values: Mapping[int, object]) -> Resent:
    """Read Resent; raises `ContentRefused`."""
    return Resent(
        client_msg_id=_bytes(values, 2, 16, 16),
        reason=_str(values, 3, 1, 16),
        content=_bytes(values, 4, 1, 65000),
        chat_seq=_u64(values, 5, 0, 18446744073709551615),
        sent_at=_u64(values, 6, 0, 18446744073709551615),
        unknown=_unknown(values, 127),
    )


KnownContent = Text | ReadReceipt | Retry | Resent

Reader = Callable[[Mapping[int, object]], KnownContent]

READERS: Mapping[int, Reader] = {
    1: read_text,
    2: read_read_receipt,
    3: read_retry,
    4: read_resent,
}
