"""Strict construct classes: what construct accepts too much of, these refuse.

construct's own `Flag` takes 7 for true, `GreedyRange` swallows errors, trailing bytes
pass and text keeps what it can. Here every class says exactly which rule is broken and
where. They are interpreted only: `construct.compile()` returned truncated fields
without an error and must never see foreign bytes.

Values are plain: int, bool, str, bytes, tuples, and dictionaries by attribute name.
"""

# ruff: noqa: ANN401 - construct's own methods take and give anything

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import construct

from wigwag.spec._rules import Rule

if TYPE_CHECKING:
    Base = construct.Construct[Any, Any]
else:
    # The stubs are generic, the classes are not.
    Base = construct.Construct


class Fault(Exception):  # noqa: N818 - a fact, as the others
    """The bytes, or a value to write, break a rule.

    Attributes:
        rule: The broken rule.
        offset: Where the wrong field begins, in bytes.
        path: The field, as in `envelopes[2].user`.
        expected: What the rule asks for.
        found: What was there.
    """

    def __init__(
        self, rule: Rule, offset: int, path: str, expected: str, found: str
    ) -> None:
        super().__init__(f"{path or 'body'} at {offset}: expected {expected}")
        self.rule = rule
        self.offset = offset
        self.path = path
        self.expected = expected
        self.found = found


class Unwritable(Exception):  # noqa: N818 - a fact, as the others
    """A value that the layout can't hold; the text names the field."""


class Window(io.BytesIO):
    """A body, of which only the part before `end` may be read.

    Attributes:
        end: Where the readable part ends: the body, or the tag's value being read.
        names: The fields that lead to the one being read or written.
        spans: (first byte, byte after the last, path) of every value read whole.
    """

    def __init__(self, data: bytes = b"") -> None:
        super().__init__(data)
        self.end = len(data)
        self.names: list[str] = []
        self.spans: list[tuple[int, int, str]] = []

    @property
    def path(self) -> str:
        """The field being read or written."""
        return "".join(self.names).removeprefix(".")

    def fault(self, rule: Rule, offset: int, expected: str, found: object) -> Fault:
        """Return a fault of the field being read."""
        return Fault(rule, offset, self.path, expected, str(found))

    def unwritable(self, expected: str) -> Unwritable:
        """Return the error for a value that is not what the layout asks for."""
        return Unwritable(f"{self.path}: expected {expected}")

    def take(
        self, size: int, rule: Rule = Rule.SHORT, offset: int | None = None
    ) -> bytes:
        """Read `size` bytes.

        Raises:
            Fault: There are not as many before the end.
        """
        start = self.tell()
        if start + size > self.end:
            left = self.end - start
            raise self.fault(
                rule,
                start if offset is None else offset,
                f"{size} bytes",
                f"{left} bytes",
            )
        return self.read(size)


class Strict(Base, ABC):
    """A construct that reads a `Window` and remembers where each value lay."""

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        window = cast("Window", stream)
        start = window.tell()
        value = self.read(window)
        window.spans.append((start, window.tell(), window.path))
        return value

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        self.write(obj, cast("Window", stream))
        return obj

    @abstractmethod
    def read(self, window: Window) -> object:
        """Read one value; subclasses say how."""

    @abstractmethod
    def write(self, value: object, window: Window) -> None:
        """Write one value; subclasses say how."""


class StrictInteger(Strict):
    """A big-endian integer within bounds."""

    def __init__(
        self,
        width: int,
        low: int,
        high: int,
        signed: bool = False,
        nonzero: bool = False,
    ) -> None:
        super().__init__()
        self.width, self.low, self.high = width, low, high
        self.signed, self.nonzero = signed, nonzero

    def read(self, window: Window) -> int:
        """Read a number. Raises Fault: SHORT, ZERO, BOUNDS."""
        start = window.tell()
        value = int.from_bytes(window.take(self.width), "big", signed=self.signed)
        if self.nonzero and value == 0:
            raise window.fault(Rule.ZERO, start, "a number that is not zero", 0)
        if not self.low <= value <= self.high:
            raise window.fault(Rule.BOUNDS, start, f"{self.low}..{self.high}", value)
        return value

    def write(self, value: object, window: Window) -> None:
        """Write a number."""
        if not isinstance(value, int) or not self.low <= value <= self.high:
            raise window.unwritable(f"a number within {self.low}..{self.high}")
        if self.nonzero and value == 0:
            raise window.unwritable("a number that is not zero")
        window.write(value.to_bytes(self.width, "big", signed=self.signed))


