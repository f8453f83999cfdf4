"""The codec's entry points: by message, by struct, by table, by revision."""

from __future__ import annotations

import json

import pytest

from wigwag.spec import product_root
from wigwag.wire import (
    DRAFT,
    ERRORS,
    INFO_BY_RECORD,
    LEGAL,
    LIMITS,
    MESSAGES,
    NEWEST_REVISION,
    REVISIONS,
    STATES,
    TRANSITIONS,
    CodecError,
    DecodeError,
    DeviceList,
    DeviceRef,
    EncodeError,
    Envelope,
    ErrorCode,
    GapReason,
    ListedDevice,
    Malformed,
    MessageClass,
    MessageType,
    NoLayout,
    Ping,
    Register,
    RequestRefused,
    Send,
    UndeliveredReason,
    WireError,
    decode_message,
    decode_struct,
    decoders,
    encode_message,
    encode_struct,
    encoders,
    error_class,
)

ID = bytes(range(16))
SEND = Send(
    ID, ID, 1, bytes(16), MessageClass.MESSAGE, (ID,), (Envelope(ID, 1, 7, b"opaque"),)
)


def encode_sample(name: str) -> bytes:
    """Return the bytes of a message's golden vector."""
    path = product_root() / "vectors" / f"{name.lower()}.json"
    return bytes.fromhex(
        json.loads(path.read_text())["layouts"][0]["vectors"][0]["wire"]
    )


def test_a_message_comes_back_from_its_bytes() -> None:
    """What the application sends is what the peer's application gets."""
    body = encode_message(SEND, DRAFT)
    assert decode_message(MessageType.SEND, DRAFT, body) == SEND


def test_tables_hold_the_same_functions() -> None:
    """The pump takes the tables once; they must not be another codec."""
    body = encoders(DRAFT)[Send](SEND)
    assert body == encode_message(SEND, DRAFT)
    assert decoders(DRAFT)[MessageType.SEND](body) == SEND
    assert decoders(DRAFT) is decoders(DRAFT)
    assert decoders(0).keys() == {
        type_ for type_, info in MESSAGES.items() if info.invariant
    }
    assert set(encoders(0)) == {
        info.record for info in MESSAGES.values() if info.invariant
    }


def test_an_invariant_needs_no_revision() -> None:
    """PING is the same before and after a revision is agreed."""
    assert encode_message(Ping(7), 0) == encode_message(Ping(7), DRAFT)
    assert decode_message(MessageType.PING, 0, encode_message(Ping(7), 0)) == Ping(7)


@pytest.mark.parametrize(
    ("type_", "revision"),
    [(MessageType.SEND, 0), (MessageType.SEND, 999), (9999, DRAFT)],
)
def test_what_does_not_exist_has_no_layout(type_: int, revision: int) -> None:
    """It is our bug to ask, not the peer's to send."""
    with pytest.raises(NoLayout, match=f"type {int(type_)} does not exist"):
        decode_message(type_, revision, b"")


def test_a_message_of_no_revision_is_not_written() -> None:
    """Bytes of an unknown revision would mean anything."""
    with pytest.raises(NoLayout):
        encode_message(SEND, 999)


def test_a_document_is_the_same_in_every_revision() -> None:
    """It is signed: other bytes are another document."""
    device = ListedDevice(1, bytes(32), bytes(32), (1,), bytes(64))
    document = DeviceList(ID, 1, bytes(32), 5, (device,))
    blob = encode_struct(document)
    assert blob == encode_struct(document, DRAFT)
    assert decode_struct(DeviceList, blob) == document
    assert decode_struct(DeviceList, blob, NEWEST_REVISION) == document
    later = DeviceList(ID, 1, bytes(32), 5, (device,), ((4001, b"later"),))
    assert decode_struct(DeviceList, encode_struct(later)) == later


def test_a_struct_of_no_revision_is_refused() -> None:
    """As for messages."""
    with pytest.raises(NoLayout, match="DeviceRef does not exist at revision 0x3e7"):
        decode_struct(DeviceRef, b"", 999)
    with pytest.raises(NoLayout):
        encode_struct(SEND)


def test_errors_say_whether_the_connection_can_go_on() -> None:
    """The two classes are what the connection acts on."""
    body = encode_message(SEND, DRAFT)
    with pytest.raises(Malformed) as malformed:
        decode_message(MessageType.SEND, DRAFT, body + b"\0")
    assert (malformed.value.code, malformed.value.offset) == (
        ErrorCode.MALFORMED,
        len(body),
    )
    too_many = body[:50] + b"\xff\xff" + body[52:]
    with pytest.raises(RequestRefused) as refused:
        decode_message(MessageType.SEND, DRAFT, too_many)
    assert (refused.value.code, refused.value.offset) == (ErrorCode.LIMIT, 50)
    assert refused.value.reason in str(refused.value)
    assert issubclass(Malformed, DecodeError)
    assert issubclass(RequestRefused, DecodeError)
    assert all(
        issubclass(one, CodecError) for one in (DecodeError, EncodeError, NoLayout)
    )
    assert issubclass(CodecError, WireError)


def test_sensitive_fields_are_never_shown() -> None:
    """A record's repr reaches logs and tracebacks."""
    envelope = Envelope(ID, 1, 7, b"very secret")
    assert "secret" not in repr(envelope)
    assert repr(envelope) == f"Envelope(user={ID!r}, device=1, registration_id=7, …)"
    assert "secret" not in repr(SEND)
    for info in MESSAGES.values():
        if info.sensitive and info.record is not Send:
            hidden = decode_message(info.type, DRAFT, encode_sample(info.name))
            assert "…)" in repr(hidden)
    assert MESSAGES[MessageType.SEND].sensitive
    assert MESSAGES[MessageType.REGISTER].sensitive
    assert not MESSAGES[MessageType.PING].sensitive
    assert Register.__repr__ is not Ping.__repr__


def test_an_unknown_value_of_an_open_enum_is_read_as_its_fallback() -> None:
    """An old client must do something sensible with a new reason."""
    assert MessageClass.from_wire(200) is MessageClass.SIGNAL
    assert MessageClass.from_wire(1) is MessageClass.MESSAGE
    assert GapReason.from_wire(200) is GapReason.OTHER
    assert UndeliveredReason.from_wire(200) is UndeliveredReason.OTHER


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (ErrorCode.MALFORMED, "connection_fatal"),
        (0x1FFF, "connection_fatal"),
        (0x2FFF, "permanent"),
        (0x3FFF, "retryable"),
        (0x4FFF, "auth"),
        (0x5FFF, "slow_down"),
        (0xF000, "permanent"),
        (0, "permanent"),
    ],
)
def test_an_unknown_code_still_has_a_class(code: int, expected: str) -> None:
    """A newer peer's code must not leave an older one without a reaction."""
    assert error_class(code) == expected


def test_tables_agree_with_each_other() -> None:
    """They are looked up together, per frame."""
    assert {info.record: info for info in MESSAGES.values()} == INFO_BY_RECORD
    assert set(MESSAGES) == set(MessageType)
    assert set(ERRORS) == set(ErrorCode)
    assert {state for state, _ in LEGAL} <= set(STATES)
    for (state, type_), following in TRANSITIONS.items():
        assert (state, type_) in LEGAL
        assert following in STATES
    assert all(state.frame_limit in LIMITS for state in STATES.values())
    assert REVISIONS[-1] == DRAFT == NEWEST_REVISION
