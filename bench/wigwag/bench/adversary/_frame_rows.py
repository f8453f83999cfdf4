"""Bad frames: the header, the cutting, or that it is no frame at all (F3 to F15)."""

import secrets

from wigwag.bench.adversary._attack import (
    SERVED,
    SILENCE,
    Row,
    Seen,
    Target,
    Told,
    ends_with,
    refused_with,
)
from wigwag.bench.adversary._people import Account
from wigwag.bench.adversary._scenes import (
    CORR,
    Deed,
    Run,
    after_sign_in,
    as_first_words,
    before_sign_in,
    must,
    signed_in,
)
from wigwag.bench.adversary._wire import Wire
from wigwag.wire import (
    DRAFT,
    LIMITS,
    MESSAGES,
    Ack,
    ErrorCode,
    Hello,
    MessageType,
    Ping,
    Pong,
    PrekeysCount,
    PrekeysStored,
    Reject,
    encode_frame,
    encode_message,
    frame,
)

# Types that nobody has: far from all that is assigned, and no grease either.
UNKNOWN_EVEN = 0x7FF0
UNKNOWN_ODD = 0x7FF1
BEFORE_AUTH_BYTES = LIMITS["frame_bytes_before_auth_max"].value
AFTER_AUTH_BYTES = LIMITS["frame_bytes_max"].value
UNKNOWN_BYTES = LIMITS["unknown_frame_bytes_max"].value
# Ten times what may come at once.
FLOOD_FRAMES = 10 * LIMITS["control_burst"].value
ACK_FRAMES = 2 * LIMITS["ack_per_second_max"].value
# Requests that are joined into one write; fewer than what may come at once.
JOINED = 64
# Another draft than any server's; the bit says that it is one.
OTHER_DRAFT = 0xFFFF


def _body_bytes_max(type_: int) -> int:
    layout = MESSAGES[type_].layout(DRAFT)
    assert layout is not None, "the draft has every type"
    return layout.body_bytes_max


PING_BYTES = _body_bytes_max(MessageType.PING)


def header(
    length: int, type_: int, *, flags: int = 0, ext_len: int = 0, corr: int = 0
) -> bytes:
    """Return 12 header bytes that promise anything."""
    return b"".join(
        (
            length.to_bytes(4),
            type_.to_bytes(2),
            bytes((flags, ext_len)),
            corr.to_bytes(4),
        )
    )


def hello(*, name: bytes = b"wigwag", draft: int = DRAFT) -> bytes:
    """Return a HELLO frame whose name may be anything of six bytes."""
    body = encode_message(
        Hello(
            client_nonce=secrets.token_bytes(32),
            revision_min=0,
            revision_max=0,
            draft=draft,
            features=(),
            frame_bytes_max=AFTER_AUTH_BYTES,
            window_entries=LIMITS["window_entries"].value,
            client_name="wigwag",
        ),
        DRAFT,
    )
    return frame(MessageType.HELLO, body.replace(b"wigwag", name), corr=1)


def _ping(flags: int = 0, corr: int = CORR) -> bytes:
    return encode_frame(Ping(1), DRAFT, corr, flags=flags)


def _silence(target: Target) -> Seen:
    with Wire.connect(target) as wire:
        return wire.observe_end()


def _silence_in_auth(target: Target) -> Seen:
    with Wire.hello(target) as wire:
        return wire.observe_end()


