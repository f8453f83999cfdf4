"""Describes a message or type as a table of bytes, for other implementers."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wigwag.spec._ir import (
    Enumeration,
    FlagSet,
    Message,
    Specification,
    Structure,
    Type,
)
from wigwag.spec._layout import TAG_HEADER_BYTES, Part, RecordLayout, layout_at

_COLUMNS = ("offset", "bytes", "field", "type", "rule", "meaning")


class Row(msgspec.Struct, frozen=True):
    """One line of a byte table.

    Attributes:
        offset: Where it begins; "52+" after something of variable length.
        bytes: How many bytes it takes, or a range.
        field: Its name, indented inside structs.
        type: Its type.
        rule: What a reader enforces.
        meaning: What it is.
    """

    offset: str
    bytes: str
    field: str
    type: str
    rule: str
    meaning: str


class Description(msgspec.Struct, frozen=True):
    """A message or type at one revision.

    Attributes:
        name: Its name.
        summary: What it is.
        facts: (word, text) about the whole.
        rows: Its bytes, or the values of an enum or flagset.
        requirements: (id, level, side, text) of its requirements.
    """

    name: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    requirements: tuple[tuple[str, str, str, str], ...]

    def text(self) -> str:
        """Return it for a terminal."""
        lines = [f"{self.name}: {self.summary}", ""]
        width = max(len(word) for word, _ in self.facts)
        lines += [f"  {word:{width}}  {text}" for word, text in self.facts] + [""]
        cells = [_COLUMNS, *(msgspec.structs.astuple(row) for row in self.rows)]
        used = [
            column
            for column in range(len(_COLUMNS))
            if any(row[column] for row in cells[1:])
        ]
        widths = {
            column: max(len(row[column]) for row in cells) for column in used[:-1]
        }
        for row in cells if self.rows else []:
            line = "  ".join(
                f"{row[column]:{widths.get(column, 0)}}" for column in used
            )
            lines.append(f"  {line}".rstrip())
        if self.requirements:
            lines.append("")
            lines += [
                f"  {id_} ({level}, {side}) {text}"
                for id_, level, side, text in self.requirements
            ]
        return "\n".join(lines).rstrip() + "\n"


def _span(smallest: int, largest: int) -> str:
    return str(smallest) if smallest == largest else f"{smallest}-{largest}"


def _rule(part: Part, type_: Type) -> str:
    field, rules = part.field, list[str]()
    unit = {"bytes": " bytes", "text": " bytes of UTF-8", "array": " elements"}.get(
        type_.kind, ""
    )
    if type_.kind in ("integer", "bytes", "text", "array"):
        natural = (
            (0, 256**type_.width - 1) if type_.width and not type_.signed else None
        )
        if natural != (field.low, field.high):
            rules.append(f"{_span(field.low, field.high)}{unit}")
    if field.nonzero:
        rules.append("not zero")
    if field.key:
        rules.append(
            "rising by " + ("value" if field.key == (".",) else ", ".join(field.key))
        )
    if part.values is not None:
        rules.append("one of " + ", ".join(map(str, part.values)))
    if part.mask is not None:
        rules.append(f"bits of {part.mask:#x}")
    if field.has_default:
        rules.append(
            f"default {field.default!r}"
            if field.default is not None
            else "default empty"
        )
    if field.is_tag:
        rules.append(field.presence)
    if field.sensitive:
        rules.append("sensitive")
    return "; ".join(rules)


class _Table:
    """Gathers rows while it knows the offset."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._offset = 0
        self._is_exact = True

    def add(
        self,
        name: str,
        type_: str,
        rule: str,
        meaning: str,
        smallest: int,
        largest: int,
    ) -> None:
        offset = f"{self._offset}{'' if self._is_exact else '+'}"
        self.rows.append(
            Row(offset, _span(smallest, largest), name, type_, rule, meaning)
        )
        self._offset += smallest
        self._is_exact = self._is_exact and smallest == largest

    def inside(self, name: str, type_: str, rule: str, meaning: str, size: str) -> None:
        """Add a line whose bytes are those of the lines below it."""
        self.rows.append(Row("", size, name, type_, rule, meaning))

    def record(self, layout: RecordLayout, indent: str = "") -> None:
        for part in layout.parts:
            self._part(part, indent)
        if layout.has_tags:
            self.add(
                f"{indent}tags",
                "u8",
                "count",
                "Tag section: {u16 id, u32 length, value} each.",
                1,
                1,
            )
            for tag in layout.tags:
                rule = _rule(tag, tag.field.type)
                size = _span(
                    TAG_HEADER_BYTES + tag.smallest, TAG_HEADER_BYTES + tag.largest
                )
                word = "even" if tag.field.number % 2 == 0 else "odd"
                name = f"{indent}  {tag.field.name}"
                self.inside(
                    name,
                    tag.field.type.text,
                    f"tag {tag.field.number} ({word}); {rule}",
                    tag.field.doc,
                    size,
                )
                self._elements(tag, f"{indent}    ")

    def _part(self, part: Part, indent: str) -> None:
        field, type_ = part.field, part.field.type
        name = f"{indent}{field.name}"
        rule = _rule(part, type_)
        if type_.kind == "struct":
            assert part.inner is not None
            self.inside(
                name, type_.text, rule, field.doc, _span(part.smallest, part.largest)
            )
            self.record(part.inner, f"{indent}  ")
            return
        if field.prefix:
            rule = "; ".join(
                word for word in (f"u{8 * field.prefix} first", rule) if word
            )
        self.add(name, type_.text, rule, field.doc, part.smallest, part.largest)
        self._elements(part, f"{indent}  ")

    def _elements(self, part: Part, indent: str) -> None:
        if part.inner is None:
            return
        for inner in _flat(part.inner, indent):
            self.rows.append(inner)


