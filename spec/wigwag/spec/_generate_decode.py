"""Renders `decoders.py`: one straight-line function for each layout.

A decoder only finds out that a body is right. Maximal runs of fixed fields are read by
one precompiled struct; slices need no bounds check of their own, because a slice past
the end moves the position past it, where the next read or the last comparison refuses
the body. On any refusal `find_fault` reads the body again, slowly, to name the fault.
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
    format_width,
    range_checks,
    struct_width,
    used_names,
)
from wigwag.spec._ir import Type
from wigwag.spec._layout import (
    TAG_HEADER_BYTES,
    Part,
    RecordLayout,
    record_fields,
)


class DecodeWriter:
    """Writes the reading of one layout, field after field."""

    def __init__(self, code: Code, module: Module, base: str) -> None:
        self.code = code
        self._module = module
        self._catalogue = module.catalogue
        self._names = Names()
        # The position is `base` plus a number known when generating; without a base
        # it counts from the body's start.
        self._base = base
        self._delta = 0
        self._run: list[tuple[str, str]] = []
        self._checks: list[str] = []

    def position(self, more: int = 0) -> str:
        """Return the present position as an expression."""
        delta = self._delta + more
        if not self._base:
            return str(delta)
        return f"{self._base} + {delta}" if delta else self._base

    def _declared(self) -> str:
        """Return `pos` as the target of an assignment; the first one says its type."""
        return "pos" if self._base else "pos: int"

    def settle(self) -> None:
        """Make `pos` the present position."""
        if self.position() != "pos":
            self.code.add(f"{self._declared()} = {self.position()}")
            self._base, self._delta = "pos", 0

    def flush(self) -> None:
        """Read the run of fixed fields that has gathered, and judge its values."""
        if self._run:
            formats = "".join(form for _, form in self._run)
            names = [name for name, _ in self._run]
            if formats == "B":
                self.code.add(f"{names[0]} = body[{self.position()}]")
            else:
                reader = self._module.struct("unpack", formats)
                read = f"{reader}(body, {self.position()})"
                if len(names) == 1:
                    self.code.add(f"({names[0]},) = {read}")
                else:
                    self.code.call("(", names, f") = {read}")
            self._delta += sum(format_width(form) for _, form in self._run)
            self._run.clear()
        self.code.checks(self._checks)

    def record(self, layout: RecordLayout, prefix: str = "") -> str:
        """Write the reading of a record; return the expression that makes it."""
        values = self.fields(layout, prefix)
        if layout.has_tags:
            values |= self._inner_tags(layout, prefix)
        return f"{layout.record}({', '.join(self.arguments(layout, values))})"

    def fields(self, layout: RecordLayout, prefix: str = "") -> dict[str, str]:
        """Write the reading of the positional fields; return their expressions."""
        return {part.field.name: self._part(part, prefix) for part in layout.parts}

    def arguments(self, layout: RecordLayout, values: dict[str, str]) -> list[str]:
        """Return the arguments of a record's class, defaults for what has no value."""
        owner = self._catalogue.owner(layout.record)
        arguments = [
            values.get(field.name) or self._catalogue.default_expression(field)
            for field in record_fields(owner.fields)
        ]
        return [*arguments, values["unknown"]] if "unknown" in values else arguments

    def _inner_tags(self, layout: RecordLayout, prefix: str) -> dict[str, str]:
        count = self._names.fresh(f"{prefix}tags")
        self._run.append((count, "B"))
        self.flush()
        self.settle()
        names = {
            tag.field.name: self._names.fresh(prefix + tag.field.attribute)
            for tag in layout.tags
        }
        names["unknown"] = self._names.fresh(f"{prefix}unknown")
        self.code.call(
            "(",
            [*names.values(), "pos"],
            f") = {self._module.tags_function(layout)}(body, pos, {count})",
        )
        return names

    def _part(self, part: Part, prefix: str) -> str:
        field, type_ = part.field, part.field.type
        name = self._names.fresh(prefix + field.attribute)
        if type_.width:
            self._run.append((name, format_of(type_)))
            self._checks += bound_checks(name, field, part, type_, self._module)
            return self._fixed_value(name, type_, part, self._checks)
        if type_.kind == "struct":
            assert part.inner is not None
            return self.record(part.inner, f"{name}_")
        size = self._names.fresh(
            f"{name}_{'count' if type_.kind == 'array' else 'size'}"
        )
        self._run.append((size, FORMATS[field.prefix]))
        self._checks += range_checks(
            size, field.low, field.high, 0, 256**field.prefix - 1
        )
        self.flush()
        if type_.kind == "array":
            self._items(part, name, size)
        else:
            self._blob(name, size, type_)
        return name

    def _fixed_value(
        self, name: str, type_: Type, part: Part, checks: list[str]
    ) -> str:
        if type_.kind == "bool":
            checks.append(f"{name} > 1")
            return f"{name} == 1"
        if type_.kind == "enum" and part.values is not None:
            return f"{self._module.table(type_.name, part.values)}[{name}]"
        return name

    def _advance(self, length: str) -> str:
        """Move `pos` past a value of `length` bytes; return where the value begins."""
        start = self.position()
        if self._base:
            self.code.add(f"start = {start}")
            start = "start"
        self.code.add(f"{self._declared()} = {start} + {length}")
        self._base, self._delta = "pos", 0
        return start

    def _blob(self, name: str, size: str, type_: Type) -> None:
        start = self._advance(size)
        if type_.kind == "text":
            self.code.add(f"{name} = body[{start}:pos].decode()")
            self._checks.append(f'"\\0" in {name}')
        else:
            self.code.add(f"{name} = body[{start}:pos]")

    def _items(self, part: Part, name: str, count: str) -> None:
        element = part.field.type.element
        assert element is not None
        if element.kind != "struct":
            self._scalars(part, element, name, count)
        elif part.inner is not None and part.inner.is_fixed:
            self._fixed_structs(part.inner, name, count)
        else:
            assert part.inner is not None
            self._structs(part.inner, name, count)
        if part.field.key == (".",):
            self.code.checks([f"{count} > 1 and not rising({name})"])
        elif part.field.key:
            attributes = key_attributes(part.field, self._catalogue)
            keys = ", ".join(f"item.{attribute}" for attribute in attributes)
            keys = f"({keys})" if len(attributes) > 1 else keys
            self.code.checks(
                [f"{count} > 1 and not rising([{keys} for item in {name}])"]
            )

    def _scalars(self, part: Part, element: Type, name: str, count: str) -> None:
        width = element.width
        start = self._advance(count if width == 1 else f"{width} * {count}")
        checks: list[str] = []
        value = self._fixed_value("item", element, part, checks)
        checks += bound_checks("item", part.field, part, element, self._module)
        if width == 1:
            source = f"body[{start}:pos]"
            self.code.add(
                f"{name} = tuple({source})"
                if value == "item"
                else f"{name} = tuple([{value} for item in {source}])"
            )
        else:
            reader = self._module.struct("iterate", format_of(element))
            source = f"{reader}(body[{start}:pos])"
            self.code.add(f"{name} = tuple([{value} for (item,) in {source}])")
        if element.kind == "bool":
            checks = [f"max(body[{start}:pos], default=0) > 1"]
        elif checks in (
            ["not item"],
            [f"item == {self._module.zero(width) if element.kind == 'raw' else 0}"],
        ):
            checks = [
                f"{self._module.zero(width) if element.kind == 'raw' else 0} in {name}"
            ]
        elif checks:
            checks = [f"any([{check} for item in {name}])" for check in checks]
        self._checks += checks
        self.code.checks(self._checks)

    def _fixed_structs(self, layout: RecordLayout, name: str, count: str) -> None:
        run, checks = self._run, self._checks
        self._run, self._checks = [], []
        value = self.record(layout, "item_")
        names = [variable for variable, _ in self._run]
        formats = "".join(form for _, form in self._run)
        inner = self._checks
        self._run, self._checks = run, checks
        start = self._advance(f"{struct_width(formats)} * {count}")
        reader = self._module.struct("iterate", formats)
        self.code.add(f"{name}_: list[{layout.record}] = []")
        unpacked = ", ".join(names) + ("," if len(names) == 1 else "")
        with self.code.block(f"for {unpacked} in {reader}(body[{start}:pos]):"):
            self.code.checks(inner)
            self.code.add(f"{name}_.append({value})")
        self.code.add(f"{name} = tuple({name}_)")

    def _structs(self, layout: RecordLayout, name: str, count: str) -> None:
        self.settle()
        self.code.add(f"{name}_: list[{layout.record}] = []")
        with self.code.block(f"for _ in range({count}):"):
            value = self.record(layout, "item_")
            self.flush()
            self.settle()
            self.code.add(f"{name}_.append({value})")
        self.code.add(f"{name} = tuple({name}_)")

    def count_tags(self) -> None:
        """Read the count of a tag section into `tags`, with the run before it."""
        self._run.append(("tags", "B"))
        self.flush()

    def value(self, part: Part) -> str:
        """Write the reading of one value, as a tag holds it; return its expression."""
        value = self._part(part, "value_")
        self.flush()
        return value


