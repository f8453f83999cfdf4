"""A refusal is explained: field, expected, found, requirement, annotated bytes."""

# ruff: noqa: ANN401 - values are of any type of the specification

from __future__ import annotations

from typing import Any

import pytest
from tests.spec.codecs import product, trial

from wigwag.spec import Refusal, Unwritable, explain_error
from wigwag.spec._values import Sampler

SCALARS, ARRAYS, CHANGING, KEPT, OLD = 6, 8, 10, 16, 17


def sample(name: str, revision: int = 4) -> dict[str, Any]:
    """Return a full value of a message of the trial protocol."""
    codec = trial()
    layout = next(
        layout
        for layout in codec.catalogue.layouts[name]
        if revision in layout.revisions
    )
    return Sampler(codec.specification, full=True).record(layout.layout)


def encoded(name: str, value: dict[str, Any], revision: int = 4) -> bytes:
    """Return the bytes of a value of the trial protocol."""
    return trial().reference.encode(name, revision, value)


def test_an_explanation_names_the_field_and_its_statement() -> None:
    """Whoever debugs another implementation needs the field, not a byte number."""
    body = bytearray(encoded("ARRAYS", sample("ARRAYS")))
    value = trial().reference.decode("ARRAYS", 4, bytes(body))
    found = bytes(body).index(value["leaves"][1]["id"])
    body[found : found + 16] = bytes(16)
    told = explain_error(ARRAYS, 4, bytes(body), trial().reference)
    assert told is not None
    assert (told.message, told.path, told.offset) == ("ARRAYS", "leaves[1].id", found)
    assert (told.code, told.closes, told.requirement) == (0x1001, True, "R-VALUE-008")
    assert told.expected == "16 bytes that are not all zero"
    assert told.found == "zeros"
    assert str(told) == (
        f"ARRAYS leaves[1].id at {found}: expected 16 bytes that are not all zero, "
        "found zeros (R-VALUE-008)"
    )
    lines = told.annotated.split("\n")
    assert lines[-1].startswith(f">   {found:4} 00 00")
    assert any(line.endswith("leaves[0].id") for line in lines)
    assert "points[0].x" in told.annotated


def test_annotated_bytes_cover_everything_before_the_fault() -> None:
    """A gap in the listing is where the reader's eye would have stopped."""
    body = encoded("KEPT", sample("KEPT"))
    told = explain_error(KEPT, 4, body + b"\0", trial().reference)
    assert told is not None
    assert told.path == ""
    assert str(told).startswith("KEPT body at ")
    shown = "".join(line[9:].split("  ")[0] for line in told.annotated.split("\n")[:-1])
    assert bytes.fromhex(shown) == body


def test_long_values_are_shown_in_part() -> None:
    """A screen of one field hides the others."""
    told = explain_error(
        ARRAYS, 4, encoded("ARRAYS", sample("ARRAYS")) + bytes(40), trial().reference
    )
    assert told is not None
    assert "… 40 bytes" in told.annotated


def test_skipped_tags_are_shown_too() -> None:
    """They have no field, and the fault may be just behind them."""
    body = encoded("GREETED", {"unknown": ((4001, b"later"),)})
    told = explain_error(4, 0, body + b"\xff", trial().reference)
    assert told is not None
    lines = told.annotated.split("\n")
    assert lines[-1].startswith(">     12 ff")
    assert "6c 61 74 65 72" in told.annotated


def test_a_fault_before_what_was_read_or_within_a_header_is_marked() -> None:
    """A missing tag is missed at the section's start, a length inside its entry."""
    whole = encoded("CHANGING", sample("CHANGING"))
    entry = b"\x00\x01\x00\x00\x00\x01" + bytes((sample("CHANGING")["step"],))
    place = whole.index(entry)
    fewer = bytes((whole[place - 1] - 1,))
    missing = whole[: place - 1] + fewer + whole[place + len(entry) :]
    told = explain_error(CHANGING, 4, missing, trial().reference)
    assert told is not None
    assert (told.requirement, told.offset) == ("R-TAG-009", place - 1)
    assert "level" not in told.annotated
    assert told.annotated.split("\n")[-1].startswith(f">  {place - 1:5} 09")
    told = explain_error(4, 0, b"\1\x0f\xa1\0\0\0\5late", trial().reference)
    assert told is not None
    assert told.offset == 3
    assert told.annotated.split("\n")[0].split() == ["0", "01", "0f", "a1"]


