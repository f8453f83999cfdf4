"""Turn a suite's byte layouts into classes with an encoder and a strict decoder."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wigwag.spec._suite_model import INTEGER_BYTES, Layout, Part, PartKind
from wigwag.spec._suite_text import camel_case, docstring, python_type

_STRUCT_CODES = {
    PartKind.U8: "B",
    PartKind.U16: "H",
    PartKind.U32: "I",
    PartKind.U64: "Q",
    PartKind.TS_MS: "Q",
}


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring fields that one `Struct` reads and writes."""

    struct_name: str
    fields: tuple[Part, ...]

    @property
    def size(self) -> int:
        return sum(field.type.size for field in self.fields)

    @property
    def code(self) -> str:
        return ">" + "".join(
            _STRUCT_CODES.get(field.type.kind, f"{field.type.size}s")
            for field in self.fields
        )


def render_layouts(layouts: Sequence[Layout]) -> list[str]:
    """Write class, encoder and decoder of each layout.

    Args:
        layouts: Contained ones before those that contain them.

    Returns:
        One block of source a layout.
    """
    sizes: dict[str, int] = {}
    blocks: list[str] = []
    for layout in layouts:
        runs = _split(layout)
        sizes[layout.name] = _fixed_size(layout, sizes)
        blocks.append(_class(layout))
        if all(_is_fixed(field) for field in layout.fields):
            name = f"{layout.name.upper()}_BYTES"
            blocks.append(f"{name} = {sizes[layout.name]}")
        blocks.append(_encoder(layout, runs))
        blocks.append(_decoder(layout, runs, sizes))
    return blocks


def _is_fixed(field: Part) -> bool:
    return field.flag is None and field.type.kind is not PartKind.VARIABLE


def _fixed_size(layout: Layout, sizes: dict[str, int]) -> int:
    return sum(
        sizes[field.type.target]
        if field.type.kind is PartKind.RECORD
        else field.type.size
        for field in layout.fields
        if field.flag is None
    )


def _split(layout: Layout) -> list[_Run | Part]:
    items: list[_Run | Part] = []
    run: list[Part] = []

    def close() -> None:
        if run:
            name = f"_{layout.name.upper()}_{len(items)}"
            items.append(_Run(name, tuple(run)))
            run.clear()

    for field in layout.fields:
        if field.type.kind in (PartKind.RECORD, PartKind.VARIABLE):
            close()
            items.append(field)
        else:
            run.append(field)
    close()
    return items


def _attributes(layout: Layout) -> Iterable[tuple[Part, str]]:
    for field in layout.fields:
        if field.constant is not None or field.mask is not None:
            continue
        annotation = python_type(field.type)
        if field.type.kind is PartKind.RECORD:
            annotation = camel_case(field.type.target)
        yield field, annotation + (" | None" if field.flag is not None else "")


def _class(layout: Layout) -> str:
    lines = [f"class {camel_case(layout.name)}(NamedTuple):"]
    lines += [*docstring(layout.doc, indent=4), ""]
    for field, annotation in _attributes(layout):
        lines.append(f"    {field.name}: {annotation}")
        lines += docstring(field.doc, indent=4)
    return "\n".join(lines)


def _encoder(layout: Layout, items: Sequence[_Run | Part]) -> str:
    lines = [
        f"{item.struct_name} = Struct({item.code!r})".replace("'", '"')
        for item in items
        if isinstance(item, _Run)
    ]
    name = camel_case(layout.name)
    lines += ["", "", f"def encode_{layout.name}(value: {name}) -> bytes:"]
    lines += docstring(f"Write {name} as bytes.", indent=4)
    flagged = [field for field in layout.fields if field.flag is not None]
    if flagged:
        lines.append("    flags = 0")
    for field in flagged:
        lines.append(f"    if value.{field.name} is not None:")
        lines.append(f"        flags |= {1 << (field.flag or 0)}")
    pieces = [_encoded(item) for item in items]
    if len(pieces) == 1 and isinstance(items[0], _Run):
        return "\n".join(
            [*lines, f"    return {pieces[0][0]}", *_deeper(pieces[0][1:], 4)]
        )
    lines += ['    return b"".join(', "        ("]
    for piece in pieces:
        lines += _deeper(piece[:-1], 12) + _deeper([piece[-1] + ","], 12)
    lines += ["        )", "    )"]
    return "\n".join(lines)


