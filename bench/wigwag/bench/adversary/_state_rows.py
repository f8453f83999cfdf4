"""Good frames at the wrong moment, or too many of them (S1 to S14)."""

import secrets

import msgspec

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
from wigwag.bench.adversary._frame_rows import (
    FLOOD_FRAMES,
    UNKNOWN_ODD,
    flood_of,
    hello,
)
from wigwag.bench.adversary._people import Account
from wigwag.bench.adversary._scenes import (
    CORR,
    after_sign_in,
    as_first_words,
    before_sign_in,
    must,
    signed_in,
    two_signed_in,
)
from wigwag.bench.adversary._wire import Wire
from wigwag.wire import (
    DRAFT,
    LIMITS,
    RESPONSE,
    Ack,
    AuthOk,
    Deliver,
    Error,
    ErrorCode,
    Goaway,
    MessageClass,
    Ping,
    Pong,
    PrekeysCount,
    Receipts,
    ReceiptsGet,
    Sequenced,
    encode_frame,
    frame,
    make_error,
)

# More than may be in flight, so that the server must stop reading on the way. How it
# bears far more is a flood's business.
PIPELINE = LIMITS["in_flight_max"].value + 44
U64_MAX = 2**64 - 1


def _count(corr: int = CORR) -> bytes:
    return encode_frame(PrekeysCount(), DRAFT, corr)


def _deliver() -> bytes:
    own, chat, message = (secrets.token_bytes(16) for _ in range(3))
    entry = Deliver(
        inbox_seq=1,
        prev=0,
        chat=chat,
        chat_seq=1,
        class_=MessageClass.MESSAGE,
        sender=own,
        sender_device=1,
        registration_id=1,
        client_msg_id=message,
        sent_at=1,
        ciphertext=b"forged",
    )
    return encode_frame(entry, DRAFT)


def _sequenced() -> bytes:
    forged = Sequenced(
        client_msg_id=secrets.token_bytes(16), attempt=1, chat_seq=1, sent_at=1
    )
    return encode_frame(forged, DRAFT, CORR)


def _auth_first() -> bytes:
    account = Account(generation=1)
    return encode_frame(account.auth(bytes(32), bytes(32)), DRAFT, CORR)


def _sign_in_again(wire: Wire, account: Account) -> Seen:
    account.generation += 1
    wire.send(encode_frame(wire.auth_message(account), DRAFT, CORR))
    return wire.observe(CORR)


def _register_after(wire: Wire, _: Account) -> Seen:
    account = Account(generation=1)
    wire.send(encode_frame(wire.register_message(account), DRAFT, CORR))
    return wire.observe(CORR)


def _ack_above(target: Target) -> Seen:
    with target.people.borrow() as account, Wire.hello(target) as wire:
        last = wire.sign_in(account).last
        # The log judges it; a request behind it is answered only after that.
        wire.send(encode_frame(Ack(max(last, account.cursor) + 1), DRAFT) + _count())
        return wire.observe(CORR)


def _cursor_of_nonsense(target: Target) -> Seen:
    with target.people.borrow() as account, Wire.hello(target) as wire:
        honest, account.cursor = account.cursor, U64_MAX
        account.generation += 1
        auth = wire.auth_message(account)
        account.cursor = honest
        wire.send(encode_frame(auth, DRAFT, CORR))
        return wire.observe(CORR)


def _ack_back(target: Target) -> Seen:
    with two_signed_in(target) as ((sender, source), (receiver, sink)):
        message = sender.send_to(receiver, b"text")
        must(isinstance(source.ask(message), Sequenced), "not sequenced")
        sender.note_stored(message)
        entry = sink.next_entry()
        while entry.client_msg_id != message.client_msg_id:
            entry = sink.next_entry()
        sink.acknowledge(receiver, entry.inbox_seq)
        sink.send(encode_frame(Ack(entry.inbox_seq - 1), DRAFT) + _count())
        seen = sink.observe(CORR)
        with Wire.hello(target) as again:
            acked = again.sign_in(receiver).acked
            must(acked == entry.inbox_seq, "the cursor went back")
        return seen


