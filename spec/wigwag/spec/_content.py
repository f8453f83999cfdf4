"""Content inside the ciphertext: read `content/*.toml`, write its Python module."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wigwag.spec._locate import Table, read_tables
from wigwag.spec._mistakes import Mistakes
from wigwag.spec._reader import Reader
from wigwag.spec._suite_text import camel_case, docstring

_HEAD_FILE = "content.toml"
_FIRST_KEY = 2
"""Keys 0 and 1 are the content version and the kind."""

_KEY_MAX = 127
"""msgpack writes these in one byte."""

_CLASSES = ("message", "operation", "signal", "receipt")
_TYPES = ("str", "u64", "bytes")
_PYTHON_TYPES = {"str": "str", "u64": "int", "bytes": "bytes"}
_U64_MAX = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class ContentField:
    """One key of a kind.

    Attributes:
        key: Its key in the map, 2 to 127.
        name: Attribute name.
        type: `str` (bounds count UTF-8 bytes), `u64` (bounds count itself) or
            `bytes` (msgpack bin; bounds count its bytes).
        minimum: Smallest length or value.
        maximum: Largest length or value.
        doc: What it holds.
    """

    key: int
    name: str
    type: str
    minimum: int
    maximum: int
    doc: str


@dataclass(frozen=True, slots=True)
class ContentKind:
    """A kind of content.

    Attributes:
        name: Record name, lower case.
        value: Its number in key 1.
        message_class: Class of the SEND that carries it.
        doc: What it is.
        fields: By rising key.
    """

    name: str
    value: int
    message_class: str
    doc: str
    fields: tuple[ContentField, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """All kinds of content and their common limits."""

    version: int
    bytes_max: int
    depth_max: int
    keys_max: int
    doc: str
    kinds: tuple[ContentKind, ...]


def load_content(root: Path) -> Content:
    """Read and check the content's source.

    Args:
        root: The specification's folder; the files are in `content/`.

    Raises:
        SpecificationError: With file and line of every mistake.
        OSError: If a file can't be read.
    """
    return parse_content(
        {
            f"content/{path.name}": path.read_text(encoding="utf-8")
            for path in sorted((root / "content").glob("*.toml"))
        }
    )


def parse_content(sources: dict[str, str]) -> Content:
    """Check the content's source texts, by file name."""
    mistakes = Mistakes()
    tables = [
        table
        for file, text in sources.items()
        for table in read_tables(file, text, mistakes)
    ]
    head_file = f"content/{_HEAD_FILE}"
    heads = [table for table in tables if table.name == "content"]
    if len(heads) != 1 or heads[0].file != head_file:
        mistakes.add((head_file, 1), "there is no one [content]", "write one, here")
    mistakes.raise_any()
    head = Reader(heads[0], mistakes)
    content = Content(
        version=head.whole("version", 1, 0xFF),
        bytes_max=head.whole("bytes_max", 1, 1 << 24),
        depth_max=head.whole("depth_max", 1, 64),
        keys_max=head.whole("keys_max", 3, 1 << 16),
        doc=head.text("doc"),
        kinds=tuple(sorted(_kinds(tables, mistakes), key=lambda kind: kind.value)),
    )
    head.finish()
    _check_unique(tables, "kind", "value", mistakes)
    _check_unique(tables, "kind", "name", mistakes)
    mistakes.raise_any()
    return content


def _kinds(tables: Iterable[Table], mistakes: Mistakes) -> Iterator[ContentKind]:
    by_file: dict[str, list[Table]] = {}
    for table in tables:
        if table.name in ("kind", "field"):
            by_file.setdefault(table.file, []).append(table)
        elif table.name != "content":
            known = "write [content], [kind] or [[field]]"
            mistakes.add(table.at(), f"unknown table {table.name!r}", known)
    for file, own in by_file.items():
        if [table.name for table in own].count("kind") != 1 or own[0].name != "kind":
            mistakes.add((file, 1), "not one [kind], then its fields", "begin with it")
            continue
        _check_unique(own, "field", "key", mistakes)
        _check_unique(own, "field", "name", mistakes)
        reader = Reader(own[0], mistakes)
        fields = [_field(table, mistakes) for table in own[1:]]
        yield ContentKind(
            name=reader.name("name", r"[a-z][a-z0-9_]*", "a lower-case name"),
            value=reader.whole("value", 1, 0xFFFF),
            message_class=reader.choice("class", _CLASSES),
            doc=reader.text("doc"),
            fields=tuple(sorted(fields, key=lambda field: field.key)),
        )
        reader.finish()


def _field(table: Table, mistakes: Mistakes) -> ContentField:
    reader = Reader(table, mistakes)
    kind = reader.choice("type", _TYPES)
    default = _U64_MAX if kind == "u64" else None
    field = ContentField(
        key=reader.whole("key", _FIRST_KEY, _KEY_MAX),
        name=reader.name("name", r"[a-z][a-z0-9_]*", "a lower-case name"),
        type=kind,
        minimum=reader.whole("min", 0, _U64_MAX, 0),
        maximum=reader.whole("max", 0, _U64_MAX, default),
        doc=reader.text("doc"),
    )
    reader.finish()
    if field.minimum > field.maximum:
        reader.wrong("min", "`min` is above `max`", "write a smaller `min`")
    return field


