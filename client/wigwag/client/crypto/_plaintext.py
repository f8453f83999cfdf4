"""The head that ties a plaintext to its delivery, and the padding behind it.

A plaintext begins with what DELIVER says of the message, so that nobody can
move a ciphertext to another chat, id or class (E2EE.md §2), and with the hashes
of both device lists, by which a split view shows.
"""

from dataclasses import dataclass
from typing import final

from wigwag.client.crypto._errors import Forgery, ForgeryReason
from wigwag.wire import suite1

_HEAD_BYTES = len(
    suite1.encode_plaintext(
        suite1.Plaintext(bytes(16), bytes(16), 0, bytes(8), bytes(8), 0, b"")
    )
)


PAIRWISE_CONTENT_BYTES_MAX = 14_283
"""Most bytes of content that fit an envelope of `envelope_bytes_max` even with a
prekey header (a test tries it): longer texts go as attachments (E2EE.md §6)."""


@final
@dataclass(frozen=True, slots=True)
class PlaintextHead:
    """What a message is, according to its sender.

    Attributes:
        chat_id: 16 bytes.
        client_msg_id: 16 bytes.
        message_class: Class of the SEND.
        own_list_hash: `ListPin.hash_prefix` of the sender's own list, 8 bytes.
        peer_list_hash: The same of the recipient's list that the sender pins.
    """

    chat_id: bytes
    client_msg_id: bytes
    message_class: int
    own_list_hash: bytes
    peer_list_hash: bytes


@final
@dataclass(frozen=True, slots=True, repr=False)
class OpenedPlaintext:
    """A plaintext whose head agrees with its delivery.

    Attributes:
        head: What it says it is.
        content: Content bytes, without padding.
    """

    head: PlaintextHead
    content: bytes

    def __repr__(self) -> str:
        return "<OpenedPlaintext>"


def padded_length(length_bytes: int) -> int:
    """Say to how many bytes a plaintext of this length is padded.

    Multiples of 160 bytes up to 1 KiB, then Padmé (Nikitin et al., "Reducing
    Metadata Leakage from Encrypted Files and Communication with PURBs", 2019, §4):
    at most 12 % more, and only O(log log n) bits of the length show.
    """
    bucket = suite1.PADDING_BUCKET_BYTES
    if length_bytes <= suite1.PADDING_BUCKETS_END_BYTES:
        rounded = max(-(-length_bytes // bucket), 1) * bucket
        return min(rounded, suite1.PADDING_BUCKETS_END_BYTES)
    exponent = length_bytes.bit_length() - 1
    zero_bits = exponent - exponent.bit_length()
    step = 1 << zero_bits
    return -(-length_bytes // step) * step


def seal_plaintext(head: PlaintextHead, content: bytes) -> bytes:
    """Put head, content and padding together, ready for `encrypt`.

    Args:
        head: Must say what the SEND will say.
        content: Encoded content, at most 64 KiB.
    """
    padding = padded_length(_HEAD_BYTES + len(content)) - _HEAD_BYTES - len(content)
    return suite1.encode_plaintext(
        suite1.Plaintext(
            chat_id=head.chat_id,
            client_msg_id=head.client_msg_id,
            message_class=head.message_class,
            own_list_hash=head.own_list_hash,
            peer_list_hash=head.peer_list_hash,
            content_bytes=len(content),
            padded_content=content + bytes(padding),
        )
    )


def open_plaintext(
    plaintext: bytes, *, chat_id: bytes, client_msg_id: bytes, message_class: int
) -> OpenedPlaintext:
    """Take a plaintext apart and compare its head with the delivery.

    Args:
        plaintext: From `decrypt`.
        chat_id: Chat in which it was delivered.
        client_msg_id: Id under which it was delivered.
        message_class: Class under which it was delivered.

    Raises:
        Forgery: If the head says otherwise, or length or padding is wrong.
    """
    try:
        parsed = suite1.decode_plaintext(plaintext)
    except suite1.LayoutError as error:
        raise Forgery(ForgeryReason.LAYOUT) from error
    content = parsed.padded_content[: parsed.content_bytes]
    length_bytes = _HEAD_BYTES + parsed.content_bytes
    if len(plaintext) != padded_length(length_bytes):
        raise Forgery(ForgeryReason.LAYOUT)
    if any(parsed.padded_content[parsed.content_bytes :]):
        raise Forgery(ForgeryReason.LAYOUT)
    if parsed.chat_id != chat_id:
        raise Forgery(ForgeryReason.CHAT)
    if parsed.client_msg_id != client_msg_id:
        raise Forgery(ForgeryReason.MESSAGE_ID)
    if parsed.message_class != message_class:
        raise Forgery(ForgeryReason.MESSAGE_CLASS)
    head = PlaintextHead(
        chat_id=parsed.chat_id,
        client_msg_id=parsed.client_msg_id,
        message_class=parsed.message_class,
        own_list_hash=parsed.own_list_hash,
        peer_list_hash=parsed.peer_list_hash,
    )
    return OpenedPlaintext(head, content)
