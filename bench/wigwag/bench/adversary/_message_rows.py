"""Bad messages: whole frames of a known type whose content is wrong (M1 to M13)."""

import secrets

from wigwag.bench._account import now_ms
from wigwag.bench.adversary._attack import (
    SERVED,
    Row,
    Seen,
    Target,
    ends_with,
    refused_with,
)
from wigwag.bench.adversary._people import DAY_MS, Account, message_id
from wigwag.bench.adversary._scenes import (
    CORR,
    Deed,
    Run,
    after_sign_in,
    asked,
    must,
    signed_in,
    two_signed_in,
)
from wigwag.bench.adversary._wire import Wire
from wigwag.wire import (
    DRAFT,
    LIMITS,
    ErrorCode,
    MessageType,
    PrekeysUpload,
    ReceiptsGet,
    Sequenced,
    UsernameResolve,
    encode_message,
    frame,
)

# Where fields of a SEND are: chat, id, attempt, after, class, then the users' count.
SEND_ID = slice(16, 32)
SEND_USERS_COUNT = slice(50, 52)
# Where the proof's length is in a REGISTER without a proof: before the tags' count.
REGISTER_PROOF_KIND = slice(-4, -3)
REGISTER_PROOF_LENGTH = slice(-3, -1)
# No tag has these numbers, and none is grease.
EVEN_TAG, ODD_TAG, NEXT_ODD_TAG = 0x7FF0, 0x7FF1, 0x7FF3
TOO_OLD_DAYS = LIMITS["id_age_days_max"].value + 1
TOO_NEW_DAYS = LIMITS["id_ahead_days_max"].value + 1
CHATS_MAX = LIMITS["receipts_chats_max"].value


def _patched(body: bytes, place: slice, value: bytes) -> bytes:
    """Return a body with other bytes in one place."""
    changed = bytearray(body)
    changed[place] = value
    return bytes(changed)


def _resolve(content: bytes) -> bytes:
    """Return a USERNAME_RESOLVE whose name may be any bytes."""
    body = bytes((len(content),)) + content + b"\0"
    return frame(MessageType.USERNAME_RESOLVE, body, corr=CORR)


def _name(content: bytes) -> Run:
    return after_sign_in(lambda: _resolve(content), corr=CORR)


def _bad_send(place: slice, value: bytes) -> Deed:
    """Send a SEND to oneself's friend in which one field is wrong."""

    def deed(wire: Wire, account: Account) -> Seen:
        body = encode_message(account.send_to(Account(), b"text"), DRAFT)
        wire.send_frame(MessageType.SEND, _patched(body, place, value), corr=CORR)
        return wire.observe(CORR)

    return deed


def _minted(days: int) -> Deed:
    """Send a message whose id says that it is so many days from now."""

    def deed(wire: Wire, account: Account) -> Seen:
        at_ms = now_ms() + days * DAY_MS
        made = message_id(at_ms)
        return asked(wire, account.send_to(Account(), b"text", client_msg_id=made))

    return deed


def _chats_count(count: int) -> bytes:
    body = encode_message(ReceiptsGet((secrets.token_bytes(16),)), DRAFT)
    return frame(
        MessageType.RECEIPTS_GET,
        _patched(body, slice(0, 1), bytes((count,))),
        corr=CORR,
    )


def _bad_register(place: slice, value: bytes) -> Run:
    """Register with one field wrong: nothing before it is, and no signature counts."""

    def run(target: Target) -> Seen:
        with Wire.hello(target) as wire:
            account = Account(generation=1)
            body = encode_message(wire.register_message(account), DRAFT)
            wire.send_frame(
                MessageType.REGISTER, _patched(body, place, value), corr=CORR
            )
            return wire.observe(CORR)

    return run


def _bad_bool(wire: Wire, account: Account) -> Seen:
    prekey = account.kem_prekey(1, last_resort=True)
    body = encode_message(PrekeysUpload((), (), last_resort=prekey), DRAFT)
    at = body.index(prekey.key) - 1
    bad = _patched(body, slice(at, at + 1), b"\x02")
    wire.send_frame(MessageType.PREKEYS_UPLOAD, bad, corr=CORR)
    return wire.observe(CORR)


def _tags(*numbers: int) -> Run:
    """Upload nothing, with tags of these numbers."""

    def bad() -> bytes:
        body = encode_message(PrekeysUpload((), ()), DRAFT)
        tags = b"".join(
            number.to_bytes(2) + (1).to_bytes(4) + b"x" for number in numbers
        )
        body = body[:-1] + bytes((len(numbers),)) + tags
        return frame(MessageType.PREKEYS_UPLOAD, body, corr=CORR)

    return after_sign_in(bad, corr=CORR)


