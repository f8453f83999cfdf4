"""Byte layouts: what a message or struct looks like at each revision, and its sizes.

Fields carry ranges of revisions; bytes do not. For each revision the fields in range
make a layout, and revisions with the same bytes share one, so a message that changed
twice has three codecs and not one per revision.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from wigwag.spec._ir import Field, Message, Specification, Structure

TAG_HEADER_BYTES = 6
SHORTEST_TAG_SECTION_BYTES = 1


class Part(msgspec.Struct, frozen=True):
    """A field at one revision.

    Attributes:
        field: Its declaration for the revision.
        values: The numbers that a closed enum has at the revision.
        mask: The bits that a closed flagset has at the revision.
        inner: Layout of the struct that it is, or of its elements.
        smallest: Fewest bytes, length or count prefix included.
        largest: Most bytes.
    """

    field: Field
    smallest: int
    largest: int
    values: tuple[int, ...] | None = None
    mask: int | None = None
    inner: RecordLayout | None = None


class RecordLayout(msgspec.Struct, frozen=True):
    """A record at one revision.

    Attributes:
        record: Name of the message or struct.
        parts: The positional fields in wire order.
        tags: The tag fields by rising id.
        has_tags: Whether a tag section ends it.
        keeps_unknown: Whether unknown tags are kept, for who relays by value.
        absent: Fields of other revisions, one declaration each.
        smallest: Fewest bytes.
        largest: Most bytes, the allowance for unknown tags included.
    """

    record: str
    parts: tuple[Part, ...]
    tags: tuple[Part, ...]
    has_tags: bool
    keeps_unknown: bool
    absent: tuple[Field, ...]
    smallest: int
    largest: int

    @property
    def is_fixed(self) -> bool:
        """Say whether it is nothing but fields of fixed width."""
        return not self.has_tags and all(
            part.field.type.width
            or (
                part.inner is not None and not part.field.prefix and part.inner.is_fixed
            )
            for part in self.parts
        )


class Layout(msgspec.Struct, frozen=True):
    """One byte layout of a message or struct and the revisions that share it.

    Attributes:
        name: Unique among all layouts: the record and the first revision.
        revisions: All revisions with it, rising.
        layout: The layout itself.
    """

    name: str
    revisions: tuple[int, ...]
    layout: RecordLayout


def _sizes(field: Field, inner: RecordLayout | None) -> tuple[int, int]:
    type_ = field.type
    if type_.width:
        return type_.width, type_.width
    if type_.kind != "array":
        if inner is not None:
            return inner.smallest, inner.largest
        return field.prefix + field.low, field.prefix + field.high
    element = type_.element
    assert element is not None
    small, large = (
        (inner.smallest, inner.largest) if inner else (element.width, element.width)
    )
    return field.prefix + field.low * small, field.prefix + field.high * large


def _part(
    field: Field, revision: int, keeps_unknown: bool, specification: Specification
) -> Part:
    scalar = field.type.element or field.type
    inner, values, mask = None, None, None
    if scalar.kind == "struct":
        inner = _record(
            specification.struct(scalar.name), revision, keeps_unknown, specification
        )
    elif scalar.kind == "enum":
        enum = specification.enum(scalar.name)
        if not enum.open:
            values = tuple(
                sorted(
                    value.value
                    for value in enum.values
                    if value.revisions.holds(revision)
                )
            )
    elif scalar.kind == "flagset":
        flags = specification.flagset(scalar.name)
        if not flags.open:
            mask = sum(
                1 << bit.value for bit in flags.bits if bit.revisions.holds(revision)
            )
    smallest, largest = _sizes(field, inner)
    return Part(field, smallest, largest, values, mask, inner)


def record_fields(fields: Sequence[Field]) -> tuple[Field, ...]:
    """Return one declaration for each field, in the order of a record's attributes."""
    first: dict[tuple[bool, int], Field] = {}
    for field in fields:
        first.setdefault((field.is_tag, field.number), field)
    return tuple(field for _, field in sorted(first.items()))


def _record(
    owner: Message | Structure,
    revision: int,
    keeps_unknown: bool,
    specification: Specification,
) -> RecordLayout:
    present = [field for field in owner.fields if field.revisions.holds(revision)]
    names = {field.name for field in present}
    parts = tuple(
        _part(field, revision, keeps_unknown, specification)
        for field in present
        if not field.is_tag
    )
    tags = tuple(
        _part(field, revision, keeps_unknown, specification)
        for field in present
        if field.is_tag
    )
    has_tags = isinstance(owner, Message) or owner.open
    smallest = sum(part.smallest for part in parts)
    largest = sum(part.largest for part in parts)
    if has_tags:
        smallest += SHORTEST_TAG_SECTION_BYTES + sum(
            TAG_HEADER_BYTES + tag.smallest
            for tag in tags
            if tag.field.presence == "required"
        )
        largest += (
            SHORTEST_TAG_SECTION_BYTES
            + specification.limit("unknown_tags_bytes_max").value
        )
        largest += sum(TAG_HEADER_BYTES + tag.largest for tag in tags)
    return RecordLayout(
        record=owner.name,
        parts=parts,
        tags=tags,
        has_tags=has_tags,
        keeps_unknown=keeps_unknown and has_tags,
        absent=tuple(
            field for field in record_fields(owner.fields) if field.name not in names
        ),
        smallest=smallest,
        largest=largest,
    )


def layout_at(
    owner: Message | Structure, revision: int, specification: Specification
) -> RecordLayout:
    """Return the layout of a message or struct at one revision."""
    keeps = (
        owner.document if isinstance(owner, Structure) else owner.relay == "reencode"
    )
    return _record(owner, revision, keeps, specification)


def layouts_of(
    owner: Message | Structure, specification: Specification
) -> tuple[Layout, ...]:
    """Return the different layouts of a message or struct over all revisions.

    Revisions in which a message does not exist have none.
    """
    shared: dict[RecordLayout, list[int]] = {}
    for revision in specification.revisions:
        if isinstance(owner, Structure) or owner.revisions.holds(revision):
            shared.setdefault(layout_at(owner, revision, specification), []).append(
                revision
            )
    return tuple(
        Layout(f"{owner.name.lower()}_{revisions[0]}", tuple(revisions), layout)
        for layout, revisions in shared.items()
    )


def default_bytes(field: Field) -> bytes:
    """Return the encoding of a field's default: what its tag must never hold."""
    value, kind = field.default, field.type.kind
    if kind == "array":
        return bytes(field.prefix)
    if kind == "raw":
        return bytes.fromhex(str(value))
    if kind in ("bytes", "text"):
        raw = bytes.fromhex(str(value)) if kind == "bytes" else str(value).encode()
        return len(raw).to_bytes(field.prefix, "big") + raw
    assert isinstance(value, int)
    return value.to_bytes(field.type.width, "big", signed=field.type.signed)
