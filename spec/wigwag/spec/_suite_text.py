"""Pieces of Python source that the suite's generator puts together."""

import textwrap
from collections.abc import Sequence

from wigwag.spec._suite_model import INTEGER_BYTES, PartKind, PartType

LINE_COLUMNS = 88
"""Columns of a line, as the formatter is configured."""

INTEGER_PACKERS = {
    PartKind.U8: "_U8",
    PartKind.U16: "_U16",
    PartKind.U32: "_U32",
    PartKind.U64: "_U64",
    PartKind.TS_MS: "_U64",
    PartKind.BOOL: "_U8",
}
"""Per integer kind: the function of the module that writes it."""


def camel_case(name: str) -> str:
    """Make a class name of a lower-case name."""
    return "".join(word.capitalize() for word in name.split("_"))


def python_type(part_type: PartType) -> str:
    """Name the Python type of a simple part."""
    if part_type.kind is PartKind.BOOL:
        return "bool"
    return "int" if part_type.kind in INTEGER_BYTES else "bytes"


def literal(value: bytes) -> str:
    """Write bytes as the formatter does: lower-case escapes, double quotes."""
    if len(value) > 1 and len(set(value)) == 1:
        return f"{literal(value[:1])} * {len(value)}"
    text = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\x{byte:02x}"
        for byte in value
    )
    return f'b"{text}"'


def docstring(
    text: str, indent: int, arguments: Sequence[tuple[str, str]] = ()
) -> list[str]:
    """Write a docstring: the first sentence apart, then the rest, then `Args`.

    Args:
        text: Whole sentences.
        indent: Columns before it.
        arguments: Name and meaning of each parameter.

    Returns:
        Its lines, indented.
    """
    first, stop, rest = text.partition(". ")
    head = first + "." if stop else first
    space = " " * indent
    lines = textwrap.wrap(f'"""{head}', LINE_COLUMNS - indent - 3)
    if len(lines) > 1:
        # A summary longer than a line goes on below it; nothing is cut.
        lines = textwrap.wrap(f'"""{text}', LINE_COLUMNS - indent)
        rest = ""
    if rest:
        lines += ["", *textwrap.wrap(rest, LINE_COLUMNS - indent)]
    if arguments:
        lines += ["", "Args:"]
        for name, meaning in arguments:
            lines += textwrap.wrap(
                f"{name}: {meaning}",
                LINE_COLUMNS - indent,
                initial_indent="    ",
                subsequent_indent="        ",
            )
    if len(lines) == 1:
        return [f'{space}{lines[0]}"""']
    return [f"{space}{line}" if line else "" for line in [*lines, '"""']]
