"""Renders `encoders.py`: one straight-line function for each layout.

An encoder only finds out that a record is right; `find_record_fault` then says which
field is not. `struct` refuses numbers that do not fit by itself, but it cuts and pads
bytes in silence, so lengths are always compared.
"""

from __future__ import annotations

from wigwag.spec._code import FORMATS, Catalogue, Code, Names
from wigwag.spec._generate_records import HEADING
from wigwag.spec._generate_shapes import key_attributes
from wigwag.spec._generate_shared import (
    Module,
    about,
    bound_checks,
    format_of,
    range_checks,
    used_names,
)
from wigwag.spec._ir import Field, Type
from wigwag.spec._layout import Part, RecordLayout


class EncodeWriter:
    """Writes the checks of one layout and gathers the expressions of its bytes."""

    def __init__(self, code: Code, module: Module) -> None:
        self.code = code
        self._module = module
        self._catalogue = module.catalogue
        self._names = Names()
        self._run: list[tuple[str, str]] = []
        self._checks: list[str] = []
        self._chunks: list[str] = []

    def chunks(self) -> list[str]:
        """Judge what has gathered; return the expressions of all bytes so far."""
        self.code.checks(self._checks)
        self._close_run()
        chunks, self._chunks = self._chunks, []
        return chunks

    def _close_run(self) -> None:
        if self._run:
            packer = self._module.struct("pack", "".join(form for form, _ in self._run))
            self._chunks.append(
                f"{packer}({', '.join(value for _, value in self._run)})"
            )
            self._run.clear()

    def _chunk(self, expression: str) -> None:
        self._close_run()
        self._chunks.append(expression)

    def record(self, layout: RecordLayout, source: str, prefix: str = "") -> None:
        """Write a record that `source` names, without its own tag section."""
        for field in layout.absent:
            if not field.lossy_ok:
                default = self._catalogue.default_expression(field)
                compare = "is not" if default == "None" else "!="
                self._checks.append(f"{source}.{field.attribute} {compare} {default}")
        for part in layout.parts:
            self.part(part, f"{source}.{part.field.attribute}", prefix)

    def part(self, part: Part, source: str, prefix: str = "") -> None:
        """Write one field whose value is the expression `source`."""
        field, type_ = part.field, part.field.type
        name = self._names.fresh(prefix + field.attribute)
        if name != source:
            self.code.add(f"{name} = {source}")
        if type_.width:
            self._checks += self._fixed_checks(name, part, type_)
            self._run.append(("?" if type_.kind == "bool" else format_of(type_), name))
            return
        if type_.kind == "struct":
            assert part.inner is not None
            self.record(part.inner, name, f"{name}_")
            if part.inner.has_tags:
                self._chunk(self.tags(part.inner, name, f"{name}_"))
            return
        if type_.kind == "text":
            raw = self._names.fresh(f"{name}_utf8")
            self.code.add(f"{raw} = {name}.encode()")
            self._checks.append(f'b"\\0" in {raw}')
            name = raw
        self._checks += range_checks(
            f"len({name})", field.low, field.high, 0, 256**field.prefix - 1
        )
        self._run.append((FORMATS[field.prefix], f"len({name})"))
        if type_.kind == "array":
            self._items(part, name)
        else:
            self._chunk(name)

    def _fixed_checks(self, name: str, part: Part, type_: Type) -> list[str]:
        if type_.kind == "raw":
            return [
                f"len({name}) != {type_.width}",
                *bound_checks(name, part.field, part, type_, self._module),
            ]
        if type_.kind == "bool":
            # `struct` takes anything for a bool, which might then equal a default.
            return [f"{name} is not True and {name} is not False"]
        if type_.kind == "enum" and part.values is not None:
            return [f"{name} not in {self._module.table(type_.name, part.values)}"]
        return bound_checks(name, part.field, part, type_, self._module)

    def _items(self, part: Part, name: str) -> None:
        element = part.field.type.element
        assert element is not None
        if part.field.key == (".",):
            self._checks.append(f"len({name}) > 1 and not rising({name})")
        elif part.field.key:
            attributes = key_attributes(part.field, self._catalogue)
            keys = ", ".join(f"item.{attribute}" for attribute in attributes)
            keys = f"({keys})" if len(attributes) > 1 else keys
            self._checks.append(
                f"len({name}) > 1 and not rising([{keys} for item in {name}])"
            )
        if element.kind != "struct":
            self._scalars(part, element, name)
            return
        assert part.inner is not None
        # Judged before the loop, which a list without bound would make long.
        self.code.checks(self._checks)
        self._close_run()
        outer, self._chunks = self._chunks, []
        parts = self._names.fresh(f"{name}_parts")
        item = self._names.fresh(f"{name}_item")
        self.code.add(f"{parts}: list[bytes] = []")
        with self.code.block(f"for {item} in {name}:"):
            self.record(part.inner, item, f"{item}_")
            chunks = self.chunks()
            if len(chunks) == 1 and not chunks[0].startswith("*"):
                self.code.add(f"{parts}.append({chunks[0]})")
            else:
                self.code.call(
                    f"{parts} += (", chunks, ",)" if len(chunks) == 1 else ")"
                )
        self._chunks = [*outer, f"*{parts}"]

    def _scalars(self, part: Part, element: Type, name: str) -> None:
        checks = self._fixed_checks("item", part, element)
        if checks:
            joined = " or ".join(checks)
            self._checks.append(f"any([{joined} for item in {name}])")
        if element.kind == "raw":
            self._chunk(f"*{name}")
        elif element.width == 1:
            self._chunk(f"bytes({name})")
        else:
            self._chunk(
                f"*[{self._module.struct('pack', format_of(element))}(item) "
                f"for item in {name}]"
            )

    def tags(self, layout: RecordLayout, source: str, prefix: str = "") -> str:
        """Write the tag section of a record; return the expression of its bytes."""
        self.code.checks(self._checks)
        present: list[str] = []
        for tag in layout.tags:
            attribute = f"{source}.{tag.field.attribute}"
            if tag.field.presence != "optional":
                present = ["True"]
                break
            present.append(presence(attribute, tag.field, self._catalogue))
        name = self._names.fresh(f"{prefix}section")
        if layout.tags:
            writer = f"{self._module.tags_function(layout)}({source})"
        else:
            writer = f"tag_section([], {source}.unknown, NO_KNOWN)"
        if present == ["True"]:
            self.code.add(f"{name} = {writer}")
        else:
            condition = " or ".join([f"{source}.unknown", *present])
            self.code.add(f"{name} = {writer} if {condition} else NO_TAGS")
        return name


