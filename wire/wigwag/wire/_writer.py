"""Turns messages into frames: encoding, padding, grease."""

from typing import Final

from wigwag.wire._errors import LocalProtocolError
from wigwag.wire._generated import Feature, Message
from wigwag.wire._grease import Grease
from wigwag.wire._header import FLAGS_IGNORED, HEADER, PADDED, padding
from wigwag.wire._rules import ERROR, Asked, Rule

PADDING_FEATURE: Final = Feature.PADDING


class UnknownRequest:
    """An unknown request of ours, sent as grease: ERROR answers it."""

    def __init__(self) -> None:
        self.type = 0
        self.replies = frozenset({ERROR})
        self.is_stream = False


UNKNOWN_REQUEST: Final[Asked] = UnknownRequest()


class FrameWriter:
    """Builds the frames of one connection.

    Args:
        grease: Where unknown values come from, or None.

    Attributes:
        grease: The same.
        pads: Both sides named the PADDING feature.
    """

    __slots__ = ("grease", "pads")

    def __init__(self, grease: Grease | None) -> None:
        self.grease = grease
        self.pads = False

    def frame(
        self,
        rule: Rule,
        message: Message,
        flags: int,
        corr: int,
        length_max: int,
    ) -> bytes:
        """Builds a frame, now and then greased.

        Args:
            rule: That of the message.
            message: The record.
            flags: RESPONSE, MORE.
            corr: Number of the request; 0: none.
            length_max: Largest `length` that the peer takes now.

        Raises:
            LocalProtocolError: It is too large.
            EncodeError: The record breaks its layout.
        """
        if self.grease is not None and self.grease.is_due():
            frame = self.greased_frame(rule, message, flags, corr)
            if len(frame) - HEADER.size <= length_max:
                return frame
        body = rule.encode(message)
        if len(body) > length_max:
            raise LocalProtocolError(
                f"{rule.info.name} of {len(body)} bytes; the peer takes {length_max}"
            )
        if self.pads and rule.info.padding:
            filling = padding(len(body))
            if len(body) + len(filling) <= length_max:
                body += filling
                flags |= PADDED
        return HEADER.pack(len(body), rule.type, flags, 0, corr) + body

    def greased_frame(
        self, rule: Rule, message: Message, flags: int, corr: int
    ) -> bytes:
        """Builds a frame with an unknown tag, extension entry and ignorable flag.

        What is signed keeps the body that was signed, and has no extension.
        """
        grease = self.grease
        assert grease is not None
        flags |= grease.flags() & FLAGS_IGNORED
        if rule.is_signed:
            body = rule.encode(message)
            return HEADER.pack(len(body), rule.type, flags, 0, corr) + body
        extension = grease.extension()
        content = extension + rule.encode(grease.tagged(message))
        if self.pads and rule.info.padding:
            content += padding(len(content))
            flags |= PADDED
        return (
            HEADER.pack(len(content), rule.type, flags, len(extension), corr) + content
        )

    def hello_frame(self, rule: Rule, message: Message, corr: int) -> bytes:
        """Builds HELLO, WELCOME or REJECT: with grease, always greased."""
        if self.grease is not None:
            return self.greased_frame(rule, message, rule.flags, corr)
        body = rule.encode(message)
        return HEADER.pack(len(body), rule.type, rule.flags, 0, corr) + body

    def unknown_frame(self, corr: int) -> bytes:
        """Builds a frame of an unknown type.

        Args:
            corr: Number of a request; 0: an event.
        """
        grease = self.grease
        assert grease is not None
        body = grease.body()
        return HEADER.pack(len(body), grease.id(), grease.flags(), 0, corr) + body
