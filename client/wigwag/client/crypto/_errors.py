"""What can go wrong in the cryptography, as types with a reason.

None of them holds a key, a plaintext or a ciphertext. A failed operation leaves
every value that went in as it was. Names say what happened, not that it is an
error: `except Undecryptable` reads as it is meant.
"""

from enum import Enum


class CryptoError(Exception):
    """Root of the errors of this package."""


class UndecryptableReason(Enum):
    """Why an envelope can't be opened; the value is the word for logs and retries."""

    MALFORMED = "malformed"
    """Not the layout of an envelope, or a suite or version we don't know."""
    NO_SESSION = "no_session"
    """No session, and the envelope doesn't bring what starts one."""
    UNKNOWN_PREKEY = "unknown_prekey"
    """It names a prekey that was used up, was dropped or never existed."""
    REPLAYED = "replayed"
    """A first message under the last-resort key that was already taken once."""
    TOO_FAR = "too_far"
    """It would make us skip more than `RATCHET_JUMP_MAX` message keys."""
    DUPLICATE = "duplicate"
    """Its message key was used, or its skipped key expired."""
    NOT_AUTHENTIC = "not_authentic"
    """The tag doesn't fit: changed on the way, or made for other keys."""


class Undecryptable(CryptoError):  # noqa: N818
    """An envelope can't be opened; nothing changed.

    Store a placeholder, acknowledge, ask the sender for a retry (E2EE.md §4).

    Attributes:
        reason: Why.
    """

    def __init__(self, reason: UndecryptableReason) -> None:
        super().__init__(f"the message can't be decrypted: {reason.value}")
        self.reason = reason


class ForgeryReason(Enum):
    """In what an authentic plaintext contradicts its delivery."""

    LAYOUT = "layout"
    """It has no head, or its length or padding is wrong."""
    CHAT = "chat"
    """It was written for another chat."""
    MESSAGE_ID = "message_id"
    """It was written under another client_msg_id."""
    MESSAGE_CLASS = "message_class"
    """It was written as another class."""


class Forgery(CryptoError):  # noqa: N818
    """A message was moved, or its sender breaks the protocol.

    The ratchet has moved on: store its new state with a placeholder, and show it.

    Attributes:
        reason: In what it contradicts its delivery.
    """

    def __init__(self, reason: ForgeryReason) -> None:
        super().__init__(f"the message contradicts its delivery: {reason.value}")
        self.reason = reason


class ListRefusedReason(Enum):
    """Why a device list isn't accepted."""

    MALFORMED = "malformed"
    """Not the layout of a device list document."""
    WRONG_ACCOUNT = "wrong_account"
    """A list of another account."""
    WRONG_KEY = "wrong_key"
    """Offered with an account key other than the pinned one."""
    SIGNATURE = "signature"
    """Not signed by the account key."""
    LOWER = "lower"
    """Its number is below the pinned one."""
    FORKED = "forked"
    """Another list under a pinned number, or one that doesn't follow the pinned."""
    BROKEN_CHAIN = "broken_chain"
    """Lists between it and the pinned one are missing: fetch them."""
    MEMBERSHIP = "membership"
    """A device in it doesn't say that it belongs to this account key."""
    REUSED_NUMBER = "reused_number"
    """A device number came back, or changed its keys."""
    TIME = "time"
    """It was signed before the list that it follows."""
    EMPTY = "empty"
    """No list was given."""


class ListRefused(CryptoError):  # noqa: N818
    """A device list isn't accepted; the pin stays.

    Attributes:
        reason: Why.
    """

    def __init__(self, reason: ListRefusedReason) -> None:
        super().__init__(f"the device list is refused: {reason.value}")
        self.reason = reason


class BundleRefusedReason(Enum):
    """Why no session is started with a bundle."""

    SUITE = "suite"
    """Its suite isn't ours, or the signed list doesn't name it for this device."""
    UNLISTED = "unlisted"
    """The device isn't in the signed list."""
    SIGNATURE = "signature"
    """A prekey isn't signed by the device that the list names."""
    EXPIRED = "expired"
    """The signed prekey has expired, or claims a longer life than there is."""
    KEY = "key"
    """A key in it is none, or gives a secret that anyone can know."""


class BundleRefused(CryptoError):  # noqa: N818
    """No session is started with a bundle.

    Attributes:
        reason: Why.
    """

    def __init__(self, reason: BundleRefusedReason) -> None:
        super().__init__(f"the prekey bundle is refused: {reason.value}")
        self.reason = reason


class NoSession(CryptoError):  # noqa: N818
    """There is no active session to encrypt with: claim a bundle first."""


class StateDamaged(CryptoError):  # noqa: N818
    """A stored state isn't what `dump` wrote.

    Attributes:
        what: Which kind of state.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"the stored {what} is damaged")
        self.what = what


class NotSigned(CryptoError):  # noqa: N818
    """A signature doesn't fit; callers turn it into the refusal it means."""


class WeakKey(CryptoError):  # noqa: N818
    """A public key is none, or gives a secret that anyone can know."""