def presence(expression: str, field: Field, catalogue: Catalogue) -> str:
    """Return the condition under which an optional tag is written."""
    if field.has_default and field.type.kind == "array":
        # An empty list is not equal to an empty tuple, and would be written.
        return f"len({expression}) > 0"
    default = catalogue.default_expression(field)
    return f"{expression} {'!=' if field.has_default else 'is not'} {default}"


def joined(chunks: list[str]) -> tuple[str, list[str], str]:
    """Return the cheapest expression that joins chunks, as `Code.call` takes it."""
    if len(chunks) == 1 and not chunks[0].startswith("*"):
        return chunks[0], [], ""
    if len(chunks) == 2 and not any(chunk.startswith("*") for chunk in chunks):
        return f"{chunks[0]} + {chunks[1]}", [], ""
    return 'b"".join((', chunks, ",))" if len(chunks) == 1 else "))"


def _tags_function(name: str, layout: RecordLayout, module: Module) -> Code:
    """Render the writer of one tag section."""
    catalogue = module.catalogue
    owner = catalogue.owner(layout.record)
    known = ", ".join(str(tag.field.number) for tag in layout.tags)
    code = Code()
    with code.block(f"def {name}(record: {catalogue.class_of(owner)}) -> bytes:"):
        code.add("entries: list[tuple[int, bytes]] = []")
        for tag in layout.tags:
            field = tag.field
            variable = Names().fresh(field.attribute)
            code.add(f"{variable} = record.{field.attribute}")
            if field.presence != "optional" and catalogue.is_maybe(owner, field):
                code.checks([f"{variable} is None"])
            conditional = field.presence == "optional"
            heading = f"if {presence(variable, field, catalogue)}:"
            if not conditional:
                _tag_entry(code, tag, variable, module)
                continue
            with code.block(heading):
                _tag_entry(code, tag, variable, module)
        code.add(f"return tag_section(entries, record.unknown, frozenset(({known},)))")
    code.add("", "")
    return code


def _tag_entry(code: Code, tag: Part, variable: str, module: Module) -> None:
    writer = EncodeWriter(code, module)
    writer.part(tag, variable, "")
    before, chunks, after = joined(writer.chunks())
    code.call(f"entries.append(({tag.field.number}, {before}", chunks, f"{after}))")


def _function(layout: RecordLayout, docstring: str, module: Module) -> Code:
    code = Code()
    name = module.catalogue.layout_name(layout)
    class_ = module.catalogue.class_of(module.catalogue.owner(layout.record))
    with code.block(f"def encode_{name}(record: {class_}) -> bytes:"):
        code.docstring(docstring)
        with code.block("try:"):
            writer = EncodeWriter(code, module)
            writer.record(layout, "record")
            tags = [writer.tags(layout, "record")] if layout.has_tags else []
            before, chunks, after = joined([*writer.chunks(), *tags])
            code.call(f"return {before}", chunks, after)
        with code.block("except ENCODE_FAULTS:"):
            code.add(
                f"raise find_record_fault(shapes.{name.upper()}, record) from None"
            )
    code.add("", "")
    return code


def render_encoders(catalogue: Catalogue, package: str) -> str:
    """Return the text of `encoders.py`."""
    module, body = Module(catalogue, "write_tags"), Code()
    for owner in catalogue.owners:
        for layout in catalogue.layouts[owner.name]:
            body.lines += _function(layout.layout, about(layout, "Write"), module).lines
    rendered: set[str] = set()
    while waiting := [name for name in module.tag_functions if name not in rendered]:
        rendered.add(waiting[0])
        body.lines += _tags_function(
            waiting[0], module.tag_functions[waiting[0]], module
        ).lines
    text = body.text()
    constants = module.constants()
    whole = "\n".join(constants) + text
    code = Code()
    code.add(
        *HEADING.format(
            title="Encoders: one straight-line function for each layout."
        ).split("\n")
    )
    classes = [catalogue.class_of(owner) for owner in catalogue.owners]
    enums = [enum.name for enum in catalogue.specification.enums]
    code.add(f"from {package} import shapes")
    code.call(
        f"from {package}.records import (",
        sorted(used_names(whole, [*classes, *enums])),
        ")",
    )
    shared = [
        "ENCODE_FAULTS",
        "NO_KNOWN",
        "NO_TAGS",
        "Struct",
        "find_record_fault",
        "rising",
        "tag_section",
    ]
    code.call("from wigwag.wire._primitives import (", used_names(whole, shared), ")")
    code.add("", *constants, "", "")
    return code.text() + text.rstrip("\n") + "\n"
