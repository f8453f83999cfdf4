"""Errors of the codec: the peer's bytes are wrong, or our record is.

They are cheap to raise: a code, an offset and a reason. Field path, expected and
found, requirement and annotated bytes are worked out only for whoever asks
(`wigwag.spec.explain_error`).
"""

from __future__ import annotations

from wigwag.wire._errors import WireError


class CodecError(WireError):
    """Root of what the codec raises."""


class DecodeError(CodecError):
    """The bytes are no value of the layout.

    Attributes:
        code: Error code to answer with (`ErrorCode`).
        offset: Where in the body the wrong field, length or tag begins, in bytes.
        reason: What is wrong, in words that hold no input.
    """

    def __init__(self, code: int, offset: int, reason: str) -> None:
        super().__init__(f"{reason} (code {code:#06x}, offset {offset})")
        self.code = code
        self.offset = offset
        self.reason = reason


class Malformed(DecodeError):  # noqa: N818 - a fact, as the others
    """The bytes are not of this protocol: the connection can't go on."""


class RequestRefused(DecodeError):  # noqa: N818 - a fact, as the others
    """One request asks for what this side does not take; the rest goes on."""


class EncodeError(CodecError):
    """A record of ours breaks its own layout: our bug.

    Attributes:
        path: The field, as in `envelopes[2].user`.
        reason: What is wrong with it; never its value.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class NotExpressible(EncodeError):  # noqa: N818 - a fact, as the others
    """A correct record says more than the revision can, in a field not `lossy_ok`.

    The server then sends UNREADABLE in its place.
    """
