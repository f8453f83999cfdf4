"""The suite's source: its checks, and code made of shapes that suite 1 lacks."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wigwag.spec._mistakes import SpecificationError
from wigwag.spec._suite import parse_suite
from wigwag.spec._suite_render import render_suite

ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / "spec/wigwag/spec/suites/1.toml").read_text("utf-8")


def mistakes(change: Callable[[str], str]) -> str:
    """Returns what the checker says of a changed source."""
    changed = change(SOURCE)
    assert changed != SOURCE, "the change must hit"
    with pytest.raises(SpecificationError) as caught:
        parse_suite("suites/1.toml", changed)
    return str(caught.value)


def line_of(source: str, text: str) -> int:
    """Returns the line in which a text first stands, from 1."""
    return source[: source.index(text)].count("\n") + 1


CHANGES: dict[str, tuple[str, str, str]] = {
    # old text, new text, what must be said
    "unknown table": ("[[record]]", "[[recrod]]", "did you mean 'record'"),
    "unknown key": ('result = "sha256[16]"', 'resutl = "x"', "did you mean 'result'"),
    "missing key": ('unit = "bytes"', "", "has a key `unit`"),
    "unknown type": ('type = "device"', 'type = "devices"', "a type is"),
    "second name": ('name = "message_ad"', 'name = "session_ad"', "unique"),
    "second label": ('"wigwag/1 re-register"', '"wigwag/1 register"', "unique"),
    "label that isn't ASCII": ('"wigwag/1 auth"', '"wigwag/1 äuth"', "printable"),
    "unknown encoding": ('encoding = "raw"', 'encoding = "cooked"', "'lp' or 'raw'"),
    "raw with label": ('encoding = "raw"', 'label = "x"\nencoding = "raw"', "label"),
    "unknown result": ('result = "sha256[16]"', 'result = "md5"', "sha256[N]"),
    "too much of a hash": ("sha256[16]", "sha256[33]", "32 bytes"),
    "unknown order": ('order = "ascending"', 'order = "down"', "'ascending'"),
    "order of unlike parts": (
        'name = "account_b"\ntype = "uuid"',
        'name = "account_b"\ntype = "u8"',
        "one type",
    ),
    "part of nothing": ('of = "message_ad"', 'of = "massage_ad"', "names a"),
    "constant too large": ("value = 1\ndoc", "value = 65536\ndoc", "fits u16"),
    "constant of odd length": ('value = "ffff', 'value = "ff', "32 bytes"),
    "constant that isn't hexadecimal": ('value = "ff', 'value = "xx', "hexadecimal"),
    "constant of a loose type": (
        'name = "blob"\ntype = "bytes"',
        'name = "blob"\ntype = "bytes"\nvalue = "00"',
        "have a value",
    ),
    "negative constant": ("value = 2000", "value = -2000", "from 0"),
    "value of the wrong type": ('unit = "bytes"', "unit = 3", "of type str"),
    "name with capitals": ('name = "party"', 'name = "Party"', "a name is"),
    "device with another name": ('name = "sender_device"', 'name = "sender"', "ending"),
    "optional number": (
        'name = "message_class"\ntype = "u8"',
        'name = "message_class"\ntype = "u8"\noptional = true',
        "only bytes",
    ),
    "part twice": ('name = "account_b"', 'name = "account_a"', "once"),
    "suite 0": ("id = 1", "id = 0", "1..65535"),
    "no suite": ("[suite]", "[[constant]]", "unknown key `id`"),
    "unknown algorithm": ('algorithm = "HMAC-SHA-256"', 'algorithm = "MD5"', "one of"),
    "bytes in the middle": (
        'of = "ratchet_header"\nname = "ratchet_key"\ntype = "bytes[32]"',
        'of = "ratchet_header"\nname = "ratchet_key"\ntype = "bytes"',
        "only the last",
    ),
    "flag without flags": ("mask = 1\n", "", "precede"),
    "mask elsewhere": (
        'name = "version"\ntype = "u8"',
        'name = "version"\ntype = "u8"\nmask = 1',
        "only `flags`",
    ),
    "flag of a number": (
        'name = "body"\ntype = "bytes"',
        'name = "body"\ntype = "bytes"\nflag = 0',
        "nested",
    ),
    "layout before its parts": (
        'type = "ratchet_header"',
        'type = "plaintext"',
        "after",
    ),
    "record without parts": (
        '[[record]]\nname = "party"',
        '[[record]]\nname = "nobody"\ndoc = "x"\n\n[[record]]\nname = "party"',
        "there is a [[part]]",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_mistake_in_the_source_is_named_with_its_place(name: str) -> None:
    """A mistake without a place is a search; an accepted one is a broken suite."""
    old, new, expected = CHANGES[name]
    told = mistakes(lambda source: source.replace(old, new, 1))
    assert expected in told
    file, line, _ = told.split(":", 2)
    assert file == "suites/1.toml"
    # The changed line, or the heading of the table that it breaks.
    lines = SOURCE.replace(old, new, 1).splitlines()
    changed = line_of(SOURCE, old)
    last = changed + new.count("\n") + 3
    assert int(line) in range(changed, last) or lines[int(line) - 1].startswith(
        ("[", "order =")
    )


def test_source_that_is_no_toml_is_named_with_its_place() -> None:
    """The reader of the subset speaks for lines that aren't TOML at all."""
    with pytest.raises(SpecificationError, match=r"suites/1.toml:1: "):
        parse_suite("suites/1.toml", "what is this\n")