def _unknown_session(target: Target) -> Seen:
    with target.people.borrow() as account, Wire.hello(target) as wire:
        account.generation += 1
        unsigned = msgspec.structs.replace(
            wire.auth_message(account), session=secrets.token_bytes(16)
        )
        auth = account.sign_auth(
            unsigned, wire.connection.transcript_hash, wire.leaf_sha256
        )
        must(isinstance(wire.ask(auth), AuthOk), "no AUTH_OK")
        return wire.observe()


def _twice(target: Target) -> Seen:
    """The older connection of a device ends, the newer works."""
    with target.people.borrow() as account, Wire.signed_in(target, account) as older:
        with Wire.signed_in(target, account) as newer:
            seen = older.observe_end()
            must(newer.observe() == SERVED, "the newer connection")
        return seen


def _pipeline(wire: Wire, _: Account) -> Seen:
    """More requests than may be in flight: each is answered once, granted or not.

    What is granted is in order; what is over the device's rate is refused at once.
    """
    corrs = range(CORR, CORR + PIPELINE)
    asked = ReceiptsGet(chats=(secrets.token_bytes(16),))
    wire.send(b"".join(encode_frame(asked, DRAFT, corr) for corr in corrs))
    answered: list[int] = []
    granted: list[int] = []
    while len(answered) < PIPELINE:
        came = wire.read_frame()
        must(came is not None, "an answer is missing")
        assert came is not None
        if not came.flags & RESPONSE:
            continue
        answered.append(came.corr)
        if isinstance(came.message, Receipts):
            granted.append(came.corr)
        else:
            is_slowed = isinstance(came.message, Error) and (
                came.message.code == ErrorCode.RATE_LIMITED
            )
            must(is_slowed, "a request was refused")
    must(sorted(answered) == list(corrs), "a request was answered twice")
    must(granted == sorted(granted), "answers are out of order")
    return wire.observe()


def _no_pong(wire: Wire, _: Account) -> Seen:
    """Our reading answers no PING."""
    return wire.observe_end()


def _after_goaway(target: Target) -> Seen:
    """What follows GOAWAY is ignored: no answer, and nothing is stored."""
    with target.people.borrow() as account, target.people.borrow() as other:
        late = account.send_to(other, b"late")
        with Wire.signed_in(target, account) as wire:
            goaway = Goaway(code=ErrorCode.GOING_AWAY, last_corr=0, retry_after_ms=0)
            wire.send(
                encode_frame(goaway, DRAFT)
                + encode_frame(late, DRAFT, CORR)
                + _count(9)
            )
            seen = wire.observe_end()
            must(
                not any(one.flags & RESPONSE for one in wire.others),
                "a request after GOAWAY was answered",
            )
        with Wire.hello(target) as wire:
            stored = wire.sign_in(account).last_stored_id
            must(stored != late.client_msg_id, "a SEND after GOAWAY was stored")
        return seen


def _other_transcript(target: Target) -> Seen:
    """Sign what another HELLO agreed on, as after a downgrade by somebody between."""
    with (
        target.people.borrow() as account,
        Wire.hello(target) as other,
        Wire.hello(target) as wire,
    ):
        account.generation += 1
        wire.send(encode_frame(other.auth_message(account), DRAFT, CORR))
        return wire.observe(CORR)


_E = ErrorCode

