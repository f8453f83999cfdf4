"""What goes wrong on the wire, by whose fault."""


class WireError(Exception):
    """Root of what this package's connection layer raises."""


class ProtocolError(WireError):
    """Somebody broke the protocol; which side, the two subclasses say.

    Abstract: catch it to mean "either side", raise one of the subclasses.
    """

    def __init__(self, message: str) -> None:
        if type(self) is ProtocolError:
            raise TypeError("raise LocalProtocolError or RemoteProtocolError")
        super().__init__(message)


class LocalProtocolError(ProtocolError):
    """We asked for something that the protocol does not allow: a bug of ours.

    The connection is as it was before the call.
    """


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol, or kept silent for too long.

    The connection is CLOSED when this is raised, and `data_to_send` holds what
    must still be said (nothing, before a valid HELLO). The text names codes,
    types and offsets only, never bytes of the peer's.

    Attributes:
        code: Error code of the specification (`ErrorCode`).
        requirement: Id of the broken requirement (R-FRAME-003), or "".
        message_type: Type of the frame in question; 0: none.
        offset: Where in the body decoding failed, in bytes; -1: not in a body.
        explanation: What the reference codec found (field path, expected,
            found, requirement), if the connection was given an explainer and
            that had not reached its rate limit. Never holds input bytes of
            messages with sensitive fields.
    """

    def __init__(
        self,
        code: int,
        requirement: str = "",
        *,
        reason: str,
        message_type: int = 0,
        offset: int = -1,
        explanation: str | None = None,
    ) -> None:
        self.code = code
        self.requirement = requirement
        self.reason = reason
        self.message_type = message_type
        self.offset = offset
        self.explanation = explanation
        super().__init__(reason)

    def __str__(self) -> str:
        rule = f" [{self.requirement}]" if self.requirement else ""
        return f"0x{self.code:04x}{rule}: {self.reason}"
