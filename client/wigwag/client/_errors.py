"""What can go wrong for a user of the SDK, each with what to do about it."""

from pathlib import Path
from typing import Literal

from wigwag.wire import ERRORS, ErrorInfo, error_class

Fault = Literal["client", "server", "peer", "nobody"]
"""Whose doing it was."""

OutcomeName = Literal["none", "unknown"]
"""Whether the thing asked for may have happened after all."""

_CLASS_FAULTS: dict[str, Fault] = {
    "connection_fatal": "peer",
    "permanent": "client",
    "retryable": "nobody",
    "auth": "client",
    "slow_down": "nobody",
}

_RETRYABLE_CLASSES = frozenset({"retryable", "slow_down", "connection_fatal"})


class WigwagError(Exception):
    """Root of everything that this package raises on purpose.

    The text is one sentence that a person can act on, without secrets.

    Attributes:
        name: Name of the kind: that of the specification's error code, or our own.
        code: The specification's error code; None: the error is local.
        fault: Whose fault it is.
        retryable: Whether the same call may succeed later without a change.
        outcome: "none": nothing happened; "unknown": it may have.
        retry_after_seconds: Earliest time to try again, if one was told.
        action: What to do about it, a sentence.
    """

    name: str = "ERROR"
    code: int | None = None
    fault: Fault = "client"
    retryable: bool = False
    outcome: OutcomeName = "none"
    retry_after_seconds: float | None = None
    action: str = "Read the message."

    def __init__(self, message: str, *, action: str | None = None) -> None:
        super().__init__(message)
        if action is not None:
            self.action = action


class ServerRefused(WigwagError):  # noqa: N818 - a past fact, as in the protocol
    """The server answered with an error code.

    Args:
        code: The code; one that we don't know behaves as its class (R-ERR-001).
        retry_after_ms: As told; 0: not said.
        outcome: As told by the answer; None: what the specification says.
        doing: What was asked for, completes "The server refused to …".
    """

    def __init__(
        self,
        code: int,
        *,
        retry_after_ms: int = 0,
        outcome: OutcomeName | None = None,
        doing: str = "",
    ) -> None:
        info = ERRORS.get(code)
        described = info.doc if info else f"Error 0x{code:04x}, newer than this client."
        super().__init__(f"{doing}: {described}" if doing else described)
        self.code = code
        self.name = info.name if info else f"0x{code:04X}"
        self.retryable = _is_retryable(code, info)
        self.fault = _fault(code, info)
        self.outcome = outcome or ("unknown" if _may_have_happened(info) else "none")
        self.action = info.action if info else "Update the client."
        if retry_after_ms:
            self.retry_after_seconds = retry_after_ms / 1000


def _is_retryable(code: int, info: ErrorInfo | None) -> bool:
    if info is None:
        return error_class(code) in _RETRYABLE_CLASSES
    return info.retry in ("later", "reconnect")


def _fault(code: int, info: ErrorInfo | None) -> Fault:
    if info is None:
        return _CLASS_FAULTS.get(error_class(code), "server")
    match info.fault:
        case "client" | "server" | "peer" | "nobody":
            return info.fault
        case _:
            raise AssertionError(info.fault)


def _may_have_happened(info: ErrorInfo | None) -> bool:
    return info is None or info.outcome == "unknown"


class JoinStringWrong(WigwagError):  # noqa: N818
    """A join string that can't be read."""

    name = "JOIN_STRING"
    action = "Copy the whole string from the server's output, in quotes."


class TokenWrong(WigwagError):  # noqa: N818
    """What should be a registration token can't be one, or wasn't to be had."""

    name = "TOKEN"
    action = "Get a new token from your identity service; it is good for minutes."


class ProfileError(WigwagError):
    """A profile can't be used."""

    name = "PROFILE"


class ProfileMissing(ProfileError):  # noqa: N818
    """There is no such profile."""

    name = "PROFILE_MISSING"
    action = "Make it with `wigwag register`, or name another with --profile."


class ProfileExists(ProfileError):  # noqa: N818
    """The profile holds an account already."""

    name = "PROFILE_EXISTS"
    action = "Use it as it is, or name another with --profile."


class ProfileInsecure(ProfileError):  # noqa: N818
    """Others can read the profile's folder."""

    name = "PROFILE_INSECURE"
    action = "Take the rights away: chmod 700 on the folder."


class ProfileInUse(ProfileError):  # noqa: N818
    """Another process has the profile open.

    Attributes:
        folder: The profile's folder.
        holder_pid: Process id of the holder; None: it can't be told.
    """

    name = "PROFILE_IN_USE"
    fault: Fault = "nobody"
    retryable = True
    action = "End that process, or use another profile."

    def __init__(self, folder: Path, holder_pid: int | None) -> None:
        holder = f"process {holder_pid}" if holder_pid else "another process"
        super().__init__(f"The profile {folder.name} is open in {holder}.")
        self.folder = folder
        self.holder_pid = holder_pid


