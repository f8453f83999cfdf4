"""Whole frames of known messages, for who builds them ahead (hot paths, stores)."""

from wigwag.wire._codec import encode_message
from wigwag.wire._generated import INFO_BY_RECORD, Message
from wigwag.wire._header import RESPONSE, frame


def encode_frame(
    record: Message, revision: int, corr: int = 0, *, flags: int = 0
) -> bytes:
    """Returns a message as one frame, without extension and padding.

    Args:
        record: The message.
        revision: As negotiated, or the finalized one for what is stored.
        corr: Number of a request, or of the one that it answers; 0 for events.
        flags: MORE, if another answer follows. RESPONSE is set for answers.

    Raises:
        NoLayout: The message does not exist at that revision.
        EncodeError: It breaks its layout.
    """
    info = INFO_BY_RECORD[type(record)]
    if info.kind == "response" and (corr or not info.unsolicited):
        flags |= RESPONSE
    return frame(info.type, encode_message(record, revision), flags=flags, corr=corr)
