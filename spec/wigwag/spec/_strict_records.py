"""Strict construct classes of more than one value: arrays, records, tag sections."""

# ruff: noqa: ANN401 - values are of any type of the specification

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import construct

from wigwag.spec._layout import TAG_HEADER_BYTES
from wigwag.spec._rules import Rule
from wigwag.spec._strict import Strict, Unwritable, Window, read_count

if TYPE_CHECKING:
    StructBase = construct.Construct[Any, Any]
else:
    StructBase = construct.Struct

UNKNOWN = "unknown"
TAG_MAX = 0xFFFF
Value = bool | int | str | bytes | None | tuple[Any, ...] | dict[str, Any]


@contextmanager
def _within(window: Window, name: str) -> Generator[None]:
    """Lengthen the path while a part is read; a fault keeps its path."""
    window.names.append(name)
    yield
    window.names.pop()


class StrictArray(Strict):
    """A count, then that many elements, perhaps strictly rising by a key.

    Attributes:
        key: Attributes of the elements; ("." ,) for elements that are their own key.
    """

    def __init__(
        self,
        prefix: int,
        low: int,
        high: int,
        element: Strict | StrictRecord,
        key: Sequence[str],
    ) -> None:
        super().__init__()
        self.prefix, self.low, self.high = prefix, low, high
        self.element, self.key = element, tuple(key)

    def _key_of(self, item: Any) -> Any:
        return item if self.key == (".",) else tuple(item[name] for name in self.key)

    def read(self, window: Window) -> tuple[Any, ...]:
        """Read the elements. Raises Fault: those of the count, of elements, ORDER."""
        count = read_count(window, self.prefix, self.low, self.high)
        items: list[Any] = []
        for index in range(count):
            with _within(window, f"[{index}]"):
                start = window.tell()
                item = self.element.parse_stream(window)
                if (
                    self.key
                    and items
                    and not self._key_of(items[-1]) < self._key_of(item)
                ):
                    raise window.fault(
                        Rule.ORDER,
                        start,
                        f"elements rising by {', '.join(self.key)}",
                        "disorder",
                    )
                items.append(item)
        return tuple(items)

    def write(self, value: object, window: Window) -> None:
        """Write the elements."""
        if not isinstance(value, tuple | list):
            raise window.unwritable("a tuple")
        items = cast("Sequence[Any]", value)
        if not self.low <= len(items) <= self.high:
            raise window.unwritable(f"{self.low}..{self.high} elements")
        window.write(len(items).to_bytes(self.prefix, "big"))
        for index, item in enumerate(items):
            with _within(window, f"[{index}]"):
                self.element.build_stream(item, window)
                if (
                    self.key
                    and index
                    and not self._key_of(items[index - 1]) < self._key_of(item)
                ):
                    raise window.unwritable(f"elements rising by {', '.join(self.key)}")


class StrictTag:
    """What a tag section needs to know of one tag."""

    def __init__(
        self,
        name: str,
        number: int,
        value: Strict | StrictRecord,
        presence: str,
        default: Value,
        has_default: bool,
    ) -> None:
        self.name, self.number, self.value = name, number, value
        self.presence, self.default, self.has_default = presence, default, has_default