class PassphraseMissing(WigwagError):  # noqa: N818
    """The profile is locked and no passphrase was given."""

    name = "PASSPHRASE_MISSING"
    action = "Set WIGWAG_PASSPHRASE, give a key file, or run it in a terminal."


class PassphraseWrong(WigwagError):  # noqa: N818
    """The passphrase doesn't open the profile."""

    name = "PASSPHRASE_WRONG"
    action = "Try again; a forgotten passphrase can't be recovered."


class StoreError(WigwagError):
    """The profile's database can't be read or written."""

    name = "STORE"
    fault: Fault = "nobody"


class StoreDamaged(StoreError):  # noqa: N818
    """A file of the profile isn't what we wrote."""

    name = "STORE_DAMAGED"
    action = "Put the profile back from a copy, or register anew."


class StoreTooNew(StoreError):  # noqa: N818
    """The database was written by a newer program.

    Attributes:
        found: Its schema version.
        known: The newest that this program reads.
    """

    name = "STORE_TOO_NEW"
    fault: Fault = "client"

    def __init__(self, found: int, known: int, written_by: str) -> None:
        super().__init__(
            f"The profile was written by wigwag {written_by}"
            f" (schema {found}; this program reads up to {known})."
        )
        self.found = found
        self.known = known
        self.action = f"Use wigwag {written_by} or newer."


class StoreUnwritable(StoreError):  # noqa: N818
    """The disk is full or failed; what was stored before is untouched."""

    name = "STORE_UNWRITABLE"
    retryable = True
    action = "Free some space on the disk of the profile."


class NetworkError(WigwagError):
    """The server can't be reached, or went away."""

    name = "NETWORK"
    fault: Fault = "nobody"
    retryable = True
    action = "Check the address and the network; it is tried again."


class DialFailed(NetworkError):  # noqa: N818
    """No connection came about."""

    name = "UNREACHABLE"


class ConnectionLost(NetworkError):  # noqa: N818
    """The connection ended before the answer came."""

    name = "CONNECTION_LOST"
    outcome: OutcomeName = "unknown"


class ServerNotTrusted(NetworkError):  # noqa: N818
    """Whoever answers at the address isn't the server of the join string."""

    name = "SERVER_NOT_TRUSTED"
    fault: Fault = "server"
    retryable = False
    action = "Ask the operator for a new join string; don't go on without one."


class TimedOut(WigwagError):  # noqa: N818
    """What was waited for didn't happen in time; it may still."""

    name = "TIMED_OUT"
    fault: Fault = "nobody"
    retryable = True
    outcome: OutcomeName = "unknown"
    action = "Wait longer; what was sent stays in the outbox."


class PeerUnknown(WigwagError):  # noqa: N818
    """There is nobody of this name, or he can't be looked up now."""

    name = "PEER_UNKNOWN"
    action = "Check the name."


class PeerChanged(WigwagError):  # noqa: N818
    """The peer's key isn't the one that was pinned; nothing is sent to him.

    Attributes:
        peer: His name.
    """

    name = "PEER_CHANGED"
    fault: Fault = "nobody"
    action = "Compare safety numbers with him, then accept the change."

    def __init__(self, peer: str) -> None:
        super().__init__(f"The key of {peer} changed; nothing is sent to him.")
        self.peer = peer


class MessageTooLong(WigwagError):  # noqa: N818
    """The text doesn't fit in one message."""

    name = "MESSAGE_TOO_LONG"
    action = "Send it in parts."


class MessageEmpty(MessageTooLong):
    """There is nothing in the message."""

    name = "MESSAGE_EMPTY"
    action = "Write something."


class OutboxFull(WigwagError):  # noqa: N818
    """More messages wait than the outbox holds."""

    name = "OUTBOX_FULL"
    fault: Fault = "nobody"
    retryable = True
    action = "Wait until the server takes some."


class MessageRejected(WigwagError):  # noqa: N818
    """A message that was waited for ended without being delivered.

    Attributes:
        state: Its end state.
        reason: Why, in a word.
    """

    name = "MESSAGE_REJECTED"

    def __init__(self, state: str, reason: str) -> None:
        super().__init__(f"The message is {state.lower()} ({reason}).")
        self.state = state
        self.reason = reason
        if state == "EXPIRED":
            self.outcome = "unknown"


class SessionEnded(WigwagError):  # noqa: N818
    """The session is closed, or its automatic reconnecting ended for good."""

    name = "SESSION_ENDED"
    action = "Open a new session."


class HandoverRefused(WigwagError):  # noqa: N818
    """The process that holds the profile can't do what was asked."""

    name = "HANDOVER_REFUSED"
    action = "Ask that process to end, then try again."