def _deeper(lines: Iterable[str], indent: int) -> list[str]:
    return [" " * indent + line for line in lines]


def _encoded(item: _Run | Part) -> list[str]:
    if isinstance(item, _Run):
        packed = [f"    {_packed(field)}," for field in item.fields]
        return [f"{item.struct_name}.pack(", *packed, ")"]
    if item.type.kind is PartKind.VARIABLE:
        return [f"value.{item.name}"]
    encoded = f"encode_{item.type.target}(value.{item.name})"
    if item.flag is None:
        return [encoded]
    return [f'b"" if value.{item.name} is None else {encoded}']


def _packed(field: Part) -> str:
    if field.constant is not None:
        if field.type.kind in INTEGER_BYTES:
            return str(int.from_bytes(field.constant, "big"))
        return repr(field.constant)
    if field.mask is not None:
        return "flags"
    if field.type.kind in _STRUCT_CODES:
        return f"value.{field.name}"
    return f"_sized(value.{field.name}, {field.type.size})"


def _decoder(
    layout: Layout, items: Sequence[_Run | Part], sizes: dict[str, int]
) -> str:
    name = camel_case(layout.name)
    lines = [f"def decode_{layout.name}(data: bytes) -> {name}:"]
    lines += docstring(f"Read {name}; raises `LayoutError` on anything else.", 4)
    offset = 0
    is_moving = False
    for item in items:
        start = _position(offset, is_moving)
        if isinstance(item, _Run):
            end = _position(offset + item.size, is_moving)
            lines += _read_run(layout, item, start, end)
            offset += item.size
        elif item.type.kind is PartKind.VARIABLE:
            lines += _read_rest(layout, item, start)
        else:
            if not is_moving:
                lines.append(f"    offset = {offset}")
            elif offset:
                lines.append(f"    offset += {offset}")
            is_moving, offset = True, 0
            lines += _read_nested(item, sizes[item.type.target])
    if not any(field.type.kind is PartKind.VARIABLE for field in layout.fields):
        last = f'"{layout.name}", "{layout.fields[-1].name}"'
        lines.append(f"    if len(data) != {_position(offset, is_moving)}:")
        lines.append(f'        raise LayoutError({last}, "bytes remain")')
    lines.append(f"    return {name}(")
    lines += [f"        {field.name}={field.name}," for field, _ in _attributes(layout)]
    lines.append("    )")
    return "\n".join(lines)


def _position(offset: int, is_moving: bool) -> str:
    if not is_moving:
        return str(offset)
    return f"offset + {offset}" if offset else "offset"


def _read_run(layout: Layout, run: _Run, start: str, end: str) -> list[str]:
    first = run.fields[0].name
    lines = [f"    if len(data) < {end}:"]
    lines += [f'        raise LayoutError("{layout.name}", "{first}", "too short")']
    lines += ["    ("]
    lines += [f"        {field.name}," for field in run.fields]
    lines += [f"    ) = {run.struct_name}.unpack_from(data, {start})"]
    for field in run.fields:
        where = f'"{layout.name}", "{field.name}"'
        if field.constant is not None:
            lines += [f"    if {field.name} != {_packed(field)}:"]
            lines += [f'        raise LayoutError({where}, "not supported")']
        if field.mask is not None:
            lines += [f"    if {field.name} & {0xFF ^ field.mask}:"]
            lines += [f'        raise LayoutError({where}, "unknown bits are set")']
    return lines


def _read_rest(layout: Layout, field: Part, start: str) -> list[str]:
    # The formatter sets a space before the colon unless what precedes is simple.
    space = " " if " " in start else ""
    lines = [f"    {field.name} = data[{start}{space}:]"]
    if field.min_bytes:
        where = f'"{layout.name}", "{field.name}"'
        lines += [f"    if len({field.name}) < {field.min_bytes}:"]
        lines += [f'        raise LayoutError({where}, "too short")']
    return lines


def _read_nested(field: Part, size: int) -> list[str]:
    decode = f"decode_{field.type.target}(data[offset : offset + {size}])"
    if field.flag is None:
        return [f"    {field.name} = {decode}", f"    offset += {size}"]
    return [
        f"    {field.name} = None",
        f"    if flags & {1 << field.flag}:",
        f"        {field.name} = {decode}",
        f"        offset += {size}",
    ]