def _prekey_of_another_century(wire: Wire, account: Account) -> Seen:
    signed = account.signed_prekey(2, created_ms=now_ms() + 36_500 * DAY_MS)
    return asked(wire, PrekeysUpload((), (), signed=signed))


def _garbage_inside(target: Target) -> Seen:
    """The server must not look inside: what it can't read it carries as it is."""
    with two_signed_in(target) as ((sender, source), (receiver, sink)):
        garbage = secrets.token_bytes(100)
        message = sender.send_to(receiver, garbage)
        must(isinstance(source.ask(message), Sequenced), "not sequenced")
        sender.note_stored(message)
        entry = sink.next_entry()
        while entry.ciphertext != garbage:  # what waited from earlier runs
            entry = sink.next_entry()
        sink.acknowledge(receiver, entry.inbox_seq)
        must(sink.observe() == SERVED, "the receiver's connection")
        return source.observe()


_E = ErrorCode

ROWS: tuple[Row, ...] = (
    Row(
        "M1",
        "a byte after the end of the message",
        "M1",
        ends_with(_E.MALFORMED),
        after_sign_in(
            lambda: frame(
                MessageType.USERNAME_RESOLVE,
                encode_message(UsernameResolve("alice"), DRAFT) + b"\0",
                corr=CORR,
            ),
            corr=CORR,
        ),
    ),
    Row(
        "M2",
        "a length that runs past the end",
        "M2",
        ends_with(_E.MALFORMED),
        after_sign_in(
            lambda: frame(MessageType.USERNAME_RESOLVE, b"\x20alice\0", corr=CORR),
            corr=CORR,
        ),
    ),
    Row(
        "M3",
        "a count above its maximum",
        "M3",
        refused_with(_E.LIMIT),
        after_sign_in(lambda: _chats_count(CHATS_MAX + 1), corr=CORR),
    ),
    Row(
        "M3-auth",
        "a length above its maximum before sign-in",
        "M3",
        ends_with(_E.LIMIT),
        _bad_register(REGISTER_PROOF_LENGTH, b"\xff\xff"),
    ),
    Row(
        "M4",
        "a giant count of elements that aren't there",
        "M4",
        refused_with(_E.LIMIT),
        signed_in(_bad_send(SEND_USERS_COUNT, b"\xff\xff")),
    ),
    Row(
        "M6",
        "an unknown value of a closed enum, before sign-in",
        "M6",
        ends_with(_E.UNSUPPORTED),
        _bad_register(REGISTER_PROOF_KIND, b"\xf0"),
    ),
    Row(
        "M7",
        "a bool that is 2",
        "M7",
        ends_with(_E.MALFORMED),
        signed_in(_bad_bool),
    ),
    *(
        Row(f"M8-{name}", title, "M8", refused_with(_E.INVALID_TEXT), _name(content))
        for name, title, content in (
            ("utf8", "text that is no UTF-8", b"al\xffice"),
            ("nul", "text with a NUL", b"al\0ice"),
            ("surrogate", "text with a surrogate", b"al\xed\xa0\x80ice"),
            ("overlong", "text with an overlong form", b"al\xc0\xaeice"),
            ("nfd", "a name that isn't NFC", "ale\u0301".encode()),
            ("bidi", "a name with a bidi control", "ali\u202ece".encode()),
        )
    ),
    Row(
        "M10",
        "the same tag twice",
        "M10",
        ends_with(_E.MALFORMED),
        _tags(ODD_TAG, ODD_TAG),
    ),
    Row(
        "M10-order",
        "tags out of order",
        "M10",
        ends_with(_E.MALFORMED),
        _tags(NEXT_ODD_TAG, ODD_TAG),
    ),
    Row(
        "M10-even",
        "an unknown tag that must be understood",
        "M10",
        ends_with(_E.UNKNOWN_CRITICAL),
        _tags(EVEN_TAG),
    ),
    Row(
        "M10-odd",
        "an unknown tag that may be skipped",
        "M10",
        SERVED,
        _tags(ODD_TAG),
    ),
    Row(
        "M11",
        "a message id that is too old",
        "M11",
        refused_with(_E.EXPIRED),
        signed_in(_minted(-TOO_OLD_DAYS)),
    ),
    Row(
        "M11-future",
        "a message id from the future",
        "M11",
        refused_with(_E.EXPIRED),
        signed_in(_minted(TOO_NEW_DAYS)),
    ),
    Row(
        "M11-prekey",
        "a signed prekey made in another century",
        "M11",
        refused_with(_E.INVALID_TIME),
        signed_in(_prekey_of_another_century),
    ),
    Row(
        "M12",
        "an id of zeros",
        "M12",
        ends_with(_E.MALFORMED),
        signed_in(_bad_send(SEND_ID, bytes(16))),
    ),
    Row(
        "M13",
        "a ciphertext that no client can read",
        "M13",
        SERVED,
        _garbage_inside,
    ),
)
