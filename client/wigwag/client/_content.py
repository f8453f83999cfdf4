"""Content inside the ciphertext: records to msgpack and back, strictly.

The kinds are data (`spec/content/`); this is the one module that touches
msgpack, which has no types. What comes out of the ciphertext is from an
authentic sender, who may still be malicious or newer than we are: limits are
checked before and after decoding, keys that we don't know are kept, and kinds
that we don't know become `UnknownContent`.

::

    data = encode_content(Text("hello"))
    match decode_content(data):
        case Text(text=text):
            print(text)
"""

# pyright: basic
# msgpack has neither annotations nor stubs; every value is cast at once.

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast, final

import msgpack

from wigwag.wire import content1

ContentRefused = content1.ContentRefused
KnownContent = content1.KnownContent
ReadReceipt = content1.ReadReceipt
Resent = content1.Resent
Retry = content1.Retry
Text = content1.Text

_KEY_MAX = 0xFFFF
"""Keys of the outer map; specified ones end at 127."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class UnknownContent:
    """Content of a kind or version that a newer program wrote.

    Attributes:
        version: Its content version.
        kind: Its kind.
        data: The whole, to be read again after an update.
    """

    version: int
    kind: int
    data: bytes

    def __repr__(self) -> str:
        return f"<UnknownContent version {self.version} kind {self.kind}>"


def encode_content(content: KnownContent) -> bytes:
    """Write content, keys in ascending order.

    Raises:
        ContentRefused: If a field breaks its bounds or the whole is too large.
    """
    data = cast("bytes", msgpack.packb(content.to_map(), use_bin_type=True))
    if len(data) > content1.CONTENT_BYTES_MAX:
        raise ContentRefused(None, "too large")
    return data


def decode_content(data: bytes) -> KnownContent | UnknownContent:
    """Read content.

    Args:
        data: What stood behind the head of the plaintext.

    Raises:
        ContentRefused: If it isn't a map with small integer keys, breaks a
            limit, or a field of a known kind isn't what it must be.
    """
    values = _decoded(data)
    version = _small(values, content1.VERSION_KEY)
    kind = _small(values, content1.KIND_KEY)
    reader = content1.READERS.get(kind)
    if version != content1.CONTENT_VERSION or reader is None:
        return UnknownContent(version, kind, data)
    return reader(values)


def _small(values: Mapping[int, object], key: int) -> int:
    value = values.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ContentRefused(key, "not an integer")
    if not 1 <= value <= _KEY_MAX:
        raise ContentRefused(key, "out of range")
    return value


def _decoded(data: bytes) -> Mapping[int, object]:
    if len(data) > content1.CONTENT_BYTES_MAX:
        raise ContentRefused(None, "too large")
    keys_left = content1.CONTENT_KEYS_MAX

    def unique(pairs: Iterable[tuple[object, object]]) -> dict[object, object]:
        nonlocal keys_left
        result: dict[object, object] = {}
        for key, value in pairs:
            keys_left -= 1
            if keys_left < 0:
                raise ContentRefused(None, "too many keys")
            if type(key) not in (int, str) or key in result:
                raise ContentRefused(None, "a key twice, or no integer or text")
            result[key] = value
        return result

    try:
        decoded = cast(
            "object",
            msgpack.unpackb(
                data,
                raw=False,
                strict_map_key=False,
                object_pairs_hook=unique,
                ext_hook=_refuse_extension,
                max_map_len=content1.CONTENT_KEYS_MAX,
            ),
        )
    except (ValueError, msgpack.UnpackException) as error:
        # Truncated, trailing bytes, bad UTF-8, nested too deeply for the library.
        raise ContentRefused(None, "not msgpack") from error
    if not isinstance(decoded, dict):
        raise ContentRefused(None, "not a map")
    values = cast("dict[object, object]", decoded)
    _check_values(values, 1)
    keyed: dict[int, object] = {}
    for key, value in values.items():
        if not isinstance(key, int) or not 0 <= key <= _KEY_MAX:
            raise ContentRefused(None, "a key is no small integer")
        keyed[key] = value
    return keyed


def _refuse_extension(code: int, data: bytes) -> object:
    raise ContentRefused(None, "an extension type")


def _check_values(value: object, depth: int) -> None:
    """Check what the library can't: nesting, and its own timestamp type."""
    match value:
        case dict() | list():
            if depth > content1.CONTENT_DEPTH_MAX:
                raise ContentRefused(None, "nested too deeply")
            inner = cast(
                "Iterable[object]",
                value.values() if isinstance(value, dict) else value,
            )
            for item in inner:
                _check_values(item, depth + 1)
        case None | bool() | int() | float() | str() | bytes():
            pass
        case _:
            raise ContentRefused(None, "an extension type")
