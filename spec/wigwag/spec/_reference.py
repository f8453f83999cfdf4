"""The executable specification: the IR, interpreted through construct.

Slow and plain on purpose. It gives the same values as the generated codec, the same
error code at the same offset, and beside them what is only worth its cost after a
failure: field path, expected, found, requirement and annotated bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from wigwag.spec._ir import Field, Message, Specification, Structure, Type
from wigwag.spec._layout import Part, RecordLayout, layout_at
from wigwag.spec._rules import Rule
from wigwag.spec._strict import (
    Fault,
    Strict,
    StrictBlob,
    StrictBool,
    StrictChoice,
    StrictFlags,
    StrictInteger,
    StrictRaw,
    Window,
)
from wigwag.spec._strict_records import (
    StrictAbsent,
    StrictArray,
    StrictRecord,
    StrictTag,
    StrictTags,
    Value,
)

DRAFT_BIT = 0x8000


class Refusal(Exception):  # noqa: N818 - a fact, as the others
    """The reference refused a body.

    Attributes:
        code: Error code to answer with.
        closes: Whether the connection ends; else one request is refused.
        offset: Where the wrong field begins, in bytes.
        rule: The broken rule.
        path: The field, as in `envelopes[2].user`; "" for the body itself.
        expected: What the rule asks for.
        found: What was there. Holds input: not for messages with sensitive fields.
        spans: (first byte, byte after the last, path) of what was read before.
    """

    def __init__(
        self, fault: Fault, code: int, spans: list[tuple[int, int, str]]
    ) -> None:
        super().__init__(
            f"{fault.path or 'body'} at {fault.offset}: {fault.rule.requirement}"
        )
        self.code = code
        self.closes = fault.rule.closes
        self.offset = fault.offset
        self.rule = fault.rule
        self.path = fault.path
        self.expected = fault.expected
        self.found = fault.found
        self.spans = tuple(spans)


class Reference:
    """Reads and writes every message and struct of a specification, at every revision.

    Values are dictionaries by attribute name: numbers (also of enums), bool, str,
    bytes, tuples and dictionaries; an absent tag is None.
    """

    def __init__(self, specification: Specification) -> None:
        self.specification = specification
        owners: list[Message | Structure] = [*specification.structs]
        owners += specification.messages
        self._owners = {owner.name: owner for owner in owners}
        self._built: dict[tuple[str, int], StrictRecord] = {}

    def revision(self, negotiated: int) -> int:
        """Return the revision behind a negotiated number; 0 is the newest."""
        if negotiated == 0:
            return self.specification.newest_revision
        draft = self.specification.draft
        if negotiated & DRAFT_BIT and draft is not None:
            return draft.number
        return negotiated

    def construct(self, name: str, revision: int) -> StrictRecord:
        """Return the construct of a message or struct at a negotiated revision."""
        key = (name, self.revision(revision))
        if key not in self._built:
            layout = layout_at(self._owners[name], key[1], self.specification)
            self._built[key] = self._record(layout)
        return self._built[key]

    def decode(self, name: str, revision: int, body: bytes) -> dict[str, Any]:
        """Read a message or struct.

        Raises:
            Refusal: The bytes break a rule.
        """
        window = Window(body)
        try:
            value = self.construct(name, revision).parse_stream(window)
            if window.tell() != len(body):
                left = len(body) - window.tell()
                raise window.fault(
                    Rule.TRAILING, window.tell(), "the end", f"{left} bytes more"
                )
        except Fault as fault:
            code = self.specification.error(fault.rule.code_name).code
            raise Refusal(fault, code, window.spans) from None
        return cast("dict[str, Any]", value)

    def encode(self, name: str, revision: int, value: Mapping[str, Any]) -> bytes:
        """Write a message or struct.

        Raises:
            Unwritable: The layout can't hold the value.
        """
        window = Window()
        self.construct(name, revision).build_stream(value, window)
        return window.getvalue()

    def _record(self, layout: RecordLayout) -> StrictRecord:
        fields = [(part.field.attribute, self._field(part)) for part in layout.parts]
        absent = [
            StrictAbsent(field.attribute, default_value(field), field.lossy_ok)
            for field in layout.absent
        ]
        if not layout.has_tags:
            return StrictRecord(fields, None, absent)
        tags = [
            StrictTag(
                tag.field.attribute,
                tag.field.number,
                self._field(tag),
                tag.field.presence,
                default_value(tag.field),
                tag.field.has_default,
            )
            for tag in layout.tags
        ]
        limit = self.specification.limit
        section = StrictTags(
            tags,
            layout.keeps_unknown,
            limit("tags_max").value,
            limit("unknown_tags_bytes_max").value,
        )
        return StrictRecord(fields, section, absent)

    def _field(self, part: Part) -> Strict | StrictRecord:
        field, type_ = part.field, part.field.type
        if type_.kind in ("bytes", "text"):
            return StrictBlob(field.prefix, field.low, field.high, type_.kind == "text")
        if type_.element is None:
            return self._scalar(part, type_, field.low, field.high)
        low, high = number_range(type_.element)
        element = self._scalar(part, type_.element, low, high)
        return StrictArray(
            field.prefix, field.low, field.high, element, self._key(field)
        )

    def _key(self, field: Field) -> tuple[str, ...]:
        element = field.type.element
        if element is None or element.kind != "struct":
            return field.key
        inner = self.specification.struct(element.name).fields
        attributes = {other.name: other.attribute for other in inner}
        return tuple(attributes[name] for name in field.key)

    def _scalar(
        self, part: Part, type_: Type, low: int, high: int
    ) -> Strict | StrictRecord:
        if type_.kind == "bool":
            return StrictBool()
        if type_.kind == "raw":
            return StrictRaw(type_.width, part.field.nonzero)
        if part.values is not None:
            return StrictChoice(type_.width, part.values)
        if part.mask is not None:
            return StrictFlags(type_.width, part.mask)
        if part.inner is not None:
            return self._record(part.inner)
        if type_.kind != "integer":
            low, high = number_range(type_)
        return StrictInteger(type_.width, low, high, type_.signed, part.field.nonzero)


def number_range(type_: Type) -> tuple[int, int]:
    """Return the least and greatest number that a type's width holds."""
    bits = 8 * type_.width
    return (
        (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if type_.signed else (0, 2**bits - 1)
    )


def default_value(field: Field) -> Value:
    """Return a field's default as the reference's values have it; None without one."""
    if not field.has_default:
        return None
    if field.type.kind == "array":
        return ()
    if field.type.kind in ("raw", "bytes"):
        return bytes.fromhex(str(field.default))
    return field.default
