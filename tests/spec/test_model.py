"""The resolved specification: revisions, layouts, sizes, digest."""

from __future__ import annotations

import msgspec
import pytest
from tests.spec.codecs import TRIAL_ROOT, product, trial

from wigwag.spec import canonical_json, digest, load_specification, product_root
from wigwag.spec._code import Catalogue
from wigwag.spec._generate_tables import wire_revision
from wigwag.spec._ir import Draft, RevisionRange
from wigwag.spec._layout import layout_at
from wigwag.spec._rules import Rule


@pytest.mark.parametrize(
    ("outer", "inner", "covers"),
    [
        (RevisionRange(1), RevisionRange(2), True),
        (RevisionRange(2), RevisionRange(1), False),
        (RevisionRange(1, 3), RevisionRange(2), False),
        (RevisionRange(1, 3), RevisionRange(2, 3), True),
        (RevisionRange(1, 3), RevisionRange(2, 4), False),
    ],
)
def test_ranges_cover(outer: RevisionRange, inner: RevisionRange, covers: bool) -> None:
    """A field that outlives its message would be unreachable."""
    assert outer.covers(inner) is covers


@pytest.mark.parametrize(
    ("one", "other", "overlaps"),
    [
        (RevisionRange(1, 2), RevisionRange(3), False),
        (RevisionRange(1, 3), RevisionRange(3), True),
        (RevisionRange(4), RevisionRange(1, 3), False),
        (RevisionRange(4), RevisionRange(1), True),
    ],
)
def test_ranges_overlap(
    one: RevisionRange, other: RevisionRange, overlaps: bool
) -> None:
    """Two declarations for one revision would be two layouts."""
    assert one.overlaps(other) is overlaps
    assert other.overlaps(one) is overlaps


def test_ranges_are_written_as_the_source_has_them() -> None:
    """A range that is told otherwise than it is written can't be searched for."""
    assert [str(RevisionRange(*ends)) for ends in ((3,), (1, 4), (2, 2))] == [
        "3+",
        "1-4",
        "2",
    ]


def test_revisions_with_the_same_bytes_share_a_layout() -> None:
    """One codec a revision would grow without end."""
    catalogue = trial().catalogue
    spans = {
        name: [layout.revisions for layout in layouts]
        for name, layouts in catalogue.layouts.items()
    }
    assert spans["GREET"] == [(1, 2, 3, 4)]
    assert spans["CHANGING"] == [(1,), (2,), (3,), (4,)]
    assert spans["OLD"] == [(1, 2)]
    assert spans["YOUNG"] == [(3, 4)]
    assert spans["Leaf"] == [(1,), (2,), (3, 4)]


def test_a_prefix_keeps_the_width_of_its_first_bound() -> None:
    """A wider prefix would move every byte behind it."""
    layout = layout_at(
        trial().specification.message("CHANGING"), 3, trial().specification
    )
    grew = next(part for part in layout.parts if part.field.name == "grew")
    assert (grew.field.prefix, grew.field.high) == (1, 8)


def test_the_wire_names_a_draft_by_its_build() -> None:
    """A draft must never be taken for the release that it becomes."""
    assert wire_revision(4, trial().specification) == 0x8009
    assert wire_revision(3, trial().specification) == 3


def test_the_same_source_gives_the_same_bytes() -> None:
    """A digest that depends on the run names nothing."""
    first, second = load_specification(TRIAL_ROOT), load_specification(TRIAL_ROOT)
    assert canonical_json(first) == canonical_json(second)
    assert digest(first) == digest(second)
    assert digest(first) != digest(product().specification)


def test_explanations_do_not_change_the_digest() -> None:
    """A better sentence is not another protocol; another bound is."""
    specification = trial().specification
    draft = Draft(4, 10, "Other words.")
    limit = msgspec.structs.replace(specification.limits[0], doc="Other words.")
    limits = (limit, *specification.limits[1:])
    reworded = msgspec.structs.replace(specification, draft=draft, limits=limits)
    assert digest(reworded) == digest(specification)
    raised = msgspec.structs.replace(limit, value=limit.value + 1)
    changed = msgspec.structs.replace(
        specification, limits=(raised, *specification.limits[1:])
    )
    assert digest(changed) != digest(specification)
    released = msgspec.structs.replace(specification, draft=None)
    assert digest(released) != digest(specification)
    assert released.newest_revision == 3
    assert wire_revision(3, released) == 3


def test_every_rule_of_the_codec_is_a_statement_of_the_product() -> None:
    """What a decoder refuses must be written where implementers look."""
    stated = {requirement.id for requirement in product().specification.requirements}
    errors = {error.name for error in product().specification.errors}
    for rule in Rule:
        assert rule.requirement in stated
        assert rule.code_name in errors


def test_a_message_declares_all_that_others_look_up() -> None:
    """The table is what the connection, the limits and the help are made of."""
    specification = load_specification(product_root())
    assert specification.enum("MessageClass").fallback == "SIGNAL"
    assert specification.struct("DeviceList").document
    assert specification.limit("tags_max").value == 64
    assert Catalogue(specification).owner("SEND") == specification.message("SEND")