ROWS: tuple[Row, ...] = (
    Row(
        "S1",
        "PING before HELLO",
        "S1",
        SILENCE,
        as_first_words(lambda: encode_frame(Ping(1), DRAFT, CORR)),
    ),
    Row("S1-auth", "AUTH before HELLO", "S1", SILENCE, as_first_words(_auth_first)),
    Row(
        "S1-unknown",
        "an unknown frame, which elsewhere is skipped, before HELLO",
        "S1",
        SILENCE,
        as_first_words(lambda: frame(UNKNOWN_ODD, b"") + hello()),
    ),
    Row(
        "S2",
        "a second HELLO",
        "S2",
        ends_with(_E.PROTOCOL_ERROR),
        before_sign_in(hello),
    ),
    Row(
        "S2-ready",
        "HELLO after sign-in",
        "S2",
        ends_with(_E.PROTOCOL_ERROR),
        after_sign_in(hello),
    ),
    Row(
        "S2-auth",
        "AUTH after AUTH_OK",
        "S2",
        ends_with(_E.PROTOCOL_ERROR),
        signed_in(_sign_in_again),
    ),
    Row(
        "S2-register",
        "REGISTER after AUTH_OK",
        "S2",
        ends_with(_E.PROTOCOL_ERROR),
        signed_in(_register_after),
    ),
    Row(
        "S2-early",
        "a request before sign-in",
        "S2",
        ends_with(_E.PROTOCOL_ERROR),
        before_sign_in(_count),
    ),
    Row(
        "S3",
        "DELIVER from a client",
        "S3",
        ends_with(_E.PROTOCOL_ERROR),
        after_sign_in(_deliver),
    ),
    Row(
        "S3-answer",
        "SEQUENCED from a client",
        "S3",
        ends_with(_E.PROTOCOL_ERROR),
        after_sign_in(_sequenced),
    ),
    Row("S4", "ACK above the inbox", "S4", ends_with(_E.PROTOCOL_ERROR), _ack_above),
    Row(
        "S4-auth",
        "AUTH with a cursor of nonsense",
        "S4",
        ends_with(_E.PROTOCOL_ERROR),
        _cursor_of_nonsense,
    ),
    Row("S5", "ACK going back", "S5", SERVED, _ack_back),
    Row(
        "S6",
        "an answer to a request that nobody made",
        "S6",
        ends_with(_E.PROTOCOL_ERROR),
        after_sign_in(
            lambda: encode_frame(make_error(_E.UNSUPPORTED, 1), DRAFT, 0x7FFF)
        ),
    ),
    Row(
        "S6-reused",
        "a request number that is in flight",
        "S6",
        ends_with(_E.PROTOCOL_ERROR),
        after_sign_in(lambda: _count() + _count(), corr=CORR),
    ),
    Row(
        "S7", "a session to go on with that is unknown", "S7", SERVED, _unknown_session
    ),
    Row(
        "S8",
        "the same device twice",
        "S8",
        Seen(_E.REPLACED, True, Told.GOAWAY),
        _twice,
    ),
    Row(
        "S9",
        "more requests than may be in flight",
        "S9",
        SERVED,
        signed_in(_pipeline),
    ),
    Row(
        "S11",
        "a thousand PING at once",
        "S11",
        ends_with(_E.ENHANCE_CALM),
        signed_in(flood_of(encode_frame(Ping(1), DRAFT, CORR), FLOOD_FRAMES)),
    ),
    Row(
        "S11-pong",
        "PONG that answers no PING",
        "S11",
        SERVED,
        after_sign_in(lambda: encode_frame(Pong(1), DRAFT, CORR)),
    ),
    Row(
        "S11-silent",
        "PING that is not answered",
        "S11",
        ends_with(_E.PEER_TIMEOUT),
        signed_in(_no_pong),
        seconds_min=9,
    ),
    Row(
        "S12",
        "requests after GOAWAY",
        "S12",
        Seen(_E.GOING_AWAY, True, Told.GOAWAY),
        _after_goaway,
    ),
    Row(
        "S14",
        "a signature over what another HELLO agreed on",
        "S14",
        refused_with(_E.AUTH_FAILED),
        _other_transcript,
    ),
)
