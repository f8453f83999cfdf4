"""Renders `shapes.py`: layouts as data, for naming faults."""

from __future__ import annotations

from wigwag.spec._code import Catalogue, Code
from wigwag.spec._generate_records import HEADING
from wigwag.spec._ir import Field, Type
from wigwag.spec._layout import Part, RecordLayout, default_bytes


def _scalar(name: str, type_: Type, part: Part, catalogue: Catalogue) -> str:
    """Return the shape of a value, or of an array's element named "."."""
    field = part.field
    alone = field.type.kind != "array"
    match type_.kind:
        case "integer":
            low = -(2 ** (8 * type_.width - 1)) if type_.signed else 0
            high = 2 ** (8 * type_.width - int(type_.signed)) - 1
            if alone:
                low, high = field.low, field.high
            more = ", signed=True" if type_.signed else ""
            more += ", nonzero=True" if field.nonzero else ""
            return f'Whole("{name}", {type_.width}, {low}, {high}{more})'
        case "bool":
            return f'Flag("{name}")'
        case "raw":
            return f'Raw("{name}", {type_.width}, {field.nonzero})'
        case "enum" if part.values is not None:
            return f'Choice("{name}", {type_.width}, frozenset({part.values!r}))'
        case "flagset" if part.mask is not None:
            return f'Bits("{name}", {type_.width}, {part.mask})'
        case "enum" | "flagset":
            return f'Whole("{name}", {type_.width}, 0, {256**type_.width - 1})'
        case _:
            assert part.inner is not None
            return f'Nested("{name}", {catalogue.layout_name(part.inner).upper()})'


def shape_of(part: Part, catalogue: Catalogue) -> str:
    """Return the Python expression of a field's shape."""
    field, type_ = part.field, part.field.type
    counted = f'"{field.attribute}", {field.prefix}, {field.low}, {field.high}'
    if type_.kind in ("bytes", "text"):
        return f"Blob({counted}, {type_.kind == 'text'})"
    if type_.kind != "array":
        return _scalar(field.attribute, type_, part, catalogue)
    assert type_.element is not None
    element = _scalar(".", type_.element, part, catalogue)
    key = _key(field, catalogue)
    return f"Items({counted}, {element}, {key!r})"


def _key(field: Field, catalogue: Catalogue) -> tuple[str, ...]:
    element = field.type.element
    if element is None or element.kind != "struct":
        return field.key
    return key_attributes(field, catalogue)


def key_attributes(field: Field, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the attributes of an array's elements that order them."""
    assert field.type.element is not None
    fields = catalogue.specification.struct(field.type.element.name).fields
    attributes = {inner.name: inner.attribute for inner in fields}
    return tuple(attributes[name] for name in field.key)


def _tag(part: Part, catalogue: Catalogue) -> str:
    field = part.field
    more = ", must=True" if field.presence == "required" else ""
    more += ", needed=True" if field.presence != "optional" else ""
    if field.has_default:
        more += f", default_bytes={default_bytes(field)!r}"
        more += f", default={catalogue.default_expression(field)}"
    return f"Tag({field.number}, {shape_of(part, catalogue)}{more})"


def _record(code: Code, layout: RecordLayout, catalogue: Catalogue) -> None:
    name = catalogue.layout_name(layout).upper()
    with code.block(f"{name} = Record("):
        code.add(f'"{layout.record}",')
        if layout.parts:
            code.add(
                "(",
                *(f"    {shape_of(part, catalogue)}," for part in layout.parts),
                "),",
            )
        else:
            code.add("(),")
        if not layout.has_tags:
            code.add("None,")
        elif layout.tags:
            code.add(
                "(", *(f"    {_tag(part, catalogue)}," for part in layout.tags), "),"
            )
        else:
            code.add("(),")
        if layout.absent:
            entries = [
                f'Absent("{field.attribute}", '
                f"{catalogue.default_expression(field)}, {field.lossy_ok})"
                for field in layout.absent
            ]
            code.add("(", *(f"    {entry}," for entry in entries), "),")
    code.add(")", "")


def render_shapes(catalogue: Catalogue, package: str) -> str:
    """Return the text of `shapes.py`."""
    code = Code()
    for layout in catalogue.record_layouts():
        _record(code, layout, catalogue)
    body = code.text()
    words = [
        "Absent",
        "Bits",
        "Blob",
        "Choice",
        "Flag",
        "Items",
        "Nested",
        "Raw",
        "Record",
        "Tag",
        "Whole",
    ]
    used = [word for word in words if f"{word}(" in body]
    enums = [
        enum.name
        for enum in catalogue.specification.enums
        if f" {enum.name}." in body or f"={enum.name}." in body
    ]
    heading = Code()
    heading.add(
        *HEADING.format(title="Layouts as data, read only to name a fault.").split("\n")
    )
    if enums:
        heading.call(f"from {package}.records import (", enums, ")")
    heading.call("from wigwag.wire._shapes import (", used, ")")
    heading.add("")
    return heading.text() + body