def test_source_without_suite_is_refused() -> None:
    """A number is what bundles and lists name."""
    with pytest.raises(SpecificationError, match="there is no"):
        parse_suite("suites/1.toml", "# nothing\n")


SMALL = """\
[suite]
id = 2
name = "small"
doc = "A suite for this test. It has shapes that suite 1 lacks."

[[constant]]
name = "answer"
value = 42
unit = "answers"
doc = "Why not."

[[transcript]]
name = "fixed"
label = "fixed"
result = "sha256[4]"
doc = "Only a label and a constant."

[[part]]
of = "fixed"
name = "magic"
type = "bytes[2]"
value = "0aff"
doc = "Magic."

[[layout]]
name = "inner"
doc = "Inner."

[[field]]
of = "inner"
name = "magic"
type = "bytes[2]"
value = "0aff"
doc = "Magic."

[[field]]
of = "inner"
name = "count"
type = "u16"
doc = "Count."

[[layout]]
name = "outer"
doc = "Nested layouts with fixed fields between and behind them."

[[field]]
of = "outer"
name = "flags"
type = "u8"
mask = 2
doc = "Bit 1: second."

[[field]]
of = "outer"
name = "first"
type = "inner"
doc = "Always."

[[field]]
of = "outer"
name = "middle"
type = "u32"
doc = "Between."

[[field]]
of = "outer"
name = "second"
type = "inner"
flag = 1
doc = "Sometimes."

[[field]]
of = "outer"
name = "last"
type = "ts_ms"
doc = "Behind."

[[layout]]
name = "rest"
doc = "Nothing but the rest."

[[field]]
of = "rest"
name = "everything"
type = "bytes"
min = 1
doc = "All of it."
"""


def run_generated(source: str) -> Any:  # noqa: ANN401 - names made at run time
    """Returns the module made from a suite's source; its names are its own."""
    module = ModuleType("small")
    text = render_suite(parse_suite("suites/2.toml", source))
    exec(compile(text, "small", "exec"), module.__dict__)  # noqa: S102 - our own
    return module


def test_generated_code_handles_every_shape_of_layout() -> None:
    """The next suite may order fields otherwise than suite 1 does."""
    small = run_generated(SMALL)
    assert small.SUITE == 2
    assert small.ANSWER == 42
    assert small.INNER_BYTES == 4
    assert small.fixed() == sha256(b"\0\0\0\x05fixed\0\0\0\x02\x0a\xff").digest()[:4]
    inner = small.Inner(5)
    for second in (None, small.Inner(6)):
        outer = small.Outer(inner, 7, second, 8)
        data = small.encode_outer(outer)
        flagged = b"" if second is None else b"\x0a\xff\x00\x06"
        flags = b"\x00" if second is None else b"\x02"
        assert (
            data
            == flags
            + b"\x0a\xff\x00\x05"
            + b"\0\0\0\x07"
            + flagged
            + b"\0\0\0\0\0\0\0\x08"
        )
        assert small.decode_outer(data) == outer
        for wrong in (data[:-1], data + b"\x00", b"\x01" + data[1:], data[:1]):
            with pytest.raises(small.LayoutError):
                small.decode_outer(wrong)
    assert small.decode_rest(b"x") == small.Rest(b"x")
    with pytest.raises(small.LayoutError, match="too short"):
        small.decode_rest(b"")
    with pytest.raises(small.LayoutError, match="not supported"):
        small.decode_inner(b"\x0b\xff\x00\x05")
