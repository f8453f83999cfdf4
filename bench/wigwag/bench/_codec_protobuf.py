"""The same messages as Protocol Buffers, described at run time: no protoc is needed.

Imported only where google.protobuf is installed. Its implementation in C is upb.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal import api_implementation

from wigwag.bench._codec_contestants import Contestant
from wigwag.wire import Deliver, Envelope, Send

_BYTES = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
_U64 = descriptor_pb2.FieldDescriptorProto.TYPE_UINT64
_MESSAGE = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
_ONE = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
_MANY = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
_PACKAGE = "wigwag.bench"


def protobuf(message: Send | Deliver) -> Contestant:
    """Protocol Buffers with the same fields."""
    classes = _classes()
    class_, envelope_class = classes[type(message).__name__], classes["Envelope"]
    names = [name for name in message.__struct_fields__ if name != "unknown"]
    values: dict[str, Any] = {name: getattr(message, name) for name in names}
    if isinstance(message, Send):
        (envelope,) = message.envelopes
        fields = [name for name in envelope.__struct_fields__ if name != "unknown"]
        inner = {name: getattr(envelope, name) for name in fields}
        head = {name: value for name, value in values.items() if name != "envelopes"}

        def encode() -> bytes:
            made: Any = class_(**head, envelopes=(envelope_class(**inner),))
            return bytes(made.SerializeToString())
    else:
        fields = []

        def encode() -> bytes:
            made: Any = class_(**values)
            return bytes(made.SerializeToString())

    encoded = encode()

    def decode() -> object:
        found: Any = class_.FromString(encoded)
        read = [getattr(found, name) for name in names]
        for one in read[-1] if fields else ():
            read.extend([getattr(one, name) for name in fields])
        return read

    kind = api_implementation.Type()
    name = "protobuf-upb" if kind == "upb" else f"protobuf-{kind}"
    return Contestant(name, encode, decode, encoded)


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="wigwag_bench.proto", package=_PACKAGE, syntax="proto3"
    )
    samples = (
        (Envelope, {"ciphertext": _BYTES, "user": _BYTES}),
        (
            Send,
            {
                "chat": _BYTES,
                "client_msg_id": _BYTES,
                "after": _BYTES,
                "users": _BYTES,
                "envelopes": _MESSAGE,
            },
        ),
        (
            Deliver,
            {
                "chat": _BYTES,
                "sender": _BYTES,
                "client_msg_id": _BYTES,
                "ciphertext": _BYTES,
            },
        ),
    )
    for record, types in samples:
        described = file.message_type.add(name=record.__name__)
        names = [name for name in record.__struct_fields__ if name != "unknown"]
        for number, name in enumerate(names, 1):
            kind = types.get(name, _U64)
            field = described.field.add(name=name, number=number, type=kind)
            field.label = _MANY if name in ("users", "envelopes") else _ONE
            if kind == _MESSAGE:
                field.type_name = f".{_PACKAGE}.Envelope"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        record.__name__: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{_PACKAGE}.{record.__name__}")
        )
        for record, _ in samples
    }
