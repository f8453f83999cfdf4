"""The content's source: its checks, and that the code is made from it."""

from pathlib import Path

import pytest

from wigwag.spec._content import load_content, parse_content
from wigwag.spec._mistakes import SpecificationError

ROOT = Path(__file__).parents[2]
SPECIFICATION = ROOT / "spec" / "wigwag" / "spec"

HEAD = """\
[content]
version = 1
bytes_max = 65536
depth_max = 8
keys_max = 256
doc = "Limits."
"""

KIND = """\
[kind]
name = "text"
value = 1
class = "message"
doc = "A text."

[[field]]
key = 2
name = "text"
type = "str"
min = 1
max = 10
doc = "The text."
"""


def told(head: str = HEAD, kind: str = KIND, **more: str) -> str:
    """Returns what the checker says of some sources."""
    sources = {"content/content.toml": head, "content/text.toml": kind}
    sources |= {f"content/{name}.toml": text for name, text in more.items()}
    with pytest.raises(SpecificationError) as caught:
        parse_content(sources)
    return str(caught.value)


def test_every_kind_has_its_limits() -> None:
    """A field without a bound is memory that a sender decides on."""
    content = load_content(SPECIFICATION)
    assert (content.bytes_max, content.depth_max, content.keys_max) == (65536, 8, 256)
    assert {kind.name for kind in content.kinds} >= {"text", "read_receipt"}
    for kind in content.kinds:
        for field in kind.fields:
            assert field.maximum < content.bytes_max or field.type == "u64"


MISTAKES: dict[str, tuple[str, str, int, str]] = {
    # old text, new text, line, what must be said
    "unknown type": ('type = "str"', 'type = "string"', 10, "did you mean 'str'"),
    "unknown class": ('class = "message"', 'class = "x"', 4, "write one of"),
    "unknown key": ("max = 10", "maxx = 10", 12, "did you mean 'max'"),
    "no bound": ("max = 10", "", 7, "has no `max`"),
    "bounds crossed": ("max = 10", "max = 0", 11, "`min` is above `max`"),
    "key of the head": ("key = 2", "key = 1", 8, "outside 2..127"),
    "unknown table": ("[[field]]", "[[feild]]", 7, "unknown table"),
    "no kind": ("[kind]", "[[field]]", 1, "not one [kind]"),
    "name with capitals": ('name = "text"\nvalue', 'name = "Text"\nvalue', 2, "lower"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_named_with_its_place(name: str) -> None:
    """A mistake without a place is a search."""
    old, new, line, expected = MISTAKES[name]
    assert old in KIND
    lines = told(kind=KIND.replace(old, new, 1)).splitlines()
    assert any(
        text.startswith(f"content/text.toml:{line}:") and expected in text
        for text in lines
    ), lines


def test_number_or_name_taken_twice_names_both_places() -> None:
    """Two kinds of one number would be read as each other."""
    said = told(other=KIND)
    assert "content/text.toml:3: `value` is taken, content/other.toml:3" in said or (
        "content/other.toml:3: `value` is taken, content/text.toml:3" in said
    )
    doubled = KIND + KIND[KIND.index("[[field]]") :]
    assert "content/text.toml:15: `key` is taken" in told(kind=doubled)


def test_limits_stand_in_one_place() -> None:
    """Two sets of limits are none."""
    assert "there is no one [content]" in told(head="")
    assert "there is no one [content]" in told(other=HEAD)
    assert "content/content.toml:2" in told(head=HEAD.replace("= 1\n", "= 0\n", 1))