def _flat(layout: RecordLayout, indent: str) -> Iterator[Row]:
    """Yield the lines of a struct whose place in the message isn't known."""
    table = _Table()
    table.record(layout, indent)
    for row in table.rows:
        yield msgspec.structs.replace(
            row, offset=f"·{row.offset}" if row.offset else ""
        )


def _values(item: Enumeration | FlagSet) -> tuple[Row, ...]:
    members = item.values if isinstance(item, Enumeration) else item.bits
    rows: list[Row] = []
    for member in members:
        number = (
            str(member.value)
            if isinstance(item, Enumeration)
            else f"bit {member.value}"
        )
        since = (
            ""
            if member.revisions.first == 1 and member.revisions.last is None
            else f"revisions {member.revisions}"
        )
        rows.append(Row("", number, member.name, "", since, member.doc))
    return tuple(rows)


def _message_facts(
    message: Message, layout: RecordLayout, specification: Specification
) -> tuple[tuple[str, str], ...]:
    either = message.direction == "both"
    sender = "either side" if either else f"the {message.direction}"
    facts = [
        (
            "type",
            f"{message.type} "
            f"({'must be understood' if message.type % 2 == 0 else 'may be skipped'})",
        ),
        (
            "kind",
            f"{message.kind}, sent by {sender}",
        ),
        ("states", ", ".join(message.states)),
        ("revisions", str(message.revisions)),
        ("body", f"{_span(layout.smallest, layout.largest)} bytes"),
    ]
    for word, names in (("replies", message.replies), ("errors", message.errors)):
        if names:
            facts.append((word, ", ".join(names)))
    for word, text in (
        ("rate class", message.rate_class),
        ("idempotency", message.idempotency),
    ):
        if text not in ("", "none"):
            facts.append((word, text))
    words = ("invariant", "stream", "padding", "stored", "unsolicited")
    flags = [word for word in words if getattr(message, word)]
    if flags:
        facts.append(("also", ", ".join(flags)))
    return tuple(facts)


def _tombstones(owner: Message | Structure) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            f"{'tag' if tomb.is_tag else 'ord'} {tomb.number}",
            f"was {tomb.name!r}: {tomb.reason}",
        )
        for tomb in owner.tombstones
    )


def named_constructs(
    specification: Specification,
) -> dict[str, Message | Structure | Enumeration | FlagSet]:
    """Return everything that can be described, by name."""
    named: dict[str, Message | Structure | Enumeration | FlagSet] = {}
    named |= {item.name: item for item in specification.messages}
    named |= {item.name: item for item in specification.structs}
    named |= {item.name: item for item in specification.enums}
    named |= {item.name: item for item in specification.flagsets}
    return named


def exists_at(item: Message | Structure | Enumeration | FlagSet, revision: int) -> bool:
    """Say whether a construct exists at a revision."""
    return not isinstance(item, Message) or item.revisions.holds(revision)


def describe(
    item: Message | Structure | Enumeration | FlagSet,
    revision: int,
    specification: Specification,
) -> Description:
    """Describe a construct.

    Args:
        item: One of `named_constructs`, existing at the revision.
        revision: Number of the revision.
        specification: Where it is from.
    """
    if isinstance(item, Enumeration | FlagSet):
        facts: list[tuple[str, str]] = [
            ("base", f"u{8 * item.width}"),
            ("open", "yes" if item.open else "no"),
        ]
        if isinstance(item, Enumeration) and item.open:
            facts.append(("unknown is", item.fallback))
        return Description(item.name, item.doc, tuple(facts), _values(item), ())
    layout = layout_at(item, revision, specification)
    table = _Table()
    table.record(layout)
    if isinstance(item, Structure):
        words = [word for word in ("open", "document") if getattr(item, word)]
        about: tuple[tuple[str, str], ...] = (
            ("struct", ", ".join(words) or "closed"),
            ("bytes", _span(layout.smallest, layout.largest)),
        )
        return Description(
            item.name, item.doc, about + _tombstones(item), tuple(table.rows), ()
        )
    requirements = tuple(
        (requirement.id, requirement.level, requirement.side, requirement.text)
        for requirement in specification.requirements
        if requirement.id in item.requirements
    )
    about = _message_facts(item, layout, specification) + _tombstones(item)
    return Description(item.name, item.doc, about, tuple(table.rows), requirements)