class StrictBool(Strict):
    """One byte, 0 or 1."""

    def read(self, window: Window) -> bool:
        """Read a bool. Raises Fault: SHORT, BOOL."""
        start = window.tell()
        value = window.take(1)[0]
        if value > 1:
            raise window.fault(Rule.BOOL, start, "0 or 1", value)
        return value == 1

    def write(self, value: object, window: Window) -> None:
        """Write a bool."""
        if not isinstance(value, bool):
            raise window.unwritable("a bool")
        window.write(bytes((value,)))


class StrictChoice(Strict):
    """A closed enum's number."""

    def __init__(self, width: int, values: Sequence[int]) -> None:
        super().__init__()
        self.width, self.values = width, frozenset(values)

    def read(self, window: Window) -> int:
        """Read a number. Raises Fault: SHORT, ENUM."""
        start = window.tell()
        value = int.from_bytes(window.take(self.width), "big")
        if value not in self.values:
            raise window.fault(Rule.ENUM, start, f"one of {sorted(self.values)}", value)
        return value

    def write(self, value: object, window: Window) -> None:
        """Write a number."""
        if not isinstance(value, int) or value not in self.values:
            raise window.unwritable(f"one of {sorted(self.values)}")
        window.write(value.to_bytes(self.width, "big"))


class StrictFlags(Strict):
    """A closed flagset's number."""

    def __init__(self, width: int, mask: int) -> None:
        super().__init__()
        self.width, self.mask = width, mask

    def read(self, window: Window) -> int:
        """Read a number. Raises Fault: SHORT, FLAGS."""
        start = window.tell()
        value = int.from_bytes(window.take(self.width), "big")
        if value | self.mask != self.mask:
            raise window.fault(
                Rule.FLAGS, start, f"no bit outside {self.mask:#x}", f"{value:#x}"
            )
        return value

    def write(self, value: object, window: Window) -> None:
        """Write a number."""
        if not isinstance(value, int) or value | self.mask != self.mask:
            raise window.unwritable(f"no bit outside {self.mask:#x}")
        window.write(value.to_bytes(self.width, "big"))


class StrictRaw(Strict):
    """A fixed number of bytes, perhaps not all zeros."""

    def __init__(self, width: int, nonzero: bool) -> None:
        super().__init__()
        self.width, self.nonzero = width, nonzero

    def read(self, window: Window) -> bytes:
        """Read the bytes. Raises Fault: SHORT, ZERO."""
        start = window.tell()
        value = window.take(self.width)
        if self.nonzero and not any(value):
            raise window.fault(
                Rule.ZERO, start, f"{self.width} bytes that are not all zero", "zeros"
            )
        return value

    def write(self, value: object, window: Window) -> None:
        """Write the bytes."""
        if not isinstance(value, bytes) or len(value) != self.width:
            raise window.unwritable(f"{self.width} bytes")
        if self.nonzero and not any(value):
            raise window.unwritable("bytes that are not all zero")
        window.write(value)


class StrictBlob(Strict):
    """A length, then that many bytes, perhaps of text."""

    def __init__(self, prefix: int, low: int, high: int, is_text: bool) -> None:
        super().__init__()
        self.prefix, self.low, self.high, self.is_text = prefix, low, high, is_text

    def read(self, window: Window) -> bytes | str:
        """Read the value. Raises Fault: SHORT, COUNT_BOUNDS, BOUNDS, LENGTH, TEXT."""
        start = window.tell()
        size = read_count(window, self.prefix, self.low, self.high)
        value = window.take(size, Rule.LENGTH, start)
        if not self.is_text:
            return value
        try:
            text = value.decode("utf-8", "strict")
        except UnicodeDecodeError as error:
            raise window.fault(
                Rule.TEXT, start, "UTF-8", f"another byte at {error.start}"
            ) from None
        if "\0" in text:
            raise window.fault(Rule.TEXT, start, "text without NUL", "NUL")
        return text

    def write(self, value: object, window: Window) -> None:
        """Write the value."""
        if self.is_text:
            if not isinstance(value, str) or "\0" in value:
                raise window.unwritable("a text without NUL")
            try:
                value = value.encode("utf-8", "strict")
            except UnicodeEncodeError:
                raise window.unwritable("a text that UTF-8 can hold") from None
        if not isinstance(value, bytes) or not self.low <= len(value) <= self.high:
            raise window.unwritable(f"{self.low}..{self.high} bytes")
        window.write(len(value).to_bytes(self.prefix, "big") + value)


def read_count(window: Window, prefix: int, low: int, high: int) -> int:
    """Read a length or count and judge it before anything that it counts.

    Raises:
        Fault: SHORT; COUNT_BOUNDS above the greatest, BOUNDS below the least.
    """
    start = window.tell()
    count = int.from_bytes(window.take(prefix), "big")
    if count > high:
        raise window.fault(Rule.COUNT_BOUNDS, start, f"at most {high}", count)
    if count < low:
        raise window.fault(Rule.BOUNDS, start, f"at least {low}", count)
    return count