class StrictTags(Strict):
    """A tag section: u8 count, then entries {u16 id, u32 length, value}."""

    def __init__(
        self,
        tags: Sequence[StrictTag],
        keeps: bool,
        count_max: int,
        unknown_bytes_max: int,
    ) -> None:
        super().__init__()
        self.tags = {tag.number: tag for tag in tags}
        self.keeps = keeps
        self.count_max, self.unknown_bytes_max = count_max, unknown_bytes_max

    def read(self, window: Window) -> dict[str, Any]:
        """Read the section into values by name. Raises Fault: any of TAG_…."""
        start = window.tell()
        count = window.take(1)[0]
        if count > self.count_max:
            raise window.fault(
                Rule.TAG_COUNT, start, f"at most {self.count_max} tags", count
            )
        values: dict[str, Any] = {tag.name: tag.default for tag in self.tags.values()}
        kept: list[tuple[int, bytes]] = []
        seen: list[int] = []
        unknown_bytes = 0
        for _ in range(count):
            entry = window.tell()
            number, end = self._header(window, seen[-1] if seen else -1)
            seen.append(number)
            if number in self.tags:
                tag = self.tags[number]
                with _within(window, f".{tag.name}"):
                    values[tag.name] = self._value(tag, window, end)
                continue
            unknown_bytes += end - entry
            if unknown_bytes > self.unknown_bytes_max:
                raise window.fault(
                    Rule.TAG_UNKNOWN_BYTES,
                    entry,
                    f"at most {self.unknown_bytes_max} bytes of unknown tags",
                    unknown_bytes,
                )
            kept.append((number, window.take(end - window.tell())))
        for tag in self.tags.values():
            if tag.presence == "required" and tag.number not in seen:
                raise window.fault(
                    Rule.TAG_MISSING, start, f"tag {tag.number} ({tag.name})", "none"
                )
        return {**values, UNKNOWN: tuple(kept) if self.keeps else ()}

    def _header(self, window: Window, previous: int) -> tuple[int, int]:
        """Read an entry's id and length; return the id and where the value ends."""
        entry = window.tell()
        header = window.take(TAG_HEADER_BYTES)
        number, size = (
            int.from_bytes(header[:2], "big"),
            int.from_bytes(header[2:], "big"),
        )
        if number <= previous:
            raise window.fault(Rule.TAG_ORDER, entry, f"a tag above {previous}", number)
        if number not in self.tags and number % 2 == 0:
            raise window.fault(Rule.TAG_CRITICAL, entry, "a known even tag", number)
        end = window.tell() + size
        if end > window.end:
            raise window.fault(
                Rule.LENGTH,
                entry + 2,
                f"at most {window.end - window.tell()} bytes",
                size,
            )
        return number, end

    def _value(self, tag: StrictTag, window: Window, end: int) -> Any:
        start, outer = window.tell(), window.end
        window.end = end
        value = tag.value.parse_stream(window)
        if window.tell() != end:
            raise window.fault(
                Rule.TAG_FILL,
                window.tell(),
                "the tag's end",
                f"{end - window.tell()} bytes more",
            )
        if tag.has_default and value == tag.default:
            raise window.fault(
                Rule.TAG_DEFAULT, start, "no tag for the default", "the default"
            )
        window.end = outer
        return value

    def write(self, value: object, window: Window) -> None:
        """Write the section."""
        values = cast("Mapping[str, Any]", value)
        entries: list[tuple[int, bytes]] = []
        for tag in self.tags.values():
            item = values[tag.name]
            with _within(window, f".{tag.name}"):
                if item is None and tag.presence != "optional":
                    raise window.unwritable("a value")
                if item == tag.default and (tag.has_default or item is None):
                    continue
                inner = Window()
                inner.names = window.names
                tag.value.build_stream(item, inner)
                entries.append((tag.number, inner.getvalue()))
        with _within(window, f".{UNKNOWN}"):
            entries += self._unknown(values[UNKNOWN], window)
            if len(entries) > self.count_max:
                raise window.unwritable(f"at most {self.count_max} tags")
        window.write(bytes((len(entries),)))
        for number, data in sorted(entries):
            window.write(
                number.to_bytes(2, "big") + len(data).to_bytes(4, "big") + data
            )

    def _unknown(self, unknown: object, window: Window) -> list[tuple[int, bytes]]:
        if not isinstance(unknown, tuple | list):
            raise window.unwritable("a tuple")
        found: dict[int, bytes] = {}
        for entry in cast("Sequence[object]", unknown):
            match entry:
                case (int(number), bytes(data)) if (
                    number % 2 and 0 < number <= TAG_MAX and number not in found
                ):
                    found[number] = data
                case _:
                    raise window.unwritable("odd tags, each once")
        entries = [entry for entry in found.items() if entry[0] not in self.tags]
        size = sum(TAG_HEADER_BYTES + len(data) for _, data in entries)
        if size > self.unknown_bytes_max:
            raise window.unwritable(
                f"at most {self.unknown_bytes_max} bytes of unknown tags"
            )
        return entries


class StrictAbsent:
    """A field that the revision lacks."""

    def __init__(self, name: str, default: Value, lossy_ok: bool) -> None:
        self.name, self.default, self.lossy_ok = name, default, lossy_ok


class StrictRecord(StructBase):
    """Fields in order, then perhaps a tag section; a dictionary by attribute."""

    def __init__(
        self,
        fields: Sequence[tuple[str, Strict | StrictRecord]],
        tags: StrictTags | None,
        absent: Sequence[StrictAbsent],
    ) -> None:
        super().__init__(*(construct.Renamed(field, name) for name, field in fields))
        self.fields, self.tags, self.absent = tuple(fields), tags, tuple(absent)

    def _parse(self, stream: Any, context: Any, path: str) -> dict[str, Any]:
        window = cast("Window", stream)
        values: dict[str, Any] = {absent.name: absent.default for absent in self.absent}
        for name, field in self.fields:
            with _within(window, f".{name}"):
                values[name] = field.parse_stream(window)
        if self.tags is not None:
            values |= self.tags.parse_stream(window)
        return values

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        window = cast("Window", stream)
        if not isinstance(obj, dict):
            raise window.unwritable("a dictionary by attribute")
        values = cast("dict[str, Any]", obj)
        for absent in self.absent:
            if values[absent.name] != absent.default and not absent.lossy_ok:
                raise Unwritable(
                    f"{window.path}.{absent.name}: the revision has no such field"
                )
        for name, field in self.fields:
            with _within(window, f".{name}"):
                field.build_stream(values[name], window)
        if self.tags is not None:
            self.tags.build_stream(obj, window)
        return values