def test_sensitive_messages_show_no_input() -> None:
    """An explanation is logged, and a body may be somebody's words."""
    told = explain_error(OLD, 1, b"\xff", trial().reference)
    assert told is not None
    assert (told.found, told.annotated) == ("", "")
    assert "255" not in str(told)


def test_what_is_right_or_unknown_has_no_explanation() -> None:
    """An explanation of nothing would send somebody looking for it."""
    assert (
        explain_error(KEPT, 4, encoded("KEPT", sample("KEPT")), trial().reference)
        is None
    )
    assert explain_error(9999, 4, b"", trial().reference) is None
    assert explain_error(OLD, 3, b"", trial().reference) is None


def test_the_product_is_explained_by_default() -> None:
    """The server asks with nothing but what it received."""
    told = explain_error(12, 0, b"\0")
    assert told is not None
    assert (told.message, told.path, told.expected, told.found) == (
        "PING",
        "token",
        "8 bytes",
        "1 bytes",
    )
    draft = product().specification.draft
    assert draft is not None
    assert explain_error(12, 0x8000 | draft.build, bytes(9)) is None


def test_a_refusal_holds_no_input_in_its_text() -> None:
    """Its text may reach a log by way of a traceback."""
    with pytest.raises(Refusal) as caught:
        trial().reference.decode("OLD", 1, b"\x04secret")
    assert str(caught.value) == "data at 0: R-VALUE-003"
    with pytest.raises(Refusal, match="body at 1"):
        trial().reference.decode("GREETED", 1, b"\0\0")


WRONG: list[tuple[str, str, Any]] = [
    ("SCALARS", "small", 0),
    ("SCALARS", "short", 0),
    ("SCALARS", "word", 70001),
    ("SCALARS", "signed", 0),
    ("SCALARS", "long", "1"),
    ("SCALARS", "flag", 1),
    ("SCALARS", "id", bytes(16)),
    ("SCALARS", "id", bytes(15)),
    ("SCALARS", "key", "abc"),
    ("SCALARS", "class_", 2),
    ("SCALARS", "class_", "FAST"),
    ("SCALARS", "marks", 2),
    ("SCALARS", "marks", None),
    ("SCALARS", "data", bytes(301)),
    ("SCALARS", "data", "text"),
    ("SCALARS", "cell", bytes(4)),
    ("SCALARS", "text", "\0"),
    ("SCALARS", "text", "\ud800"),
    ("SCALARS", "text", b"bytes"),
    ("ARRAYS", "bytes_of", (1, 2, 3, 4, 5)),
    ("ARRAYS", "bytes_of", 3),
    ("ARRAYS", "shorts", (2, 1)),
    ("ARRAYS", "shorts", (2, 2)),
    ("ARRAYS", "points", ()),
    ("CHANGING", "step", None),
    ("CHANGING", "gone", 6),
    ("KEPT", "unknown", ((2, b""),)),
    ("KEPT", "unknown", ((3, b""), (3, b""))),
    ("KEPT", "unknown", ((3, bytes(1019)),)),
    ("KEPT", "unknown", tuple((2 * n + 1, b"") for n in range(65))),
]


@pytest.mark.parametrize(("name", "attribute", "value"), WRONG)
def test_the_reference_writes_nothing_wrong(
    name: str, attribute: str, value: Any
) -> None:
    """Vectors come from it: a wrong one would be agreed on."""
    wrong = {**sample(name), attribute: value}
    with pytest.raises(Unwritable, match=attribute.removesuffix("_")):
        encoded(name, wrong)