def _half_then_end(target: Target) -> Seen:
    """Two SENDs, the second cut in half: the first is stored, the second is not."""
    with target.people.borrow() as account, target.people.borrow() as other:
        whole = account.send_to(other, b"whole")
        account.note_stored(whole)
        half = encode_frame(account.send_to(other, b"half"), DRAFT, CORR + 1)
        with Wire.signed_in(target, account) as wire:
            wire.send(encode_frame(whole, DRAFT, CORR) + half[: len(half) // 2])
            wire.end_sending()
            seen = wire.observe_end()
        with Wire.hello(target) as wire:
            answer = wire.sign_in(account)
            must(
                answer.last_stored_id == whole.client_msg_id,
                "the state isn't that of the last whole frame",
            )
        return seen


def _half_then_silence(wire: Wire, _: Account) -> Seen:
    wire.send(_ping()[:10])
    return wire.observe_end()


def _half_body_then_silence(wire: Wire, _: Account) -> Seen:
    wire.send(header(100, MessageType.SEND, corr=CORR) + bytes(50))
    return wire.observe_end()


def _unknown_events(wire: Wire, _: Account) -> Seen:
    wire.send(frame(UNKNOWN_ODD, b"whatever") * 10)
    return wire.observe()


def _after_a_request(wire: Wire, _: Account) -> Seen:
    """GOAWAY names the last request that was handled (R-STATE-005)."""
    handled = wire.request(PrekeysCount())
    must(isinstance(wire.answer_to(handled), PrekeysStored), "no answer")
    wire.send_frame(UNKNOWN_EVEN)
    seen = wire.observe_end()
    must(wire.errors[0].frame_type == UNKNOWN_EVEN, "ERROR names another frame")
    must(
        wire.goaway is not None and wire.goaway.last_corr == handled,
        "GOAWAY names another request",
    )
    return seen


def _no_common_revision(target: Target) -> Seen:
    with Wire.connect(target) as wire:
        wire.send(hello(draft=OTHER_DRAFT))
        answer = wire.read_frame()
        reject = None if answer is None else answer.message
        must(isinstance(reject, Reject), "no REJECT")
        assert isinstance(reject, Reject)
        must(reject.draft == DRAFT, "REJECT doesn't name the server's range")
        must(wire.read_frame() is None, "something follows REJECT")
        must(wire.is_end_clean, "the connection was cut")
        return Seen(ErrorCode(reject.code), True, Told.REJECT)


def _single_bytes(target: Target) -> Seen:
    """HELLO, AUTH and a request, each byte in a record and a segment of its own."""
    with target.people.borrow() as account, Wire.connect(target) as wire:
        wire.is_dribbling = True
        wire.shake_hands()
        wire.sign_in(account)
        must(isinstance(wire.ask(PrekeysCount()), PrekeysStored), "no answer")
        return wire.observe()


def _joined(wire: Wire, _: Account) -> Seen:
    """Many requests in one segment, each answered once and in order."""
    corrs = range(CORR, CORR + JOINED)
    wire.send(b"".join(encode_frame(Ping(corr), DRAFT, corr) for corr in corrs))
    for corr in corrs:
        must(wire.answer_to(corr) == Pong(corr), "no answer")
    return wire.observe()


def flood_of(one: bytes, count: int) -> Deed:
    """Send one frame so often, all at once."""

    def deed(wire: Wire, _: Account) -> Seen:
        wire.send(one * count)
        seen = wire.observe_end()
        must(
            wire.errors and wire.errors[0].retry_after_ms > 0,
            "ENHANCE_CALM doesn't say when to come back",
        )
        return seen

    return deed


def _with_flag(bit: int) -> Run:
    return before_sign_in(lambda: _ping(1 << bit))


_E = ErrorCode

ROWS: tuple[Row, ...] = (
    Row(
        "F3",
        "plain HTTP where HELLO is due",
        "F3",
        SILENCE,
        as_first_words(lambda: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ),
    Row(
        "F3-noise",
        "noise where HELLO is due",
        "F3",
        SILENCE,
        as_first_words(lambda: secrets.token_bytes(BEFORE_AUTH_BYTES)),
    ),
    Row(
        "F3-tls",
        "TLS inside TLS",
        "F3",
        SILENCE,
        as_first_words(
            lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32)
        ),
    ),
    Row(
        "F3-text",
        "HELLO with a name that is no UTF-8",
        "F3",
        SILENCE,
        as_first_words(lambda: hello(name=b"\xff\xfe\xfd\xfc\xfb\xfa")),
    ),
    Row(
        "F3-silence",
        "TLS, then no word",
        "F3",
        SILENCE,
        _silence,
        seconds_min=5,
    ),
    Row(
        "F4",
        "a frame above 4 KiB before sign-in",
        "F4",
        ends_with(_E.FRAME_TOO_LARGE),
        before_sign_in(
            lambda: header(BEFORE_AUTH_BYTES + 1, MessageType.REGISTER, corr=CORR)
        ),
    ),
    Row(
        "F4-ready",
        "a frame above 256 KiB after sign-in",
        "F4",
        ends_with(_E.FRAME_TOO_LARGE),
        after_sign_in(
            lambda: header(AFTER_AUTH_BYTES + 1, MessageType.SEND, corr=CORR)
        ),
    ),
    Row(
        "F4-type",
        "a frame longer than its type can be",
        "F4",
        ends_with(_E.FRAME_TOO_LARGE),
        after_sign_in(lambda: header(PING_BYTES + 1, MessageType.PING, corr=CORR)),
    ),
    Row(
        "F5",
        "length 0 where a body is due",
        "F5",
        ends_with(_E.MALFORMED),
        after_sign_in(lambda: header(0, MessageType.SEND, corr=CORR)),
    ),
    Row(
        "F5-sign",
        "a length with its top bit set",
        "F5",
        ends_with(_E.MALFORMED),
        after_sign_in(lambda: header(0x8000_0008, MessageType.PING, corr=CORR)),
    ),
    Row("F6", "half a frame, then the end", "F6", SILENCE, _half_then_end),
    Row(
        "F7",
        "half a header, then silence",
        "F7",
        ends_with(_E.FRAME_TIMEOUT),
        signed_in(_half_then_silence),
        seconds_min=3,
    ),
    Row(
        "F7-body",
        "half a body, then silence",
        "F7",
        ends_with(_E.FRAME_TIMEOUT),
        signed_in(_half_body_then_silence),
        seconds_min=3,
    ),
    Row(
        "F7-hello",
        "half a HELLO, then silence",
        "F7",
        SILENCE,
        as_first_words(lambda: hello()[:40]),
        seconds_min=3,
    ),
    Row(
        "F7-auth",
        "HELLO, then silence",
        "F7",
        ends_with(_E.HANDSHAKE_TIMEOUT),
        _silence_in_auth,
        seconds_min=5,
    ),
    *(
        Row(
            f"F8-b{bit}",
            f"reserved flag b{bit}",
            "F8",
            ends_with(_E.MALFORMED),
            _with_flag(bit),
        )
        for bit in (2, 4, 5)
    ),
    Row(
        "F8-free",
        "flags b6 and b7, which are free",
        "F8",
        SERVED,
        before_sign_in(lambda: _ping(0xC0), corr=CORR),
    ),
    Row(
        "F10",
        "an unknown type that must be understood",
        "F10",
        ends_with(_E.UNSUPPORTED),
        signed_in(_after_a_request),
    ),
    Row(
        "F10-auth",
        "the same before sign-in",
        "F10",
        ends_with(_E.UNSUPPORTED),
        before_sign_in(lambda: frame(UNKNOWN_EVEN, b"", corr=CORR)),
    ),
    Row(
        "F11",
        "unknown events that may be skipped",
        "F11",
        SERVED,
        signed_in(_unknown_events),
    ),
    Row(
        "F11-request",
        "an unknown request that may be skipped",
        "F11",
        refused_with(_E.UNSUPPORTED),
        after_sign_in(lambda: frame(UNKNOWN_ODD, b"please", corr=CORR), corr=CORR),
    ),
    Row(
        "F11-long",
        "an unknown frame above 4 KiB",
        "F11",
        ends_with(_E.FRAME_TOO_LARGE),
        after_sign_in(lambda: header(UNKNOWN_BYTES + 1, UNKNOWN_ODD)),
    ),
    Row(
        "F12",
        "no common revision",
        "F12",
        Seen(_E.NO_COMMON_REVISION, True, Told.REJECT),
        _no_common_revision,
    ),
    Row("F13", "every byte in a segment of its own", "F13", SERVED, _single_bytes),
    Row(
        "F13-joined",
        "many frames in one segment",
        "F13",
        SERVED,
        signed_in(_joined),
    ),
    Row(
        "F15",
        "a thousand empty frames of an unknown type at once",
        "F15",
        ends_with(_E.ENHANCE_CALM),
        signed_in(flood_of(frame(UNKNOWN_ODD, b""), FLOOD_FRAMES)),
    ),
    Row(
        "F15-ack",
        "hundreds of ACK that say nothing new",
        "F15",
        ends_with(_E.ENHANCE_CALM),
        signed_in(flood_of(encode_frame(Ack(0), DRAFT), ACK_FRAMES)),
    ),
)