def _tags_function(name: str, layout: RecordLayout, module: Module) -> Code:
    """Render the reader of one tag section."""
    catalogue = module.catalogue
    owner = catalogue.owner(layout.record)
    code, names = Code(), Names()
    variables = {
        tag.field.name: names.fresh(tag.field.attribute) for tag in layout.tags
    }
    types = [catalogue.annotation(owner, tag.field) for tag in layout.tags]
    result = ", ".join([*types, "UnknownTags", "int"])
    with code.block(
        f"def {name}(body: bytes, pos: int, count: int) -> tuple[{result}]:"
    ):
        for tag, annotation in zip(layout.tags, types, strict=True):
            must = tag.field.presence == "required" and "None" not in annotation
            annotation = f"{annotation} | None" if must else annotation
            code.add(
                f"{variables[tag.field.name]}: {annotation} = "
                f"{catalogue.default_expression(tag.field)}"
            )
        if layout.keeps_unknown:
            code.add("kept: list[tuple[int, bytes]] = []")
        code.add("previous = unknown_bytes = 0")
        with code.block("for _ in range(count):"):
            code.add(
                "tag, size = unpack_tag(body, pos)",
                f"pos += {TAG_HEADER_BYTES}",
                "end = pos + size",
            )
            code.checks(["tag <= previous", "end > len(body)"])
            code.add("previous = tag")
            for place, tag in enumerate(layout.tags):
                with code.block(
                    f"{'elif' if place else 'if'} tag == {tag.field.number}:"
                ):
                    writer = DecodeWriter(code, module, "pos")
                    code.add(f"{variables[tag.field.name]} = {writer.value(tag)}")
                    checks = [f"{writer.position()} != end"]
                    if tag.field.has_default:
                        checks.append(
                            f"{variables[tag.field.name]} == "
                            f"{catalogue.default_expression(tag.field)}"
                        )
                    code.checks(checks)
            with code.block(f"{'elif' if layout.tags else 'if'} tag & 1:"):
                code.add(f"unknown_bytes += size + {TAG_HEADER_BYTES}")
                if layout.keeps_unknown:
                    code.add("kept.append((tag, body[pos:end]))")
            with code.block("else:"):
                code.add("raise ValueError")
            code.add("pos = end")
        must_have = [
            f"{variables[tag.field.name]} is None"
            for tag in layout.tags
            if tag.field.presence == "required"
        ]
        code.checks(
            ["count > TAGS_MAX", "unknown_bytes > UNKNOWN_TAGS_BYTES_MAX", *must_have]
        )
        kept = "tuple(kept)" if layout.keeps_unknown else "()"
        code.call("return (", [*variables.values(), kept, "pos"], ")")
    code.add("", "")
    return code