def _check_unique(
    tables: Iterable[Table], name: str, key: str, mistakes: Mistakes
) -> None:
    seen: dict[object, Table] = {}
    for table in tables:
        if table.name != name or key not in table.values:
            continue
        first = seen.setdefault(table.values[key], table)
        if first is not table:
            where = f"{first.file}:{first.lines[key]}"
            mistakes.add(table.at(key), f"`{key}` is taken, {where}", "write another")


_MODULE = '''"""Kinds of content inside the ciphertext, version {version}.

Made from `content/*.toml` by `wigwag spec generate`; never edited.
"""

from collections.abc import Mapping
from dataclasses import dataclass

CONTENT_VERSION = {version}
CONTENT_BYTES_MAX = {bytes_max}
CONTENT_DEPTH_MAX = {depth_max}
CONTENT_KEYS_MAX = {keys_max}
VERSION_KEY = 0
KIND_KEY = 1

UnknownKeys = tuple[tuple[int, object], ...]
"""Keys of a newer program, kept and written again."""


class ContentRefused(Exception):
    """Content that isn't what its kind says; holds nothing of it.

    Attributes:
        key: Key of the map at which it shows, or None for the whole.
        problem: What is wrong.
    """

    def __init__(self, key: int | None, problem: str) -> None:
        place = "content" if key is None else f"content key {{key}}"
        super().__init__(f"{{place}}: {{problem}}")
        self.key = key
        self.problem = problem


def _str(values: Mapping[int, object], key: int, low: int, high: int) -> str:
    value = values.get(key)
    if not isinstance(value, str):
        raise ContentRefused(key, "not a text")
    try:
        length = len(value.encode())
    except UnicodeEncodeError as error:
        raise ContentRefused(key, "not Unicode text") from error
    if not low <= length <= high:
        raise ContentRefused(key, f"not {{low}} to {{high}} bytes long")
    return value


def _u64(values: Mapping[int, object], key: int, low: int, high: int) -> int:
    value = values.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ContentRefused(key, "not an integer")
    if not low <= value <= high:
        raise ContentRefused(key, f"not {{low}} to {{high}}")
    return value


def _bytes(values: Mapping[int, object], key: int, low: int, high: int) -> bytes:
    value = values.get(key)
    if not isinstance(value, bytes):
        raise ContentRefused(key, "not bytes")
    if not low <= len(value) <= high:
        raise ContentRefused(key, f"not {{low}} to {{high}} bytes long")
    return value


def _unknown(values: Mapping[int, object], known: int) -> UnknownKeys:
    return tuple(sorted((key, values[key]) for key in values if not known >> key & 1))
'''


def render_content(content: Content) -> str:
    """Write the module of a content version; a formatter leaves it as it is."""
    blocks = [
        _MODULE.format(
            version=content.version,
            bytes_max=content.bytes_max,
            depth_max=content.depth_max,
            keys_max=content.keys_max,
        )
    ]
    for kind in content.kinds:
        blocks += _render_kind(kind)
    names = " | ".join(camel_case(kind.name) for kind in content.kinds)
    readers = [f"    {kind.value}: read_{kind.name}," for kind in content.kinds]
    blocks.append(
        "\n".join(
            [
                f"KnownContent = {names}",
                "",
                "Reader = Callable[[Mapping[int, object]], KnownContent]",
                "",
                "READERS: Mapping[int, Reader] = {",
                *readers,
                "}",
            ]
        )
    )
    text = "\n\n\n".join(block.strip("\n") for block in blocks) + "\n"
    return text.replace("import Mapping\n", "import Callable, Mapping\n", 1)


def _render_kind(kind: ContentKind) -> Iterator[str]:
    name = camel_case(kind.name)
    lines = ["@dataclass(frozen=True, slots=True, repr=False)", f"class {name}:"]
    lines += [*docstring(kind.doc, indent=4), ""]
    for field in kind.fields:
        lines.append(f"    {field.name}: {_PYTHON_TYPES[field.type]}")
        lines += docstring(field.doc, indent=4)
    lines += ["    unknown: UnknownKeys = ()", ""]
    lines += ["    def to_map(self) -> dict[int, object]:"]
    lines += ['        """Give the map to encode, checked, by ascending key."""']
    lines += ["        values: dict[int, object] = {"]
    lines += ["            VERSION_KEY: CONTENT_VERSION,"]
    lines += [f"            KIND_KEY: {kind.value},"]
    lines += [f"            {field.key}: self.{field.name}," for field in kind.fields]
    lines += ["            **dict(self.unknown),", "        }"]
    lines += [f"        read_{kind.name}(values)"]
    lines += ["        return dict(sorted(values.items()))", ""]
    lines += ["    def __repr__(self) -> str:", f'        return "<{name}>"']
    yield "\n".join(lines)
    known = 3
    lines = [f"def read_{kind.name}(values: Mapping[int, object]) -> {name}:"]
    lines += [f'    """Read {name}; raises `ContentRefused`."""', f"    return {name}("]
    for field in kind.fields:
        known |= 1 << field.key
        bounds = f"{field.minimum}, {field.maximum}"
        lines.append(
            f"        {field.name}=_{field.type}(values, {field.key}, {bounds}),"
        )
    lines += [f"        unknown=_unknown(values, {known}),", "    )"]
    yield "\n".join(lines)