def _tagged_return(
    code: Code, writer: DecodeWriter, layout: RecordLayout, module: Module
) -> None:
    """Write the end of a record with a tag section: the empty one costs one compare."""
    class_ = module.catalogue.class_of(module.catalogue.owner(layout.record))
    values = writer.fields(layout)
    writer.count_tags()
    if not any(tag.field.presence == "required" for tag in layout.tags):
        with code.block("if not tags:"):
            code.checks([f"len(body) != {writer.position()}"])
            code.call(f"return {class_}(", writer.arguments(layout, values), ")")
    if layout.tags:
        found = {
            tag.field.name: f"tag_{tag.field.attribute}" for tag in layout.tags
        } | {"unknown": "unknown"}
        reader = module.tags_function(layout)
        code.call(
            "(",
            [*found.values(), "pos"],
            f") = {reader}(body, {writer.position()}, tags)",
        )
        values |= found
    elif layout.keeps_unknown:
        code.add(f"unknown, pos = keep_tags(body, {writer.position()}, tags)")
        values["unknown"] = "unknown"
    else:
        code.add(f"pos = skip_tags(body, {writer.position()}, tags)")
    code.checks(["len(body) != pos"])
    code.call(f"return {class_}(", writer.arguments(layout, values), ")")


def _function(layout: RecordLayout, about: str, module: Module) -> Code:
    code = Code()
    name = module.catalogue.layout_name(layout)
    class_ = module.catalogue.class_of(module.catalogue.owner(layout.record))
    with code.block(f"def decode_{name}(body: bytes) -> {class_}:"):
        code.docstring(about)
        with code.block("try:"):
            writer = DecodeWriter(code, module, "")
            if layout.has_tags:
                _tagged_return(code, writer, layout, module)
            else:
                values = writer.fields(layout)
                writer.flush()
                code.checks([f"len(body) != {writer.position()}"])
                code.call(f"return {class_}(", writer.arguments(layout, values), ")")
        with code.block("except DECODE_FAULTS:"):
            code.add(f"raise find_fault(shapes.{name.upper()}, body) from None")
    code.add("", "")
    return code


def render_decoders(catalogue: Catalogue, package: str) -> str:
    """Return the text of `decoders.py`."""
    module, body = Module(catalogue, "read_tags"), Code()
    for owner in catalogue.owners:
        for layout in catalogue.layouts[owner.name]:
            body.lines += _function(layout.layout, about(layout, "Read"), module).lines
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
            title="Decoders: one straight-line function for each layout."
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
        "DECODE_FAULTS",
        "TAGS_MAX",
        "UNKNOWN_TAGS_BYTES_MAX",
        "Struct",
        "UnknownTags",
        "find_fault",
        "keep_tags",
        "rising",
        "skip_tags",
        "unpack_tag",
    ]
    code.call("from wigwag.wire._primitives import (", used_names(whole, shared), ")")
    code.add("", *constants, "", "")
    return code.text() + text.rstrip("\n") + "\n"
